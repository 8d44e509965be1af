//! The line of calls that wait for a connection, and the task that serves them.
//!
//! Under load a connection does not go back to the pool after each call: a task takes it from caller to caller. Nobody has to be woken
//! before the next statement is sent, so that the connection never rests, and a call costs one change of task instead of two. Where
//! nobody waits there is no task, and each call runs on its caller's own.
//!
//! Each caller keeps its place in the budget's line meanwhile, and whichever comes first counts: a permit of its own, or somebody with a
//! connection who does its work. So a wait elsewhere, for a transaction or for the other backend, is passed over no longer than any other.

use super::SqlxBackend;
use super::lease::Lease;
use super::link::Sink;
use crate::backend::budget::{Place, Turn};
use crate::backend::failure::Failure;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Params, Query, Row, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tracing::{Instrument as _, Span};

/// What a call asks for: its caller has it, and whoever serves it.
pub(super) struct Work {
    pub(super) query: Query,
    pub(super) values: Vec<Value>,
    pub(super) want: Want,
    pub(super) span: Span,
}

impl Work {
    /// What the caller of this task and span asks for.
    pub(super) fn new(query: &Query, params: Params, want: Want) -> Result<Arc<Self>> {
        let values = query.arrange(params)?;
        query.refuse_transaction_control()?;
        Ok(Arc::new(Self {
            query: query.clone(),
            values,
            want,
            span: Span::current(),
        }))
    }
}

/// What a caller wants of a statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Want {
    Count,
    First,
    All,
}

/// What a statement gave of that.
pub(super) enum Gathered {
    Count(u64),
    First(Option<Row>),
    All(Vec<Row>),
}

impl Want {
    /// Nothing yet.
    pub(super) fn empty(self) -> Gathered {
        match self {
            Self::Count => Gathered::Count(0),
            Self::First => Gathered::First(None),
            Self::All => Gathered::All(Vec::new()),
        }
    }
}

impl Sink for Gathered {
    fn row(&mut self, row: Row) {
        match self {
            Self::Count(_) => {}
            Self::First(first) => first.row(row),
            Self::All(rows) => rows.row(row),
        }
    }

    fn count(&mut self, count: u64) {
        if let Self::Count(total) = self {
            total.count(count);
        }
    }
}

/// What became of a call.
pub(super) struct Answer {
    /// When it was begun.
    pub(super) begun: Instant,
    pub(super) result: Result<Gathered, Failure>,
}

/// A call in line.
pub(super) struct Job {
    work: Arc<Work>,
    answer: oneshot::Sender<Answer>,
}

/// Which came first.
pub(super) enum First {
    /// A permit, to do the work with.
    Permit,
    /// Somebody who had one did the work.
    Answer(Answer),
    /// Neither, in the time that was given.
    Neither,
}

/// The calls of one runtime that wait, by their ticket in the budget's line.
#[derive(Default)]
pub(super) struct Line(Mutex<BTreeMap<u64, Job>>);

impl Line {
    /// Waits for a permit, or for somebody who does the work.
    pub(super) async fn wait(&self, mut place: Place, work: &Arc<Work>, limit: Duration) -> First {
        let (sender, mut answer) = oneshot::channel();
        let job = Job {
            work: Arc::clone(work),
            answer: sender,
        };
        let ticket = place.ticket();
        self.lock().insert(ticket, job);
        let _in_line = InLine { line: self, ticket };
        let first = async {
            tokio::select! {
                biased;
                served = &mut answer => match served {
                    Ok(answer) => First::Answer(answer),
                    Err(_) if place.is_served() => First::Answer(lost()),
                    Err(_) => {
                        (&mut place).await;
                        First::Permit
                    }
                },
                () = &mut place => First::Permit,
            }
        };
        match tokio::time::timeout(limit, first).await {
            Ok(first) => first,
            Err(_) if place.give_up() => First::Neither,
            Err(_) => First::Answer(answer.await.unwrap_or_else(|_| lost())),
        }
    }

    /// The first call in line that `turn` gives to whoever asks.
    pub(super) fn next(&self, turn: impl Fn(u64) -> Turn) -> Option<Job> {
        let mut jobs = self.lock();
        while let Some(first) = jobs.first_entry() {
            match turn(*first.key()) {
                Turn::Yours => return Some(first.remove()),
                Turn::Theirs => return None,
                Turn::Gone => drop(first.remove()),
            }
        }
        None
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller in line; one that goes takes its call along.
struct InLine<'a> {
    line: &'a Line,
    ticket: u64,
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        drop(self.line.lock().remove(&self.ticket));
    }
}

/// Serves calls on one connection, one after the other, until none is left that may have it.
pub(super) async fn serve(backend: SqlxBackend, mut lease: Lease, mut job: Job) {
    loop {
        let Job { work, mut answer } = job;
        // What was not sent is never sent.
        if answer.is_closed() {
            let Some((_, next)) = lease.next_in_line() else {
                return;
            };
            job = next;
            continue;
        }
        let begun = Instant::now();
        let call = backend.attempt(&mut lease, &work);
        let result = tokio::select! {
            biased;
            result = call.instrument(work.span.clone()) => result,
            // The caller has gone, and the connection is closed with the lease.
            () = answer.closed() => return,
        };
        lease.settle(result.as_ref().err());
        let next = lease.next_in_line();
        let answered = Answer { begun, result };
        let Some((_, next)) = next else {
            // The connection first: who has the answer must find it in the pool.
            drop(lease);
            let _gone = answer.send(answered);
            return;
        };
        let _gone = answer.send(answered);
        job = next;
    }
}

/// Whoever served the call panicked.
fn lost() -> Answer {
    let message = "the code that ran the call panicked; its connection was closed";
    Answer {
        begun: Instant::now(),
        result: Err(Failure::broken(Error::new(ErrorKind::Panic, message))),
    }
}
