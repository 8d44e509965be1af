//! Decodes a Python literal, and keeps where in the file each byte of its text stands.

use std::ops::Range;

use ruff_python_ast::{AnyStringFlags, Expr, StringFlags};
use ruff_python_parser::parse_expression;

use super::text::Text;
use crate::sql::source::{Dynamic, Piece, Quoting};

/// The text of the literal content at `range` of the file; a part that is no text, such as a byte beyond ASCII, is told as the reason
/// why the whole must not change.
///
/// `formatted` tells that doubled braces stand for one.
pub(super) fn decode(
    source: &str,
    range: Range<usize>,
    flags: AnyStringFlags,
    formatted: bool,
) -> Text {
    let quoting = Quoting::Python {
        quote: flags.quote_style().as_char(),
        triple: flags.is_triple_quoted(),
        raw: flags.is_raw_string(),
        braces: formatted,
        bytes: flags.is_byte_string(),
    };
    let mut decoder = Decoder {
        source,
        at: range.start,
        end: range.end,
        quoting,
        text: Text::default(),
    };
    decoder.text.sql.reserve(range.len());
    let escapes = !flags.is_raw_string();
    while decoder.at < decoder.end {
        decoder.step(escapes, formatted, flags.is_byte_string());
    }
    decoder.text
}

struct Decoder<'a> {
    source: &'a str,
    at: usize,
    end: usize,
    quoting: Quoting,
    text: Text,
}

impl Decoder<'_> {
    /// Reads one run of plain bytes, or one sequence that means something else than itself.
    fn step(&mut self, escapes: bool, formatted: bool, bytes: bool) {
        let rest = &self.source.as_bytes()[self.at..self.end];
        let special = |byte: &u8| match byte {
            b'\r' => true,
            b'\\' => escapes,
            b'{' | b'}' => formatted,
            _ => false,
        };
        let plain = rest.iter().position(special).unwrap_or(rest.len());
        if plain > 0 {
            self.plain(plain);
            return;
        }
        match rest[0] {
            b'\r' => self.sequence(1 + usize::from(rest.get(1) == Some(&b'\n')), "\n"),
            b'\\' => {
                if self.escape(bytes).is_none() {
                    self.no_text();
                }
            }
            // A brace of its own opens a field; it is kept, for a caller that knows what to make of it.
            brace if rest.get(1) == Some(&brace) => {
                self.sequence(2, if brace == b'{' { "{" } else { "}" });
            }
            _ => self.plain(1),
        }
    }

    /// Passes over an escape sequence that stands for no character.
    fn no_text(&mut self) {
        let rest = &self.source[self.at..self.end];
        let digits = |byte: u8| byte.is_ascii_alphanumeric();
        let length = 1 + rest[1..]
            .bytes()
            .take(9)
            .take_while(|byte| digits(*byte))
            .count();
        let length = match rest.as_bytes().get(1) {
            Some(b'x' | b'0'..=b'7') => length.min(4),
            Some(b'u') => length.min(6),
            _ => length,
        };
        let message = format!("it holds `{}`, which is no text", &rest[..length]);
        let file = self.at..self.at + length;
        self.text.dynamic.get_or_insert(Dynamic { file, message });
        self.sequence(length, "\u{fffd}");
    }

    fn plain(&mut self, length: usize) {
        let file = self.at..self.at + length;
        let sql = self.text.sql.len()..self.text.sql.len() + length;
        self.text.sql.push_str(&self.source[file.clone()]);
        self.at = file.end;
        self.add(sql, file);
    }

    fn sequence(&mut self, length: usize, meaning: &str) {
        let file = self.at..self.at + length;
        let sql = self.text.sql.len()..self.text.sql.len() + meaning.len();
        self.text.sql.push_str(meaning);
        self.at = file.end;
        if !sql.is_empty() {
            self.add(sql, file);
        }
    }

    fn add(&mut self, sql: Range<usize>, file: Range<usize>) {
        let plain = sql.len() == file.len();
        if let Some(last) = self.text.pieces.last_mut()
            && plain
            && last.sql.len() == last.file.len()
            && last.file.end == file.start
        {
            last.sql.end = sql.end;
            last.file.end = file.end;
            return;
        }
        self.text.pieces.push(Piece {
            sql,
            file,
            quoting: self.quoting,
        });
    }

    fn escape(&mut self, bytes: bool) -> Option<()> {
        let rest = &self.source.as_bytes()[self.at..self.end];
        let Some(&letter) = rest.get(1) else {
            self.plain(1);
            return Some(());
        };
        if let Some(meaning) = simple(letter) {
            self.sequence(2, meaning);
            return Some(());
        }
        let length = match letter {
            b'\r' => {
                self.sequence(2 + usize::from(rest.get(2) == Some(&b'\n')), "");
                return Some(());
            }
            b'x' => 4,
            b'u' if !bytes => 6,
            b'U' if !bytes => 10,
            b'N' if !bytes => return self.named(),
            b'0'..=b'7' => {
                1 + rest[1..]
                    .iter()
                    .take(3)
                    .take_while(|byte| matches!(byte, b'0'..=b'7'))
                    .count()
            }
            // No escape: the backslash means itself, and so does what follows.
            _ => {
                self.plain(1);
                return Some(());
            }
        };
        let radix = if letter.is_ascii_digit() { 8 } else { 16 };
        let digits = self
            .source
            .get(self.at + 1 + usize::from(radix == 16)..self.at + length)?;
        let code = u32::from_str_radix(digits, radix).ok()?;
        let meaning = char::from_u32(code).filter(|char| !bytes || char.is_ascii())?;
        self.sequence(length, meaning.encode_utf8(&mut [0; 4]));
        Some(())
    }

    /// `\N{PERCENT SIGN}`: the parser knows the names.
    fn named(&mut self) -> Option<()> {
        let rest = &self.source[self.at..self.end];
        let length = rest.find('}')? + 1;
        let parsed = parse_expression(&format!("\"{}\"", &rest[..length])).ok()?;
        let Expr::StringLiteral(literal) = parsed.expr() else {
            return None;
        };
        let meaning = literal.value.to_str().to_owned();
        self.sequence(length, &meaning);
        Some(())
    }
}

/// What a backslash and this letter mean, where two bytes are the whole.
fn simple(letter: u8) -> Option<&'static str> {
    Some(match letter {
        b'\n' => "",
        b'\\' => "\\",
        b'\'' => "'",
        b'"' => "\"",
        b'a' => "\u{7}",
        b'b' => "\u{8}",
        b'f' => "\u{c}",
        b'n' => "\n",
        b'r' => "\r",
        b't' => "\t",
        b'v' => "\u{b}",
        _ => return None,
    })
}
