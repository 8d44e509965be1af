//! One statement: as its file holds it, and as the server gets it.

use crate::cli::finding::Finding;
use crate::cli::place::Place;
use crate::error::Error;
use crate::sql::Query;
use crate::sql::source::SourceQuery;
use crate::sql::translate::{
    Bound, Edit, Finding as Hazardous, Inspection, Scanner, Severity, Style, TranslateError,
    TranslateErrorKind, inspect,
};
use std::sync::Arc;

/// A statement that can go to the server, and the way back to its file.
#[derive(Debug)]
pub(in crate::cli) struct Statement {
    written: Written,
    /// With `$1`, `$2`, …
    pub(in crate::cli) query: Query,
    /// Which of the caller's arguments each of them takes.
    pub(in crate::cli) parameters: Vec<Bound>,
    /// What made the query's text of the written one.
    edits: Vec<Edit>,
    /// What to do if the server refuses it: what is known of its placeholders.
    advice: Vec<String>,
}

/// A statement as it was written.
#[derive(Debug)]
pub(super) struct Written {
    file: String,
    /// The whole file.
    text: Arc<str>,
    source: SourceQuery,
}

impl Statement {
    /// The statement, or why it cannot go to the server: it is in no style, or in the way of its conversion are hazards.
    pub(super) fn read(written: Written) -> Result<Self, Vec<Finding>> {
        let sql = written.source.sql.clone();
        let inspection =
            read(&sql, written.source.style).map_err(|error| vec![written.untranslated(&error)])?;
        let hazards = hazards(&inspection, &written);
        if !hazards.is_empty() {
            return Err(hazards);
        }
        let conversion = inspection.convert(|_| false);
        let name = written.label();
        let query = Query::numbered(name, &conversion.sql).map_err(|error| {
            let place = written.place(written.start());
            vec![written.finding("placeholder", error.message(), place)]
        })?;
        Ok(Self {
            advice: advice(&inspection, &written),
            query,
            parameters: conversion.parameters,
            edits: conversion.edits,
            written,
        })
    }

    /// The file that holds it.
    #[cfg(test)]
    pub(in crate::cli) fn file(&self) -> &str {
        &self.written.file
    }

    /// What the file calls it.
    pub(in crate::cli) fn name(&self) -> Option<&str> {
        self.written.source.name.as_deref()
    }

    /// Where its code begins in the file.
    pub(in crate::cli) fn start(&self) -> Place {
        self.written.place(self.written.start())
    }

    /// As it was written, on one line.
    pub(in crate::cli) fn one_line(&self) -> String {
        let code = &self.written.source.sql[self.written.start()..];
        code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// A finding about the whole statement.
    pub(in crate::cli) fn finding(&self, code: impl Into<String>, message: &str) -> Finding {
        self.written.finding(code, message, self.start())
    }

    /// What the server refused, where in the file it lies.
    pub(in crate::cli) fn refused(&self, error: &Error, on: &str) -> Finding {
        let code = error.sqlstate().unwrap_or(error.kind().as_str());
        let hint = error.hint().filter(|hint| !hint.is_empty());
        let advice = self.advice.first().map(String::as_str);
        self.written
            .finding(code, &format!("{}{on}", error.message()), self.place(error))
            .with_suggestion(hint.or(advice).unwrap_or_default())
    }

    /// Where in the file an error of the server lies.
    pub(in crate::cli) fn place(&self, error: &Error) -> Place {
        let position = error.database().and_then(|report| report.position);
        let Some(position) = position.and_then(|position| usize::try_from(position).ok()) else {
            return self.start();
        };
        let text = self.query.text();
        let offset = text
            .char_indices()
            .nth(position.saturating_sub(1))
            .map_or(text.len(), |(offset, _)| offset);
        self.written.place(before_edits(&self.edits, offset))
    }
}

impl Written {
    pub(super) fn new(file: &str, text: &Arc<str>, source: SourceQuery) -> Self {
        Self {
            file: file.to_owned(),
            text: Arc::clone(text),
            source,
        }
    }

    /// That it is built at run time, where it is.
    pub(super) fn dynamic(&self) -> Option<Finding> {
        let dynamic = self.source.dynamic.as_ref()?;
        let message = format!("its text is known only at run time: {}", dynamic.message);
        let place = self.place_in_file(dynamic.file.start);
        Some(self.finding("dynamic", &message, place))
    }

    /// What errors call it.
    fn label(&self) -> String {
        let line = self.place(self.start()).line;
        let place = || format!("{}:{line}", self.file);
        self.source.name.clone().unwrap_or_else(place)
    }

    /// The byte of the statement's text at which its code begins, behind comments.
    fn start(&self) -> usize {
        let mut tokens = Scanner::new(&self.source.sql).map_while(Result::ok);
        let first = tokens.find(|token| !token.kind.is_blank());
        first.map_or(0, |token| token.start)
    }

    /// Where a byte of the statement's text stands in the file.
    fn place(&self, sql: usize) -> Place {
        self.place_in_file(self.source.place(sql..sql).start)
    }

    fn place_in_file(&self, offset: usize) -> Place {
        // No editor counts a byte order mark.
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(&self.text);
        let mark = self.text.len() - text.len();
        Place::at(text, offset.saturating_sub(mark))
    }

    fn finding(&self, code: impl Into<String>, message: &str, place: Place) -> Finding {
        let message = match &self.source.name {
            Some(name) => format!("{name}: {message}"),
            None => message.to_owned(),
        };
        Finding::new(code, message).at(&self.file, place)
    }

    fn untranslated(&self, error: &TranslateError) -> Finding {
        self.finding("placeholder", &error.message, self.place(error.offset))
            .with_suggestion(&format!("expected {}", error.expected))
    }

    fn ignores(&self, code: &str) -> bool {
        let mut ignored = self.source.ignored.iter();
        ignored.any(|ignored| ignored == "all" || ignored == code)
    }
}

/// In the style that the place tells or the text shows; where only a call could tell, as psycopg reads a call with values.
fn read(sql: &str, style: Style) -> Result<Inspection<'_>, TranslateError> {
    match inspect(sql, style) {
        Err(error) if error.kind == TranslateErrorKind::AmbiguousStyle => {
            inspect(sql, Style::Psycopg)
        }
        read => read,
    }
}

/// The hazards that the server refuses, or silently reads as something else.
fn hazards(inspection: &Inspection<'_>, written: &Written) -> Vec<Finding> {
    let found = inspection.findings().iter().filter(|found| {
        found.hazard.severity == Severity::Error && !written.ignores(found.hazard.code)
    });
    let finding = |found: &Hazardous| {
        let place = written.place(found.range.start);
        written
            .finding(found.hazard.code, &found.message, place)
            .with_suggestion(found.advice())
    };
    found.map(finding).collect()
}

/// What may explain a refusal of the server's.
fn advice(inspection: &Inspection<'_>, written: &Written) -> Vec<String> {
    let found = inspection.findings().iter();
    let found = found.filter(|found| !written.ignores(found.hazard.code));
    let advice = found.filter_map(|found| {
        let fix = found.fix.as_ref()?;
        Some(format!("{} ({})", fix.advice, found.hazard.code))
    });
    advice.collect()
}

/// The byte that the byte of the edited text was before the edits.
fn before_edits(edits: &[Edit], offset: usize) -> usize {
    let (mut before, mut after) = (0, 0);
    for edit in edits {
        let kept = edit.range.start - before;
        if offset < after + kept {
            break;
        }
        let start = after + kept;
        if offset < start + edit.text.len() {
            return edit.range.start;
        }
        (before, after) = (edit.range.end, start + edit.text.len());
    }
    before + (offset - after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{DatabaseError, ErrorKind};
    use crate::sql::source::{Piece, Quoting};

    #[test]
    fn a_byte_behind_edits_is_found_before_them() {
        let edit = |range, text: &str| Edit {
            range,
            text: text.to_owned(),
        };
        let text = "a %(name)s b %% c%s!";
        let edits = [edit(2..10, "$1"), edit(13..15, "%"), edit(17..19, " $2")];
        let edited = Edit::apply(text, &edits);
        assert_eq!(edited, "a $1 b % c $2!");
        for (at, expected) in [
            (0, 0),
            (2, 2),
            (3, 2),
            (4, 10),
            (7, 13),
            (8, 15),
            (9, 16),
            (11, 17),
            (13, 19),
            (14, 20),
        ] {
            assert_eq!(before_edits(&edits, at), expected, "{at}");
        }
        assert_eq!(before_edits(&[], 7), 7);
    }

    /// `text` with the bytes of two literals as one statement.
    fn statement(text: &str, pieces: [(&str, std::ops::Range<usize>); 3]) -> Statement {
        let (mut sql, mut found) = (String::new(), Vec::new());
        for (piece, file) in pieces {
            let start = sql.len();
            sql.push_str(piece);
            found.push(Piece {
                sql: start..sql.len(),
                file,
                quoting: Quoting::Verbatim,
            });
        }
        let source = SourceQuery {
            name: Some("GET".into()),
            sql,
            style: Style::NoParameters,
            pieces: found,
            dynamic: None,
            calls: Vec::new(),
            elsewhere: Vec::new(),
            ignored: Vec::new(),
        };
        Statement::read(Written::new("a.py", &text.into(), source)).unwrap()
    }

    #[test]
    fn a_refusal_points_into_the_literal_that_holds_it() {
        let text = "GET = (\"SELECT\\n\"\n       \"nope\")";
        let read = statement(text, [("SELECT", 8..14), ("\n", 14..16), ("nope", 26..30)]);
        assert_eq!(read.query.text(), "SELECT\nnope");
        let report = DatabaseError {
            sqlstate: "42703".into(),
            message: "no column".into(),
            position: Some(8),
            ..DatabaseError::default()
        };
        let error = Error::from_database(ErrorKind::Database, report);
        let found = serde_json::to_value(read.refused(&error, "")).unwrap();
        assert_eq!(
            (
                &found["line"],
                &found["column"],
                &found["code"],
                &found["message"]
            ),
            (
                &2.into(),
                &9.into(),
                &"42703".into(),
                &"GET: no column".into()
            )
        );
        assert_eq!(read.start(), Place { line: 1, column: 9 });
    }
}
