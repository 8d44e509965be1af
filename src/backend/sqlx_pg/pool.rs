//! A thin pool over sqlx's connections: no ping on the way in or out, the connection used last comes first, and one that a call did not
//! finish is closed.
//!
//! A connection belongs to the Tokio runtime that opened it, so there is a pool for each runtime. A task on the runtime keeps its pool
//! registered; when the runtime ends, it drops the task, and the pool goes with it.

mod taking;
mod upkeep;

use super::super::budget::{Budget, Permit, Place, Shed};
use super::super::{BackendKind, PoolStatus, Settings};
use super::ending::Endings;
use super::handed::HandedOut;
use super::lease::{Held, Lease};
use super::line::{Answer, First, Line, Work};
use super::link::closed;
use super::opening::{GOODBYE, Opener, Opening, Pooled};
use crate::error::{Error, ErrorKind, Result};
use deadpool::managed::{self, QueueMode};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;
use taking::get;
use tokio::runtime::{Handle, Id};
use upkeep::{Registered, look_after};

/// The pools of one backend, one a runtime.
pub(super) struct Pools {
    by_runtime: RwLock<Vec<Local>>,
    opening: Arc<Opening>,
    /// The pool that the service owns, which is used instead.
    handed: Option<PgPool>,
    closed: AtomicBool,
    /// Leases that are out, on every runtime.
    in_use: AtomicUsize,
}

/// What one runtime has.
#[derive(Clone)]
struct Local {
    id: Id,
    pool: managed::Pool<Opener>,
    line: Arc<Line>,
}

/// What came first for a call that asks for a connection.
pub(super) enum Turn {
    /// A connection.
    Lease(Lease),
    /// The call's answer, from somebody who had a connection.
    Answer(Answer),
}

impl Pools {
    pub(super) fn new(
        options: PgConnectOptions,
        setup: String,
        settings: Settings,
        budget: Arc<Budget>,
    ) -> Arc<Self> {
        Self::build(options, setup, settings, budget, None)
    }

    /// Pools that take their connections from the service's own.
    pub(super) fn handed(pool: PgPool, settings: Settings, budget: Arc<Budget>) -> Arc<Self> {
        let options = PgConnectOptions::clone(&pool.connect_options());
        Self::build(options, String::new(), settings, budget, Some(pool))
    }

    fn build(
        options: PgConnectOptions,
        setup: String,
        settings: Settings,
        budget: Arc<Budget>,
        handed: Option<PgPool>,
    ) -> Arc<Self> {
        let opening = Arc::new(Opening {
            options,
            setup,
            settings,
            budget,
            broken: AtomicU64::new(0),
            endings: Endings::default(),
        });
        let pools = Arc::new(Self {
            by_runtime: RwLock::default(),
            opening,
            handed,
            closed: AtomicBool::new(false),
            in_use: AtomicUsize::new(0),
        });
        let weak: Weak<dyn Shed> = Arc::<Self>::downgrade(&pools);
        pools.opening.budget.register(weak);
        pools
    }

    /// Has every connection that is open now tested ahead of its next use: one of them was found broken.
    pub(super) fn suspect(&self) {
        self.opening.broken.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.opening.settings
    }

    /// A connection of this runtime's pool, and the permit to use it.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease> {
        let limit = self.opening.settings.acquire_timeout;
        let permit = self
            .opening
            .budget
            .acquire_for(Some(BackendKind::Async), limit)
            .await?;
        self.lease_with(permit).await
    }

    /// A connection for the call, or its answer, where somebody with a connection comes to it first.
    pub(super) async fn turn(self: &Arc<Self>, work: &Arc<Work>) -> Result<Turn> {
        let budget = &self.opening.budget;
        let asked = budget.ask(Some(BackendKind::Async));
        let permit = match asked {
            Ok(permit) => permit,
            Err(place) => match Box::pin(self.wait(place, work)).await? {
                First::Permit => budget.permit(),
                First::Answer(answer) => return Ok(Turn::Answer(answer)),
                First::Neither => {
                    return Err(budget.in_vain(self.opening.settings.acquire_timeout));
                }
            },
        };
        self.lease_with(permit).await.map(Turn::Lease)
    }

    async fn wait(self: &Arc<Self>, place: Place, work: &Arc<Work>) -> Result<First> {
        let handle = self.runtime()?;
        let line = match self.handed {
            // Nobody goes on with a connection of the service's: each goes back to its pool.
            Some(_) => Arc::default(),
            None => self.local(&handle).line,
        };
        let limit = self.opening.settings.acquire_timeout;
        Ok(line.wait(place, work, limit).await)
    }

    async fn lease_with(self: &Arc<Self>, permit: Permit) -> Result<Lease> {
        let handle = self.runtime()?;
        let lease = Lease::new(self, handle.id(), permit);
        let held = if let Some(pool) = &self.handed {
            let settings = &self.opening.settings;
            let out = Box::pin(HandedOut::acquire(pool, settings, handle)).await?;
            Held::Handed(Box::new(out))
        } else {
            let Local { pool, line, .. } = self.local(&handle);
            Held::Own(get(&pool).await?, line)
        };
        Ok(lease.holding(held))
    }

    /// Whether a connection that was used just now may be used again as it is.
    pub(super) fn is_sound(&self, pooled: &Pooled) -> bool {
        self.opening.is_sound(pooled)
    }

    /// Closes a connection whose call did not finish.
    pub(super) fn abandon(&self, pooled: Pooled) {
        pooled.abandon(&self.opening);
    }

    pub(super) fn count_lease(&self) {
        self.in_use.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn uncount_lease(&self) {
        self.in_use.fetch_sub(1, Ordering::Release);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// The runtime that polls this call, unless the backend was closed.
    fn runtime(&self) -> Result<Handle> {
        if self.is_closed() {
            return Err(closed());
        }
        Handle::try_current().map_err(|_| {
            Error::new(
                ErrorKind::Config,
                "the async backend was called outside a Tokio runtime",
            )
        })
    }

    /// What the runtime has, with a pool of its own.
    fn local(self: &Arc<Self>, handle: &Handle) -> Local {
        let id = handle.id();
        let known = self.read().iter().find(|local| local.id == id).cloned();
        known.unwrap_or_else(|| self.add(handle))
    }

    fn add(self: &Arc<Self>, handle: &Handle) -> Local {
        let id = handle.id();
        let mut pools = self.write();
        if let Some(known) = pools.iter().find(|local| local.id == id) {
            return known.clone();
        }
        let pool = managed::Pool::builder(Opener(Arc::clone(&self.opening)))
            .max_size(self.opening.budget.total())
            .queue_mode(QueueMode::Lifo)
            .build()
            .expect("a pool without timeouts of its own needs no runtime to be named");
        let local = Local {
            id,
            pool,
            line: Arc::default(),
        };
        pools.push(local.clone());
        // A runtime that is ending drops the task here and now, and with it what takes the pool out again.
        drop(pools);
        drop(handle.spawn(look_after(Registered {
            pools: Arc::downgrade(self),
            id,
        })));
        local
    }

    pub(super) fn status(&self) -> PoolStatus {
        let in_use = self.in_use.load(Ordering::Relaxed);
        let waiting = self.opening.budget.waiting_of(BackendKind::Async);
        let (size, idle) = if let Some(pool) = &self.handed {
            (
                usize::try_from(pool.size()).unwrap_or(usize::MAX),
                pool.num_idle(),
            )
        } else {
            let size: usize = self
                .read()
                .iter()
                .map(|local| local.pool.status().size)
                .sum();
            (size, size.saturating_sub(in_use))
        };
        PoolStatus {
            size,
            idle,
            in_use,
            waiting,
            max: self.opening.budget.total(),
        }
    }

    /// Refuses new calls, waits for those that run, and closes the connections of every runtime.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let pools: Vec<_> = std::mem::take(&mut *self.write());
        for Local { pool, .. } in &pools {
            for pooled in pool.retain(|_, _| false).removed {
                pooled.close().await;
            }
            pool.close();
        }
        while self.in_use.load(Ordering::Acquire) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.opening.endings.all_ended(GOODBYE).await;
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Local>> {
        self.by_runtime
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Local>> {
        self.by_runtime
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shed for Pools {
    fn shed(&self, floor: bool) -> bool {
        self.read().iter().any(|Local { pool, .. }| {
            let keep = if floor {
                0
            } else {
                self.opening.settings.floor
            };
            let mut may_go = usize::from(pool.status().available > keep);
            let result = pool.retain(|_, _| std::mem::take(&mut may_go) == 0);
            !result.removed.is_empty()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::Want;
    use super::*;
    use crate::error::Wait;
    use crate::sql::{Params, Query};

    #[tokio::test]
    async fn a_wait_beside_a_pool_of_the_services_makes_none_of_its_own() -> Result<()> {
        let pool = PgPool::connect_lazy("postgres://localhost/none").expect("the URL is right");
        let budget = Budget::new(1);
        let _held = budget.try_acquire();
        let settings = Settings {
            acquire_timeout: Duration::from_millis(5),
            ..Settings::default()
        };
        let pools = Pools::handed(pool, settings, budget);
        let query = Query::new("test/one", "SELECT 1")?;
        let work = Work::new(&query, Params::none(), Want::Count)?;
        let error = pools.turn(&work).await.err().expect("no permit is free");
        assert_eq!(error.kind(), ErrorKind::Timeout(Wait::Permit));
        assert!(pools.read().is_empty());
        Ok(())
    }
}
