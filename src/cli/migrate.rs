//! `pontoon migrate`: brings the database to this build's schema, or only tells what it lacks.

use super::context::Context;
use super::database::Database;
use super::exit::{Exit, Outcome};
use super::print::{Printer, Tone};
use crate::backend::migrate::{self, Report};
use clap::Args;
use std::time::Duration;

/// Brings the database to this build's schema
///
/// `--json` prints `{"present":[{"version","name"}],"applied":[...],"pending":[...]}`.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// Only tells what is missing; exit code 1 if anything is
    #[arg(long)]
    check: bool,
}

impl Migrate {
    pub(super) fn run(self, context: &Context) -> Outcome<Exit> {
        let mut settings = context.settings()?;
        // A transaction pooler cannot carry what a migration holds.
        if let Some(url) = settings.direct_url().cloned() {
            settings.database_url = Some(url);
        }
        let database = Database::named(&settings)?;
        context.block_on(async {
            database.reach(Duration::ZERO, context.printer()).await?;
            let report = if self.check {
                migrate::check(&database.bridge).await?
            } else {
                migrate::migrate(&database.bridge).await?
            };
            database.close().await;
            tell(&report, context.printer())?;
            Ok(if self.check && !report.is_complete() {
                Exit::Findings
            } else {
                Exit::Done
            })
        })
    }
}

fn tell(report: &Report, printer: &Printer) -> Outcome<()> {
    if printer.is_json() {
        return printer.document(report);
    }
    let mut grid = printer.grid(["#version", "migration", "state"]);
    let steps = [
        (&report.present, "present", Tone::Faint),
        (&report.applied, "applied now", Tone::Good),
        (&report.pending, "missing", Tone::Bad),
    ];
    for (steps, state, tone) in steps {
        for step in steps {
            grid.toned([
                (step.version.to_string(), Tone::Plain),
                (step.name.clone(), Tone::Plain),
                (state.to_owned(), tone),
            ]);
        }
    }
    printer.data(&grid.text())?;
    printer.note(&match (report.applied.len(), report.pending.len()) {
        (0, 0) => "the schema is up to date".into(),
        (applied, 0) => format!("{applied} applied; the schema is up to date"),
        (_, pending) => format!("{pending} missing; `pontoon migrate` applies what is missing"),
    });
    Ok(())
}
