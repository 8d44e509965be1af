//! Reads the sources as far as the rules need it: code without comments, texts and tests, and the paths in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of `src/`.
#[derive(Debug)]
pub(super) struct Source {
    /// Its path beneath `src/`.
    pub(super) path: String,
    /// The room that it belongs to: the first part of its path.
    pub(super) room: String,
    /// Its lines, tests apart.
    pub(super) lines: usize,
    /// Its code, without comments, texts and tests.
    pub(super) code: String,
    /// What it takes from the crate's root: the name after `crate::`.
    pub(super) rooms: BTreeSet<String>,
    /// The names that its paths begin with.
    pub(super) roots: BTreeSet<String>,
}

impl Source {
    fn read(root: &Path, file: &Path) -> Self {
        let path = file.strip_prefix(root).unwrap().display().to_string();
        let text = fs::read_to_string(file).unwrap();
        Self::of(&path, &text)
    }

    fn of(path: &str, text: &str) -> Self {
        let code = without_tests(&without_texts(text));
        let room = path
            .split(['/', '.'])
            .next()
            .expect("a path has a first part");
        Self {
            room: room.to_owned(),
            // What was taken out keeps its line ends, but for the tests.
            lines: code.trim_end().lines().count(),
            rooms: rooms(path, &code),
            roots: roots(&code),
            path: path.to_owned(),
            code,
        }
    }

    /// Whether the code holds this word.
    pub(super) fn says(&self, word: &str) -> bool {
        identifiers(&self.code).any(|(_, found)| found == word)
    }

    /// Whether a chain of `super` leads out of that folder.
    pub(super) fn reaches_out_of(&self, folder: &str) -> bool {
        let inside = folder.split('/').count();
        supers(&self.code).any(|(steps, _)| depth(&self.path) < inside + steps)
    }
}

/// Every file of `src/` but those that hold tests alone.
pub(super) fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    let sources: Vec<Source> = files.iter().map(|file| Source::read(&root, file)).collect();
    assert!(sources.len() > 100, "the sources are not found");
    sources
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name == "tests" {
            continue;
        }
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The room of a name at the crate's root: a room's own, or what lib.rs and macros give on from it.
pub(super) fn room_of(name: &str) -> Option<&str> {
    match name {
        "Error" | "ErrorKind" | "Result" => Some("error"),
        "Bridge" => Some("bridge"),
        "Flags" => Some("flags"),
        "params" => Some("sql"),
        name => {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
            let there = root.join(name).is_dir() || root.join(format!("{name}.rs")).is_file();
            there.then_some(name)
        }
    }
}

/// How many modules lie between the crate's root and this file's items.
fn depth(path: &str) -> usize {
    let parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    match parts.last() {
        Some(&"mod") => parts.len() - 1,
        Some(&("lib" | "main")) if parts.len() == 1 => 0,
        _ => parts.len(),
    }
}

/// The names behind `crate::`, and behind as many `super::` as lead there; `pontoon::` is main's way to say it.
fn rooms(path: &str, code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, word) in identifiers(code) {
        if matches!(word, "crate" | "pontoon") {
            rooms.extend(names_behind(&code[at + word.len()..]));
        }
    }
    for (steps, rest) in supers(code) {
        if steps >= depth(path) && depth(path) > 0 {
            rooms.extend(names_behind(rest));
        }
    }
    rooms
}

/// Each chain of `super::`: its length, and what follows its last word.
fn supers(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let starts = identifiers(code).filter(|(_, word)| *word == "super");
    let firsts = starts.filter(|(at, _)| !code[..*at].trim_end().ends_with("super::"));
    firsts.map(|(at, _)| {
        let mut rest = &code[at + "super".len()..];
        let mut steps = 1;
        while let Some(next) = rest.strip_prefix("::super") {
            rest = next;
            steps += 1;
        }
        (steps, rest)
    })
}

/// The first names of `::name`, `::{name, name::more}`.
fn names_behind(rest: &str) -> Vec<String> {
    let Some(rest) = rest.strip_prefix("::") else {
        return Vec::new();
    };
    let Some(group) = rest.trim_start().strip_prefix('{') else {
        let name = identifiers(rest).next();
        return name.map(|(_, name)| name.to_owned()).into_iter().collect();
    };
    let mut names = Vec::new();
    let (mut level, mut first) = (0_usize, true);
    let mut at = 0;
    while let Some(sign) = group[at..].chars().next() {
        match sign {
            '{' => level += 1,
            '}' if level == 0 => break,
            '}' => level -= 1,
            ',' if level == 0 => first = true,
            sign if first && is_word(sign) => {
                let (_, name) = identifiers(&group[at..]).next().unwrap();
                names.push(name.to_owned());
                first = false;
            }
            _ => {}
        }
        at += sign.len_utf8();
    }
    names
}

/// The names that paths begin with: before `::`, or alone behind `use`.
fn roots(code: &str) -> BTreeSet<String> {
    let mut roots = BTreeSet::new();
    let mut before = "";
    for (at, word) in identifiers(code) {
        let path = code[..at].trim_end().strip_suffix("::");
        let inner = path.is_some_and(|path| path.ends_with(|sign| is_word(sign) || sign == '>'));
        let begins = code[at + word.len()..].trim_start().starts_with("::");
        if !inner && (begins || matches!(before, "use" | "crate")) {
            roots.insert(word.to_owned());
        }
        before = word;
    }
    roots
}

fn is_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

/// The words of the code, and where each begins.
fn identifiers(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + code[at..].find(is_word)?;
        let rest = &code[start..];
        let end = rest.find(|sign| !is_word(sign)).unwrap_or(rest.len());
        at = start + end;
        Some((start, &code[start..at]))
    })
}

/// The text without comments, and with empty texts and characters; line ends stay.
fn without_texts(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(sign) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment(rest)
        } else if sign == '"' {
            code.push_str("\"\"");
            quoted(rest)
        } else if let Some(length) = raw(rest).filter(|_| !code.ends_with(is_word)) {
            code.push_str("\"\"");
            length
        } else if let Some(length) = character(rest) {
            code.push_str("' '");
            length
        } else {
            code.push(sign);
            rest = &rest[sign.len_utf8()..];
            continue;
        };
        let ends = rest[..skipped].matches('\n').count();
        code.extend(std::iter::repeat_n('\n', ends));
        rest = &rest[skipped..];
    }
    code
}

/// The length of a block comment, which may hold others.
fn comment(text: &str) -> usize {
    let (mut at, mut level) = (2, 1);
    while level > 0 {
        let Some(next) = text.get(at..) else { break };
        match (next.find("/*"), next.find("*/")) {
            (Some(open), Some(close)) if open < close => (at, level) = (at + open + 2, level + 1),
            (_, Some(close)) => (at, level) = (at + close + 2, level - 1),
            _ => return text.len(),
        }
    }
    at
}

/// The length of a text that begins with a quote.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, sign) in text.char_indices().skip(1) {
        match sign {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// The length of `r"…"`, `r#"…"#`, `br"…"`.
fn raw(text: &str) -> Option<usize> {
    let body = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let inside = body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let close = inside.find(&end)?;
    Some(text.len() - inside.len() + close + end.len())
}

/// The length of a character between quotes; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    if let Some(escaped) = inside.strip_prefix('\\') {
        let first = escaped.chars().next()?.len_utf8();
        return Some(2 + first + escaped[first..].find('\'')? + 1);
    }
    let sign = inside.chars().next()?;
    inside[sign.len_utf8()..]
        .starts_with('\'')
        .then(|| 2 + sign.len_utf8())
}

/// The code without the items that are there for tests alone.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::new();
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        kept.push_str(&rest[..at]);
        let item = &rest[at + MARK.len()..];
        rest = &item[item_length(item)..];
    }
    kept.push_str(rest);
    kept
}

/// The length of the item that the text begins with: to its `;`, or to the end of its braces.
fn item_length(text: &str) -> usize {
    let mut level = 0_usize;
    for (at, sign) in text.char_indices() {
        match sign {
            ';' if level == 0 => return at + 1,
            '{' | '(' | '[' => level += 1,
            '}' | ')' | ']' => {
                level = level.saturating_sub(1);
                if level == 0 && sign == '}' {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

#[test]
fn paths_are_found_however_they_are_written() {
    let names = |path: &str, text: &str| {
        let rooms = Source::of(path, text).rooms;
        rooms.into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("a/b.rs", "use crate::sql::{Query, Row};"), "sql");
    assert_eq!(
        names(
            "a.rs",
            "use crate::{error::{Error, Result}, flags, sql as s};"
        ),
        "error flags sql"
    );
    assert_eq!(
        names("a.rs", "fn f() -> crate::Result<crate::flags::Key> {}"),
        "Result flags"
    );
    assert_eq!(names("a.rs", "use super::http::serve;"), "http");
    assert_eq!(names("a/b.rs", "use super::http::serve;"), "");
    assert_eq!(
        names("a/b.rs", "use super::super::{http::serve, mcp};"),
        "http mcp"
    );
    assert_eq!(names("a/mod.rs", "use super::http;"), "http");
    assert_eq!(names("main.rs", "pontoon::cli::run()"), "cli");
    assert_eq!(names("a.rs", "pub(crate) fn f() {} // crate::http"), "");
    assert_eq!(
        names(
            "a.rs",
            r##"f("crate::http", r#"crate::"mcp"#, '"', "\"crate::x")"##
        ),
        ""
    );
    assert_eq!(
        names(
            "a.rs",
            "#[cfg(test)]\nmod tests { use crate::http; }\nuse crate::sql;"
        ),
        "sql"
    );
    assert_eq!(
        names("a.rs", "fn f<'a>(x: &'a str) { crate::sql::g('\\'', '{') }"),
        "sql"
    );
}

#[test]
fn drivers_are_found_however_they_are_written() {
    let roots = |text: &str| Source::of("a.rs", text).roots;
    for text in [
        "use sqlx::Row;",
        "use sqlx;",
        "use sqlx as s;",
        "extern crate sqlx;",
        "fn f() { ::sqlx::query(1) }",
        "let x: sqlx::Error = y;",
    ] {
        assert!(roots(text).contains("sqlx"), "{text}");
    }
    for text in [
        "let sqlx = 1;",
        "crate::sqlx::f()",
        "\"sqlx::x\"",
        "// sqlx::x",
    ] {
        assert!(!roots(text).contains("sqlx"), "{text}");
    }
}
