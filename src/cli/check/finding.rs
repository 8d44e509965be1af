//! What a check found: the shape that scripts read, and the lines that people do.

use crate::cli::place::Place;
use crate::cli::print::{Printer, Tone};
use serde::Serialize;
use std::fmt;

/// One thing that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// The file that it lies in; `None` for what belongs to the database.
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    /// A word for the kind of finding, or the SQLSTATE.
    pub(super) code: String,
    pub(super) message: String,
    suggestion: Option<String>,
}

/// What was looked at, and how much was found.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Summary {
    /// The backends that reached the server.
    pub(super) backends: usize,
    /// Whether the sessions' properties could be compared.
    pub(super) properties: bool,
    pub(super) statements: usize,
    pub(super) findings: usize,
}

impl Finding {
    pub(super) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            file: None,
            line: None,
            column: None,
            code: code.into(),
            message: message.into(),
            suggestion: None,
        }
    }

    pub(super) fn at(mut self, file: &str, place: Place) -> Self {
        self.file = Some(file.to_owned());
        (self.line, self.column) = (Some(place.line), Some(place.column));
        self
    }

    /// Adds what to do; an empty text is none.
    pub(super) fn with_suggestion(mut self, suggestion: &str) -> Self {
        self.suggestion = Some(suggestion.to_owned()).filter(|text| !text.is_empty());
        self
    }

    /// `file:line:column: code: message`, and the suggestion below.
    pub(super) fn text(&self, printer: &Printer) -> String {
        let place = match (&self.file, self.line, self.column) {
            (Some(file), Some(line), Some(column)) => {
                format!(
                    "{}: ",
                    printer.paint(&format!("{file}:{line}:{column}"), Tone::Title)
                )
            }
            _ => String::new(),
        };
        let code = printer.paint(&self.code, Tone::Bad);
        let hint = self
            .suggestion
            .as_ref()
            .map(|text| format!("\n  hint: {text}"))
            .unwrap_or_default();
        format!("{place}{code}: {}{hint}", self.message)
    }
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
        )
    }
}
