//! The seam: what stores call, and what a driver implements.
//!
//! Adding a backend: write `backend/<driver>_pg.rs`, add its arm to [`BackendKind`], and the conformance suite picks it up from
//! [`BackendKind::ALL`].

#[cfg_attr(
    not(any(feature = "blocking", feature = "async")),
    expect(
        dead_code,
        unused_imports,
        reason = "a budget can be named without a backend that draws on it"
    )
)]
mod budget;
#[cfg(any(feature = "blocking", feature = "async"))]
mod failure;
pub mod migrate;
#[cfg(feature = "blocking")]
mod r2d2_pg;
mod session;
mod settings;
#[cfg(feature = "async")]
mod sqlx_pg;
#[cfg(any(feature = "blocking", feature = "async"))]
mod wire;

pub use budget::{Budget, BudgetStatus, Permit};
#[cfg(all(feature = "server", any(feature = "blocking", feature = "async")))]
pub(crate) use failure::waiting_helps;
#[cfg(feature = "blocking")]
pub use r2d2_pg::R2d2Backend;
pub use session::{Difference, Target, parity};
pub use settings::{Session, Settings};
#[cfg(feature = "async")]
pub use sqlx_pg::SqlxBackend;

use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Columns, FromRow, Params, Query, Row, RowStream};
use async_trait::async_trait;
#[cfg(any(feature = "blocking", feature = "async"))]
use std::borrow::Cow;
use std::fmt::{self, Debug};
use std::sync::Arc;

/// Which implementation answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BackendKind {
    /// `postgres` behind `r2d2`.
    Blocking,
    /// `sqlx`.
    Async,
}

impl BackendKind {
    /// Every backend, the control first.
    pub const ALL: [Self; 2] = [Self::Blocking, Self::Async];

    /// Whether this build contains it.
    pub const fn is_compiled_in(self) -> bool {
        match self {
            Self::Blocking => cfg!(feature = "blocking"),
            Self::Async => cfg!(feature = "async"),
        }
    }

    /// The word that operators and metrics use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blocking => "blocking",
            Self::Async => "async",
        }
    }
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A backend of that kind on the database that `target` names.
///
/// # Errors
/// [`ErrorKind::Config`] when a certificate or key cannot be read, or this build does not contain the backend.
pub fn connect(
    kind: BackendKind,
    target: &Target,
    settings: Settings,
    budget: Arc<Budget>,
) -> Result<Arc<dyn StorageBackend>> {
    match kind {
        #[cfg(feature = "blocking")]
        BackendKind::Blocking => Ok(Arc::new(R2d2Backend::new(target, settings, budget)?)),
        #[cfg(feature = "async")]
        BackendKind::Async => Ok(Arc::new(SqlxBackend::new(target, settings, budget)?)),
        #[cfg(not(all(feature = "blocking", feature = "async")))]
        missing => {
            // In a build without any backend nothing else takes them.
            drop((target, settings, budget));
            let message = format!("this build does not contain the {missing} backend");
            let hint = format!("build it with the feature {missing}");
            Err(Error::new(ErrorKind::Config, message).with_hint(hint))
        }
    }
}

/// A way to one Postgres database.
///
/// # Contract
/// An implementation
/// - runs each statement at most once. It may prepare a statement anew outside a transaction when the server says that it is stale, which
///   happens before anything ran; it never runs again what may have run;
/// - lets the *server* name the parameters' types, and gives every result, count and error alike, whichever driver is beneath;
/// - never blocks the thread that polls it, whatever the server does;
/// - puts the query's name and its own kind into each error, once.
///
/// A caller may use one backend from many tasks, threads and Tokio runtimes at once. Every method must be polled inside a Tokio runtime
/// that has its timer enabled, and I/O too for the async backend.
///
/// *Cancel*: dropping a method's future gives the call up. What was not sent is never sent; what was sent may have taken effect. The
/// connection, the permit and any thread are got back by themselves, and a connection whose call did not finish is closed, never used again.
///
/// *Drop* and [`close`](StorageBackend::close): handles are shared with `Arc`; dropping the last one closes the connections without
/// waiting. `close` waits for them.
///
/// *Wrappers* forward every method: `#[deny(clippy::missing_trait_methods)]` on the implementation makes sure that they do.
#[async_trait]
pub trait StorageBackend: Debug + Send + Sync + 'static {
    /// The backend that the next call will use.
    fn kind(&self) -> BackendKind;

    /// Runs a statement and gives the count of rows that it affected; a `SELECT` counts what it returned.
    ///
    /// # Errors
    /// Any [`ErrorKind`] but [`ErrorKind::NoRow`].
    ///
    /// # Cancel safety
    /// The statement may have taken effect.
    async fn execute(&self, query: &Query, params: Params) -> Result<u64>;

    /// Runs a statement and gives all its rows.
    ///
    /// # Errors
    /// As [`execute`](StorageBackend::execute).
    ///
    /// # Cancel safety
    /// The statement may have taken effect.
    async fn fetch_all(&self, query: &Query, params: Params) -> Result<Vec<Row>>;

    /// Runs a statement to its end and gives its first row, or `None` where it returned none.
    ///
    /// # Errors
    /// As [`execute`](StorageBackend::execute).
    ///
    /// # Cancel safety
    /// The statement may have taken effect.
    async fn fetch_optional(&self, query: &Query, params: Params) -> Result<Option<Row>>;

    /// Runs a statement and gives its rows as they arrive: a slow reader slows the server down, not this process's memory up.
    ///
    /// # Errors
    /// As [`execute`](StorageBackend::execute); an error after the first row is the stream's last item.
    ///
    /// # Cancel safety
    /// The statement may have taken effect. Dropping the stream early closes its connection.
    async fn fetch(&self, query: &Query, params: Params) -> Result<RowStream>;

    /// Begins a transaction.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`], [`ErrorKind::Connection`], [`ErrorKind::Timeout`], [`ErrorKind::Database`], [`ErrorKind::Config`],
    /// [`ErrorKind::Panic`] and [`ErrorKind::Closed`].
    ///
    /// # Cancel safety
    /// No transaction stays open.
    async fn begin(&self, options: TransactionOptions) -> Result<Box<dyn StorageTransaction>>;

    /// What the server says of a statement without running it: its parameters' types and its columns.
    ///
    /// # Errors
    /// As [`execute`](StorageBackend::execute).
    ///
    /// # Cancel safety
    /// Nothing has taken effect.
    async fn describe(&self, query: &Query) -> Result<Description>;

    /// Goes to the server and back.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`], [`ErrorKind::Connection`], [`ErrorKind::Timeout`], [`ErrorKind::Config`], [`ErrorKind::Panic`] and
    /// [`ErrorKind::Closed`].
    ///
    /// # Cancel safety
    /// Nothing has taken effect.
    async fn ping(&self) -> Result<()>;

    /// Goes to the server and back on every connection that is idle now, so that none is cut for idleness, and gives their count. A
    /// connection that does not answer is closed.
    ///
    /// # Cancel safety
    /// Nothing has taken effect.
    async fn keep_alive(&self) -> usize;

    /// The pool's figures at this moment.
    fn pool_status(&self) -> PoolStatus;

    /// Refuses new calls, waits for those that run, and closes every connection.
    ///
    /// # Cancel safety
    /// New calls stay refused; call it again to wait.
    async fn close(&self);
}

/// A transaction that has begun. It stays on the backend that began it.
///
/// *Drop* rolls back: the connection is rolled back, or closed, before anybody else can have it. After an error of the server a
/// transaction refuses further statements (`25P02`), as Postgres does.
#[async_trait]
pub trait StorageTransaction: Debug + Send {
    /// The backend that it began on.
    fn kind(&self) -> BackendKind;

    /// Like [`StorageBackend::execute`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// The transaction is lost: it is rolled back, and its later calls fail with [`ErrorKind::OutcomeUnknown`].
    async fn execute(&mut self, query: &Query, params: Params) -> Result<u64>;

    /// Like [`StorageBackend::fetch_all`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As [`execute`](StorageTransaction::execute).
    async fn fetch_all(&mut self, query: &Query, params: Params) -> Result<Vec<Row>>;

    /// Like [`StorageBackend::fetch_optional`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As [`execute`](StorageTransaction::execute).
    async fn fetch_optional(&mut self, query: &Query, params: Params) -> Result<Option<Row>>;

    /// Commits.
    ///
    /// # Errors
    /// [`ErrorKind::OutcomeUnknown`] when the connection broke after COMMIT was sent. A transaction that had failed is rolled back, which
    /// is [`ErrorKind::Database`] with `25P02`.
    ///
    /// # Cancel safety
    /// The outcome is unknown.
    async fn commit(self: Box<Self>) -> Result<()>;

    /// Rolls back.
    ///
    /// # Errors
    /// [`ErrorKind::Connection`] and [`ErrorKind::Timeout`]; it is rolled back all the same.
    ///
    /// # Cancel safety
    /// It is rolled back.
    async fn rollback(self: Box<Self>) -> Result<()>;
}

/// How a transaction begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TransactionOptions {
    /// The name that errors and metrics tell it by.
    pub name: Option<&'static str>,
    /// The isolation level; the session's default where `None`.
    pub isolation: Option<Isolation>,
    /// Whether the server refuses writes in it.
    pub read_only: bool,
}

/// An isolation level of Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what was committed before it.
    ReadCommitted,
    /// Each statement sees what was committed before the first.
    RepeatableRead,
    /// As if transactions ran one after the other.
    Serializable,
}

impl TransactionOptions {
    /// Options with a name.
    pub fn named(name: &'static str) -> Self {
        Self {
            name: Some(name),
            ..Self::default()
        }
    }

    #[cfg(any(feature = "blocking", feature = "async"))]
    /// What begins it on a connection with these settings, in one round trip: behind a pooler it sets for itself what no session keeps.
    pub(crate) fn begin_sql(self, settings: &Settings) -> Cow<'static, str> {
        match session::transaction_sql(settings) {
            Some(set) => format!("{}; {set}", self.statement()).into(),
            None => self.statement().into(),
        }
    }

    #[cfg(any(feature = "blocking", feature = "async"))]
    fn statement(self) -> &'static str {
        match (self.isolation, self.read_only) {
            (None, false) => "BEGIN",
            (None, true) => "BEGIN READ ONLY",
            (Some(Isolation::ReadCommitted), false) => "BEGIN ISOLATION LEVEL READ COMMITTED",
            (Some(Isolation::ReadCommitted), true) => {
                "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
            }
            (Some(Isolation::RepeatableRead), false) => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            (Some(Isolation::RepeatableRead), true) => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            }
            (Some(Isolation::Serializable), false) => "BEGIN ISOLATION LEVEL SERIALIZABLE",
            (Some(Isolation::Serializable), true) => "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
        }
    }
}

/// What the server says of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The parameters' type names, in order.
    pub parameters: Vec<String>,
    /// The columns; none for a statement that returns no rows.
    pub columns: Arc<Columns>,
}

/// A pool's figures at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct PoolStatus {
    /// Open connections.
    pub size: usize,
    /// Open connections that nobody uses.
    pub idle: usize,
    /// Connections in use.
    pub in_use: usize,
    /// Callers of this backend that wait for a permit to use one. They wait in one line with the other backend's.
    pub waiting: usize,
    /// The most that may be open.
    pub max: usize,
}

/// Comforts over every [`StorageBackend`]; nobody implements it.
#[async_trait]
pub trait StorageBackendExt: StorageBackend {
    /// The statement's first row.
    ///
    /// # Errors
    /// [`ErrorKind::NoRow`] where it returned none; else as [`StorageBackend::execute`].
    ///
    /// # Cancel safety
    /// The statement may have taken effect.
    async fn fetch_one(&self, query: &Query, params: Params) -> Result<Row> {
        let row = self.fetch_optional(query, params).await?;
        row.ok_or_else(|| {
            Error::new(ErrorKind::NoRow, "it returned no row")
                .with_query(query.name())
                .with_backend(self.kind().as_str())
        })
    }

    /// All rows of the statement, as `T`.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] where a row is no `T`; else as [`StorageBackend::execute`].
    ///
    /// # Cancel safety
    /// The statement may have taken effect.
    async fn fetch_as<T: FromRow + Send>(&self, query: &Query, params: Params) -> Result<Vec<T>> {
        let rows = self.fetch_all(query, params).await?;
        let made: Result<Vec<T>> = rows.iter().map(T::from_row).collect();
        made.map_err(|error| {
            error
                .with_query(query.name())
                .with_backend(self.kind().as_str())
        })
    }
}

impl<B: StorageBackend + ?Sized> StorageBackendExt for B {}
