//! The names that a file gives to SQL for others to read, seen from its bytes alone.

use super::literals::Literal;
use super::looks;

/// The names that a file gives to what may be SQL, or to a dict that may hold some.
pub(super) fn constants(source: &str) -> Vec<String> {
    let bytes = source.as_bytes();
    let mut found = Vec::new();
    for sign in memchr::memchr_iter(b'=', bytes) {
        let compares = matches!(bytes.get(sign + 1), Some(b'='))
            || sign > 0 && b"=!<>+-*/%&|^:".contains(&bytes[sign - 1]);
        if compares || !gives_text(source, sign + 1) {
            continue;
        }
        // Several names may get one value, and a name may have a type.
        let line = memchr::memrchr(b'\n', &bytes[..sign]).map_or(0, |newline| newline + 1);
        let targets = source[line..sign].split('=');
        if is_local(source, line) {
            continue;
        }
        let names = targets.map(|target| target.split(':').next().unwrap_or(target).trim());
        let is_name = |name: &&str| {
            let letter = |char: char| char.is_alphanumeric() || char == '_';
            !name.is_empty() && name.chars().all(letter)
        };
        found.extend(names.filter(is_name).map(str::to_owned));
    }
    found
}

/// Whether the value at a byte begins as a literal of SQL does, in whatever calls and brackets, or is a dict that begins with some.
fn gives_text(source: &str, at: usize) -> bool {
    const ENOUGH: usize = 200;
    const ENTRIES: usize = 4_000;
    let bytes = &source.as_bytes()[at..];
    let white = |byte: &&u8| byte.is_ascii_whitespace() || **byte == b'\\';
    let start = bytes.iter().take_while(white).count();
    let value = &bytes[start..];
    let is_sql = |quote: usize| {
        let literal = Literal::at(source.as_bytes(), at + start + quote).content;
        if !looks::opens_statement(&source.as_bytes()[literal.clone()]) {
            return false;
        }
        // Sentences for people begin with some of the same words, and have no placeholders.
        let text = looks::start(source, literal.start);
        source[literal].contains(char::is_whitespace)
            && (looks::is_surely_sql(text) || looks::looks_like_sql(text) && text.contains('%'))
    };
    if value.starts_with(b"{") || value.starts_with(b"dict(") {
        let entries = &value[..value.len().min(ENTRIES)];
        return literals(entries).any(is_sql);
    }
    let around = |byte: &&u8| {
        byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"_.(\\[".contains(byte)
    };
    let quote = value.iter().take(ENOUGH).take_while(around).count();
    // Without brackets a value ends with its line.
    let before = &value[..quote];
    let ends = before.contains(&b'\n') && !before.iter().any(|byte| b"([\\".contains(byte));
    !ends && matches!(value.get(quote), Some(b'"' | b'\'')) && is_sql(quote)
}

/// Where the literals of the brackets at the start of a text open, up to the bracket's end.
fn literals(text: &[u8]) -> impl Iterator<Item = usize> {
    let (mut at, mut depth) = (0, 0);
    std::iter::from_fn(move || {
        loop {
            let byte = *text.get(at)?;
            match byte {
                b'"' | b'\'' => {
                    let literal = Literal::at(text, at);
                    at = literal.end(text);
                    return Some(literal.quote);
                }
                b'#' => at += memchr::memchr(b'\n', &text[at..])?,
                b'(' | b'[' | b'{' => (at, depth) = (at + 1, depth + 1),
                b')' | b']' | b'}' if depth <= 1 => return None,
                b')' | b']' | b'}' => (at, depth) = (at + 1, depth - 1),
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
                "A = 'set'\nC == 'SELECT 1'\nf(d='SELECT 1')\nE = 1\n'SELECT 1'",
                &[],
            ),
        ] {
            assert_eq!(constants(source), names, "{source}");
        }
    }
}
