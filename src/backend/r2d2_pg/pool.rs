//! Where the blocking backend's threads get their connections from, and the r2d2 pool that it opens itself.

use super::super::Settings;
use super::super::budget::{Budget, Slot};
use super::super::failure::{is_away, unreachable, waiting_helps};
use super::super::session::{self, Tls};
use super::blocking::closed;
use super::claim::{Claim, Ender};
use super::link::{Link, Statements, failure};
use super::socket::{Cord, Wiring, is_tcp};
use crate::error::{Error, ErrorKind, Result, Wait};
use postgres::{CancelToken, Client, Config};
use r2d2::{ManageConnection, NopErrorHandler, PooledConnection};
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long each look into the pool lasts before a caller is asked whether it still waits.
const SLICE: Duration = Duration::from_millis(100);

/// How long nobody tries again after an attempt to open a connection failed.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a caller leaves the pool alone that would only ask for what others have asked for already.
const ENOUGH: Duration = Duration::from_millis(20);

/// How long a connection over TCP may be idle before it is tested ahead of its next use. Writing to a session that the server has ended
/// fails over a unix socket; over TCP it does not, and the driver cannot tell afterwards whether the call was run.
const UNSURE: Duration = Duration::from_millis(250);

/// How often a pool that is being closed is looked into.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// Where the threads get their connections from.
pub(super) trait Pool: Send + Sync {
    /// A connection that is not known to be broken, for a job that somebody waits for.
    fn get(&self, limit: Duration, claim: &Claim) -> Result<Box<dyn Held>>;

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

    /// Whether it may serve the next job without going through the pool, which tests and replaces.
    fn is_sound(&self) -> bool;
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
    /// Why the last attempt to open a connection failed, and when.
    failed: Mutex<Option<Failed>>,
    /// Callers that wait for a connection, and connections that are being opened for them.
    waiting: AtomicUsize,
    trying: AtomicUsize,
    /// What r2d2 counts as a connection and is none.
    empty: AtomicUsize,
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

/// One more in a count, as long as it lives.
struct One<'a>(&'a AtomicUsize);

impl<'a> One<'a> {
    fn of(count: &'a AtomicUsize) -> Self {
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
struct Failed {
    error: Error,
    at: Instant,
}

struct Opener(Arc<Opening>);

/// What r2d2 is given for an attempt to open a connection. For r2d2 no attempt fails: it would go on trying for as long as it lives, for
/// nobody, and each caller that asks again would add an attempt.
enum Entry {
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
struct Pooled {
    client: Client,
    ends: Arc<Ends>,
    statements: Statements,
    since: Instant,
    /// When it was given back after its last use.
    last_used: Instant,
    used: bool,
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
    fn reason(&self, began: Instant, limit: Duration) -> Error {
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
    fn is_hopeless(&self, failed: &Failed, began: Instant) -> bool {
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
    fn is_old(&self) -> bool {
        self.since.elapsed() > self.counted.0.settings.max_lifetime
    }

    /// Whether a connection broke since this one was last known to be right.
    fn is_suspect(&self) -> bool {
        self.seen_broken != self.counted.0.broken.load(Ordering::Acquire)
    }

    /// Whether it has to be tested ahead of its next use.
    fn is_doubtful(&self) -> bool {
        self.is_suspect() || self.idle >= self.counted.0.test_after
    }

    /// Whether the server answers within `limit`.
    fn passes(&mut self, limit: Duration) -> bool {
        let opening = &self.counted.0;
        self.seen_broken = opening.broken.load(Ordering::Acquire);
        let limit = limit.min(opening.settings.open_timeout);
        self.client.is_valid(limit).is_ok()
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
            waiting: AtomicUsize::new(0),
            trying: AtomicUsize::new(0),
            empty: AtomicUsize::new(0),
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

    /// What r2d2 lends, if it is a connection.
    fn lent(entry: PooledConnection<Opener>) -> Result<Lent, Option<Failed>> {
        match &*entry {
            Entry::Open(_) => {
                let mut lent = Lent(entry);
                let pooled = lent.pooled_mut();
                pooled.idle = pooled.last_used.elapsed();
                Ok(lent)
            }
            Entry::Empty(failed, _) => Err(failed.clone()),
        }
    }

    /// The connection, if it may be used; it is closed if not. What there is no time to test goes back untouched.
    fn fit(mut lent: Lent, limit: Duration) -> Option<Lent> {
        let pooled = lent.pooled_mut();
        if pooled.is_old() || (pooled.is_doubtful() && limit.is_zero()) {
            return None;
        }
        if !pooled.is_doubtful() || pooled.passes(limit) {
            return Some(lent);
        }
        Box::new(lent).abandon();
        None
    }
}

impl Pool for OwnPool {
    fn get(&self, limit: Duration, claim: &Claim) -> Result<Box<dyn Held>> {
        let _waiting = One::of(&self.opening.waiting);
        let began = Instant::now();
        let left = || limit.saturating_sub(began.elapsed());
        loop {
            // Only a wait that ends in vain makes r2d2 ask for one more than there are callers, which is not opened then.
            match self.pool.get_timeout(left().min(SLICE)).map(Self::lent) {
                Ok(Ok(found)) => {
                    if let Some(fit) = Self::fit(found, left()) {
                        return Ok(Box::new(fit));
                    }
                }
                Ok(Err(Some(failed))) if self.opening.is_hopeless(&failed, began) => {
                    return Err(failed.error);
                }
                Ok(Err(Some(_))) => thread::sleep(PAUSE.min(left())),
                Ok(Err(None)) => thread::sleep(ENOUGH.min(left())),
                Err(_) => {}
            }
            if left().is_zero() || !claim.is_wanted() {
                return Err(self.opening.reason(began, limit));
            }
        }
    }

    fn try_get(&self) -> Option<Box<dyn Held>> {
        loop {
            if let Ok(lent) = Self::lent(self.pool.try_get()?) {
                return Some(Box::new(lent));
            }
        }
    }

    fn suspect(&self) {
        self.opening.broken.fetch_add(1, Ordering::AcqRel);
    }

    fn figures(&self) -> (usize, usize) {
        let state = self.pool.state();
        let empty = self.opening.empty.load(Ordering::Acquire);
        let size = (state.connections as usize).saturating_sub(empty);
        (size, (state.idle_connections as usize).min(size))
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

/// A connection that r2d2 lent.
struct Lent(PooledConnection<Opener>);

impl Lent {
    fn pooled(&self) -> &Pooled {
        match &*self.0 {
            Entry::Open(pooled) => pooled,
            Entry::Empty(..) => unreachable!("what is empty is lent to nobody"),
        }
    }

    fn pooled_mut(&mut self) -> &mut Pooled {
        match &mut *self.0 {
            Entry::Open(pooled) => pooled,
            Entry::Empty(..) => unreachable!("what is empty is lent to nobody"),
        }
    }
}

impl Held for Lent {
    fn link(&mut self) -> Link<'_> {
        let pooled = self.pooled_mut();
        pooled.used = true;
        Link {
            client: &mut pooled.client,
            statements: &mut pooled.statements,
        }
    }

    fn ender(&self) -> Arc<dyn Ender> {
        Arc::<Ends>::clone(&self.pooled().ends)
    }

    fn retire(mut self: Box<Self>) {
        self.pooled_mut().retired = true;
    }

    fn abandon(mut self: Box<Self>) {
        self.pooled_mut().retired = true;
        if !self.pooled().client.is_closed() {
            close_elsewhere(move || {
                self.pooled().ends.end();
                drop(self);
            });
        }
    }

    fn idle(&self) -> Duration {
        self.pooled().idle
    }

    fn is_old(&self) -> bool {
        self.pooled().is_old()
    }

    fn is_sound(&self) -> bool {
        !self.pooled().is_old() && !self.pooled().is_suspect()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let pooled = self.pooled_mut();
        if std::mem::take(&mut pooled.used) {
            pooled.last_used = Instant::now();
        }
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
