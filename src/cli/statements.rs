//! The statements of files, converted, each with the way back to the place where it was written.

mod statement;

use super::exit::{Failure, Outcome};
use super::finding::Finding;
use super::place::Place;
use crate::sql::catalog;
use crate::sql::source::{LANGUAGES, Language, SourceQuery, language_of};
use crate::sql::translate::Style;
use ignore::WalkBuilder;
pub(super) use statement::Statement;
use statement::Written;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

/// A deeply nested expression takes a parser deep down.
const STACK: usize = 64 << 20;

/// What some files hold.
#[derive(Debug, Default)]
pub(super) struct Statements {
    /// Those that can go to the server.
    pub(super) ready: Vec<Statement>,
    /// What keeps others from it.
    pub(super) findings: Vec<Finding>,
    /// What is no statement for a driver: built at run time, or filled in by psql.
    pub(super) dynamic: Vec<Finding>,
}

impl Statements {
    /// The program's own queries, as files of its source.
    pub(super) fn of_program() -> Outcome<Self> {
        let mut found = Self::default();
        for query in catalog::all()? {
            let text = catalog::source(query.name()).unwrap_or_default();
            let source = SourceQuery {
                ignored: vec!["all".to_owned()],
                ..SourceQuery::whole(text, Style::Psycopg)
            };
            found.add(&format!("sql/{}.sql", query.name()), &text.into(), source);
        }
        Ok(found)
    }

    /// Every statement of a file, or of a folder's files in the order of their names.
    ///
    /// What a folder's ignore files name is left out. A text that cannot be read or converted is a finding.
    pub(super) fn under(root: &Path) -> Outcome<Self> {
        let files = files(root)?;
        // The parsers recurse as deep as an expression is nested.
        let read = || {
            let mut found = Self::default();
            for (file, language) in &files {
                found.read(file, language)?;
            }
            Ok(found)
        };
        thread::scope(|scope| {
            let reader = thread::Builder::new().stack_size(STACK);
            let reader = reader.spawn_scoped(scope, read);
            let reader = reader
                .map_err(|error| Failure::System("no thread to read files with".into(), error))?;
            reader
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// The statements of a `.sql` file's text.
    #[cfg(test)]
    pub(super) fn of_text(file: &str, text: &str) -> Self {
        let mut found = Self::default();
        let language = language_of(Path::new("a.sql")).expect("a language of this build");
        found.read_text(file, text.to_owned(), language);
        found
    }

    fn read(&mut self, path: &Path, language: &Language) -> Outcome<()> {
        let file = path.display().to_string();
        let bytes = fs::read(path)
            .map_err(|error| Failure::System(format!("cannot read {file}"), error))?;
        match String::from_utf8(bytes) {
            Ok(text) => self.read_text(&file, text, language),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let before = String::from_utf8_lossy(&error.as_bytes()[..valid]);
                let place = Place::at(&before, valid);
                self.findings
                    .push(Finding::new("unreadable", "the file is not UTF-8").at(&file, place));
            }
        }
        Ok(())
    }

    fn read_text(&mut self, file: &str, text: String, language: &Language) {
        match (language.find)(&text) {
            Ok(queries) => {
                let text = Arc::from(text);
                for query in queries {
                    self.add(file, &text, query);
                }
            }
            Err(error) => {
                let place = Place {
                    line: error.line,
                    column: error.column,
                };
                self.findings
                    .push(Finding::new("unreadable", error.message).at(file, place));
            }
        }
    }

    fn add(&mut self, file: &str, text: &Arc<str>, source: SourceQuery) {
        let written = Written::new(file, text, source);
        if let Some(finding) = written.dynamic() {
            self.dynamic.push(finding);
            return;
        }
        match Statement::read(written) {
            Ok(statement) => self.ready.push(statement),
            Err(findings) => self.findings.extend(findings),
        }
    }
}

/// The files in a language that is known.
fn files(root: &Path) -> Outcome<Vec<(PathBuf, &'static Language)>> {
    let wrong = |what: String| Failure::Usage(format!("{}: {what}", root.display()));
    let metadata = fs::metadata(root).map_err(|error| wrong(error.to_string()))?;
    if metadata.is_file() {
        let language = language_of(root).ok_or_else(|| {
            let known = LANGUAGES.iter().flat_map(|language| language.extensions);
            let known: Vec<String> = known.map(|ending| format!(".{ending}")).collect();
            wrong(format!(
                "expected a file that ends with {}",
                known.join(", ")
            ))
        })?;
        return Ok(vec![(root.to_owned(), language)]);
    }
    let mut files = Vec::new();
    // Links to folders are not followed, so that the walk ends.
    let walk = WalkBuilder::new(root)
        .require_git(false)
        .sort_by_file_name(Ord::cmp)
        .build();
    for entry in walk {
        let entry = entry.map_err(|error| wrong(error.to_string()))?;
        let is_file = entry.file_type().is_some_and(|kind| !kind.is_dir());
        if let Some(language) = language_of(entry.path()).filter(|_| is_file) {
            files.push((entry.into_path(), language));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> (Vec<Statement>, Vec<serde_json::Value>, usize) {
        let found = Statements::of_text("a.sql", text);
        let findings = found.findings.iter();
        let findings = findings.map(|finding| serde_json::to_value(finding).unwrap());
        (found.ready, findings.collect(), found.dynamic.len())
    }

    #[test]
    fn a_file_holds_statements_or_named_queries() {
        let text = "-- name: first\nSELECT 1\n-- name: second\nSELECT %s;\n\n  SELECT 3;";
        let (statements, findings, _) = read_all(text);
        assert!(findings.is_empty());
        let found: Vec<_> = statements
            .iter()
            .map(|s| (s.start().line, s.start().column, s.query.text()))
            .collect();
        let expected = [(2, 1, "SELECT 1"), (4, 1, "SELECT $1"), (6, 3, "SELECT 3")];
        assert_eq!(found, expected);
        assert_eq!(statements[0].name(), Some("first"));
    }

    #[test]
    fn what_cannot_be_converted_is_found_at_its_place() {
        let (statements, findings, _) =
            read_all("\u{feff}SELECT 1;\n-- name: q\n SELECT 'é', %s, %d;");
        assert_eq!(statements.len(), 1);
        let found = &findings[0];
        assert_eq!(
            (&found["line"], &found["column"], &found["code"]),
            (&3.into(), &18.into(), &"placeholder".into())
        );
        assert!(
            found["message"].as_str().unwrap().starts_with("q: "),
            "{found}"
        );
        let (_, findings, _) = read_all("SELECT 1;\nSELECT 'a");
        assert_eq!(
            (&findings[0]["line"], &findings[0]["column"]),
            (&2.into(), &8.into())
        );
    }

    #[test]
    fn what_psql_fills_in_is_counted() {
        let (statements, findings, dynamic) = read_all("SELECT :'a'; SELECT 1");
        assert_eq!((statements.len(), findings.len(), dynamic), (1, 0, 1));
    }

    #[test]
    fn the_program_s_own_queries_have_their_text() {
        let found = Statements::of_program().unwrap();
        assert!(found.findings.is_empty());
        let one = found
            .ready
            .iter()
            .find(|statement| statement.file() == "sql/bench/one.sql");
        assert!(one.unwrap().query.text().contains("one"));
    }
}
