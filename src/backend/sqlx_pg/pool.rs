//! A thin pool over sqlx's connections: no ping on the way in or out, the connection used last comes first, and one that a call did not
//! finish is closed.
//!
//! A connection belongs to the Tokio runtime that opened it, so there is a pool for each runtime. A task on the runtime keeps its pool
//! registered; when the runtime ends, it drops the task, and the pool goes with it.

use super::super::budget::{Budget, Permit, Shed};
use super::super::failure::{Failure, unreachable, waiting_helps};
use super::super::{PoolStatus, Settings, TransactionOptions};
use super::link::{Link, Opened, Statements, batch, closed};
use super::types::failure;
use crate::error::{Error, ErrorKind, Result, Wait};
use deadpool::managed::{
    self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult, Timeouts,
};
use futures_util::future::{join_all, poll_immediate};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use std::borrow::Cow;
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
    closed: AtomicBool,
    /// Leases that are out, on every runtime.
    in_use: AtomicUsize,
}

/// How connections are opened, the same for every runtime.
struct Opening {
    options: PgConnectOptions,
    setup: String,
    settings: Settings,
    budget: Arc<Budget>,
    /// Counts the connections that broke: what was opened before the last of them is tested ahead of its next use.
    broken: AtomicU64,
}

/// Opens and tests the connections of one pool.
struct Opener(Arc<Opening>);

/// A connection with what the pool knows of it.
pub(super) struct Pooled {
    opened: Opened,
    since: Instant,
    last_used: Instant,
    /// How many connections had broken when this one was last known to be well.
    seen_broken: u64,
}

impl managed::Manager for Opener {
    type Type = Pooled;
    type Error = Error;

    async fn create(&self) -> Result<Pooled> {
        // Boxed, as all that is rare here: it would make the future of every call larger, which is moved more than once.
        Box::pin(self.0.open()).await
    }

    async fn recycle(&self, pooled: &mut Pooled, _: &Metrics) -> RecycleResult<Error> {
        let Opening {
            settings, broken, ..
        } = &*self.0;
        if pooled.since.elapsed() > settings.max_lifetime {
            return Err(RecycleError::message("older than max_lifetime"));
        }
        let broken = broken.load(Ordering::Acquire);
        if pooled.seen_broken == broken && pooled.last_used.elapsed() < settings.test_after {
            return Ok(());
        }
        let answer = Box::pin(timeout(settings.open_timeout, pooled.link().ping())).await;
        pooled.seen_broken = broken;
        match answer {
            Ok(Ok(())) => Ok(()),
            Ok(Err(failure)) => Err(RecycleError::Backend(failure.error)),
            Err(_) => Err(RecycleError::message("did not answer a ping")),
        }
    }
}

impl Opening {
    async fn open(&self) -> Result<Pooled> {
        let limit = self.settings.open_timeout;
        let seen_broken = self.broken.load(Ordering::Acquire);
        let slot = self.budget.slot(limit).await?;
        let opened = async {
            let mut connection = self.options.connect().await.map_err(failure)?;
            if !self.setup.is_empty() {
                batch(&mut connection, &self.setup).await?;
            }
            Ok::<_, Failure>(connection)
        };
        let connection = timeout(limit, opened)
            .await
            .map_err(|_| Error::timeout(Wait::Open, limit))?
            .map_err(unreachable)?;
        let opened = Opened {
            connection,
            statements: Statements::new(self.settings.statement_cache),
            _slot: slot,
        };
        let now = Instant::now();
        Ok(Pooled {
            opened,
            since: now,
            last_used: now,
            seen_broken,
        })
    }
}

impl Pooled {
    pub(super) fn link(&mut self) -> Link<'_> {
        Link {
            connection: &mut self.opened.connection,
            statements: &mut self.opened.statements,
        }
    }
}

/// A connection, the permit to use it, and whether the call that has it came to its end.
pub(super) struct Lease {
    object: Option<Object<Opener>>,
    pools: Arc<Pools>,
    runtime: Id,
    finished: bool,
    _permit: Permit,
}

impl Lease {
    /// The connection. From now on it counts as unfinished: dropped before [`finish`](Lease::finish), it is closed.
    pub(super) fn link(&mut self) -> Link<'_> {
        self.finished = false;
        self.object
            .as_mut()
            .expect("a lease has its connection until it is dropped")
            .link()
    }

    /// The call came to its end, and the connection may be used again.
    pub(super) fn finish(&mut self) {
        self.finished = true;
    }

    /// Whether the last call came to its end.
    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Closes the connection with the lease.
    pub(super) fn give_up(&mut self) {
        self.finished = false;
    }

    /// The runtime that the connection belongs to, where that is the one that runs this.
    pub(super) fn own_runtime(&self) -> Option<Handle> {
        Handle::try_current()
            .ok()
            .filter(|handle| handle.id() == self.runtime)
    }

    /// Whether server connections change hands between transactions, so that nothing may be left on one.
    pub(super) fn pooled_by_transaction(&self) -> bool {
        self.pools.opening.settings.session.transaction_pooler
    }

    /// What begins the transaction around each call, where a pooler makes one necessary.
    pub(super) fn around(&self) -> Option<Cow<'static, str>> {
        let settings = &self.pools.opening.settings;
        self.pooled_by_transaction()
            .then(|| TransactionOptions::default().begin_sql(settings))
    }

    /// The connection turned out to be broken.
    pub(super) fn broke(&mut self) {
        self.finished = false;
        self.pools.suspect();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pools.in_use.fetch_sub(1, Ordering::Relaxed);
        let Some(mut object) = self.object.take() else {
            return;
        };
        if self.finished && !self.pools.closed.load(Ordering::Acquire) {
            object.last_used = Instant::now();
        } else {
            drop(Object::take(object));
        }
    }
}

impl Pools {
    pub(super) fn new(
        options: PgConnectOptions,
        setup: String,
        settings: Settings,
        budget: Arc<Budget>,
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
        let (runtime, pool) = self.pool()?;
        let mut lease = Lease {
            object: None,
            pools: Arc::clone(self),
            runtime,
            finished: true,
            _permit: permit,
        };
        self.in_use.fetch_add(1, Ordering::Relaxed);
        lease.object = Some(get(&pool, limit).await?);
        Ok(lease)
    }

    /// The pool of the runtime that polls this call.
    fn pool(self: &Arc<Self>) -> Result<(Id, managed::Pool<Opener>)> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let handle = Handle::try_current().map_err(|_| {
            Error::new(
                ErrorKind::Config,
                "the async backend was called outside a Tokio runtime",
            )
        })?;
        let id = handle.id();
        let known = self.read().iter().find(|(known, _)| *known == id).cloned();
        known.map_or_else(|| self.add(&handle), Ok)
    }

    fn add(self: &Arc<Self>, handle: &Handle) -> Result<(Id, managed::Pool<Opener>)> {
        let id = handle.id();
        let mut pools = self.write();
        if let Some(known) = pools.iter().find(|(known, _)| *known == id) {
            return Ok(known.clone());
        }
        let pool = managed::Pool::builder(Opener(Arc::clone(&self.opening)))
            .max_size(self.opening.budget.total())
            .queue_mode(QueueMode::Lifo)
            .build()
            .map_err(|error| Error::new(ErrorKind::Config, error.to_string()))?;
        pools.push((id, pool.clone()));
        drop(handle.spawn(look_after(Registered {
            pools: Arc::downgrade(self),
            id,
        })));
        Ok((id, pool))
    }

    pub(super) fn status(&self) -> PoolStatus {
        let size = self.read().iter().map(|(_, pool)| pool.status().size).sum();
        let in_use = self.in_use.load(Ordering::Relaxed);
        let waiting = self.opening.budget.waiting();
        PoolStatus {
            size,
            idle: size.saturating_sub(in_use),
            in_use,
            waiting,
            max: self.opening.budget.total(),
        }
    }

    /// Pings the connections of this runtime that are idle, opens what the floor lacks, and gives how many answered.
    pub(super) async fn keep_alive(self: &Arc<Self>) -> usize {
        let Ok((_, pool)) = self.pool() else { return 0 };
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
                let _ended =
                    timeout(Duration::from_secs(1), pooled.opened.connection.close()).await;
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
            let keep = may_go == 0 || pooled.last_used.elapsed() < idle_timeout;
            may_go -= usize::from(!keep);
            keep
        });
        for pooled in result.removed {
            let _ended = timeout(Duration::from_secs(1), pooled.opened.connection.close()).await;
        }
        pools.warm(&pool).await;
    }
}
