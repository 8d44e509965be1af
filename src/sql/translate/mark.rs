//! A mark: a piece of the text that a style gives a meaning of its own.

use super::error::TranslateError;

/// Bytes `start..end` of the text and what they stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) meaning: Meaning<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// An escape that stands for the text it carries.
    Literal(&'static str),
    /// The next value of the sequence.
    Positional,
    /// The value of that name, sent in the format of that letter (`s`, `b` or `t`).
    Named { name: &'a str, format: char },
}

impl Mark<'_> {
    pub(super) fn is_placeholder(&self) -> bool {
        !matches!(self.meaning, Meaning::Literal(_))
    }

    pub(super) fn text<'sql>(&self, sql: &'sql str) -> &'sql str {
        &sql[self.start..self.end]
    }
}

pub(super) type Marks<'a> = Result<Vec<Mark<'a>>, TranslateError>;
