//! From failure to what the operator reads and what a script sees: title, advice and exit code, in one table.

use super::print::Printer;
use super::values::TYPED;
use crate::config::Settings;
use crate::embedded::EmbeddedError;
use crate::error::{Error, ErrorKind};
use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

/// What a command returns.
pub(super) type Outcome<T> = Result<T, Failure>;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to report.
    Done,
    /// There are findings.
    Findings,
    /// The arguments are wrong.
    Usage,
    /// The database or the fleet could not be reached.
    Unreachable,
    /// The configuration is wrong.
    Config,
}

impl Exit {
    /// Every way to end, by its code. 3 and 4 are kept for commands that move the flag up: a gate refused, or the revision had moved.
    pub const ALL: [Self; 5] = [
        Self::Done,
        Self::Findings,
        Self::Usage,
        Self::Unreachable,
        Self::Config,
    ];

    /// The code that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Unreachable => 5,
            Self::Config => 6,
        }
    }

    /// What the code means.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => {
                "done, or nothing to report; a reader that closed the pipe early is fine too"
            }
            Self::Findings => {
                "findings: a difference, a check that fails, a statement that the server refused"
            }
            Self::Usage => "the arguments are wrong",
            Self::Unreachable => {
                "the database or the fleet could not be reached; what was done locally is said"
            }
            Self::Config => "the configuration is wrong: the file, the line, the nearest known key",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(super) enum Failure {
    /// The library failed.
    Error(Error),
    /// The private PostgreSQL could not be started.
    Embedded(EmbeddedError),
    /// No database was named where one is needed.
    NoDatabase,
    /// The address cannot be listened on.
    Listen(SocketAddr, io::Error),
    /// The admin API would be open to everybody on the network.
    OpenAdmin(SocketAddr),
    /// No instance answered at that URL.
    NoInstance(String, String),
    /// An instance answered, and refused: the URL, the status, and what it said.
    Instance(String, u16, String),
    /// A file or the process's own surroundings failed it.
    System(String, io::Error),
    /// The output could not be written.
    Output(io::Error),
    /// An argument that clap let pass is wrong.
    Usage(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<EmbeddedError> for Failure {
    fn from(error: EmbeddedError) -> Self {
        Self::Embedded(error)
    }
}

/// What the server calls a setting that it may refuse, and its key.
const SERVER_SETTINGS: [(&str, &str); 2] = [
    ("TimeZone", "session.timezone"),
    ("search_path", "session.search_path"),
];

type Row = (&'static str, &'static str, Exit);

impl Failure {
    /// The table: title, advice where the error itself brings none, exit code.
    fn row(&self) -> Row {
        match self {
            Self::Error(error) => error_row(error),
            Self::Embedded(_) => (
                "the private PostgreSQL could not be started",
                "",
                Exit::Unreachable,
            ),
            Self::NoDatabase => (
                "no database is named",
                "set DATABASE_URL, or pass --database-url; `pontoon serve` alone brings its own, and prints its URL",
                Exit::Config,
            ),
            Self::Listen(..) => (
                "the address cannot be listened on",
                "choose another one with --listen or PONTOON_LISTEN; port 0 takes any that is free",
                Exit::Config,
            ),
            Self::OpenAdmin(_) => (
                "the admin API would be open to the network",
                "set PONTOON_ADMIN_TOKEN to a long random text, or listen on 127.0.0.1",
                Exit::Config,
            ),
            Self::NoInstance(..) => (
                "no instance could be reached",
                "start one with `pontoon serve`, or name one with --url",
                Exit::Unreachable,
            ),
            Self::Instance(_, 401 | 403, _) => (
                "the instance refused the token",
                "PONTOON_ADMIN_TOKEN must be the one that the instance was started with",
                Exit::Config,
            ),
            Self::Instance(..) => ("the instance refused", "", Exit::Findings),
            Self::System(..) => ("the system refused", "", Exit::Findings),
            Self::Output(_) => ("the output could not be written", "", Exit::Findings),
            Self::Usage(_) => (
                "the arguments are wrong",
                "`--help` tells what is accepted",
                Exit::Usage,
            ),
        }
    }

    fn message(&self) -> String {
        match self {
            // A statement that was typed has no name.
            Self::Error(error) if error.query() == Some(TYPED) => {
                error
                    .to_string()
                    .replacen(&format!("query {TYPED}"), "the statement", 1)
            }
            Self::Error(error) => error.to_string(),
            Self::Embedded(error) => error.to_string(),
            Self::NoDatabase => String::new(),
            Self::Listen(address, error) => match error.kind() {
                io::ErrorKind::AddrInUse => format!("{address} is in use by another process"),
                _ => format!("{address}: {error}"),
            },
            Self::OpenAdmin(address) => {
                format!("{address} is no loopback address, and there is no token")
            }
            Self::NoInstance(url, what) => format!("{url}: {what}"),
            Self::Instance(url, status, what) => format!("{url}: {status}: {what}"),
            Self::System(what, error) => format!("{what}: {error}"),
            Self::Output(error) => error.to_string(),
            Self::Usage(what) => what.clone(),
        }
    }

    /// The failure's own advice, before the table's.
    fn own_advice(&self) -> Option<&str> {
        match self {
            Self::Error(error) => error.hint().filter(|hint| !hint.is_empty()),
            _ => None,
        }
    }

    /// The same, with the place of the setting that the server refused, where it is one of the program's.
    pub(super) fn located(self, settings: &Settings) -> Self {
        let Self::Error(error) = self else {
            return self;
        };
        let report = error
            .database()
            .filter(|_| error.kind() == ErrorKind::Config);
        let place = report.and_then(|report| {
            let names = |name: &str| report.message.contains(&format!("\"{name}\""));
            let (_, key) = SERVER_SETTINGS.iter().find(|(name, _)| names(name))?;
            Some((settings.origin(key)?, *key))
        });
        match place {
            Some((origin, key)) => {
                let hint = format!("{origin} sets {key} to what this server does not take");
                Self::Error(error.with_hint(hint))
            }
            None => Self::Error(error),
        }
    }

    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            _ => self.row().2,
        }
    }

    /// Tells the operator on stderr, and gives the exit code.
    pub(super) fn tell(&self, printer: &Printer) -> Exit {
        let exit = self.exit();
        if exit == Exit::Done {
            return exit;
        }
        let (title, advice, _) = self.row();
        let message = self.message();
        // The private server's errors end with their advice.
        let (message, brought) = message.split_once("\nhint: ").unwrap_or((&message, ""));
        let brought = self.own_advice().unwrap_or(brought);
        let advice = if brought.is_empty() { advice } else { brought };
        printer.failure(title, message, &self.causes(), advice);
        exit
    }

    /// What lies beneath, where the message does not say it already.
    fn causes(&self) -> Vec<String> {
        let Self::Error(error) = self else {
            return Vec::new();
        };
        let mut told = self.message();
        let mut causes = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            if !told.contains(&text) {
                causes.push(text.clone());
                told.push_str(&text);
            }
            next = cause.source();
        }
        causes
    }
}

fn error_row(error: &Error) -> Row {
    const AWAY: Row = (
        "the database could not be reached",
        "check that it runs, and that DATABASE_URL or --database-url names it",
        Exit::Unreachable,
    );
    match error.kind() {
        ErrorKind::Config => (
            "the configuration is wrong",
            "docs/FLAGS.md lists every key and variable",
            Exit::Config,
        ),
        ErrorKind::Unreachable if refused_login(error) => (
            "the database refused the connection",
            "check user, password and database name in the URL",
            Exit::Unreachable,
        ),
        ErrorKind::Unreachable
        | ErrorKind::Connection
        | ErrorKind::Timeout(_)
        | ErrorKind::Closed => AWAY,
        ErrorKind::OutcomeUnknown => (
            "the outcome is unknown",
            "the statement may have taken effect: look at the data before you run it again",
            Exit::Unreachable,
        ),
        ErrorKind::Schema => (
            "the database's schema is not the one that this program knows",
            "`pontoon migrate --check` tells what differs",
            Exit::Findings,
        ),
        ErrorKind::Database => ("the server refused the statement", "", Exit::Findings),
        ErrorKind::Sql => ("the SQL text cannot be used", "", Exit::Findings),
        ErrorKind::Bind => (
            "the values do not fit the statement",
            "-p VALUE gives the placeholders' values in their order, -p NAME=VALUE by name",
            Exit::Findings,
        ),
        ErrorKind::Decode | ErrorKind::Unsupported | ErrorKind::NoRow => {
            ("the answer cannot be used", "", Exit::Findings)
        }
        ErrorKind::Panic => (
            "the program failed",
            "this is a fault of pontoon; run it with -v for the log",
            Exit::Findings,
        ),
    }
}

/// Whether the server is there and does not want this user, password or database.
fn refused_login(error: &Error) -> bool {
    error
        .sqlstate()
        .is_some_and(|state| state.starts_with("28") || state.starts_with("3D"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{DatabaseError, Wait};
    use std::time::Duration;

    #[test]
    fn codes_are_the_contract() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 5, 6]);
    }

    #[test]
    fn each_kind_of_error_has_its_code() {
        let code = |kind| Failure::from(Error::new(kind, "")).exit().code();
        assert_eq!(code(ErrorKind::Config), 6);
        assert_eq!(code(ErrorKind::Unreachable), 5);
        assert_eq!(code(ErrorKind::OutcomeUnknown), 5);
        assert_eq!(code(ErrorKind::Database), 1);
        assert_eq!(code(ErrorKind::Schema), 1);
        assert_eq!(
            Failure::from(Error::timeout(Wait::Open, Duration::ZERO))
                .exit()
                .code(),
            5
        );
    }

    #[test]
    fn a_refused_login_is_told_from_a_server_that_is_away() {
        let report = DatabaseError {
            sqlstate: "3D000".into(),
            ..DatabaseError::default()
        };
        let failure = Failure::from(Error::from_database(ErrorKind::Unreachable, report));
        assert_eq!(failure.row().0, "the database refused the connection");
    }

    #[test]
    fn a_closed_pipe_is_success_and_a_full_disk_is_not() {
        assert_eq!(
            Failure::Output(io::ErrorKind::BrokenPipe.into()).exit(),
            Exit::Done
        );
        assert_eq!(
            Failure::Output(io::ErrorKind::StorageFull.into()).exit(),
            Exit::Findings
        );
    }
}
