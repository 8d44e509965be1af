//! The way back: from the server's `$1` to psycopg's placeholders.

use super::edit::Edit;
use super::error::TranslateError;
use super::lint::{Bound, Conversion};
use super::scan::{Scanner, TokenKind};
use super::{Parameter, Paramstyle, dollar};
use std::borrow::Cow;

/// Rewrites `$1`, `$2`, … of `sql` as `%s`, or as `%(p1)s`, `%(p2)s`, … for the style `pyformat`, and doubles every `%`, because psycopg
/// reads each one wherever it stands.
///
/// A text without a parameter stays as it is: psycopg reads no `%` in a call without arguments. A `%s` takes the next argument, so a
/// number that is used twice takes two of them; the conversion's parameters tell which.
///
/// ```
/// use pontoon::sql::translate::{Paramstyle, to_percent, translate};
///
/// let text = "SELECT 7 %% %s, note LIKE '50%%' FROM day WHERE id = %s";
/// let dollar = translate(text, Paramstyle::Format)?.sql;
/// assert_eq!(to_percent(&dollar, Paramstyle::Format)?.sql, text);
/// assert_eq!(to_percent("SELECT $2, $1", Paramstyle::Pyformat)?.sql, "SELECT %(p2)s, %(p1)s");
/// # Ok::<(), pontoon::sql::translate::TranslateError>(())
/// ```
///
/// # Errors
///
/// If a literal is never closed, or the numbers have a hole.
pub fn to_percent(sql: &str, style: Paramstyle) -> Result<Conversion<'_>, TranslateError> {
    let count = dollar::count(sql)?;
    let (mut edits, uses) = edits(sql, style);
    if count == 0 {
        edits.clear();
    }
    let bound = |number: usize| Bound {
        parameter: Parameter::Position(number.saturating_sub(1)),
        list: false,
        text: false,
    };
    let parameters = match style {
        Paramstyle::Pyformat => (1..=count).map(bound).collect(),
        _ => uses.into_iter().map(bound).collect(),
    };
    let sql = if edits.is_empty() {
        Cow::Borrowed(sql)
    } else {
        Cow::Owned(Edit::apply(sql, &edits))
    };
    Ok(Conversion {
        sql,
        parameters,
        edits,
        dropped: Vec::new(),
        fixed: Vec::new(),
    })
}

/// What replaces each parameter and each `%`, and the numbers of the parameters in the order of the text.
fn edits(sql: &str, style: Paramstyle) -> (Vec<Edit>, Vec<usize>) {
    let (mut edits, mut uses) = (Vec::new(), Vec::new());
    for token in Scanner::new(sql).map_while(Result::ok) {
        if token.kind == TokenKind::Parameter {
            let number = &token.text(sql)[1..];
            uses.extend(number.parse::<usize>().ok());
            let text = match style {
                Paramstyle::Pyformat => format!("%(p{number})s"),
                _ => "%s".to_owned(),
            };
            edits.push(Edit {
                range: token.start..token.end,
                text,
            });
        } else {
            let found = memchr::memchr_iter(b'%', token.text(sql).as_bytes());
            edits.extend(found.map(|at| Edit {
                range: token.start + at..token.start + at + 1,
                text: "%%".to_owned(),
            }));
        }
    }
    (edits, uses)
}

#[cfg(test)]
mod tests {
    use super::super::{Style, translate};
    use super::*;
    use proptest::prelude::*;

    fn positions(conversion: &Conversion<'_>) -> Vec<usize> {
        let places = conversion
            .parameters
            .iter()
            .map(|bound| match bound.parameter {
                Parameter::Position(at) => at,
                Parameter::Name(_) => panic!("a name"),
            });
        places.collect()
    }

    #[test]
    fn numbers_become_placeholders_and_percents_are_doubled() {
        let texts = [
            ("SELECT $1, $2", "SELECT %s, %s", &[0, 1][..]),
            ("SELECT $2, $1, $2", "SELECT %s, %s, %s", &[1, 0, 1]),
            (
                "a LIKE '50%' AND 7 % $1 = 1 -- %",
                "a LIKE '50%%' AND 7 %% %s = 1 -- %%",
                &[0],
            ),
            ("SELECT '$1', $1", "SELECT '$1', %s", &[0]),
            ("SELECT 5 % 2, '%s'", "SELECT 5 % 2, '%s'", &[]),
        ];
        for (sql, expected, order) in texts {
            let found = to_percent(sql, Paramstyle::Format).expect(sql);
            assert_eq!(found.sql, expected);
            assert_eq!(positions(&found), order, "{sql}");
        }
        let named = to_percent("a = $1 OR b = $2 OR c = $1", Paramstyle::Pyformat).unwrap();
        assert_eq!(named.sql, "a = %(p1)s OR b = %(p2)s OR c = %(p1)s");
        assert_eq!(positions(&named), [0, 1]);
    }

    #[test]
    fn what_the_server_would_refuse_is_refused() {
        for sql in ["SELECT $2", "SELECT '$1", "SELECT $0"] {
            to_percent(sql, Paramstyle::Format).expect_err(sql);
        }
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same_text(
            pieces in prop::collection::vec(prop::sample::select(vec![" a ", "'%%s' ", " 5 %% 2 ", "E'\\'' ", " -- %%\n", "$$ %% $$ ", " %s "]), 0..20),
        ) {
            let sql = pieces.concat() + " %s";
            // A placeholder in a comment is refused, and that is another test.
            if let Ok(there) = translate(&sql, Style::Psycopg) {
                let back = to_percent(&there.sql, Paramstyle::Format);
                prop_assert_eq!(back.map(|back| back.sql.into_owned()), Ok(sql.clone()));
            }
        }
    }
}
