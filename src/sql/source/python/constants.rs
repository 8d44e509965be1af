//! The names that a file gives to SQL for others to read, seen from its bytes alone.

use super::literals::Literal;
use super::looks;
use super::sends::{is_word, word, words};
use crate::sql::source::Constant;
use rustc_hash::FxHashMap;
use std::ops::Range;

/// The names that a file gives to what may be SQL, alone or as a part, or to a dict that may hold some.
pub(super) fn constants(source: &str) -> Vec<Constant> {
    let bytes = source.as_bytes();
    let mut found = FxHashMap::default();
    for sign in memchr::memchr_iter(b'=', bytes) {
        let compares = matches!(bytes.get(sign + 1), Some(b'='))
            || sign > 0 && b"=!<>+-*/%&|^:".contains(&bytes[sign - 1]);
        if compares {
            continue;
        }
        let line = memchr::memrchr(b'\n', &bytes[..sign]).map_or(0, |newline| newline + 1);
        let mut names = targets(&source[line..sign]).peekable();
        if names.peek().is_none() {
            continue;
        }
        let Some(sure) = gives_text(source, sign + 1, &found) else {
            continue;
        };
        if is_local(source, line) {
            continue;
        }
        for name in names {
            *found.entry(name).or_default() |= sure;
        }
    }
    let named = |(name, sure): (&str, bool)| Constant {
        name: name.to_owned(),
        sure,
    };
    found.into_iter().map(named).collect()
}

/// The names on the left of an assignment: several may get one value, and a name may have a type.
fn targets(left: &str) -> impl Iterator<Item = &str> {
    let names = left.split('=');
    let names = names.map(|target| target.split(':').next().unwrap_or(target).trim());
    names.filter(|name| {
        let letter = |char: char| char.is_alphanumeric() || char == '_';
        !name.is_empty() && name.chars().all(letter)
    })
}

/// Whether the value at a byte may hold SQL, in its literals or in a name that was given some before, and whether that is sure.
fn gives_text(source: &str, at: usize, before: &FxHashMap<&str, bool>) -> Option<bool> {
    let known = |word: &str| before.get(word).copied();
    let mut found = None;
    for part in parts(&source[at..]) {
        let sure = match part {
            Part::Literal(quote) => {
                let literal = Literal::at(source.as_bytes(), at + quote).content;
                let fields = source[literal.clone()].contains('{');
                let of_fields = || words(&source[literal.clone()]).filter_map(known).max();
                may_be_sql(source, literal.clone()).max(fields.then(of_fields).flatten())
            }
            Part::Word(word) => known(word),
        };
        if sure == Some(true) {
            return sure;
        }
        found = found.or(sure);
    }
    found
}

/// Whether the literal of that content may be SQL, and whether that is sure.
fn may_be_sql(source: &str, literal: Range<usize>) -> Option<bool> {
    let content = &source[literal.clone()];
    if !looks::opens_statement(content.as_bytes()) {
        return None;
    }
    // What goes on behind the literal is a part of the text, too.
    let text = looks::start(source, literal.start);
    let words = content.contains(char::is_whitespace);
    // Sentences for people begin with some of the same words, and have no placeholders.
    let sure = looks::is_surely_sql(text) || looks::looks_like_sql(text) && text.contains('%');
    let may = words || content.contains(['\\', '{']) || looks::looks_like_sql(content);
    may.then_some(words && sure)
}

/// A part of a value.
enum Part<'a> {
    /// A literal whose first quote is at that byte.
    Literal(usize),
    Word(&'a str),
}

/// The literals and the words of the expression that a text begins with, up to its end.
fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    /// Larger than any text that somebody wrote.
    const ENOUGH: usize = 1 << 20;
    let bytes = &text.as_bytes()[..text.floor_char_boundary(ENOUGH)];
    let (mut at, mut depth) = (0, 0_usize);
    std::iter::from_fn(move || {
        loop {
            let byte = *bytes.get(at)?;
            match byte {
                b'"' | b'\'' => {
                    let literal = Literal::at(bytes, at);
                    at = literal.end(bytes);
                    return Some(Part::Literal(literal.quote));
                }
                b'#' => at += memchr::memchr(b'\n', &bytes[at..])?,
                b'(' | b'[' | b'{' => (at, depth) = (at + 1, depth + 1),
                b')' | b']' | b'}' | b',' | b'\n' | b';' if depth == 0 => return None,
                b')' | b']' | b'}' => (at, depth) = (at + 1, depth - 1),
                b'\\' => {
                    let white = |byte: &&u8| byte.is_ascii_whitespace();
                    at += 1 + bytes[at + 1..].iter().take_while(white).count();
                }
                byte if is_word(byte) => {
                    let word = word(&text[at..]);
                    at += word.len();
                    return Some(Part::Word(word));
                }
                _ => at += 1,
            }
        }
    })
}

/// Whether the line that begins at a byte is a function's: the names that it gives end with that.
fn is_local(source: &str, line: usize) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = source[line..].lines().next().unwrap_or_default();
    let mut depth = indent(own);
    for before in source[..line].lines().rev() {
        if depth == 0 {
            return false;
        }
        let code = before.trim_start();
        if code.is_empty() || code.starts_with('#') || indent(before) >= depth {
            continue;
        }
        if code.starts_with("def ") || code.starts_with("async def ") {
            return true;
        }
        depth = indent(before);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_a_file_gives_to_sql_are_seen() {
        for (source, names) in [
            ("A = 'SELECT a FROM t'", &["A"][..]),
            ("A: Final[str] = (\n    f\"\"\"\n  SELECT a\"\"\")", &["A"]),
            ("A = B = text(\n  'insert into t values (1)')", &["A", "B"]),
            (
                "class Q:\n    A = dedent('SELECT 1')\n\n    class R:\n        B = 'SELECT 2'",
                &["A", "B"],
            ),
            ("B = {'show': 'end'}\nC = 'Select one'", &[]),
            ("BY = {\n  'a': 'SELECT 1',\n}", &["BY"]),
            (
                "BY = {1: ['}', {}],  # '}\n  2: \"\"\"\nSELECT 1\"\"\"}",
                &["BY"],
            ),
            ("A = {}\nB = {'a': 1}\nf('SELECT 1')", &[]),
            ("A = {'it\\'s': '\\\\'}\nf('SELECT 1')", &[]),
            ("if x:\n    A = 'SELECT 1'", &["A"]),
            ("def f():\n    if x:\n        a = 'SELECT 1'", &[]),
            (
                "A = 'SELECT a '\nB = A + 'FROM t WHERE a = %s'\nC = f'{A}, {b}'\nD = C if A else A",
                &["A", "B", "C", "D"],
            ),
            (
                "A = 'SELECT a FROM t'\nB = A + 'b'\nC = f'{B}, {b}'\nd = 'x', A",
                &["A", "B", "C"],
            ),
            (
                "A = x + \\\n  'SELECT a FROM t'\nB = ' '.join(['SELECT a', 'FROM t'])",
                &["A", "B"],
            ),
            ("A = 1  # 'SELECT 1'\nB = x\n'SELECT 1'", &[]),
            (
                "A = 'set'\nC == 'SELECT 1'\nf(d='SELECT 1')\nE = 1\n'SELECT 1'",
                &[],
            ),
        ] {
            let mut found = constants(source);
            found.sort_by(|one, other| one.name.cmp(&other.name));
            let sure = found.iter().filter(|constant| constant.sure);
            let sure: Vec<_> = sure.map(|constant| &constant.name).collect();
            assert_eq!(sure, names, "{source}");
        }
    }

    #[test]
    fn a_text_that_may_be_sql_is_no_sure_one() {
        for (source, names) in [
            ("A = 'select 1'", &["A"][..]),
            ("A = 'COMMIT'\nB = 'select'\nC = 'name'", &["A"]),
            ("A = 'Set the value'\nB = (A, 1)", &["A", "B"]),
            ("def f():\n    a = 'Set the value'", &[]),
            ("f(a='Set the value')\nx.a = 'Set the value'", &[]),
        ] {
            let mut found = constants(source);
            found.sort_by(|one, other| one.name.cmp(&other.name));
            let unsure = found.iter().filter(|constant| !constant.sure);
            let unsure: Vec<_> = unsure.map(|constant| &constant.name).collect();
            assert_eq!(unsure, names, "{source}");
        }
    }
}
