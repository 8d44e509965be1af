//! What of a file is no code, its literals and comments, seen from its bytes alone.

use super::sends::word_before;
use std::ops::Range;

/// A part of a file that is no code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// Where its first quote or its `#` stands.
    pub(super) start: usize,
    /// What is behind that, up to its last quotes, or to the line's end if no quote ends it.
    pub(super) content: Range<usize>,
    /// The byte behind it.
    pub(super) end: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Literal,
    /// A literal of which it is not sure where it ends: behind it there may be any others.
    Unsure,
    Comment,
}

impl Span {
    /// The one that begins at a byte.
    fn at(source: &str, start: usize) -> Self {
        let bytes = source.as_bytes();
        let byte = bytes[start];
        let (opening, end, closing) = match byte {
            b'#' => (1, Ok(comment_end(bytes, start)), 0),
            _ if bytes[start..].starts_with(&[byte; 3]) => {
                (3, triple_end(bytes, start + 3, byte), 3)
            }
            _ => (1, line_end(bytes, start + 1, byte), 1),
        };
        let content = start + opening..end.unwrap_or_else(|end| end);
        let fields = || prefix(source, start).contains(['f', 'F', 't', 'T']);
        let kind = match end {
            _ if byte == b'#' => Kind::Comment,
            Ok(_) if !fields() || !is_open(&bytes[content.clone()]) => Kind::Literal,
            _ => Kind::Unsure,
        };
        Self {
            start,
            end: end.map_or_else(|end| end, |end| end + closing),
            content,
            kind,
        }
    }

    /// Whether the literal is a docstring: the first one of the file, of a function or of a class.
    fn is_docstring(&self, source: &str) -> bool {
        is_docstring(&source[..self.start - prefix(source, self.start).len()])
    }
}

/// What of a file is no code, in its order.
pub(super) fn spans(source: &str) -> impl Iterator<Item = Span> {
    let bytes = source.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + memchr::memchr3(b'"', b'\'', b'#', &bytes[at..])?;
        let span = Span::at(source, start);
        at = span.end;
        Some(span)
    })
}

/// Those that are literals which may hold SQL: no docstrings.
pub(super) fn literals(
    source: &str,
    spans: impl Iterator<Item = Span>,
) -> impl Iterator<Item = Span> {
    spans.filter(|span| span.kind != Kind::Comment && !span.is_docstring(source))
}

/// The parts of a file that are code, each with what comes behind it.
pub(super) fn code<'s>(
    source: &str,
    spans: &'s [Span],
) -> impl Iterator<Item = (Range<usize>, &'s [Span])> {
    let starts = std::iter::once(0).chain(spans.iter().map(|span| span.end));
    let ends = spans.iter().map(|span| span.start);
    let parts = starts.zip(ends.chain(std::iter::once(source.len())));
    let parts = parts.enumerate();
    parts.map(|(at, (start, end))| (start..end, &spans[at..]))
}

/// The letters in front of a quote that say how the literal is read.
fn prefix(source: &str, quote: usize) -> &str {
    let word = word_before(source, quote);
    let letter = |byte: u8| b"bfrtu".contains(&byte.to_ascii_lowercase());
    if word.len() < 3 && word.bytes().all(letter) {
        word
    } else {
        ""
    }
}

fn comment_end(source: &[u8], start: usize) -> usize {
    let newline = memchr::memchr2(b'\n', b'\r', &source[start..]);
    newline.map_or(source.len(), |newline| start + newline)
}

/// Where a literal within a line ends; or else where the line does.
fn line_end(source: &[u8], start: usize, quote: u8) -> Result<usize, usize> {
    let mut at = start;
    while let Some(next) = memchr::memchr3(quote, b'\\', b'\n', &source[at..]) {
        at += next;
        match source[at] {
            b'\\' => at = behind_escape(source, at),
            b'\n' => return Err(at),
            _ => return Ok(at),
        }
    }
    Err(source.len())
}

/// Where a literal with three quotes ends; or else where the file does.
fn triple_end(source: &[u8], start: usize, quote: u8) -> Result<usize, usize> {
    let mut at = start;
    while let Some(next) = memchr::memchr2(quote, b'\\', &source[at..]) {
        at += next;
        match source[at] {
            b'\\' => at = behind_escape(source, at),
            _ if source[at..].starts_with(&[quote; 3]) => return Ok(at),
            _ => at += 1,
        }
    }
    Err(source.len())
}

/// In a literal that is raw, too, what follows a backslash ends nothing.
fn behind_escape(source: &[u8], at: usize) -> usize {
    let length = if source[at + 1..].starts_with(b"\r\n") {
        3
    } else {
        2
    };
    (at + length).min(source.len())
}

/// Whether a field is open at the end: then the quote there may be the field's, and the literal goes on.
fn is_open(content: &[u8]) -> bool {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(next) = memchr::memchr2(b'{', b'}', &content[at..]) {
        at += next;
        let twice = depth == 0 && content.get(at + 1) == Some(&content[at]);
        match content[at] {
            _ if twice => at += 1,
            b'{' => depth += 1,
            _ => depth = depth.saturating_sub(1),
        }
        at += 1;
    }
    depth > 0
}

/// Whether what follows a text is a docstring: the first literal of the file, of a function or of a class.
fn is_docstring(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '\t', '\u{c}']);
    if !before.is_empty() && !before.ends_with('\n') {
        return false;
    }
    let code = |line: &&str| !matches!(line.trim_ascii_start().bytes().next(), None | Some(b'#'));
    let mut lines = before.lines().rev().filter(code);
    let Some(last) = lines.next() else {
        return true;
    };
    let code = last.trim_ascii_start();
    code.ends_with(':') && (is_head(code) || code.starts_with(')') && closes_head(last, lines))
}

/// Whether a function or a class begins with the line.
fn is_head(code: &str) -> bool {
    let words = ["def ", "class ", "async def "];
    words.iter().any(|word| code.starts_with(word))
}

/// Whether the bracket that the line begins with is of a function or a class: the line before that is no further in begins one.
fn closes_head<'a>(last: &str, before: impl Iterator<Item = &'a str>) -> bool {
    const MOST: usize = 100;
    let indent = |line: &str| line.len() - line.trim_ascii_start().len();
    let head = before.take(MOST).find(|line| indent(line) <= indent(last));
    head.is_some_and(|line| indent(line) == indent(last) && is_head(line.trim_ascii_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands between the quotes; `?` behind it where that is not sure.
    fn contents(source: &str) -> Vec<String> {
        let shown = |literal: Span| {
            let sure = if literal.kind == Kind::Unsure {
                "?"
            } else {
                ""
            };
            format!("{}{sure}", &source[literal.content])
        };
        literals(source, spans(source)).map(shown).collect()
    }

    #[test]
    fn literals_are_seen_where_python_sees_them() {
        for (source, expected) in [
            ("a = 'b' + \"c\"", &["b", "c"][..]),
            ("a = 'it\\'s' 'b'", &["it\\'s", "b"]),
            ("a = r'\\' 'b'", &["\\' ", "?"]),
            ("a = '''it's ''x''' 'b'", &["it's ''x", "b"]),
            ("a = 'b\\\nc' 'd\\\r\ne' 'f'", &["b\\\nc", "d\\\r\ne", "f"]),
            ("# it's\na = 'b # c'", &["b # c"]),
            ("# it's\ra = 'b'", &["b"]),
            ("a = '' ''''''  'b'", &["", "", "b"]),
            ("a = 'b\nc = 'd'", &["b?", "d"]),
            ("a = '''b", &["b?"]),
            ("a = 'b\\", &["b\\?"]),
            ("a = f'{b}' 'c'", &["{b}", "c"]),
            ("a = f'{{b' 'c'", &["{{b", "c"]),
            ("a = f'{b['c']}'", &["{b[?", "]}"]),
            ("a = rf'{b:{c}}' F'{b}}}'", &["{b:{c}}", "{b}}}"]),
            ("if'{':0", &["{"]),
        ] {
            let found = contents(source);
            assert_eq!(found, expected, "{source}");
        }
    }

    #[test]
    fn docstrings_are_no_literals() {
        for source in [
            "'a'",
            "# b\n\n\"\"\"a\"\"\"",
            "def f():\n    'a'",
            "async def f(b):\n\n    r'''a'''",
            "class C(B):\n    'a'",
            "def f(\n    b,\n) -> C:\n    'a'",
            "x = 1\n\nclass C(\n    b\n):\n    'a'",
        ] {
            assert_eq!(contents(source), [""; 0], "{source}");
        }
        for source in [
            "f(\n    'a')",
            "x = {b:\n  'a'}",
            "x = {b(\n  c\n):\n  'a'}",
            "x = \\\n'a'",
            "if x:\n    'a'",
            "def f(): 'a'",
        ] {
            assert_eq!(contents(source), ["a"], "{source}");
        }
    }
}
