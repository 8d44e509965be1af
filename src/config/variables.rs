//! The environment variables, in one table: what is read, what a misspelt one is held against, and what the reference is made from.

/// An environment variable that the program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The setting that it sets, as its path in [`Settings`](super::Settings).
    pub key: &'static str,
    /// What holds where it is not set.
    pub default: &'static str,
    /// What it means.
    pub what: &'static str,
}

const fn variable(
    name: &'static str,
    key: &'static str,
    default: &'static str,
    what: &'static str,
) -> Variable {
    Variable {
        name,
        key,
        default,
        what,
    }
}

/// Every variable that the program reads.
pub const VARIABLES: &[Variable] = &[
    variable(
        "DATABASE_URL",
        "database_url",
        "none",
        "where the database is; without it, `serve` starts a private PostgreSQL",
    ),
    variable(
        "USE_ASYNC_DB",
        "use_async_db",
        "auto",
        "`auto`: no cap, others decide; `false`, `0`, `off`, `no`: blocking, whatever others say; `true`, `1`, `on`, `yes`: no cap, and async where nobody else says a thing; a percentage such as `25%`: at most this share of the keys. Anything else: the program refuses to start",
    ),
    variable(
        "PONTOON_ENV",
        "environment",
        "local",
        "which `[environments.NAME]` of flags.toml holds",
    ),
    variable(
        "PONTOON_CONFIG",
        "config",
        "flags.toml, if it is there",
        "the file that holds the plan and the limits",
    ),
    variable(
        "PONTOON_KILL_FILE",
        "kill_file",
        "`rollback` in the data folder",
        "while this file is there, everything is blocking",
    ),
    variable(
        "PONTOON_DATA_DIR",
        "data_dir",
        "`$XDG_DATA_HOME/pontoon`, else `~/.local/share/pontoon`",
        "where the private PostgreSQL and the kill file live",
    ),
    variable(
        "PONTOON_LISTEN",
        "listen",
        "127.0.0.1:8080",
        "the address that the server listens on",
    ),
    variable(
        "PONTOON_ADMIN_TOKEN",
        "admin_token",
        "none",
        "the operator's token for the admin API; never shown",
    ),
    variable(
        "PONTOON_DIRECT_DATABASE_URL",
        "direct_database_url",
        "the database URL",
        "a way to the database past a transaction pooler, for migrations",
    ),
    variable(
        "PONTOON_TRANSACTION_POOLER",
        "transaction_pooler",
        "false",
        "whether a pooler that gives out connections per transaction stands before the database",
    ),
    variable(
        "PONTOON_STATEMENT_CACHE",
        "statement_cache",
        "256",
        "how many prepared statements each connection keeps",
    ),
    variable(
        "PONTOON_APPLICATION_NAME",
        "application_name",
        "pontoon",
        "the name that the server shows for the connections",
    ),
    variable(
        "PONTOON_BUDGET_TOTAL",
        "budget.total",
        "20",
        "as `budget.total` in flags.toml, which it outranks",
    ),
    variable(
        "PONTOON_BUDGET_BLOCKING_FLOOR",
        "budget.blocking_floor",
        "2",
        "as `budget.blocking_floor`",
    ),
    variable(
        "PONTOON_BUDGET_SHADOW_MAX_SHARE",
        "budget.shadow_max_share",
        "0.1",
        "as `budget.shadow_max_share`",
    ),
    variable(
        "PONTOON_SESSION_TIMEZONE",
        "session.timezone",
        "UTC",
        "as `session.timezone`",
    ),
    variable(
        "PONTOON_SESSION_STATEMENT_TIMEOUT",
        "session.statement_timeout",
        "30s",
        "as `session.statement_timeout`",
    ),
    variable(
        "PONTOON_SESSION_LOCK_TIMEOUT",
        "session.lock_timeout",
        "0s",
        "as `session.lock_timeout`",
    ),
    variable(
        "PONTOON_SESSION_IDLE_IN_TRANSACTION_TIMEOUT",
        "session.idle_in_transaction_timeout",
        "1m",
        "as `session.idle_in_transaction_timeout`",
    ),
    variable(
        "PONTOON_SESSION_SEARCH_PATH",
        "session.search_path",
        "",
        "as `session.search_path`",
    ),
    variable(
        "PONTOON_ACQUIRE_TIMEOUT",
        "timeouts.acquire",
        "5s",
        "how long a caller waits for a permit, and then for a connection",
    ),
    variable(
        "PONTOON_OPEN_TIMEOUT",
        "timeouts.open",
        "5s",
        "how long opening a connection may take",
    ),
    variable(
        "PONTOON_ANSWER_TIMEOUT",
        "timeouts.answer",
        "35s",
        "how long a call waits for the server's answer; longer than the statement timeout",
    ),
    variable(
        "PONTOON_IDLE_TIMEOUT",
        "timeouts.idle",
        "10m",
        "how long a connection above the floor may be idle before it is closed",
    ),
    variable(
        "PONTOON_MAX_LIFETIME",
        "timeouts.max_lifetime",
        "30m",
        "how old a connection may become",
    ),
];

/// Whether a container platform set this variable: for a service called `pontoon` it sets its addresses.
#[cfg(feature = "server")]
pub(super) fn is_service_address(name: &str) -> bool {
    let rest = name.strip_prefix("PONTOON_").unwrap_or_default();
    rest == "PORT" || rest.starts_with("PORT_") || rest.starts_with("SERVICE_")
}
