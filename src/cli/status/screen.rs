//! The status as text.

use crate::cli::print::{Printer, Tone, percent as shown};
use crate::cli::sources::{self, word};
use serde_json::Value;

/// A screen of 80 columns or more.
pub(super) fn text(status: &Value, printer: &Printer) -> String {
    let mut text = head(status, printer);
    text.push('\n');
    text.push_str(&sources::table(status, printer));
    text.push('\n');
    text.push_str(&backends(status, printer));
    text.push_str(&sources::alarms(status, printer));
    text
}

fn head(status: &Value, printer: &Printer) -> String {
    let stage = word(&status["stage"]);
    let tone = if stage.starts_with("rolled") {
        Tone::Bad
    } else {
        Tone::Title
    };
    let percent = &status["percent"];
    let actual = percent["actual"].as_f64().map_or_else(
        || "no call yet".to_owned(),
        |actual| format!("{actual} % of the calls so far"),
    );
    let mut lines = vec![
        ("stage", printer.paint(&stage, tone)),
        (
            "async",
            format!("{} % of the keys, {actual}", shown(&percent["nominal"])),
        ),
        ("revision", word(&status["revision"])),
    ];
    if let Some(keyless) = keyless(status) {
        lines.push(("without key", keyless));
    }
    if let Some(environment) = status["environment"].as_str() {
        lines.push(("environment", environment.to_owned()));
    }
    if let Some(instances) = instances(&status["instances"]) {
        lines.push(("instances", instances));
    }
    let line = |(name, value): &(&str, String)| {
        let name = printer.paint(&format!("{name:<12}"), Tone::Faint);
        format!("{name} {value}\n")
    };
    lines.iter().map(line).collect::<Vec<_>>().concat()
}

/// The units of work without a key, where others are async: until then all are blocking.
fn keyless(status: &Value) -> Option<String> {
    let share = status["percent"]["nominal"].as_f64()?;
    let count = status["keyless"].as_u64()?;
    let units = if count == 1 { "unit" } else { "units" };
    let told = || format!("{count} {units} of work, which were blocking");
    (share > 0.0 && count > 0).then(told)
}

fn instances(instances: &Value) -> Option<String> {
    let (applied, total) = (instances["applied"].as_u64()?, instances["total"].as_u64()?);
    let silent: Vec<String> = instances["silent"]
        .as_array()
        .into_iter()
        .flatten()
        .map(word)
        .collect();
    let silent = if silent.is_empty() {
        String::new()
    } else {
        format!(", silent: {}", silent.join(", "))
    };
    Some(format!("{applied}/{total} at this revision{silent}"))
}

fn backends(status: &Value, printer: &Printer) -> String {
    let titles = [
        "backend", "#calls", "#errors", "#running", "#p50 ms", "#p95", "#p99", "#open", "#busy",
        "#wait",
    ];
    let mut grid = printer.grid(titles);
    for kind in ["blocking", "async"] {
        let side = &status["backends"][kind];
        if side.is_null() {
            continue;
        }
        let count = |value: &Value| (word(value), Tone::Plain);
        let time = |value: &Value| {
            (
                value
                    .as_f64()
                    .map_or_else(|| "-".to_owned(), |ms| format!("{ms:.2}")),
                Tone::Plain,
            )
        };
        let errors = if side["errors"].as_u64().unwrap_or_default() > 0 {
            Tone::Bad
        } else {
            Tone::Plain
        };
        let pool = &side["pool"];
        let open = format!("{}/{}", word(&pool["size"]), word(&pool["max"]));
        grid.toned([
            (kind.to_owned(), Tone::Plain),
            count(&side["calls"]),
            (word(&side["errors"]), errors),
            count(&side["in_flight"]),
            time(&side["p50_ms"]),
            time(&side["p95_ms"]),
            time(&side["p99_ms"]),
            (open, Tone::Plain),
            count(&pool["in_use"]),
            count(&pool["waiting"]),
        ]);
    }
    grid.text()
}
