//! Where a byte of a file stands, for many bytes of one file.

use crate::cli::place::Place;

/// The beginnings of a file's lines.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(ends).collect(),
        }
    }

    /// The place of a byte; behind the end it is the end's.
    pub(super) fn place(&self, offset: usize) -> Place {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        Place {
            line,
            column: self.text[start..offset].chars().count() + 1,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

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
