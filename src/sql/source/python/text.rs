//! A text that a file builds of its literals.

use std::ops::Range;

use super::scope::Source;
use crate::sql::source::{Dynamic, Piece};

/// A text, where its bytes stand in the file, and what in it is known only at run time.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Text {
    pub(super) sql: String,
    pub(super) pieces: Vec<Piece>,
    /// The first part that is known only at run time.
    pub(super) dynamic: Option<Dynamic>,
    /// What else has to be true of the text.
    pub(super) kind: Kind,
    /// The assignments that the text came through.
    pub(super) sources: Vec<Source>,
}

/// What a text is wrapped in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string or bytes.
    #[default]
    Plain,
    /// psycopg's `sql.SQL`.
    Composed,
    /// `SQLAlchemy`'s `text`, with `:name`.
    Named,
}

impl Text {
    /// A part that is known only at run time, written as `{shown}`.
    pub(super) fn hole(shown: &str, dynamic: Option<Dynamic>) -> Self {
        let name = shown
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
        let shown = if name && !shown.is_empty() {
            shown
        } else {
            "…"
        };
        Self {
            sql: format!("{{{shown}}}"),
            dynamic,
            ..Self::default()
        }
    }

    /// SQL that takes the place of a part known only at run time, of which no more than its kind matters.
    pub(super) fn stand_in(sql: &str) -> Self {
        Self {
            sql: sql.to_owned(),
            ..Self::default()
        }
    }

    /// The same hole, shown as `{name}` if that is a name.
    pub(super) fn named(self, name: &str) -> Self {
        let shown = Self::hole(name, None).sql;
        Self { sql: shown, ..self }
    }

    /// The same text, come through that assignment.
    pub(super) fn from(mut self, source: &Source) -> Self {
        self.sources.push(source.clone());
        self
    }

    /// Adds the other text at the end.
    pub(super) fn push(&mut self, other: Self) {
        let offset = self.sql.len();
        self.sql.push_str(&other.sql);
        self.pieces
            .extend(other.pieces.into_iter().map(|piece| Piece {
                sql: piece.sql.start + offset..piece.sql.end + offset,
                ..piece
            }));
        self.dynamic = self.dynamic.take().or(other.dynamic);
        self.sources.extend(other.sources);
        if self.kind == Kind::Plain {
            self.kind = other.kind;
        }
    }

    /// The text with only these bytes of it, which are in order.
    pub(super) fn keep(mut self, ranges: &[Range<usize>]) -> Self {
        let mut sql = String::with_capacity(self.sql.len());
        let mut pieces = Vec::with_capacity(self.pieces.len());
        let mut next = 0;
        for range in ranges {
            while self
                .pieces
                .get(next)
                .is_some_and(|piece| piece.sql.end <= range.start)
            {
                next += 1;
            }
            for piece in self.pieces[next..]
                .iter()
                .take_while(|piece| piece.sql.start < range.end)
            {
                pieces.extend(cut(piece, range, sql.len()));
            }
            sql.push_str(&self.sql[range.clone()]);
        }
        (self.sql, self.pieces) = (sql, pieces);
        self
    }

    /// `str.strip`, of both ends or of one.
    pub(super) fn strip(self, start: bool, end: bool) -> Self {
        let white = |char: char| char.is_whitespace() || matches!(char, '\u{1c}'..='\u{1f}');
        let mut kept = self.sql.as_str();
        if end {
            kept = kept.trim_end_matches(white);
        }
        let end_offset = kept.len();
        if start {
            kept = kept.trim_start_matches(white);
        }
        let range = end_offset - kept.len()..end_offset;
        self.keep(&[range])
    }

    /// `textwrap.dedent`: without the white space that every line begins with, and without any in blank lines.
    pub(super) fn dedent(self) -> Self {
        let lines: Vec<(usize, &str)> = self
            .sql
            .split_inclusive('\n')
            .scan(0, |at, line| {
                let start = *at;
                *at += line.len();
                Some((start, line))
            })
            .collect();
        let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
        let blank = |line: &str| line[indent(line)..].trim_end_matches('\n').is_empty();
        let margin = lines
            .iter()
            .filter(|(_, line)| !blank(line))
            .map(|(_, line)| &line[..indent(line)])
            .reduce(|left, right| {
                let same = left
                    .bytes()
                    .zip(right.bytes())
                    .take_while(|(a, b)| a == b)
                    .count();
                &left[..same]
            })
            .map_or(0, str::len);
        let ranges: Vec<Range<usize>> = lines
            .iter()
            .map(|(start, line)| {
                let from = if blank(line) { indent(line) } else { margin };
                start + from..start + line.len()
            })
            .collect();
        self.keep(&ranges)
    }
}

/// The part of the piece that lies in `range`, which now begins at `at`; an escape is kept whole.
fn cut(piece: &Piece, range: &Range<usize>, at: usize) -> Option<Piece> {
    let sql = piece.sql.start.max(range.start)..piece.sql.end.min(range.end);
    if sql.is_empty() {
        return None;
    }
    let file = if piece.sql.len() == piece.file.len() {
        let offset = piece.file.start;
        offset + (sql.start - piece.sql.start)..offset + (sql.end - piece.sql.start)
    } else {
        piece.file.clone()
    };
    Some(Piece {
        sql: at + sql.start - range.start..at + sql.end - range.start,
        file,
        quoting: piece.quoting,
    })
}
