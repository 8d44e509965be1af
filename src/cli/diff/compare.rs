//! Two answers to one statement: are they the same?

use super::answer::{Answer, code, counted};
use super::plan::{Step, shortened};
use crate::cli::finding::Finding;
use crate::error::Error;
use crate::sql::{Column, Value};
use std::collections::BTreeMap;

/// How many differences of a statement are shown.
const SHOWN: usize = 3;

/// How much of a value is shown.
const WIDTH: usize = 60;

/// The server refuses to write in a transaction that only reads.
const READ_ONLY: &str = "25006";

/// What came of a statement.
#[derive(Debug)]
pub(super) enum Settled {
    Same,
    /// It failed on both, in the same way.
    FailedAlike(Finding),
    /// It was not let run.
    Refused(Finding),
    Different(Vec<Finding>),
}

/// Compares what both backends answered, the values of the columns in `except` apart.
pub(super) fn settle(step: &Step, left: &Answer, right: &Answer, except: &[String]) -> Settled {
    let findings = match (left, right) {
        (Answer::Failed(one), Answer::Failed(other)) => match errors(step, one, other) {
            Some(finding) => vec![finding],
            None if one.sqlstate() == Some(READ_ONLY) => {
                let message = "it writes, and nothing may be written";
                let finding = step.statement.finding(READ_ONLY, message);
                return Settled::Refused(
                    finding.with_suggestion("--rollback lets it write, and takes it back"),
                );
            }
            None => return Settled::FailedAlike(step.statement.refused(one, "")),
        },
        (
            Answer::Rows {
                columns: one,
                rows: left,
            },
            Answer::Rows {
                columns: other,
                rows: right,
            },
        ) => {
            let mut findings: Vec<Finding> = columns(step, one, other).into_iter().collect();
            if findings.is_empty() {
                findings.extend(rows(step, one, (left, right), except));
            }
            findings
        }
        (Answer::Count(one), Answer::Count(other)) if one == other => Vec::new(),
        (Answer::Count(_), Answer::Count(_)) => {
            vec![differ(step, "count", &left.word(), &right.word())]
        }
        _ => vec![unlike(step, left, right)],
    };
    if findings.is_empty() {
        Settled::Same
    } else {
        Settled::Different(findings)
    }
}

fn differ(step: &Step, code: &str, left: &str, right: &str) -> Finding {
    let message = format!("{left} on blocking, {right} on async");
    hinted(step, step.statement.finding(code, &message))
}

/// One failed and the other did not.
fn unlike(step: &Step, left: &Answer, right: &Answer) -> Finding {
    let told = |answer: &Answer| match answer {
        Answer::Failed(error) => format!("{} ({})", error.message(), code(error)),
        other => other.word(),
    };
    differ(step, "error", &told(left), &told(right))
}

/// Two errors are the same if a program cannot tell them apart. The words may name what differs for a good reason, such as a row's id.
fn errors(step: &Step, one: &Error, other: &Error) -> Option<Finding> {
    let key = |error: &Error| {
        let report = error.database();
        let report = report.map(|report| {
            (
                report.constraint.clone(),
                report.table.clone(),
                report.column.clone(),
                report.position,
            )
        });
        (code(error), report)
    };
    let told = |error: &Error| {
        let constraint = error
            .database()
            .and_then(|report| report.constraint.as_deref());
        let constraint = constraint.map(|name| format!(", constraint {name}"));
        format!(
            "{} ({}{})",
            error.message(),
            code(error),
            constraint.unwrap_or_default()
        )
    };
    (key(one) != key(other)).then(|| differ(step, "error", &told(one), &told(other)))
}

fn columns(step: &Step, one: &[Column], other: &[Column]) -> Option<Finding> {
    let told = |columns: &[Column]| {
        let columns = columns.iter();
        let columns: Vec<String> = columns
            .map(|column| format!("{} {}", column.name, column.type_name))
            .collect();
        columns.join(", ")
    };
    let (one, other) = (told(one), told(other));
    (one != other).then(|| differ(step, "columns", &one, &other))
}

type Rows<'a> = &'a [Vec<Value>];

fn rows(
    step: &Step,
    columns: &[Column],
    (left, right): (Rows<'_>, Rows<'_>),
    except: &[String],
) -> Option<Finding> {
    let compared: Vec<usize> = (0..columns.len())
        .filter(|at| !except.contains(&columns[*at].name))
        .collect();
    let (only_left, only_right) = unmatched(&compared, left, right);
    let ordered = step.code.orders();
    if only_left.is_empty() && only_right.is_empty() {
        let moved = first_difference(&compared, left, right).filter(|_| ordered)?;
        let message = format!("the same rows in another order, from row {} on", moved + 1);
        let finding = step.statement.finding("order", &message);
        return Some(finding.with_suggestion(
            "rows that tie in ORDER BY come in any order: name a column that parts them",
        ));
    }
    let told = if left.len() == right.len() && (ordered || left.len() == 1) {
        cells(columns, &compared, left, right)
    } else {
        let show = |rows: &[&Vec<Value>], on: &str| {
            let rows = rows.iter();
            let rows =
                rows.map(|row| format!("only on {on}: {}", shown_row(columns, &compared, row)));
            rows.collect::<Vec<_>>()
        };
        // Some of each side, rather than many of one.
        let (one, other) = (show(&only_left, "blocking"), show(&only_right, "async"));
        interleaved(one, other)
    };
    let mut message = String::new();
    if left.len() != right.len() {
        let (one, other) = (counted(left.len(), "row"), counted(right.len(), "row"));
        message = format!("{one} on blocking, {other} on async; ");
    }
    message.push_str(&few(&told));
    Some(hinted(step, step.statement.finding("rows", &message)))
}

/// The rows of each side that the other has not, or not as often.
fn unmatched<'a>(
    compared: &[usize],
    left: Rows<'a>,
    right: Rows<'a>,
) -> (Vec<&'a Vec<Value>>, Vec<&'a Vec<Value>>) {
    let key = |row: &Vec<Value>| {
        let values = compared.iter().filter_map(|at| row.get(*at));
        values.map(text).collect::<Vec<_>>()
    };
    let mut counts: BTreeMap<Vec<Option<String>>, usize> = BTreeMap::new();
    for row in right {
        *counts.entry(key(row)).or_default() += 1;
    }
    let mut take = |row: &Vec<Value>| match counts.get_mut(&key(row)) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    };
    let only_left = left.iter().filter(|row| !take(row)).collect();
    // What is left over came on the right alone; the last of equal rows stand for it.
    let mut only_right: Vec<&Vec<Value>> = right.iter().rev().filter(|row| take(row)).collect();
    only_right.reverse();
    (only_left, only_right)
}

/// A value as it is told from every other of its column.
fn text(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| value.to_string())
}

fn first_difference(compared: &[usize], left: Rows<'_>, right: Rows<'_>) -> Option<usize> {
    left.iter().zip(right).position(|(one, other)| {
        let mut compared = compared.iter();
        compared.any(|at| one.get(*at).map(text) != other.get(*at).map(text))
    })
}

/// Each value that differs, where rows stand in an order.
fn cells(columns: &[Column], compared: &[usize], left: Rows<'_>, right: Rows<'_>) -> Vec<String> {
    let mut told = Vec::new();
    for (number, (one, other)) in (1..).zip(left.iter().zip(right)) {
        for at in compared {
            let (Some(one), Some(other)) = (one.get(*at), other.get(*at)) else {
                continue;
            };
            if text(one) != text(other) {
                let name = &columns[*at].name;
                let (one, other) = (shown(one), shown(other));
                told.push(format!(
                    "row {number}, column {name}: {one} on blocking, {other} on async"
                ));
            }
        }
    }
    told
}

fn shown_row(columns: &[Column], compared: &[usize], row: &[Value]) -> String {
    let values = compared
        .iter()
        .filter_map(|at| Some((columns.get(*at)?, row.get(*at)?)));
    let values: Vec<String> = values
        .map(|(column, value)| format!("{} = {}", column.name, shown(value)))
        .collect();
    format!("({})", values.join(", "))
}

/// On one line, and not too long. NULL is told from the text by its lack of quotes.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Text(text) => format!("'{}'", shortened(&text.escape_debug().to_string(), WIDTH)),
        other => shortened(&other.to_string().escape_debug().to_string(), WIDTH),
    }
}

fn interleaved(one: Vec<String>, other: Vec<String>) -> Vec<String> {
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let mut all = Vec::new();
    loop {
        let pair = [one.next(), other.next()];
        if pair.iter().all(Option::is_none) {
            return all;
        }
        all.extend(pair.into_iter().flatten());
    }
}

/// The first of them, and how many more there are.
fn few(told: &[String]) -> String {
    let text = told[..told.len().min(SHOWN)].join("; ");
    match told.len().saturating_sub(SHOWN) {
        0 => text,
        more => format!("{text}; and {more} more"),
    }
}

/// Adds why the two may differ though neither is wrong.
fn hinted(step: &Step, finding: Finding) -> Finding {
    let except = "--except COLUMN leaves a column out";
    let why = match step.code.volatile() {
        Some(name) => format!("{name} gives each transaction another value; {except}"),
        None if step.code.adds() => {
            format!("sequences and clocks fill each transaction's rows with other values; {except}")
        }
        None if step.code.cuts() && !step.code.orders() => {
            "without ORDER BY the server may take any rows: name an order".to_owned()
        }
        None => String::new(),
    };
    finding.with_suggestion(&why)
}
