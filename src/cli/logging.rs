//! The log: on stderr, for people.

use super::Globals;
use super::print::Printer;
use std::io;
use tracing_subscriber::EnvFilter;

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
        .with_ansi(printer.colors_errors());
    // Only a program that has its own log already has one here.
    let _ = log.with_target(globals.verbose > 0).try_init();
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
