//! The tables, on the screen and in `docs/BENCHMARKS.md`.

use crate::load::{Measured, Workload};
use crate::page::{self, Part};
use std::fmt::Write;

/// Who was measured, and what it gave.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) measured: Measured,
    /// To the first of the table.
    pub(crate) ratio: f64,
}

pub(crate) type Table = Vec<Entry>;

#[derive(Default)]
pub(crate) struct Report {
    tables: Vec<(Workload, usize, Table)>,
}

impl Report {
    pub(crate) fn add(&mut self, workload: Workload, clients: usize, table: Table) {
        self.tables.push((workload, clients, table));
    }

    /// The tables as Markdown.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut last = None;
        for (workload, clients, rows) in &self.tables {
            if last.replace(*workload) != Some(*workload) {
                let _ = writeln!(text, "\n## {}\n", workload.title());
                let _ = writeln!(
                    text,
                    "| clients | contestant | calls/s | ratio | p50 ms | p99 ms | CPU us/call | stall p99 ms |"
                );
                let _ = writeln!(text, "|---:|---|---:|---:|---:|---:|---:|---:|");
            }
            for entry in rows {
                let _ = writeln!(text, "{}", row(*clients, entry));
            }
        }
        text
    }

    pub(crate) fn write(&self, server: &str) -> std::io::Result<()> {
        let head = format!(
            "# Benchmarks\n\n\
             Written by `make bench`: do not edit. Machines differ, and so do runs; what carries over is the ratio within one run.\n\n\
             | what | which |\n|---|---|\n| machine | {} |\n| server | PostgreSQL {server}, on the same machine, over a unix socket |\n\
             | drivers | {} |\n| commands | `cargo bench --features server --bench side_by_side` |\n\n\
             {} connections a contestant, Tokio with 2 workers, medians of {} interleaved rounds of {:.1} s. Ratios are to the first contestant \
             in the same round. Every contestant reads each column, but for pgbench, whose turns last \
             whole seconds and which tells no percentiles. The server shares the cores. *stall* is how late a timer of \
             1 ms was on the same executor.\n",
            machine(),
            drivers(),
            crate::CONNECTIONS,
            crate::rounds(),
            crate::TURN.as_secs_f64()
        );
        page::write(Part::Backends, &(head + &self.text()))
    }
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("", |(_, model)| model);
    format!("{cores} cores {model}")
}

/// The drivers' versions, as the lock file has them.
fn drivers() -> String {
    let lock = include_str!("../../Cargo.lock");
    let version = |name: &str| {
        let after = lock
            .split_once(&format!("name = \"{name}\"\nversion = \""))?
            .1;
        Some(format!("{name} {}", after.split_once('"')?.0))
    };
    let names = [
        "sqlx",
        "postgres",
        "r2d2",
        "r2d2_postgres",
        "tokio-postgres",
        "deadpool-postgres",
        "tokio",
    ];
    names
        .into_iter()
        .filter_map(version)
        .collect::<Vec<_>>()
        .join(", ")
}

fn row(clients: usize, entry: &Entry) -> String {
    let Entry {
        name,
        measured,
        ratio,
    } = entry;
    let figure = |figure: f64, digits| {
        if figure.is_nan() {
            "-".to_owned()
        } else {
            format!("{figure:.digits$}")
        }
    };
    format!(
        "| {clients} | {name} | {:.0} | {ratio:.2} | {} | {} | {} | {} |",
        measured.per_second,
        figure(measured.p50_ms, 2),
        figure(measured.p99_ms, 2),
        figure(measured.cpu_us, 1),
        figure(measured.stall_p99_ms, 1)
    )
}
