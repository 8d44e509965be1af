//! A transaction of the blocking backend: one job that keeps a thread and a connection, takes commands and answers them.

use super::super::failure::{Failure, Fate, Tries, commit_failed, of_transaction};
use super::super::{BackendKind, StorageTransaction, TransactionOptions};
use super::blocking::{Blocking, Outcome, attempt, closed};
use super::claim::Call;
use super::link::Link;
use super::queue::Desk;
use super::{COMMIT_POOLED, ROLLBACK_POOLED, all_rows, first_row};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Params, Query, Row};
use async_trait::async_trait;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// What the task asks of the thread.
type Command = Box<dyn FnOnce(&mut Link<'_>) -> After + Send>;

/// How a transaction ends.
#[derive(Clone, Copy)]
enum Ending {
    Commit,
    Rollback,
}

impl Ending {
    fn statement(self, pooler: bool) -> &'static str {
        match (self, pooler) {
            (Self::Commit, false) => "COMMIT",
            (Self::Commit, true) => COMMIT_POOLED,
            (Self::Rollback, false) => "ROLLBACK",
            (Self::Rollback, true) => ROLLBACK_POOLED,
        }
    }
}

/// What a command leaves behind.
enum After {
    /// The transaction goes on.
    Open,
    /// It was committed or rolled back.
    Ended,
    /// The connection is lost, and the transaction with it.
    Lost(Fate),
}

/// A transaction that has begun.
pub(super) struct R2d2Transaction {
    /// `None` once it ended.
    commands: Option<mpsc::Sender<Command>>,
    job: Call,
    /// A statement failed: the server refuses the rest, and a COMMIT would roll back.
    failed: bool,
    /// A call was given up, so that nobody knows how far the transaction is.
    lost: bool,
    name: Option<&'static str>,
    pooler: bool,
    answer_timeout: Duration,
}

impl R2d2Transaction {
    pub(super) async fn begin(
        blocking: &Arc<Blocking>,
        options: TransactionOptions,
    ) -> Result<Self> {
        let (commands, inbox) = mpsc::channel(1);
        let (started, first) = oneshot::channel();
        let pooler = blocking.settings().session.transaction_pooler;
        let begin = options.begin_sql(blocking.settings());
        let call = blocking.call();
        let job = blocking.hop(&call, move |desk, limit| {
            serve(desk, limit, &begin, pooler, inbox, started)
        });
        // The job answers twice: once it has begun, and at its end. Given up before that, it finds its inbox closed and rolls back.
        tokio::select! {
            biased;
            Ok(()) = first => {}
            ended = job => return Err(ended.err().unwrap_or_else(closed)),
        }
        Ok(Self {
            commands: Some(commands),
            job: call,
            failed: false,
            lost: false,
            name: options.name,
            pooler,
            answer_timeout: blocking.settings().answer_timeout,
        })
    }

    async fn call<T: Send + 'static>(
        &mut self,
        ends: bool,
        work: impl FnOnce(&mut Link<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T> {
        let Some(commands) = self.commands.as_ref().filter(|_| !self.lost) else {
            return Err(self.gone());
        };
        let (reply, answer) = oneshot::channel();
        let pooler = self.pooler;
        let command: Command = Box::new(move |link| {
            let outcome = work(link);
            let fate = outcome.as_ref().err().map(|failure| failure.fate);
            let after = match fate {
                Some(fate @ (Fate::NeverSent | Fate::Broken)) => After::Lost(fate),
                // Nothing uncertain may be left on a session that others get.
                Some(fate) if pooler && (ends || fate == Fate::Stale) => After::Lost(Fate::Broken),
                _ if ends => After::Ended,
                _ => After::Open,
            };
            let _nobody_waits = reply.send(outcome);
            after
        });
        // Until the answer is there nobody knows how far the transaction is; a call that is given up here leaves it so.
        self.lost = true;
        let unanswered = Unanswered(Some(&self.job));
        if commands.send(command).await.is_err() {
            return Err(self.gone());
        }
        let outcome = match timeout(self.answer_timeout, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => return Err(self.gone()),
            // With that the call is broken off, and the transaction with it.
            Err(_) => return Err(Failure::no_answer(self.answer_timeout).error),
        };
        unanswered.answered();
        let fate = outcome.as_ref().err().map(|failure| failure.fate);
        self.lost = matches!(fate, Some(Fate::NeverSent | Fate::Broken));
        outcome.map_err(|failure| {
            self.failed |= failure.error.kind() == ErrorKind::Database;
            failure.error
        })
    }

    async fn run<T: Send + 'static>(
        &mut self,
        query: &Query,
        params: Params,
        run: impl FnOnce(&mut Link<'_>, &Query, &[crate::sql::Value]) -> Outcome<T> + Send + 'static,
    ) -> Result<T> {
        let answer = async {
            let values = query.arrange(params)?;
            query.refuse_transaction_control()?;
            let asked = query.clone();
            self.call(false, move |link| run(link, &asked, &values))
                .await
        };
        answer.await.map_err(|error| {
            error
                .with_query(query.name())
                .with_backend(BackendKind::Blocking.as_str())
        })
    }

    async fn end(&mut self, ending: Ending) -> Result<()> {
        let pooler = self.pooler;
        let statement = ending.statement(pooler);
        let result = self.call(true, move |link| {
            if pooler {
                link.forget();
            }
            link.batch(statement)
        });
        let result = result.await;
        self.commands = None;
        self.job.over();
        result
    }

    fn gone(&self) -> Error {
        let name = self.name.unwrap_or("without a name");
        Error::new(
            ErrorKind::OutcomeUnknown,
            format!("the transaction {name} was lost with its connection and is rolled back"),
        )
    }

    /// What happened to the transaction as a whole.
    fn told(&self, error: Error) -> Error {
        of_transaction(error, self.name).with_backend(BackendKind::Blocking.as_str())
    }
}

/// A call whose answer is not there; dropped, it is broken off, and the transaction with it.
struct Unanswered<'a>(Option<&'a Call>);

impl Unanswered<'_> {
    fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some(job) = self.0 {
            job.give_up();
        }
    }
}

impl Drop for R2d2Transaction {
    fn drop(&mut self) {
        // The thread finds its inbox closed, and rolls back.
        self.job.let_go();
    }
}

/// The job: begins, serves commands until they end, and leaves no transaction open behind.
fn serve(
    desk: &mut Desk<'_>,
    limit: Duration,
    begin: &str,
    pooler: bool,
    mut inbox: mpsc::Receiver<Command>,
    started: oneshot::Sender<()>,
) -> Result<()> {
    attempt(desk, limit, Tries::new(true), &mut |link| link.batch(begin))?;
    let mut go_on = started.send(()).is_ok();
    while go_on {
        let Some(command) = inbox.blocking_recv() else {
            break;
        };
        match command(&mut desk.connection(limit)?.link()) {
            After::Open => {}
            After::Ended => return Ok(()),
            After::Lost(fate) => {
                desk.settle(fate);
                return Ok(());
            }
        }
        // A call that was given up is broken off, and its connection closed.
        if !desk.claim.is_wanted() {
            return Ok(());
        }
        // A task that gave the transaction up has dropped its end; what is left is to roll back.
        go_on = !inbox.is_closed();
    }
    let mut link = desk.connection(limit)?.link();
    if pooler {
        link.forget();
    }
    if let Err(failure) = link.batch(Ending::Rollback.statement(pooler)) {
        desk.settle(failure.fate);
        desk.abandon();
    }
    Ok(())
}

#[async_trait]
impl StorageTransaction for R2d2Transaction {
    fn kind(&self) -> BackendKind {
        BackendKind::Blocking
    }

    async fn execute(&mut self, query: &Query, params: Params) -> Result<u64> {
        self.run(query, params, |link, query, values| {
            link.run(query, values, &mut |_| ControlFlow::Continue(()), false)
        })
        .await
    }

    async fn fetch_all(&mut self, query: &Query, params: Params) -> Result<Vec<Row>> {
        self.run(query, params, |link, query, values| {
            all_rows(link, query, values, false)
        })
        .await
    }

    async fn fetch_optional(&mut self, query: &Query, params: Params) -> Result<Option<Row>> {
        self.run(query, params, |link, query, values| {
            first_row(link, query, values, false)
        })
        .await
    }

    async fn commit(mut self: Box<Self>) -> Result<()> {
        if self.failed {
            // The server would answer COMMIT with ROLLBACK and no error. Asking for anything tells whether it still refuses.
            if let Err(error) = self.call(false, |link| link.batch("SELECT")).await {
                let _ended = self.end(Ending::Rollback).await;
                return Err(self.told(error));
            }
        }
        let ended = self.end(Ending::Commit).await;
        ended.map_err(|error| self.told(commit_failed(error)))
    }

    async fn rollback(mut self: Box<Self>) -> Result<()> {
        let ended = self.end(Ending::Rollback).await;
        ended.map_err(|error| self.told(error))
    }
}

impl fmt::Debug for R2d2Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("R2d2Transaction")
            .field("name", &self.name)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
