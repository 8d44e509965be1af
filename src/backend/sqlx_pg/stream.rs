//! Rows of the async backend as they arrive: the stream owns its connection, and gives it back at its end.

use super::super::failure::{Failure, Fate};
use super::lease::Lease;
use super::link::ROWS_A_TURN;
use super::within;
use crate::error::Result;
use crate::sql::{Query, Row, RowStream, Value};
use async_stream::try_stream;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use std::time::Duration;

/// Runs the statement and waits for its first row, so that what is wrong with it is told at once.
pub(super) async fn start(
    lease: Lease,
    query: Query,
    values: Vec<Value>,
    limit: Duration,
) -> Result<RowStream, Failure> {
    let mut rows = rows(lease, query, values, limit);
    let first = rows.try_next().await?;
    let rest = rows.map_err(|failure| failure.error);
    Ok(stream::iter(first.map(Ok)).chain(rest).boxed())
}

/// `limit` bounds each wait for the server, not the reader's pauses.
fn rows(
    mut lease: Lease,
    query: Query,
    values: Vec<Value>,
    limit: Duration,
) -> BoxStream<'static, Result<Row, Failure>> {
    let around = lease.around();
    let pooler = around.is_some();
    let generator = try_stream! {
        if let Some(begin) = &around {
            let begun = within(limit, lease.link().batch(begin)).await;
            begun.map_err(|failure| lease.failed(failure))?;
        }
        let mut arrived = 0_usize;
        let mut again = !pooler && query.is_whole();
        let ended = loop {
            let mut link = lease.link();
            let mut rows = match within(limit, link.stream(&query, &values)).await {
                Ok(rows) => rows,
                Err(failure) => break Err(failure),
            };
            let ended = loop {
                match within(limit, rows.try_next()).await {
                    Ok(Some(row)) => yield row,
                    Ok(None) => break Ok(()),
                    Err(failure) => break Err(failure.after(arrived > 0)),
                }
                arrived += 1;
                if arrived.is_multiple_of(ROWS_A_TURN) {
                    tokio::task::yield_now().await;
                }
            };
            drop(rows);
            // A stale statement is found before its first row.
            if again && matches!(ended, Err(Failure { fate: Fate::Stale, .. })) {
                again = false;
                let forgotten = within(limit, link.forget()).await;
                forgotten.map_err(|failure| lease.failed(failure))?;
            } else {
                break ended;
            }
        };
        end(&mut lease, ended, pooler, limit).await?;
    };
    generator.boxed()
}

/// Ends what a pooler made necessary, and settles what becomes of the connection.
async fn end(
    lease: &mut Lease,
    ended: Result<(), Failure>,
    pooler: bool,
    limit: Duration,
) -> Result<(), Failure> {
    let fate = ended.as_ref().err().map(|failure| failure.fate);
    if pooler && matches!(fate, None | Some(Fate::Usable | Fate::Stale)) {
        let mut link = lease.link();
        let over = within(limit, async {
            link.forget().await?;
            match &ended {
                Ok(()) => link.batch("COMMIT").await.map_err(Failure::of_commit),
                Err(_) => link.batch("ROLLBACK").await,
            }
        });
        if let Err(failure) = over.await {
            let failure = lease.failed(failure);
            // The caller is told of its statement first.
            return Err(ended.err().unwrap_or(failure));
        }
    }
    lease.settle(ended.as_ref().err());
    ended
}
