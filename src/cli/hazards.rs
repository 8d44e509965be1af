//! `pontoon hazards`: what breaks or changes when the server binds the values, and how to write it instead.

use super::context::Context;
use super::convert::nearest_code;
use super::exit::{Exit, Failure, Outcome};
use super::print::{Printer, Tone};
use crate::sql::translate::lint::{HAZARDS, Hazard, Severity};
use clap::Args;
use serde_json::{Value, json};

/// Lists the hazards of converting to `$1`, or explains one
///
/// A hazard is something in a query that works when the driver writes the values into the text, as psycopg2 does, and that breaks, or
/// means something else, when the server binds them to `$1`. An error is refused by the server or silently something else; a warning
/// leaves the server to guess a type; a note is fine for values of the type that the server infers.
#[derive(Debug, Args)]
pub(super) struct Hazards {
    /// The hazard to explain
    code: Option<String>,
}

impl Hazards {
    pub(super) fn run(self, context: &Context) -> Outcome<Exit> {
        let printer = context.printer();
        match self.code {
            None => list(printer)?,
            Some(code) => explain(find(&code)?, printer)?,
        }
        Ok(Exit::Done)
    }
}

fn find(code: &str) -> Outcome<&'static Hazard> {
    // A code that is written as a constant, `IN_TUPLE`, is understood too.
    let kebab = code.to_ascii_lowercase().replace('_', "-");
    let mut hazards = HAZARDS.iter();
    hazards.find(|hazard| hazard.code == kebab).ok_or_else(|| {
        let known: Vec<&str> = HAZARDS.iter().map(|hazard| hazard.code).collect();
        Failure::Usage(format!(
            "there is no hazard `{code}`{}; `pontoon hazards` lists them",
            nearest_code(&kebab, &known)
        ))
    })
}

fn list(printer: &Printer) -> Outcome<()> {
    if printer.is_json() {
        let hazards: Vec<Value> = HAZARDS.iter().map(document).collect();
        return printer.document(&json!({ "hazards": hazards }));
    }
    let mut grid = printer.grid(["code", "severity", "what"]);
    for hazard in HAZARDS {
        let tone = match hazard.severity {
            Severity::Error => Tone::Bad,
            Severity::Warning => Tone::Title,
            Severity::Note => Tone::Plain,
        };
        grid.toned([
            (hazard.code, Tone::Plain),
            (hazard.severity.as_str(), tone),
            (hazard.title, Tone::Plain),
        ]);
    }
    printer.data(&grid.text())?;
    printer.note("`pontoon hazards CODE` explains one");
    Ok(())
}

fn explain(hazard: &Hazard, printer: &Printer) -> Outcome<()> {
    if printer.is_json() {
        return printer.document(&document(hazard));
    }
    let title = printer.paint(
        &format!("{} ({})", hazard.code, hazard.severity.as_str()),
        Tone::Title,
    );
    let mut text = format!("{title}\n{}\n\n{}\n", hazard.title, hazard.why);
    let postgres = match hazard.postgres {
        "" => "nothing: it runs, and does something else",
        answer => answer,
    };
    for (head, body) in [
        ("Example", hazard.example),
        ("PostgreSQL says", postgres),
        ("Write instead", hazard.rewrite),
    ] {
        if !body.is_empty() {
            let head = printer.paint(head, Tone::Title);
            let body: Vec<String> = body.lines().map(|line| format!("  {line}")).collect();
            text.extend(["\n", &head, "\n", &body.join("\n"), "\n"]);
        }
    }
    printer.data(&text)
}

fn document(hazard: &Hazard) -> Value {
    json!({
        "code": hazard.code,
        "severity": hazard.severity.as_str(),
        "title": hazard.title,
        "why": hazard.why,
        "postgres": hazard.postgres,
        "example": hazard.example,
        "rewrite": hazard.rewrite,
    })
}
