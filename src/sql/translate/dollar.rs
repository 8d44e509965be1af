//! `$1`: the server's own style, checked and left as it is.

use super::MAX_PARAMETERS;
use super::error::{TranslateError, TranslateErrorKind as Kind};
use super::scan::{Landmarks, TokenKind};

/// The parameters that a text of style `numeric_dollar` takes, which must be numbered from 1 without a hole.
pub(super) fn count(sql: &str) -> Result<usize, TranslateError> {
    let mut uses = Vec::new();
    for token in Landmarks::new(sql) {
        let token = token.map_err(|found| TranslateError::unterminated(sql, found))?;
        if token.kind == TokenKind::Parameter {
            let number = token.text(sql)[1..]
                .parse::<usize>()
                .ok()
                .filter(|&number| number <= MAX_PARAMETERS);
            uses.push((
                number.ok_or_else(|| too_many(sql, token.start))?,
                token.start,
            ));
        }
    }
    uses.sort_unstable();
    let mut count = 0;
    for (number, offset) in uses {
        if number == 0 || number > count + 1 {
            let message = format!("`${number}` is used but `${}` is not", count + 1);
            let expected = "parameters numbered from `$1` without a hole";
            return Err(TranslateError::at(
                sql,
                offset,
                Kind::MissingNumber,
                message,
                expected,
            ));
        }
        count = number;
    }
    Ok(count)
}

/// The error for the placeholder at `offset`, one more than a statement may carry.
pub(super) fn too_many(sql: &str, offset: usize) -> TranslateError {
    let message = format!("a statement carries at most {MAX_PARAMETERS} parameters");
    TranslateError::at(
        sql,
        offset,
        Kind::TooManyParameters,
        message,
        "one array parameter, as in `= ANY(…)`",
    )
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::super::{Parameter, Paramstyle, translate};
    use super::*;

    #[test]
    fn the_text_stays_and_its_parameters_are_counted() {
        let texts = [
            ("SELECT 1", 0),
            ("SELECT $1", 1),
            ("SELECT $2, $1, $2", 2),
            ("SELECT '$2', $1, $$ $3 $$, a$4 -- $5", 1),
            ("SELECT 5 % $1 LIKE '%s'", 1),
        ];
        for (sql, count) in texts {
            let found = translate(sql, Paramstyle::NumericDollar)
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
            assert!(
                matches!(found.sql, Cow::Borrowed(text) if text == sql),
                "{sql}"
            );
            assert_eq!(
                found.parameters,
                (0..count).map(Parameter::Position).collect::<Vec<_>>(),
                "{sql}"
            );
        }
    }

    #[test]
    fn numbers_that_no_statement_can_have() {
        let texts = [
            (
                "SELECT $0",
                Kind::MissingNumber,
                7,
                "`$0` is used but `$1` is not",
            ),
            (
                "SELECT $2",
                Kind::MissingNumber,
                7,
                "`$2` is used but `$1` is not",
            ),
            (
                "SELECT $4, $1, $2",
                Kind::MissingNumber,
                7,
                "`$4` is used but `$3` is not",
            ),
            ("SELECT $1, $65536", Kind::TooManyParameters, 11, "65535"),
            (
                "SELECT $99999999999999999999999",
                Kind::TooManyParameters,
                7,
                "65535",
            ),
            ("SELECT '$1", Kind::UnterminatedString, 7, "string literal"),
        ];
        for (sql, kind, offset, message) in texts {
            let error = count(sql).expect_err(sql);
            assert_eq!((error.kind, error.offset), (kind, offset), "{sql}: {error}");
            assert!(error.message.contains(message), "{sql}: {error}");
        }
    }
}
