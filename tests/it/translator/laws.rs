//! What holds for every text, whoever wrote it. The property test and the fuzz target ask for the same.

#[path = "slow.rs"]
mod slow;

use std::borrow::Cow;

use pontoon::sql::translate::{
    Parameter, Paramstyle, Style, TranslateError, Translation, inspect, split_statements, translate,
};
use slow::{Kind, is_word, pieces};

/// Fails where the translator does with `sql`, in any style, what it must not do with any text.
pub(crate) fn hold(sql: &str) {
    let known = Paramstyle::ALL.map(Style::Known);
    let others = [Style::Psycopg, Style::Auto, Style::NoParameters];
    for style in known.into_iter().chain(others) {
        match translate(sql, style) {
            Ok(found) => translated(sql, &found),
            Err(error) => refused(sql, &error),
        }
        inspected(sql, style);
    }
    split(sql);
}

/// An error names a place in the text.
fn refused(sql: &str, error: &TranslateError) {
    let before = &sql[..error.offset];
    let line = before.rsplit('\n').next().unwrap_or_default();
    assert_eq!(error.line, before.split('\n').count(), "{sql:?}: {error}");
    assert_eq!(error.column, line.chars().count() + 1, "{sql:?}: {error}");
}

/// The server finds the parameters that were found, and nothing else changed.
fn translated(sql: &str, found: &Translation<'_>) {
    let Some(style) = found.style else {
        assert_eq!((&*found.sql, found.parameters.len()), (sql, 0));
        return;
    };
    let read = pieces(&found.sql).unwrap_or_else(|| panic!("{sql:?} became {:?}", found.sql));
    let parameters = read.iter().filter(|(kind, _)| *kind == Kind::Parameter);
    let mut numbers: Vec<usize> = parameters
        .map(|(_, text)| text[1..].parse().unwrap_or(0))
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    let expected: Vec<usize> = (1..=found.parameters.len()).collect();
    assert_eq!(numbers, expected, "{sql:?} became {:?}", found.sql);
    let again = translate(&found.sql, Paramstyle::NumericDollar);
    let again = again.unwrap_or_else(|error| panic!("{sql:?} became {:?}: {error}", found.sql));
    assert!(matches!(again.sql, Cow::Borrowed(text) if text == found.sql));
    assert_eq!(again.parameters.len(), found.parameters.len());
    match style {
        Paramstyle::Format | Paramstyle::Pyformat => {
            let expected = percents(sql);
            assert_eq!(
                (&*found.sql, &found.parameters),
                (&*expected.0, &expected.1)
            );
        }
        Paramstyle::NumericDollar => assert_eq!(found.sql, sql),
        Paramstyle::Qmark | Paramstyle::Named => {
            let quoted = |sql| {
                let pieces = pieces(sql).unwrap_or_default().into_iter();
                pieces.filter(|(kind, _)| matches!(kind, Kind::Comment | Kind::Quoted))
            };
            assert!(
                quoted(sql).eq(quoted(&found.sql)),
                "{sql:?} became {:?}",
                found.sql
            );
        }
    }
}

/// What becomes of a text in psycopg's style, sign by sign.
fn percents(sql: &str) -> (String, Vec<Parameter>) {
    let (mut output, mut parameters, mut rest) = (String::new(), Vec::new(), sql);
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        if character != '%' {
            output.push(character);
            continue;
        }
        if let Some(behind) = rest.strip_prefix('%') {
            output.push('%');
            rest = behind;
            continue;
        }
        let name = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        rest = name.map_or(rest, |(_, behind)| behind);
        rest = rest
            .strip_prefix(['s', 'b', 't'])
            .unwrap_or_else(|| panic!("{sql:?} was taken"));
        let parameter = match name {
            Some((name, _)) => Parameter::Name(name.to_owned()),
            None => Parameter::Position(parameters.len()),
        };
        let known = parameters.iter().position(|known| *known == parameter);
        let number = known.unwrap_or_else(|| {
            parameters.push(parameter);
            parameters.len() - 1
        }) + 1;
        let before = if output.ends_with(is_word) { " " } else { "" };
        let behind = if rest.starts_with(is_word) { " " } else { "" };
        output.extend([before, "$", &number.to_string(), behind]);
    }
    (output, parameters)
}

/// The hazards are told in the text's order and lie in it, and every choice of fixes converts.
fn inspected(sql: &str, style: Style) {
    let Ok(inspection) = inspect(sql, style) else {
        return;
    };
    for finding in inspection.findings() {
        assert!(
            sql.get(finding.range.clone()).is_some(),
            "{sql:?}: {finding:?}"
        );
    }
    for chosen in [true, false] {
        let _ = inspection.convert(|_| chosen);
    }
}

/// The statements stand in the script in order, and between them are semicolons and what says nothing.
fn split(sql: &str) {
    let Ok(statements) = split_statements(sql) else {
        return;
    };
    let mut end = 0;
    for statement in statements {
        // A statement is a piece of the script itself, so its address tells where.
        let start = statement.as_ptr().addr() - sql.as_ptr().addr();
        says_nothing(&sql[end..start]);
        end = start + statement.len();
    }
    says_nothing(&sql[end..]);
}

fn says_nothing(gap: &str) {
    let says =
        |(kind, text): &(Kind, &str)| !matches!(kind, Kind::Space | Kind::Comment) && *text != ";";
    let said = pieces(gap).map(|pieces| pieces.iter().any(says));
    assert_eq!(said, Some(false), "{gap:?} is no part of a statement");
}
