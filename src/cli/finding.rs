//! What a command found: the shape that scripts read, and the lines that people do.

use super::place::Place;
use super::print::{Printer, Tone};
use serde::Serialize;

/// One thing that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// The file that it lies in; `None` for what belongs to the database.
    pub(super) file: Option<String>,
    pub(super) line: Option<usize>,
    pub(super) column: Option<usize>,
    /// A word for the kind of finding, or the SQLSTATE.
    pub(super) code: String,
    pub(super) message: String,
    suggestion: Option<String>,
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

    /// The findings as people read them: in the order of the files, what belongs to no file first.
    pub(super) fn sort(findings: &mut [Self]) {
        findings.sort_by(|one, other| {
            (&one.file, one.line, one.column).cmp(&(&other.file, other.line, other.column))
        });
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
