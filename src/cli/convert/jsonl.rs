//! Queries as JSON lines: one line out for each line in, in order, as they come.

use super::codes;
use super::lines::Lines;
use super::options::{Options, To};
use super::remark::suggestion;
use super::stdin::params;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::place::Place;
use crate::cli::print::{Printer, stdout};
use crate::sql::translate::lint::{Finding, Severity};
use crate::sql::translate::{
    Paramstyle, Style, TranslateError, TranslateErrorKind, inspect, to_percent,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// One line in. Fields that are not named here are let be.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(default)]
    id: Value,
    sql: String,
    #[serde(default)]
    style: Option<String>,
    /// Whether the query is executed with parameters; absent or no boolean: the text shows it.
    #[serde(default)]
    params: Value,
    /// The same for whoever knows what the call gives: `none`; `sequence` or `mapping`; anything else says nothing.
    #[serde(default)]
    has_args: Value,
}

/// What stands in the way of a line.
#[derive(Debug)]
enum Refusal {
    Malformed(String),
    Text(TranslateError),
}

/// Answers every line of stdin, or of the files.
pub(super) fn run(paths: &[PathBuf], options: &Options, printer: &Printer) -> Outcome<Exit> {
    let mut failed = false;
    let mut out = stdout();
    if paths.is_empty() || paths == [Path::new("-")] {
        answer_all(
            &mut BufReader::with_capacity(1 << 16, io::stdin()),
            "stdin",
            options,
            &mut out,
            &mut failed,
        )?;
    }
    for path in paths.iter().filter(|path| *path != Path::new("-")) {
        let file = File::open(path)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        answer_all(
            &mut BufReader::with_capacity(1 << 16, file),
            &path.display().to_string(),
            options,
            &mut out,
            &mut failed,
        )?;
    }
    out.flush().map_err(Failure::Output)?;
    if failed {
        printer.note("some lines have an `error`, or a hazard that is one");
    }
    Ok(if failed { Exit::Findings } else { Exit::Done })
}

fn answer_all<R: io::Read>(
    input: &mut BufReader<R>,
    name: &str,
    options: &Options,
    out: &mut impl Write,
    failed: &mut bool,
) -> Outcome<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line);
        let read = read.map_err(|error| Failure::System(format!("cannot read {name}"), error))?;
        if read == 0 {
            return Ok(());
        }
        let (answer, fails) = answer(&line, options);
        *failed |= fails;
        writeln!(out, "{answer}").map_err(Failure::Output)?;
        // Who sends one line and waits gets its answer; who sends many gets them in large pieces.
        if input.buffer().is_empty() {
            out.flush().map_err(Failure::Output)?;
        }
    }
}

/// The answer to one line, and whether it has an error.
fn answer(line: &[u8], options: &Options) -> (Value, bool) {
    let read = match serde_json::from_slice::<Line>(line) {
        Ok(read) => read,
        Err(error) => {
            let id = serde_json::from_slice::<Value>(line)
                .ok()
                .and_then(|value| value.get("id").cloned());
            let refusal = Refusal::Malformed(malformed(line, &error));
            return (refused(&id.unwrap_or_default(), &refusal), true);
        }
    };
    match convert(&read, options) {
        Ok(answer) => {
            let fails = answer["held"] == true;
            (answer, fails)
        }
        Err(refusal) => (refused(&read.id, &refusal), true),
    }
}

fn malformed(line: &[u8], error: &serde_json::Error) -> String {
    if line.trim_ascii().is_empty() {
        return "the line is empty; expected {\"id\": ..., \"sql\": ...}".to_owned();
    }
    // The parser counts lines within what it was given, which is one.
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    format!(
        "column {}: {what}; expected {{\"id\": ..., \"sql\": ...}}",
        error.column()
    )
}

fn refused(id: &Value, refusal: &Refusal) -> Value {
    let error = match refusal {
        Refusal::Malformed(message) => json!({ "code": "malformed-line", "message": message }),
        Refusal::Text(error) => json!({
            "code": codes::of_error(error.kind),
            "line": error.line,
            "column": error.column,
            "message": error.message,
            "expected": error.expected,
        }),
    };
    json!({ "id": id, "sql": null, "params": [], "hazards": [], "error": error })
}

fn convert(line: &Line, options: &Options) -> Result<Value, Refusal> {
    let (style, has_params) = line.style(options)?;
    match options.to {
        To::NumericDollar => inspected(line, style, has_params, options),
        To::Format => returned(line, style, Paramstyle::Format),
        To::Pyformat => returned(line, style, Paramstyle::Pyformat),
    }
}

fn returned(line: &Line, style: Style, to: Paramstyle) -> Result<Value, Refusal> {
    if style == Style::NoParameters {
        return Ok(line.answer(&line.sql, &[], &[], false));
    }
    let conversion = to_percent(&line.sql, to).map_err(Refusal::Text)?;
    Ok(line.answer(&conversion.sql, &params(&conversion.parameters), &[], false))
}

fn inspected(
    line: &Line,
    style: Style,
    has_params: bool,
    options: &Options,
) -> Result<Value, Refusal> {
    let inspection = match inspect(&line.sql, style) {
        // The text does not show whether `%` is doubled, and the line does.
        Err(error) if has_params && error.kind == TranslateErrorKind::AmbiguousStyle => {
            inspect(&line.sql, Style::Psycopg)
        }
        read => read,
    }
    .map_err(Refusal::Text)?;
    let chosen = |finding: &Finding| {
        options.takes(finding) && !options.passes_over(finding.hazard.code, &[])
    };
    let conversion = inspection.convert(chosen);
    let left: Vec<&Finding> = (0..)
        .zip(inspection.findings())
        .filter(|(at, _)| !conversion.fixed.contains(at))
        .map(|(_, finding)| finding)
        .filter(|finding| !options.passes_over(finding.hazard.code, &[]))
        .collect();
    let held = left
        .iter()
        .any(|finding| finding.hazard.severity == Severity::Error);
    let lines = Lines::new(&line.sql);
    let hazards: Vec<Value> = left
        .into_iter()
        .filter(|finding| options.reports(finding.hazard.code))
        .map(|finding| hazard(&lines, finding))
        .collect();
    Ok(line.answer(
        &conversion.sql,
        &params(&conversion.parameters),
        &hazards,
        held,
    ))
}

fn hazard(lines: &Lines<'_>, finding: &Finding) -> Value {
    let Place { line, column } = lines.place(finding.range.start);
    json!({
        "code": finding.hazard.code,
        "severity": finding.hazard.severity.as_str(),
        "line": line,
        "column": column,
        "message": finding.message,
        "suggestion": suggestion(finding),
    })
}

impl Line {
    fn answer(&self, sql: &str, params: &[Value], hazards: &[Value], held: bool) -> Value {
        json!({ "id": self.id, "sql": sql, "params": params, "hazards": hazards, "held": held })
    }

    /// How the text is read, and whether the line says that it has parameters.
    fn style(&self, options: &Options) -> Result<(Style, bool), Refusal> {
        let word = self.has_args.as_str().unwrap_or_default();
        let style = self.style.as_deref().unwrap_or("auto");
        let without = self.params == false || word == "none" || style == "raw";
        let with = self.params == true || matches!(word, "sequence" | "mapping");
        let style = match style {
            _ if without => Style::NoParameters,
            // Said of a text in which no placeholder was seen; with parameters it is read as psycopg would.
            "none" if !with => Style::Auto,
            "none" | "mixed" => Style::Psycopg,
            "dollar" => Style::Known(Paramstyle::NumericDollar),
            word => word
                .parse()
                .map_err(|error| Refusal::Malformed(format!("{error}, mixed, raw")))?,
        };
        Ok((options.style(style), with))
    }
}
