//! For GitHub Actions: workflow commands that become annotations of the changed files.

use super::Report;
use crate::cli::convert::lines::Lines;
use crate::cli::convert::remark::Remark;
use crate::cli::convert::tally::Tally;
use crate::sql::translate::lint::Severity;

#[derive(Debug)]
pub(super) struct Github;

impl Report for Github {
    fn finding(&self, file: &str, _: &Lines<'_>, remark: &Remark) -> String {
        let level = match remark.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let (start, end) = (remark.start, remark.end);
        // An annotation over several lines may not name columns.
        let columns = if start.line == end.line {
            format!(",col={},endColumn={}", start.column, end.column)
        } else {
            String::new()
        };
        let advice = remark.suggestion.as_ref();
        let advice = advice.map_or_else(String::new, |text| format!("\nhint: {text}"));
        format!(
            "::{level} file={},line={},endLine={}{columns},title={}::{}\n",
            property(file),
            start.line,
            end.line,
            property(remark.code),
            data(&format!("{}{advice}", remark.message)),
        )
    }

    fn closing(&self, _: &Tally) -> String {
        String::new()
    }
}

/// Text behind the `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn what_ends_a_property_or_a_line_is_escaped() {
        let text = "SELECT %s,\n1";
        let line = Github.finding("a,b:c%.sql", &Lines::new(text), &sample(text, 7..9));
        let expected = "::warning file=a%2Cb%3Ac%25.sql,line=1,endLine=1,col=8,endColumn=10,title=dynamic::50%25 of it,%0Aor: more%0Ahint: write it out\n";
        assert_eq!(line, expected);
        let line = Github.finding("a", &Lines::new(text), &sample(text, 7..12));
        assert!(line.contains("line=1,endLine=2,title="), "{line}");
    }
}
