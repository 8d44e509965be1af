//! From the bytes of a query's text to those of its file.

use std::ops::Range;

use super::SourceQuery;

impl SourceQuery {
    /// The bytes of the file that mean these bytes of the query's text: from the first one's to the last one's, whatever stands between.
    ///
    /// A part that is known only at run time stands nowhere; the nearest piece before it is given instead.
    pub fn place(&self, sql: Range<usize>) -> Range<usize> {
        let start = self.offset(sql.start, false);
        let last = sql.end.max(sql.start + 1) - 1;
        let end = if sql.is_empty() {
            start
        } else {
            self.offset(last, true)
        };
        start..end.max(start)
    }

    /// Where the byte begins, or ends.
    fn offset(&self, sql: usize, end: bool) -> usize {
        let after = self.pieces.partition_point(|piece| piece.sql.start <= sql);
        let Some(piece) = after.checked_sub(1).and_then(|at| self.pieces.get(at)) else {
            let first = self.pieces.first().map(|piece| piece.file.start);
            let dynamic = self.dynamic.as_ref().map(|dynamic| dynamic.file.start);
            return first.or(dynamic).unwrap_or_default();
        };
        let inside = sql - piece.sql.start + usize::from(end);
        // An escape sequence has another length than what it means, and stands for the whole of it.
        if piece.sql.len() == piece.file.len() {
            piece.file.start + inside.min(piece.file.len())
        } else if end || inside >= piece.sql.len() {
            piece.file.end
        } else {
            piece.file.start
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Piece, Quoting};
    use super::*;
    use crate::sql::translate::Style;

    #[test]
    fn bytes_are_found_behind_escapes_and_in_the_next_literal() {
        // file: "a\n%" "s b"
        let piece = |sql: Range<usize>, file: Range<usize>| Piece {
            sql,
            file,
            quoting: Quoting::Verbatim,
        };
        let query = SourceQuery {
            name: None,
            sql: "a\n%s b".to_owned(),
            style: Style::Auto,
            pieces: vec![
                piece(0..1, 1..2),
                piece(1..2, 2..4),
                piece(2..3, 4..5),
                piece(3..6, 8..11),
            ],
            dynamic: None,
            calls: Vec::new(),
            elsewhere: Vec::new(),
            ignored: Vec::new(),
        };
        assert_eq!(query.place(0..1), 1..2);
        assert_eq!(query.place(1..2), 2..4);
        assert_eq!(query.place(2..4), 4..9);
        assert_eq!(query.place(5..6), 10..11);
        assert_eq!(query.place(3..3), 8..8);
        assert_eq!(query.place(6..6), 11..11);
        assert_eq!(query.place(60..70), 11..11);
    }
}
