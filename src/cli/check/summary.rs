//! How much was looked at.

use serde::Serialize;
use std::fmt;

/// What was looked at, and how much was found.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Summary {
    /// The backends that reached the server.
    pub(super) backends: usize,
    /// Whether the sessions' properties could be compared.
    pub(super) properties: bool,
    /// The statements that were prepared.
    pub(super) statements: usize,
    /// The statements that cannot be: built at run time, or a command of psql's or of a transaction.
    pub(super) unchecked: usize,
    pub(super) findings: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sessions = if self.properties {
            "sessions, TLS, "
        } else {
            ""
        };
        let statements = if self.statements == 1 {
            "statement"
        } else {
            "statements"
        };
        let backends = if self.backends == 1 {
            "one backend"
        } else {
            "both backends"
        };
        write!(
            f,
            "{sessions}budget and {} {statements} on {backends}",
            self.statements
        )?;
        match self.unchecked {
            0 => Ok(()),
            unchecked => write!(
                f,
                "; {unchecked} not checked, because no text of theirs goes to the server as it stands"
            ),
        }
    }
}
