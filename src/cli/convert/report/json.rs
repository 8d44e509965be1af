//! For programs: one document, or one finding a line.

use super::Report;
use crate::cli::convert::lines;
use crate::cli::convert::remark::Remark;
use crate::cli::convert::tally::Tally;
use serde_json::{Value, json};

/// One document. The findings come first in it, because the summary is known last.
#[derive(Debug)]
pub(super) struct Document;

/// A finding a line, the summary on the last.
#[derive(Debug)]
pub(super) struct Lines;

/// A finding as scripts read it.
pub(in crate::cli::convert) fn finding(file: &str, remark: &Remark) -> Value {
    json!({
        "file": file,
        "line": remark.start.line,
        "column": remark.start.column,
        "end_line": remark.end.line,
        "end_column": remark.end.column,
        "code": remark.code,
        "severity": remark.severity.as_str(),
        "message": remark.message,
        "suggestion": remark.suggestion,
        "query": remark.query,
    })
}

impl Report for Document {
    fn opening(&self) -> String {
        "{\"findings\":[".to_owned()
    }

    fn finding(&self, file: &str, _: &lines::Lines<'_>, remark: &Remark) -> String {
        format!("\n{}", finding(file, remark))
    }

    fn between(&self) -> &'static str {
        ","
    }

    fn closing(&self, tally: &Tally) -> String {
        format!("\n],\"summary\":{}}}\n", json!(tally))
    }
}

impl Report for Lines {
    fn finding(&self, file: &str, _: &lines::Lines<'_>, remark: &Remark) -> String {
        format!("{}\n", finding(file, remark))
    }

    fn closing(&self, tally: &Tally) -> String {
        format!("{}\n", json!({ "summary": tally }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_pieces_make_one_document() {
        let text = "SELECT %s";
        let remark = sample(text, 7..9);
        let one = Document.finding("a.sql", &lines::Lines::new(text), &remark);
        for findings in [vec![], vec![one.clone()], vec![one.clone(), one]] {
            let whole = Document.opening()
                + &findings.join(Document.between())
                + &Document.closing(&Tally::default());
            let read: Value = serde_json::from_str(&whole).unwrap();
            assert_eq!(read["findings"].as_array().unwrap().len(), findings.len());
            assert_eq!(read["summary"]["hazards"]["error"], 0);
        }
    }

    #[test]
    fn a_line_has_no_line_end_in_it() {
        let text = "SELECT %s";
        let line = Lines.finding("a.sql", &lines::Lines::new(text), &sample(text, 7..9));
        assert_eq!(line.matches('\n').count(), 1);
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&read["line"], &read["column"], &read["end_column"]),
            (&1.into(), &8.into(), &10.into())
        );
    }
}
