//! The way to the database for a command: from the settings to a bridge over both backends, and the wait for a server that is not there yet.

use super::exit::{Failure, Outcome};
use super::print::Printer;
use crate::Bridge;
use crate::backend::{self, BackendKind, StorageBackend, Target};
use crate::config::{Settings, show_duration};
use crate::error::{Error, ErrorKind};
use crate::flags::Flags;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long a wait for the server pauses between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// How long the pools get to close at the end. Calls that ran into a frozen server would keep them open for longer than whoever stops the
/// program waits.
const CLOSE_TIME: Duration = Duration::from_secs(5);

/// Both backends of one database.
#[derive(Debug, Clone)]
pub(super) struct Database {
    /// Where it is, without the password.
    pub(super) shown: String,
    pub(super) bridge: Bridge,
}

impl Database {
    /// The database that the settings name, with the flag that they describe. No connection is opened yet.
    pub(super) fn named(settings: &Settings) -> Outcome<Self> {
        let url = settings.database_url.as_ref().ok_or(Failure::NoDatabase)?;
        let flags = Flags::builder().settings(settings).build()?;
        let mut session = session(settings);
        // Somebody waits for the command's answer; a service would outlast a restart of the server.
        session.away_timeout = PAUSE;
        Self::with(url.expose(), session, settings, flags)
    }

    /// The database at that URL.
    pub(super) fn at(url: &str, settings: &Settings, flags: Flags) -> Outcome<Self> {
        Self::with(url, session(settings), settings, flags)
    }

    fn with(
        url: &str,
        session: backend::Settings,
        settings: &Settings,
        flags: Flags,
    ) -> Outcome<Self> {
        let target = Target::parse(url)?;
        let bridge = Bridge::builder(url)
            .settings(session)
            .budget(budget(settings))
            .flags(flags)
            .build()?;
        Ok(Self {
            shown: target.redacted(),
            bridge,
        })
    }

    /// The backends that this build contains, the control first.
    pub(super) fn backends(&self) -> Vec<Arc<dyn StorageBackend>> {
        BackendKind::ALL
            .into_iter()
            .filter_map(|kind| self.bridge.backend(kind))
            .collect()
    }

    /// The backend of that kind.
    pub(super) fn backend(&self, kind: BackendKind) -> Outcome<Arc<dyn StorageBackend>> {
        let missing = || {
            Error::new(
                ErrorKind::Config,
                format!("this build does not contain the {kind} backend"),
            )
        };
        Ok(self.bridge.backend(kind).ok_or_else(missing)?)
    }

    /// Closes both pools, for [`CLOSE_TIME`] at most; what is open then ends with the process.
    pub(super) async fn close(&self) {
        let one = async |backend: Arc<dyn StorageBackend>| {
            if timeout(CLOSE_TIME, backend.close()).await.is_err() {
                let (kind, open) = (backend.kind(), backend.pool_status().in_use);
                tracing::warn!(
                    backend = kind.as_str(),
                    open,
                    "the pool of the {kind} backend could not be closed in {}: {open} connections in use end with the process",
                    show_duration(CLOSE_TIME)
                );
            }
        };
        // Beside each other: one that cannot close must not take the other's time.
        join_all(self.backends().into_iter().map(one)).await;
    }

    /// Waits until the server takes a connection, for about `patience`; with none it tries once.
    pub(super) async fn reach(&self, patience: Duration, printer: &Printer) -> Outcome<()> {
        let mut trying = std::pin::pin!(self.try_until(Instant::now() + patience));
        if patience.is_zero() {
            return trying.await;
        }
        tokio::select! {
            reached = &mut trying => return reached,
            () = tokio::time::sleep(PAUSE) => {}
        }
        let waits = format!("waiting up to {} for the database", show_duration(patience));
        printer.note(&format!("{waits} at {}", self.shown));
        let spinner = printer.spinner(waits);
        let reached = trying.await;
        spinner.finish_and_clear();
        reached
    }

    async fn try_until(&self, deadline: Instant) -> Outcome<()> {
        loop {
            match self.bridge.ping().await {
                Ok(()) => return Ok(()),
                Err(error) if !may_come(&error) || Instant::now() >= deadline => {
                    return Err(error.into());
                }
                Err(error) => tracing::debug!(%error, "the database is not there yet"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Whether the next try may succeed: the server may be there in a while, or the try itself broke off on its way.
fn may_come(error: &Error) -> bool {
    // A build without a backend opens nothing.
    #[cfg(any(feature = "blocking", feature = "async"))]
    if backend::waiting_helps(error) {
        return true;
    }
    let broke_off = matches!(error.kind(), ErrorKind::Connection | ErrorKind::Timeout(_));
    broke_off && error.sqlstate().is_none()
}

/// The settings of somebody who only asks whether the server is there: a try that waits for long would keep the reason to itself.
pub(super) fn impatient(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    settings.timeouts.acquire = settings.timeouts.acquire.min(4 * PAUSE);
    settings
}

/// How many connections both backends may use together.
pub(super) fn budget(settings: &Settings) -> usize {
    usize::try_from(settings.budget.total).unwrap_or(usize::MAX)
}

/// What both backends are built with.
pub(super) fn session(settings: &Settings) -> backend::Settings {
    let size = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let path = &settings.session.search_path;
    let defaults = backend::Settings::default();
    backend::Settings {
        floor: size(settings.budget.blocking_floor),
        acquire_timeout: settings.timeouts.acquire,
        open_timeout: settings.timeouts.open,
        answer_timeout: settings.timeouts.answer,
        idle_timeout: settings.timeouts.idle,
        max_lifetime: settings.timeouts.max_lifetime,
        statement_cache: size(settings.statement_cache),
        session: backend::Session {
            timezone: settings.session.timezone.clone(),
            statement_timeout: settings.session.statement_timeout,
            lock_timeout: settings.session.lock_timeout,
            idle_in_transaction_timeout: settings.session.idle_in_transaction_timeout,
            search_path: (!path.is_empty()).then(|| path.clone()),
            application_name: settings.application_name.clone(),
            transaction_pooler: settings.transaction_pooler,
        },
        ..defaults
    }
}
