//! SQL from stdin: the converted text to stdout, and everything else to stderr.

use super::diff;
use super::file::MARK;
use super::lines::Lines;
use super::options::Options;
use super::plan::{Plan, plan};
use super::report::{Format, Report, json_finding};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::place::Place;
use crate::cli::print::Printer;
use crate::sql::source::{SourceQuery, language_of};
use crate::sql::translate::{Bound, Edit, Parameter, Style};
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Read};
use std::path::Path;

/// What goes to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// The converted text.
    Text,
    /// What would change.
    Diff,
    /// Nothing: the exit code tells.
    Nothing,
}

const NAME: &str = "<stdin>";

/// Converts stdin.
pub(super) fn run(
    options: &Options,
    output: Output,
    format: Format,
    printer: &Printer,
) -> Outcome<Exit> {
    let whole = read(printer)?;
    // An editor's mark is no part of the text, and comes back as it was.
    let text = whole.strip_prefix(MARK).unwrap_or(&whole);
    let mark = &whole[..whole.len() - text.len()];
    let plan = plan(text, queries(text), options);
    let new = Edit::apply(text, &plan.edits);
    let hindered = plan.tally.is_hindered();
    let fails = hindered || (output == Output::Nothing && plan.tally.is_unclean());
    if format == Format::Json && output == Output::Text {
        printer.document(&document(&plan, &format!("{mark}{new}")))?;
    } else {
        let human = format == Format::Human;
        tell(&*format.report(printer, human), human, text, &plan, printer)?;
        match output {
            // What is not converted must not look as if it were.
            Output::Text if human && !hindered => {
                tell_parameters(&plan, printer);
                printer.raw(&format!("{mark}{new}"))?;
            }
            Output::Diff if !plan.edits.is_empty() => {
                printer.raw(&diff::unified(NAME, text, &new, printer.colors()))?;
            }
            _ => {}
        }
    }
    Ok(if fails { Exit::Findings } else { Exit::Done })
}

fn read(printer: &Printer) -> Outcome<String> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        printer.note("reading SQL from the terminal, up to Ctrl-D");
    }
    let mut bytes = Vec::new();
    let read = stdin.lock().read_to_end(&mut bytes);
    read.map_err(|error| Failure::System("cannot read stdin".to_owned(), error))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let lossy = String::from_utf8_lossy(error.as_bytes());
        let Place { line, column } = Place::at(&lossy, valid);
        let what = io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it is no UTF-8 at line {line}, column {column}"),
        );
        Failure::System("cannot read stdin".to_owned(), what)
    })
}

/// The text is one query, unless it names several.
fn queries(text: &str) -> Result<Vec<SourceQuery>, crate::sql::source::Unreadable> {
    let is_named = |line: &str| {
        let comment = line.trim_start().strip_prefix("--").map(str::trim_start);
        comment.is_some_and(|comment| comment.starts_with("name:"))
    };
    match language_of(Path::new("stdin.sql")) {
        Some(language) if text.lines().any(is_named) => (language.find)(text),
        _ => Ok(vec![SourceQuery::whole(text, Style::Auto)]),
    }
}

/// Findings: where the text goes to stdout they go to stderr.
fn tell(
    report: &dyn Report,
    to_errors: bool,
    text: &str,
    plan: &Plan,
    printer: &Printer,
) -> Outcome<()> {
    let findings = report.findings(NAME, &Lines::new(text), &plan.remarks);
    let findings = findings.join(report.between());
    if to_errors {
        printer.aside(&findings);
        return Ok(());
    }
    printer.raw(&(report.opening() + &findings + &report.closing(&plan.tally)))
}

/// Says what `$1`, `$2`, … are where the text says it no more.
fn tell_parameters(plan: &Plan, printer: &Printer) {
    for (name, parameters) in &plan.parameters {
        let told = |bound: &Bound| matches!(bound.parameter, Parameter::Name(_));
        if parameters.iter().any(told) {
            let of = name
                .as_ref()
                .map_or_else(String::new, |name| format!(" of {name}"));
            printer.note(&format!("parameters{of}: {}", list(parameters)));
        }
    }
}

fn list(parameters: &[Bound]) -> String {
    let one = |(number, bound): (usize, &Bound)| {
        let what = match &bound.parameter {
            Parameter::Name(name) => name.clone(),
            Parameter::Position(at) => format!("value {}", at + 1),
        };
        let form = match (bound.list, bound.text) {
            (true, _) => " as a list",
            (_, true) => " as text",
            _ => "",
        };
        format!("${number} = {what}{form}")
    };
    let all: Vec<String> = (1..).zip(parameters).map(one).collect();
    all.join(", ")
}

fn document(plan: &Plan, new: &str) -> Value {
    let findings: Vec<Value> = plan
        .remarks
        .iter()
        .map(|remark| json_finding(NAME, remark))
        .collect();
    let queries: Vec<Value> = plan
        .parameters
        .iter()
        .map(|(name, parameters)| json!({ "name": name, "params": params(parameters) }))
        .collect();
    let sql = (!plan.tally.is_hindered()).then_some(new);
    json!({ "summary": plan.tally, "findings": findings, "sql": sql, "queries": queries })
}

/// What `$1`, `$2`, … take: a name, or the place in the sequence of values, the first being 0.
pub(super) fn params(parameters: &[Bound]) -> Vec<Value> {
    let one = |bound: &Bound| match &bound.parameter {
        Parameter::Name(name) => json!(name),
        Parameter::Position(at) => json!(at),
    };
    parameters.iter().map(one).collect()
}
