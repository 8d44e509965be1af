//! The statements to check: the program's own, or those of a folder's `.sql` files.

use super::finding::Finding;
use crate::cli::exit::{Failure, Outcome};
use crate::cli::place::{Place, refusal};
use crate::cli::values::is_ambiguous;
use crate::error::{Error, Result};
use crate::sql::translate::{Style, split_statements};
use crate::sql::{Query, catalog};
use std::fs;
use std::path::{Path, PathBuf};

/// A statement with the place that it was written at.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) file: String,
    /// Where the statement begins in the file.
    pub(super) start: Place,
    /// As it was written.
    pub(super) text: String,
    pub(super) query: Query,
}

/// The program's own queries, as files of its source.
pub(super) fn of_program() -> Outcome<Vec<Statement>> {
    let statement = |query: &Query| Statement {
        file: format!("sql/{}.sql", query.name()),
        start: Place { line: 1, column: 1 },
        text: catalog::source(query.name()).unwrap_or_default().to_owned(),
        query: query.clone(),
    };
    Ok(catalog::all()?.map(statement).collect())
}

/// Every statement of the folder's `.sql` files, by file name. A text that cannot be translated is a finding.
pub(super) fn in_folder(folder: &Path, findings: &mut Vec<Finding>) -> Outcome<Vec<Statement>> {
    if let Err(error) = fs::read_dir(folder) {
        return Err(Failure::Usage(format!(
            "--sql {}: {error}",
            folder.display()
        )));
    }
    let mut files = Vec::new();
    walk(folder, &mut files)?;
    files.sort();
    let mut statements = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path)
            .map_err(|error| Failure::System(format!("cannot read {}", path.display()), error))?;
        read(
            &path.display().to_string(),
            &text,
            &mut statements,
            findings,
        );
    }
    Ok(statements)
}

/// Links to folders are not followed, so that the walk ends.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Outcome<()> {
    let wrong = |error| {
        Failure::System(
            format!("cannot read the folder {}", folder.display()),
            error,
        )
    };
    for entry in fs::read_dir(folder).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let path = entry.path();
        if entry.file_type().map_err(wrong)?.is_dir() {
            walk(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
        {
            files.push(path);
        }
    }
    Ok(())
}

/// A file holds one statement or several, or sections that each begin with `-- name: ...` and need no semicolon.
fn read(file: &str, text: &str, statements: &mut Vec<Statement>, findings: &mut Vec<Finding>) {
    for section in sections(text) {
        let offset = offset_in(text, section);
        let parts = match split_statements(section) {
            Ok(parts) => parts,
            Err(refused) => {
                let place = Place {
                    line: refused.line,
                    column: refused.column,
                }
                .after(Place::at(text, offset));
                let suggestion = format!("expected {}", refused.expected);
                findings.push(
                    Finding::new("sql", refused.message)
                        .at(file, place)
                        .with_suggestion(&suggestion),
                );
                continue;
            }
        };
        for part in parts {
            let start = Place::at(text, offset + offset_in(section, part));
            match translated(&format!("{file}:{}", start.line), part) {
                Ok(query) => statements.push(Statement {
                    file: file.to_owned(),
                    start,
                    text: part.to_owned(),
                    query,
                }),
                Err(error) => findings.push(untranslated(&error, file, part, start)),
            }
        }
    }
}

/// The text cut before each `-- name:` line.
fn sections(text: &str) -> Vec<&str> {
    let mut cuts = vec![0];
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let comment = line.trim_start().strip_prefix("--").map(str::trim_start);
        if offset > 0 && comment.is_some_and(|comment| comment.starts_with("name:")) {
            cuts.push(offset);
        }
        offset += line.len();
    }
    cuts.push(text.len());
    cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect()
}

/// In whichever style it shows; where only a call could tell, as psycopg reads a call with values.
fn translated(name: &str, text: &str) -> Result<Query> {
    match Query::in_style(name, text, Style::Auto) {
        Err(error) if is_ambiguous(&error) => Query::new(name, text),
        read => read,
    }
}

fn untranslated(error: &Error, file: &str, text: &str, start: Place) -> Finding {
    let place = Place::of(error, text, "").map_or(start, |place| place.after(start));
    let (message, suggestion) = match refusal(error) {
        Some(refused) => (
            refused.message.clone(),
            format!("expected {}", refused.expected),
        ),
        None => (error.message().to_owned(), String::new()),
    };
    Finding::new("placeholder", message)
        .at(file, place)
        .with_suggestion(&suggestion)
}

/// Where `part` begins in the text that it was cut from.
fn offset_in(text: &str, part: &str) -> usize {
    part.as_ptr().addr() - text.as_ptr().addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> (Vec<Statement>, Vec<serde_json::Value>) {
        let (mut statements, mut findings) = (Vec::new(), Vec::new());
        read("a.sql", text, &mut statements, &mut findings);
        (
            statements,
            findings
                .iter()
                .map(|finding| serde_json::to_value(finding).unwrap())
                .collect(),
        )
    }

    #[test]
    fn a_file_holds_statements_or_named_sections() {
        let text = "-- name: first\nSELECT 1\n-- name: second\nSELECT %s;\n\n  SELECT 3;";
        let (statements, findings) = read_all(text);
        assert!(findings.is_empty());
        let found: Vec<_> = statements
            .iter()
            .map(|s| (s.start.line, s.start.column, s.query.text()))
            .collect();
        let expected = [
            (1, 1, "-- name: first\nSELECT 1"),
            (3, 1, "-- name: second\nSELECT $1"),
            (6, 3, "SELECT 3"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_wrong_placeholder_is_found_at_its_place() {
        let (statements, findings) = read_all("SELECT 1;\n SELECT '%s', %s;");
        assert_eq!(statements.len(), 1);
        assert_eq!(
            (&findings[0]["line"], &findings[0]["column"]),
            (&2.into(), &10.into())
        );
        let (_, findings) = read_all("SELECT 1;\nSELECT 'a");
        assert_eq!(
            (&findings[0]["line"], &findings[0]["column"]),
            (&2.into(), &8.into())
        );
    }

    #[test]
    fn the_program_s_own_queries_have_their_text() {
        let statements = of_program().unwrap();
        assert!(statements.iter().any(
            |statement| statement.file == "sql/bench/one.sql" && statement.text.contains("one")
        ));
    }
}
