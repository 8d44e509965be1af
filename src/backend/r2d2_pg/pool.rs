//! Where the blocking backend's threads get their connections from, and the r2d2 pool that it opens itself.

use super::super::Settings;
use super::super::budget::Budget;
use super::super::session::Tls;
use super::claim::{Claim, Ender};
use super::link::Link;
use super::opening::{Ends, Entry, Failed, One, Opener, Opening, PAUSE, Pooled};
use crate::error::Result;
use postgres::Config;
use r2d2::{NopErrorHandler, PooledConnection};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

/// How long each look into the pool lasts before a caller is asked whether it still waits.
const SLICE: Duration = Duration::from_millis(100);

/// How long a caller leaves the pool alone that would only ask for what others have asked for already.
const ENOUGH: Duration = Duration::from_millis(20);

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
impl OwnPool {
    pub(super) fn new(config: Config, tls: Tls, settings: Settings, budget: Arc<Budget>) -> Self {
        let max = u32::try_from(budget.total()).unwrap_or(u32::MAX);
        let opening = Opening::new(config, tls, settings, budget);
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
