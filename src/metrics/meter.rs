//! The calls of one backend, counted.

use super::{CALL_SECONDS, CALLS, CANCELLED, ERRORS, IN_FLIGHT, Percentiles, Window};
use metrics::{Counter, Gauge, Histogram};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Counts the calls of one backend. Clones count together.
#[derive(Clone)]
pub struct Meter(Arc<Inner>);

struct Inner {
    calls: AtomicU64,
    errors: AtomicU64,
    cancelled: AtomicU64,
    begun: AtomicU64,
    by_kind: Vec<(&'static str, AtomicU64, Counter)>,
    took: Window,
    recorded: Recorded,
}

/// What the recorder that is installed gets.
struct Recorded {
    calls: Counter,
    cancelled: Counter,
    in_flight: Gauge,
    took: Histogram,
}

/// A call that runs. Dropped without an end, it counts as cancelled.
pub struct Call {
    meter: Meter,
    since: Instant,
    ended: bool,
}

/// A meter's figures at one moment.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct MeterStatus {
    /// Calls that came to an end, well or not.
    pub calls: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Calls that failed, by kind; kinds that never happened are left out.
    pub errors_by_kind: Vec<(&'static str, u64)>,
    /// Calls whose caller gave them up.
    pub cancelled: u64,
    /// Calls that run now.
    pub in_flight: u64,
    /// How long the calls of the last minute or two took.
    #[serde(flatten)]
    pub took: Percentiles,
}

impl Meter {
    /// A meter for the backend with that word; `kinds` are the words that an error may be counted by. A recorder that is installed later
    /// gets nothing from it.
    pub fn new(backend: &'static str, kinds: &[&'static str]) -> Self {
        let by_kind = kinds.iter().map(|&kind| {
            let counter = metrics::counter!(ERRORS, "backend" => backend, "kind" => kind);
            (kind, AtomicU64::new(0), counter)
        });
        Self(Arc::new(Inner {
            calls: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            by_kind: by_kind.collect(),
            took: Window::new(),
            recorded: Recorded {
                calls: metrics::counter!(CALLS, "backend" => backend),
                cancelled: metrics::counter!(CANCELLED, "backend" => backend),
                in_flight: metrics::gauge!(IN_FLIGHT, "backend" => backend),
                took: metrics::histogram!(CALL_SECONDS, "backend" => backend),
            },
        }))
    }

    /// Counts a call that begins.
    pub fn begin(&self) -> Call {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        self.0.recorded.in_flight.increment(1.0);
        Call {
            meter: self.clone(),
            since: Instant::now(),
            ended: false,
        }
    }

    /// The figures now.
    pub fn status(&self) -> MeterStatus {
        let Inner {
            calls,
            errors,
            cancelled,
            begun,
            by_kind,
            took,
            ..
        } = &*self.0;
        let errors_by_kind = by_kind
            .iter()
            .map(|(kind, count, _)| (*kind, count.load(Ordering::Relaxed)));
        let (calls, cancelled) = (
            calls.load(Ordering::Relaxed),
            cancelled.load(Ordering::Relaxed),
        );
        MeterStatus {
            calls,
            errors: errors.load(Ordering::Relaxed),
            errors_by_kind: errors_by_kind.filter(|(_, count)| *count > 0).collect(),
            cancelled,
            in_flight: begun
                .load(Ordering::Relaxed)
                .saturating_sub(calls + cancelled),
            took: took.percentiles(),
        }
    }
}

impl Call {
    /// The call came to its end; `error` is the word of its kind where it failed.
    pub fn end(mut self, error: Option<&'static str>) {
        self.ended = true;
        let inner = &*self.meter.0;
        let took = self.since.elapsed();
        inner.took.record(took);
        inner.recorded.took.record(took.as_secs_f64());
        inner.calls.fetch_add(1, Ordering::Relaxed);
        inner.recorded.calls.increment(1);
        let Some(kind) = error else { return };
        inner.errors.fetch_add(1, Ordering::Relaxed);
        if let Some((_, count, counter)) = inner.by_kind.iter().find(|(known, ..)| *known == kind) {
            count.fetch_add(1, Ordering::Relaxed);
            counter.increment(1);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let inner = &*self.meter.0;
        inner.recorded.in_flight.decrement(1.0);
        if !self.ended {
            inner.cancelled.fetch_add(1, Ordering::Relaxed);
            inner.recorded.cancelled.increment(1);
        }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status().fmt(f)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_ends_errors_and_those_that_were_given_up() {
        let meter = Meter::new("async", &["database", "timeout"]);
        meter.begin().end(None);
        meter.begin().end(Some("timeout"));
        drop(meter.begin());
        let running = meter.begin();
        let status = meter.status();
        assert_eq!(
            (
                status.calls,
                status.errors,
                status.cancelled,
                status.in_flight
            ),
            (2, 1, 1, 1)
        );
        assert_eq!(status.errors_by_kind, vec![("timeout", 1)]);
        assert_eq!(status.took.count, 2);
        drop(running);
    }
}
