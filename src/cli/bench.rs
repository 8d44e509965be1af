//! `pontoon bench`: blocking, async and the bridge side by side on this database, in turns.

mod measure;

use super::context::Context;
use super::database::Database;
use super::exit::{Exit, Failure, Outcome};
use super::place::point;
use super::print::Printer;
use super::query::Which;
use super::values::params;
use crate::backend::{StorageBackend, TransactionOptions};
use crate::error::{Error, ErrorKind};
use crate::sql::{Params, Query, catalog};
use clap::Args;
use measure::{Cell, Figures};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How many turns each measurement is cut into, so that a slow moment of the machine hits all sides alike.
const TURNS: u32 = 5;

/// Measures blocking, async and the bridge side by side on this database, in turns
///
/// `cpu_us` is this process's CPU time a call, `stall_p99_ms` how late a timer of its executor was. The bridge runs each call where the flag
/// sends a unit of work without a key.
///
/// `--json` prints `{"rows":[{"backend","query","clients","per_second","p50_ms","p99_ms","cpu_us","stall_p99_ms","errors"}]}`.
#[derive(Debug, Args)]
pub(super) struct Bench {
    /// How many clients call at once, one measurement for each number
    #[arg(long, value_name = "LIST", default_value = "1,16,64", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=10_000))]
    clients: Vec<u16>,
    /// How long each measurement takes
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Which of the program's queries runs; it must only read
    #[arg(long, value_name = "NAME", default_value = "bench/one")]
    query: String,
    /// A value for the query, in order or as NAME=VALUE
    #[arg(
        short,
        long = "param",
        value_name = "VALUE",
        allow_hyphen_values = true
    )]
    params: Vec<String>,
}

impl Bench {
    pub(super) fn run(self, context: &Context) -> Outcome<Exit> {
        let query = catalog::query(&self.query)
            .map_err(|error| Failure::Usage(format!("--query {}: {error}", self.query)))?;
        let params = params(&query, &self.params)?;
        let database = Database::named(&context.settings()?)?;
        let printer = context.printer();
        context.block_on(async {
            database.reach(Duration::ZERO, printer).await?;
            refuse_writes(&database, &query, &params).await?;
            let figures = self.measure(&database, &query, &params, printer).await?;
            let served = database.bridge.kind();
            database.close().await;
            tell(&figures, printer)?;
            if !printer.is_json() {
                printer.note(&format!(
                    "the bridge ran on {served}; {} at {}",
                    query.name(),
                    database.shown
                ));
            }
            Ok(Exit::Done)
        })
    }

    async fn measure(
        &self,
        database: &Database,
        query: &Query,
        params: &Params,
        printer: &Printer,
    ) -> Outcome<Vec<Figures>> {
        let cells = u64::try_from(self.clients.len() * Which::ALL.len()).unwrap_or(u64::MAX);
        let progress = printer.progress(cells * u64::from(TURNS), "measuring");
        let turn = Duration::from_secs(self.seconds.into()) / TURNS;
        let mut figures = Vec::new();
        for clients in &self.clients {
            let mut cells = Vec::new();
            for which in Which::ALL {
                let backend = which.of(database)?;
                warm_up(&backend, *clients, query, params).await?;
                cells.push(Cell::new(which.as_str(), backend, *clients));
            }
            for _ in 0..TURNS {
                for cell in &mut cells {
                    cell.turn(query, params, turn).await?;
                    progress.inc(1);
                }
            }
            figures.extend(cells.iter().map(|cell| cell.figures(query)));
        }
        progress.finish_and_clear();
        Ok(figures)
    }
}

/// A measurement would run the query thousands of times: the server itself says whether it writes.
async fn refuse_writes(database: &Database, query: &Query, params: &Params) -> Outcome<()> {
    let options = TransactionOptions {
        read_only: true,
        ..TransactionOptions::named("bench")
    };
    let mut transaction = database.bridge.begin(options).await?;
    let tried = transaction.fetch_all(query, params.clone()).await;
    transaction.rollback().await?;
    match tried {
        Err(error) if error.sqlstate() == Some("25006") => {
            let refused = Error::new(
                ErrorKind::Sql,
                format!(
                    "{} writes, and would be run thousands of times",
                    query.name()
                ),
            );
            Err(refused
                .with_hint("choose a query that only reads; `sql/` holds them all")
                .into())
        }
        Err(error) => {
            let text = catalog::source(query.name()).unwrap_or_default();
            Err(point(error, text, query.text()).into())
        }
        Ok(_) => Ok(()),
    }
}

/// Opens the connections and fills the statement caches, which a service does once.
async fn warm_up(
    backend: &Arc<dyn StorageBackend>,
    clients: u16,
    query: &Query,
    params: &Params,
) -> Outcome<()> {
    let calls = (0..clients).map(|_| backend.fetch_all(query, params.clone()));
    futures_util::future::try_join_all(calls).await?;
    Ok(())
}

fn tell(figures: &[Figures], printer: &Printer) -> Outcome<()> {
    if printer.is_json() {
        return printer.document(&json!({ "rows": figures }));
    }
    let titles = [
        "#clients",
        "backend",
        "#calls/s",
        "#p50 ms",
        "#p99 ms",
        "#cpu µs",
        "#stall p99 ms",
        "#errors",
    ];
    let mut grid = printer.grid(titles);
    for row in figures {
        grid.row([
            row.clients.to_string(),
            row.backend.to_owned(),
            format!("{:.0}", row.per_second),
            format!("{:.2}", row.p50_ms),
            format!("{:.2}", row.p99_ms),
            format!("{:.0}", row.cpu_us),
            format!("{:.2}", row.stall_p99_ms),
            row.errors.to_string(),
        ]);
    }
    printer.data(&grid.text())
}
