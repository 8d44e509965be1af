//! How late the executor's timers are: the proof that no backend blocks it.

use crate::metrics::{Percentiles, Window};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How far apart the looks are.
const EVERY: Duration = Duration::from_millis(10);

/// How late a timer of the executor is, over the last minute or two. Clones tell the same.
#[derive(Debug, Clone)]
pub struct Stall(Arc<Window>);

impl Stall {
    pub(super) fn new() -> Self {
        Self(Arc::new(Window::new()))
    }

    /// How late timers were.
    pub fn percentiles(&self) -> Percentiles {
        self.0.percentiles()
    }

    /// Looks until it is dropped: spawn it on the executor that is to be watched.
    ///
    /// # Cancel safety
    /// Dropping it ends the watch.
    pub async fn watch(self) {
        loop {
            let due = Instant::now() + EVERY;
            tokio::time::sleep_until(due.into()).await;
            self.0.record(Instant::now().saturating_duration_since(due));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_blocked_executor_shows() {
        let stall = Stall::new();
        let watch = tokio::spawn(stall.clone().watch());
        tokio::time::sleep(Duration::from_millis(30)).await;
        std::thread::sleep(Duration::from_millis(200));
        tokio::time::sleep(Duration::from_millis(30)).await;
        watch.abort();
        assert!(
            stall.percentiles().p99_ms > 150.0,
            "{:?}",
            stall.percentiles()
        );
    }
}
