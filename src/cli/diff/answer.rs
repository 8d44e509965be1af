//! What a backend answered to a statement.

use crate::error::Error;
use crate::sql::{Column, Value};

/// Rows, a count, or an error.
#[derive(Debug)]
pub(super) enum Answer {
    Rows {
        columns: Vec<Column>,
        rows: Vec<Vec<Value>>,
    },
    Count(u64),
    Failed(Error),
}

impl Answer {
    /// A word or two for a table.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Rows { rows, .. } => counted(rows.len(), "row"),
            Self::Count(count) => format!("{count} affected"),
            Self::Failed(error) => code(error),
        }
    }
}

/// The SQLSTATE, or the word for an error that no server gave.
pub(super) fn code(error: &Error) -> String {
    error.sqlstate().unwrap_or(error.kind().as_str()).to_owned()
}

/// `1 row`, `2 rows`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
