//! Whether a member is one of what an import brings, seen from the file's bytes alone.

use rustc_hash::FxHashSet;

use super::sends::{is_word, word_before};

/// Words that a bracket can follow without being a call's.
const KEYWORDS: &[&str] = &[
    "and", "assert", "await", "case", "del", "elif", "else", "for", "from", "if", "in", "is",
    "lambda", "match", "not", "or", "raise", "return", "while", "with", "yield",
];

/// Whether the path `name.name` that goes on behind the dot at a byte begins with one of the names.
///
/// It may say so of a path that does not, and then only costs the time to read the file.
pub(super) fn is_rooted(source: &str, dot: usize, names: &FxHashSet<&str>) -> bool {
    let mut end = dot;
    loop {
        let Some(path) = code_before(&source[..end]) else {
            return true;
        };
        let name = word_before(source, path.len());
        if name.is_empty() {
            return path.ends_with(')') && is_path_in_brackets(path);
        }
        match code_before(&path[..path.len() - name.len()]) {
            Some(outer) if outer.ends_with('.') => end = outer.len() - 1,
            Some(_) => return names.contains(name),
            None => return true,
        }
    }
}

/// The text up to its last code: without the white space and the comments behind it. None if it is not sure that a comment is one.
fn code_before(mut text: &str) -> Option<&str> {
    loop {
        let code = text.trim_end_matches(|char: char| char.is_ascii_whitespace() || char == '\\');
        if memchr::memchr(b'\n', &text.as_bytes()[code.len()..]).is_none() {
            return Some(code);
        }
        let start = memchr::memrchr(b'\n', code.as_bytes()).map_or(0, |newline| newline + 1);
        let Some(sign) = code[start..].find('#') else {
            return Some(code);
        };
        text = &code[..start + sign];
        if text[start..].contains(['"', '\'']) {
            return None;
        }
    }
}

/// Whether the brackets that a text ends with may hold nothing but a path: `(name).member`, and not `call(name).member`.
fn is_path_in_brackets(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut depth = 0;
    for (at, byte) in bytes.iter().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' if depth > 1 => depth -= 1,
            b'(' => {
                let called = word_before(text, at);
                let keyword = called.is_empty() || KEYWORDS.contains(&called);
                return keyword && !text[..at].ends_with([')', ']']);
            }
            b'.' | b'\\' => {}
            byte if is_word(*byte) || byte.is_ascii_whitespace() => {}
            // A comment holds anything.
            _ => {
                let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |newline| newline + 1);
                return memchr::memchr(b'#', &bytes[start..=at]).is_some();
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_with_its_first_name_whatever_stands_between() {
        let names = ["a"].into_iter().collect();
        for (source, rooted) in [
            ("f(a.Q)", true),
            ("f(a.b.Q)", true),
            ("a . b\\\n . Q", true),
            ("(a  # why\n  # and why\n  .Q)", true),
            ("(a.  # why\n  b.Q)", true),
            ("x = '#'\na.Q", true),
            ("(a).Q", true),
            ("return(a.b).Q", true),
            ("((a  # it's\n)).Q", true),
            ("b.Q", false),
            ("b.a.Q", false),
            ("ba.Q", false),
            ("self.Q", false),
            ("# a\nb.Q", false),
            ("a().Q", false),
            ("f(a).Q", false),
            ("f (1)(a).Q", false),
            ("f('a').Q", false),
            ("a[0].Q", false),
            ("'a'.Q", false),
            ("from .Q import b", false),
            (".Q", false),
        ] {
            let dot = source.rfind('.').unwrap();
            assert_eq!(is_rooted(source, dot, &names), rooted, "{source}");
        }
    }
}
