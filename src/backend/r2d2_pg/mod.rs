//! The blocking backend: `postgres` behind `r2d2`, on threads of its own.

mod blocking;
mod claim;
mod handed;
mod link;
mod opening;
mod pool;
mod queue;
mod socket;
mod stream;
mod transaction;

use super::budget::Budget;
use super::failure::{Failure, Fate, Tries, of_transaction};
use super::session::Target;
use super::{
    BackendKind, Description, PoolStatus, Settings, StorageBackend, StorageTransaction,
    TransactionOptions,
};
use crate::error::{Error, Result};
use crate::sql::{Params, Query, Row, RowStream, Value};
use async_trait::async_trait;
use blocking::{Blocking, Outcome};
use handed::HandedPool;
use link::Link;
use pool::OwnPool;
use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use transaction::R2d2Transaction;

/// The backend over `postgres` and `r2d2`: "blocking" to operators. Cloning it shares the pool and the threads.
///
/// A call that is given up, or has no answer within [`Settings::answer_timeout`], gives its permit back at once; the server is asked to
/// cancel, and the connection is closed. Over TCP the socket is cut once the server has heard that, or has not within
/// [`Settings::open_timeout`], so that a frozen server keeps neither thread nor connection. Over a unix socket, and on a pool that the
/// service owns, the driver gives no hold of the socket: where the server does not take the request to cancel, thread and connection stay
/// until it goes on or ends. Behind a pooler the request is sent over TCP to a connection of this backend's own only, and
/// `statement_timeout` has to end the others.
#[derive(Clone)]
pub struct R2d2Backend {
    blocking: Arc<Blocking>,
}

impl R2d2Backend {
    /// A backend on the database that `target` names. Nothing is opened before it returns; within a few seconds [`Settings::floor`]
    /// connections are, and further ones when calls need them.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when a certificate or key cannot be read.
    pub fn new(target: &Target, settings: Settings, budget: Arc<Budget>) -> Result<Self> {
        let settings = target.settle(settings);
        let (config, tls) = target.blocking(&settings)?;
        let pool = OwnPool::new(config, tls, settings.clone(), Arc::clone(&budget));
        Ok(Self {
            blocking: Blocking::new(Arc::new(pool), settings, budget),
        })
    }

    /// A backend on a pool that the service owns already. Its connections keep the settings that the service gave them; `settings` count
    /// for waits and the statement cache only: how many connections are open, and how long each stays, is the pool's business. Closing this
    /// backend leaves the pool open.
    pub fn from_pool<M>(pool: r2d2::Pool<M>, settings: Settings, budget: Arc<Budget>) -> Self
    where
        M: r2d2::ManageConnection<Connection = postgres::Client>,
    {
        let pool = HandedPool::new(pool, settings.clone());
        Self {
            blocking: Blocking::new(Arc::new(pool), settings, budget),
        }
    }

    /// What begins the transaction around each call, where a pooler makes one necessary.
    fn around(&self) -> Option<Cow<'static, str>> {
        let settings = self.blocking.settings();
        settings
            .session
            .transaction_pooler
            .then(|| TransactionOptions::default().begin_sql(settings))
    }

    /// Runs `work` on the statement, on a thread with a connection.
    async fn run<T: Send + 'static>(
        &self,
        query: &Query,
        params: Params,
        work: fn(&mut Link<'_>, &Query, &[Value], bool) -> Outcome<T>,
    ) -> Result<T> {
        let answer = async {
            let values = query.arrange(params)?;
            query.refuse_transaction_control()?;
            let asked = query.clone();
            let around = self.around();
            let work = move |link: &mut Link<'_>| match &around {
                Some(begin) => {
                    in_transaction(link, begin, |link| work(link, &asked, &values, false))
                }
                None => work(link, &asked, &values, asked.is_whole()),
            };
            let tries = Tries::new(query.is_whole());
            self.blocking.run_blocking(tries, work).await
        };
        answer.await.map_err(|error| told(error, query))
    }
}

/// Behind a pooler that gives out server connections per transaction: everything in one, and nothing left on the connection.
fn in_transaction<T>(
    link: &mut Link<'_>,
    begin: &str,
    work: impl FnOnce(&mut Link<'_>) -> Outcome<T>,
) -> Outcome<T> {
    link.batch(begin)?;
    let outcome = work(link);
    link.forget();
    match outcome {
        Ok(value) => {
            link.batch(COMMIT_POOLED).map_err(Failure::of_commit)?;
            Ok(value)
        }
        Err(Failure {
            error,
            fate: fate @ (Fate::Usable | Fate::Stale),
        }) => {
            // What went wrong is the statement. A session that could not be rolled back is closed, whatever it says of that.
            let fate = match (link.batch(ROLLBACK_POOLED), fate) {
                (Err(_), Fate::Usable) => Fate::Broken,
                (_, fate) => fate,
            };
            Err(Failure { error, fate }.of_lookup())
        }
        failed => failed,
    }
}

/// The driver keeps a statement for looking types up that nobody can close: whoever gets the session next must not find it.
const COMMIT_POOLED: &str = "DEALLOCATE ALL; COMMIT";
const ROLLBACK_POOLED: &str = "ROLLBACK; DEALLOCATE ALL";

fn ping(link: &mut Link<'_>) -> Outcome<()> {
    link.ping()
}

fn count(link: &mut Link<'_>, query: &Query, values: &[Value], again: bool) -> Outcome<u64> {
    link.run(query, values, &mut |_| ControlFlow::Continue(()), again)
}

fn all_rows(
    link: &mut Link<'_>,
    query: &Query,
    values: &[Value],
    again: bool,
) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    let mut take = |row| {
        rows.push(row);
        ControlFlow::Continue(())
    };
    link.run(query, values, &mut take, again)?;
    Ok(rows)
}

fn first_row(
    link: &mut Link<'_>,
    query: &Query,
    values: &[Value],
    again: bool,
) -> Outcome<Option<Row>> {
    let mut first = None;
    let mut take = |row| {
        first.get_or_insert(row);
        ControlFlow::Continue(())
    };
    link.run(query, values, &mut take, again)?;
    Ok(first)
}

fn told(error: Error, query: &Query) -> Error {
    error
        .with_query(query.name())
        .with_backend(BackendKind::Blocking.as_str())
}

#[async_trait]
impl StorageBackend for R2d2Backend {
    fn kind(&self) -> BackendKind {
        BackendKind::Blocking
    }

    async fn execute(&self, query: &Query, params: Params) -> Result<u64> {
        self.run(query, params, count).await
    }

    async fn fetch_all(&self, query: &Query, params: Params) -> Result<Vec<Row>> {
        self.run(query, params, all_rows).await
    }

    async fn fetch_optional(&self, query: &Query, params: Params) -> Result<Option<Row>> {
        self.run(query, params, first_row).await
    }

    async fn fetch(&self, query: &Query, params: Params) -> Result<RowStream> {
        let answer = async {
            let values = query.arrange(params)?;
            query.refuse_transaction_control()?;
            stream::start(&self.blocking, query.clone(), values, self.around()).await
        };
        answer.await.map_err(|error| told(error, query))
    }

    async fn begin(&self, options: TransactionOptions) -> Result<Box<dyn StorageTransaction>> {
        let name = options.name;
        match R2d2Transaction::begin(&self.blocking, options).await {
            Ok(transaction) => Ok(Box::new(transaction)),
            Err(error) => {
                Err(of_transaction(error, name).with_backend(BackendKind::Blocking.as_str()))
            }
        }
    }

    async fn describe(&self, query: &Query) -> Result<Description> {
        let asked = query.clone();
        let around = self.around();
        let work = move |link: &mut Link<'_>| match &around {
            Some(begin) => in_transaction(link, begin, |link| link.describe(&asked)),
            None => link.describe(&asked),
        };
        self.blocking
            .run_blocking(Tries::new(true), work)
            .await
            .map_err(|error| told(error, query))
    }

    async fn ping(&self) -> Result<()> {
        let answer = self.blocking.run_blocking(Tries::new(true), ping).await;
        answer.map_err(|error| error.with_backend(BackendKind::Blocking.as_str()))
    }

    async fn keep_alive(&self) -> usize {
        self.blocking.keep_alive().await
    }

    fn pool_status(&self) -> PoolStatus {
        let (size, idle) = self.blocking.pool().figures();
        let budget = self.blocking.budget();
        PoolStatus {
            size,
            idle,
            in_use: size.saturating_sub(idle),
            waiting: budget.waiting_of(BackendKind::Blocking),
            max: budget.total(),
        }
    }

    async fn close(&self) {
        self.blocking.close().await;
    }
}

impl fmt::Debug for R2d2Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("R2d2Backend")
            .field("pool", &self.pool_status())
            .finish_non_exhaustive()
    }
}
