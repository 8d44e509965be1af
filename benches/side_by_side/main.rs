//! Both backends and the bridge beside the peers, in one run and in turns, as ratios.
//!
//! For a closer look, `ONLY='part of a name|of another'` and `CLIENTS=16` leave the rest out, and `ROUNDS=50` measures longer.
//!
//! `cargo bench --features server --bench side_by_side [-- WORKLOAD...]`; with `UPDATE_DOCS=1` it writes `docs/BENCHMARKS.md`. A round gives
//! each contestant its turn on pools of its own. What is told is the median over the rounds: of each figure, and of the ratio to the first
//! contestant's turn in the same round, since a machine that is shared runs faster in some rounds than in others.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints what it measures"
)]

mod contestants;
mod load;
#[path = "../page.rs"]
mod page;
mod report;

use contestants::contestants;
use load::{Measured, Workload};
use pontoon::embedded::Embedded;
use std::time::Duration;

/// How often each contestant has its turn.
const ROUNDS: usize = 9;

/// How long a turn lasts.
const TURN: Duration = Duration::from_millis(400);

/// Connections that each contestant may use.
pub(crate) const CONNECTIONS: usize = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    let server = Embedded::options()
        .ephemeral()
        .tcp()
        .max_connections(200)
        .start()?;
    let url = server.url("postgres");
    load::fill(&url)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut report = report::Report::default();
    for workload in Workload::ALL {
        if !asked.is_empty() && !asked.iter().any(|name| name == workload.name()) {
            continue;
        }
        for clients in workload.clients() {
            if std::env::var("CLIENTS").is_ok_and(|only| only != clients.to_string()) {
                continue;
            }
            let table = runtime.block_on(measure(&url, workload, *clients));
            report.add(workload, *clients, table);
        }
    }
    println!("{}", report.text());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let version = postgres::Client::connect(&url, postgres::NoTls)?
            .query_one("SHOW server_version", &[])?;
        report.write(version.get(0))?;
    }
    runtime.shutdown_timeout(Duration::from_secs(2));
    Ok(())
}

fn rounds() -> usize {
    let asked = std::env::var("ROUNDS").ok();
    asked
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(ROUNDS)
}

/// Every contestant's medians, in the order of the contestants.
async fn measure(url: &str, workload: Workload, clients: usize) -> report::Table {
    let mut turns = Rounds::default();
    let only = std::env::var("ONLY").unwrap_or_default();
    let asked = |name: &str| only.split('|').any(|part| name.contains(part));
    for round in 1..=rounds() {
        for contestant in contestants(url, workload).await {
            let name = contestant.name();
            if asked(name) {
                let measured = load::turn(contestant, workload, clients, TURN).await;
                eprintln!(
                    "{} {clients} clients, round {round}: {name} {:.0}/s",
                    workload.name(),
                    measured.per_second
                );
                turns.add(name, measured);
            }
        }
        if workload == Workload::Point && clients <= 64 && asked("pgbench") {
            let turn = load::pgbench(url, clients, TURN);
            if let Some(measured) = turn {
                turns.add("pgbench -M prepared", measured);
            }
        }
    }
    turns.table()
}

/// The turns of each contestant.
#[derive(Default)]
struct Rounds(Vec<(&'static str, Vec<Measured>)>);

impl Rounds {
    fn add(&mut self, name: &'static str, measured: Measured) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, turns)) => turns.push(measured),
            None => self.0.push((name, vec![measured])),
        }
    }

    fn table(&self) -> report::Table {
        let first = self.0.first().map_or(&[][..], |(_, turns)| turns);
        let entry = |(name, turns): &(&'static str, Vec<Measured>)| {
            let pairs = turns.iter().zip(first);
            let ratios = pairs.map(|(turn, first)| turn.per_second / first.per_second);
            report::Entry {
                name,
                measured: Measured::median(turns),
                ratio: load::median(ratios),
            }
        };
        self.0.iter().map(entry).collect()
    }
}
