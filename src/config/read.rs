//! Reads flags.toml: every error names the file, the line and, for a key that is not known, the nearest one that is.

use super::file::FlagsFile;
use super::keys::known_in;
use crate::error::{Error, ErrorKind, Result};
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Reads the text of a flags.toml; `file` is what its errors call it.
///
/// # Errors
/// [`ErrorKind::Config`] with one line for each thing that is wrong: `flags.toml:12: unknown key "salts"; did you mean "salt"?`
pub fn read_flags_file(file: &Path, text: &str) -> Result<FlagsFile> {
    let document = Document { file, text };
    let tree = DeTable::parse(text).map_err(|error| document.malformed(&error, None))?;
    let root = tree.get_ref();
    let mut wrong = Vec::new();
    document.unknown_keys(root, "", &mut wrong);
    document.refuse(wrong)?;
    let parsed: FlagsFile =
        toml::from_str(text).map_err(|error| document.malformed(&error, Some(root)))?;
    let faults = parsed.faults().into_iter().map(|fault| {
        let line = document.line(find(root, &fault.path));
        (line, format!("{}: {}", fault.path, fault.message))
    });
    document.refuse(faults.collect())?;
    Ok(parsed)
}

/// The line that a flags.toml sets a key in; `None` where it does not.
pub(super) fn line_of(text: &str, path: &str) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let mut table = root.get_ref();
    let (above, last) = path.rsplit_once('.').unwrap_or(("", path));
    for word in above.split('.').filter(|word| !word.is_empty()) {
        table = entry(table, word)?.1.get_ref().as_table()?;
    }
    let (key, _) = entry(table, last)?;
    Some(line_at(text, &key.span()))
}

/// The nearest of `known` to a word that is none of them; `None` where none is near.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let measure = |known: &'a str| {
        let lower = known.to_lowercase();
        let part = !word.is_empty() && (lower.starts_with(&word) || word.starts_with(&lower));
        (!part, strsim::damerau_levenshtein(&word, &lower), known)
    };
    let (apart, distance, known) = known.into_iter().map(measure).min()?;
    (!apart || distance <= known.len().max(3) / 3).then_some(known)
}

struct Document<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Document<'_> {
    /// Each key that no table knows, with its line.
    fn unknown_keys(&self, table: &DeTable<'_>, path: &str, wrong: &mut Vec<(usize, String)>) {
        let known = known_in(path);
        for (key, value) in table {
            let word: &str = key.get_ref();
            let known_word = match &known {
                None => "*",
                Some(known) if known.contains(&word) => word,
                Some(known) => {
                    wrong.push((self.line(key.span()), unknown(word, known)));
                    continue;
                }
            };
            let below = join(path, known_word);
            match value.get_ref() {
                DeValue::Table(table) => self.unknown_keys_below(table, &below, wrong),
                DeValue::Array(items) => {
                    let tables = items.iter().filter_map(|item| item.get_ref().as_table());
                    for table in tables {
                        self.unknown_keys_below(table, &format!("{below}[]"), wrong);
                    }
                }
                _ => {}
            }
        }
    }

    /// A table where a plain value belongs is a wrong type, which the reading itself tells.
    fn unknown_keys_below(
        &self,
        table: &DeTable<'_>,
        path: &str,
        wrong: &mut Vec<(usize, String)>,
    ) {
        if known_in(path).is_none_or(|known| !known.is_empty()) {
            self.unknown_keys(table, path, wrong);
        }
    }

    fn malformed(&self, error: &toml::de::Error, root: Option<&DeTable<'_>>) -> Error {
        let span = error.span().unwrap_or_default();
        let path = root.map_or_else(String::new, |root| path_at(root, &span));
        let message = error.message().trim_end().replace('\n', ", ");
        let message = if path.is_empty() {
            message
        } else {
            format!("{path}: {message}")
        };
        self.error(&[(self.line(span), message)])
    }

    fn refuse(&self, mut wrong: Vec<(usize, String)>) -> Result<()> {
        wrong.sort();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(self.error(&wrong))
        }
    }

    fn error(&self, wrong: &[(usize, String)]) -> Error {
        let line = |(line, message): &(usize, String)| {
            format!("{}:{line}: {message}", self.file.display())
        };
        let lines: Vec<_> = wrong.iter().map(line).collect();
        Error::new(ErrorKind::Config, lines.join("\n"))
    }

    fn line(&self, span: Range<usize>) -> usize {
        line_at(self.text, &span)
    }
}

fn line_at(text: &str, span: &Range<usize>) -> usize {
    let before = text.as_bytes().get(..span.start).unwrap_or_default();
    before.split(|byte| *byte == b'\n').count()
}

fn unknown(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("unknown key \"{word}\"; did you mean \"{near}\"?"),
        None => format!(
            "unknown key \"{word}\"; known here are {}",
            known.join(", ")
        ),
    }
}

fn join(path: &str, word: &str) -> String {
    if path.is_empty() {
        word.to_owned()
    } else {
        format!("{path}.{word}")
    }
}

/// Where the key at `path` stands; for one that is not written, the nearest table above it that is.
fn find(root: &DeTable<'_>, path: &str) -> Range<usize> {
    let (mut table, mut found) = (root, 0..0);
    for word in path.split('.') {
        let (word, number) = match word.split_once('[') {
            Some((word, rest)) => (word, rest.trim_end_matches(']').parse::<usize>().ok()),
            None => (word, None),
        };
        let Some((key, value)) = entry(table, word) else {
            break;
        };
        let value = match (number, value.get_ref()) {
            (Some(number), DeValue::Array(items)) => items.get(number).unwrap_or(value),
            _ => value,
        };
        found = if number.is_some() {
            value.span()
        } else {
            key.span()
        };
        match value.get_ref() {
            DeValue::Table(below) => table = below,
            _ => break,
        }
    }
    found
}

fn entry<'t, 'i>(
    table: &'t DeTable<'i>,
    word: &str,
) -> Option<(
    &'t Spanned<std::borrow::Cow<'i, str>>,
    &'t Spanned<DeValue<'i>>,
)> {
    table.iter().find(|(key, _)| key.get_ref() == word)
}

/// The path of the innermost value that lies at `span`.
fn path_at(table: &DeTable<'_>, span: &Range<usize>) -> String {
    for (key, value) in table {
        let below = match value.get_ref() {
            DeValue::Table(table) => path_at(table, span),
            DeValue::Array(items) => items
                .iter()
                .enumerate()
                .find_map(|(number, item)| {
                    let below = item
                        .get_ref()
                        .as_table()
                        .map(|table| path_at(table, span))?;
                    (!below.is_empty()).then(|| format!("[{number}].{below}"))
                })
                .unwrap_or_default(),
            _ => String::new(),
        };
        if !below.is_empty() {
            let dot = if below.starts_with('[') { "" } else { "." };
            return format!("{}{dot}{below}", key.get_ref());
        }
        let here = value.span();
        if here.start <= span.start && span.end <= here.end {
            return key.get_ref().to_string();
        }
    }
    String::new()
}

#[cfg(test)]
mod tests;
