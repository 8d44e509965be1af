//! One backend with its meter: every call is counted where it is made.

use super::{KeepAlive, SideStatus};
use crate::backend::{
    BackendKind, Description, PoolStatus, StorageBackend, StorageTransaction, TransactionOptions,
};
use crate::error::{ErrorKind, Result};
use crate::metrics::{Call, Meter};
use crate::sql::{Params, Query, Row, RowStream};
use async_trait::async_trait;
use futures_util::StreamExt;
use std::sync::{Arc, Mutex, PoisonError};

/// A backend whose calls are counted. Clones count together.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    backend: Arc<dyn StorageBackend>,
    meter: Meter,
    kept: Arc<Mutex<KeepAlive>>,
}

impl Measured {
    pub(super) fn new(backend: Arc<dyn StorageBackend>) -> Self {
        let meter = Meter::new(backend.kind().as_str(), &ErrorKind::WORDS);
        Self {
            backend,
            meter,
            kept: Arc::default(),
        }
    }

    pub(super) fn status(&self) -> SideStatus {
        SideStatus {
            pool: self.backend.pool_status(),
            keep_alive: *self.kept.lock().unwrap_or_else(PoisonError::into_inner),
            calls: self.meter.status(),
        }
    }

    async fn count<T>(&self, call: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let counted = self.meter.begin();
        ended(counted, call.await)
    }
}

fn ended<T>(call: Call, result: Result<T>) -> Result<T> {
    call.end(result.as_ref().err().map(|error| error.kind().as_str()));
    result
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl StorageBackend for Measured {
    fn kind(&self) -> BackendKind {
        self.backend.kind()
    }

    async fn execute(&self, query: &Query, params: Params) -> Result<u64> {
        self.count(self.backend.execute(query, params)).await
    }

    async fn fetch_all(&self, query: &Query, params: Params) -> Result<Vec<Row>> {
        self.count(self.backend.fetch_all(query, params)).await
    }

    async fn fetch_optional(&self, query: &Query, params: Params) -> Result<Option<Row>> {
        self.count(self.backend.fetch_optional(query, params)).await
    }

    /// Counted to the end of the rows; a stream that is given up counts as cancelled.
    async fn fetch(&self, query: &Query, params: Params) -> Result<RowStream> {
        let call = self.meter.begin();
        match self.backend.fetch(query, params).await {
            Ok(rows) => Ok(counted_to_the_end(call, rows)),
            Err(error) => ended(call, Err(error)),
        }
    }

    async fn begin(&self, options: TransactionOptions) -> Result<Box<dyn StorageTransaction>> {
        let transaction = self.count(self.backend.begin(options)).await?;
        Ok(Box::new(MeasuredTransaction {
            transaction,
            meter: self.meter.clone(),
        }))
    }

    async fn describe(&self, query: &Query) -> Result<Description> {
        self.count(self.backend.describe(query)).await
    }

    /// Not counted: whoever asks whether the server is there calls nothing of the service's.
    async fn ping(&self) -> Result<()> {
        self.backend.ping().await
    }

    async fn keep_alive(&self) -> usize {
        let alive = self.backend.keep_alive().await;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.rounds += 1;
        kept.alive = alive;
        alive
    }

    fn pool_status(&self) -> PoolStatus {
        self.backend.pool_status()
    }

    async fn close(&self) {
        self.backend.close().await;
    }
}

fn counted_to_the_end(call: Call, rows: RowStream) -> RowStream {
    futures_util::stream::unfold((Some(call), rows), |(call, mut rows)| async move {
        let call = call?;
        match rows.next().await {
            Some(Ok(row)) => Some((Ok(row), (Some(call), rows))),
            Some(Err(error)) => Some((ended(call, Err(error)), (None, rows))),
            None => {
                call.end(None);
                None
            }
        }
    })
    .boxed()
}

/// A transaction whose calls are counted.
#[derive(Debug)]
struct MeasuredTransaction {
    transaction: Box<dyn StorageTransaction>,
    meter: Meter,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl StorageTransaction for MeasuredTransaction {
    fn kind(&self) -> BackendKind {
        self.transaction.kind()
    }

    async fn execute(&mut self, query: &Query, params: Params) -> Result<u64> {
        let call = self.meter.begin();
        ended(call, self.transaction.execute(query, params).await)
    }

    async fn fetch_all(&mut self, query: &Query, params: Params) -> Result<Vec<Row>> {
        let call = self.meter.begin();
        ended(call, self.transaction.fetch_all(query, params).await)
    }

    async fn fetch_optional(&mut self, query: &Query, params: Params) -> Result<Option<Row>> {
        let call = self.meter.begin();
        ended(call, self.transaction.fetch_optional(query, params).await)
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        let call = self.meter.begin();
        ended(call, self.transaction.commit().await)
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        let call = self.meter.begin();
        ended(call, self.transaction.rollback().await)
    }
}
