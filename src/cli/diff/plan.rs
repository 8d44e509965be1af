//! What will run: every statement with its values, or why none does.

use super::code::Code;
use crate::cli::exit::{Failure, Outcome};
use crate::cli::finding::Finding;
use crate::cli::statements::{Statement, Statements};
use crate::cli::values::value;
use crate::sql::translate::Parameter;
use crate::sql::{Params, Value};
use std::collections::{BTreeSet, HashMap};

/// A statement that runs.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) statement: Statement,
    pub(super) code: Code,
    values: Vec<Value>,
}

/// How much of a statement's text a line shows.
const TITLE: usize = 48;

impl Step {
    /// The values for `$1`, `$2`, …
    pub(super) fn params(&self) -> Params {
        Params::Positional(self.values.clone())
    }

    /// Its name, or the beginning of its text.
    pub(super) fn title(&self) -> String {
        let line = self.statement.one_line();
        let title = self.statement.name().unwrap_or(&line);
        shortened(title, TITLE)
    }
}

/// At most so many characters.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The steps, or the findings for which nothing may run.
pub(super) fn plan(read: Statements, typed: &[String]) -> Outcome<Result<Vec<Step>, Vec<Finding>>> {
    let mut given = Given::sort(&read.ready, typed)?;
    let mut findings = read.findings;
    findings.extend(read.dynamic);
    let mut steps = Vec::new();
    for statement in read.ready {
        let code = Code::of(statement.query.text());
        if let Some(why) = code.refusal() {
            let finding = statement.finding("not-in-a-transaction", &why);
            findings.push(finding.with_suggestion("run it by itself, with psql"));
            continue;
        }
        match given.values(&statement) {
            Ok(values) => steps.push(Step {
                statement,
                code,
                values,
            }),
            Err(finding) => findings.push(*finding),
        }
    }
    given.all_taken()?;
    Finding::sort(&mut findings);
    Ok(if findings.is_empty() {
        Ok(steps)
    } else {
        Err(findings)
    })
}

/// The values that were typed.
#[derive(Debug, Default)]
struct Given {
    named: HashMap<String, Value>,
    in_order: Vec<Value>,
    /// How many of those are used up; more than there are if some lack.
    taken: usize,
}

impl Given {
    /// Where the file has names, what is typed as NAME=VALUE with one of them is that one's.
    fn sort(statements: &[Statement], typed: &[String]) -> Outcome<Self> {
        let parameters = statements
            .iter()
            .flat_map(|statement| &statement.parameters);
        let (mut names, mut positions) = (BTreeSet::new(), false);
        for bound in parameters {
            match &bound.parameter {
                Parameter::Name(name) => {
                    names.insert(name.as_str());
                }
                Parameter::Position(_) => positions = true,
            }
        }
        let mut given = Self::default();
        for text in typed {
            match text.split_once('=') {
                Some((name, text)) if names.contains(name) => {
                    given.named.insert(name.to_owned(), value(text));
                }
                _ if positions => given.in_order.push(value(text)),
                _ => return Err(unknown(text, &names)),
            }
        }
        Ok(given)
    }

    /// The statement's values, or what it lacks.
    fn values(&mut self, statement: &Statement) -> Result<Vec<Value>, Box<Finding>> {
        let base = self.taken;
        let mut values = Vec::new();
        let mut lacking = BTreeSet::new();
        for bound in &statement.parameters {
            let found = match &bound.parameter {
                Parameter::Name(name) => self.named.get(name),
                Parameter::Position(position) => {
                    self.taken = self.taken.max(base + position + 1);
                    self.in_order.get(base + position)
                }
            };
            match (found, &bound.parameter) {
                (Some(found), _) => values.push(found.clone()),
                (None, Parameter::Name(name)) => {
                    lacking.insert(format!("-p {name}=VALUE"));
                }
                (None, Parameter::Position(position)) => {
                    lacking.insert(format!("the {}. -p VALUE", base + position + 1));
                }
            }
        }
        if lacking.is_empty() {
            return Ok(values);
        }
        let count = lacking.len();
        let message = format!("no value was given for {count} of its parameters");
        let lacking: Vec<String> = lacking.into_iter().collect();
        let finding = statement.finding("missing-value", &message);
        let suggestion = format!("add {}", lacking.join(", "));
        Err(Box::new(finding.with_suggestion(&suggestion)))
    }

    fn all_taken(&self) -> Outcome<()> {
        let given = self.in_order.len();
        if given <= self.taken {
            return Ok(());
        }
        let message = format!(
            "the file takes {} values in order; {given} were given",
            self.taken
        );
        Err(Failure::Usage(message))
    }
}

fn unknown(text: &str, names: &BTreeSet<&str>) -> Failure {
    let names: Vec<&str> = names.iter().copied().collect();
    let takes = if names.is_empty() {
        "the file's statements have no parameters".to_owned()
    } else {
        format!("the file's parameters are {}", names.join(", "))
    };
    Failure::Usage(format!("-p {text:?}: {takes}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(text: &str, typed: &[&str]) -> Result<Vec<Vec<Value>>, Vec<(String, String)>> {
        let typed: Vec<String> = typed.iter().map(|text| (*text).to_owned()).collect();
        let steps = plan(Statements::of_text("a.sql", text), &typed).unwrap();
        let told = |findings: Vec<Finding>| {
            let findings = findings.into_iter();
            let told = findings.map(|finding| (finding.code, finding.message));
            told.collect()
        };
        steps
            .map(|steps| steps.into_iter().map(|step| step.values).collect())
            .map_err(told)
    }

    #[test]
    fn values_are_taken_in_the_file_s_order_or_by_name() {
        let text = "SELECT %s, %s; SELECT %(a)s, %(b)s, %(a)s; SELECT 1; SELECT %s;";
        let values = planned(text, &["1", "b=x=y", "c=2", "a=\\N", "3"]).unwrap();
        let text = |text: &str| Value::from(text);
        assert_eq!(
            values,
            [
                vec![text("1"), text("c=2")],
                vec![Value::Null, text("x=y")],
                vec![],
                vec![text("3")]
            ]
        );
        let twice = planned("SELECT $2, $1, $2; SELECT $1", &["a", "b", "c"]).unwrap();
        assert_eq!(twice, [vec![text("a"), text("b")], vec![text("c")]]);
    }

    #[test]
    fn what_lacks_or_cannot_run_is_told_all_at_once() {
        let text = "SELECT %s;\nBEGIN;\nSELECT %(n)s;\nSELECT :'x'";
        let told = planned(text, &["1"]).unwrap_err();
        let codes: Vec<&str> = told.iter().map(|(code, _)| &**code).collect();
        assert_eq!(codes, ["not-in-a-transaction", "missing-value", "dynamic"]);
    }

    #[test]
    fn what_nobody_takes_is_wrong() {
        for (text, typed) in [
            ("SELECT 1", "1"),
            ("SELECT %(a)s", "b=1"),
            ("SELECT %(a)s", "1"),
        ] {
            let read = Statements::of_text("a.sql", text);
            assert!(plan(read, &[typed.to_owned()]).is_err(), "{text}");
        }
        let read = Statements::of_text("a.sql", "SELECT %s");
        assert!(plan(read, &["1".to_owned(), "2".to_owned()]).is_err());
    }
}
