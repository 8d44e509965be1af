//! One measurement: clients that call one backend, each its next call as soon as the last has its answer.

use crate::backend::StorageBackend;
use crate::cli::exit::Outcome;
use crate::sql::{Params, Query};
use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How far apart the looks at the executor are.
const LOOK: Duration = Duration::from_millis(5);

/// What is measured of one backend under one number of clients, over all its turns.
#[derive(Debug)]
pub(super) struct Cell {
    name: &'static str,
    backend: Arc<dyn StorageBackend>,
    clients: u16,
    latency: Histogram<u64>,
    stall: Histogram<u64>,
    errors: u64,
    took: Duration,
    cpu: Duration,
}

/// The figures of one cell.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Figures {
    pub(super) backend: &'static str,
    pub(super) query: String,
    pub(super) clients: u16,
    pub(super) per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) cpu_us: f64,
    pub(super) stall_p99_ms: f64,
    /// Calls that failed; they count in no other figure.
    pub(super) errors: u64,
}

impl Cell {
    pub(super) fn new(name: &'static str, backend: Arc<dyn StorageBackend>, clients: u16) -> Self {
        let empty = Duration::ZERO;
        Self {
            name,
            backend,
            clients,
            latency: histogram(),
            stall: histogram(),
            errors: 0,
            took: empty,
            cpu: empty,
        }
    }

    /// Lets the clients call for `length`.
    pub(super) async fn turn(
        &mut self,
        query: &Query,
        params: &Params,
        length: Duration,
    ) -> Outcome<()> {
        let (began, cpu) = (Instant::now(), cpu_time());
        let end = began + length;
        let mut clients = JoinSet::new();
        for _ in 0..self.clients {
            clients.spawn(client(
                Arc::clone(&self.backend),
                query.clone(),
                params.clone(),
                end,
            ));
        }
        let watch = tokio::spawn(watch(end));
        while let Some(done) = clients.join_next().await {
            let (latency, errors) = done.map_err(crashed)?;
            add(&mut self.latency, &latency);
            self.errors += errors;
        }
        self.took += began.elapsed();
        self.cpu += cpu_time().saturating_sub(cpu);
        add(&mut self.stall, &watch.await.map_err(crashed)?);
        Ok(())
    }

    pub(super) fn figures(&self, query: &Query) -> Figures {
        let calls = self.latency.len();
        Figures {
            backend: self.name,
            query: query.name().to_string(),
            clients: self.clients,
            per_second: rounded(count(calls) / self.took.as_secs_f64(), 10.0),
            p50_ms: milliseconds(&self.latency, 0.50),
            p99_ms: milliseconds(&self.latency, 0.99),
            cpu_us: rounded(self.cpu.as_secs_f64() * 1e6 / count(calls.max(1)), 10.0),
            stall_p99_ms: milliseconds(&self.stall, 0.99),
            errors: self.errors,
        }
    }
}

async fn client(
    backend: Arc<dyn StorageBackend>,
    query: Query,
    params: Params,
    end: Instant,
) -> (Histogram<u64>, u64) {
    let (mut latency, mut errors) = (histogram(), 0);
    while Instant::now() < end {
        let began = Instant::now();
        match backend.fetch_all(&query, params.clone()).await {
            Ok(_) => record(&mut latency, began.elapsed()),
            Err(error) => {
                tracing::debug!("{error}");
                errors += 1;
                // A server that refuses at once would turn this into a busy loop.
                tokio::time::sleep(LOOK).await;
            }
        }
    }
    (latency, errors)
}

/// How late the executor's timers are meanwhile.
async fn watch(end: Instant) -> Histogram<u64> {
    let mut stall = histogram();
    while Instant::now() < end {
        let due = Instant::now() + LOOK;
        tokio::time::sleep_until(due.into()).await;
        record(&mut stall, Instant::now().saturating_duration_since(due));
    }
    stall
}

/// The CPU time of this process so far.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Microseconds up to an hour, with three significant digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 3_600_000_000, 3).expect("these bounds are fixed, and valid")
}

fn record(histogram: &mut Histogram<u64>, took: Duration) {
    histogram.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
}

fn add(sum: &mut Histogram<u64>, part: &Histogram<u64>) {
    // They have the same bounds, so that adding cannot fail.
    let _fits = sum.add(part);
}

fn crashed(error: tokio::task::JoinError) -> crate::Error {
    crate::Error::new(
        crate::ErrorKind::Panic,
        "a client of the measurement panicked",
    )
    .with_source(error)
}

fn milliseconds(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    count(histogram.value_at_quantile(quantile)) / 1000.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "figures for people have far fewer digits"
)]
fn count(number: u64) -> f64 {
    number as f64
}

fn rounded(figure: f64, scale: f64) -> f64 {
    (figure * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_work_shows_in_the_cpu_time() {
        let before = cpu_time();
        let until = Instant::now() + Duration::from_millis(30);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        assert!(cpu_time() > before);
    }
}
