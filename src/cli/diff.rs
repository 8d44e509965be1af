//! `pontoon diff`: a file's statements on both backends, in transactions that are rolled back, compared.

mod answer;
mod code;
mod compare;
mod plan;
mod twin;

use super::context::Context;
use super::database::Database;
use super::exit::{Exit, Failure, Outcome};
use super::finding::Finding;
use super::print::{Printer, Tone};
use super::statements::Statements;
use crate::backend::BackendKind;
use answer::Answer;
use clap::Args;
use compare::{Settled, settle};
use plan::{Step, plan};
use serde::Serialize;
use serde_json::json;
use std::path::PathBuf;
use twin::{Snapshot, Twin};

/// Runs a file's statements on both backends and compares rows, counts and errors; nothing is ever committed
///
/// Each backend runs the whole file in one transaction that sees the same snapshot of the data, one backend after the other, so that
/// neither waits for the other's locks. A statement that fails is taken back alone, and the next one runs. At the end both transactions are
/// rolled back. Without --rollback the server refuses every write in them; with it they write, and what they wrote is taken back: all but
/// the numbers that sequences gave away, and what a function did outside of the database.
///
/// Rows are compared in their order where the statement has an ORDER BY of its own, and else as a set. `now()` and its like, `random()` and
/// sequences give each transaction other values: --except leaves such columns out.
///
/// What cannot run in a transaction that is rolled back (COPY, BEGIN and COMMIT, VACUUM, CREATE DATABASE, ...) and a statement that lacks a
/// value are told before anything runs, and then nothing runs. Exit code 1 names each difference.
///
/// `--json` prints `{"summary":{"statements","same","different","failed","findings"},"findings":[{"file","line","column","code","message","suggestion"}],"notes":[...]}`;
/// `failed` counts the statements that failed alike on both, which `notes` tells in the findings' shape.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The `.sql` file, of statements or named queries; or a Python source
    file: PathBuf,
    /// A value, in the order of the file's placeholders, or NAME=VALUE for every use of a named one; `\N` is NULL
    #[arg(
        short,
        long = "param",
        value_name = "VALUE",
        allow_hyphen_values = true
    )]
    params: Vec<String>,
    /// Lets the statements write, and takes back what they wrote
    #[arg(long)]
    rollback: bool,
    /// Leaves the values of this column out of the comparison; its name and type are compared
    #[arg(long, value_name = "COLUMN")]
    except: Vec<String>,
}

/// How the comparison ended.
#[derive(Debug, Default, Serialize)]
struct Summary {
    /// How many ran.
    statements: usize,
    same: usize,
    different: usize,
    /// Failed alike on both.
    failed: usize,
    findings: usize,
}

/// What is told at the end.
#[derive(Debug, Default)]
struct Report {
    summary: Summary,
    findings: Vec<Finding>,
    /// What failed on both.
    notes: Vec<Finding>,
    /// A line for each statement: place, text, the answers, the outcome.
    lines: Vec<Vec<(String, Tone)>>,
}

impl Diff {
    pub(super) fn run(self, context: &Context) -> Outcome<Exit> {
        let settings = context.settings()?;
        if self.file.is_dir() {
            let file = self.file.display();
            return Err(Failure::Usage(format!("{file}: expected a file")));
        }
        let steps = plan(Statements::under(&self.file)?, &self.params)?;
        let database = Database::named(&settings)?;
        let report = match steps {
            Ok(steps) => context.block_on(async {
                let report = self.compare(&database, &steps, context.printer()).await;
                database.close().await;
                report
            })?,
            Err(findings) => Report {
                findings,
                ..Report::default()
            },
        };
        tell(report, &database.shown, context.printer())
    }

    async fn compare(
        &self,
        database: &Database,
        steps: &[Step],
        printer: &Printer,
    ) -> Outcome<Report> {
        let snapshot = Snapshot::take(&*database.backend(BackendKind::Blocking)?).await?;
        if snapshot.id().is_none() {
            printer.warn("the server gives its snapshot to no other transaction: a write of somebody else's between the two runs shows as a difference");
        }
        let count = u64::try_from(2 * steps.len()).unwrap_or_default();
        let progress = printer.progress(count, "running");
        let control = database.backend(BackendKind::Blocking)?;
        let candidate = database.backend(BackendKind::Async)?;
        let mut report = Report::default();
        let mut twin = Twin::begin(control, self.rollback, snapshot.id()).await?;
        let mut first = Vec::with_capacity(steps.len());
        for step in steps {
            first.push(twin.answer(step).await?);
            progress.inc(1);
        }
        twin.end().await?;
        let mut twin = Twin::begin(candidate, self.rollback, snapshot.id()).await?;
        for (step, left) in steps.iter().zip(first) {
            let right = twin.answer(step).await?;
            report.take(step, &left, &right, &self.except);
            progress.inc(1);
        }
        twin.end().await?;
        snapshot.end().await?;
        progress.finish_and_clear();
        Ok(report)
    }
}

impl Report {
    fn take(&mut self, step: &Step, left: &Answer, right: &Answer, except: &[String]) {
        self.summary.statements += 1;
        let (word, tone) = match settle(step, left, right, except) {
            Settled::Same => {
                self.summary.same += 1;
                ("same", Tone::Good)
            }
            Settled::FailedAlike(note) => {
                self.summary.failed += 1;
                self.notes.push(note);
                ("fails alike", Tone::Plain)
            }
            Settled::Refused(finding) => {
                self.findings.push(finding);
                ("not run", Tone::Bad)
            }
            Settled::Different(findings) => {
                self.summary.different += 1;
                self.findings.extend(findings);
                ("different", Tone::Bad)
            }
        };
        let start = step.statement.start();
        let place = format!("{}:{}", start.line, start.column);
        self.lines.push(vec![
            (place, Tone::Faint),
            (step.title(), Tone::Plain),
            (left.word(), Tone::Plain),
            (right.word(), Tone::Plain),
            (word.to_owned(), tone),
        ]);
    }
}

fn tell(mut report: Report, database: &str, printer: &Printer) -> Outcome<Exit> {
    report.summary.findings = report.findings.len();
    let Report {
        summary,
        findings,
        notes,
        lines,
    } = &report;
    if printer.is_json() {
        printer.document(&json!({ "summary": summary, "findings": findings, "notes": notes }))?;
    } else {
        if !lines.is_empty() {
            let mut grid = printer.grid(["place", "statement", "blocking", "async", "outcome"]);
            for line in lines {
                grid.toned(line.iter().cloned());
            }
            printer.data(&grid.text())?;
        }
        for finding in findings {
            printer.data(&finding.text(printer))?;
        }
        for note in notes {
            printer.note(&format!("fails on both: {}", note.text(printer)));
        }
        printer.data(&summary.text(printer))?;
        printer.note(&format!("compared on {database}; nothing was committed"));
    }
    Ok(if findings.is_empty() {
        Exit::Done
    } else {
        Exit::Findings
    })
}

impl Summary {
    fn text(&self, printer: &Printer) -> String {
        if self.statements == 0 && self.findings > 0 {
            return printer.paint("nothing was run", Tone::Bad);
        }
        let tone = if self.findings == 0 {
            Tone::Good
        } else {
            Tone::Bad
        };
        let different = printer.paint(&format!("{} different", self.different), tone);
        let plural = if self.statements == 1 { "" } else { "s" };
        format!(
            "{different}, {} the same, {} failed alike, of {} statement{plural}",
            self.same, self.failed, self.statements
        )
    }
}
