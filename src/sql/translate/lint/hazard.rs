//! What a hazard is.

use std::ops::Range;

use super::context::Context;
use super::finding::Found;
use super::spot::Spot;

/// A construct that breaks or changes when the server binds the values.
#[derive(Debug)]
pub struct Hazard {
    /// Its name for people and scripts, in kebab-case: `in-tuple`.
    pub code: &'static str,
    /// What it does to the converted text.
    pub severity: Severity,
    /// What the construct is, in one line.
    pub title: &'static str,
    /// Why it breaks, and what to do about it.
    pub why: &'static str,
    /// What PostgreSQL answers; empty where it says nothing and that is the trouble.
    pub postgres: &'static str,
    /// A text in psycopg's style that has it.
    pub example: &'static str,
    /// What the example becomes by the rewrite, or what to write instead; empty where only the caller can tell.
    pub rewrite: &'static str,
    /// How it is found.
    pub(super) look: Look,
}

/// How much a hazard is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Valid and the same, if the value has the type that the server infers.
    Note,
    /// Valid text, but the server has to guess the parameter's type, or guesses text.
    Warning,
    /// Refused by the server, or silently something else.
    Error,
}

impl Severity {
    /// The word for people and scripts: `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Finds a hazard's places in a text, in bytes of the source.
pub(super) type FindAll = fn(&Context<'_>) -> Vec<(Range<usize>, Found)>;

/// When a hazard is asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Look {
    /// At each placeholder that the server reads as a parameter.
    Parameter(fn(&Spot<'_>) -> Option<Found>),
    /// At each placeholder that is in a literal, a name or a comment.
    Dead(fn(&Spot<'_>) -> Option<Found>),
    /// Once a text that has placeholders.
    Text(FindAll),
}
