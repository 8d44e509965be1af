//! Where a byte of a file stands, for many bytes of one file.

use crate::cli::place::Place;

/// The beginnings of a file's lines.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    /// How many characters stand before each block of [`BLOCK`] bytes: a line may be as long as the file.
    letters: Vec<usize>,
}

const BLOCK: usize = 4 << 10;

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline + 1);
        let mut letters = vec![0];
        for block in text.as_bytes().chunks(BLOCK) {
            letters.push(letters.last().copied().unwrap_or_default() + count(block));
        }
        Self {
            text,
            starts: std::iter::once(0).chain(ends).collect(),
            letters,
        }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The place of a byte; behind the end it is the end's.
    pub(super) fn place(&self, offset: usize) -> Place {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        Place {
            line,
            column: self.letters_before(offset) - self.letters_before(start) + 1,
        }
    }

    fn letters_before(&self, offset: usize) -> usize {
        let block = offset / BLOCK;
        self.letters[block] + count(&self.text.as_bytes()[block * BLOCK..offset])
    }

    /// The byte at a place; a place that the text does not have is the nearest before it.
    pub(super) fn offset(&self, place: Place) -> usize {
        let line = place.line.clamp(1, self.starts.len());
        let start = self.starts[line - 1];
        let rest = self.text[start..].split('\n').next().unwrap_or_default();
        let inside = rest.char_indices().nth(place.column.saturating_sub(1));
        start + inside.map_or(rest.len(), |(at, _)| at)
    }

    /// The whole lines that hold these bytes, and the number of the first.
    pub(super) fn around(&self, start: usize, end: usize) -> (std::ops::Range<usize>, usize) {
        let line = self.place(start).line;
        let from = self.starts[line - 1];
        let until = self.text[end.min(self.text.len())..]
            .find('\n')
            .map_or(self.text.len(), |newline| end + newline);
        (from..until, line)
    }
}

/// How many characters begin in the bytes.
fn count(bytes: &[u8]) -> usize {
    let begins = |byte: &&u8| **byte & 0xC0 != 0x80;
    bytes.iter().filter(begins).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_through_long_lines() {
        let text = format!("{}\n{}", "é".repeat(BLOCK), "aé日".repeat(BLOCK));
        let lines = Lines::new(&text);
        let second = 2 * BLOCK + 1;
        for letter in [0, 1, BLOCK / 2, BLOCK - 1] {
            assert_eq!(lines.place(2 * letter).column, letter + 1);
            let place = lines.place(second + 6 * letter);
            assert_eq!((place.line, place.column), (2, 3 * letter + 1));
        }
        let full = "a".repeat(BLOCK);
        assert_eq!(Lines::new(&full).place(BLOCK).column, BLOCK + 1);
        assert_eq!(lines.place(text.len()).column, 3 * BLOCK + 1);
    }

    #[test]
    fn places_and_offsets_are_each_other_s_inverse() {
        let text = "été\n\tb\r\n\nlast";
        let lines = Lines::new(text);
        for (offset, _) in text
            .char_indices()
            .filter(|(_, letter)| !matches!(letter, '\n'))
        {
            assert_eq!(lines.offset(lines.place(offset)), offset);
        }
        let place = |offset| (lines.place(offset).line, lines.place(offset).column);
        assert_eq!(place(0), (1, 1));
        assert_eq!(place(5), (1, 4));
        assert_eq!(place(6), (2, 1));
        assert_eq!(place(text.len()), (4, 5));
        assert_eq!(place(1000), (4, 5));
        assert_eq!(lines.offset(Place { line: 1, column: 9 }), 5);
        assert_eq!(lines.offset(Place { line: 9, column: 9 }), text.len());
    }

    #[test]
    fn whole_lines() {
        let lines = Lines::new("a\nbc\nd");
        assert_eq!(lines.around(3, 3), (2..4, 2));
        assert_eq!(lines.around(0, 5), (0..6, 1));
    }
}
