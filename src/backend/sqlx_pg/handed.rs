//! A pool of sqlx's own that the service owns, and sets as it likes: this backend borrows its connections.

use super::super::Settings;
use super::super::budget::Budget;
use super::super::failure::unreachable;
use super::link::{Link, Statements};
use super::types::failure;
use crate::error::{Error, ErrorKind, Result, Wait};
use futures_util::future::join_all;
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, PgPool, Postgres};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// A connection of the service's pool.
pub(super) struct HandedOut {
    connection: PoolConnection<Postgres>,
    /// What this lease prepared; sqlx keeps the statements themselves with the connection.
    statements: Statements,
    /// Giving a connection back spawns a task, wherever that is done.
    runtime: Handle,
}

impl HandedOut {
    pub(super) async fn acquire(
        pool: &PgPool,
        settings: &Settings,
        runtime: Handle,
    ) -> Result<Self> {
        let limit = settings.acquire_timeout;
        let in_vain = || {
            Error::timeout(Wait::Pool, limit)
                .with_hint("the pool that was handed in has no free connection")
        };
        let connection = match timeout(limit, pool.acquire()).await {
            Ok(Ok(connection)) => connection,
            Err(_) | Ok(Err(sqlx::Error::PoolTimedOut)) => return Err(in_vain()),
            Ok(Err(sqlx::Error::PoolClosed)) => {
                let message = "the pool that was handed in was closed";
                return Err(Error::new(ErrorKind::Closed, message));
            }
            Ok(Err(error)) => return Err(unreachable(failure(error))),
        };
        Ok(Self {
            connection,
            statements: Statements::new(settings.statement_cache),
            runtime,
        })
    }

    pub(super) fn link(&mut self) -> Link<'_> {
        Link {
            connection: &mut self.connection,
            statements: &mut self.statements,
        }
    }

    /// Gives the connection back, or closes one whose call did not finish.
    pub(super) fn give_back(self, finished: bool) {
        let _entered = self.runtime.enter();
        if finished {
            drop(self.connection);
        } else {
            drop(self.connection.detach());
        }
    }
}

/// Goes to the server and back on the connections that are idle, and gives how many answered.
pub(super) async fn keep_alive(pool: &PgPool, budget: &Arc<Budget>, settings: &Settings) -> usize {
    let mut taken = Vec::new();
    while let Some(permit) = budget.try_acquire() {
        let Some(connection) = pool.try_acquire() else {
            break;
        };
        taken.push((connection, permit));
    }
    let pings = taken.into_iter().map(async |(mut connection, permit)| {
        let answer = timeout(settings.open_timeout, connection.ping()).await;
        let answered = matches!(answer, Ok(Ok(())));
        if !answered {
            drop(connection.detach());
        }
        drop(permit);
        usize::from(answered)
    });
    join_all(pings).await.into_iter().sum()
}
