//! `pontoon query`: one statement through a backend.

mod json;
mod output;

use super::context::Context;
use super::database::Database;
use super::exit::{Exit, Failure, Outcome};
use super::place::point;
use super::values::{params, typed_query};
use crate::backend::{BackendKind, StorageBackend};
use crate::sql::{Columns, Params, Query};
use clap::{Args, ValueEnum};
use futures_util::TryStreamExt;
use output::Output;
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Runs one statement through a backend and prints its rows
///
/// The statement marks its parameters as `%s`, `%(name)s` or `$1`. A value is text; the server gives it the type of its place.
///
/// `--json` prints `{"backend","columns":[{"name","type"}],"rows":[{...}],"affected","took_ms"}`; a column whose name repeats gets `_2`.
/// Where it fails after its first rows, these are there, and `"complete":false` behind them.
#[derive(Debug, Args)]
pub(super) struct RunQuery {
    /// The statement; `-` reads it from stdin
    sql: String,
    /// A value, in the order of the placeholders, or NAME=VALUE for a named one; `\N` is NULL
    #[arg(
        short,
        long = "param",
        value_name = "VALUE",
        allow_hyphen_values = true
    )]
    params: Vec<String>,
    /// Which backend runs it; `bridge`: the one that the flag gives to a unit of work without a key
    #[arg(long, value_name = "WHICH", default_value = "bridge")]
    backend: Which,
    /// Prints comma-separated values with a line of titles; NULL is empty, an empty text is `""`
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// What a statement can run through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Which {
    Blocking,
    Async,
    Bridge,
}

impl Which {
    pub(super) const ALL: [Self; 3] = [Self::Blocking, Self::Async, Self::Bridge];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Blocking => "blocking",
            Self::Async => "async",
            Self::Bridge => "bridge",
        }
    }

    pub(super) fn of(self, database: &Database) -> Outcome<Arc<dyn StorageBackend>> {
        match self {
            Self::Blocking => database.backend(BackendKind::Blocking),
            Self::Async => database.backend(BackendKind::Async),
            Self::Bridge => Ok(Arc::new(database.bridge.clone())),
        }
    }
}

impl RunQuery {
    pub(super) fn run(self, context: &Context) -> Outcome<Exit> {
        let text = self.text()?;
        let query = typed_query(&text)?;
        let params = params(&query, &self.params)?;
        let database = Database::named(&context.settings()?)?;
        let backend = self.backend.of(&database)?;
        let output = Output::choose(self.csv, context.printer());
        context.block_on(async {
            let done = answer(&*backend, &query, params, output).await;
            database.close().await;
            done.map_err(|failure| match failure {
                Failure::Error(error) => point(error, &text, query.text()).into(),
                other => other,
            })
        })
    }

    fn text(&self) -> Outcome<String> {
        if self.sql != "-" {
            return Ok(self.sql.clone());
        }
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        read.map_err(|error| {
            Failure::System("cannot read the statement from stdin".into(), error)
        })?;
        Ok(text)
    }
}

async fn answer(
    backend: &dyn StorageBackend,
    query: &Query,
    params: Params,
    mut output: Output<'_>,
) -> Outcome<Exit> {
    let columns = backend.describe(query).await?.columns;
    let began = Instant::now();
    if columns.0.is_empty() {
        let affected = backend.execute(query, params).await?;
        output.affected(backend.kind(), affected, began.elapsed())?;
        return Ok(Exit::Done);
    }
    match rows(backend, query, params, &columns, &mut output).await {
        Ok(took) => output.end(backend.kind(), took)?,
        // Whoever reads what is on stdout already must not meet half a document.
        Err(failure) => {
            // Where that fails too, the reader has gone, or this failure says more.
            let _closed = output.break_off(backend.kind(), began.elapsed());
            return Err(failure);
        }
    }
    Ok(Exit::Done)
}

/// Writes the rows as they arrive, and gives how long the statement took.
async fn rows(
    backend: &dyn StorageBackend,
    query: &Query,
    params: Params,
    columns: &Columns,
    output: &mut Output<'_>,
) -> Outcome<Duration> {
    let began = Instant::now();
    let mut stream = backend.fetch(query, params).await?;
    output.begin(columns)?;
    while let Some(row) = stream.try_next().await? {
        output.row(&row.values()?)?;
    }
    Ok(began.elapsed())
}
