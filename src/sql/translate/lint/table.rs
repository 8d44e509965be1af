//! How a hazard's tests are written: texts in which `⟨` and `⟩` enclose what is to be found.

use super::super::Style;
use super::{Conversion, Finding, HAZARDS, Hazard, inspect};

/// Checks that the hazard is found in each text where it is marked, and nowhere else.
pub(super) fn finds(hazard: &Hazard, texts: &[&str]) {
    assert!(
        HAZARDS.iter().any(|known| known.code == hazard.code),
        "{} is not in HAZARDS",
        hazard.code
    );
    for marked in texts {
        let sql = marked.replace(['⟨', '⟩'], "");
        let mut expected = Vec::new();
        let mut removed = 0;
        for (offset, sign) in marked.match_indices(['⟨', '⟩']) {
            expected.push(offset - removed);
            removed += sign.len();
        }
        let found = inspect(&sql, Style::Psycopg).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let ranges =
            of(hazard, found.findings()).flat_map(|found| [found.range.start, found.range.end]);
        assert_eq!(ranges.collect::<Vec<_>>(), expected, "{sql}");
    }
}

/// Checks what the hazard's fix makes of each text, and whether it is safe.
pub(super) fn fixes(hazard: &Hazard, texts: &[(&str, &str, bool)]) {
    for (sql, expected, safe) in texts {
        let converted = convert(hazard, sql);
        assert_eq!(converted.sql, *expected, "{sql}");
        let found = inspect(sql, Style::Psycopg).unwrap_or_else(|error| panic!("{sql}: {error}"));
        for finding in of(hazard, found.findings()) {
            let fix = finding
                .fix
                .as_ref()
                .unwrap_or_else(|| panic!("{sql}: no fix"));
            assert_eq!(fix.safe, *safe, "{sql}: {fix:?}");
            assert!(!fix.advice.is_empty(), "{sql}");
        }
    }
}

/// Checks that the hazard is found in each text and that there is no fix.
pub(super) fn leaves(hazard: &Hazard, texts: &[&str]) {
    for sql in texts {
        let found = inspect(sql, Style::Psycopg).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let mut findings = of(hazard, found.findings()).peekable();
        assert!(findings.peek().is_some(), "{sql}");
        assert!(findings.all(|finding| finding.fix.is_none()), "{sql}");
    }
}

/// The text with this hazard's fixes.
pub(super) fn convert<'a>(hazard: &Hazard, sql: &'a str) -> Conversion<'a> {
    let found = inspect(sql, Style::Psycopg).unwrap_or_else(|error| panic!("{sql}: {error}"));
    found.convert(|finding| finding.hazard.code == hazard.code)
}

fn of<'f>(hazard: &Hazard, findings: &'f [Finding]) -> impl Iterator<Item = &'f Finding> {
    let code = hazard.code;
    findings
        .iter()
        .filter(move |finding| finding.hazard.code == code)
}
