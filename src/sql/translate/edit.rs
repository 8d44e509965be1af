//! A change of a text.

use std::ops::Range;

/// Bytes of a text, and what to write in their place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Edit {
    /// The bytes that go; empty where text is only added.
    pub range: Range<usize>,
    /// The text that comes.
    pub text: String,
}

impl Edit {
    /// The text with these edits made; they are in the text's order and do not overlap.
    ///
    /// # Panics
    ///
    /// If an edit is out of the text, out of order, or cuts a character.
    pub fn apply(text: &str, edits: &[Self]) -> String {
        let mut output = String::with_capacity(text.len() + 16 * edits.len());
        let mut copied = 0;
        for edit in edits {
            output.push_str(&text[copied..edit.range.start]);
            output.push_str(&edit.text);
            copied = edit.range.end;
        }
        output.push_str(&text[copied..]);
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_made_from_the_first_to_the_last() {
        let edit = |range, text: &str| Edit {
            range,
            text: text.to_owned(),
        };
        let edits = [edit(0..1, "X"), edit(2..2, "--"), edit(4..5, "")];
        assert_eq!(Edit::apply("abcde", &edits), "Xb--cd");
        assert_eq!(Edit::apply("é", &[]), "é");
    }
}
