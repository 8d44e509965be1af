//! Whether a text is SQL, and whether a file may hold any.

use aho_corasick::{AhoCorasick, MatchKind};

use super::driver::Drivers;
use super::literals::{Kind, Span, literals};
use std::sync::LazyLock;

/// The words that statements begin with, in their order.
const STATEMENTS: &[&str] = &[
    "alter",
    "analyze",
    "begin",
    "call",
    "checkpoint",
    "close",
    "cluster",
    "comment",
    "commit",
    "copy",
    "create",
    "deallocate",
    "declare",
    "delete",
    "discard",
    "do",
    "drop",
    "end",
    "execute",
    "explain",
    "fetch",
    "grant",
    "import",
    "insert",
    "listen",
    "lock",
    "merge",
    "move",
    "notify",
    "prepare",
    "reassign",
    "refresh",
    "reindex",
    "release",
    "reset",
    "revoke",
    "rollback",
    "savepoint",
    "security",
    "select",
    "set",
    "show",
    "start",
    "table",
    "truncate",
    "unlisten",
    "update",
    "vacuum",
    "values",
    "with",
];

/// What `create`, `alter` and `drop` are about.
const OBJECTS: &[&str] = &[
    "access",
    "aggregate",
    "cast",
    "collation",
    "conversion",
    "database",
    "default",
    "domain",
    "event",
    "extension",
    "foreign",
    "function",
    "global",
    "group",
    "index",
    "language",
    "large",
    "local",
    "materialized",
    "operator",
    "or",
    "owned",
    "policy",
    "procedure",
    "publication",
    "recursive",
    "role",
    "routine",
    "rule",
    "schema",
    "sequence",
    "server",
    "statistics",
    "subscription",
    "system",
    "table",
    "tablespace",
    "temp",
    "temporary",
    "text",
    "transform",
    "trigger",
    "type",
    "unique",
    "unlogged",
    "user",
    "view",
];

/// Parts of the names of functions that take SQL; a file without any of them is not read.
const NAMES: &[&str] = &[
    "exec", "fetch", "query", "mogrify", "sql", "text(", "copy", "prepare(", "cursor(", "stream(",
    "db(",
];

/// What a file may hold, seen from its bytes alone: it may not, and then it only costs the time to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looks {
    /// A part of a name of a function that takes SQL.
    pub(super) named: bool,
    /// A literal that begins as a statement does.
    pub(super) statement: bool,
    /// A query of its own: it names a function that takes SQL, and a driver, or a literal begins as a statement does; or it has a
    /// statement with a placeholder.
    pub(super) query: bool,
}

impl Looks {
    /// What a file of these literals and comments may hold.
    pub(super) fn of(source: &str, spans: impl Iterator<Item = Span>) -> Self {
        let bytes = source.as_bytes();
        let named = names_sql(bytes);
        let placeholder = last_placeholder(bytes).unwrap_or_default();
        let mut looks = Self {
            named,
            statement: false,
            query: named && Drivers::may_be_named(bytes),
        };
        for literal in literals(source, spans) {
            let sure = literal.kind == Kind::Literal;
            if sure && !opens_statement(&bytes[literal.content.clone()]) {
                continue;
            }
            looks.statement = true;
            let at = literal.content.start;
            looks.query |= named || !sure || at < placeholder && is_surely_sql(start(source, at));
            if looks.query || placeholder == 0 {
                break;
            }
        }
        looks
    }
}

/// Whether a file has a part of a name of a function that takes SQL.
fn names_sql(bytes: &[u8]) -> bool {
    static WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| search(NAMES));
    WORDS.is_match(bytes)
}

/// A search for words in whole files.
pub(super) fn search<'w>(words: impl IntoIterator<Item = &'w &'w str>) -> AhoCorasick {
    // Only for the leftmost match many bytes are compared at once.
    let mut search = AhoCorasick::builder();
    let search = search.match_kind(MatchKind::LeftmostFirst);
    let built = search.build(words);
    built.expect("so few words can be searched")
}

/// Where the file's last `%s` or `%(` stands.
fn last_placeholder(bytes: &[u8]) -> Option<usize> {
    let mut signs = memchr::memrchr_iter(b'%', bytes);
    signs.find(|at| matches!(bytes.get(at + 1), Some(b's' | b'(')))
}

/// As much of the text at a byte as tells whether it is SQL.
pub(super) fn start(source: &str, at: usize) -> &str {
    const ENOUGH: usize = 2_000;
    let rest = &source[at..];
    &rest[..rest.floor_char_boundary(ENOUGH.min(rest.len()))]
}

/// Whether a text may begin as a statement does, its escapes not yet decoded.
pub(super) fn opens_statement(text: &[u8]) -> bool {
    let mut rest = text;
    while let [b' ' | b'\t' | b'\r' | b'\n' | b'(' | b';' | 0xc, more @ ..]
    | [b'\\', b'\r', b'\n', more @ ..]
    | [b'\\', b'n' | b't' | b'r' | b'f' | b'v' | b'\n', more @ ..] = rest
    {
        rest = more;
    }
    match rest {
        // Behind a comment there is only something if its line ends.
        [b'-', b'-', ..] => memchr::memchr2(b'\n', b'\\', rest).is_some(),
        [b'/', b'*', ..] | [b'\\', b'x' | b'u' | b'U' | b'N' | b'0'..=b'7', ..] => true,
        _ => {
            let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
            is_statement(&rest[..rest.iter().take_while(is_word).count()])
        }
    }
}

/// Whether statements begin with the word.
fn is_statement(word: &[u8]) -> bool {
    let mut lowercase = [0; "deallocate".len()];
    let Some(lowercase) = lowercase.get_mut(..word.len()) else {
        return false;
    };
    lowercase.copy_from_slice(word);
    lowercase.make_ascii_lowercase();
    let known = STATEMENTS.binary_search_by(|statement| statement.as_bytes().cmp(lowercase));
    known.is_ok()
}

/// Whether the text is a statement of SQL, and not a word that one begins with.
pub(super) fn looks_like_sql(text: &str) -> bool {
    let text = skip_to_code(text);
    let (first, rest) = word(text);
    let first = first.to_ascii_lowercase();
    if !STATEMENTS.contains(&first.as_str()) {
        return false;
    }
    let (second, third) = word(rest);
    let second = second.to_ascii_lowercase();
    match first.as_str() {
        // Alone they are words of any protocol, unless they are written as SQL is.
        "begin" | "commit" | "rollback" | "end" | "checkpoint"
            if rest.trim().trim_matches(';').is_empty() =>
        {
            !text.starts_with(|char: char| char.is_ascii_lowercase())
        }
        "begin" | "commit" | "rollback" | "end" | "start" => {
            rest.trim_start().starts_with(';')
                || matches!(
                    second.as_str(),
                    "work"
                        | "transaction"
                        | "isolation"
                        | "read"
                        | "to"
                        | "prepared"
                        | "and"
                        | "deferrable"
                )
        }
        "insert" => second == "into" || third.starts_with('{'),
        "delete" => second == "from" || third.starts_with('{'),
        "create" | "alter" | "drop" => OBJECTS.contains(&second.as_str()) || third.starts_with('{'),
        "update" => contains_word(rest, "set"),
        "with" => contains_word(rest, "as"),
        "merge" => second == "into",
        "copy" => contains_word(rest, "from") || contains_word(rest, "to"),
        "set" => !third.trim().is_empty(),
        _ => {
            !rest.trim().is_empty()
                && rest.starts_with(|char: char| {
                    !char.is_ascii_alphanumeric() && char != '_' && char != ':'
                })
        }
    }
}

/// Whether the text is SQL though no call executes it: sentences for people begin with some of the same words.
pub(super) fn is_surely_sql(text: &str) -> bool {
    if !looks_like_sql(text) {
        return false;
    }
    let (first, rest) = word(skip_to_code(text));
    if !first.contains(|char: char| char.is_lowercase()) {
        return true;
    }
    match first.to_ascii_lowercase().as_str() {
        "insert" | "delete" | "update" | "merge" | "with" => true,
        "select" => contains_word(rest, "from") || rest.contains('('),
        "create" | "alter" | "drop" | "copy" | "truncate" | "set" | "values" => {
            first.starts_with(|char: char| char.is_lowercase())
        }
        _ => false,
    }
}

/// The text from its first word on: without white space, comments, opening parentheses and semicolons.
fn skip_to_code(mut text: &str) -> &str {
    loop {
        let rest =
            text.trim_start_matches(|char: char| char.is_whitespace() || matches!(char, '(' | ';'));
        let behind = if rest.starts_with("--") {
            rest.find('\n').map_or("", |end| &rest[end..])
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or("", |end| &rest[end + 2..])
        } else {
            return rest;
        };
        text = behind;
    }
}

/// The first word of a text, and what comes behind it. A comment parts words as white space does.
fn word(text: &str) -> (&str, &str) {
    let mut text = text.trim_start();
    while let Some(comment) = text.strip_prefix("/*")
        && let Some(end) = comment.find("*/")
    {
        text = comment[end + 2..].trim_start();
    }
    let end = text
        .find(|char: char| !char.is_ascii_alphanumeric() && char != '_')
        .unwrap_or(text.len());
    text.split_at(end)
}

fn contains_word(text: &str, word: &str) -> bool {
    text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_')
        .any(|found| found.eq_ignore_ascii_case(word))
}

/// Whether psycopg would find a placeholder in the text.
pub(super) fn has_placeholder(text: &str) -> bool {
    let mut bytes = text.as_bytes();
    while let Some(at) = memchr::memchr(b'%', bytes) {
        match bytes.get(at + 1) {
            Some(b's' | b'b' | b't' | b'(') => return true,
            Some(_) => bytes = &bytes[at + 2..],
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::literals::spans;
    use super::*;

    #[test]
    fn the_words_of_statements_are_found_in_any_case() {
        for statement in STATEMENTS {
            assert!(is_statement(statement.as_bytes()), "{statement}");
            let shouted = statement.to_ascii_uppercase();
            assert!(is_statement(shouted.as_bytes()), "{shouted}");
        }
        for other in ["", "a", "selec", "selects", "deallocated", "zero"] {
            assert!(!is_statement(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_file_is_read_if_it_may_hold_sql() {
        let (query, statement, nothing) = ((true, true), (false, true), (false, false));
        for (source, expected) in [
            ("cur.execute('SELECT 1')", query),
            ("cur.execute('''\n  -- why\n  select 1''')", query),
            ("cur.execute('\\n(\\tselect 1')", query),
            ("cur.execute('\\x53ELECT 1')", query),
            ("cur.execute('/* a */ SELECT 1')", query),
            ("cur.execute(f'{a} b' 'UPDATE t')", query),
            ("cur.execute('unclosed\n", query),
            ("A = 'DELETE FROM t WHERE a = %s'", query),
            ("A = 'Delete %s' + 'b'", statement),
            ("A = 'SELECT 1'", statement),
            ("import psycopg2\ncur.execute(make())", (true, false)),
            ("import psycopg2\n", nothing),
            ("cur.execute(make())", nothing),
            ("cur.execute('a') + ' set b'", query),
            ("cur.execute('a' if set else 'b')", nothing),
            ("cur.execute('settings', '--help', '{}', '\\\\')", nothing),
            ("def f():\n    '''Set it.'''\n    cur.execute(sql)", nothing),
        ] {
            let looks = Looks::of(source, spans(source));
            assert_eq!((looks.query, looks.statement), expected, "{source}");
        }
    }
}
