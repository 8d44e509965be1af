//! Why a text cannot be translated, and where in it.

use super::scan::Unterminated;
use super::style::Paramstyle;

/// A text that cannot be translated without a change of meaning: what is wrong, where, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}; expected {expected}")]
#[non_exhaustive]
pub struct TranslateError {
    /// What is wrong, for a program to decide on.
    pub kind: TranslateErrorKind,
    /// The byte of the text at which the faulty piece starts.
    pub offset: usize,
    /// The line of that byte; the first is 1.
    pub line: usize,
    /// The character in that line; the first is 1.
    pub column: usize,
    /// What is wrong, for a reader.
    pub message: String,
    /// What to write instead.
    pub expected: String,
}

/// What keeps a text from being translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TranslateErrorKind {
    /// A `%` that starts neither a placeholder nor `%%`.
    BarePercent,
    /// `%` with a conversion that psycopg does not know, such as `%d`.
    UnknownPlaceholder,
    /// `%(` without the `)s` that ends it.
    UnterminatedPlaceholder,
    /// Placeholders of two styles, or of another style than the one asked for.
    MixedStyles,
    /// A `$1` of the text's own, which would collide with the numbers that translation gives.
    ExistingParameter,
    /// The style cannot be told from the text.
    AmbiguousStyle,
    /// A placeholder in a string literal, where the server reads text.
    InString,
    /// A placeholder in a quoted identifier, where the server reads a name.
    InQuotedIdentifier,
    /// A placeholder in a dollar-quoted string, where the server reads text.
    InDollarQuote,
    /// A placeholder in a comment, which the server does not read.
    InComment,
    /// A placeholder that touches a name, a number or a literal, so that `$1` would become part of it.
    Glued,
    /// Parameters `$1` … `$n` with one of them missing.
    MissingNumber,
    /// More parameters than the protocol can carry, 65535.
    TooManyParameters,
    /// A string literal without its closing quote.
    UnterminatedString,
    /// A quoted identifier without its closing quote.
    UnterminatedIdentifier,
    /// A dollar-quoted string without its closing delimiter.
    UnterminatedDollarQuote,
    /// A block comment without its `*/`.
    UnterminatedComment,
    /// `BEGIN ATOMIC` without its `END`.
    UnterminatedBody,
}

impl TranslateError {
    pub(crate) fn at(
        sql: &str,
        offset: usize,
        kind: TranslateErrorKind,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        let before = &sql[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            kind,
            offset,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
            expected: expected.into(),
        }
    }

    pub(crate) fn unterminated(sql: &str, found: Unterminated) -> Self {
        let (what, closing) = match found.kind {
            TranslateErrorKind::UnterminatedIdentifier => ("quoted identifier", "`\"`"),
            TranslateErrorKind::UnterminatedDollarQuote => {
                ("dollar-quoted string", "the delimiter that opened it")
            }
            TranslateErrorKind::UnterminatedComment => ("comment", "`*/`"),
            _ => ("string literal", "`'`"),
        };
        let message = format!("this {what} is never closed");
        Self::at(
            sql,
            found.offset,
            found.kind,
            message,
            format!("{closing} before the text ends"),
        )
    }
}

/// A word that names no style.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown paramstyle {word:?}; expected one of {expected}")]
pub struct UnknownStyle {
    word: String,
    expected: String,
}

impl UnknownStyle {
    /// The error for `word` where the words of the paramstyles and `others` are known.
    pub(super) fn new(word: &str, others: &[&str]) -> Self {
        let known = Paramstyle::ALL.map(Paramstyle::as_str);
        let expected = [&known, others].concat().join(", ");
        Self {
            word: word.to_owned(),
            expected,
        }
    }
}
