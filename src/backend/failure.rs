//! What a failed call means for its connection, decided alike for every driver.

use super::session::refused_tls;
use crate::error::{DatabaseError, Error, ErrorKind, Wait};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An error with what it means for the connection that it happened on.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) fate: Fate,
}

/// What becomes of a connection after a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The server answered, or nothing was sent: the connection is as good as before.
    Usable,
    /// A prepared statement is out of date; the server ran nothing. Outside a transaction it may be prepared anew, once.
    Stale,
    /// The connection had been ended before the call reached the server, which ran nothing. Outside a transaction the call may go to
    /// another connection.
    NeverSent,
    /// The connection must be closed.
    Broken,
}

/// How often a call goes to another connection.
const TRIES: u8 = 3;

/// How soon a session that had been ended before says so. One that is ended later ran the call, and whoever ended it meant the call.
const AT_ONCE: Duration = Duration::from_millis(200);

/// Decides whether a failed call goes to another connection, because the one it got had been ended before.
pub(super) struct Tries {
    left: u8,
    begun: Instant,
    whole: bool,
}

impl Tries {
    /// For a call; `whole` says that what it did is undone when it fails.
    pub(super) fn new(whole: bool) -> Self {
        Self {
            left: TRIES,
            begun: Instant::now(),
            whole,
        }
    }

    /// The call begins on a connection.
    pub(super) fn begin(&mut self) {
        self.begun(Instant::now());
    }

    /// The call began on a connection, at that time.
    pub(super) fn begun(&mut self, at: Instant) {
        self.left = self.left.saturating_sub(1);
        self.begun = at;
    }

    /// Whether it goes to another after a failure that meant this for the last.
    pub(super) fn again(&self, fate: Fate) -> bool {
        fate == Fate::NeverSent && self.whole && self.left > 0 && self.begun.elapsed() < AT_ONCE
    }
}

impl Failure {
    /// A failure before anything was sent.
    pub(super) fn usable(error: Error) -> Self {
        Self {
            error,
            fate: Fate::Usable,
        }
    }

    /// A failure after which the connection must be closed.
    pub(super) fn broken(error: Error) -> Self {
        Self {
            error,
            fate: Fate::Broken,
        }
    }

    /// The server did not answer within `limit`.
    pub(super) fn no_answer(limit: Duration) -> Self {
        let error = Error::timeout(Wait::Answer, limit).with_hint(
            "the server is frozen or out of reach, or the statement needs a longer answer_timeout",
        );
        Self {
            error,
            fate: Fate::Broken,
        }
    }

    /// What the server reported; `routine` is the function of the server that raised it, which no locale translates.
    pub(super) fn reported(report: DatabaseError, routine: Option<&str>) -> Self {
        let ends = matches!(report.severity.as_str(), "FATAL" | "PANIC");
        let stale = report.sqlstate == "26000"
            || (report.sqlstate == "0A000" && routine == Some("RevalidateCachedQuery"));
        // 57P01 is raised where the server looks for interrupts: a statement under way is rolled back by it, and a statement that was
        // finished had its answer first. So nothing took effect.
        let never_sent = report.sqlstate == "57P01";
        let (kind, fate) = match (ends, stale, never_sent) {
            (true, _, true) => (ErrorKind::Connection, Fate::NeverSent),
            (true, _, false) => (ErrorKind::Connection, Fate::Broken),
            (false, true, _) => (ErrorKind::Database, Fate::Stale),
            (false, false, _) => (ErrorKind::Database, Fate::Usable),
        };
        Self {
            error: Error::from_database(kind, report),
            fate,
        }
    }

    /// Whether something had arrived before it: then the call had been sent, and had begun.
    pub(super) fn after(mut self, arrived: bool) -> Self {
        self.fate = match self.fate {
            Fate::NeverSent if arrived => Fate::Broken,
            Fate::Stale if arrived => Fate::Usable,
            fate => fate,
        };
        self
    }

    /// Behind a pooler each call prepares its statements itself, so that only one that the driver keeps for looking types up can be out of
    /// date. What ran is rolled back, and another connection may do it.
    #[cfg(feature = "blocking")]
    pub(super) fn of_lookup(mut self) -> Self {
        if self.fate == Fate::Stale {
            self.fate = Fate::NeverSent;
        }
        self
    }

    /// What a COMMIT around a call that had run failed with.
    pub(super) fn of_commit(self) -> Self {
        match self.fate {
            Fate::Usable | Fate::Stale => self,
            Fate::NeverSent | Fate::Broken => Self::broken(commit_failed(self.error)),
        }
    }

    /// The socket failed. A pipe is found broken on writing only, so that the server never saw the call's end.
    pub(super) fn socket(source: std::io::Error) -> Self {
        let fate = if source.kind() == std::io::ErrorKind::BrokenPipe {
            Fate::NeverSent
        } else {
            Fate::Broken
        };
        let error = Error::new(
            ErrorKind::Connection,
            format!("the connection broke: {source}"),
        )
        .with_source(source);
        Self { error, fate }
    }
}

/// What a failed COMMIT means: where the server did not refuse it, nobody knows.
pub(super) fn commit_failed(error: Error) -> Error {
    if matches!(
        error.kind(),
        ErrorKind::Database | ErrorKind::OutcomeUnknown
    ) {
        return error;
    }
    let message = format!(
        "COMMIT was sent and its answer never came: {}",
        error.message()
    );
    Error::new(ErrorKind::OutcomeUnknown, message).with_source(error)
}

/// An error of a transaction as a whole, told by its name.
pub(super) fn of_transaction(error: Error, name: Option<&str>) -> Error {
    match name {
        Some(name) => error.with_query(&Arc::from(name)),
        None => error,
    }
}

/// The SQLSTATE of a server that is full.
const TOO_MANY_CONNECTIONS: &str = "53300";

/// The SQLSTATEs of a setting whose value or name the server does not know. Nothing but settings is sent while a connection is opened.
const SETTING_REFUSED: [&str; 2] = ["22023", "42704"];

/// What the server reported while a connection was being opened, or a socket's error then.
pub(super) fn unreachable(failure: Failure) -> Error {
    match failure.error.database() {
        Some(report) if report.sqlstate == TOO_MANY_CONNECTIONS => {
            Error::from_database(ErrorKind::Unreachable, report.clone()).with_hint(
                "the server has no connection left: others hold them, or the budgets of all programs together (budget.total of this one) are more than its max_connections",
            )
        }
        Some(report) if SETTING_REFUSED.contains(&&*report.sqlstate) => {
            Error::from_database(ErrorKind::Config, report.clone()).with_hint(
                "the server does not take a setting of the session, or of the URL's options",
            )
        }
        Some(report) => Error::from_database(ErrorKind::Unreachable, report.clone()),
        None => Error::new(
            ErrorKind::Unreachable,
            format!("no connection could be opened: {}", failure.error.message()),
        )
        .with_source(failure.error),
    }
}

/// Whether waiting can help a connection that could not be opened: the server is away, starting, stopping, or has no connection free. A
/// server that TLS does not come about with stays so.
pub(crate) fn waiting_helps(error: &Error) -> bool {
    match error.sqlstate() {
        Some(sqlstate) => {
            sqlstate.starts_with("57P") || sqlstate.starts_with("53") || sqlstate.starts_with("08")
        }
        None => error.kind() == ErrorKind::Unreachable && !refused_tls(error),
    }
}

/// Whether the server answers nothing at all, not even that it starts or is full.
pub(super) fn is_away(error: &Error) -> bool {
    error.sqlstate().is_none() && error.kind() == ErrorKind::Unreachable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fate(severity: &str, sqlstate: &str, routine: Option<&str>) -> Fate {
        let report = DatabaseError {
            severity: severity.into(),
            sqlstate: sqlstate.into(),
            ..Default::default()
        };
        Failure::reported(report, routine).fate
    }

    #[test]
    fn the_fate_follows_what_the_server_did() {
        assert_eq!(fate("ERROR", "23505", None), Fate::Usable);
        assert_eq!(fate("ERROR", "26000", None), Fate::Stale);
        assert_eq!(
            fate("ERROR", "0A000", Some("RevalidateCachedQuery")),
            Fate::Stale
        );
        assert_eq!(fate("ERROR", "0A000", Some("transformStmt")), Fate::Usable);
        assert_eq!(fate("FATAL", "57P01", None), Fate::NeverSent);
        assert_eq!(fate("FATAL", "57P02", None), Fate::Broken);
    }

    #[test]
    fn what_had_begun_is_not_begun_again() {
        let ended = |fate| Failure {
            error: Error::new(ErrorKind::Connection, ""),
            fate,
        };
        assert_eq!(ended(Fate::NeverSent).after(true).fate, Fate::Broken);
        assert_eq!(ended(Fate::Stale).after(true).fate, Fate::Usable);
        assert_eq!(ended(Fate::NeverSent).after(false).fate, Fate::NeverSent);
        let unknown = ended(Fate::NeverSent).of_commit();
        assert_eq!(
            (unknown.error.kind(), unknown.fate),
            (ErrorKind::OutcomeUnknown, Fate::Broken)
        );
    }

    #[test]
    fn a_call_goes_to_few_other_connections_and_only_when_it_is_whole() {
        let mut tries = Tries::new(true);
        tries.begin();
        assert!(tries.again(Fate::NeverSent) && !tries.again(Fate::Broken));
        tries.begin();
        tries.begin();
        assert!(!tries.again(Fate::NeverSent));
        let mut procedure = Tries::new(false);
        procedure.begin();
        assert!(!procedure.again(Fate::NeverSent));
    }

    #[test]
    fn a_setting_that_the_server_refuses_is_no_server_that_is_away() {
        let opened = |sqlstate: &str| {
            let report = DatabaseError {
                sqlstate: sqlstate.into(),
                ..Default::default()
            };
            unreachable(Failure::reported(report, None))
        };
        let refused = opened("22023");
        assert_eq!(refused.kind(), ErrorKind::Config);
        assert!(!waiting_helps(&refused) && !refused.is_retryable());
        assert_eq!(opened("3D000").kind(), ErrorKind::Unreachable);
    }

    #[test]
    fn only_a_broken_pipe_was_never_sent() {
        assert_eq!(
            Failure::socket(std::io::ErrorKind::BrokenPipe.into()).fate,
            Fate::NeverSent
        );
        assert_eq!(
            Failure::socket(std::io::ErrorKind::ConnectionReset.into()).fate,
            Fate::Broken
        );
    }
}
