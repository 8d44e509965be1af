//! The async backend: `sqlx` on a thin pool of its own.

mod ending;
mod handed;
mod lease;
mod line;
mod link;
mod opening;
mod pool;
mod stream;
mod transaction;
mod types;

use super::budget::Budget;
use super::failure::{Failure, Fate, Tries, of_transaction};
use super::session::{self, Target};
use super::{
    BackendKind, Description, PoolStatus, Settings, StorageBackend, StorageTransaction,
    TransactionOptions,
};
use crate::error::{Error, Result};
use crate::sql::{Params, Query, Row, RowStream, Value};
use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use lease::Lease;
use line::{Gathered, Want, Work};
use link::Link;
use pool::{Pools, Turn};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use transaction::SqlxTransaction;

/// The backend over `sqlx`: "async" to operators. Cloning it shares the pool.
///
/// sqlx has one gap beside `postgres`: a statement with a multirange among its columns or parameters is refused as
/// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported), until the query casts it to text.
///
/// It may be used from several Tokio runtimes, one after the other and at once: each has connections of its own within the one budget.
#[derive(Clone)]
pub struct SqlxBackend {
    pools: Arc<Pools>,
}

impl SqlxBackend {
    /// A backend on the database that `target` names; connections are opened when they are needed. A runtime that has used it once keeps
    /// the floor open.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when a certificate or key cannot be read.
    pub fn new(target: &Target, settings: Settings, budget: Arc<Budget>) -> Result<Self> {
        let settings = target.settle(settings);
        let options = target.asynchronous(&settings)?;
        let setup = session::setup_sql(&settings);
        Ok(Self {
            pools: Pools::new(options, setup, settings, budget),
        })
    }

    /// A backend on a pool that the service owns already, to be used on the runtime that the pool was made on. Its connections keep the
    /// settings that the service gave them; `settings` count for waits and the statement cache only. Closing this backend leaves the pool
    /// open.
    pub fn from_pool(pool: sqlx::PgPool, settings: Settings, budget: Arc<Budget>) -> Self {
        Self {
            pools: Pools::handed(pool, settings, budget),
        }
    }

    /// Runs the statement to its end.
    async fn run(&self, query: &Query, params: Params, want: Want) -> Result<Gathered> {
        let work = Work::new(query, params, want).map_err(|error| told(error, query))?;
        let gathered = self.run_work(&work).await;
        gathered.map_err(|error| told(error, query))
    }

    async fn run_work(&self, work: &Arc<Work>) -> Result<Gathered> {
        let mut tries = Tries::new(work.query.is_whole());
        loop {
            let turn = self.pools.turn(work).await?;
            let result = match turn {
                Turn::Lease(mut lease) => {
                    tries.begin();
                    let result = self.attempt(&mut lease, work).await;
                    lease.settle(result.as_ref().err());
                    self.hand_on(lease);
                    result
                }
                Turn::Answer(answer) => {
                    tries.begun(answer.begun);
                    answer.result
                }
            };
            match result {
                Err(Failure { fate, .. }) if tries.again(fate) => {}
                result => return result.map_err(|failure| failure.error),
            }
        }
    }

    /// Lets a task of its own go on with the connection where somebody waits for it.
    fn hand_on(&self, lease: Lease) {
        if let Some((runtime, job)) = lease.next_in_line() {
            drop(runtime.spawn(line::serve(self.clone(), lease, job)));
        }
    }

    async fn attempt(&self, lease: &mut Lease, work: &Work) -> Result<Gathered, Failure> {
        let Work { query, values, .. } = work;
        let limit = self.pools.settings().answer_timeout;
        let mut gathered = work.want.empty();
        let around = lease.around();
        let mut link = lease.link();
        if let Some(begin) = around {
            let call = in_transaction(&mut link, &begin, query, values, &mut gathered);
            Box::pin(within(limit, call)).await?;
        } else {
            let call = link.run(query, values, &mut gathered, query.is_whole());
            within(limit, call).await?;
        }
        Ok(gathered)
    }

    async fn begin_anew(&self, options: TransactionOptions) -> Result<SqlxTransaction> {
        let limit = self.pools.settings().answer_timeout;
        let begin = options.begin_sql(self.pools.settings());
        let mut tries = Tries::new(true);
        loop {
            let lease = self.pools.lease().await?;
            tries.begin();
            match SqlxTransaction::begin(lease, &begin, options.name, limit).await {
                Ok(transaction) => return Ok(transaction),
                Err((mut lease, failure)) if tries.again(failure.fate) => lease.broke(),
                Err((mut lease, failure)) => return settle(&mut lease, Err(failure)),
            }
        }
    }
}

/// Behind a pooler that gives out server connections per transaction: everything in one, and nothing left on the connection.
async fn in_transaction(
    link: &mut Link<'_>,
    begin: &str,
    query: &Query,
    values: &[Value],
    sink: &mut Gathered,
) -> Result<(), Failure> {
    link.batch(begin).await?;
    match link.run(query, values, sink, false).await {
        Ok(()) => {
            link.forget().await?;
            link.batch("COMMIT").await.map_err(Failure::of_commit)
        }
        Err(Failure {
            error,
            fate: fate @ (Fate::Usable | Fate::Stale),
        }) => {
            // The caller is told of its statement, whatever becomes of the connection.
            let undone = match link.forget().await {
                Ok(()) => link.batch("ROLLBACK").await,
                broken => broken,
            };
            let fate = undone.map_or(Fate::Broken, |()| fate);
            Err(Failure { error, fate })
        }
        broken => broken,
    }
}

async fn describe(lease: &mut Lease, query: &Query) -> Result<Description, Failure> {
    let around = lease.around();
    let mut link = lease.link();
    let Some(begin) = around else {
        return link.describe(query).await;
    };
    link.batch(&begin).await?;
    let description = link.describe(query).await;
    link.forget().await?;
    link.batch("ROLLBACK").await?;
    description
}

/// The call's result, or a failure once the server let `limit` pass.
fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, Failure>> + Send,
) -> impl Future<Output = Result<T, Failure>> + Send {
    // Not an `async fn`, whose future would hold the call twice.
    tokio::time::timeout(limit, call)
        .map(move |answer| answer.unwrap_or_else(|_| Err(Failure::no_answer(limit))))
}

/// What a call's result means for its connection.
fn settle<T>(lease: &mut Lease, result: Result<T, Failure>) -> Result<T> {
    lease.settle(result.as_ref().err());
    result.map_err(|failure| failure.error)
}

fn told(error: Error, query: &Query) -> Error {
    error
        .with_query(query.name())
        .with_backend(BackendKind::Async.as_str())
}

#[async_trait]
impl StorageBackend for SqlxBackend {
    fn kind(&self) -> BackendKind {
        BackendKind::Async
    }

    async fn execute(&self, query: &Query, params: Params) -> Result<u64> {
        match self.run(query, params, Want::Count).await? {
            Gathered::Count(count) => Ok(count),
            Gathered::First(_) | Gathered::All(_) => Ok(0),
        }
    }

    async fn fetch_all(&self, query: &Query, params: Params) -> Result<Vec<Row>> {
        match self.run(query, params, Want::All).await? {
            Gathered::All(rows) => Ok(rows),
            Gathered::First(_) | Gathered::Count(_) => Ok(Vec::new()),
        }
    }

    async fn fetch_optional(&self, query: &Query, params: Params) -> Result<Option<Row>> {
        match self.run(query, params, Want::First).await? {
            Gathered::First(row) => Ok(row),
            Gathered::All(_) | Gathered::Count(_) => Ok(None),
        }
    }

    async fn fetch(&self, query: &Query, params: Params) -> Result<RowStream> {
        let answer = async {
            let values = query.arrange(params)?;
            query.refuse_transaction_control()?;
            let limit = self.pools.settings().answer_timeout;
            let mut tries = Tries::new(query.is_whole());
            loop {
                let lease = self.pools.lease().await?;
                tries.begin();
                match stream::start(lease, query.clone(), values.clone(), limit).await {
                    Err(Failure { fate, .. }) if tries.again(fate) => {}
                    result => return result.map_err(|failure| failure.error),
                }
            }
        };
        let query = query.clone();
        let rows = answer.await.map_err(|error| told(error, &query))?;
        Ok(rows.map_err(move |error| told(error, &query)).boxed())
    }

    async fn begin(&self, options: TransactionOptions) -> Result<Box<dyn StorageTransaction>> {
        let name = options.name;
        match self.begin_anew(options).await {
            Ok(transaction) => Ok(Box::new(transaction)),
            Err(error) => {
                Err(of_transaction(error, name).with_backend(BackendKind::Async.as_str()))
            }
        }
    }

    async fn describe(&self, query: &Query) -> Result<Description> {
        let answer = async {
            let limit = self.pools.settings().answer_timeout;
            let mut tries = Tries::new(true);
            loop {
                let mut lease = self.pools.lease().await?;
                tries.begin();
                match within(limit, describe(&mut lease, query)).await {
                    Err(Failure { fate, .. }) if tries.again(fate) => lease.broke(),
                    result => return settle(&mut lease, result),
                }
            }
        };
        answer.await.map_err(|error| told(error, query))
    }

    async fn ping(&self) -> Result<()> {
        let answer = async {
            let limit = self.pools.settings().answer_timeout;
            let mut tries = Tries::new(true);
            loop {
                let mut lease = self.pools.lease().await?;
                tries.begin();
                match within(limit, lease.link().ping()).await {
                    Err(Failure { fate, .. }) if tries.again(fate) => lease.broke(),
                    result => return settle(&mut lease, result),
                }
            }
        };
        answer
            .await
            .map_err(|error: Error| error.with_backend(BackendKind::Async.as_str()))
    }

    async fn keep_alive(&self) -> usize {
        self.pools.keep_alive().await
    }

    fn pool_status(&self) -> PoolStatus {
        self.pools.status()
    }

    async fn close(&self) {
        self.pools.close().await;
    }
}

impl fmt::Debug for SqlxBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlxBackend")
            .field("pool", &self.pools.status())
            .finish_non_exhaustive()
    }
}
