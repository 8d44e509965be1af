//! SQL text with a name and parameters, translated once.

use super::translate::{self, Parameter, Paramstyle, Scanner, Style, TokenKind};
use super::{Params, Value};
use crate::error::{Error, ErrorKind, Result};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Named SQL text with its parameters, translated to `$n` once. Cloning it costs a reference count.
///
/// ```
/// use pontoon::sql::Query;
/// let query = Query::new("memories/rename", "UPDATE memories SET title = %(title)s WHERE id = %(id)s")?;
/// assert_eq!(query.text(), "UPDATE memories SET title = $1 WHERE id = $2");
/// # Ok::<(), pontoon::Error>(())
/// ```
#[derive(Clone)]
pub struct Query(Arc<Inner>);

struct Inner {
    name: Arc<str>,
    text: Arc<str>,
    inputs: Vec<Parameter>,
    control: Control,
    whole: bool,
}

/// What a statement does to the transaction around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Control {
    None,
    BeginsOrEnds,
    /// It is `COPY` from or to the client.
    Copies,
}

impl Query {
    /// A query in psycopg2's style: `%s` or `%(name)s`, with `%%` for a percent sign.
    ///
    /// # Errors
    /// [`ErrorKind::Sql`] with line and column when the text cannot be translated without changing what it does.
    pub fn new(name: impl Into<Arc<str>>, text: &str) -> Result<Self> {
        Self::in_style(name, text, Style::Psycopg)
    }

    /// A query that is written with `$n`, or takes no parameters: its text goes to the server as it is.
    ///
    /// # Errors
    /// [`ErrorKind::Sql`] when the numbers leave a hole, or a literal does not end.
    pub fn numbered(name: impl Into<Arc<str>>, text: &str) -> Result<Self> {
        Self::in_style(name, text, Style::Known(Paramstyle::NumericDollar))
    }

    /// A query in the given style.
    ///
    /// # Errors
    /// As [`Query::new`].
    pub fn in_style(name: impl Into<Arc<str>>, text: &str, style: Style) -> Result<Self> {
        let name = name.into();
        let translation = translate::translate(text, style).map_err(|error| {
            Error::new(
                ErrorKind::Sql,
                format!("{}:{}: {error}", error.line, error.column),
            )
            .with_query(&name)
            .with_source(error)
        })?;
        let text: Arc<str> = match translation.sql {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        };
        let (control, whole) = (control(&text), whole(&text));
        Ok(Self(Arc::new(Inner {
            name,
            text,
            inputs: translation.parameters,
            control,
            whole,
        })))
    }

    /// The name: the label of its metrics, and what an error is told by.
    pub fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    /// The text as the server gets it.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The text, shared: what a statement cache keys by.
    pub fn shared_text(&self) -> &Arc<str> {
        &self.0.text
    }

    /// Which input each `$n` takes, in order.
    pub fn inputs(&self) -> &[Parameter] {
        &self.0.inputs
    }

    /// The values in the order of the text's `$n`.
    ///
    /// # Errors
    /// [`ErrorKind::Bind`] when a position or name has no value, when there are more positions than placeholders, or when names are given
    /// to positional placeholders or the reverse.
    pub fn arrange(&self, params: Params) -> Result<Vec<Value>> {
        let inputs = &self.0.inputs;
        match params {
            Params::Positional(values)
                if inputs
                    .iter()
                    .all(|input| matches!(input, Parameter::Position(_))) =>
            {
                self.by_position(values)
            }
            Params::Positional(values) => Err(self.bind(format!(
                "its parameters have names; {} values came without",
                values.len()
            ))),
            Params::Named(values) => {
                let value =
                    |input: &Parameter| match input {
                        Parameter::Name(name) => self.by_name(&values, name),
                        Parameter::Position(_) => Err(self
                            .bind("its parameters have no names; give the values in order".into())),
                    };
                inputs.iter().map(value).collect()
            }
        }
    }

    /// Refuses what would leave a transaction open on a connection that the next caller gets, or end one behind its back; and a `COPY` from
    /// or to the client, for which the server would wait.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`], which names what to call instead.
    pub fn refuse_transaction_control(&self) -> Result<()> {
        let message = match self.0.control {
            Control::None => return Ok(()),
            Control::BeginsOrEnds => {
                "BEGIN, COMMIT and ROLLBACK are no queries: begin() gives a transaction, whose commit() or rollback() ends it"
            }
            Control::Copies => {
                "COPY FROM STDIN and COPY TO STDOUT are no queries: insert or select the rows instead"
            }
        };
        Err(Error::new(ErrorKind::Unsupported, message).with_query(&self.0.name))
    }

    /// Whether all that it does is undone when it fails. A procedure commits half-way, and so do the statements that tend whole tables.
    #[cfg_attr(
        not(any(feature = "blocking", feature = "async")),
        expect(dead_code, reason = "backends ask it")
    )]
    pub(crate) fn is_whole(&self) -> bool {
        self.0.whole
    }

    fn by_position(&self, values: Vec<Value>) -> Result<Vec<Value>> {
        let inputs = &self.0.inputs;
        let in_order = inputs
            .iter()
            .enumerate()
            .all(|(at, input)| matches!(input, Parameter::Position(position) if *position == at));
        if in_order && values.len() == inputs.len() {
            return Ok(values);
        }
        let wanted = inputs
            .iter()
            .map(|input| {
                if let Parameter::Position(position) = input {
                    position + 1
                } else {
                    0
                }
            })
            .max()
            .unwrap_or(0);
        if values.len() != wanted {
            return Err(self.bind(format!(
                "it takes {wanted} values; {} were given",
                values.len()
            )));
        }
        Ok(inputs
            .iter()
            .map(|input| {
                if let Parameter::Position(position) = input {
                    values[*position].clone()
                } else {
                    Value::Null
                }
            })
            .collect())
    }

    fn by_name(&self, values: &[(Cow<'static, str>, Value)], name: &str) -> Result<Value> {
        let found = values.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.clone()).ok_or_else(|| {
            let given: Vec<&str> = values.iter().map(|(given, _)| given.as_ref()).collect();
            self.bind(format!(
                "no value for the parameter {name:?}; given: {}",
                given.join(", ")
            ))
        })
    }

    fn bind(&self, message: String) -> Error {
        Error::new(ErrorKind::Bind, message).with_query(&self.0.name)
    }
}

/// Goes by the first word, behind comments; `ROLLBACK TO` a savepoint ends nothing.
fn control(text: &str) -> Control {
    let words = first_words(text);
    let mut words = words.iter().map(String::as_str);
    match (words.next(), words.next(), words.next()) {
        (Some("rollback"), Some("to"), _)
        | (Some("rollback"), Some("work" | "transaction"), Some("to")) => Control::None,
        (Some("begin" | "commit" | "rollback" | "end" | "abort"), ..)
        | (Some("start" | "prepare"), Some("transaction"), _) => Control::BeginsOrEnds,
        (Some("copy"), ..) if copies_here(text) => Control::Copies,
        _ => Control::None,
    }
}

/// Whether a `COPY` is `FROM STDIN` or `TO STDOUT`: the server then waits for data, or sends what is no row.
fn copies_here(text: &str) -> bool {
    let tokens = Scanner::new(text).map_while(std::result::Result::ok);
    let mut words = tokens
        .filter(|token| !token.kind.is_blank())
        .map(|token| token.text(text).to_ascii_lowercase());
    let mut last = String::new();
    words.any(|word| {
        let before = std::mem::replace(&mut last, word);
        matches!(
            (before.as_str(), last.as_str()),
            ("from" | "to", "stdin" | "stdout")
        )
    })
}

/// Whether a failure undoes all of it; by the first word, too.
fn whole(text: &str) -> bool {
    const HALF_WAY: [&str; 9] = [
        "alter", "analyze", "call", "cluster", "create", "do", "drop", "reindex", "vacuum",
    ];
    first_words(text)
        .first()
        .is_none_or(|word| !HALF_WAY.contains(&word.as_str()))
}

/// The first three words of the text at most, in small letters, as the server reads them: comments nest and stand anywhere, and a
/// semicolon before the statement is an empty one.
fn first_words(text: &str) -> Vec<String> {
    let tokens = Scanner::new(text).map_while(std::result::Result::ok);
    tokens
        .filter(|token| !token.kind.is_blank())
        .skip_while(|token| matches!(token.text(text), ";" | "("))
        .take_while(|token| token.kind == TokenKind::Identifier)
        .take(3)
        .map(|token| token.text(text).to_ascii_lowercase())
        .collect()
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query")
            .field("name", &self.0.name)
            .field("text", &self.0.text)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
