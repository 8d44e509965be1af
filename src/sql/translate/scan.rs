//! The lexer: cuts SQL text into the server's own tokens, without a copy and without an allocation.
//!
//! Only what decides *where code is* matters here, so the lexer is exact about literals, comments, names and
//! operators, and tells no keyword from another identifier.

use super::error::TranslateErrorKind;

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
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(sql: &'a str) -> Self {
        Self {
            bytes: sql.as_bytes(),
            position: 0,
        }
    }

    fn at(&self, index: usize) -> Option<u8> {
        self.bytes.get(index).copied()
    }

    /// The kind and the end of the token that starts at `start` with the byte `first`.
    fn cut(&self, start: usize, first: u8) -> Result<(TokenKind, usize), Unterminated> {
        if let Some((kind, prefix)) = self.quote(start, first) {
            let end = match kind {
                TokenKind::QuotedIdentifier => self.quoted_identifier(start, prefix)?,
                _ => self.string(start, prefix, kind)?,
            };
            return Ok((kind, end));
        }
        let found = match (first, self.at(start + 1)) {
            _ if is_space(first) => (TokenKind::Space, self.run(start, is_space)),
            (b'-', Some(b'-')) => (
                TokenKind::LineComment,
                self.run(start, |byte| !is_newline(byte)),
            ),
            (b'/', Some(b'*')) => (TokenKind::BlockComment, self.block_comment(start)?),
            (b'$', Some(b'0'..=b'9')) => (
                TokenKind::Parameter,
                self.run(start + 1, |byte| byte.is_ascii_digit()),
            ),
            (b'$', _) => self.dollar(start)?,
            (b':', Some(b':')) => (TokenKind::Cast, start + 2),
            (b':', Some(b'=')) => (TokenKind::Assign, start + 2),
            (b':', _) => (TokenKind::Colon, start + 1),
            (b'.', Some(b'.')) => (TokenKind::Punctuation, start + 2),
            (b'0'..=b'9', _) | (b'.', Some(b'0'..=b'9')) => (TokenKind::Number, self.number(start)),
            (b',' | b'(' | b')' | b'[' | b']' | b'.' | b';', _) => {
                (TokenKind::Punctuation, start + 1)
            }
            _ if is_operator(first) => (TokenKind::Operator, self.operator(start)),
            _ if is_identifier(first) => (TokenKind::Identifier, self.run(start, is_identifier)),
            _ => (TokenKind::Other, start + 1),
        };
        Ok(found)
    }

    /// What a quote at `start` opens, and the bytes up to behind it.
    fn quote(&self, start: usize, first: u8) -> Option<(TokenKind, usize)> {
        match (first, self.at(start + 1)) {
            (b'\'', _) => Some((TokenKind::String, 1)),
            (b'"', _) => Some((TokenKind::QuotedIdentifier, 1)),
            (b'e' | b'E', Some(b'\'')) => Some((TokenKind::EscapeString, 2)),
            (b'n' | b'N', Some(b'\'')) => Some((TokenKind::String, 2)),
            (b'b' | b'B' | b'x' | b'X', Some(b'\'')) => Some((TokenKind::BitString, 2)),
            (b'u' | b'U', Some(b'&')) => match self.at(start + 2) {
                Some(b'\'') => Some((TokenKind::UnicodeString, 3)),
                Some(b'"') => Some((TokenKind::QuotedIdentifier, 3)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The end of the longest run of bytes from `start` that `belongs` accepts.
    fn run(&self, start: usize, belongs: impl Fn(u8) -> bool) -> usize {
        self.bytes[start..]
            .iter()
            .position(|&byte| !belongs(byte))
            .map_or(self.bytes.len(), |length| start + length)
    }

    fn block_comment(&self, start: usize) -> Result<usize, Unterminated> {
        let (mut index, mut depth) = (start + 2, 1_usize);
        while let Some(byte) = self.at(index) {
            match (byte, self.at(index + 1)) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    index += 2;
                }
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    index += 2;
                    if depth == 0 {
                        return Ok(index);
                    }
                }
                _ => index += 1,
            }
        }
        Err(Unterminated {
            kind: TranslateErrorKind::UnterminatedComment,
            offset: start,
        })
    }

    /// A string of that kind whose opening quote ends `prefix` bytes after `start`, with every piece that continues it.
    fn string(&self, start: usize, prefix: usize, kind: TokenKind) -> Result<usize, Unterminated> {
        let mut index = start + prefix;
        while let Some(byte) = self.at(index) {
            match byte {
                b'\\' if kind == TokenKind::EscapeString => index += 2,
                b'\'' if kind != TokenKind::BitString && self.at(index + 1) == Some(b'\'') => {
                    index += 2;
                }
                b'\'' => match self.continuation(index + 1) {
                    Some(next) => index = next,
                    None => return Ok(index + 1),
                },
                _ => index += 1,
            }
        }
        Err(Unterminated {
            kind: TranslateErrorKind::UnterminatedString,
            offset: start,
        })
    }

    /// Where a string that was closed just before `index` goes on: a quote after white space with a newline in it.
    /// A comment may stand in that white space, and after the newline it needs a newline of its own.
    fn continuation(&self, index: usize) -> Option<usize> {
        let (mut index, mut newline) = (index, false);
        loop {
            match self.at(index)? {
                b'\'' if newline => return Some(index + 1),
                byte if is_space(byte) => {
                    newline |= is_newline(byte);
                    index += 1;
                }
                b'-' if self.at(index + 1) == Some(b'-') => {
                    index = self.run(index, |byte| !is_newline(byte));
                }
                _ => return None,
            }
        }
    }

    fn quoted_identifier(&self, start: usize, prefix: usize) -> Result<usize, Unterminated> {
        let mut index = start + prefix;
        while let Some(byte) = self.at(index) {
            match (byte, self.at(index + 1)) {
                (b'"', Some(b'"')) => index += 2,
                (b'"', _) => return Ok(index + 1),
                _ => index += 1,
            }
        }
        Err(Unterminated {
            kind: TranslateErrorKind::UnterminatedIdentifier,
            offset: start,
        })
    }

    /// A dollar quote, or a lone `$`: the tag is an identifier without `$`, and it may be empty.
    fn dollar(&self, start: usize) -> Result<(TokenKind, usize), Unterminated> {
        let tag_end = self.run(start + 1, |byte| is_identifier(byte) && byte != b'$');
        if self.at(tag_end) != Some(b'$') {
            return Ok((TokenKind::Other, start + 1));
        }
        let (delimiter, body) = (&self.bytes[start..=tag_end], tag_end + 1);
        let mut index = body;
        while index + delimiter.len() <= self.bytes.len() {
            index = self.run(index, |byte| byte != b'$');
            if self.bytes[index..].starts_with(delimiter) {
                return Ok((TokenKind::DollarString, index + delimiter.len()));
            }
            index += 1;
        }
        Err(Unterminated {
            kind: TranslateErrorKind::UnterminatedDollarQuote,
            offset: start,
        })
    }

    fn number(&self, start: usize) -> usize {
        let based: Option<fn(u8) -> bool> = match (self.at(start), self.at(start + 1)) {
            (Some(b'0'), Some(b'x' | b'X')) => {
                Some(|byte| byte.is_ascii_hexdigit() || byte == b'_')
            }
            (Some(b'0'), Some(b'o' | b'O')) => Some(|byte| matches!(byte, b'0'..=b'7' | b'_')),
            (Some(b'0'), Some(b'b' | b'B')) => Some(|byte| matches!(byte, b'0' | b'1' | b'_')),
            _ => None,
        };
        if let Some(end) = based
            .map(|digit| self.run(start + 2, digit))
            .filter(|&end| end > start + 2)
        {
            return end;
        }
        let digits = |index| self.run(index, |byte| byte.is_ascii_digit() || byte == b'_');
        let mut end = digits(start);
        // `1..2` is two numbers and a range sign, not `1.` and `.2`.
        if self.at(end) == Some(b'.') && self.at(end + 1) != Some(b'.') {
            end = digits(end + 1);
        }
        if matches!(self.at(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.at(end + 1), Some(b'+' | b'-')));
            if self
                .at(end + 1 + sign)
                .is_some_and(|byte| byte.is_ascii_digit())
            {
                end = digits(end + 1 + sign);
            }
        }
        end
    }

    /// The longest operator: a comment ends it, and it ends in `+` or `-` only if a character of it could not stand
    /// in an operator of standard SQL. Without the second rule `a=-1` would hold the operator `=-`.
    fn operator(&self, start: usize) -> usize {
        let run = &self.bytes[start..self.run(start, is_operator)];
        let mut length = run
            .windows(2)
            .position(|pair| pair == b"/*" || pair == b"--")
            .unwrap_or(run.len());
        let mut signs = run[..length].iter();
        if !signs.any(|byte| {
            matches!(
                byte,
                b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%'
            )
        }) {
            while length > 1 && matches!(run[length - 1], b'+' | b'-') {
                length -= 1;
            }
        }
        start + length
    }
}

impl Iterator for Scanner<'_> {
    type Item = Result<Token, Unterminated>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.position;
        let scanned = self.cut(start, self.at(start)?);
        self.position = scanned.map_or(self.bytes.len(), |(_, end)| end);
        Some(scanned.map(|(kind, end)| Token { kind, start, end }))
    }
}

/// Whether an identifier may hold the byte. One that does not start with a digit or `$` may start one.
pub(crate) fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

fn is_newline(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c')
}

fn is_operator(byte: u8) -> bool {
    matches!(
        byte,
        b'~' | b'!'
            | b'@'
            | b'#'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
            | b'+'
            | b'-'
            | b'*'
            | b'/'
            | b'%'
            | b'<'
            | b'>'
            | b'='
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use TokenKind::{
        Assign, BitString, BlockComment, Cast, Colon, DollarString, EscapeString, Identifier,
        LineComment, Number, Operator, Other, Parameter, Punctuation, QuotedIdentifier, Space,
        String as Text, UnicodeString,
    };

    /// The tokens of a text that are not white space.
    fn tokens(sql: &str) -> Vec<(TokenKind, &str)> {
        let tokens =
            Scanner::new(sql).map(|token| token.unwrap_or_else(|error| panic!("{sql}: {error:?}")));
        tokens
            .filter(|token| token.kind != Space)
            .map(|token| (token.kind, token.text(sql)))
            .collect()
    }

    #[test]
    fn a_token_that_fills_the_text() {
        let whole = [
            ("'it''s'", Text),
            (r"'a\'", Text),
            ("N'a'", Text),
            ("''", Text),
            (r"E'it\'s'", EscapeString),
            (r"e'\\'", EscapeString),
            (r"U&'\0061'", UnicodeString),
            ("b'01'", BitString),
            ("X'1f'", BitString),
            ("'a'\n'b'", Text),
            ("'a' \t\r\n -- it's\n\n 'b'", Text),
            ("'a' -- it's\n 'b'", Text),
            ("E'a'\n'\\'b'", EscapeString),
            ("$$it's$$", DollarString),
            ("$a$ $$ $b$ $a $a$", DollarString),
            ("$_é1$ $ $_é1$", DollarString),
            ("$a$x$a$", DollarString),
            ("\"a\"\"b\"", QuotedIdentifier),
            (r#"u&"d\0061t""#, QuotedIdentifier),
            ("a$b$c", Identifier),
            ("_é9$", Identifier),
            ("données", Identifier),
            ("$12", Parameter),
            ("-- it's", LineComment),
            ("/* a /* b */ ' */", BlockComment),
            ("/**/", BlockComment),
            ("/*/ */", BlockComment),
            ("/***/", BlockComment),
            ("0", Number),
            ("1.5e-3", Number),
            (".5", Number),
            ("1.", Number),
            ("0x1F", Number),
            ("1_000", Number),
            ("::", Cast),
            (":=", Assign),
            (":", Colon),
            ("->>", Operator),
            ("@-", Operator),
            ("?|", Operator),
            ("*/", Operator),
            ("\\", Other),
        ];
        for (sql, kind) in whole {
            assert_eq!(tokens(sql), [(kind, sql)], "{sql}");
        }
    }

    #[test]
    fn where_one_token_ends_and_the_next_begins() {
        let texts: [(&str, &[(TokenKind, &str)]); 21] = [
            (
                "a=-1",
                &[
                    (Identifier, "a"),
                    (Operator, "="),
                    (Operator, "-"),
                    (Number, "1"),
                ],
            ),
            (
                "a@-1",
                &[(Identifier, "a"), (Operator, "@-"), (Number, "1")],
            ),
            ("+--x", &[(Operator, "+"), (LineComment, "--x")]),
            (
                "1 */*c*/ 2",
                &[
                    (Number, "1"),
                    (Operator, "*"),
                    (BlockComment, "/*c*/"),
                    (Number, "2"),
                ],
            ),
            ("<+-", &[(Operator, "<"), (Operator, "+"), (Operator, "-")]),
            ("xE'a'", &[(Identifier, "xE"), (Text, "'a'")]),
            ("X'1''2'", &[(BitString, "X'1'"), (Text, "'2'")]),
            ("'a' 'b'", &[(Text, "'a'"), (Text, "'b'")]),
            ("'a' -- c\n", &[(Text, "'a'"), (LineComment, "-- c")]),
            ("'a'\n-- c 'b'", &[(Text, "'a'"), (LineComment, "-- c 'b'")]),
            (
                "'a'\n/**/'b'",
                &[(Text, "'a'"), (BlockComment, "/**/"), (Text, "'b'")],
            ),
            (
                "\"a\"\n\"b\"",
                &[(QuotedIdentifier, "\"a\""), (QuotedIdentifier, "\"b\"")],
            ),
            ("-- a\rb", &[(LineComment, "-- a"), (Identifier, "b")]),
            ("a$1", &[(Identifier, "a$1")]),
            ("$1a", &[(Parameter, "$1"), (Identifier, "a")]),
            (
                "$a b",
                &[(Other, "$"), (Identifier, "a"), (Identifier, "b")],
            ),
            ("1..2", &[(Number, "1"), (Punctuation, ".."), (Number, "2")]),
            ("1e", &[(Number, "1"), (Identifier, "e")]),
            ("0xg", &[(Number, "0"), (Identifier, "xg")]),
            (
                "a[1:2]",
                &[
                    (Identifier, "a"),
                    (Punctuation, "["),
                    (Number, "1"),
                    (Colon, ":"),
                    (Number, "2"),
                    (Punctuation, "]"),
                ],
            ),
            (":::=", &[(Cast, "::"), (Assign, ":=")]),
        ];
        for (sql, expected) in texts {
            assert_eq!(tokens(sql), expected, "{sql}");
        }
    }

    #[test]
    fn what_is_opened_and_never_closed() {
        use TranslateErrorKind::{
            UnterminatedComment, UnterminatedDollarQuote, UnterminatedIdentifier,
            UnterminatedString,
        };
        let texts = [
            ("a 'b", UnterminatedString, 2),
            ("a 'b''", UnterminatedString, 2),
            (r"E'\'", UnterminatedString, 0),
            (r"E'\", UnterminatedString, 0),
            ("'a'\n'b", UnterminatedString, 0),
            ("U&'", UnterminatedString, 0),
            ("é \"b", UnterminatedIdentifier, 3),
            ("$$ $a$", UnterminatedDollarQuote, 0),
            ("$a$ $A$", UnterminatedDollarQuote, 0),
            ("/* /* */", UnterminatedComment, 0),
        ];
        for (sql, kind, offset) in texts {
            let last = Scanner::new(sql).last();
            assert_eq!(last, Some(Err(Unterminated { kind, offset })), "{sql}");
        }
    }

    proptest! {
        #[test]
        fn tokens_cover_every_byte_once(sql in "(['\"$aeEuU&/*\\-\n \\\\é1x.:%?+=(\\[]|\\$a\\$|.){0,40}") {
            let mut end = 0;
            for token in Scanner::new(&sql) {
                match token {
                    Ok(token) => {
                        prop_assert_eq!(token.start, end);
                        prop_assert!(token.end > token.start && sql.is_char_boundary(token.end));
                        end = token.end;
                    }
                    Err(error) => {
                        prop_assert_eq!(error.offset, end);
                        end = sql.len();
                    }
                }
            }
            prop_assert_eq!(end, sql.len());
        }
    }
}
