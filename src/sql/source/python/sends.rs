//! Whether a file gives a text of another module to a function that takes SQL, seen from its bytes alone.

use std::collections::HashSet;

use super::calls::Method;

/// Whether a call of a function that takes SQL has a name among its arguments that an import brings, directly or by an assignment.
///
/// It may say so of a file that does not, and then only costs the time to read it.
pub(super) fn imported_texts(source: &str) -> bool {
    let bytes = source.as_bytes();
    let mut names = imported_names(source);
    if names.is_empty() {
        return false;
    }
    let all = names.contains("*");
    if !all {
        add_aliases(source, &mut names);
    }
    memchr::memchr_iter(b'(', bytes).any(|open| {
        let mut brought = arguments(source, open + 1).filter(|name| all || names.contains(name));
        brought.next().is_some() && takes_sql(word_before(source, open))
    })
}

fn takes_sql(function: &str) -> bool {
    !function.is_empty()
        && (Method::of(function, true).is_some() || Method::of(function, false).is_some())
}

/// The words of the import statements; `*` if one of them brings everything.
fn imported_names(source: &str) -> HashSet<&str> {
    let bytes = source.as_bytes();
    let mut names = HashSet::new();
    for at in memchr::memmem::find_iter(bytes, b"import") {
        let rest = &source[at + "import".len()..];
        let Some(first) = rest
            .trim_start_matches([' ', '\t', '\\', '\r', '\n'])
            .chars()
            .next()
        else {
            break;
        };
        let end = if first == '(' {
            rest.find(')')
        } else {
            rest.find('\n')
        };
        let listed = &rest[..end.unwrap_or(rest.len())];
        if first == '*' {
            names.insert("*");
        }
        let words = listed.split(|char: char| !is_word(char));
        names.extend(words.filter(|word| !matches!(*word, "" | "as")));
    }
    names
}

/// Adds the names that are given an imported one: `sql = queries.FIND`.
fn add_aliases<'a>(source: &'a str, names: &mut HashSet<&'a str>) {
    let mut aliases = Vec::new();
    for at in memchr::memchr_iter(b'=', source.as_bytes()) {
        let value = word(source[at + 1..].trim_start_matches([' ', '(']));
        if names.contains(value) {
            let before = source[..at].trim_end_matches([' ', '+']);
            aliases.push(word_before(source, before.len()));
        }
    }
    names.extend(aliases.into_iter().filter(|alias| !alias.is_empty()));
}

/// The first names of a call's first arguments, as long as they are names.
fn arguments(source: &str, at: usize) -> impl Iterator<Item = &str> {
    const MOST: usize = 4;
    let mut rest = Some(&source[at..]);
    std::iter::from_fn(move || {
        let text = rest.take()?.trim_start();
        let first = word(text);
        let path = text.find(|char: char| !is_word(char) && char != '.');
        let behind = text[path.unwrap_or(text.len())..].trim_start();
        // `query=FIND`
        if let Some(value) = behind.strip_prefix('=') {
            rest = Some(value);
        } else if let Some(next) = behind.strip_prefix(',') {
            rest = Some(next);
        }
        Some(first)
    })
    .take(MOST)
    .filter(|name| !name.is_empty())
}

/// The name that ends at a byte.
fn word_before(source: &str, end: usize) -> &str {
    let start = source[..end]
        .rfind(|char: char| !is_word(char))
        .map_or(0, |at| {
            at + source[at..].chars().next().map_or(1, char::len_utf8)
        });
    &source[start..end]
}

/// The name at the start of a text.
fn word(text: &str) -> &str {
    let end = text.find(|char: char| !is_word(char));
    &text[..end.unwrap_or(text.len())]
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}
