//! A thin pool over sqlx's connections: no ping on the way in or out, the connection used last comes first, and one that a call did not
//! finish is closed.
//!
//! A connection belongs to the Tokio runtime that opened it, so there is a pool for each runtime. A task on the runtime keeps its pool
//! registered; when the runtime ends, it drops the task, and the pool goes with it.

use super::super::budget::{Budget, Permit, Shed};
use super::super::failure::waiting_helps;
use super::super::{PoolStatus, Settings};
use super::handed::{self, HandedOut};
use super::lease::{Held, Lease};
use super::link::closed;
use super::opening::{Opener, Opening};
use crate::error::{Error, ErrorKind, Result, Wait};
use deadpool::managed::{self, Object, PoolError, QueueMode, Timeouts};
use futures_util::future::{join_all, poll_immediate};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use std::future::ready;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, Id};
use tokio::time::timeout;

/// How often a pool looks for connections that were idle for too long.
const LOOK: Duration = Duration::from_secs(5);

/// The pools of one backend, one a runtime.
pub(super) struct Pools {
    by_runtime: RwLock<Vec<(Id, managed::Pool<Opener>)>>,
    opening: Arc<Opening>,
    /// The pool that the service owns, which is used instead.
    handed: Option<PgPool>,
    closed: AtomicBool,
    /// Leases that are out, on every runtime.
    in_use: AtomicUsize,
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
        let permit = self.opening.budget.acquire(limit).await?;
        let handle = self.runtime()?;
        let lease = Lease::new(self, handle.id(), permit);
        let held = match &self.handed {
            Some(pool) => {
                let settings = &self.opening.settings;
                let acquire = HandedOut::acquire(pool, settings, handle);
                Held::Handed(Box::pin(acquire).await?)
            }
            None => Held::Own(get(&self.pool(&handle), limit).await?),
        };
        Ok(lease.holding(held))
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

    /// The runtime's pool.
    fn pool(self: &Arc<Self>, handle: &Handle) -> managed::Pool<Opener> {
        let id = handle.id();
        let known = self.read().iter().find(|(known, _)| *known == id).cloned();
        known.map_or_else(|| self.add(handle), |(_, pool)| pool)
    }

    fn add(self: &Arc<Self>, handle: &Handle) -> managed::Pool<Opener> {
        let id = handle.id();
        let mut pools = self.write();
        if let Some((_, known)) = pools.iter().find(|(known, _)| *known == id) {
            return known.clone();
        }
        let pool = managed::Pool::builder(Opener(Arc::clone(&self.opening)))
            .max_size(self.opening.budget.total())
            .queue_mode(QueueMode::Lifo)
            .build()
            .expect("a pool without timeouts of its own needs no runtime to be named");
        pools.push((id, pool.clone()));
        drop(handle.spawn(look_after(Registered {
            pools: Arc::downgrade(self),
            id,
        })));
        pool
    }

    pub(super) fn status(&self) -> PoolStatus {
        let in_use = self.in_use.load(Ordering::Relaxed);
        let waiting = self.opening.budget.waiting();
        let (size, idle) = if let Some(pool) = &self.handed {
            (
                usize::try_from(pool.size()).unwrap_or(usize::MAX),
                pool.num_idle(),
            )
        } else {
            let size: usize = self.read().iter().map(|(_, pool)| pool.status().size).sum();
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

    /// Pings the connections of this runtime that are idle, opens what the floor lacks, and gives how many answered.
    pub(super) async fn keep_alive(self: &Arc<Self>) -> usize {
        let Ok(handle) = self.runtime() else { return 0 };
        if let Some(pool) = &self.handed {
            return handed::keep_alive(pool, &self.opening.budget, &self.opening.settings).await;
        }
        let pool = self.pool(&handle);
        let limit = self.opening.settings.open_timeout;
        let pings = self
            .take_idle(&pool)
            .await
            .into_iter()
            .map(async |(mut object, permit)| {
                let answered = matches!(timeout(limit, object.link().ping()).await, Ok(Ok(())));
                if !answered {
                    drop(Object::take(object));
                }
                drop(permit);
                answered
            });
        let alive = join_all(pings)
            .await
            .into_iter()
            .filter(|answered| *answered)
            .count();
        self.warm(&pool).await;
        alive
    }

    /// Every idle connection, each with a permit, so that nobody opens one too many meanwhile.
    async fn take_idle(&self, pool: &managed::Pool<Opener>) -> Vec<(Object<Opener>, Permit)> {
        let mut taken = Vec::new();
        let now = Timeouts {
            wait: Some(Duration::ZERO),
            create: None,
            recycle: None,
        };
        for _ in 0..pool.status().available {
            let Some(permit) = self.opening.budget.try_acquire() else {
                break;
            };
            let Ok(object) = pool.timeout_get(&now).await else {
                break;
            };
            taken.push((object, permit));
        }
        taken
    }

    /// Opens connections up to the floor.
    async fn warm(&self, pool: &managed::Pool<Opener>) {
        let floor = self.opening.settings.floor.min(self.opening.budget.total());
        let mut opened = Vec::new();
        while pool.status().size < floor && opened.len() < floor {
            match pool.get().await {
                Ok(object) => opened.push(object),
                Err(_) => return,
            }
        }
    }

    /// Refuses new calls, waits for those that run, and closes the connections of every runtime.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let pools: Vec<_> = std::mem::take(&mut *self.write());
        for (_, pool) in &pools {
            for pooled in pool.retain(|_, _| false).removed {
                pooled.close().await;
            }
            pool.close();
        }
        while self.in_use.load(Ordering::Acquire) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<(Id, managed::Pool<Opener>)>> {
        self.by_runtime
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<(Id, managed::Pool<Opener>)>> {
        self.by_runtime
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shed for Pools {
    fn shed(&self, floor: bool) -> bool {
        self.read().iter().any(|(_, pool)| {
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

/// A connection of the pool; while the server is away or full, it is tried again until `limit`.
async fn get(pool: &managed::Pool<Opener>, limit: Duration) -> Result<Object<Opener>> {
    let mut object = pin!(pool.get());
    match poll_immediate(object.as_mut()).await {
        Some(Ok(object)) => Ok(object),
        // From here on it is rare, and a timer is worth its cost.
        None => Box::pin(get_again(pool, limit, object)).await,
        Some(Err(error)) => Box::pin(get_again(pool, limit, ready(Err(error)))).await,
    }
}

async fn get_again(
    pool: &managed::Pool<Opener>,
    limit: Duration,
    first: impl Future<Output = Result<Object<Opener>, PoolError<Error>>>,
) -> Result<Object<Opener>> {
    let deadline = Instant::now() + limit;
    let mut last = match timeout(limit, first).await {
        Ok(Ok(object)) => return Ok(object),
        Ok(Err(error)) => error,
        Err(_) => return Err(Error::timeout(Wait::Open, limit)),
    };
    let mut pause = Duration::from_millis(20);
    loop {
        let PoolError::Backend(error) = last else {
            return Err(closed());
        };
        if !waiting_helps(&error) || Instant::now() + pause >= deadline {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(250));
        let left = deadline.saturating_duration_since(Instant::now());
        match timeout(left, pool.get()).await {
            Ok(Ok(object)) => return Ok(object),
            Ok(Err(error)) => last = error,
            Err(_) => return Err(error),
        }
    }
}

/// Keeps a runtime's pool registered: dropped when the runtime ends, it takes the pool along.
struct Registered {
    pools: Weak<Pools>,
    id: Id,
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let Some(pools) = self.pools.upgrade() {
            pools.write().retain(|(id, _)| *id != self.id);
        }
    }
}

/// Closes the connections above the floor that were idle for too long, and keeps the floor warm, until the backend or the runtime ends.
async fn look_after(registered: Registered) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(pools) = registered.pools.upgrade() else {
            return;
        };
        let Some(pool) = pools
            .read()
            .iter()
            .find(|(id, _)| *id == registered.id)
            .map(|(_, pool)| pool.clone())
        else {
            return;
        };
        let Settings {
            floor,
            idle_timeout,
            ..
        } = pools.opening.settings;
        let mut may_go = pool.status().size.saturating_sub(floor);
        let result = pool.retain(|pooled, _| {
            let keep = may_go == 0 || pooled.idle() < idle_timeout;
            may_go -= usize::from(!keep);
            keep
        });
        for pooled in result.removed {
            pooled.close().await;
        }
        pools.warm(&pool).await;
    }
}
