//! The one error that leaves the library: what happened, in which query, on which backend, and what Postgres said.
//!
//! Which error belongs where: a driver's error never leaves `backend/`, where it becomes an [`Error`] once, with the query's name and the
//! backend. `sql/translate` has its own error, because it points into text; the catalog turns it into an [`Error`]. HTTP statuses and exit
//! codes are made from [`ErrorKind`] at the edge.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What the library returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed operation: its [kind](ErrorKind), the query and backend it happened on, and what Postgres reported, if it did.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    query: Option<Arc<str>>,
    backend: Option<&'static str>,
    database: Option<Box<DatabaseError>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What an [`Error`] means to whoever handles it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server refused the statement; [`Error::database`] holds its report.
    Database,
    /// No connection could be opened: nothing was sent.
    Unreachable,
    /// The connection broke under the call: what was sent may have taken effect.
    Connection,
    /// A wait ran out; the [`Wait`] says which.
    Timeout(Wait),
    /// The backend was closed.
    Closed,
    /// The parameters do not fit the statement: count, name, or a value that the server's type cannot hold.
    Bind,
    /// A column's value could not be read as what the caller asked for.
    Decode,
    /// A Postgres type, or a use of one, that no backend supports.
    Unsupported,
    /// A statement that had to return a row returned none.
    NoRow,
    /// The setting, URL or file that was given is wrong.
    Config,
    /// The SQL text could not be translated, or a query name is unknown.
    Sql,
    /// The database's schema is not one that this program knows.
    Schema,
    /// The call was given up before its outcome was known. It is never retried.
    OutcomeUnknown,
    /// The code that ran the call panicked.
    Panic,
}

impl ErrorKind {
    /// The word for this kind in metrics and in problem documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Unreachable => "unreachable",
            Self::Connection => "connection",
            Self::Timeout(_) => "timeout",
            Self::Closed => "closed",
            Self::Bind => "bind",
            Self::Decode => "decode",
            Self::Unsupported => "unsupported",
            Self::NoRow => "no_row",
            Self::Config => "config",
            Self::Sql => "sql",
            Self::Schema => "schema",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Panic => "panic",
        }
    }

    /// Each kind's word, once: what a metric that is labelled by kind can say.
    pub const WORDS: [&'static str; 14] = [
        "database",
        "unreachable",
        "connection",
        "timeout",
        "closed",
        "bind",
        "decode",
        "unsupported",
        "no_row",
        "config",
        "sql",
        "schema",
        "outcome_unknown",
        "panic",
    ];
}

/// The wait that ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wait {
    /// For a permit of the budget that both pools share.
    Permit,
    /// For a connection of a pool that somebody else owns.
    Pool,
    /// For a new connection to open.
    Open,
    /// For the server's answer.
    Answer,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Permit => "a permit of the connection budget",
            Self::Pool => "a connection of the pool",
            Self::Open => "a new connection to open",
            Self::Answer => "the server's answer",
        })
    }
}

/// What Postgres reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatabaseError {
    /// The five characters of the SQLSTATE.
    pub sqlstate: String,
    /// `ERROR`, `FATAL` or `PANIC`.
    pub severity: String,
    /// The primary message.
    pub message: String,
    /// The secondary message.
    pub detail: Option<String>,
    /// What the server suggests.
    pub hint: Option<String>,
    /// Where in the statement's text, counted in characters from 1.
    pub position: Option<u32>,
    /// The constraint that was violated.
    pub constraint: Option<String>,
    /// The schema of the object that the error names.
    pub schema: Option<String>,
    /// The table that the error names.
    pub table: Option<String>,
    /// The column that the error names.
    pub column: Option<String>,
    /// The data type that the error names.
    pub data_type: Option<String>,
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.sqlstate)?;
        if let Some(position) = self.position {
            write!(f, " at character {position}")?;
        }
        Ok(())
    }
}

impl StdError for DatabaseError {}

impl Error {
    /// An error of `kind` with the sentence that says what happened.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            hint: None,
            query: None,
            backend: None,
            database: None,
            source: None,
        }))
    }

    /// What the server reported, as an error.
    pub fn from_database(kind: ErrorKind, report: DatabaseError) -> Self {
        let mut error = Self::new(kind, report.message.clone());
        error.0.database = Some(Box::new(report));
        error
    }

    /// A wait that ran out after `limit`.
    pub fn timeout(wait: Wait, limit: Duration) -> Self {
        Self::new(
            ErrorKind::Timeout(wait),
            format!("waited {limit:?} for {wait}, in vain"),
        )
    }

    /// Adds what the reader can do about it.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the error beneath.
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Adds the query's name, unless one is there.
    pub fn with_query(mut self, name: &Arc<str>) -> Self {
        self.0.query.get_or_insert_with(|| Arc::clone(name));
        self
    }

    /// Adds the backend's word, unless one is there.
    pub fn with_backend(mut self, backend: &'static str) -> Self {
        self.0.backend.get_or_insert(backend);
        self
    }

    /// What the error means.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence that says what happened, without query, backend or cause.
    pub fn message(&self) -> &str {
        self.0
            .database
            .as_ref()
            .map_or(&self.0.message, |report| &report.message)
    }

    /// What the reader can do about it.
    pub fn hint(&self) -> Option<&str> {
        let reported = || {
            self.0
                .database
                .as_ref()
                .and_then(|report| report.hint.as_deref())
        };
        self.0.hint.as_deref().or_else(reported)
    }

    /// The name of the query that failed; of the transaction, where that did as a whole.
    pub fn query(&self) -> Option<&str> {
        self.0.query.as_deref()
    }

    /// The word of the backend that it failed on: `blocking` or `async`.
    pub fn backend(&self) -> Option<&'static str> {
        self.0.backend
    }

    /// What the server reported.
    pub fn database(&self) -> Option<&DatabaseError> {
        self.0.database.as_deref()
    }

    /// The SQLSTATE that the server reported.
    pub fn sqlstate(&self) -> Option<&str> {
        self.0
            .database
            .as_ref()
            .map(|report| report.sqlstate.as_str())
    }

    /// Whether the same unit of work, begun anew, may succeed: nothing of it took effect, and the cause passes.
    ///
    /// True for serialization failures and deadlocks, for a server that is starting or has no connection free, for a connection that could
    /// not be opened, and for a wait that ended before anything was sent. False for [`ErrorKind::OutcomeUnknown`].
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            ErrorKind::Database => {
                matches!(
                    self.sqlstate(),
                    Some("40001" | "40P01" | "53300" | "57P03" | "55P03")
                )
            }
            ErrorKind::Timeout(wait) => wait != Wait::Answer,
            ErrorKind::Unreachable => true,
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.query, self.0.backend) {
            (Some(query), Some(backend)) => write!(f, "query {query} on the {backend} backend: ")?,
            (Some(query), None) => write!(f, "query {query}: ")?,
            (None, Some(backend)) => write!(f, "the {backend} backend: ")?,
            (None, None) => {}
        }
        match &self.0.database {
            Some(report) => write!(f, "{report}"),
            None => f.write_str(&self.0.message),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("query", &self.0.query)
            .field("backend", &self.0.backend)
            .field("database", &self.0.database)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_and_what() {
        let report = DatabaseError {
            sqlstate: "42P01".into(),
            message: "relation \"x\" does not exist".into(),
            position: Some(15),
            ..Default::default()
        };
        let error = Error::from_database(ErrorKind::Database, report)
            .with_query(&"memories/get".into())
            .with_backend("async")
            .with_backend("blocking");
        assert_eq!(
            error.to_string(),
            "query memories/get on the async backend: relation \"x\" does not exist (42P01) at character 15"
        );
        assert_eq!(error.sqlstate(), Some("42P01"));
        assert!(!error.is_retryable());
    }

    #[test]
    fn only_what_was_never_sent_is_retryable() {
        assert!(Error::timeout(Wait::Permit, Duration::from_secs(1)).is_retryable());
        assert!(!Error::timeout(Wait::Answer, Duration::from_secs(1)).is_retryable());
        assert!(!Error::new(ErrorKind::OutcomeUnknown, "").is_retryable());
    }

    #[test]
    fn each_kind_has_its_word_once() {
        use ErrorKind::{
            Bind, Closed, Config, Connection, Database, Decode, NoRow, OutcomeUnknown, Panic,
            Schema, Sql, Timeout, Unreachable, Unsupported,
        };
        // A kind that is added has no arm here.
        let following = |kind| match kind {
            Database => Some(Unreachable),
            Unreachable => Some(Connection),
            Connection => Some(Timeout(Wait::Answer)),
            Timeout(_) => Some(Closed),
            Closed => Some(Bind),
            Bind => Some(Decode),
            Decode => Some(Unsupported),
            Unsupported => Some(NoRow),
            NoRow => Some(Config),
            Config => Some(Sql),
            Sql => Some(Schema),
            Schema => Some(OutcomeUnknown),
            OutcomeUnknown => Some(Panic),
            Panic => None,
        };
        let kinds = std::iter::successors(Some(Database), |kind| following(*kind));
        let words: Vec<_> = kinds.map(ErrorKind::as_str).collect();
        assert_eq!(words, ErrorKind::WORDS);
    }
}
