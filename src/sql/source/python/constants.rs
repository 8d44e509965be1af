//! The names that a file gives to SQL for others to read, seen from its bytes alone.

use super::literals::{Kind, Span, code};
use super::looks;
use super::sends::{is_word, word, words};
use crate::sql::source::Constant;
use rustc_hash::FxHashMap;
use std::ops::Range;

/// The names that a file gives to what may be SQL, alone or as a part, or to a dict that may hold some.
pub(super) fn constants(source: &str, spans: &[Span]) -> Vec<Constant> {
    let bytes = source.as_bytes();
    let mut found = FxHashMap::default();
    let mut read = 0;
    let signs = code(source, spans).flat_map(|(code, behind)| {
        let signs = signs(bytes, code);
        signs.map(move |sign| (sign, behind))
    });
    for (sign, behind) in signs {
        // What stands in the brackets of a value that was read assigns nothing.
        if sign < read || !assigns(bytes, sign) {
            continue;
        }
        let mut value = Parts::of(source, sign + 1, behind);
        let sure = value.may_be_sql(&found);
        read = value.at;
        let Some(sure) = sure else { continue };
        let line = memchr::memrchr(b'\n', &bytes[..sign]).map_or(0, |newline| newline + 1);
        let mut names = targets(&source[line..sign]).peekable();
        if names.peek().is_none() || is_local(source, line) {
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

/// Where `=` stands in a part of the file.
fn signs(bytes: &[u8], part: Range<usize>) -> impl Iterator<Item = usize> {
    let start = part.start;
    memchr::memchr_iter(b'=', &bytes[part]).map(move |at| start + at)
}

/// Whether a `=` may stand behind a name or its type, and is no part of another sign.
fn assigns(bytes: &[u8], sign: usize) -> bool {
    let before = bytes[..sign].trim_ascii_end().last();
    let named = before.is_some_and(|byte| is_word(*byte) || b")]\"'".contains(byte));
    named && bytes.get(sign + 1) != Some(&b'=')
}

/// The names on the left of an assignment: several may get one value or the parts of one. A type in front of the sign, and what a line
/// like `class Q: A = …` begins with, may be taken for more of them.
fn targets(left: &str) -> impl Iterator<Item = &str> {
    let statement = left.rsplit(';').next().unwrap_or(left);
    let names = statement.split(['=', ',', ':']);
    let names = names
        .map(|name| name.trim_matches(|char: char| char.is_whitespace() || "()[]*".contains(char)));
    names.filter(|name| {
        let letter = |char: char| char.is_alphanumeric() || char == '_';
        !name.is_empty() && name.chars().all(letter)
    })
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
    /// What is between a literal's quotes.
    Literal(Range<usize>),
    /// A literal of which it is not sure where it ends; nor is what comes behind it.
    Unsure,
    Word(&'a str),
}

/// The literals and the words of an expression, up to its end.
struct Parts<'a> {
    source: &'a str,
    at: usize,
    /// What is no code from there on.
    behind: &'a [Span],
    /// The brackets that are open.
    depth: usize,
}

impl<'a> Parts<'a> {
    fn of(source: &'a str, at: usize, behind: &'a [Span]) -> Self {
        Self {
            source,
            at,
            behind,
            depth: 0,
        }
    }

    /// Whether the expression may hold SQL, in its literals or in a name that was given some before, and whether that is sure.
    fn may_be_sql(&mut self, before: &FxHashMap<&str, bool>) -> Option<bool> {
        let source = self.source;
        let known = |word: &str| before.get(word).copied();
        let mut found = None;
        for part in self {
            let sure = match part {
                Part::Literal(content) => {
                    let fields = source[content.clone()].contains('{');
                    let of_fields = || words(&source[content.clone()]).filter_map(known).max();
                    may_be_sql(source, content.clone()).max(fields.then(of_fields).flatten())
                }
                Part::Unsure => Some(true),
                Part::Word(word) => known(word),
            };
            if sure == Some(true) {
                return sure;
            }
            found = found.or(sure);
        }
        found
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let bytes = self.source.as_bytes();
        loop {
            if let Some((span, behind)) = self.behind.split_first()
                && span.start == self.at
            {
                (self.at, self.behind) = (span.end, behind);
                match span.kind {
                    Kind::Literal => return Some(Part::Literal(span.content.clone())),
                    Kind::Unsure => return Some(Part::Unsure),
                    Kind::Comment => continue,
                }
            }
            let byte = *bytes.get(self.at)?;
            match byte {
                b')' | b']' | b'}' | b'\n' | b';' if self.depth == 0 => return None,
                // Of several names the last one's value is everybody's.
                b'=' if self.depth == 0 && assigns(bytes, self.at) => return None,
                b'(' | b'[' | b'{' => (self.at, self.depth) = (self.at + 1, self.depth + 1),
                b')' | b']' | b'}' => (self.at, self.depth) = (self.at + 1, self.depth - 1),
                b'\\' => {
                    let rest = &bytes[self.at + 1..];
                    self.at += 1 + rest.len() - rest.trim_ascii_start().len();
                }
                byte if is_word(byte) => {
                    let word = word(&self.source[self.at..]);
                    self.at += word.len();
                    return Some(Part::Word(word));
                }
                _ => self.at += 1,
            }
        }
    }
}

/// Whether the line that begins at a byte is a function's: the names that it gives end with that.
fn is_local(source: &str, line: usize) -> bool {
    let code = |at: usize| source[at..].trim_start_matches([' ', '\t', '\u{c}']);
    let indent = |at: usize, code: &str| source.len() - code.len() - at;
    let mut depth = indent(line, code(line));
    let mut line = line;
    while depth > 0 && line > 0 {
        let before = &source.as_bytes()[..line - 1];
        line = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let code = code(line);
        let indent = indent(line, code);
        if indent >= depth || code.starts_with(['#', '\r', '\n']) {
            continue;
        }
        if code.starts_with("def ") || code.starts_with("async def ") {
            return true;
        }
        depth = indent;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::literals::spans;
    use super::*;

    /// The names, by which they are sorted.
    fn of(source: &str) -> Vec<Constant> {
        let mut found = constants(source, &spans(source).collect::<Vec<_>>());
        found.sort_by(|one, other| one.name.cmp(&other.name));
        found
    }

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
                &["A", "B", "C", "d"],
            ),
            (
                "A = x + \\\n  'SELECT a FROM t'\nB = ' '.join(['SELECT a', 'FROM t'])",
                &["A", "B"],
            ),
            (
                "f(a={'b': 'x'})\nA = f(\n  b='SELECT 1',\n)\nB: 'str' = 'SELECT 1'",
                &["A", "B"],
            ),
            (
                "A, B = 'x', 'SELECT 1'\n(C, *D) = [A, 'SELECT 1']",
                &["A", "B", "C", "D"],
            ),
            (
                "\"\"\"Set A=1\"\"\"\n# it's b = (\nB = \"\"\"SELECT 1\"\"\"\nC = 'SELECT 1'",
                &["B", "C"],
            ),
            (
                "'''a = (\n'''\nA = f\"{b[\"(\"]}\"\nB = 'SELECT 1'",
                &["A", "B"],
            ),
            (
                "class Q: A = 'SELECT 1'; B = 'SELECT 1'\nif x: C = 'SELECT 1'",
                &["A", "B", "C"],
            ),
            ("a=1;b={};C='SELECT a'\nd.e='SELECT 1'", &["C"]),
            ("A = 1  # 'SELECT 1'\nB = x\n'SELECT 1'", &[]),
            (
                "A = 'set'\nC == 'SELECT 1'\nf(d='SELECT 1')\nE = 1\n'SELECT 1'",
                &[],
            ),
        ] {
            let found = of(source);
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
            let found = of(source);
            let unsure = found.iter().filter(|constant| !constant.sure);
            let unsure: Vec<_> = unsure.map(|constant| &constant.name).collect();
            assert_eq!(unsure, names, "{source}");
        }
    }
}
