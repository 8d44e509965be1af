//! Where the string literals of a file stand, seen from its bytes alone.

use super::sends::word_before;
use std::ops::Range;

/// A string literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Literal {
    /// Where its first quote stands.
    pub(super) quote: usize,
    /// What is between its quotes, or up to the line's end if no quote ends it.
    pub(super) content: Range<usize>,
    /// The byte behind its last quote.
    pub(super) end: usize,
    /// Whether that is surely where it ends.
    pub(super) sure: bool,
}

impl Literal {
    /// The literal that opens with the quote at a byte.
    pub(super) fn at(source: &str, quote: usize) -> Self {
        let bytes = source.as_bytes();
        let byte = bytes[quote];
        let triple = bytes[quote..].starts_with(&[byte; 3]);
        let quotes = if triple { 3 } else { 1 };
        let start = quote + quotes;
        let end = if triple {
            triple_end(bytes, start, byte)
        } else {
            line_end(bytes, start, byte)
        };
        let (content, end, ends) = match end {
            Ok(end) => (start..end, end + quotes, true),
            Err(end) => (start..end, end, false),
        };
        let fields = prefix(source, quote).contains(['f', 'F', 't', 'T']);
        let sure = ends && !(fields && is_open(&bytes[content.clone()]));
        Self {
            quote,
            content,
            end,
            sure,
        }
    }

    /// Whether the literal is a docstring: the first one of the file, of a function or of a class.
    fn is_docstring(&self, source: &str) -> bool {
        is_docstring(&source[..self.quote - prefix(source, self.quote).len()])
    }
}

/// The literals of a file that may hold SQL: its docstrings are not among them.
///
/// Behind one that is not sure there may be any others.
pub(super) fn literals(source: &str) -> impl Iterator<Item = Literal> {
    let each = Literals { source, at: 0 };
    each.filter(|literal| !literal.is_docstring(source))
}

/// The parts of a file that are neither literals nor comments.
pub(super) fn code(source: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = source.as_bytes();
    let mut at = Some(0);
    std::iter::from_fn(move || {
        let start = at?;
        let next = memchr::memchr3(b'"', b'\'', b'#', &bytes[start..]).map(|next| start + next);
        at = next.and_then(|next| match bytes[next] {
            b'#' => memchr::memchr(b'\n', &bytes[next..]).map(|newline| next + newline),
            _ => Some(Literal::at(source, next).end),
        });
        Some(start..next.unwrap_or(source.len()))
    })
}

/// Each literal of a file.
struct Literals<'a> {
    source: &'a str,
    at: usize,
}

impl Iterator for Literals<'_> {
    type Item = Literal;

    fn next(&mut self) -> Option<Literal> {
        let bytes = self.source.as_bytes();
        loop {
            self.at += memchr::memchr3(b'"', b'\'', b'#', &bytes[self.at..])?;
            if bytes[self.at] == b'#' {
                self.at += memchr::memchr(b'\n', &bytes[self.at..])?;
                continue;
            }
            let literal = Literal::at(self.source, self.at);
            self.at = literal.end;
            return Some(literal);
        }
    }
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
        let shown = |literal: Literal| {
            let sure = if literal.sure { "" } else { "?" };
            format!("{}{sure}", &source[literal.content])
        };
        literals(source).map(shown).collect()
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
