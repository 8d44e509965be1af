//! `pontoon check`: what must hold before anybody is sent to the other backend.

mod budget;
mod compare;
mod summary;

use super::context::Context;
use super::database::{Database, budget as total};
use super::exit::{Exit, Outcome};
use super::finding::Finding;
use super::print::{Printer, Tone};
use super::statements::{Statement, Statements};
use crate::backend::{StorageBackend, parity};
use crate::config::Settings;
use crate::error::Error;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use summary::Summary;

/// Compares both backends on this database before anybody is moved: session, TLS, budget, every query
///
/// Each query is prepared on both backends, and not run: parameter types and columns must be the same. What is found in a file points to
/// its place there, although the server saw the converted text. A hazard that the server would refuse, or silently read as something else,
/// is a finding and is not prepared. Exit code 1 names each difference.
///
/// `--json` prints `{"summary":{"backends","properties","statements","unchecked","findings"},"findings":[{"file","line","column","code","message","suggestion"}]}`;
/// `code` is a hazard's name, an SQLSTATE, or the word for what differs.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Checks the queries of this `.sql` file, Python source or folder instead of the program's own
    #[arg(long, value_name = "PATH")]
    sql: Option<PathBuf>,
}

impl Check {
    pub(super) fn run(self, context: &Context) -> Outcome<Exit> {
        let settings = context.settings()?;
        let read = match &self.sql {
            Some(root) => Statements::under(root)?,
            None => Statements::of_program()?,
        };
        let database = Database::named(&settings)?;
        let printer = context.printer();
        context.block_on(async {
            let mut findings = Vec::new();
            let reached = reach(&database, &mut findings).await?;
            let mut summary = Summary {
                backends: reached.len(),
                ..Summary::default()
            };
            if let [control, candidate] = &*reached {
                sessions(&**control, &**candidate, &mut findings).await?;
                summary.properties = true;
            }
            if let Some(backend) = reached.first() {
                check_budget(&**backend, &settings, &mut findings, printer).await?;
            }
            let (checked, control): (Vec<_>, Vec<_>) = read
                .ready
                .iter()
                .partition(|statement| statement.query.refuse_transaction_control().is_ok());
            summary.statements = checked.len();
            summary.unchecked = read.dynamic.len() + control.len();
            findings.extend(read.findings);
            check_statements(&reached, &checked, &mut findings, printer).await?;
            database.close().await;
            Finding::sort(&mut findings);
            summary.findings = findings.len();
            tell(&summary, &findings, &database.shown, printer)
        })
    }
}

/// The backends that reach the server. That none does is a failure; that one does not is a finding.
async fn reach(
    database: &Database,
    findings: &mut Vec<Finding>,
) -> Outcome<Vec<Arc<dyn StorageBackend>>> {
    let mut reached = Vec::new();
    let mut failed: Vec<Error> = Vec::new();
    for backend in database.backends() {
        match backend.ping().await {
            Ok(()) => reached.push(backend),
            Err(error) => failed.push(error.with_backend(backend.kind().as_str())),
        }
    }
    match failed.into_iter().next() {
        Some(error) if reached.is_empty() => Err(error.into()),
        Some(error) => {
            findings.push(
                Finding::new("connection", error.to_string())
                    .with_suggestion(error.hint().unwrap_or_default()),
            );
            Ok(reached)
        }
        None => Ok(reached),
    }
}

/// Compares the sessions.
async fn sessions(
    control: &dyn StorageBackend,
    candidate: &dyn StorageBackend,
    findings: &mut Vec<Finding>,
) -> Outcome<()> {
    for difference in parity(control, candidate).await? {
        let code = if difference.name.starts_with("tls") {
            "tls"
        } else {
            "session"
        };
        findings.push(
            Finding::new(
                code,
                format!("{difference} (control: blocking, candidate: async)"),
            )
            .with_suggestion(
                "set it for the role or the database, so that both sessions begin alike",
            ),
        );
    }
    Ok(())
}

async fn check_budget(
    backend: &dyn StorageBackend,
    settings: &Settings,
    findings: &mut Vec<Finding>,
    printer: &Printer,
) -> Outcome<()> {
    let room = budget::Room::ask(backend).await?;
    let wanted = i64::try_from(total(settings)).unwrap_or(i64::MAX);
    findings.extend(room.refuses(wanted));
    if let Some(crowded) = room.crowded(wanted) {
        printer.warn(&crowded);
    }
    Ok(())
}

async fn check_statements(
    backends: &[Arc<dyn StorageBackend>],
    statements: &[&Statement],
    findings: &mut Vec<Finding>,
    printer: &Printer,
) -> Outcome<()> {
    let progress = printer.progress(
        u64::try_from(statements.len()).unwrap_or_default(),
        "preparing",
    );
    for statement in statements {
        findings.extend(compare::compare(backends, statement).await?);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(())
}

fn tell(
    summary: &Summary,
    findings: &[Finding],
    database: &str,
    printer: &Printer,
) -> Outcome<Exit> {
    if printer.is_json() {
        printer.document(&json!({ "summary": summary, "findings": findings }))?;
    } else {
        for finding in findings {
            printer.data(&finding.text(printer))?;
        }
        let (count, tone) = (
            findings.len(),
            if findings.is_empty() {
                Tone::Good
            } else {
                Tone::Bad
            },
        );
        let plural = if count == 1 { "" } else { "s" };
        let found = printer.paint(&format!("{count} finding{plural}"), tone);
        printer.data(&format!("{found}: {summary}"))?;
        printer.note(&format!("checked {database}"));
    }
    Ok(if findings.is_empty() {
        Exit::Done
    } else {
        Exit::Findings
    })
}
