//! The private PostgreSQL of a service that was given no database.

use crate::cli::exit::Outcome;
use crate::cli::print::Printer;
use crate::config::Settings;
use crate::embedded::Embedded;

/// Starts it and waits until it takes connections.
pub(super) fn start(ephemeral: bool, settings: &Settings, printer: &Printer) -> Outcome<Embedded> {
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
    let spinner = printer.spinner("starting the private PostgreSQL".into());
    let started = options.start();
    spinner.finish_and_clear();
    Ok(started?)
}
