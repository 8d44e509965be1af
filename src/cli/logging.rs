//! The log: on stderr, one line an event. On a terminal the time of day is enough; elsewhere the date is there too.

use super::Globals;
use super::print::Printer;
use std::fmt;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// What is logged where neither `RUST_LOG` nor an option says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// What went wrong: for a command that tells the rest itself.
    Errors,
    /// What happens: for a service.
    Events,
}

/// Starts the log once a process; a later start changes nothing.
pub(super) fn start(level: Level, globals: &Globals, printer: &Printer) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(directives(level, globals)));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(printer.colors_errors())
        .with_target(globals.verbose > 0);
    // Only a program that has its own log already has one here.
    let _ = if printer.has_terminal_errors() {
        log.with_timer(TimeOfDay).try_init()
    } else {
        log.try_init()
    };
}

/// Hours, minutes and seconds in UTC.
struct TimeOfDay;

impl FormatTime for TimeOfDay {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = since.map_or(0, |since| since.as_secs());
        let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
        write!(writer, "{hours:02}:{minutes:02}:{:02}Z", seconds % 60)
    }
}

fn directives(level: Level, globals: &Globals) -> &'static str {
    match (globals.quiet, globals.verbose, level) {
        (true, ..) => "error",
        (_, 0, Level::Errors) => "warn,pontoon=error",
        (_, 0, Level::Events) => "warn,pontoon=info",
        (_, 1, _) => "info,pontoon=debug",
        (_, 2.., _) => "trace",
    }
}
