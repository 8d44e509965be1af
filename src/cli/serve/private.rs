//! The private PostgreSQL of a service that was given no database, and the thread that starts it again when it ends by itself.

use crate::cli::exit::{Failure, Outcome};
use crate::cli::print::Printer;
use crate::config::{Settings, show_duration};
use crate::embedded::{Embedded, EmbeddedError};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How often it is looked whether the server still runs.
const LOOK: Duration = Duration::from_secs(1);

/// The pause before the second start in a row. Each further one is twice as long, up to [`LONGEST_PAUSE`]; the first has none.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A server that ran for this long had started well: its next end is the first again.
const STEADY: Duration = Duration::from_mins(1);

/// How long the end waits for the server's: longer than a stop takes, which kills after about 20 s. A start that is under way may take
/// longer; the server's watchdog then ends it with the process.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// The private server, watched. Dropping it stops the server, without waiting.
#[derive(Debug)]
pub(super) struct Private {
    url: String,
    stop: Sender<()>,
    stopped: Receiver<Result<(), EmbeddedError>>,
}

impl Private {
    /// Starts it and waits until it takes connections.
    pub(super) fn start(ephemeral: bool, settings: &Settings, printer: &Printer) -> Outcome<Self> {
        let options = if ephemeral {
            Embedded::options().ephemeral()
        } else {
            // A folder that nobody named is chosen so that the server's user can enter it.
            Embedded::options().data_dir(
                settings
                    .data_dir_is_named
                    .then(|| settings.data_dir.clone()),
            )
        };
        printer.note("no database is named: starting the private PostgreSQL");
        let server = options.start()?;
        let url = server.url("postgres");
        let (stop, told) = mpsc::channel();
        let (tell, stopped) = mpsc::channel();
        thread::Builder::new()
            .name("pontoon-postgres".into())
            // Who gave up waiting does not hear how it went.
            .spawn(move || drop(tell.send(watch(server, &told))))
            .map_err(|error| {
                Failure::System(
                    "no thread can be started to watch the private PostgreSQL".into(),
                    error,
                )
            })?;
        Ok(Self { url, stop, stopped })
    }

    /// Where it is. It stays the same however often the server is started again.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Stops it, and tells what went wrong with that.
    pub(super) fn stop(self, printer: &Printer) {
        drop(self.stop);
        match self.stopped.recv_timeout(STOP_LIMIT) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => printer.warn(&error.to_string()),
            Err(_) => printer.warn(&format!(
                "the private PostgreSQL did not stop in {}, and ends with this process",
                show_duration(STOP_LIMIT)
            )),
        }
    }
}

/// Starts the server again whenever it has ended, until it is told to stop it.
fn watch(mut server: Embedded, told: &Receiver<()>) -> Result<(), EmbeddedError> {
    let (mut started, mut starts) = (Instant::now(), 0);
    loop {
        if !goes_on(told, LOOK) {
            return server.stop();
        }
        if server.is_running() {
            continue;
        }
        if started.elapsed() >= STEADY {
            starts = 0;
        }
        tracing::error!(
            "the private PostgreSQL (pid {}) has ended by itself, and is started again{}; its log is {}, and {} once it is started",
            server.pid(),
            after(pause(starts)),
            server.log().display(),
            server.log().with_extension("log.1").display()
        );
        loop {
            if !goes_on(told, pause(starts)) {
                return server.stop();
            }
            starts += 1;
            let Err(error) = server.restart() else { break };
            tracing::error!(
                "the private PostgreSQL could not be started again, and is tried anew{}: {error}",
                after(pause(starts))
            );
        }
        started = Instant::now();
        tracing::warn!(
            "the private PostgreSQL takes connections again (pid {})",
            server.pid()
        );
    }
}

/// Waits for that long; false where the server is to be stopped.
fn goes_on(told: &Receiver<()>, time: Duration) -> bool {
    matches!(told.recv_timeout(time), Err(RecvTimeoutError::Timeout))
}

/// The pause before a start that follows on so many.
fn pause(starts: u32) -> Duration {
    let Some(doublings) = starts.checked_sub(1) else {
        return Duration::ZERO;
    };
    FIRST_PAUSE
        .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
        .min(LONGEST_PAUSE)
}

fn after(pause: Duration) -> String {
    if pause.is_zero() {
        String::new()
    } else {
        format!(" after {}", show_duration(pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_to_its_limit() {
        let seconds: Vec<u64> = (0..8).map(|starts| pause(starts).as_secs()).collect();
        assert_eq!(seconds, [0, 1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }

    #[test]
    fn a_stop_cuts_a_pause_short() {
        let (stop, told) = mpsc::channel::<()>();
        assert!(goes_on(&told, Duration::ZERO));
        drop(stop);
        assert!(!goes_on(&told, Duration::from_hours(1)));
    }
}
