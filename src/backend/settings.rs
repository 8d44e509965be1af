//! What a backend is built from: where the database is, how each session is set, and how long it waits.

use std::time::Duration;

/// How a backend connects, what it sets on each connection, and how long it waits. The same settings build every backend, so that they
/// differ in the driver alone.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Connections that stay open when nobody uses them.
    pub floor: usize,
    /// How long a caller waits for a permit, and then for a connection.
    pub acquire_timeout: Duration,
    /// How long a call tries to open a connection while the server's host refuses it: within the acquire timeout, which bounds it.
    pub away_timeout: Duration,
    /// How long opening a connection may take.
    pub open_timeout: Duration,
    /// How long a call waits for the server's answer. Past it the caller gets an error and the connection is closed; it is the bound for a
    /// server that is frozen or out of reach, so it lies above `statement_timeout`.
    pub answer_timeout: Duration,
    /// How long a connection above the floor may be idle before it is closed.
    pub idle_timeout: Duration,
    /// How long a connection may be idle before it is tested ahead of its next use.
    pub test_after: Duration,
    /// How old a connection may become.
    pub max_lifetime: Duration,
    /// How many prepared statements each connection keeps.
    pub statement_cache: usize,
    /// What is set on each connection.
    pub session: Session,
}

/// What is set on each connection of either backend.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// The session's time zone.
    pub timezone: String,
    /// The server ends a statement that runs longer; zero: never.
    pub statement_timeout: Duration,
    /// The server ends a statement that waits longer for a lock; zero: never.
    pub lock_timeout: Duration,
    /// The server ends a transaction that is idle for longer; zero: never.
    pub idle_in_transaction_timeout: Duration,
    /// The schemas that unqualified names are looked up in; the role's default where `None`.
    pub search_path: Option<String>,
    /// The name that the server shows for the connection; the backend's word is appended.
    pub application_name: String,
    /// Whether a pooler that gives out server connections per transaction (`PgBouncer`'s transaction mode) stands before the server. Then no
    /// setting or prepared statement outlives a transaction: each call runs in one of its own, and prepares without a name or cache.
    pub transaction_pooler: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            floor: 1,
            acquire_timeout: Duration::from_secs(5),
            away_timeout: Duration::MAX,
            open_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(35),
            idle_timeout: Duration::from_mins(10),
            test_after: Duration::from_secs(30),
            max_lifetime: Duration::from_mins(30),
            statement_cache: 256,
            session: Session::default(),
        }
    }
}

impl Default for Session {
    fn default() -> Self {
        Self {
            timezone: "UTC".into(),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::ZERO,
            idle_in_transaction_timeout: Duration::from_mins(1),
            search_path: None,
            application_name: "pontoon".into(),
            transaction_pooler: false,
        }
    }
}
