//! What was seen and done, counted.

use crate::sql::translate::lint::Severity;
use serde::Serialize;
use std::fmt;
use std::ops::AddAssign;

/// What was seen and done in one file, or in all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Tally {
    pub(super) files: usize,
    pub(super) queries: usize,
    /// Queries whose text changes.
    pub(super) converted: usize,
    /// Queries that stay as they are because of a hazard or an error.
    pub(super) held: usize,
    /// Rewrites of hazards.
    pub(super) rewrites: usize,
    /// Texts that are built at run time.
    pub(super) dynamic: usize,
    pub(super) hazards: Hazards,
    /// Texts and files that could not be read, and files that could not be written.
    pub(super) errors: usize,
    /// Files that were written.
    pub(super) written: usize,
}

/// How many hazards of each severity are left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Hazards {
    pub(super) error: usize,
    pub(super) warning: usize,
    pub(super) note: usize,
}

impl Hazards {
    pub(super) fn count(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.error += 1,
            Severity::Warning => self.warning += 1,
            Severity::Note => self.note += 1,
        }
    }
}

impl Tally {
    /// Whether something stands in the way of a conversion.
    pub(super) fn is_hindered(&self) -> bool {
        self.held + self.errors + self.hazards.error > 0
    }

    /// Whether a converted project would look otherwise, or has hazards that only values can prove harmless.
    pub(super) fn is_unclean(&self) -> bool {
        self.is_hindered() || self.converted + self.hazards.warning > 0
    }
}

impl AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        self.files += other.files;
        self.queries += other.queries;
        self.converted += other.converted;
        self.held += other.held;
        self.rewrites += other.rewrites;
        self.dynamic += other.dynamic;
        self.hazards.error += other.hazards.error;
        self.hazards.warning += other.hazards.warning;
        self.hazards.note += other.hazards.note;
        self.errors += other.errors;
        self.written += other.written;
    }
}

/// `3 files, 1 query: ...`
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = if self.converted > 0 && self.written == 0 {
            "to convert"
        } else {
            "converted"
        };
        write!(
            f,
            "{}, {}: {} {done}",
            count(self.files, "file", "files"),
            count(self.queries, "query", "queries"),
            self.converted
        )?;
        if self.rewrites > 0 {
            write!(f, " with {}", count(self.rewrites, "rewrite", "rewrites"))?;
        }
        write!(
            f,
            ", {} held back, {} dynamic; hazards: {}, {}, {}",
            self.held,
            self.dynamic,
            count(self.hazards.error, "error", "errors"),
            count(self.hazards.warning, "warning", "warnings"),
            count(self.hazards.note, "note", "notes"),
        )?;
        if self.errors > 0 {
            write!(f, "; {} unreadable or unwritten", self.errors)?;
        }
        if self.written > 0 {
            write!(f, "; {} written", count(self.written, "file", "files"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_what_was_done_and_what_is_left() {
        let mut tally = Tally {
            files: 2,
            queries: 1,
            converted: 1,
            ..Tally::default()
        };
        let hazards = "hazards: 0 errors, 1 warning, 0 notes";
        tally.hazards.count(Severity::Warning);
        assert_eq!(
            tally.to_string(),
            format!("2 files, 1 query: 1 to convert, 0 held back, 0 dynamic; {hazards}")
        );
        assert!(tally.is_unclean() && !tally.is_hindered());
        let other = Tally {
            converted: 1,
            rewrites: 1,
            errors: 1,
            written: 1,
            ..Tally::default()
        };
        tally += &other;
        assert_eq!(
            tally.to_string(),
            format!(
                "2 files, 1 query: 2 converted with 1 rewrite, 0 held back, 0 dynamic; {hazards}; 1 unreadable or unwritten; 1 file written"
            )
        );
        assert!(tally.is_hindered());
    }
}
