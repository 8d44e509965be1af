//! Where in the text that somebody wrote an error lies, though the server saw its translation.

use crate::error::Error;
use crate::sql::translate::TranslateError;
use std::error::Error as _;

/// A line and a character in it, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Place {
    /// Where an error lies in `original`, whose translation is `translated`; `None` for an error that knows no place.
    pub(super) fn of(error: &Error, original: &str, translated: &str) -> Option<Self> {
        if let Some(refused) = refusal(error) {
            return Some(Self {
                line: refused.line,
                column: refused.column,
            });
        }
        let position = usize::try_from(error.database()?.position?).ok()?;
        Some(Self::at(
            original,
            original_offset(original, translated, position.saturating_sub(1)),
        ))
    }

    /// The place of a byte.
    pub(super) fn at(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
        }
    }
}

/// What the translator said, where it is what failed.
pub(super) fn refusal(error: &Error) -> Option<&TranslateError> {
    error.source()?.downcast_ref()
}

/// The error with the line that it lies in, and a mark under the place.
pub(super) fn point(error: Error, original: &str, translated: &str) -> Error {
    let Some(Place { line, column }) = Place::of(&error, original, translated) else {
        return error;
    };
    let what = match (refusal(&error), error.database()) {
        (Some(refused), _) => format!("{}; expected {}", refused.message, refused.expected),
        (_, Some(report)) => format!("{} ({})", report.message, report.sqlstate),
        _ => error.message().to_owned(),
    };
    let on = error
        .backend()
        .map_or_else(String::new, |backend| format!(", on the {backend} backend"));
    let shown = original
        .lines()
        .nth(line - 1)
        .unwrap_or_default()
        .replace('\t', " ");
    let message = format!(
        "{what}\nline {line}, column {column}{on}:\n  {shown}\n  {:>column$}",
        '^'
    );
    Error::new(error.kind(), message).with_hint(error.hint().unwrap_or_default())
}

/// The byte of `original` that the character at `position` of its translation stands for.
///
/// The two differ at placeholders, at doubled escapes, and by a space that keeps a placeholder from touching a word.
fn original_offset(original: &str, translated: &str, position: usize) -> usize {
    let (mut from, mut to) = (original, translated);
    let mut passed = 0;
    while let (true, Some(letter)) = (passed < position, to.chars().next()) {
        let (taken, step, letters) = match number(to) {
            Some(digits) if !from.starts_with(&to[..digits]) => match placeholder(from) {
                Some(length) => (length, digits, digits),
                None => (0, letter.len_utf8(), 1),
            },
            _ if from.starts_with(letter) => {
                (letter.len_utf8() + escape(from, to), letter.len_utf8(), 1)
            }
            // A space that the translation put in.
            _ => (0, letter.len_utf8(), 1),
        };
        (from, to) = (&from[taken..], &to[step..]);
        passed += letters;
    }
    original.len() - from.len()
}

/// The length of `$1` at the start.
fn number(text: &str) -> Option<usize> {
    let digits = text.strip_prefix('$')?;
    let length = digits
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(digits.len());
    (length > 0).then_some(length + 1)
}

/// The length of a placeholder at the start, in any style but the server's.
fn placeholder(text: &str) -> Option<usize> {
    if text.starts_with("%s") {
        return Some(2);
    }
    if text.starts_with("%(") {
        return text.find(")s").map(|at| at + 2);
    }
    if text.starts_with('?') {
        return Some(1);
    }
    let name = text.strip_prefix(':')?;
    let length = name
        .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .unwrap_or(name.len());
    (length > 0).then_some(length + 1)
}

/// One more byte where `%%` or `??` became a single sign.
fn escape(from: &str, to: &str) -> usize {
    let doubled =
        |sign: &str| from.starts_with(&sign.repeat(2)) && !to.starts_with(&sign.repeat(2));
    usize::from(doubled("%") || doubled("?"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{DatabaseError, ErrorKind};
    use crate::sql::Query;
    use crate::sql::translate::Style;

    /// Where the first `!` of the translation stands in the original, which holds it too.
    fn marked(original: &str) -> (usize, usize) {
        let query = Query::in_style("t", original, Style::Auto).unwrap();
        let position = query
            .text()
            .chars()
            .position(|letter| letter == '!')
            .unwrap()
            + 1;
        let report = DatabaseError {
            position: u32::try_from(position).ok(),
            ..DatabaseError::default()
        };
        let error = Error::from_database(ErrorKind::Database, report);
        let place = Place::of(&error, original, query.text()).unwrap();
        (place.line, place.column)
    }

    #[test]
    fn a_place_of_the_translation_is_found_in_the_original() {
        for original in [
            "!",
            "SELECT %s, !",
            "SELECT %(a_long_name)s::int,\n  %(b)s, %(a_long_name)s !",
            "SELECT '50%%' || %s, 5 %% !",
            "SELECT $1, $2 !",
            "SELECT ?, 'é', ? !",
            "SELECT :name, x::text, :other !",
            "SELECT NOT%s AND !",
            "SELECT 'a' LIKE 'b%' !",
        ] {
            let at = Place::at(original, original.find('!').unwrap());
            assert_eq!(marked(original), (at.line, at.column), "{original}");
        }
    }

    #[test]
    fn the_line_is_shown_with_a_mark() {
        let error = Query::new("t", "SELECT %s,\n  %d").unwrap_err();
        let pointed = point(error, "SELECT %s,\n  %d", "");
        let lines: Vec<&str> = pointed.message().lines().collect();
        assert_eq!(lines[1..], ["line 2, column 3:", "    %d", "    ^"]);
    }
}
