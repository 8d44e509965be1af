//! `?` as a placeholder, told from the server's operators of that name.
//!
//! A `?` where an expression may start is a placeholder; behind an operand it is the operator. `??` is the operator
//! wherever it stands, in `??|` and `??&` too.

use super::error::TranslateError;
use super::grammar::ends_operand;
use super::mark::{Mark, Marks, Meaning};
use super::scan::{Scanner, Token, TokenKind};

/// The placeholders and escapes of a text of style `qmark`.
pub(super) fn marks(sql: &str) -> Marks<'_> {
    let mut marks = Vec::new();
    let mut after_operand = false;
    for token in Scanner::new(sql) {
        let token = token.map_err(|found| TranslateError::unterminated(sql, found))?;
        after_operand = match token.kind {
            kind if kind.is_blank() => after_operand,
            TokenKind::Operator => read_operator(sql, token, after_operand, &mut marks),
            _ => ends_operand(token, sql),
        };
    }
    Ok(marks)
}

/// Reads a run of operator characters, in which placeholders may hide (`=?`, `?||?`), and tells whether an operand
/// has just ended behind it.
fn read_operator(
    sql: &str,
    token: Token,
    mut after_operand: bool,
    marks: &mut Vec<Mark<'_>>,
) -> bool {
    let mut start = token.start;
    loop {
        let rest = &sql[start..token.end];
        let Some(question) = rest.find('?') else {
            return after_operand && rest.is_empty();
        };
        start += question;
        if rest[question..].starts_with("??") {
            marks.push(Mark {
                start,
                end: start + 2,
                meaning: Meaning::Literal("?"),
            });
            start += 2;
            after_operand = false;
        } else if rest.starts_with("@?") {
            return false;
        } else if question == 0 && (after_operand || matches!(rest, "?|" | "?&")) {
            start += 1;
            after_operand = false;
        } else {
            marks.push(Mark {
                start,
                end: start + 1,
                meaning: Meaning::Positional,
            });
            start += 1;
            after_operand = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Paramstyle, translate};

    #[test]
    fn placeholders_and_operators() {
        let texts = [
            ("SELECT ?, ?", "SELECT $1, $2"),
            ("f(?) = (?)", "f($1) = ($2)"),
            ("a=? AND b>=?", "a=$1 AND b>=$2"),
            ("a = -?", "a = -$1"),
            ("?=?", "$1=$2"),
            ("?||?||'x'", "$1||$2||'x'"),
            ("?-1", "$1-1"),
            ("?::int", "$1::int"),
            ("LIMIT ? OFFSET ?", "LIMIT $1 OFFSET $2"),
            ("x IN (?,?)", "x IN ($1,$2)"),
            ("j @> ?", "j @> $1"),
            ("j @>?", "j @>$1"),
            ("j->?", "j->$1"),
            ("j ? 'a'", "j ? 'a'"),
            ("j ? ?", "j ? $1"),
            ("j->'a' ? ?", "j->'a' ? $1"),
            ("(j) ? 'a' AND ? = 1", "(j) ? 'a' AND $1 = 1"),
            ("a[1] ? 'a'", "a[1] ? 'a'"),
            ("\"j\" ? 'a'", "\"j\" ? 'a'"),
            ("? ? ?", "$1 ? $2"),
            ("j ?| ?", "j ?| $1"),
            ("j ?|?", "j ?|$1"),
            ("j ?& array[?]", "j ?& array[$1]"),
            ("j @? ?", "j @? $1"),
            ("SELECT ?| l", "SELECT ?| l"),
            ("j ?? ?", "j ? $1"),
            ("j ??| ? AND k ??& ?", "j ?| $1 AND k ?& $2"),
            ("j @?? ?", "j @? $1"),
            ("? /* ? */ ? 'a' -- ?", "$1 /* ? */ ? 'a' -- ?"),
            (
                "'?' || E'\\'?' || $$?$$ || \"?\" || ?",
                "'?' || E'\\'?' || $$?$$ || \"?\" || $1",
            ),
            ("?AND LIMIT?", "$1 AND LIMIT $2"),
            ("5 % ?", "5 % $1"),
        ];
        for (sql, expected) in texts {
            let found =
                translate(sql, Paramstyle::Qmark).unwrap_or_else(|error| panic!("{sql}: {error}"));
            assert_eq!(found.sql, expected, "{sql}");
            assert_eq!(
                found.parameters.len(),
                expected.matches('$').count() - sql.matches('$').count(),
                "{sql}"
            );
        }
    }
}
