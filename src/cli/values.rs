//! SQL and its values as they are typed at a shell: `-p VALUE` in order, or `-p NAME=VALUE`.

use super::exit::Outcome;
use super::place::{point, refusal};
use crate::error::{Error, ErrorKind};
use crate::sql::translate::{Parameter, Style, TranslateErrorKind};
use crate::sql::{Params, Query, Value};
use std::borrow::Cow;

/// Written for NULL, as in COPY.
const NULL: &str = "\\N";

/// The name of a query that somebody typed; messages leave it out.
pub(super) const TYPED: &str = "typed";

/// The query that somebody typed: with `%s`, `%(name)s`, `$1`, `?` or `:name`, whichever it shows.
///
/// A text with `%%` and no placeholder is taken as a program's call without values would be: each `%` stands for itself.
pub(super) fn typed_query(text: &str) -> Outcome<Query> {
    match Query::in_style(TYPED, text, Style::Auto) {
        Err(error) if is_ambiguous(&error) => {
            Ok(Query::in_style(TYPED, text, Style::NoParameters)?)
        }
        read => Ok(read.map_err(|error| point(error, text, ""))?),
    }
}

/// Whether the text does not show which style it is in.
pub(super) fn is_ambiguous(error: &Error) -> bool {
    refusal(error).is_some_and(|refused| refused.kind == TranslateErrorKind::AmbiguousStyle)
}

/// The values for the query, by name where it has names. The server gives each its type.
pub(super) fn params(query: &Query, typed: &[String]) -> Outcome<Params> {
    let named = query
        .inputs()
        .iter()
        .any(|input| matches!(input, Parameter::Name(_)));
    if !named {
        return Ok(Params::Positional(
            typed.iter().map(|text| value(text)).collect(),
        ));
    }
    let pairs = typed.iter().map(|text| match text.split_once('=') {
        Some((name, text)) if !name.is_empty() => Ok((Cow::Owned(name.to_owned()), value(text))),
        _ => {
            let message = format!("its parameters have names, and {text:?} is no NAME=VALUE");
            Err(Error::new(ErrorKind::Bind, message)
                .with_query(query.name())
                .into())
        }
    });
    pairs.collect::<Outcome<_>>().map(Params::Named)
}

/// A value as it is typed.
pub(super) fn value(text: &str) -> Value {
    if text == NULL {
        Value::Null
    } else {
        Value::Text(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(query: &Query, typed: &[&str]) -> Vec<Value> {
        let typed: Vec<String> = typed.iter().map(|text| (*text).to_owned()).collect();
        query.arrange(params(query, &typed).unwrap()).unwrap()
    }

    #[test]
    fn values_go_by_place_or_by_name() {
        let place = typed_query("SELECT %s, %s").unwrap();
        assert_eq!(
            texts(&place, &["a=b", "\\N"]),
            [Value::from("a=b"), Value::Null]
        );
        let number = typed_query("SELECT $2, $1").unwrap();
        assert_eq!(
            texts(&number, &["a", "b"]),
            [Value::from("a"), Value::from("b")]
        );
        let name = typed_query("SELECT %(x)s").unwrap();
        assert_eq!(texts(&name, &["x=1=2"]), [Value::from("1=2")]);
        assert!(params(&name, &["1".into()]).is_err());
    }

    #[test]
    fn a_percent_sign_without_placeholders_is_itself() {
        assert_eq!(typed_query("SELECT 5 % 2").unwrap().text(), "SELECT 5 % 2");
        assert_eq!(typed_query("SELECT 'a%%'").unwrap().text(), "SELECT 'a%%'");
    }
}
