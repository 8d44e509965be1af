//! The tokens that show where code is, without the code between them.

use super::class::{Class, find};
use super::{Scanner, Token, TokenKind, Unterminated};

/// The comments, the literals, the quoted names and the parameters of a text, and what is never closed: the tokens of
/// [`Scanner`] that hide a placeholder, or are one.
///
/// Such a token starts with one of five characters or, if a prefix comes before its quote, holds one. So this looks
/// for those characters alone, and reads the word in front of one to learn what it is.
#[derive(Debug, Clone)]
pub(crate) struct Landmarks<'a>(Scanner<'a>);

impl<'a> Landmarks<'a> {
    pub(crate) fn new(sql: &'a str) -> Self {
        Self(Scanner::new(sql))
    }

    /// The next place from `start` at which a landmark may open, or the end of the text.
    fn opener(&self, start: usize) -> usize {
        let bytes = self.0.bytes;
        let mut index = start;
        loop {
            index = find(bytes, index, |byte| Class::of(byte).is(Class::OPENER));
            match (bytes.get(index), bytes.get(index + 1)) {
                (Some(b'-'), next) if next != Some(&b'-') => index += 1,
                (Some(b'/'), next) if next != Some(&b'*') => index += 1,
                _ => return index,
            }
        }
    }

    /// Where a token starts so that the token of the quote or `$` at `opener` is found from there.
    ///
    /// Nothing but a word, a number or `U&` joins with either, and none of those goes on over another character.
    fn token_start(&self, opener: usize) -> usize {
        self.0.bytes[self.0.position..opener]
            .iter()
            .rposition(|&byte| !Class::of(byte).is(Class::JOINED))
            .map_or(self.0.position, |index| self.0.position + index + 1)
    }
}

impl Iterator for Landmarks<'_> {
    type Item = Result<Token, Unterminated>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let opener = self.opener(self.0.position);
            let first = *self.0.bytes.get(opener)?;
            self.0.position = match first {
                b'-' | b'/' => opener,
                _ => self.token_start(opener),
            };
            while self.0.position <= opener {
                match self.0.next()? {
                    Ok(token) if !shows(token.kind) => {}
                    landmark => return Some(landmark),
                }
            }
        }
    }
}

/// Whether a token of that kind is a landmark.
pub(crate) fn shows(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::LineComment
            | TokenKind::BlockComment
            | TokenKind::String
            | TokenKind::EscapeString
            | TokenKind::UnicodeString
            | TokenKind::BitString
            | TokenKind::DollarString
            | TokenKind::QuotedIdentifier
            | TokenKind::Parameter
    )
}
