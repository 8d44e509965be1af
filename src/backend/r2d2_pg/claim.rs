//! Who has a call: the line, a thread, or nobody any more. What a thread does for a caller that has gone is ended from the caller's side.

use super::super::budget::Permit;
use super::queue::Queue;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a thread has to notice that its job was ended before the server is asked once more; each time twice as long.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// Ends what one connection does, from any thread. It is best effort, and what it does may arrive late: the connection must be closed
/// afterwards, so that it meets no other call.
pub(super) trait Ender: Send + Sync {
    /// Asks the server to cancel, and cuts the socket where that can be done. It may block for as long as opening a connection may.
    fn end(&self);
}

/// Decides once whether a job runs or was given up, and keeps what its thread may be relieved of.
#[derive(Default)]
pub(super) struct Claim {
    taken: AtomicBool,
    run: Mutex<Run>,
    /// Told when a job that was given up is over.
    ended: Condvar,
}

/// What a job has while a thread runs it.
#[derive(Default)]
struct Run {
    permit: Option<Permit>,
    /// Of the connection that it has, once it has one.
    ender: Option<Arc<dyn Ender>>,
    given_up: bool,
    over: bool,
}

impl Claim {
    /// True for the first who asks.
    pub(super) fn take(&self) -> bool {
        !self.taken.swap(true, Ordering::AcqRel)
    }

    /// Whether somebody waits for what the job does.
    pub(super) fn is_wanted(&self) -> bool {
        !self.lock().given_up
    }

    /// A thread begins the job, under that permit.
    pub(super) fn runs(&self, permit: Option<Permit>) {
        self.lock().permit = permit;
    }

    /// The job has a connection now. False where nobody waits for it any more: what has not been sent by then is never sent.
    pub(super) fn holds(&self, ender: Arc<dyn Ender>) -> bool {
        let mut run = self.lock();
        if !run.given_up {
            run.ender = Some(ender);
        }
        !run.given_up
    }

    /// The thread is done with the job, and gets the permit back; nothing where the job was broken off.
    pub(super) fn finish(&self) -> Option<Permit> {
        let mut run = self.lock();
        run.ender = None;
        run.over = true;
        if run.given_up {
            self.ended.notify_all();
        }
        run.permit.take()
    }

    /// Ends what the thread does for a job that was given up. The server is asked until the thread is done: a request that comes between
    /// two statements of the job ends neither, and where no socket can be cut the thread would wait for as long as the second takes.
    pub(super) fn break_off(&self, ender: &dyn Ender) {
        let mut patience = FIRST;
        loop {
            ender.end();
            let run = self
                .ended
                .wait_timeout_while(self.lock(), patience, |run| !run.over);
            if run.unwrap_or_else(PoisonError::into_inner).0.over {
                return;
            }
            patience = LONGEST.min(patience * 2);
        }
    }

    /// Whether a thread has a connection for it.
    pub(super) fn is_under_way(&self) -> bool {
        self.lock().ender.is_some()
    }

    /// Nobody waits for the job any more. Relieves a thread that has a connection for it of its permit, and gives what ends the connection.
    pub(super) fn give_up(&self) -> Option<(Option<Permit>, Arc<dyn Ender>)> {
        let mut run = self.lock();
        run.given_up = true;
        let ender = run.ender.take()?;
        Some((run.permit.take(), ender))
    }

    fn lock(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller's hold on its job. Dropped before the job is over, it gives the job up: it leaves the line, or what the server does for it is
/// ended and the connection closed.
pub(super) struct Call {
    queue: Arc<Queue>,
    claim: Arc<Claim>,
    over: AtomicBool,
}

impl Call {
    pub(super) fn new(queue: &Arc<Queue>) -> Self {
        Self {
            queue: Arc::clone(queue),
            claim: Arc::default(),
            over: AtomicBool::new(false),
        }
    }

    pub(super) fn claim(&self) -> &Arc<Claim> {
        &self.claim
    }

    /// The answer is there.
    pub(super) fn over(&self) {
        self.over.store(true, Ordering::Release);
    }

    /// Nobody waits for the answer any more.
    pub(super) fn give_up(&self) {
        if !self.over.swap(true, Ordering::AcqRel) {
            self.queue.give_up(&self.claim);
        }
    }

    /// Leaves the job to its thread, which is about to end it.
    pub(super) fn let_go(&self) {
        if !self.over.swap(true, Ordering::AcqRel) {
            self.queue.let_go(&self.claim);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.give_up();
    }
}
