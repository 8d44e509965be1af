//! The bridge: a [`StorageBackend`] that holds both backends and decides, once a unit of work, which one it runs on.
//!
//! A [`Unit`] is what a request or a session works with: it was decided when it was made, and stays where it is. The bridge itself is a
//! backend too; each of its calls is a unit of its own, without a key.

mod builder;
mod measured;
mod stall;

pub use builder::Builder;
pub use stall::Stall;

use crate::backend::{
    BackendKind, Budget, BudgetStatus, Description, PoolStatus, StorageBackend, StorageTransaction,
    TransactionOptions,
};
use crate::error::Result;
use crate::flags::{Decision, Flags, Key};
use crate::metrics::MeterStatus;
use crate::sql::{Params, Query, Row, RowStream};
use futures_util::future::BoxFuture;
use measured::Measured;
use std::sync::Arc;

/// Both backends behind one flag. Clones share everything.
///
/// ```no_run
/// use pontoon::{Bridge, Flags, Result, backend::StorageBackend, params, sql::Query};
///
/// # async fn run() -> Result<()> {
/// let bridge = Bridge::builder("postgres://app@localhost/shop").flags(Flags::in_memory(0)).build()?;
/// let query = Query::new("orders/count", "SELECT count(*) FROM orders WHERE customer = %s")?;
/// let row = bridge.fetch_optional(&query, params!["ada"]).await?;
/// bridge.flags().set_percent(100); // the next unit of work is async
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Bridge(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    flags: Flags,
    /// `None` where it was not compiled in, or not given: then the other one serves.
    blocking: Option<Measured>,
    asynchronous: Option<Measured>,
    budget: Arc<Budget>,
    stall: Stall,
}

/// What one backend has done and holds.
#[derive(Debug, Clone, serde::Serialize)]
pub struct SideStatus {
    /// The pool.
    pub pool: PoolStatus,
    /// How its idle connections are kept alive.
    pub keep_alive: KeepAlive,
    /// The calls.
    #[serde(flatten)]
    pub calls: MeterStatus,
}

/// How a backend's idle connections are kept alive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct KeepAlive {
    /// How often they were asked.
    pub rounds: u64,
    /// How many answered the last time.
    pub alive: usize,
}

impl Bridge {
    /// A bridge to the database that a URL names.
    pub fn builder(url: impl Into<String>) -> Builder {
        Builder::new(url.into())
    }

    /// A bridge over two backends that are there already; both `Some`, or one of them.
    pub(crate) fn over(
        flags: Flags,
        blocking: Option<Arc<dyn StorageBackend>>,
        asynchronous: Option<Arc<dyn StorageBackend>>,
        budget: Arc<Budget>,
    ) -> Self {
        let side = |backend: Option<Arc<dyn StorageBackend>>| backend.map(Measured::new);
        Self(Arc::new(Inner {
            flags,
            blocking: side(blocking),
            asynchronous: side(asynchronous),
            budget,
            stall: Stall::new(),
        }))
    }

    /// The flag that decides.
    pub fn flags(&self) -> &Flags {
        &self.0.flags
    }

    /// Begins a unit of work: decided now, and staying on its backend to its end.
    pub fn unit(&self, key: Option<&Key<'_>>) -> Unit {
        let decision = self.0.flags.decide(key);
        Unit {
            side: self.side(decision.backend).clone(),
            decision,
        }
    }

    /// The backend of that kind, measured; `None` where there is none.
    pub fn backend(&self, kind: BackendKind) -> Option<Arc<dyn StorageBackend>> {
        let side = match kind {
            BackendKind::Blocking => &self.0.blocking,
            BackendKind::Async => &self.0.asynchronous,
        };
        side.clone()
            .map(|side| Arc::new(side) as Arc<dyn StorageBackend>)
    }

    /// The backend that a unit of work without a key would run on now: for what a program asks of the database itself, such as whether the
    /// schema is complete. It is no unit of work, and counts as none.
    pub fn serving(&self) -> Arc<dyn StorageBackend> {
        let kind = self.0.flags.explain(None).backend;
        Arc::new(self.side(kind).clone())
    }

    /// What each backend has done and holds.
    pub fn status(&self) -> impl Iterator<Item = (BackendKind, SideStatus)> {
        self.sides().map(|side| (side.kind(), side.status()))
    }

    /// The permits that both backends share.
    pub fn permits(&self) -> BudgetStatus {
        self.0.budget.status()
    }

    /// How late the executor's timers are, once [`Stall::watch`] runs.
    pub fn stall(&self) -> &Stall {
        &self.0.stall
    }

    fn sides(&self) -> impl Iterator<Item = &Measured> {
        self.0.blocking.iter().chain(&self.0.asynchronous)
    }

    /// The side of that kind, or the only one there is.
    fn side(&self, kind: BackendKind) -> &Measured {
        let Inner {
            blocking,
            asynchronous,
            ..
        } = &*self.0;
        let (wanted, other) = match kind {
            BackendKind::Blocking => (blocking, asynchronous),
            BackendKind::Async => (asynchronous, blocking),
        };
        wanted
            .as_ref()
            .or(other.as_ref())
            .expect("a bridge is built with one backend at least")
    }

    fn here(&self) -> &Measured {
        self.side(self.0.flags.decide(None).backend)
    }
}

/// A unit of work, on the backend that was decided for it.
#[derive(Debug, Clone)]
pub struct Unit {
    side: Measured,
    decision: Decision,
}

impl Unit {
    /// Where it runs, and why.
    pub fn decision(&self) -> Decision {
        self.decision
    }
}

/// Forwards the calls of the seam to what an expression gives. Written as `async_trait` would, so that the future is boxed once, by the
/// backend, and not again by everybody on the way.
macro_rules! forward {
    ($this:ident => $target:expr) => {
        fn kind(&self) -> BackendKind {
            let $this = self;
            $target.kind()
        }

        fn execute<'a, 'b, 'c>(
            &'a self,
            query: &'b Query,
            params: Params,
        ) -> BoxFuture<'c, Result<u64>>
        where
            'a: 'c,
            'b: 'c,
        {
            let $this = self;
            $target.execute(query, params)
        }

        fn fetch_all<'a, 'b, 'c>(
            &'a self,
            query: &'b Query,
            params: Params,
        ) -> BoxFuture<'c, Result<Vec<Row>>>
        where
            'a: 'c,
            'b: 'c,
        {
            let $this = self;
            $target.fetch_all(query, params)
        }

        fn fetch_optional<'a, 'b, 'c>(
            &'a self,
            query: &'b Query,
            params: Params,
        ) -> BoxFuture<'c, Result<Option<Row>>>
        where
            'a: 'c,
            'b: 'c,
        {
            let $this = self;
            $target.fetch_optional(query, params)
        }

        fn fetch<'a, 'b, 'c>(
            &'a self,
            query: &'b Query,
            params: Params,
        ) -> BoxFuture<'c, Result<RowStream>>
        where
            'a: 'c,
            'b: 'c,
        {
            let $this = self;
            $target.fetch(query, params)
        }

        fn begin<'a, 'c>(
            &'a self,
            options: TransactionOptions,
        ) -> BoxFuture<'c, Result<Box<dyn StorageTransaction>>>
        where
            'a: 'c,
        {
            let $this = self;
            $target.begin(options)
        }

        fn describe<'a, 'b, 'c>(&'a self, query: &'b Query) -> BoxFuture<'c, Result<Description>>
        where
            'a: 'c,
            'b: 'c,
        {
            let $this = self;
            $target.describe(query)
        }

        fn ping<'a, 'c>(&'a self) -> BoxFuture<'c, Result<()>>
        where
            'a: 'c,
        {
            let $this = self;
            $target.ping()
        }
    };
}

#[deny(clippy::missing_trait_methods)]
impl StorageBackend for Unit {
    forward!(unit => unit.side);

    fn keep_alive<'a, 'c>(&'a self) -> BoxFuture<'c, usize>
    where
        'a: 'c,
    {
        self.side.keep_alive()
    }

    fn pool_status(&self) -> PoolStatus {
        self.side.pool_status()
    }

    fn close<'a, 'c>(&'a self) -> BoxFuture<'c, ()>
    where
        'a: 'c,
    {
        self.side.close()
    }
}

#[deny(clippy::missing_trait_methods)]
impl StorageBackend for Bridge {
    forward!(bridge => bridge.here());

    /// Both pools, whichever serves.
    fn keep_alive<'a, 'c>(&'a self) -> BoxFuture<'c, usize>
    where
        'a: 'c,
    {
        Box::pin(async {
            let mut alive = 0;
            for side in self.sides() {
                alive += side.keep_alive().await;
            }
            alive
        })
    }

    /// Both pools together.
    fn pool_status(&self) -> PoolStatus {
        self.sides()
            .map(StorageBackend::pool_status)
            .fold(PoolStatus::default(), |sum, side| PoolStatus {
                size: sum.size + side.size,
                idle: sum.idle + side.idle,
                in_use: sum.in_use + side.in_use,
                waiting: sum.waiting + side.waiting,
                max: sum.max.max(side.max),
            })
    }

    fn close<'a, 'c>(&'a self) -> BoxFuture<'c, ()>
    where
        'a: 'c,
    {
        Box::pin(async {
            for side in self.sides() {
                side.close().await;
            }
        })
    }
}
