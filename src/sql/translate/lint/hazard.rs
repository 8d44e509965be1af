//! What a hazard is.

use std::ops::Range;

use super::super::scan::TokenKind;
use super::context::Context;
use super::finding::Found;
use super::spot::Spot;
use super::token::Tok;

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

/// Takes a place of a hazard, in bytes of the source.
pub(super) type Add<'f> = dyn FnMut(Range<usize>, Found) + 'f;

/// What a placeholder stands behind, one bit each: a hazard is not asked where it cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Behind(u8);

impl Behind {
    /// `(`, `[` or `,`
    pub(super) const SIGN: Self = Self(1);
    pub(super) const OPERATOR: Self = Self(1 << 1);
    /// A name that is not quoted, or a keyword.
    pub(super) const WORD: Self = Self(1 << 2);
    /// Whatever else, or nothing.
    pub(super) const OTHER: Self = Self(1 << 3);
    pub(super) const ANYTHING: Self = Self(0b1111);
    /// Each of them.
    pub(super) const EACH: [Self; 4] = [Self::SIGN, Self::OPERATOR, Self::WORD, Self::OTHER];

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Behind that token.
    pub(super) fn of(token: &Tok) -> Self {
        match token.kind {
            TokenKind::Identifier => Self::WORD,
            TokenKind::Operator => Self::OPERATOR,
            TokenKind::Punctuation if matches!(token.first, b'(' | b'[' | b',') => Self::SIGN,
            _ => Self::OTHER,
        }
    }
}

/// Finds a hazard's places in a text.
pub(super) type FindAll = fn(&Context<'_>, &mut Add<'_>);

/// When a hazard is asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Look {
    /// At each placeholder behind one of these that the server reads as a parameter.
    Parameter(Behind, fn(&Spot<'_>) -> Option<Found>),
    /// At each placeholder that is in a literal, a name or a comment.
    Dead(fn(&Spot<'_>) -> Option<Found>),
    /// Once a text that has placeholders.
    Text(FindAll),
}
