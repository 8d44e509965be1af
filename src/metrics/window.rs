//! Percentiles of the last minute or two.

use hdrhistogram::Histogram;
use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long values go into one histogram before the next is begun. What is told is the last full one and the one under way.
const TURN: Duration = Duration::from_mins(1);

/// How many histograms there are beside each other, so that threads seldom meet at one.
const SHARDS: usize = 8;

/// Durations of the last minute or two, and their percentiles.
pub struct Window {
    shards: [Mutex<Shard>; SHARDS],
    began: Instant,
}

struct Shard {
    turn: u64,
    now: Histogram<u64>,
    before: Histogram<u64>,
}

/// Percentiles of a [`Window`], in milliseconds; zero where nothing was recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Percentiles {
    /// How many values they are made from.
    pub count: u64,
    /// The median.
    pub p50_ms: f64,
    /// 95 of 100 are not above it.
    pub p95_ms: f64,
    /// 99 of 100 are not above it.
    pub p99_ms: f64,
}

impl Window {
    /// An empty window.
    pub fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::new(Shard::new())),
            began: Instant::now(),
        }
    }

    /// Takes a duration in.
    pub fn record(&self, value: Duration) {
        let tenths = u64::try_from(value.as_nanos() / 100).unwrap_or(u64::MAX);
        let turn = self.turn();
        let mut shard = lock(&self.shards[own_shard()]);
        shard.advance(turn);
        shard.now.saturating_record(tenths);
    }

    /// The percentiles of what was recorded in the last minute or two.
    pub fn percentiles(&self) -> Percentiles {
        let turn = self.turn();
        let mut all = histogram();
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.advance(turn);
            // They have the same bounds, so that adding cannot fail.
            let _fits = all.add(&shard.now).and_then(|()| all.add(&shard.before));
        }
        let at = |quantile| tenths_to_ms(all.value_at_quantile(quantile));
        Percentiles {
            count: all.len(),
            p50_ms: at(0.5),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
        }
    }

    fn turn(&self) -> u64 {
        self.began.elapsed().as_secs() / TURN.as_secs()
    }
}

/// Tenths of a microsecond as milliseconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "the histogram's values have two significant digits"
)]
fn tenths_to_ms(tenths: u64) -> f64 {
    tenths as f64 / 10_000.0
}

impl Default for Window {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.percentiles().fmt(f)
    }
}

impl Shard {
    fn new() -> Self {
        Self {
            turn: 0,
            now: histogram(),
            before: histogram(),
        }
    }

    fn advance(&mut self, turn: u64) {
        if self.turn == turn {
            return;
        }
        if self.turn + 1 == turn {
            std::mem::swap(&mut self.now, &mut self.before);
        } else {
            self.before.reset();
        }
        self.now.reset();
        self.turn = turn;
    }
}

/// From a tenth of a microsecond to an hour, with two significant digits: about 30 kB, and a window has two for each shard.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 36_000_000_000, 2).expect("these bounds are fixed, and valid")
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The shard of the thread that asks.
fn own_shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static OWN: Cell<usize> = const { Cell::new(usize::MAX) });
    OWN.with(|own| {
        if own.get() == usize::MAX {
            own.set(NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS);
        }
        own.get()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_percentiles_in_milliseconds() {
        let window = Window::new();
        assert_eq!(window.percentiles(), Percentiles::default());
        for micros in 1..=1000 {
            window.record(Duration::from_micros(micros));
        }
        let Percentiles {
            count,
            p50_ms,
            p99_ms,
            ..
        } = window.percentiles();
        assert_eq!(count, 1000);
        assert!(
            (p50_ms - 0.5).abs() < 0.02 && (p99_ms - 0.99).abs() < 0.02,
            "{p50_ms} {p99_ms}"
        );
    }

    #[test]
    fn forgets_after_two_turns() {
        let mut shard = Shard::new();
        shard.now.saturating_record(5);
        shard.advance(1);
        assert_eq!((shard.now.len(), shard.before.len()), (0, 1));
        shard.advance(3);
        assert_eq!((shard.now.len(), shard.before.len()), (0, 0));
    }
}
