//! Where the blocking backend's threads get their connections from, and the r2d2 pool that it opens itself.

use super::super::Settings;
use super::super::budget::{Budget, Slot};
use super::super::failure::{is_away, unreachable, waiting_helps};
use super::super::session::{self, Tls};
use super::blocking::closed;
use super::claim::Ender;
use super::link::{Link, Statements, failure};
use super::socket::{Cord, Wiring, is_tcp};
use crate::error::{Error, ErrorKind, Result, Wait};
use postgres::{CancelToken, Client, Config};
use r2d2::{ManageConnection, NopErrorHandler, PooledConnection};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long each look into the pool lasts before the reason that no connection came is asked for.
const SLICE: Duration = Duration::from_millis(100);

/// How long a connection over TCP may be idle before it is tested ahead of its next use. Writing to a session that the server has ended
/// fails over a unix socket; over TCP it does not, and the driver cannot tell afterwards whether the call was run.
const UNSURE: Duration = Duration::from_millis(250);

/// How often a pool that is being closed is looked into.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// Where the threads get their connections from.
pub(super) trait Pool: Send + Sync {
    /// A connection that is not known to be broken.
    fn get(&self, limit: Duration) -> Result<Box<dyn Held>>;

    /// A connection that is idle now, untested.
    fn try_get(&self) -> Option<Box<dyn Held>>;

    /// Has every connection that is open now tested ahead of its next use: one of them was found broken.
    fn suspect(&self);

    /// Open and idle connections.
    fn figures(&self) -> (usize, usize);

    /// Whether this backend decides how many connections are open. A pool that the service owns it only borrows from: it opens none ahead
    /// of need there and closes none for idleness or another's slot.
    fn is_own(&self) -> bool;

    /// Opens no connection any more and closes those that are idle, also those that were being opened; a pool that the service owns
    /// stays as it is.
    fn close(&self);

    /// Whether connections are open, or being opened, that closing waits for.
    fn is_open(&self) -> bool;
}

/// A connection that a thread holds; dropping it gives it back to its pool.
pub(super) trait Held {
    fn link(&mut self) -> Link<'_>;

    /// What ends the call that the connection is used for.
    fn ender(&self) -> Arc<dyn Ender>;

    /// Closes the connection instead of giving it back.
    fn retire(self: Box<Self>);

    /// As [`retire`](Held::retire), for a connection whose call did not finish: it makes nobody wait, and the server need not go on.
    fn abandon(self: Box<Self>);

    /// How long it had been idle before it was taken.
    fn idle(&self) -> Duration;

    /// Whether it is older than a connection of this backend's may become.
    fn is_old(&self) -> bool;
}

/// A pool of connections that this backend opens.
pub(super) struct OwnPool {
    pool: r2d2::Pool<Opener>,
    opening: Arc<Opening>,
}

struct Opening {
    config: Config,
    wiring: Wiring,
    setup: String,
    settings: Settings,
    budget: Arc<Budget>,
    /// Counts the connections that broke: what was opened before the last of them is tested ahead of its next use.
    broken: AtomicU64,
    /// Why the last attempt to open a connection failed: r2d2 itself keeps the text alone.
    failed: Mutex<Option<Error>>,
    closed: AtomicBool,
    /// How long a connection may be idle before it is tested.
    test_after: Duration,
    /// Connections that are open or being opened: r2d2 knows those that came to it.
    open: AtomicUsize,
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

struct Opener(Arc<Opening>);

/// A connection with what the pool knows of it.
pub(super) struct Pooled {
    client: Client,
    ends: Arc<Ends>,
    statements: Statements,
    since: Instant,
    last_used: Instant,
    idle: Duration,
    seen_broken: u64,
    retired: bool,
    /// Both are kept as long as the connection is open, so they come after it.
    _slot: Slot,
    counted: Counted,
}

/// Ends what a connection does, and the connection.
struct Ends {
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
    type Connection = Pooled;
    type Error = Error;

    fn connect(&self) -> Result<Pooled> {
        let opened = self.0.open();
        *self.0.failed.lock().unwrap_or_else(PoisonError::into_inner) =
            opened.as_ref().err().cloned();
        opened
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<()> {
        pooled
            .client
            .is_valid(self.0.settings.open_timeout)
            .map_err(|error| failure(error).error)
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        pooled.retired || pooled.client.is_closed() || self.0.closed.load(Ordering::Acquire)
    }
}

impl Opening {
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

    /// Why no connection came, once the wait for one ends.
    fn reason(&self, limit: Duration) -> Error {
        let failed = self
            .failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match failed {
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

    /// The reason that no connection will come, however long the wait, or none that this one is worth.
    fn hopeless(&self, waited: Duration) -> Option<Error> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let given_up = |error: &Error| is_away(error) && waited >= self.settings.away_timeout;
        let passes = |error: &&Error| {
            (waiting_helps(error) && !given_up(error))
                || matches!(error.kind(), ErrorKind::Timeout(_))
        };
        failed.as_ref().filter(|error| !passes(error)).cloned()
    }
}

impl Pooled {
    fn is_old(&self) -> bool {
        self.since.elapsed() > self.counted.0.settings.max_lifetime
    }
}

impl OwnPool {
    pub(super) fn new(
        mut config: Config,
        tls: Tls,
        settings: Settings,
        budget: Arc<Budget>,
    ) -> Self {
        let setup = session::setup_sql(&settings);
        let max = u32::try_from(budget.total()).unwrap_or(u32::MAX);
        let wiring = Wiring::new(&mut config, tls);
        let test_after = if config.get_hosts().iter().any(is_tcp) {
            settings.test_after.min(UNSURE)
        } else {
            settings.test_after
        };
        let opening = Arc::new(Opening {
            config,
            wiring,
            setup,
            settings,
            budget,
            broken: AtomicU64::new(0),
            failed: Mutex::new(None),
            closed: AtomicBool::new(false),
            test_after,
            open: AtomicUsize::new(0),
        });
        // The floor, idle and old connections are this backend's business: r2d2 would keep `min_idle` connections beside those in use, and
        // its threads for half a minute after the last handle is gone.
        let pool = r2d2::Pool::builder()
            .max_size(max)
            .min_idle(Some(0))
            .test_on_check_out(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connection_timeout(Duration::from_secs(1))
            .error_handler(Box::new(NopErrorHandler))
            .build_unchecked(Opener(Arc::clone(&opening)));
        Self { pool, opening }
    }

    /// Whether the connection may be used: it is tested where it is suspect, or was idle for long.
    fn fit(&self, pooled: &mut Pooled) -> bool {
        if pooled.is_old() {
            return false;
        }
        let broken = self.opening.broken.load(Ordering::Acquire);
        pooled.idle = pooled.last_used.elapsed();
        if pooled.seen_broken == broken && pooled.idle < self.opening.test_after {
            return true;
        }
        pooled.seen_broken = broken;
        pooled
            .client
            .is_valid(self.opening.settings.open_timeout)
            .is_ok()
    }
}

impl Pool for OwnPool {
    fn get(&self, limit: Duration) -> Result<Box<dyn Held>> {
        let began = Instant::now();
        let deadline = began + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.pool.get_timeout(left.min(SLICE)) {
                Ok(mut pooled) => {
                    if self.fit(&mut pooled) {
                        return Ok(Box::new(pooled));
                    }
                    Box::new(pooled).abandon();
                }
                Err(_) if left <= SLICE => return Err(self.opening.reason(limit)),
                Err(_) => {
                    if let Some(error) = self.opening.hopeless(began.elapsed()) {
                        return Err(error);
                    }
                }
            }
        }
    }

    fn try_get(&self) -> Option<Box<dyn Held>> {
        let mut pooled = self.pool.try_get()?;
        pooled.idle = pooled.last_used.elapsed();
        Some(Box::new(pooled))
    }

    fn suspect(&self) {
        self.opening.broken.fetch_add(1, Ordering::AcqRel);
    }

    fn figures(&self) -> (usize, usize) {
        let state = self.pool.state();
        (state.connections as usize, state.idle_connections as usize)
    }

    fn is_own(&self) -> bool {
        true
    }

    fn close(&self) {
        self.opening.closed.store(true, Ordering::Release);
        let (pool, opening) = (self.pool.clone(), Arc::clone(&self.opening));
        // On a thread of its own: dropping a connection blocks.
        let started = thread::Builder::new()
            .name("pontoon-keeper".into())
            .spawn(move || {
                while opening.open.load(Ordering::Acquire) > 0 {
                    while pool.try_get().is_some() {}
                    thread::sleep(ASK_AGAIN);
                }
            });
        if let Err(error) = started {
            tracing::error!(%error, "no thread could be started to close the blocking backend's connections");
        }
    }

    fn is_open(&self) -> bool {
        self.opening.open.load(Ordering::Acquire) > 0
    }
}

impl Held for PooledConnection<Opener> {
    fn link(&mut self) -> Link<'_> {
        let pooled = &mut **self;
        pooled.last_used = Instant::now();
        Link {
            client: &mut pooled.client,
            statements: &mut pooled.statements,
        }
    }

    fn ender(&self) -> Arc<dyn Ender> {
        Arc::<Ends>::clone(&self.ends)
    }

    fn retire(mut self: Box<Self>) {
        self.retired = true;
    }

    fn abandon(mut self: Box<Self>) {
        self.retired = true;
        if !self.client.is_closed() {
            close_elsewhere(move || {
                self.ends.end();
                drop(self);
            });
        }
    }

    fn idle(&self) -> Duration {
        self.idle
    }

    fn is_old(&self) -> bool {
        Pooled::is_old(self)
    }
}

/// Closes a connection on a thread of its own: the driver waits for the answer to what was sent last, and that may never come.
pub(super) fn close_elsewhere(close: impl FnOnce() + Send + 'static) {
    let started = thread::Builder::new()
        .name("pontoon-keeper".into())
        .spawn(close);
    if let Err(error) = started {
        tracing::error!(%error, "no thread could be started to close a connection");
    }
}
