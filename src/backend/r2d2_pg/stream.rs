//! Rows of the blocking backend as they arrive: the thread stops reading from the server while the reader is behind.

use super::super::failure::{Failure, Tries};
use super::blocking::Blocking;
use super::link::Link;
use super::queue::Desk;
use crate::error::{Error, Result};
use crate::sql::{Query, Row, RowStream, Value};
use futures_util::stream;
use futures_util::{StreamExt, TryStreamExt};
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How many rows go over at once when the reader is behind.
const BATCH: usize = 64;

/// What the thread sends: rows, or the error that ended them.
type Sent = Result<Vec<Row>>;

/// Runs the statement and waits for its first row, so that what is wrong with it is told at once.
pub(super) async fn start(
    blocking: &Arc<Blocking>,
    query: Query,
    values: Vec<Value>,
    around: Option<Cow<'static, str>>,
) -> Result<RowStream> {
    let (rows, arriving) = mpsc::channel(1);
    let (started, first) = oneshot::channel();
    let name = Arc::clone(query.name());
    let call = blocking.call();
    let job = blocking.hop(&call, move |desk, limit| {
        let mut reader = Reader {
            rows,
            started: Some(started),
            batch: Vec::new(),
            sent: false,
        };
        serve(desk, limit, &query, &values, around.as_deref(), &mut reader)
    });
    tokio::select! {
        biased;
        Ok(()) = first => {}
        ended = job => ended?,
    }
    let told = move |error: Error| {
        error
            .with_query(&name)
            .with_backend(super::BackendKind::Blocking.as_str())
    };
    // Dropped with the rows, and before their channel: the thread that finds it closed must know already that nobody waits, or it takes
    // the connection for broken. What the server still does for the stream is broken off.
    let rows = stream::unfold((call, arriving), |(call, mut arriving)| async move {
        let Some(sent) = arriving.recv().await else {
            call.over();
            return None;
        };
        if sent.is_err() {
            // The last item: readers need not ask for more.
            call.over();
        }
        Some((sent, (call, arriving)))
    });
    let rows = rows
        .map(|sent: Sent| sent.map(|batch| stream::iter(batch.into_iter().map(Ok))))
        .try_flatten();
    Ok(rows.map_err(told).boxed())
}

/// The other end of the stream, as the thread sees it.
struct Reader {
    rows: mpsc::Sender<Sent>,
    /// Told once that the rows are on their way.
    started: Option<oneshot::Sender<()>>,
    batch: Vec<Row>,
    sent: bool,
}

impl Reader {
    fn take(&mut self, row: Row) -> ControlFlow<()> {
        self.batch.push(row);
        // One by one while the reader keeps up, in batches when it does not.
        if self.batch.len() >= BATCH || self.rows.capacity() > 0 {
            self.flush()
        } else {
            ControlFlow::Continue(())
        }
    }

    fn flush(&mut self) -> ControlFlow<()> {
        if let Some(started) = self.started.take() {
            let _given_up = started.send(());
        }
        self.sent = true;
        let batch = std::mem::take(&mut self.batch);
        if self.rows.blocking_send(Ok(batch)).is_err() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// The job. An error before the first row is its own answer; one behind it is the stream's last item.
fn serve(
    desk: &mut Desk<'_>,
    limit: Duration,
    query: &Query,
    values: &[Value],
    around: Option<&str>,
    reader: &mut Reader,
) -> Result<()> {
    let mut tries = Tries::new(query.is_whole());
    loop {
        let mut link = desk.begin(limit)?.link();
        tries.begin();
        let outcome = read(&mut link, query, values, around, reader);
        match outcome {
            Ok(()) => return Ok(()),
            Err(Failure { fate, .. }) if tries.again(fate) && !reader.sent => desk.settle(fate),
            Err(Failure { error, fate }) => {
                desk.settle(fate);
                if !reader.sent {
                    return Err(error);
                }
                // The rows that came before it first.
                if reader.flush().is_continue() {
                    let _given_up = reader.rows.blocking_send(Err(error));
                }
                return Ok(());
            }
        }
    }
}

fn read(
    link: &mut Link<'_>,
    query: &Query,
    values: &[Value],
    around: Option<&str>,
    reader: &mut Reader,
) -> Result<(), Failure> {
    let again = around.is_none() && query.is_whole();
    let mut run = |link: &mut Link<'_>| {
        link.run(query, values, &mut |row| reader.take(row), again)?;
        if reader.flush().is_break() {
            tracing::debug!(query = %query.name(), "the reader gave the last rows up");
        }
        Ok(())
    };
    match around {
        Some(begin) => super::in_transaction(link, begin, run),
        None => run(link),
    }
}
