//! How connections are opened and tested, the same for every runtime's pool.

use super::super::Settings;
use super::super::budget::Budget;
use super::super::failure::{Failure, unreachable};
use super::ending::{Endings, Session};
use super::link::{Link, Opened, Statements, batch};
use super::types::failure;
use crate::error::{Error, Result, Wait};
use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long a goodbye may take.
pub(super) const GOODBYE: Duration = Duration::from_secs(1);

/// How connections are opened, the same for every runtime.
pub(super) struct Opening {
    pub(super) options: PgConnectOptions,
    pub(super) setup: String,
    pub(super) settings: Settings,
    pub(super) budget: Arc<Budget>,
    /// Counts the connections that broke: what was opened before the last of them is tested ahead of its next use.
    pub(super) broken: AtomicU64,
    pub(super) endings: Endings,
}

/// Opens and tests the connections of one pool.
pub(super) struct Opener(pub(super) Arc<Opening>);

/// A connection with what the pool knows of it.
pub(super) struct Pooled {
    opened: Opened,
    since: Instant,
    last_used: Instant,
    /// How many connections had broken when this one was last known to be well.
    seen_broken: u64,
}

impl managed::Manager for Opener {
    /// Boxed, since each call moves it a dozen times on its way through the pool.
    type Type = Box<Pooled>;
    type Error = Error;

    async fn create(&self) -> Result<Box<Pooled>> {
        // Boxed, as all that is rare here: it would make the future of every call larger, which is moved more than once.
        Box::pin(self.0.open()).await.map(Box::new)
    }

    async fn recycle(&self, pooled: &mut Box<Pooled>, _: &Metrics) -> RecycleResult<Error> {
        let settings = &self.0.settings;
        let now = Instant::now();
        if now.duration_since(pooled.since) > settings.max_lifetime {
            return Err(RecycleError::message("older than max_lifetime"));
        }
        let broken = self.0.broken.load(Ordering::Acquire);
        let idle = now.duration_since(pooled.last_used);
        if pooled.seen_broken == broken && idle < settings.test_after {
            return Ok(());
        }
        let answer = Box::pin(timeout(settings.open_timeout, pooled.link().ping())).await;
        pooled.seen_broken = broken;
        match answer {
            Ok(Ok(())) => Ok(()),
            Ok(Err(failure)) => Err(RecycleError::Backend(failure.error)),
            Err(_) => Err(RecycleError::message("did not answer a ping")),
        }
    }
}

impl Opening {
    /// Whether a connection that was used just now may be used again as it is.
    pub(super) fn is_sound(&self, pooled: &Pooled) -> bool {
        pooled.seen_broken == self.broken.load(Ordering::Acquire)
            && pooled.since.elapsed() <= self.settings.max_lifetime
    }

    async fn open(&self) -> Result<Pooled> {
        let limit = self.settings.open_timeout;
        let seen_broken = self.broken.load(Ordering::Acquire);
        let slot = self.budget.slot(limit).await?;
        let opened = async {
            let mut connection = self.options.connect().await.map_err(failure)?;
            if !self.setup.is_empty() {
                batch(&mut connection, &self.setup).await?;
            }
            // A pooler's sessions are not this connection's.
            let session = if self.settings.session.transaction_pooler {
                None
            } else {
                Session::of(&mut connection).await
            };
            Ok::<_, Failure>((connection, session))
        };
        let (connection, session) = timeout(limit, opened)
            .await
            .map_err(|_| Error::timeout(Wait::Open, limit))?
            .map_err(unreachable)?;
        let opened = Opened {
            connection,
            statements: Statements::new(self.settings.statement_cache),
            session,
            slot,
        };
        let now = Instant::now();
        Ok(Pooled {
            opened,
            since: now,
            last_used: now,
            seen_broken,
        })
    }
}

impl Pooled {
    /// Notes that it was used now.
    pub(super) fn used(&mut self) {
        self.last_used = Instant::now();
    }

    /// How long it has been idle.
    pub(super) fn idle(&self) -> Duration {
        self.last_used.elapsed()
    }

    /// Closes it, and has the server end what nobody waits for any more.
    pub(super) fn abandon(self, opening: &Arc<Opening>) {
        let Opened {
            connection,
            session,
            slot,
            ..
        } = self.opened;
        drop(connection);
        if let Some(session) = session {
            Endings::end(opening, session, slot);
        }
    }

    /// Says goodbye to the server, which is not waited for long.
    pub(super) async fn close(self) {
        let _ended = timeout(GOODBYE, self.opened.connection.close()).await;
    }

    pub(super) fn link(&mut self) -> Link<'_> {
        Link {
            connection: &mut self.opened.connection,
            statements: &mut self.opened.statements,
        }
    }
}
