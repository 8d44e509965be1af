//! A connection on loan to one call, transaction or stream.

use super::super::TransactionOptions;
use super::super::budget::Permit;
use super::super::failure::{Failure, Fate};
use super::handed::HandedOut;
use super::line::{Job, Line};
use super::link::Link;
use super::opening::Opener;
use super::pool::Pools;
use deadpool::managed::Object;
use std::borrow::Cow;
use std::sync::Arc;
use tokio::runtime::{Handle, Id};

/// A connection, the permit to use it, and whether the call that has it came to its end.
pub(super) struct Lease {
    held: Option<Held>,
    pools: Arc<Pools>,
    runtime: Id,
    finished: bool,
    /// `None` once it was given back.
    permit: Option<Permit>,
}

/// Whose connection it is.
pub(super) enum Held {
    /// One that this backend opened, and the calls that wait for one.
    Own(Object<Opener>, Arc<Line>),
    /// One of the pool that the service owns.
    Handed(Box<HandedOut>),
}

impl Lease {
    /// A lease that has no connection yet.
    pub(super) fn new(pools: &Arc<Pools>, runtime: Id, permit: Permit) -> Self {
        pools.count_lease();
        Self {
            held: None,
            pools: Arc::clone(pools),
            runtime,
            finished: true,
            permit: Some(permit),
        }
    }

    pub(super) fn holding(mut self, held: Held) -> Self {
        self.held = Some(held);
        self
    }

    /// The connection. From now on it counts as unfinished: dropped before [`finish`](Lease::finish), it is closed.
    pub(super) fn link(&mut self) -> Link<'_> {
        self.finished = false;
        let held = self.held.as_mut();
        match held.expect("a lease has its connection until it is dropped") {
            Held::Own(object, _) => object.link(),
            Held::Handed(connection) => connection.link(),
        }
    }

    /// The call came to its end, and the connection may be used again.
    pub(super) fn finish(&mut self) {
        self.finished = true;
    }

    /// What a call's outcome means for the connection.
    pub(super) fn settle(&mut self, failure: Option<&Failure>) {
        match failure.map(|failure| failure.fate) {
            None | Some(Fate::Usable | Fate::Stale) => self.finish(),
            Some(Fate::NeverSent | Fate::Broken) => self.broke(),
        }
    }

    /// The next call that waits for a connection and may have this one, and the runtime to serve it on.
    pub(super) fn next_in_line(&self) -> Option<(Handle, Job)> {
        let Some(Held::Own(object, line)) = &self.held else {
            return None;
        };
        if !self.finished
            || line.is_empty()
            || self.pools.is_closed()
            || !self.pools.is_sound(object)
        {
            return None;
        }
        let runtime = self.own_runtime()?;
        let permit = self.permit.as_ref()?;
        let job = line.next(|ticket| permit.take_over(ticket))?;
        Some((runtime, job))
    }

    /// Whether the last call came to its end.
    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Closes the connection with the lease.
    pub(super) fn give_up(&mut self) {
        self.finished = false;
    }

    /// The runtime that the connection belongs to, where that is the one that runs this.
    pub(super) fn own_runtime(&self) -> Option<Handle> {
        Handle::try_current()
            .ok()
            .filter(|handle| handle.id() == self.runtime)
    }

    /// Whether server connections change hands between transactions, so that nothing may be left on one.
    pub(super) fn pooled_by_transaction(&self) -> bool {
        self.pools.settings().session.transaction_pooler
    }

    /// What begins the transaction around each call, where a pooler makes one necessary.
    pub(super) fn around(&self) -> Option<Cow<'static, str>> {
        let settings = self.pools.settings();
        self.pooled_by_transaction()
            .then(|| TransactionOptions::default().begin_sql(settings))
    }

    /// What a failure means for the connection that is closed with the lease.
    pub(super) fn failed(&mut self, failure: Failure) -> Failure {
        if matches!(failure.fate, Fate::NeverSent | Fate::Broken) {
            self.broke();
        }
        failure
    }

    /// The connection turned out to be broken.
    pub(super) fn broke(&mut self) {
        self.finished = false;
        self.pools.suspect();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        match self.held.take() {
            Some(Held::Own(mut object, _)) => {
                if !self.finished {
                    self.pools.abandon(*Object::take(object));
                } else if self.pools.is_closed() {
                    drop(Object::take(object));
                } else {
                    object.used();
                }
            }
            Some(Held::Handed(connection)) => connection.give_back(self.finished),
            None => {}
        }
        drop(self.permit.take());
        // Whoever closes the backend waits for this, and finds neither connection nor permit in use.
        self.pools.uncount_lease();
    }
}
