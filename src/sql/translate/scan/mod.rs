//! The lexer: cuts SQL text into the server's own tokens, without a copy and without an allocation.
//!
//! Only what decides *where code is* matters here, so the lexer is exact about literals, comments, names and
//! operators, and tells no keyword from another identifier.
//!
//! [`Scanner`] gives every token. [`Landmarks`] gives those alone that show where code is, and jumps over the rest.

mod class;
mod landmarks;
mod number;
mod operator;
mod quoted;

use super::error::TranslateErrorKind;
use class::Class;

pub(crate) use class::is_identifier;
pub(crate) use landmarks::Landmarks;

/// What a piece of SQL text is to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Space,
    LineComment,
    BlockComment,
    /// `'…'` and `N'…'`: a backslash is an ordinary character.
    String,
    /// `E'…'`: a backslash takes the next character with it.
    EscapeString,
    /// `U&'…'`
    UnicodeString,
    /// `B'…'` and `X'…'`
    BitString,
    /// `$$…$$` and `$tag$…$tag$`
    DollarString,
    /// `"…"` and `U&"…"`
    QuotedIdentifier,
    Identifier,
    Number,
    /// `$1`
    Parameter,
    Operator,
    /// `::`
    Cast,
    /// `:=`
    Assign,
    Colon,
    /// One of `, ( ) [ ] . .. ;`
    Punctuation,
    /// A character that the server refuses.
    Other,
}

impl TokenKind {
    /// White space or a comment: what separates tokens and says nothing.
    pub(crate) fn is_blank(self) -> bool {
        matches!(self, Self::Space | Self::LineComment | Self::BlockComment)
    }
}

/// A token's kind and its bytes `start..end` in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Token {
    pub(crate) fn text(self, sql: &str) -> &str {
        &sql[self.start..self.end]
    }
}

/// A literal or a comment that is opened at byte `offset` and never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unterminated {
    pub(crate) kind: TranslateErrorKind,
    pub(crate) offset: usize,
}

/// The tokens of a text in order; together they cover every byte of it. Ends after the first error.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    position: usize,
    /// Up to here each `+` and `-` is an operator of its own. Known from the operator before them, without which each
    /// of them would read the whole run.
    signs_end: usize,
    /// What ended the text early. Kept aside, because a token alone fits into two registers.
    unterminated: Option<Unterminated>,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(sql: &'a str) -> Self {
        Self {
            bytes: sql.as_bytes(),
            position: 0,
            signs_end: 0,
            unterminated: None,
        }
    }

    /// The kind and the end of the token that starts at `start` with the byte `first`; none if it never ends.
    fn cut(&mut self, start: usize, first: u8) -> Option<(TokenKind, usize)> {
        let (bytes, class) = (self.bytes, Class::of(first));
        let next = bytes.get(start + 1).copied();
        if class.is(Class::IDENTIFIER) && !class.is(Class::DIGIT) && first != b'$' {
            let end = class::run(bytes, start + 1, Class::IDENTIFIER);
            if end > start + 1 || !matches!(next, Some(b'\'' | b'&')) {
                return Some((TokenKind::Identifier, end));
            }
            return match quoted::opening(bytes, start, first) {
                Some(opening) => self.quoted(start, opening),
                None => Some((TokenKind::Identifier, end)),
            };
        }
        if class.is(Class::PUNCTUATION) && !matches!((first, next), (b'.', Some(b'0'..=b'9'))) {
            let length = 1 + usize::from((first, next) == (b'.', Some(b'.')));
            return Some((TokenKind::Punctuation, start + length));
        }
        let token = match (first, next) {
            (b'\'' | b'"', _) => {
                let opening = quoted::opening(bytes, start, first)?;
                return self.quoted(start, opening);
            }
            (b'$', Some(b'0'..=b'9')) => (
                TokenKind::Parameter,
                class::run(bytes, start + 1, Class::DIGIT),
            ),
            (b'$', _) => self.ended(quoted::dollar(bytes, start))?,
            (b'0'..=b'9' | b'.', _) => (TokenKind::Number, number::number(bytes, start)),
            (b'-', Some(b'-')) => (TokenKind::LineComment, quoted::line_comment(bytes, start)),
            (b'/', Some(b'*')) => (
                TokenKind::BlockComment,
                self.ended(quoted::block_comment(bytes, start))?,
            ),
            (b':', Some(b':')) => (TokenKind::Cast, start + 2),
            (b':', Some(b'=')) => (TokenKind::Assign, start + 2),
            (b':', _) => (TokenKind::Colon, start + 1),
            _ if class.is(Class::OPERATOR) => (TokenKind::Operator, self.operator(start)),
            _ => (TokenKind::Other, start + 1),
        };
        Some(token)
    }

    /// Passes over white space, for a reader to whom it says nothing.
    #[inline]
    pub(crate) fn skip_space(&mut self) {
        let is_space = |position: usize| {
            let byte = self.bytes.get(position);
            byte.is_some_and(|&byte| Class::of(byte).is(Class::SPACE))
        };
        // No branch on the first: behind half of the tokens there is one space, which no processor can guess.
        let second = self.position + usize::from(is_space(self.position));
        self.position = if is_space(second) {
            class::run(self.bytes, second + 1, Class::SPACE)
        } else {
            second
        };
    }

    fn quoted(
        &mut self,
        start: usize,
        (kind, prefix): (TokenKind, usize),
    ) -> Option<(TokenKind, usize)> {
        let end = self.ended(quoted::quoted(self.bytes, start, kind, prefix))?;
        Some((kind, end))
    }

    fn ended<T>(&mut self, found: Result<T, Unterminated>) -> Option<T> {
        found.map_err(|error| self.unterminated = Some(error)).ok()
    }

    fn operator(&mut self, start: usize) -> usize {
        if start < self.signs_end {
            return start + 1;
        }
        let found = operator::operator(self.bytes, start);
        self.signs_end = found.signs_end;
        found.end
    }
}

impl Iterator for Scanner<'_> {
    type Item = Result<Token, Unterminated>;

    // In a loop of its own the token stays in registers; handed over in memory it costs as much as it took to read.
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let start = self.position;
        let first = *self.bytes.get(start)?;
        // Every other token is white space, and most often it is one space.
        if Class::of(first).is(Class::SPACE) {
            self.position = class::run(self.bytes, start + 1, Class::SPACE);
            return Some(Ok(Token {
                kind: TokenKind::Space,
                start,
                end: self.position,
            }));
        }
        let Some((kind, end)) = self.cut(start, first) else {
            self.position = self.bytes.len();
            return self.unterminated.take().map(Err);
        };
        self.position = end;
        Some(Ok(Token { kind, start, end }))
    }
}

#[cfg(test)]
mod tests;
