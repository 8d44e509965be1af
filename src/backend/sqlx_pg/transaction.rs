//! A transaction of the async backend: it owns its connection until it ends.

use super::super::failure::{Failure, Fate, commit_failed, of_transaction};
use super::super::{BackendKind, StorageTransaction};
use super::lease::Lease;
use super::link::Sink;
use super::within;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Params, Query, Row};
use async_trait::async_trait;
use std::fmt;
use std::time::Duration;

/// How long a transaction that was dropped may take to roll back before its connection is closed instead.
const CLEANUP: Duration = Duration::from_secs(2);

/// A transaction that has begun.
pub(super) struct SqlxTransaction {
    /// `None` once it ended.
    lease: Option<Lease>,
    /// A statement failed: the server refuses the rest, and a COMMIT would roll back.
    failed: bool,
    name: Option<&'static str>,
    answer_timeout: Duration,
}

impl SqlxTransaction {
    /// Begins on the connection; given up half-way, the connection is closed.
    pub(super) async fn begin(
        mut lease: Lease,
        begin: &str,
        name: Option<&'static str>,
        answer_timeout: Duration,
    ) -> Result<Self, (Lease, Failure)> {
        match within(answer_timeout, lease.link().batch(begin)).await {
            Ok(()) => {
                lease.finish();
                Ok(Self {
                    lease: Some(lease),
                    failed: false,
                    name,
                    answer_timeout,
                })
            }
            Err(failure) => Err((lease, failure)),
        }
    }

    async fn run(&mut self, query: &Query, params: Params, sink: &mut dyn Sink) -> Result<()> {
        let answer = self.attempt(query, params, sink).await;
        answer.map_err(|error| {
            let error = error.with_query(query.name());
            error.with_backend(BackendKind::Async.as_str())
        })
    }

    async fn attempt(&mut self, query: &Query, params: Params, sink: &mut dyn Sink) -> Result<()> {
        let values = query.arrange(params)?;
        query.refuse_transaction_control()?;
        // A call that was given up half-way left the connection where nobody knows.
        self.lease.take_if(|lease| !lease.is_finished());
        let Some(lease) = self.lease.as_mut() else {
            return Err(self.lost());
        };
        let result = within(
            self.answer_timeout,
            lease.link().run(query, &values, sink, false),
        )
        .await;
        self.settle(result)
    }

    /// What a call's result means for the transaction.
    fn settle(&mut self, result: Result<(), Failure>) -> Result<()> {
        let Some(lease) = self.lease.as_mut() else {
            return Err(self.lost());
        };
        match result {
            Ok(()) => lease.finish(),
            Err(Failure {
                error,
                fate: Fate::Usable | Fate::Stale,
            }) => {
                lease.finish();
                self.failed |= error.kind() == ErrorKind::Database;
                return Err(error);
            }
            Err(Failure { error, .. }) => {
                lease.broke();
                self.lease = None;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Sends the statement that ends it; the connection is free afterwards.
    async fn end(&mut self, statement: &str) -> Result<()> {
        let Some(mut lease) = self.lease.take() else {
            return Err(self.lost());
        };
        if !lease.is_finished() {
            return Err(self.lost());
        }
        let result = within(self.answer_timeout, async {
            if lease.pooled_by_transaction() {
                lease.link().forget().await?;
            }
            lease.link().batch(statement).await
        });
        match result.await {
            Ok(()) => {
                lease.finish();
                Ok(())
            }
            Err(Failure { error, fate }) => {
                if fate == Fate::Usable {
                    lease.finish();
                } else {
                    lease.broke();
                }
                Err(error)
            }
        }
    }

    fn lost(&self) -> Error {
        let name = self.name.unwrap_or("without a name");
        Error::new(
            ErrorKind::OutcomeUnknown,
            format!("the transaction {name} was lost with its connection and is rolled back"),
        )
    }

    /// What happened to the transaction as a whole.
    fn told(&self, error: Error) -> Error {
        of_transaction(error, self.name).with_backend(BackendKind::Async.as_str())
    }
}

#[async_trait]
impl StorageTransaction for SqlxTransaction {
    fn kind(&self) -> BackendKind {
        BackendKind::Async
    }

    async fn execute(&mut self, query: &Query, params: Params) -> Result<u64> {
        let mut count = 0_u64;
        self.run(query, params, &mut count).await?;
        Ok(count)
    }

    async fn fetch_all(&mut self, query: &Query, params: Params) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        self.run(query, params, &mut rows).await?;
        Ok(rows)
    }

    async fn fetch_optional(&mut self, query: &Query, params: Params) -> Result<Option<Row>> {
        let mut row = None;
        self.run(query, params, &mut row).await?;
        Ok(row)
    }

    async fn commit(mut self: Box<Self>) -> Result<()> {
        if self.failed {
            // The server would answer COMMIT with ROLLBACK and no error. Asking for anything tells whether it still refuses.
            let finished = self.lease.as_mut().filter(|lease| lease.is_finished());
            let Some(lease) = finished else {
                return Err(self.told(self.lost()));
            };
            let refused = within(self.answer_timeout, lease.link().batch("SELECT")).await;
            if let Err(error) = self.settle(refused) {
                let _ended = self.end("ROLLBACK").await;
                return Err(self.told(error));
            }
        }
        let ended = self.end("COMMIT").await;
        ended.map_err(|error| self.told(commit_failed(error)))
    }

    async fn rollback(mut self: Box<Self>) -> Result<()> {
        let ended = self.end("ROLLBACK").await;
        ended.map_err(|error| self.told(error))
    }
}

impl Drop for SqlxTransaction {
    fn drop(&mut self) {
        let Some(mut lease) = self.lease.take() else {
            return;
        };
        // A call that was given up half-way leaves the connection unfinished; it is closed, and the server rolls back.
        if !lease.is_finished() {
            return;
        }
        let Some(runtime) = lease.own_runtime() else {
            lease.give_up();
            return;
        };
        drop(runtime.spawn(async move {
            let rolled_back = async {
                if lease.pooled_by_transaction() {
                    lease.link().forget().await?;
                }
                lease.link().batch("ROLLBACK").await
            };
            if matches!(tokio::time::timeout(CLEANUP, rolled_back).await, Ok(Ok(()))) {
                lease.finish();
            }
        }));
    }
}

impl fmt::Debug for SqlxTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlxTransaction")
            .field("name", &self.name)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
