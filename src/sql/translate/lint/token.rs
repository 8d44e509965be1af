//! A token, with what was learned of its place.

use super::super::scan::TokenKind;
use super::vocabulary::{self as words, UNLISTED, Word};

/// A token, and where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tok {
    pub(super) kind: TokenKind,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) word: &'static Word,
    /// The first byte.
    pub(super) first: u8,
    pub(super) clause: Clause,
    /// As [`inside`](Tok::inside) gives it, or [`NOWHERE`](Tok::NOWHERE): there are many tokens, and a small one is soon written.
    pub(super) opener: u32,
    /// For `(` and `[`: whether a comma stands directly in it.
    pub(super) has_comma: bool,
}

/// Stands before the first and behind the last token.
pub(super) static NOTHING: Tok = Tok {
    kind: TokenKind::Space,
    start: 0,
    end: 0,
    word: &UNLISTED,
    first: 0,
    clause: Clause::Other,
    opener: Tok::NOWHERE,
    has_comma: false,
};

/// The clause that a token is in, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clause {
    Other,
    Select,
    Returning,
    Values,
    Order,
    Group,
    /// What is read or changed: tables and their aliases.
    From,
    /// The condition of a join.
    On,
    /// The assignments of an `UPDATE`.
    Set,
}

impl Tok {
    pub(super) const NOWHERE: u32 = u32::MAX;

    /// The token that opens the innermost parentheses or brackets around it. They themselves count as inside.
    pub(super) fn inside(&self) -> Option<usize> {
        usize::try_from(self.opener)
            .ok()
            .filter(|_| self.opener != Self::NOWHERE)
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.word.text == word
    }

    pub(super) fn has(&self, class: words::Class) -> bool {
        self.word.has(class)
    }

    pub(super) fn is_sign(&self, sign: u8) -> bool {
        self.kind == TokenKind::Punctuation && self.first == sign
    }

    /// A name that is no keyword.
    pub(super) fn is_name(&self) -> bool {
        match self.kind {
            TokenKind::QuotedIdentifier => true,
            TokenKind::Identifier => !self.has(words::KEYWORD),
            _ => false,
        }
    }

    /// A literal, a number or a parameter.
    pub(super) fn is_value(&self) -> bool {
        matches!(
            self.kind,
            TokenKind::Number
                | TokenKind::Parameter
                | TokenKind::String
                | TokenKind::EscapeString
                | TokenKind::UnicodeString
                | TokenKind::BitString
                | TokenKind::DollarString
        )
    }

    pub(super) fn text<'a>(&self, sql: &'a str) -> &'a str {
        &sql[self.start..self.end]
    }
}
