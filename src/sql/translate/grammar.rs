//! What little of the grammar the styles need: where an expression may start, and where one has just ended.

use super::scan::{Token, TokenKind};

/// Words after which an expression may start. None of them ends an expression.
const BEFORE_EXPRESSION: &str = "
    all and any array as asymmetric between both by call case collate default distinct else escape except execute
    fetch filter first for from group groups having ilike in intersect into is join leading like limit next not
    offset on or order over password placing range return returning rows select set similar some symmetric then to
    trailing union update using values variadic when where window with zone";

/// Words that may follow an expression.
const AFTER_EXPRESSION: &str = "
    and as asc at between collate cross desc else end escape except fetch for from full group having ilike in inner
    intersect into is isnull join left like limit not notnull nulls offset on or order placing returning right
    similar symmetric then to union using when where window";

/// No word of the two lists is longer.
pub(super) const LONGEST_KEYWORD: usize = 10;

/// Whether an expression may follow the word.
pub(super) fn opens_expression(word: &str) -> bool {
    is_listed(word, BEFORE_EXPRESSION)
}

/// Whether the word may follow an expression.
pub(super) fn follows_expression(word: &str) -> bool {
    is_listed(word, AFTER_EXPRESSION)
}

fn is_listed(word: &str, list: &str) -> bool {
    list.split_ascii_whitespace()
        .any(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// Whether an operand may end with the token, so that an operator and not another operand comes next.
pub(super) fn ends_operand(token: Token, sql: &str) -> bool {
    match token.kind {
        TokenKind::Identifier => !opens_expression(token.text(sql)),
        TokenKind::Punctuation => matches!(token.text(sql), ")" | "]"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_keyword() {
        let words = [BEFORE_EXPRESSION, AFTER_EXPRESSION].map(str::split_ascii_whitespace);
        assert_eq!(
            words.into_iter().flatten().map(str::len).max(),
            Some(LONGEST_KEYWORD)
        );
    }
}
