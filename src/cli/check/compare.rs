//! One statement prepared on each backend: does the server say the same to both?

use super::finding::Finding;
use super::queries::Statement;
use crate::backend::{BackendKind, Description, StorageBackend};
use crate::cli::exit::Outcome;
use crate::cli::place::Place;
use crate::error::{Error, ErrorKind};
use std::sync::Arc;

type Answer = (BackendKind, Result<Description, Error>);

/// What differs, or what both refuse. That the server went away is a failure, not a finding.
pub(super) async fn compare(
    backends: &[Arc<dyn StorageBackend>],
    statement: &Statement,
) -> Outcome<Vec<Finding>> {
    let mut answers = Vec::new();
    for backend in backends {
        match backend.describe(&statement.query).await {
            Err(error) if is_away(&error) => return Err(error.into()),
            answer => answers.push((backend.kind(), answer)),
        }
    }
    Ok(findings(&answers, statement))
}

fn is_away(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unreachable | ErrorKind::Connection | ErrorKind::Timeout(_) | ErrorKind::Closed
    )
}

fn findings(answers: &[Answer], statement: &Statement) -> Vec<Finding> {
    match answers {
        [(control, Ok(left)), (candidate, Ok(right))] => {
            differences((*control, left), (*candidate, right), statement)
        }
        [(_, Err(one)), (_, Err(other))]
            if (one.sqlstate(), one.message()) == (other.sqlstate(), other.message()) =>
        {
            vec![refused(one, "", statement)]
        }
        several => {
            let accepted = several
                .iter()
                .find(|(_, answer)| answer.is_ok())
                .map(|(kind, _)| *kind);
            let refusals = several
                .iter()
                .filter_map(|(kind, answer)| Some((kind, answer.as_ref().err()?)));
            let on = |kind| match accepted {
                Some(accepted) => {
                    format!(" (refused on the {kind} backend, accepted on the {accepted} one)")
                }
                None => format!(" (on the {kind} backend)"),
            };
            refusals
                .map(|(kind, error)| refused(error, &on(kind), statement))
                .collect()
        }
    }
}

/// A refusal, where in the file it lies.
fn refused(error: &Error, on: &str, statement: &Statement) -> Finding {
    let code = error.sqlstate().unwrap_or(error.kind().as_str());
    let place = Place::of(error, &statement.text, statement.query.text());
    let place = place.map_or(statement.start, |place| place.after(statement.start));
    Finding::new(code, format!("{}{on}", error.message()))
        .at(&statement.file, place)
        .with_suggestion(error.hint().unwrap_or_default())
}

fn differences(
    control: (BackendKind, &Description),
    candidate: (BackendKind, &Description),
    statement: &Statement,
) -> Vec<Finding> {
    let parts = [
        (
            "parameters",
            control.1.parameters.clone(),
            candidate.1.parameters.clone(),
        ),
        ("columns", columns(control.1), columns(candidate.1)),
    ];
    let differ = parts.into_iter().filter(|(_, left, right)| left != right);
    let finding = |(what, left, right): (&str, Vec<String>, Vec<String>)| {
        let message = format!(
            "the {what} differ: {} on {}, {} on {}",
            list(&left),
            control.0,
            list(&right),
            candidate.0
        );
        Finding::new(what, message)
            .at(&statement.file, statement.start)
            .with_suggestion("name the type with a cast")
    };
    differ.map(finding).collect()
}

fn columns(description: &Description) -> Vec<String> {
    description
        .columns
        .0
        .iter()
        .map(|column| format!("{} {}", column.name, column.type_name))
        .collect()
}

fn list(words: &[String]) -> String {
    if words.is_empty() {
        "none".into()
    } else {
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::DatabaseError;
    use crate::sql::{Column, Columns, Query};

    fn statement() -> Statement {
        let text = "SELECT %(name)s,\n nope";
        let query = Query::new("t", text).unwrap();
        Statement {
            file: "a.sql".into(),
            start: Place { line: 5, column: 1 },
            text: text.into(),
            query,
        }
    }

    fn described(parameter: &str, column: &str) -> Description {
        let column = Column {
            name: "a".into(),
            type_name: column.into(),
            type_oid: 0,
        };
        Description {
            parameters: vec![parameter.into()],
            columns: Arc::new(Columns(vec![column])),
        }
    }

    fn undefined() -> Error {
        let position = u32::try_from("SELECT $1,\n nope".find("nope").unwrap() + 1).ok();
        let report = DatabaseError {
            sqlstate: "42703".into(),
            message: "no column".into(),
            position,
            ..DatabaseError::default()
        };
        Error::from_database(ErrorKind::Database, report)
    }

    fn found(
        left: Result<Description, Error>,
        right: Result<Description, Error>,
    ) -> Vec<serde_json::Value> {
        let answers = [(BackendKind::Blocking, left), (BackendKind::Async, right)];
        let found = findings(&answers, &statement());
        found
            .iter()
            .map(|finding| serde_json::to_value(finding).unwrap())
            .collect()
    }

    #[test]
    fn the_same_answer_is_no_finding() {
        assert!(found(Ok(described("text", "int4")), Ok(described("text", "int4"))).is_empty());
    }

    #[test]
    fn types_that_differ_are_named_with_their_backend() {
        let found = found(
            Ok(described("text", "int4")),
            Ok(described("varchar", "int8")),
        );
        assert_eq!(found[0]["code"], "parameters");
        assert_eq!(
            found[1]["message"],
            "the columns differ: a int4 on blocking, a int8 on async"
        );
        assert_eq!(found[1]["line"], 5);
    }

    #[test]
    fn a_refusal_is_told_once_at_its_place_in_the_file() {
        let both = found(Err(undefined()), Err(undefined()));
        assert_eq!(both.len(), 1);
        assert_eq!(
            (&both[0]["line"], &both[0]["column"], &both[0]["code"]),
            (&6.into(), &2.into(), &"42703".into())
        );
        let one = found(Ok(described("text", "int4")), Err(undefined()));
        assert_eq!(
            one[0]["message"],
            "no column (refused on the async backend, accepted on the blocking one)"
        );
    }
}
