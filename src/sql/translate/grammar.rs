//! What little of the grammar the styles need: where an expression may start, and where one has just ended.

use std::sync::LazyLock;

use super::scan::{Token, TokenKind, is_identifier};

/// Words after which an expression may start. None of them ends an expression.
static BEFORE_EXPRESSION: LazyLock<Words> = LazyLock::new(|| Words::of(BEFORE));
const BEFORE: &str = "
    all and any array as asymmetric between both by call case collate default distinct else escape except execute
    fetch filter first for from group groups having ilike in intersect into is join leading like limit next not
    offset on or order over overlaps password placing range return returning rows select set similar some symmetric then to
    trailing union update using values variadic when where window with zone";

/// Types that stand before a literal rather than being a column's name.
const BEFORE_LITERAL: &[&str] = &["date", "interval", "time", "timestamp", "timestamptz"];

/// Words that may follow an expression.
static AFTER_EXPRESSION: LazyLock<Words> = LazyLock::new(|| Words::of(AFTER));
const AFTER: &str = "
    and as asc at between collate cross desc else end escape except fetch for from full group having ilike in inner
    intersect into is isnull join left like limit not notnull nulls offset on or order placing returning right
    similar symmetric then to union using when where window";

/// No word of the two lists is longer.
pub(super) const LONGEST_KEYWORD: usize = 10;

/// Whether an expression may follow the word.
pub(super) fn opens_expression(word: &str) -> bool {
    BEFORE_EXPRESSION.hold(word)
}

/// Whether the word may follow an expression.
pub(super) fn follows_expression(word: &str) -> bool {
    AFTER_EXPRESSION.hold(word)
}

/// Words by their first letter.
struct Words([Vec<&'static str>; 26]);

impl Words {
    fn of(list: &'static str) -> Self {
        let letter = |letter| {
            let words = list.split_ascii_whitespace();
            words.filter(|word| word.starts_with(letter)).collect()
        };
        let mut letters = 'a'..='z';
        Self(std::array::from_fn(|_| {
            letters.next().map_or_else(Vec::new, letter)
        }))
    }

    fn hold(&self, word: &str) -> bool {
        let letter = word.bytes().next().unwrap_or_default().to_ascii_lowercase();
        self.0
            .get(usize::from(letter.wrapping_sub(b'a')))
            .is_some_and(|words| words.iter().any(|known| known.eq_ignore_ascii_case(word)))
    }
}

/// What a text that is being read holds up to there.
#[derive(Debug, Default, Clone, Copy)]
pub(super) enum Before {
    #[default]
    NoOperand,
    /// An operand, which ends at that byte.
    Operand(usize),
    /// A token of which only its reading tells whether an operand ends with it.
    Token(Token),
}

impl Before {
    /// The end of the operand, if one has just ended.
    pub(super) fn operand_end(self, sql: &str) -> Option<usize> {
        match self {
            Self::NoOperand => None,
            Self::Operand(end) => Some(end),
            Self::Token(token) => ends_operand(token, sql).then_some(token.end),
        }
    }
}

/// Whether an operand may end with the token, so that an operator and not another operand comes next.
fn ends_operand(token: Token, sql: &str) -> bool {
    match token.kind {
        TokenKind::Identifier => {
            let word = token.text(sql);
            let is_type = BEFORE_LITERAL
                .iter()
                .any(|name| name.eq_ignore_ascii_case(word));
            let is_qualified = || sql[..token.start].ends_with('.');
            !opens_expression(word) && (!is_type || is_qualified())
        }
        TokenKind::Punctuation => match token.text(sql) {
            ")" => !closes_operator(&sql[..token.start]),
            sign => sign == "]",
        },
        TokenKind::String
        | TokenKind::EscapeString
        | TokenKind::UnicodeString
        | TokenKind::BitString
        | TokenKind::DollarString
        | TokenKind::QuotedIdentifier
        | TokenKind::Number
        | TokenKind::Parameter => true,
        _ => false,
    }
}

/// Whether the text ends with an operator's name, as `OPERATOR(pg_catalog.=` does.
fn closes_operator(text: &str) -> bool {
    /// As long as two names and an operator can be.
    const LONG: usize = 192;
    const WORD: &str = "operator";
    let mut bytes = text.bytes().rev().take(LONG);
    let Some(back) = bytes.position(|byte| matches!(byte, b'(' | b')' | b'\'')) else {
        return false;
    };
    let (before, inside) = text.split_at(text.len() - back - 1);
    let before = before.trim_ascii_end();
    let start = before.len().saturating_sub(WORD.len());
    let is_word = before
        .get(start..)
        .is_some_and(|word| word.eq_ignore_ascii_case(WORD));
    let is_whole = !before.as_bytes()[..start]
        .last()
        .is_some_and(|&byte| is_identifier(byte));
    inside.starts_with('(') && is_word && is_whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_keyword() {
        let words = [BEFORE, AFTER].map(str::split_ascii_whitespace);
        assert_eq!(
            words.into_iter().flatten().map(str::len).max(),
            Some(LONGEST_KEYWORD)
        );
    }
}
