//! `$1`: PostgreSQL's own style, checked and left as it is.

use super::MAX_PARAMETERS;
use super::error::{TranslateError, TranslateErrorKind as Kind};
use super::scan::{Scanner, TokenKind};

/// The parameters that a text of style `numeric_dollar` takes, which must be numbered from 1 without a hole.
pub(super) fn count(sql: &str) -> Result<usize, TranslateError> {
    let mut uses = Vec::new();
    for token in Scanner::new(sql) {
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
