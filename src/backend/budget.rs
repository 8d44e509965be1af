//! The connections that both pools may use together: one permit a unit of work, whichever backend it runs on.

use crate::error::{Error, ErrorKind, Result, Wait};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// A budget of permits. Each backend that is built with it takes a permit before it touches a connection, and gives it back with it.
#[derive(Debug)]
pub struct Budget {
    permits: Arc<Semaphore>,
    total: usize,
    waiting: AtomicUsize,
    waits: AtomicU64,
    waited_micros: AtomicU64,
}

/// The right to use one connection; dropping it gives the right back.
#[derive(Debug)]
pub struct Permit {
    _permit: OwnedSemaphorePermit,
}

impl Budget {
    /// A budget of `total` permits, at least one.
    pub fn new(total: usize) -> Arc<Self> {
        let total = total.max(1);
        let permits = Arc::new(Semaphore::new(total));
        Arc::new(Self {
            permits,
            total,
            waiting: AtomicUsize::new(0),
            waits: AtomicU64::new(0),
            waited_micros: AtomicU64::new(0),
        })
    }

    /// How many permits there are.
    pub fn total(&self) -> usize {
        self.total
    }

    /// How many permits are taken now.
    pub fn in_use(&self) -> usize {
        self.total - self.permits.available_permits().min(self.total)
    }

    /// How many callers wait for a permit now.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many callers had to wait so far, and for how long together.
    pub fn waits(&self) -> (u64, Duration) {
        (
            self.waits.load(Ordering::Relaxed),
            Duration::from_micros(self.waited_micros.load(Ordering::Relaxed)),
        )
    }

    /// Takes a permit, in the order of asking.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] with [`Wait::Permit`] when none came free within `limit`.
    ///
    /// # Cancel safety
    /// The place in the queue is lost, no permit.
    pub async fn acquire(&self, limit: Duration) -> Result<Permit> {
        match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => Ok(Permit { _permit: permit }),
            Err(TryAcquireError::NoPermits) => self.wait(limit).await,
            Err(TryAcquireError::Closed) => Err(Error::new(
                ErrorKind::Closed,
                "the connection budget was closed",
            )),
        }
    }

    async fn wait(&self, limit: Duration) -> Result<Permit> {
        let _counted = Waiting::count(self);
        match tokio::time::timeout(limit, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Permit { _permit: permit }),
            Ok(Err(_)) => Err(Error::new(ErrorKind::Closed, "the connection budget was closed")),
            Err(_) => Err(Error::timeout(Wait::Permit, limit).with_hint(format!(
                "all {} permits are in use; raise budget.total, or find what holds them (pontoon status)",
                self.total
            ))),
        }
    }
}

/// Counts a caller that waits, also one that gives up.
struct Waiting<'a> {
    budget: &'a Budget,
    since: Instant,
}

impl<'a> Waiting<'a> {
    fn count(budget: &'a Budget) -> Self {
        budget.waiting.fetch_add(1, Ordering::Relaxed);
        Self {
            budget,
            since: Instant::now(),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let waited = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.budget.waiting.fetch_sub(1, Ordering::Relaxed);
        self.budget.waits.fetch_add(1, Ordering::Relaxed);
        self.budget
            .waited_micros
            .fetch_add(waited, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

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
        let mut second = Box::pin(budget.acquire(Duration::from_secs(60)));
        assert!((&mut second).now_or_never().is_none());
        assert_eq!(budget.waiting(), 1);
        drop(second);
        assert_eq!(budget.waiting(), 0);
        Ok(())
    }
}
