//! A hazard at a place of a text, and its rewrite.

use std::borrow::Cow;
use std::ops::Range;

use super::Hazard;

/// A hazard at a place of a text.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Which hazard.
    pub hazard: &'static Hazard,
    /// The bytes of the text that it is about.
    pub range: Range<usize>,
    /// What is wrong here, for a reader.
    pub message: String,
    /// How to write it instead.
    pub fix: Option<Fix>,
}

impl Finding {
    /// What to do about it: the fix's advice, or what the hazard says of all its places. May be empty.
    pub fn advice(&self) -> &str {
        self.fix
            .as_ref()
            .map_or(self.hazard.rewrite, |fix| &fix.advice)
    }
}

/// A rewrite of a hazard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// Whether the text becomes another one or only names a type.
    pub kind: FixKind,
    /// Whether the rewrite keeps the meaning for every value that psycopg2 would have accepted there, given in the
    /// form that `advice` and [`Bound`](super::Bound) say.
    pub safe: bool,
    /// What to do, for a reader: ``write `= ANY(%s)` and pass a list``.
    pub advice: String,
    /// In the order of the text, without overlaps.
    pub(super) changes: Vec<Change>,
}

/// What a fix does to the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FixKind {
    /// It writes the construct in another way.
    Rewrite,
    /// It tells the server the type of a parameter.
    Cast,
}

/// Bytes of the source, and what comes in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) range: Range<usize>,
    pub(super) pieces: Vec<Piece>,
}

/// A piece of a rewritten text. Placeholders have no number until it is known which of the fixes are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text of the converted statement, in which nothing is a placeholder or an escape.
    Text(Cow<'static, str>),
    /// The placeholder of that index. One that no piece names is dropped.
    Placeholder { index: usize, form: Form },
    /// The same, with a number that no other use of its name has.
    Own(usize),
}

/// What an argument has to be in the rewritten text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Form {
    /// As psycopg2 took it.
    #[default]
    Same,
    /// A list where it was a tuple.
    List,
    /// Text, whatever it was.
    Text,
}

/// What a hazard says of a place.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) message: Cow<'static, str>,
    pub(super) fix: Option<Fix>,
}

impl Found {
    pub(super) fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            message: message.into(),
            fix: None,
        }
    }

    pub(super) fn with(self, fix: impl Into<Option<Fix>>) -> Self {
        Self {
            fix: fix.into(),
            ..self
        }
    }
}

impl Fix {
    pub(super) fn rewrite(advice: impl Into<String>, changes: Vec<Change>) -> Self {
        Self {
            kind: FixKind::Rewrite,
            safe: false,
            advice: advice.into(),
            changes,
        }
    }

    pub(super) fn cast(advice: impl Into<String>, changes: Vec<Change>) -> Self {
        Self {
            kind: FixKind::Cast,
            ..Self::rewrite(advice, changes)
        }
    }

    pub(super) fn safe_if(self, safe: bool) -> Self {
        Self { safe, ..self }
    }
}
