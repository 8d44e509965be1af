//! One file: read, planned, and written if that is asked for.

use super::codes;
use super::diff;
use super::lines::Lines;
use super::options::Options;
use super::plan::{Plan, plan};
use super::remark::Remark;
use super::report::Report;
use super::tally::Tally;
use super::tree::Entry;
use super::write;
use crate::cli::place::Place;
use crate::sql::source::{Among, Constants, Holds, Seen, Unreadable, Use, Uses, language_of};
use crate::sql::translate::Edit;
use crate::sql::translate::lint::Severity;
use std::fs;
use std::path::{Path, PathBuf};

/// What is done with every file.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) options: &'a Options,
    /// What the files execute of each other's texts.
    pub(super) uses: &'a Uses,
    pub(super) report: &'a dyn Report,
    pub(super) write: bool,
    /// Whether the changes are shown, and in colour.
    pub(super) diff: Option<bool>,
}

/// What came of one file, ready to be printed.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Each finding as the report shows it.
    pub(super) findings: Vec<String>,
    pub(super) diff: String,
    pub(super) tally: Tally,
}

/// A mark that some editors put before a text. It is no part of it.
pub(super) const MARK: &str = "\u{feff}";

impl Job<'_> {
    /// Does what is asked for with one file.
    pub(super) fn convert(&self, entry: &Entry) -> Done {
        match entry {
            Entry::File(path) => self.convert_file(path),
            Entry::Closed(name, why) => self.closed(name, why),
        }
    }

    fn convert_file(&self, path: &Path) -> Done {
        let name = shown(path);
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => return self.closed(&name, &error.to_string()),
        };
        let text = match std::str::from_utf8(&bytes) {
            Ok(text) => text,
            Err(error) => return self.no_utf8(&name, &bytes, error.valid_up_to()),
        };
        let mark = if text.starts_with(MARK) { MARK } else { "" };
        let text = &text[mark.len()..];
        let Some(language) = language_of(path) else {
            return Done::default();
        };
        let queries = match language.among {
            Some(among) => (among.find)(&absolute(path), text, self.uses),
            None => (language.find)(text),
        };
        let mut plan = plan(text, queries, self.options);
        let mut done = Done::default();
        if !plan.edits.is_empty() {
            let new = Edit::apply(text, &plan.edits);
            if let Some(color) = self.diff {
                done.diff = diff::unified(&name, text, &new, color);
            }
            if self.write {
                match write::replace(path, &bytes, format!("{mark}{new}").as_bytes()) {
                    Ok(()) => plan.tally.written = 1,
                    Err(error) => not_written(&mut plan, &error.to_string()),
                }
            }
        }
        self.show(&name, text, plan, done)
    }

    fn show(&self, name: &str, text: &str, plan: Plan, mut done: Done) -> Done {
        if !plan.remarks.is_empty() {
            let lines = Lines::new(text);
            done.findings = self.report.findings(name, &lines, &plan.remarks);
        }
        done.tally = plan.tally;
        done
    }

    /// A file or folder that cannot be read.
    fn closed(&self, name: &str, why: &str) -> Done {
        let error = Unreadable {
            line: 1,
            column: 1,
            message: why.to_owned(),
        };
        self.show(
            name,
            "",
            plan("", Err(error), self.options),
            Done::default(),
        )
    }

    fn no_utf8(&self, name: &str, bytes: &[u8], valid: usize) -> Done {
        let text = String::from_utf8_lossy(bytes);
        let Place { line, column } = Place::at(&text, valid);
        let byte = bytes.get(valid).copied().unwrap_or_default();
        let error = Unreadable {
            line,
            column,
            message: format!("the byte 0x{byte:02x} is no UTF-8"),
        };
        let plan = plan(&text, Err(error), self.options);
        self.show(name, &text, plan, Done::default())
    }
}

/// What a file tells before anything is converted. One that cannot be read so is told when it is to be.
pub(super) fn look(entry: &Entry) -> Seen {
    among(entry, |among, _, text| (among.look)(text)).unwrap_or(Seen {
        constants: Vec::new(),
        holds: Holds::Queries,
    })
}

/// What a file executes and reads of the others' constants.
pub(super) fn uses(entry: &Entry, known: &Constants) -> Vec<Use> {
    let found = among(entry, |among, path, text| {
        (among.uses)(&absolute(path), &shown(path), text, known)
    });
    found.unwrap_or_default()
}

/// Whether the file can be a module that the uses mean.
pub(super) fn may_hold(entry: &Entry, uses: &Uses) -> bool {
    matches!(entry, Entry::File(path) if uses.may_name(&absolute(path)))
}

/// Whether the file can be a module of which the uses execute something.
pub(super) fn may_be_executed(entry: &Entry, uses: &Uses) -> bool {
    matches!(entry, Entry::File(path) if uses.may_execute_of(&absolute(path)))
}

/// Notes which of the uses a file holds the text of.
pub(super) fn hold(entry: &Entry, uses: &Uses) {
    among(entry, |among, path, text| {
        let whole = absolute(path);
        if uses.may_execute(&whole, text) {
            // What cannot be read holds nothing, and is told when it is converted.
            let _ = (among.find)(&whole, text, uses);
        }
    });
}

/// Gives a file that is read among others to `then`; none if it is not, or cannot be read.
fn among<T>(entry: &Entry, then: impl FnOnce(Among, &Path, &str) -> T) -> Option<T> {
    let Entry::File(path) = entry else {
        return None;
    };
    let among = language_of(path)?.among?;
    let bytes = fs::read(path).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    Some(then(among, path, text.strip_prefix(MARK).unwrap_or(text)))
}

/// The path from the root, by its words alone.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The path as it was typed or found, without a needless `./`.
fn shown(path: &Path) -> String {
    path.strip_prefix("./")
        .unwrap_or(path)
        .display()
        .to_string()
}

/// Nothing of the plan came to be.
fn not_written(plan: &mut Plan, why: &str) {
    let start = Place { line: 1, column: 1 };
    let tally = &mut plan.tally;
    tally.errors += 1;
    tally.held += tally.converted;
    (tally.converted, tally.rewrites) = (0, 0);
    let remark = Remark {
        code: codes::NOT_WRITTEN,
        severity: Severity::Error,
        range: 0..0,
        start,
        end: start,
        query: None,
        message: format!("not written: {why}"),
        suggestion: None,
        edits: [].into(),
    };
    plan.remarks.insert(0, remark);
}
