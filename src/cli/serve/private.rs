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
    printer.note("no database is named: starting the private PostgreSQL");
    Ok(options.start()?)
}
