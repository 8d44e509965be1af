//! What is wrong in a document, by the key that it is wrong at; whoever read the document knows the line.

use crate::error::{Error, ErrorKind, Result};
use std::time::Duration;

/// A value that is well formed and yet wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key's path, such as `plan.step[2].write`.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

/// The faults found so far.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// Adds a fault unless `fine`.
    pub(crate) fn check(
        &mut self,
        fine: bool,
        path: impl Into<String>,
        message: impl Into<String>,
    ) {
        if !fine {
            let (path, message) = (path.into(), message.into());
            self.0.push(Fault { path, message });
        }
    }

    pub(crate) fn fraction(&mut self, value: f64, path: &str) {
        // A NaN lies in no range.
        let fine = (0.0..=1.0).contains(&value);
        self.check(fine, path, format!("{value} is no share from 0.0 to 1.0"));
    }

    pub(crate) fn positive(&mut self, value: Duration, path: &str) {
        self.check(!value.is_zero(), path, "it must be longer than nothing");
    }

    pub(crate) fn at_least_one(&mut self, value: u32, path: &str) {
        self.check(value > 0, path, "it must be at least 1");
    }

    /// A text that is sent to the server or shown on one line.
    pub(crate) fn text(&mut self, value: &str, path: impl Into<String>) {
        let fine = !value.trim().is_empty() && !value.chars().any(char::is_control);
        self.check(fine, path, "it must be a text on one line, and not empty");
    }

    pub(crate) fn found(self) -> Vec<Fault> {
        self.0
    }

    /// The faults as one error, for what came from no file.
    pub(crate) fn into_result(self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let lines = self
            .0
            .iter()
            .map(|fault| format!("{}: {}", fault.path, fault.message));
        Err(Error::new(
            ErrorKind::Config,
            lines.collect::<Vec<_>>().join("\n"),
        ))
    }
}
