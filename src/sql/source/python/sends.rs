//! Whether a file gives a text of another module to a function that takes SQL, seen from its bytes alone.

use rustc_hash::FxHashSet;

use super::method::Method;
use super::rooted::is_rooted;

/// Names of functions and methods that make a text of a text.
const MAKING: &[&str] = &[
    "text", "SQL", "dedent", "cleandoc", "format", "strip", "lstrip", "rstrip", "replace",
    "encode", "decode", "join", "cast", "str",
];

/// The names that a file has of other modules.
#[derive(Debug)]
pub(super) struct Brought<'a> {
    source: &'a str,
    /// Those of the import statements, and those that are given one of them; `*` if one brings everything.
    names: FxHashSet<&'a str>,
}

impl<'a> Brought<'a> {
    pub(super) fn to(source: &'a str) -> Self {
        let mut names = imported_names(source);
        if !names.is_empty() && !names.contains("*") {
            add_aliases(source, &mut names);
        }
        Self { source, names }
    }

    /// Whether one may be among what it gives to a function that takes SQL.
    ///
    /// It may say so of a file that does not, and then only costs the time to read it.
    pub(super) fn sent(&self) -> bool {
        let Self { source, names } = self;
        if names.is_empty() {
            return false;
        }
        let all = names.contains("*");
        // A text can be a part of what is sent: `f"{FIND} LIMIT 1"`, `"…" + FIND`.
        let part = |at: usize| {
            let path = path(source[at + 1..].trim_ascii_start());
            is_constant(path) && names.contains(word(path))
        };
        if memchr::memchr2_iter(b'{', b'+', source.as_bytes()).any(part) {
            return true;
        }
        let brought = |path: &&str| all || names.contains(word(path));
        memchr::memchr_iter(b'(', source.as_bytes()).any(|open| takes_one(source, open, brought))
    }

    /// Whether one that may be read is a constant that `sure` knows, and whether that is surely SQL: a name that is imported, or is read of
    /// what is.
    ///
    /// It may say so of a file that does not, and then only costs the time to read it.
    pub(super) fn reads(&self, sure: impl Fn(&str) -> Option<bool>) -> Option<bool> {
        let Self { source, names } = self;
        if names.is_empty() {
            return None;
        }
        if names.contains("*") {
            return surest(words(source).filter_map(sure));
        }
        let members = memchr::memchr_iter(b'.', source.as_bytes()).filter_map(|dot| {
            let member = word(source[dot + 1..].trim_ascii_start());
            let sure = sure(member)?;
            is_rooted(source, dot, names).then_some(sure)
        });
        surest(names.iter().filter_map(|name| sure(name)).chain(members))
    }
}

/// Whether one is sure; none if there are none.
fn surest(mut each: impl Iterator<Item = bool>) -> Option<bool> {
    let first = each.next()?;
    Some(first || each.any(|sure| sure))
}

/// Whether a call of a function that takes SQL has what was brought among its arguments.
fn takes_one(source: &str, open: usize, brought: impl Fn(&&str) -> bool) -> bool {
    let mut arguments = Arguments::behind(source, open).filter(brought);
    let Some(first) = arguments.next() else {
        return false;
    };
    let function = word_before(source, open);
    let methods = [true, false].map(|spread| Method::of(function, spread));
    // Much that is no SQL looks like it by a part of its name; then classes are what it takes.
    match methods {
        [None, None] => false,
        [Some(Method::Wrapper) | None, Some(Method::Wrapper) | None] => {
            !is_class(first) || arguments.any(|path| !is_class(path))
        }
        _ => true,
    }
}

/// The words of a text.
pub(super) fn words(source: &str) -> impl Iterator<Item = &str> {
    let other = |byte: &u8| !is_word(*byte);
    let mut rest = source;
    std::iter::from_fn(move || {
        let skipped = rest
            .as_bytes()
            .iter()
            .take_while(|byte| other(byte))
            .count();
        let found = word(&rest[skipped..]);
        rest = &rest[skipped + found.len()..];
        (!found.is_empty()).then_some(found)
    })
}

/// Whether the last of the names is written as a class's.
fn is_class(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path);
    name.starts_with(|first: char| first.is_uppercase())
        && name.contains(|other: char| other.is_lowercase())
}

/// Whether the last of the names is written as a constant's.
fn is_constant(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path);
    name.len() > 1 && !name.contains(|other: char| other.is_lowercase())
}

/// The words of the import statements; `*` if one of them brings everything.
fn imported_names(source: &str) -> FxHashSet<&str> {
    let bytes = source.as_bytes();
    let mut names = FxHashSet::default();
    for at in memchr::memmem::find_iter(bytes, b"import") {
        let rest = &source[at + "import".len()..];
        let first = rest.bytes().find(|byte| !b" \t\\\r\n".contains(byte));
        let end = match first {
            Some(b'(') => rest.find(')'),
            _ => line_end(rest),
        };
        if first == Some(b'*') {
            names.insert("*");
        }
        names.extend(words(&rest[..end.unwrap_or(rest.len())]).filter(|name| *name != "as"));
    }
    names
}

/// Where the line of code that a text begins with ends, wherever it is continued.
fn line_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let continued = |newline: usize| {
        let line = &bytes[..newline];
        line.strip_suffix(b"\r").unwrap_or(line).ends_with(b"\\")
    };
    memchr::memchr_iter(b'\n', bytes).find(|newline| !continued(*newline))
}

/// Adds the names that are given an imported one: `sql = queries.FIND`.
fn add_aliases<'a>(source: &'a str, names: &mut FxHashSet<&'a str>) {
    let mut aliases = Vec::new();
    for at in memchr::memchr_iter(b'=', source.as_bytes()) {
        let value = source[at + 1..].trim_start_matches([' ', '(']);
        let path = path(value);
        if !path.is_empty() && names.contains(word(path)) && is_value(path, &value[path.len()..]) {
            let before = source[..at].trim_end_matches([' ', '+']);
            aliases.push(word_before(source, before.len()));
        }
    }
    names.extend(aliases.into_iter().filter(|alias| !alias.is_empty()));
}

/// Whether a path with that behind it may be a text: what is called makes something else, as a rule.
fn is_value(path: &str, behind: &str) -> bool {
    !behind.starts_with('(') || MAKING.contains(&path.rsplit('.').next().unwrap_or(path))
}

/// The paths `name.name` that a call's first arguments are or begin with, as long as they are paths.
#[derive(Debug, Clone)]
struct Arguments<'a> {
    rest: &'a str,
    left: usize,
}

impl<'a> Arguments<'a> {
    /// The arguments behind the bracket at `open`.
    fn behind(source: &'a str, open: usize) -> Self {
        const MOST: usize = 5;
        Self {
            rest: &source[open + 1..],
            left: MOST,
        }
    }
}

impl<'a> Iterator for Arguments<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        while self.left > 0 {
            self.left -= 1;
            let text = self.rest.trim_ascii_start();
            let path = path(text);
            if path.is_empty() {
                self.left = 0;
                return None;
            }
            let behind = text[path.len()..].trim_ascii_start();
            match behind.as_bytes().first() {
                // `query=FIND`
                Some(b'=' | b',') => self.rest = &behind[1..],
                _ => self.left = 0,
            }
            if is_value(path, behind) {
                return Some(path);
            }
        }
        None
    }
}

/// The name that ends at a byte.
pub(super) fn word_before(source: &str, end: usize) -> &str {
    let before = source.as_bytes()[..end].iter().rev();
    let length = before.take_while(|byte| is_word(**byte)).count();
    &source[end - length..end]
}

/// The name at the start of a text.
pub(super) fn word(text: &str) -> &str {
    let length = text.bytes().take_while(|byte| is_word(*byte)).count();
    &text[..length]
}

/// The name at the start of a text, with its members.
fn path(text: &str) -> &str {
    if !text.starts_with(|first: char| !first.is_ascii() || is_word(first as u8)) {
        return "";
    }
    let part = |byte: &u8| is_word(*byte) || *byte == b'.';
    let length = text.as_bytes().iter().take_while(|byte| part(byte)).count();
    &text[..length]
}

/// Whether the byte may be part of a name; those of letters beyond ASCII are.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_brought_is_seen_among_the_arguments() {
        for (source, seen) in [
            ("from a import B\ncur.execute(B, (1,))", true),
            (
                "from a import (\n  A,\n  B as C,\n)\ncur.execute(\n    C\n)",
                true,
            ),
            ("import a.b\ncur.execute(a.b.C)", true),
            ("import a\nexecute_values(cur, a.C, rows)", true),
            ("import a\ncur.execute(query=a.C)", true),
            ("import a\nq = a.C\ncur.execute(q, x)", true),
            ("from a import *\ncur.execute(q, x)", true),
            ("from a import B\ncur.execute(B.format(1))", true),
            ("from a import B, text\ncur.execute(text(B))", true),
            ("from a import Ünï\ncur.execute(Ünï)", true),
            ("import a\ncur.execute(f'{a.FIND} LIMIT 1')", true),
            (
                "from a import FIND\ncur.execute('WITH x AS (' + FIND + ')')",
                true,
            ),
            ("from a import B\ncur.execute('SELECT 1', B)", false),
            ("from a import B\ncur.execute(sql, (1,))", false),
            ("from a import select, User\ns.execute(select(User))", false),
            ("from a import User\ns.query(User)", false),
            ("from a import B\nsql.print(B)", false),
            ("cur.execute(B)", false),
        ] {
            assert_eq!(Brought::to(source).sent(), seen, "{source}");
        }
    }
}
