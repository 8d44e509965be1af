//! Ctrl-C and SIGTERM: the first drains the service, the second ends it at once.

use crate::cli::exit::{Failure, Outcome};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// 128 and the number of SIGINT, as a shell shows it.
const INTERRUPTED: i32 = 130;

/// Both signals, caught since [`Signals::install`].
#[derive(Debug)]
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Catches both from now on. Must be called inside the executor.
    pub(super) fn install() -> Outcome<Self> {
        let catch = |kind| {
            signal(kind).map_err(|error| Failure::System("signals cannot be caught".into(), error))
        };
        Ok(Self {
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
        })
    }

    /// The next of either.
    pub(super) async fn first(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// The first one; from then on another one ends the process, and the private PostgreSQL's watchdog ends the database.
    pub(super) async fn first_then_hurry(mut self) {
        self.first().await;
        tracing::info!("stopping: requests that run may finish; once more ends at once");
        tokio::spawn(async move {
            self.first().await;
            std::process::exit(INTERRUPTED);
        });
    }
}
