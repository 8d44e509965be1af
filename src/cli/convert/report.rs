//! How findings are written out: one format a file. Each is written as the findings come, so none waits for the last file.

mod github;
mod human;
mod json;
mod sarif;

use super::lines::Lines;
use super::remark::Remark;
use super::tally::Tally;
use crate::cli::print::Printer;
use clap::ValueEnum;
use std::fmt;

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// The line with the place underlined
    Human,
    /// One document: `{"findings": [...], "summary": {...}}`
    Json,
    /// A finding a line, the summary last
    Jsonl,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

/// A way to write findings.
pub(super) trait Report: fmt::Debug + Sync {
    /// What comes before the first finding.
    fn opening(&self) -> String {
        String::new()
    }

    /// A finding in the file of those lines.
    fn finding(&self, file: &str, lines: &Lines<'_>, remark: &Remark) -> String;

    /// The findings in the file of those lines, in its order. A format may tell those of one place together.
    fn findings(&self, file: &str, lines: &Lines<'_>, remarks: &[Remark]) -> Vec<String> {
        let each = remarks.iter();
        each.map(|remark| self.finding(file, lines, remark))
            .collect()
    }

    /// What stands between two findings.
    fn between(&self) -> &'static str {
        ""
    }

    /// What comes behind the last finding.
    fn closing(&self, tally: &Tally) -> String;
}

impl Format {
    /// The report in this format; `to_errors` says that it goes to stderr.
    pub(super) fn report(self, printer: &Printer, to_errors: bool) -> Box<dyn Report> {
        match self {
            Self::Human => Box::new(human::Human::new(printer, to_errors)),
            Self::Json => Box::new(json::Document),
            Self::Jsonl => Box::new(json::Lines),
            Self::Sarif => Box::new(sarif::Sarif),
            Self::Github => Box::new(github::Github),
        }
    }
}

pub(super) use json::finding as json_finding;

/// A finding for the formats' tests.
#[cfg(test)]
fn sample(text: &str, range: std::ops::Range<usize>) -> Remark {
    let lines = Lines::new(text);
    Remark {
        code: "dynamic",
        severity: crate::sql::translate::lint::Severity::Warning,
        start: lines.place(range.start),
        end: lines.place(range.end),
        range,
        query: Some("find".to_owned()),
        message: "50% of it,\nor: more".to_owned(),
        suggestion: Some("write it out".to_owned()),
        edits: [].into(),
    }
}
