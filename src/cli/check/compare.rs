//! One statement prepared on each backend: does the server say the same to both?

use crate::backend::{BackendKind, Description, StorageBackend};
use crate::cli::exit::Outcome;
use crate::cli::finding::Finding;
use crate::cli::statements::Statement;
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
        [(_, Ok(described)), ..] | [_, (_, Ok(described))]
            if sees_nothing(described, statement) =>
        {
            vec![unseen(statement)]
        }
        [(control, Ok(left)), (candidate, Ok(right))] => {
            differences((*control, left), (*candidate, right), statement)
        }
        [(_, Err(one)), (_, Err(other))]
            if (one.sqlstate(), one.message()) == (other.sqlstate(), other.message()) =>
        {
            vec![statement.refused(one, "")]
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
                .map(|(kind, error)| statement.refused(error, &on(kind)))
                .collect()
        }
    }
}

/// Whether the server prepared the statement without looking into it, as it does with most that define something.
fn sees_nothing(described: &Description, statement: &Statement) -> bool {
    described.parameters.is_empty() && !statement.parameters.is_empty()
}

fn unseen(statement: &Statement) -> Finding {
    let message = "the server prepares this statement without its parameters, which proves nothing: running it fails with 42P02";
    statement.finding("utility-stmt", message).with_suggestion(
        "put the values in with the server's format('%L', ...), and run the text that comes of it",
    )
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
        statement
            .finding(what, &message)
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
    use crate::cli::statements::Statements;
    use crate::error::DatabaseError;
    use crate::sql::{Column, Columns};

    const TEXT: &str = "SELECT 1;\n\n\n\nSELECT name,\n nope + %s;";

    fn statement(text: &str) -> Statement {
        Statements::of_text("a.sql", text).ready.pop().unwrap()
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
        let position = u32::try_from("SELECT name,\n nope".find("nope").unwrap() + 1).ok();
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
        let found = findings(&answers, &statement(TEXT));
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

    #[test]
    fn a_parameter_that_the_server_does_not_see_is_told() {
        let blind = || Description {
            parameters: Vec::new(),
            columns: Arc::new(Columns(Vec::new())),
        };
        let answers = [
            (BackendKind::Blocking, Ok(blind())),
            (BackendKind::Async, Ok(blind())),
        ];
        let unseen = findings(
            &answers,
            &statement("-- pontoon: ignore all\nALTER TABLE t ALTER a SET DEFAULT $1"),
        );
        assert_eq!(unseen[0].code, "utility-stmt");
        assert!(findings(&answers, &statement("CREATE TABLE t (a int)")).is_empty());
    }
}
