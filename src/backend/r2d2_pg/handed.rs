//! A pool of r2d2's that the service owns, and sets as it likes: this backend borrows its connections.

use super::super::Settings;
use super::claim::{Claim, Ender};
use super::link::{Link, Statements};
use super::pool::{Held, Pool, close_elsewhere};
use crate::error::{Error, Result, Wait};
use postgres::error::SqlState;
use postgres::{CancelToken, Client, NoTls};
use r2d2::{ManageConnection, PooledConnection};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A pool that the service owns, whose sessions it sets as it likes.
pub(super) struct HandedPool<M: ManageConnection<Connection = Client>> {
    pool: r2d2::Pool<M>,
    settings: Settings,
    broken: Arc<AtomicU64>,
}

/// What this backend keeps beside a connection of the service's pool.
struct Beside {
    ends: Arc<Ends>,
    statements: Statements,
    /// When it was given back after its last use.
    last_used: Instant,
    seen_broken: u64,
}

/// Has the server cancel what a connection of the service's pool does. Its socket is out of reach: where the server does not answer at all,
/// the thread waits on, without its permit. So it does behind a pooler: some end when whoever asked goes before the request was heard, for
/// which this driver does not wait.
struct Ends {
    token: CancelToken,
    pooler: bool,
}

impl Ender for Ends {
    fn end(&self) {
        if !self.pooler {
            // A server takes this without TLS, too.
            let _asked = self.token.cancel_query(NoTls);
        }
    }
}

/// How often a server is asked to end a session, where a request to cancel what was done before comes in between.
const TRIES: usize = 3;

/// A connection of the service's pool.
struct HandedOut<M: ManageConnection<Connection = Client>> {
    connection: PooledConnection<M>,
    beside: Option<Beside>,
    idle: Duration,
    used: bool,
    broken: Arc<AtomicU64>,
}

impl<M: ManageConnection<Connection = Client>> HandedPool<M> {
    pub(super) fn new(pool: r2d2::Pool<M>, settings: Settings) -> Self {
        Self {
            pool,
            settings,
            broken: Arc::default(),
        }
    }

    fn take(&self, mut connection: PooledConnection<M>) -> HandedOut<M> {
        let known = PooledConnection::extensions_mut(&mut connection).remove::<Mutex<Beside>>();
        let beside = known.map_or_else(
            || Beside {
                ends: Arc::new(Ends {
                    token: connection.cancel_token(),
                    pooler: self.settings.session.transaction_pooler,
                }),
                statements: Statements::new(self.settings.statement_cache),
                last_used: Instant::now(),
                seen_broken: self.broken.load(Ordering::Acquire),
            },
            |beside| beside.into_inner().unwrap_or_else(PoisonError::into_inner),
        );
        HandedOut {
            connection,
            idle: beside.last_used.elapsed(),
            beside: Some(beside),
            used: false,
            broken: Arc::clone(&self.broken),
        }
    }

    /// Whether it has to be tested ahead of its next use.
    fn is_doubtful(&self, held: &HandedOut<M>) -> bool {
        !held.is_sound() || held.idle >= self.settings.test_after
    }

    /// Whether the server answers within `limit`.
    fn passes(&self, held: &mut HandedOut<M>, limit: Duration) -> bool {
        if let Some(beside) = &mut held.beside {
            beside.seen_broken = self.broken.load(Ordering::Acquire);
        }
        let limit = limit.min(self.settings.open_timeout);
        held.connection.is_valid(limit).is_ok()
    }
}

impl<M: ManageConnection<Connection = Client>> Pool for HandedPool<M> {
    /// It asks the service's pool once for each connection: asking in short turns would have it open one for each turn.
    fn get(&self, limit: Duration, _: &Claim) -> Result<Box<dyn Held>> {
        let began = Instant::now();
        let left = || limit.saturating_sub(began.elapsed());
        loop {
            let connection = self.pool.get_timeout(left()).map_err(|error| {
                Error::timeout(Wait::Pool, limit)
                    .with_hint(format!("the pool that was handed in says: {error}"))
                    .with_source(error)
            })?;
            let mut held = self.take(connection);
            if !self.is_doubtful(&held) {
                return Ok(Box::new(held));
            }
            if left().is_zero() {
                return Err(Error::timeout(Wait::Open, limit));
            }
            if self.passes(&mut held, left()) {
                return Ok(Box::new(held));
            }
            Box::new(held).abandon();
        }
    }

    fn try_get(&self) -> Option<Box<dyn Held>> {
        self.pool
            .try_get()
            .map(|connection| Box::new(self.take(connection)) as Box<dyn Held>)
    }

    fn suspect(&self) {
        self.broken.fetch_add(1, Ordering::AcqRel);
    }

    fn figures(&self) -> (usize, usize) {
        let state = self.pool.state();
        (state.connections as usize, state.idle_connections as usize)
    }

    fn is_own(&self) -> bool {
        false
    }

    fn close(&self) {}

    fn is_open(&self) -> bool {
        false
    }
}

impl<M: ManageConnection<Connection = Client>> Held for HandedOut<M> {
    fn link(&mut self) -> Link<'_> {
        let beside = self
            .beside
            .as_mut()
            .expect("taken when the connection goes back, not before");
        self.used = true;
        Link {
            client: &mut self.connection,
            statements: &mut beside.statements,
        }
    }

    fn ender(&self) -> Arc<dyn Ender> {
        let beside = self.beside.as_ref();
        let beside = beside.expect("taken when the connection goes back, not before");
        Arc::<Ends>::clone(&beside.ends)
    }

    /// The service's pool takes back whatever is open, so the server is asked to end the session; then it finds it closed.
    fn retire(mut self: Box<Self>) {
        // A failed transaction would refuse all else.
        let end = "ROLLBACK; SELECT pg_terminate_backend(pg_backend_pid())";
        for _ in 0..TRIES {
            let ended = self.connection.batch_execute(end);
            let code = ended.as_ref().err().and_then(postgres::Error::code);
            if code != Some(&SqlState::QUERY_CANCELED) {
                return;
            }
        }
    }

    fn abandon(self: Box<Self>) {
        if !self.connection.is_closed() {
            close_elsewhere(move || {
                self.ender().end();
                self.retire();
            });
        }
    }

    fn idle(&self) -> Duration {
        self.idle
    }

    /// How old a connection of the service's pool may become is the service's business.
    fn is_old(&self) -> bool {
        false
    }

    fn is_sound(&self) -> bool {
        let beside = self.beside.as_ref();
        beside.is_some_and(|beside| beside.seen_broken == self.broken.load(Ordering::Acquire))
    }
}

impl<M: ManageConnection<Connection = Client>> Drop for HandedOut<M> {
    fn drop(&mut self) {
        if let Some(mut beside) = self.beside.take() {
            if self.used {
                beside.last_used = Instant::now();
            }
            let _none =
                PooledConnection::extensions_mut(&mut self.connection).insert(Mutex::new(beside));
        }
    }
}
