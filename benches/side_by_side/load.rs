//! The workloads, and a turn of one contestant under load.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "figures for people, of magnitudes that fit"
)]

use crate::contestants::Contestant;
use hdrhistogram::Histogram;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How many rows the table has.
pub(crate) const ROWS: i64 = 100_000;

/// What a client does over and over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    /// One row of eight columns by its primary key.
    Point,
    /// A hundred rows of eight columns.
    Hundred,
    /// One row inserted, without waiting for the disk.
    Insert,
    /// An UPDATE and a SELECT in a transaction.
    Transaction,
    /// Short queries beside some of 10 ms.
    Mixed,
}

impl Workload {
    pub(crate) const ALL: [Self; 5] = [
        Self::Point,
        Self::Hundred,
        Self::Insert,
        Self::Transaction,
        Self::Mixed,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Point => "point",
            Self::Hundred => "hundred",
            Self::Insert => "insert",
            Self::Transaction => "transaction",
            Self::Mixed => "mixed",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Point => "One row of eight columns by its primary key",
            Self::Hundred => "A hundred rows of eight columns",
            Self::Insert => "One row inserted, `synchronous_commit = off`",
            Self::Transaction => {
                "An UPDATE and a SELECT in a transaction, `synchronous_commit = off`"
            }
            Self::Mixed => "Short queries, every twentieth one of 10 ms: what the executor suffers",
        }
    }

    pub(crate) fn clients(self) -> &'static [usize] {
        match self {
            Self::Point => &[1, 16, 64, 256],
            Self::Hundred | Self::Insert | Self::Transaction => &[1, 16, 64],
            Self::Mixed => &[256],
        }
    }
}

/// What a turn gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) cpu_us: f64,
    pub(crate) stall_p99_ms: f64,
}

impl Measured {
    /// Each figure's median by itself.
    pub(crate) fn median(turns: &[Self]) -> Self {
        let middle = |figure: fn(&Self) -> f64| median(turns.iter().map(figure));
        Self {
            per_second: middle(|turn| turn.per_second),
            p50_ms: middle(|turn| turn.p50_ms),
            p99_ms: middle(|turn| turn.p99_ms),
            cpu_us: middle(|turn| turn.cpu_us),
            stall_p99_ms: middle(|turn| turn.stall_p99_ms),
        }
    }
}

pub(crate) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The table that all workloads use.
pub(crate) fn fill(url: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut client = postgres::Client::connect(url, postgres::NoTls)?;
    client.batch_execute(&format!(
        "ALTER DATABASE postgres SET synchronous_commit = off;
         CREATE TABLE bench (id bigint PRIMARY KEY, number int NOT NULL, ratio float8 NOT NULL, flag bool NOT NULL, label text NOT NULL,
             body text NOT NULL, at timestamptz NOT NULL, note text);
         INSERT INTO bench SELECT g, g % 1000, g / 7.0, g % 2 = 0, 'label ' || g, repeat('x', 100), now(), NULL
             FROM generate_series(1, {ROWS}) g;
         CREATE TABLE bench_insert (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number bigint, label text);
"
    ))?;
    client.batch_execute("VACUUM ANALYZE bench")?;
    Ok(())
}

/// A turn: `clients` tasks, each with one call under way, for `time`, after a fifth of it to warm up, which is not counted.
pub(crate) async fn turn(
    contestant: Box<dyn Contestant>,
    workload: Workload,
    clients: usize,
    time: Duration,
) -> Measured {
    let contestant: Arc<dyn Contestant> = contestant.into();
    let counting = Arc::new(AtomicBool::new(false));
    let ending = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            tokio::spawn(client_loop(
                Arc::clone(&contestant),
                workload,
                client as u64,
                Arc::clone(&counting),
                Arc::clone(&ending),
            ))
        })
        .collect();
    let heartbeat = tokio::spawn(heartbeat(Arc::clone(&counting), Arc::clone(&ending)));
    tokio::time::sleep(time / 5).await;
    counting.store(true, Ordering::Relaxed);
    let (since, cpu) = (Instant::now(), cpu_seconds());
    tokio::time::sleep(time).await;
    ending.store(true, Ordering::Relaxed);
    let (took, cpu) = (since.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let mut latencies = Histogram::<u64>::new(3).expect("three digits are allowed");
    for task in tasks {
        latencies
            .add(task.await.expect("a client does not panic"))
            .expect("histograms of the same shape");
    }
    let stalls = heartbeat.await.expect("the heartbeat does not panic");
    drop(contestant);
    let calls = latencies.len() as f64;
    Measured {
        per_second: calls / took,
        p50_ms: latencies.value_at_quantile(0.5) as f64 / 1e6,
        p99_ms: latencies.value_at_quantile(0.99) as f64 / 1e6,
        cpu_us: cpu * 1e6 / calls.max(1.0),
        stall_p99_ms: stalls.value_at_quantile(0.99) as f64 / 1e6,
    }
}

async fn client_loop(
    contestant: Arc<dyn Contestant>,
    workload: Workload,
    client: u64,
    counting: Arc<AtomicBool>,
    ending: Arc<AtomicBool>,
) -> Histogram<u64> {
    let mut latencies = Histogram::new(3).expect("three digits are allowed");
    let mut random = client.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    while !ending.load(Ordering::Relaxed) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let id = (random % ROWS as u64) as i64 + 1;
        let since = Instant::now();
        contestant.call(workload, id).await;
        if workload == Workload::Mixed {
            // Somebody who blocks the executor never waits, and would keep its thread for ever.
            tokio::task::yield_now().await;
        }
        if counting.load(Ordering::Relaxed) {
            latencies
                .record(since.elapsed().as_nanos() as u64)
                .expect("the histogram grows");
        }
    }
    latencies
}

/// How late a timer of 1 ms is.
async fn heartbeat(counting: Arc<AtomicBool>, ending: Arc<AtomicBool>) -> Histogram<u64> {
    let mut late = Histogram::new(3).expect("three digits are allowed");
    while !ending.load(Ordering::Relaxed) {
        let due = Instant::now() + Duration::from_millis(1);
        tokio::time::sleep_until(due.into()).await;
        if counting.load(Ordering::Relaxed) {
            late.record(due.elapsed().as_nanos() as u64)
                .expect("the histogram grows");
        }
    }
    late
}

/// This process's user and system time.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|field| field.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / 100.0
}

/// A turn of `pgbench`, which reads no column: C, a thread for each core, no pool. It knows whole seconds only, so that its turn lasts one at
/// least, and tells no percentile of the latencies. `None` where it is not installed.
pub(crate) fn pgbench(url: &str, clients: usize, time: Duration) -> Option<Measured> {
    let script = std::env::temp_dir().join(format!("pontoon-bench-{}.sql", std::process::id()));
    let text = format!(
        "\\set id random(1, {ROWS})\n{};\n",
        crate::contestants::POINT.replace("$1", ":id")
    );
    std::fs::write(&script, text).ok()?;
    let seconds = time.as_secs().max(1).to_string();
    let (clients, threads) = (clients.to_string(), clients.min(2).to_string());
    let output = std::process::Command::new("pgbench")
        .args([
            "-n", "-M", "prepared", "-c", &clients, "-j", &threads, "-T", &seconds, "-f",
        ])
        .args([script.as_os_str(), url.as_ref()])
        .output();
    let _removed = std::fs::remove_file(&script);
    let text = String::from_utf8(output.ok()?.stdout).ok()?;
    let figure = |before: &str| {
        text.lines().find_map(|line| {
            line.strip_prefix(before)?
                .split_whitespace()
                .next()?
                .parse::<f64>()
                .ok()
        })
    };
    let per_second = figure("tps = ")?;
    Some(Measured {
        per_second,
        p50_ms: f64::NAN,
        p99_ms: f64::NAN,
        cpu_us: f64::NAN,
        stall_p99_ms: f64::NAN,
    })
}
