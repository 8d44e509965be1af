//! The threads that blocking calls run on, and the queue before them.
//!
//! The threads are the backend's own and live long: a `spawn_blocking` for each call costs two hand-overs more, and a long one would keep
//! the runtime that it belongs to from ending. A thread that comes free takes the next call from the queue itself, with the permit of the
//! call that it finished, so that under load no call waits for the executor to be woken.

use super::super::budget::{Permit, Turn};
use super::claim::Claim;
use super::pool::{Held, Pool, close_elsewhere};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long a thread waits for work before it ends.
const IDLE: Duration = Duration::from_secs(10);

/// A call that waits for a thread.
pub(super) struct Job {
    /// Whether somebody runs it, or gave it up.
    pub(super) claim: Arc<Claim>,
    /// Runs it on a thread, which it may ask for a connection.
    pub(super) work: Box<dyn FnOnce(&mut Desk<'_>) + Send>,
}

/// What a job finds on its thread: the pool, perhaps a connection that the job before it left, and whether anybody waits for it.
pub(super) struct Desk<'a> {
    pub(super) pool: &'a dyn Pool,
    pub(super) held: Option<Box<dyn Held>>,
    pub(super) claim: Arc<Claim>,
}

/// Jobs that wait and threads that wait.
#[derive(Default)]
struct State {
    /// Jobs whose caller waits for a permit, with the ticket of that wait.
    jobs: VecDeque<(Job, u64)>,
    /// Jobs that have their permit. They come before the others: their caller has left the budget's line.
    admitted: VecDeque<(Job, Permit)>,
    parked: Vec<Thread>,
    /// Those that serve the queue. One whose job was broken off does not until it comes back.
    threads: usize,
    /// Jobs that their callers left to the threads, and when they are to be broken off.
    left: Vec<(Arc<Claim>, Instant)>,
    closed: bool,
}

impl State {
    /// The first job that whoever has `permit` may do; its caller has left the budget's line with that.
    fn take_over(&mut self, permit: &Permit) -> Option<Job> {
        let mut at = 0;
        while let Some((_, ticket)) = self.jobs.get(at) {
            match permit.take_over(*ticket) {
                Turn::Theirs => return None,
                // Its caller has a permit, and is about to bring it.
                Turn::Gone => at += 1,
                Turn::Yours => {
                    let (job, _) = self.jobs.remove(at)?;
                    if job.claim.take() {
                        return Some(job);
                    }
                }
            }
        }
        None
    }
}

/// The queue before the threads of one backend.
pub(super) struct Queue {
    state: Mutex<State>,
    most: usize,
    /// How long the server has for an answer that nobody waits for.
    patience: Duration,
}

impl Queue {
    /// A queue with at most so many threads.
    pub(super) fn new(most: usize, patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            most,
            patience,
        })
    }

    /// Puts a job in line, whose caller waits for a permit with that ticket. It runs once the permit comes, or once a thread comes free
    /// that has one.
    pub(super) fn push(&self, job: Job, ticket: u64) -> Result<(), Job> {
        let mut state = self.lock();
        if state.closed {
            return Err(job);
        }
        state.jobs.push_back((job, ticket));
        Ok(())
    }

    /// Gives a job in line its permit; where the job has left the line already, the permit goes back.
    pub(super) fn grant(
        self: &Arc<Self>,
        permit: Permit,
        claim: &Arc<Claim>,
        pool: &Arc<dyn Pool>,
    ) {
        let mut state = self.lock();
        if let Some(job) = remove(&mut state.jobs, claim) {
            self.run(state, job, permit, pool);
        }
    }

    /// Has a job run that came with its permit.
    pub(super) fn admit(
        self: &Arc<Self>,
        job: Job,
        permit: Permit,
        pool: &Arc<dyn Pool>,
    ) -> Result<(), Job> {
        let state = self.lock();
        if state.closed {
            return Err(job);
        }
        self.run(state, job, permit, pool);
        Ok(())
    }

    fn run(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        job: Job,
        permit: Permit,
        pool: &Arc<dyn Pool>,
    ) {
        state.admitted.push_back((job, permit));
        if let Some(parked) = state.parked.pop() {
            drop(state);
            parked.unpark();
        } else if state.threads < self.most {
            state.threads += 1;
            drop(state);
            self.start(Arc::clone(pool));
        }
    }

    /// Takes a job out of the line. False for one that has begun.
    pub(super) fn leave(&self, claim: &Arc<Claim>) -> bool {
        if !claim.take() {
            return false;
        }
        let mut state = self.lock();
        let at = state
            .admitted
            .iter()
            .position(|(job, _)| Arc::ptr_eq(&job.claim, claim));
        let admitted = at.and_then(|at| state.admitted.remove(at));
        let waiting = remove(&mut state.jobs, claim);
        // What a job holds may take long to drop.
        drop(state);
        drop((admitted, waiting));
        true
    }

    /// Nobody waits for the job any more: it leaves the line, or is broken off. Then its permit is free at once, another thread takes the
    /// place of the one that runs it, and what the server does for it is ended; its connection is closed, never used again.
    pub(super) fn give_up(&self, claim: &Arc<Claim>) {
        if self.leave(claim) {
            return;
        }
        let Some((permit, ender)) = claim.give_up() else {
            return;
        };
        // Before the permit: whoever gets it must find a thread.
        if permit.is_some() {
            self.lock().threads -= 1;
        }
        drop(permit);
        let claim = Arc::clone(claim);
        close_elsewhere(move || claim.break_off(&*ender));
    }

    /// The caller goes, and leaves the job to end by itself.
    pub(super) fn let_go(&self, claim: &Arc<Claim>) {
        if claim.is_under_way() {
            let until = Instant::now() + self.patience;
            self.lock().left.push((Arc::clone(claim), until));
        }
    }

    /// Breaks off what was left to end by itself and did not.
    pub(super) fn look_after(&self) {
        let now = Instant::now();
        let mut late = Vec::new();
        self.lock().left.retain(|(claim, until)| {
            let is_late = *until <= now;
            if is_late {
                late.push(Arc::clone(claim));
            }
            !is_late && claim.is_under_way()
        });
        for claim in late {
            self.give_up(&claim);
        }
    }

    fn start(self: &Arc<Self>, pool: Arc<dyn Pool>) {
        let queue = Arc::clone(self);
        let started = thread::Builder::new()
            .name("pontoon-blocking".into())
            .spawn(move || {
                queue.serve(&*pool);
                drop(pool);
            });
        if let Err(error) = started {
            tracing::error!(%error, "no thread could be started for a blocking call; it waits for one that comes free");
            self.lock().threads -= 1;
        }
    }

    /// A thread's life.
    fn serve(&self, pool: &dyn Pool) {
        let mut desk = Desk {
            pool,
            held: None,
            claim: Arc::default(),
        };
        let mut permit = None;
        loop {
            let Some(job) = self.next(&mut permit, &mut desk) else {
                return;
            };
            // What is old or suspect goes back to the pool, which replaces or tests it.
            desk.held = desk.held.take().filter(|held| held.is_sound());
            desk.claim = job.claim;
            desk.claim.runs(permit.take());
            (job.work)(&mut desk);
            permit = desk.claim.finish();
            if permit.is_none() {
                // It was broken off. What ends the connection may still be on its way, so that nobody may have it.
                if let Some(held) = desk.held.take() {
                    held.retire();
                }
                if !self.comes_back() {
                    return;
                }
            }
        }
    }

    /// A thread whose job was broken off serves the queue again, unless enough others do.
    fn comes_back(&self) -> bool {
        let mut state = self.lock();
        let serves = !state.closed && state.threads < self.most;
        state.threads += usize::from(serves);
        serves
    }

    /// The next job, with the permit that it runs under; `None` when the thread is to end.
    fn next(&self, permit: &mut Option<Permit>, desk: &mut Desk<'_>) -> Option<Job> {
        let mut state = self.lock();
        loop {
            while let Some((job, own)) = state.admitted.pop_front() {
                *permit = Some(own);
                if job.claim.take() {
                    return Some(job);
                }
            }
            // The permit goes from job to job, unless somebody waits elsewhere for longer.
            if let Some(job) = permit.as_ref().and_then(|permit| state.take_over(permit)) {
                return Some(job);
            }
            drop(state);
            // The connection first: who gets the permit must find it in the pool.
            desk.held = None;
            *permit = None;
            state = self.wait()?;
        }
    }

    /// Waits for a job with a permit; `None` when the thread is to end.
    fn wait(&self) -> Option<MutexGuard<'_, State>> {
        let me = thread::current();
        let mut state = self.lock();
        let mut idle = false;
        loop {
            if !state.admitted.is_empty() {
                return Some(state);
            }
            if state.closed || idle {
                state.threads -= 1;
                return None;
            }
            state.parked.push(me.clone());
            drop(state);
            thread::park_timeout(IDLE);
            state = self.lock();
            let before = state.parked.len();
            state.parked.retain(|thread| thread.id() != me.id());
            // Still among the parked: nobody called, the time ran out.
            idle = state.parked.len() < before;
        }
    }

    /// Ends the threads once they come free, and refuses new jobs; those in line are dropped.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let parked = std::mem::take(&mut state.parked);
        let jobs = std::mem::take(&mut state.jobs);
        let admitted = std::mem::take(&mut state.admitted);
        drop(state);
        drop((jobs, admitted));
        parked.iter().for_each(Thread::unpark);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// How many threads there are, and how many jobs wait.
    pub(super) fn figures(&self) -> (usize, usize) {
        let state = self.lock();
        (state.threads, state.jobs.len() + state.admitted.len())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the job with that claim out of the line.
fn remove(jobs: &mut VecDeque<(Job, u64)>, claim: &Arc<Claim>) -> Option<Job> {
    let at = jobs
        .iter()
        .position(|(job, _)| Arc::ptr_eq(&job.claim, claim))?;
    jobs.remove(at).map(|(job, _)| job)
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (threads, waiting) = self.figures();
        f.debug_struct("Queue")
            .field("threads", &threads)
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}
