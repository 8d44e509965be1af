//! What both backends share: the connection budget, and what is set on each connection.

use super::duration;
use super::fault::Faults;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The largest `max_connections` of a PostgreSQL server.
const MOST_CONNECTIONS: u32 = 262_143;

/// `[budget]`: the connections that both backends may use together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Budget {
    /// Permits shared by both backends.
    pub total: u32,
    /// Connections that each backend keeps open when nobody uses them.
    pub blocking_floor: u32,
    /// The share of the permits that shadow reads may use.
    pub shadow_max_share: f64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            total: 20,
            blocking_floor: 2,
            shadow_max_share: 0.10,
        }
    }
}

impl Budget {
    pub(crate) fn check(&self, faults: &mut Faults) {
        faults.at_least_one(self.total, "budget.total");
        faults.check(
            self.total <= MOST_CONNECTIONS,
            "budget.total",
            format!(
                "{} connections are more than a server can be set to take ({MOST_CONNECTIONS})",
                self.total
            ),
        );
        faults.check(
            self.blocking_floor <= self.total,
            "budget.blocking_floor",
            format!(
                "{} connections to keep warm are more than the budget's total of {}",
                self.blocking_floor, self.total
            ),
        );
        faults.fraction(self.shadow_max_share, "budget.shadow_max_share");
    }
}

/// `[session]`: what is set on each connection of both backends, and checked by preflight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Session {
    /// The session's time zone; the server knows which there are.
    pub timezone: String,
    /// The server ends a statement that runs longer; zero: never.
    #[serde(with = "duration")]
    pub statement_timeout: Duration,
    /// The server ends a statement that waits longer for a lock; zero: never.
    #[serde(with = "duration")]
    pub lock_timeout: Duration,
    /// The server ends a transaction that is idle for longer; zero: never.
    #[serde(with = "duration")]
    pub idle_in_transaction_timeout: Duration,
    /// The schemas that unqualified names are looked up in; empty: the role's default.
    pub search_path: String,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            timezone: "UTC".into(),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::ZERO,
            idle_in_transaction_timeout: Duration::from_mins(1),
            search_path: String::new(),
        }
    }
}

impl Session {
    pub(crate) fn check(&self, faults: &mut Faults) {
        faults.text(&self.timezone, "session.timezone");
        faults.check(
            !self.search_path.chars().any(char::is_control),
            "session.search_path",
            "it must be on one line",
        );
        let timeouts = [
            ("session.statement_timeout", self.statement_timeout),
            ("session.lock_timeout", self.lock_timeout),
            (
                "session.idle_in_transaction_timeout",
                self.idle_in_transaction_timeout,
            ),
        ];
        for (path, timeout) in timeouts {
            // The server keeps these in 32 bits of milliseconds.
            let fine = i32::try_from(timeout.as_millis()).is_ok();
            faults.check(fine, path, "the server takes at most 24 days");
        }
    }
}

/// How long this program waits. Only the environment and the arguments set these: they belong to where it runs, not to the migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Timeouts {
    /// For a permit, and then for a connection.
    #[serde(with = "duration")]
    pub acquire: Duration,
    /// For a connection to open.
    #[serde(with = "duration")]
    pub open: Duration,
    /// For the server's answer; longer than `session.statement_timeout`, so that the server has the first word.
    #[serde(with = "duration")]
    pub answer: Duration,
    /// How long a connection above the floor may be idle before it is closed.
    #[serde(with = "duration")]
    pub idle: Duration,
    /// How old a connection may become.
    #[serde(with = "duration")]
    pub max_lifetime: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            acquire: Duration::from_secs(5),
            open: Duration::from_secs(5),
            answer: Duration::from_secs(35),
            idle: Duration::from_mins(10),
            max_lifetime: Duration::from_mins(30),
        }
    }
}

impl Timeouts {
    pub(crate) fn check(&self, session: &Session, faults: &mut Faults) {
        let all = [
            ("timeouts.acquire", self.acquire),
            ("timeouts.open", self.open),
            ("timeouts.answer", self.answer),
            ("timeouts.idle", self.idle),
            ("timeouts.max_lifetime", self.max_lifetime),
        ];
        for (path, timeout) in all {
            faults.positive(timeout, path);
        }
        faults.check(
            self.answer > session.statement_timeout,
            "timeouts.answer",
            format!(
                "{} is not longer than session.statement_timeout ({})",
                duration::show_duration(self.answer),
                duration::show_duration(session.statement_timeout)
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_sound() {
        let mut faults = Faults::default();
        Budget::default().check(&mut faults);
        Session::default().check(&mut faults);
        Timeouts::default().check(&Session::default(), &mut faults);
        assert_eq!(faults.found(), []);
    }

    #[test]
    fn no_more_connections_than_a_server_takes() {
        for (total, wrong) in [(0, 1), (1, 0), (262_143, 0), (262_144, 1), (u32::MAX, 1)] {
            let mut faults = Faults::default();
            Budget {
                total,
                blocking_floor: 0,
                ..Budget::default()
            }
            .check(&mut faults);
            let found = faults.found();
            assert_eq!(found.len(), wrong, "{total}: {found:?}");
            assert!(found.iter().all(|fault| fault.path == "budget.total"));
        }
    }

    #[test]
    fn bounds_are_checked() {
        let mut faults = Faults::default();
        Budget {
            total: 1,
            blocking_floor: 2,
            shadow_max_share: f64::NAN,
        }
        .check(&mut faults);
        let session = Session {
            timezone: "UTC\n".into(),
            lock_timeout: Duration::from_hours(24 * 30),
            statement_timeout: Duration::from_mins(1),
            ..Session::default()
        };
        session.check(&mut faults);
        Timeouts::default().check(&session, &mut faults);
        let paths: Vec<_> = faults.found().into_iter().map(|fault| fault.path).collect();
        assert_eq!(
            paths,
            [
                "budget.blocking_floor",
                "budget.shadow_max_share",
                "session.timezone",
                "session.lock_timeout",
                "timeouts.answer"
            ]
        );
    }
}
