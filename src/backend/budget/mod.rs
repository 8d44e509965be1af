//! The connections that both pools may use together: a permit for each unit of work, a slot for each open connection.
//!
//! The two differ because idle connections count for the server too: a backend that nobody calls any more still holds its warm ones. Who
//! needs a new connection when every slot is taken asks the other pools to close an idle one first, so that the program never holds
//! more than the budget. The one exception is short: when every slot is taken, one connection more ends what callers left behind.

mod permits;

use super::BackendKind;
use crate::error::{Error, Result, Wait};
use permits::Permits;
pub(super) use permits::{Place, Turn};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a wait for a slot lasts before idle connections are asked for anew.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// A budget of permits. Each backend that is built with it takes a permit before it touches a connection, and gives it back with it.
pub struct Budget {
    permits: Arc<Permits>,
    slots: Arc<Semaphore>,
    total: usize,
    pools: RwLock<Vec<Weak<dyn Shed>>>,
}

/// A budget's figures at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct BudgetStatus {
    /// How many permits there are.
    pub total: usize,
    /// How many are taken.
    pub in_use: usize,
    /// How many callers wait for one.
    pub waiting: usize,
    /// How many connections are open, or being opened.
    pub open: usize,
    /// How many callers had to wait so far.
    pub waits: u64,
    /// How long they waited, together.
    pub waited_ms: u64,
}

/// The right to use one connection; dropping it gives the right back.
#[derive(Debug)]
pub struct Permit {
    budget: Arc<Budget>,
}

impl Permit {
    /// Whether its owner may do the work of the one in line with that ticket, instead of giving the permit back.
    pub(super) fn take_over(&self, ticket: u64) -> Turn {
        self.budget.permits.take_over(ticket)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.permits.release();
    }
}

/// The right to keep one connection open.
#[derive(Debug)]
pub(super) struct Slot {
    _permit: OwnedSemaphorePermit,
}

/// A pool that can close an idle connection when another pool needs its slot.
pub(super) trait Shed: Send + Sync {
    /// Begins to close one idle connection, one of its floor only where `floor` says so; false where there is none to close.
    fn shed(&self, floor: bool) -> bool;
}

impl Budget {
    /// A budget of `total` connections, at least one.
    pub fn new(total: usize) -> Arc<Self> {
        let total = total.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            permits: Permits::new(total),
            slots: Arc::new(Semaphore::new(total)),
            total,
            pools: RwLock::new(Vec::new()),
        })
    }

    /// How many permits there are.
    pub fn total(&self) -> usize {
        self.total
    }

    /// How many permits are taken now.
    pub fn in_use(&self) -> usize {
        self.total - self.permits.free().min(self.total)
    }

    /// How many connections are open now, or being opened.
    pub fn open(&self) -> usize {
        self.total - self.slots.available_permits().min(self.total)
    }

    /// How many callers wait for a permit now.
    pub fn waiting(&self) -> usize {
        self.permits.waiting()
    }

    /// How many callers of that backend wait for a permit now.
    pub(super) fn waiting_of(&self, who: BackendKind) -> usize {
        self.permits.waiting_of(who)
    }

    /// How many callers had to wait so far, and for how long together.
    pub fn waits(&self) -> (u64, Duration) {
        let waits = self.permits.waits();
        (waits.count, waits.time)
    }

    /// All of it at this moment.
    pub fn status(&self) -> BudgetStatus {
        let (waits, waited) = self.waits();
        BudgetStatus {
            total: self.total(),
            in_use: self.in_use(),
            waiting: self.waiting(),
            open: self.open(),
            waits,
            waited_ms: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Takes a permit. Who has waited for more than a millisecond goes first; before that, whoever asks when one is free.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) with [`Wait::Permit`] when none came free within `limit`.
    ///
    /// # Cancel safety
    /// The place in the queue is lost, no permit.
    pub async fn acquire(self: &Arc<Self>, limit: Duration) -> Result<Permit> {
        self.acquire_for(None, limit).await
    }

    /// As [`acquire`](Budget::acquire), for a caller of that backend.
    pub(super) async fn acquire_for(
        self: &Arc<Self>,
        who: Option<BackendKind>,
        limit: Duration,
    ) -> Result<Permit> {
        match self.ask(who) {
            Ok(permit) => Ok(permit),
            Err(place) => Box::pin(self.wait(place, limit)).await,
        }
    }

    /// A permit, where one is free.
    pub(super) fn try_acquire(self: &Arc<Self>) -> Option<Permit> {
        self.permits.try_acquire().then(|| self.permit())
    }

    /// A permit, or a place in the line for one.
    pub(super) fn ask(self: &Arc<Self>, who: Option<BackendKind>) -> Result<Permit, Place> {
        match self.permits.ask(who) {
            None => Ok(self.permit()),
            Some(place) => Err(place),
        }
    }

    /// The permit that a place in the line came to; for each that did, once.
    pub(super) fn permit(self: &Arc<Self>) -> Permit {
        Permit {
            budget: Arc::clone(self),
        }
    }

    async fn wait(self: &Arc<Self>, place: Place, limit: Duration) -> Result<Permit> {
        match tokio::time::timeout(limit, place).await {
            Ok(()) => Ok(self.permit()),
            Err(_) => Err(self.in_vain(limit)),
        }
    }

    /// Nobody gave a permit back within `limit`.
    pub(super) fn in_vain(&self, limit: Duration) -> Error {
        Error::timeout(Wait::Permit, limit).with_hint(format!(
            "all {} permits of the budget are in use; raise budget.total, or find what holds \
             them with `pontoon status`",
            self.total
        ))
    }

    /// Lets `pool` be asked for its idle connections.
    pub(super) fn register(&self, pool: Weak<dyn Shed>) {
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(pool);
    }

    /// Takes the slot of a connection that is about to be opened.
    #[cfg(feature = "async")]
    pub(super) async fn slot(&self, limit: Duration) -> Result<Slot> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(slot) = self.try_slot() {
                return Ok(slot);
            }
            let pause = ASK_AGAIN.min(deadline.saturating_duration_since(Instant::now()));
            if pause.is_zero() {
                return Err(self.no_slot(limit));
            }
            if let Ok(Ok(permit)) =
                tokio::time::timeout(pause, Arc::clone(&self.slots).acquire_owned()).await
            {
                return Ok(Slot { _permit: permit });
            }
        }
    }

    /// As [`slot`](Budget::slot), on a thread that may block.
    #[cfg(feature = "blocking")]
    pub(super) fn slot_blocking(&self, limit: Duration) -> Result<Slot> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(slot) = self.try_slot() {
                return Ok(slot);
            }
            if Instant::now() >= deadline {
                return Err(self.no_slot(limit));
            }
            std::thread::sleep(ASK_AGAIN);
        }
    }

    /// A slot that is free.
    pub(super) fn free_slot(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.slots).try_acquire_owned().ok()?;
        Some(Slot { _permit: permit })
    }

    /// A slot that is free, or asks for one to become free.
    fn try_slot(&self) -> Option<Slot> {
        if let Some(slot) = self.free_slot() {
            return Some(slot);
        }
        let pools = self.pools.read().unwrap_or_else(PoisonError::into_inner);
        let ask = |floor| {
            pools
                .iter()
                .filter_map(Weak::upgrade)
                .any(|pool| pool.shed(floor))
        };
        let _asked = ask(false) || ask(true);
        None
    }

    fn no_slot(&self, limit: Duration) -> Error {
        Error::timeout(Wait::Open, limit).with_hint(format!(
            "all {} connections of the budget are open and in use; raise budget.total",
            self.total
        ))
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget")
            .field("total", &self.total)
            .field("in_use", &self.in_use())
            .field("open", &self.open())
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use futures_util::FutureExt;
    #[cfg(feature = "async")]
    use std::sync::Mutex;

    #[tokio::test]
    async fn a_wait_in_vain_names_the_wait_and_costs_no_permit() -> Result<()> {
        let budget = Budget::new(1);
        let held = budget.acquire(Duration::from_secs(1)).await?;
        let error = budget.acquire(Duration::from_millis(5)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout(Wait::Permit));
        assert_eq!(
            (budget.in_use(), budget.waiting(), budget.waits().0),
            (1, 0, 1)
        );
        drop(held);
        assert_eq!(budget.in_use(), 0);
        Ok(())
    }

    #[tokio::test]
    async fn a_caller_that_gives_up_is_no_longer_counted() -> Result<()> {
        let budget = Budget::new(1);
        let _held = budget.acquire(Duration::from_secs(1)).await?;
        let mut second = Box::pin(budget.acquire(Duration::from_mins(1)));
        assert!((&mut second).now_or_never().is_none());
        assert_eq!(budget.waiting(), 1);
        drop(second);
        assert_eq!(budget.waiting(), 0);
        Ok(())
    }

    #[tokio::test]
    async fn a_caller_is_counted_for_its_own_backend() -> Result<()> {
        let budget = Budget::new(1);
        let _held = budget.acquire(Duration::from_secs(1)).await?;
        let waits = |who| Box::pin(budget.acquire_for(who, Duration::from_mins(1)));
        let mut async_one = waits(Some(BackendKind::Async));
        let mut nobody_s = waits(None);
        assert!((&mut async_one).now_or_never().is_none());
        assert!((&mut nobody_s).now_or_never().is_none());
        let of = |kind| budget.waiting_of(kind);
        assert_eq!((of(BackendKind::Async), of(BackendKind::Blocking)), (1, 0));
        assert_eq!(budget.waiting(), 2);
        Ok(())
    }

    /// A pool with idle connections, which are nothing but their slots.
    #[cfg(feature = "async")]
    struct Idle(Mutex<Vec<Slot>>);

    #[cfg(feature = "async")]
    impl Shed for Idle {
        fn shed(&self, _floor: bool) -> bool {
            self.0.lock().unwrap().pop().is_some()
        }
    }

    #[cfg(feature = "async")]
    #[tokio::test]
    async fn an_idle_connection_of_another_pool_makes_room() -> Result<()> {
        let budget = Budget::new(2);
        let taken = vec![
            budget.slot(Duration::ZERO).await?,
            budget.slot(Duration::ZERO).await?,
        ];
        let pool: Arc<dyn Shed> = Arc::new(Idle(Mutex::new(taken)));
        budget.register(Arc::downgrade(&pool));
        let slot = budget.slot(Duration::from_secs(5)).await?;
        assert_eq!(budget.open(), 2);
        let _second = budget.slot(Duration::from_secs(5)).await?;
        let error = budget.slot(Duration::from_millis(20)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout(Wait::Open));
        drop(slot);
        Ok(())
    }
}
