//! How connections are opened for r2d2's pool: for whom, within which bounds, and why not.

use super::super::Settings;
use super::super::budget::{Budget, Slot};
use super::super::failure::{is_away, unreachable, waiting_helps};
use super::super::session::{self, Tls};
use super::blocking::closed;
use super::claim::Ender;
use super::link::{Statements, failure};
use super::socket::{Cord, Wiring, is_tcp};
use crate::error::{Error, ErrorKind, Result, Wait};
use postgres::{CancelToken, Client, Config};
use r2d2::ManageConnection;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long nobody tries again after an attempt to open a connection failed.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// How long a connection over TCP may be idle before it is tested ahead of its next use. Writing to a session that the server has ended
/// fails over a unix socket; over TCP it does not, and the driver cannot tell afterwards whether the call was run.
const UNSURE: Duration = Duration::from_millis(250);

/// What connections are opened with, and what is known of those that are open.
pub(super) struct Opening {
    config: Config,
    wiring: Wiring,
    setup: String,
    settings: Settings,
    budget: Arc<Budget>,
    /// Counts the connections that broke: what was opened before the last of them is tested ahead of its next use.
    pub(super) broken: AtomicU64,
    /// Why the last attempt to open a connection failed, and when.
    failed: Mutex<Option<Failed>>,
    /// Callers that wait for a connection, and connections that are being opened for them.
    pub(super) waiting: AtomicUsize,
    trying: AtomicUsize,
    /// What r2d2 counts as a connection and is none.
    pub(super) empty: AtomicUsize,
    pub(super) closed: AtomicBool,
    /// How long a connection may be idle before it is tested.
    test_after: Duration,
    /// Connections that are open or being opened: r2d2 knows those that came to it.
    pub(super) open: AtomicUsize,
}

/// Counts a connection from before it is opened until it is closed.
struct Counted(Arc<Opening>);

impl Counted {
    fn new(opening: &Arc<Opening>) -> Self {
        opening.open.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(opening))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}

/// One more in a count, as long as it lives.
pub(super) struct One<'a>(&'a AtomicUsize);

impl<'a> One<'a> {
    pub(super) fn of(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for One<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[derive(Clone)]
pub(super) struct Failed {
    pub(super) error: Error,
    pub(super) at: Instant,
}

pub(super) struct Opener(pub(super) Arc<Opening>);

/// What r2d2 is given for an attempt to open a connection. For r2d2 no attempt fails: it would go on trying for as long as it lives, for
/// nobody, and each caller that asks again would add an attempt.
pub(super) enum Entry {
    Open(Box<Pooled>),
    /// No connection, with the reason; none where enough attempts are under way.
    Empty(Option<Failed>, Arc<Opening>),
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Self::Empty(_, opening) = self {
            opening.empty.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// A connection with what the pool knows of it.
pub(super) struct Pooled {
    pub(super) client: Client,
    pub(super) ends: Arc<Ends>,
    pub(super) statements: Statements,
    since: Instant,
    /// When it was given back after its last use.
    pub(super) last_used: Instant,
    pub(super) used: bool,
    pub(super) idle: Duration,
    seen_broken: u64,
    pub(super) retired: bool,
    /// Both are kept as long as the connection is open, so they come after it.
    _slot: Slot,
    counted: Counted,
}

/// Ends what a connection does, and the connection.
pub(super) struct Ends {
    token: CancelToken,
    cord: Cord,
    opening: Arc<Opening>,
}

impl Ender for Ends {
    fn end(&self) {
        let Opening {
            wiring, settings, ..
        } = &*self.opening;
        if wiring.waits_for_cancel() || !settings.session.transaction_pooler {
            let cord = Cord::of_cancel(settings.open_timeout);
            // The server sees a closed socket late or not at all while it works or waits for a lock: it has to be told.
            let _asked = self.token.cancel_query(wiring.connector(&cord));
        }
        self.cord.cut();
    }
}

impl ManageConnection for Opener {
    type Connection = Entry;
    type Error = Infallible;

    fn connect(&self) -> Result<Entry, Infallible> {
        let opened = self.0.try_open();
        Ok(opened.map_or_else(
            |failed| {
                self.0.empty.fetch_add(1, Ordering::AcqRel);
                Entry::Empty(failed, Arc::clone(&self.0))
            },
            |pooled| Entry::Open(Box::new(pooled)),
        ))
    }

    fn is_valid(&self, _: &mut Entry) -> Result<(), Infallible> {
        // r2d2 is told to test nothing: that has a limit, which is the caller's.
        Ok(())
    }

    fn has_broken(&self, entry: &mut Entry) -> bool {
        match entry {
            Entry::Open(pooled) => {
                pooled.retired
                    || pooled.client.is_closed()
                    || pooled.is_old()
                    || self.0.closed.load(Ordering::Acquire)
            }
            Entry::Empty(..) => true,
        }
    }
}

impl Opening {
    pub(super) fn new(
        mut config: Config,
        tls: Tls,
        settings: Settings,
        budget: Arc<Budget>,
    ) -> Arc<Self> {
        let setup = session::setup_sql(&settings);
        let wiring = Wiring::new(&mut config, tls);
        let test_after = if config.get_hosts().iter().any(is_tcp) {
            settings.test_after.min(UNSURE)
        } else {
            settings.test_after
        };
        Arc::new(Self {
            config,
            wiring,
            setup,
            settings,
            budget,
            broken: AtomicU64::new(0),
            failed: Mutex::new(None),
            waiting: AtomicUsize::new(0),
            trying: AtomicUsize::new(0),
            empty: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            test_after,
            open: AtomicUsize::new(0),
        })
    }

    /// Opens a connection, if there is somebody to open it for and the last failure is not too recent.
    fn try_open(self: &Arc<Self>) -> Result<Pooled, Option<Failed>> {
        let _trying = One::of(&self.trying);
        if self.trying.load(Ordering::Acquire) > self.waiting.load(Ordering::Acquire) {
            return Err(None);
        }
        let recent = self.failed().filter(|failed| failed.at.elapsed() < PAUSE);
        if recent.is_some() {
            return Err(recent);
        }
        let opened = self.open().map_err(|error| Failed {
            error,
            at: Instant::now(),
        });
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = opened.as_ref().err().cloned();
        opened.map_err(Some)
    }

    fn failed(&self) -> Option<Failed> {
        let failed = self.failed.lock();
        failed.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn open(self: &Arc<Self>) -> Result<Pooled> {
        let counted = Counted::new(self);
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let seen_broken = self.broken.load(Ordering::Acquire);
        let slot = self.budget.slot_blocking(self.settings.open_timeout)?;
        let cord = Cord::new(self.settings.open_timeout);
        let client = self.connect(&cord).map_err(|error| {
            if cord.ran_out() {
                self.silent()
            } else {
                unreachable(failure(error))
            }
        })?;
        cord.opened();
        let ends = Ends {
            token: client.cancel_token(),
            cord,
            opening: Arc::clone(self),
        };
        Ok(Pooled {
            client,
            ends: Arc::new(ends),
            statements: Statements::new(self.settings.statement_cache),
            since: Instant::now(),
            last_used: Instant::now(),
            used: false,
            idle: Duration::ZERO,
            seen_broken,
            retired: false,
            _slot: slot,
            counted,
        })
    }

    /// Connects, logs in and sets the session. Over TCP all of it has to be done when the cord runs out, but for looking the name up, and for
    /// what a host's further addresses take where the first does not answer.
    fn connect(&self, cord: &Cord) -> Result<Client, postgres::Error> {
        let mut client = self.config.connect(self.wiring.connector(cord))?;
        if !self.setup.is_empty() {
            client.batch_execute(&self.setup)?;
        }
        Ok(client)
    }

    /// Somebody took the connection and did not answer.
    fn silent(&self) -> Error {
        Error::timeout(Wait::Open, self.settings.open_timeout).with_hint(
            "the server, or what stands before it, took the connection and did not answer: it is frozen, or no PostgreSQL",
        )
    }

    /// Why no connection came to a caller that began to wait then.
    pub(super) fn reason(&self, began: Instant, limit: Duration) -> Error {
        let failed = self.failed().filter(|failed| failed.at >= began);
        match failed.map(|failed| failed.error) {
            Some(error) if !matches!(error.kind(), ErrorKind::Timeout(_)) => error,
            // The wait that ends here is the caller's, not that of the attempt.
            other => {
                let ended = Error::timeout(Wait::Open, limit);
                match other.as_ref().and_then(Error::hint) {
                    Some(hint) => ended.with_hint(hint),
                    None => ended,
                }
            }
        }
    }

    /// Whether no connection will come to a caller that began to wait then, or none that the wait is worth.
    pub(super) fn is_hopeless(&self, failed: &Failed, began: Instant) -> bool {
        let Failed { error, at } = failed;
        // What was tried for another, long before.
        if *at + PAUSE < began || matches!(error.kind(), ErrorKind::Timeout(_)) {
            return false;
        }
        let given_up = is_away(error) && began.elapsed() >= self.settings.away_timeout;
        !waiting_helps(error) || given_up
    }
}

impl Pooled {
    pub(super) fn is_old(&self) -> bool {
        self.since.elapsed() > self.counted.0.settings.max_lifetime
    }

    /// Whether a connection broke since this one was last known to be right.
    pub(super) fn is_suspect(&self) -> bool {
        self.seen_broken != self.counted.0.broken.load(Ordering::Acquire)
    }

    /// Whether it has to be tested ahead of its next use.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_suspect() || self.idle >= self.counted.0.test_after
    }

    /// Whether the server answers within `limit`.
    pub(super) fn passes(&mut self, limit: Duration) -> bool {
        let opening = &self.counted.0;
        self.seen_broken = opening.broken.load(Ordering::Acquire);
        let limit = limit.min(opening.settings.open_timeout);
        self.client.is_valid(limit).is_ok()
    }
}
