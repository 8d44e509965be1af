//! `?` as a placeholder, told from PostgreSQL's operators of that name.
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
