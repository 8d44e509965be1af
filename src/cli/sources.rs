//! What the flag's sources say, as text: for every command that shows it.

use super::print::{Printer, Tone};
use serde_json::Value;

/// Who says how far the flag may go; the lowest cap is the one that holds.
pub(super) fn table(document: &Value, printer: &Printer) -> String {
    let mut grid = printer.grid(["source", "cap", "says"]);
    for source in document["sources"].as_array().into_iter().flatten() {
        let cap = word(&source["cap"]);
        let tone = if cap == "complete" {
            Tone::Faint
        } else {
            Tone::Bad
        };
        grid.toned([
            (word(&source["name"]), Tone::Plain),
            (cap, tone),
            (word(&source["detail"]), Tone::Plain),
        ]);
    }
    grid.text()
}

/// What is wrong with a source while the flag goes by what it said before: a paragraph for each.
pub(super) fn alarms(document: &Value, printer: &Printer) -> String {
    let alarms = document["alarms"].as_array().into_iter().flatten();
    let alarms = alarms.map(|alarm| {
        let title = printer.paint("alarm", Tone::Bad);
        format!("\n{title}: {}\n", word(alarm))
    });
    alarms.collect()
}

/// A text without its quotation marks, anything else as JSON; `-` for what an older instance does not tell.
pub(super) fn word(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
