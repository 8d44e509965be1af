//! SARIF 2.1.0, the format that code scanning services read.

use super::Report;
use crate::cli::convert::codes;
use crate::cli::convert::lines::Lines;
use crate::cli::convert::remark::Remark;
use crate::cli::convert::tally::Tally;
use crate::sql::translate::Edit;
use crate::sql::translate::lint::HAZARDS;
use serde_json::{Value, json};
use std::fmt::Write;

#[derive(Debug)]
pub(super) struct Sarif;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

impl Report for Sarif {
    fn opening(&self) -> String {
        let driver = json!({
            "name": "pontoon",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules(),
        });
        // A column counts characters, not the UTF-16 units that the format counts otherwise.
        format!(
            "{{\"$schema\":\"{SCHEMA}\",\"version\":\"2.1.0\",\"runs\":[{{\"tool\":{{\"driver\":{driver}}},\"columnKind\":\"unicodeCodePoints\",\"results\":["
        )
    }

    fn finding(&self, file: &str, lines: &Lines<'_>, remark: &Remark) -> String {
        let place = json!({ "artifactLocation": { "uri": uri(file) }, "region": region(remark) });
        let advice = remark.suggestion.as_ref();
        let advice = advice.map_or_else(String::new, |text| format!("\n{text}"));
        let mut result = json!({
            "ruleId": remark.code,
            "level": remark.severity.as_str(),
            "message": { "text": format!("{}{advice}", remark.message) },
            "locations": [{ "physicalLocation": place }],
        });
        if !remark.edits.is_empty() {
            result["fixes"] = json!([fix(file, lines, remark)]);
        }
        format!("\n{result}")
    }

    fn between(&self) -> &'static str {
        ","
    }

    fn closing(&self, _: &Tally) -> String {
        "\n]}]}\n".to_owned()
    }
}

fn region(remark: &Remark) -> Value {
    json!({
        "startLine": remark.start.line,
        "startColumn": remark.start.column,
        "endLine": remark.end.line,
        "endColumn": remark.end.column,
    })
}

fn fix(file: &str, lines: &Lines<'_>, remark: &Remark) -> Value {
    let replacement = |edit: &Edit| {
        let (start, end) = (lines.place(edit.range.start), lines.place(edit.range.end));
        json!({
            "deletedRegion": {
                "startLine": start.line,
                "startColumn": start.column,
                "endLine": end.line,
                "endColumn": end.column,
            },
            "insertedContent": { "text": edit.text },
        })
    };
    let replacements: Vec<Value> = remark.edits.iter().map(replacement).collect();
    json!({
        "description": { "text": remark.suggestion.as_deref().unwrap_or("convert the query") },
        "artifactChanges": [{ "artifactLocation": { "uri": uri(file) }, "replacements": replacements }],
    })
}

fn rules() -> Vec<Value> {
    let rule = |code: codes::Code| {
        let hazard = HAZARDS.iter().find(|hazard| hazard.code == code.word);
        let why = hazard.map_or(code.title, |hazard| hazard.why);
        json!({
            "id": code.word,
            "shortDescription": { "text": code.title },
            "fullDescription": { "text": why },
            "defaultConfiguration": { "level": code.severity.as_str() },
        })
    };
    codes::all().map(rule).collect()
}

/// The path as a relative reference, or as a file's URI if it is absolute.
fn uri(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(byte));
            }
            // Writing to a text does not fail.
            _ => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    if path.starts_with('/') {
        text.insert_str(0, "file://");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_result_has_its_rule_and_its_fix() {
        let text = "SELECT %s";
        let mut remark = sample(text, 7..9);
        let edit = Edit {
            range: 7..9,
            text: "$1".to_owned(),
        };
        remark.edits = [edit].into();
        let whole = Sarif.opening()
            + &Sarif.finding("a b/é.sql", &Lines::new(text), &remark)
            + &Sarif.closing(&Tally::default());
        let read: Value = serde_json::from_str(&whole).unwrap();
        assert_eq!(read["version"], "2.1.0");
        let run = &read["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let ids: BTreeSet<&str> = rules
            .iter()
            .map(|rule| rule["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids.len(), rules.len());
        let result = &run["results"][0];
        assert!(ids.contains(result["ruleId"].as_str().unwrap()));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b/%C3%A9.sql");
        assert_eq!(place["region"]["startColumn"], 8);
        let change = &result["fixes"][0]["artifactChanges"][0]["replacements"][0];
        assert_eq!(change["insertedContent"]["text"], "$1");
        assert_eq!(change["deletedRegion"]["endColumn"], 10);
    }

    #[test]
    fn an_absolute_path_is_a_uri() {
        assert_eq!(uri("/a/b:c.py"), "file:///a/b%3Ac.py");
    }
}
