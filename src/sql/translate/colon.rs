//! `:name` as a placeholder, told from `::`, `:=`, array slices and the colon of a JSON constructor.

use super::error::TranslateError;
use super::grammar::ends_operand;
use super::mark::{Mark, Marks, Meaning};
use super::scan::{Scanner, TokenKind};

/// The placeholders of a text of style `named`.
///
/// A colon behind an operand separates, it starts no placeholder, if it touches the operand or stands in brackets.
pub(super) fn marks(sql: &str) -> Marks<'_> {
    let mut marks = Vec::new();
    let (mut brackets, mut operand_end, mut colon) = (0_usize, None, None);
    for token in Scanner::new(sql) {
        let token = token.map_err(|found| TranslateError::unterminated(sql, found))?;
        let opened = colon.take();
        match token.kind {
            kind if kind.is_blank() => continue,
            TokenKind::Colon => {
                let separates = operand_end.is_some_and(|end| brackets > 0 || end == token.start);
                colon = (!separates).then_some(token.start);
            }
            TokenKind::Punctuation if token.text(sql) == "[" => brackets += 1,
            TokenKind::Punctuation if token.text(sql) == "]" => {
                brackets = brackets.saturating_sub(1)
            }
            _ => {}
        }
        if let (Some(start), TokenKind::Identifier) = (opened, token.kind) {
            let meaning = Meaning::Named {
                name: token.text(sql),
                format: 's',
            };
            marks.push(Mark {
                start,
                end: token.end,
                meaning,
            });
            operand_end = Some(token.end);
        } else {
            operand_end = ends_operand(token, sql).then_some(token.end);
        }
    }
    Ok(marks)
}
