//! The one hop from a task to a thread: a permit first, then the queue, then the connection, which never leaves the threads.

use super::super::budget::{Budget, Permit, Place, Shed};
use super::super::failure::{Failure, Fate, Tries};
use super::super::{BackendKind, Settings};
use super::claim::{Call, Claim};
use super::link::Link;
use super::pool::{Held, Pool};
use super::queue::{Desk, Job, Queue};
use crate::error::{Error, ErrorKind, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tracing::Span;

/// How often the floor and the idle connections are looked after.
const LOOK: Duration = Duration::from_secs(5);

/// What each of several connections is given to answer, however long those before it took.
const LEAST: Duration = Duration::from_millis(10);

/// The pool, the threads, and what they wait for.
pub(super) struct Blocking {
    /// `None` while this is dropped only: the pool must not be dropped on a thread that runs a Tokio runtime.
    pool: Option<Arc<dyn Pool>>,
    queue: Arc<Queue>,
    budget: Arc<Budget>,
    settings: Settings,
}

/// What a job leaves behind for its connection.
pub(super) type Outcome<T> = Result<T, Failure>;

impl Blocking {
    pub(super) fn new(pool: Arc<dyn Pool>, settings: Settings, budget: Arc<Budget>) -> Arc<Self> {
        let queue = Queue::new(budget.total(), settings.answer_timeout);
        let blocking = Arc::new(Self {
            pool: Some(pool),
            queue,
            budget,
            settings,
        });
        // The service's own pool keeps what it wants, and its connections hold no slot that another could use.
        if blocking.pool().is_own() {
            let weak: Weak<dyn Shed> = Arc::<Self>::downgrade(&blocking);
            blocking.budget.register(weak);
        }
        blocking.look_after();
        blocking
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Permits that are waited for, and the most connections.
    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    pub(super) fn pool(&self) -> &Arc<dyn Pool> {
        self.pool
            .as_ref()
            .expect("the pool is taken when this is dropped, and then nobody calls")
    }

    /// Runs `work` on a thread with a connection and gives its result. What was not sent when the caller gives it up is never sent. What was
    /// sent is broken off then: the permit is free at once, the server is asked to cancel, and the connection is closed.
    pub(super) async fn run_blocking<T: Send + 'static>(
        &self,
        tries: Tries,
        mut work: impl FnMut(&mut Link<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T> {
        let call = self.call();
        self.hop(&call, move |desk, limit| {
            attempt(desk, limit, tries, &mut work)
        })
        .await
    }

    /// The hold on a job to come.
    pub(super) fn call(&self) -> Call {
        Call::new(&self.queue)
    }

    /// As [`run_blocking`](Blocking::run_blocking), for work that keeps the connection for longer than this is polled: the caller keeps
    /// `call`.
    pub(super) async fn hop<T: Send + 'static>(
        &self,
        call: &Call,
        work: impl FnOnce(&mut Desk<'_>, Duration) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, mut answer) = oneshot::channel();
        let claim = call.claim();
        let span = Span::current();
        let limit = self.settings.acquire_timeout;
        let work = move |desk: &mut Desk<'_>| {
            let _entered = span.enter();
            let result =
                catch_unwind(AssertUnwindSafe(|| work(desk, limit))).unwrap_or_else(|_| {
                    desk.abandon();
                    Err(Error::new(
                        ErrorKind::Panic,
                        "the code that ran the call panicked; its connection was closed",
                    ))
                });
            let _nobody_waits = reply.send(result);
        };
        let job = Job {
            claim: Arc::clone(claim),
            work: Box::new(work),
        };
        if let Some(place) = self.enter(job)?
            && let Some(result) = self.admit(place, claim, &mut answer).await?
        {
            call.over();
            return result;
        }
        self.answer(call, answer).await
    }

    /// Has a thread run the job where a permit is free, or puts it in line.
    fn enter(&self, job: Job) -> Result<Option<Place>> {
        let (entered, place) = match self.budget.ask(Some(BackendKind::Blocking)) {
            Ok(permit) => (self.queue.admit(job, permit, self.pool()), None),
            Err(place) => (self.queue.push(job, place.ticket()), Some(place)),
        };
        entered.map_err(|_| closed())?;
        Ok(place)
    }

    /// Waits for a permit; the answer may come first, when a thread that came free took the job along.
    async fn admit<T>(
        &self,
        place: Place,
        claim: &Arc<Claim>,
        answer: &mut oneshot::Receiver<Result<T>>,
    ) -> Result<Option<Result<T>>> {
        let limit = self.settings.acquire_timeout;
        tokio::select! {
            biased;
            result = answer => Ok(Some(result.unwrap_or_else(|_| Err(closed())))),
            first = timeout(limit, place) => match first {
                Ok(()) => {
                    self.queue.grant(self.budget.permit(), claim, self.pool());
                    Ok(None)
                }
                Err(_) if self.queue.leave(claim) => Err(self.budget.in_vain(limit)),
                Err(_) => Ok(None),
            },
        }
    }

    /// Waits for the thread: a connection may have to be opened, and then the server has its time. Past it the call is broken off.
    async fn answer<T>(&self, call: &Call, mut answer: oneshot::Receiver<Result<T>>) -> Result<T> {
        let limit = self.settings.acquire_timeout + self.settings.answer_timeout;
        if let Ok(result) = timeout(limit, &mut answer).await {
            call.over();
            return result.unwrap_or_else(|_| Err(closed()));
        }
        call.give_up();
        // A server that does not answer here may be out of reach altogether.
        self.pool().suspect();
        // It may have come in the last moment.
        let late = answer.try_recv();
        late.unwrap_or_else(|_| Err(Failure::no_answer(self.settings.answer_timeout).error))
    }

    /// A thread for what nobody waits for: it retires and opens idle connections, and breaks off what was left to end by itself.
    fn look_after(self: &Arc<Self>) {
        let blocking = Arc::downgrade(self);
        let started = thread::Builder::new()
            .name("pontoon-keeper".into())
            .spawn(move || {
                loop {
                    thread::sleep(LOOK);
                    let Some(blocking) = blocking.upgrade() else {
                        return;
                    };
                    blocking.queue.look_after();
                    blocking.trim();
                    blocking.warm();
                }
            });
        if let Err(error) = started {
            tracing::error!(%error, "no thread could be started to look after idle connections");
        }
    }

    /// Closes connections that are too old, and those above the floor that were idle for too long.
    fn trim(&self) {
        if !self.pool().is_own() {
            return;
        }
        let (size, idle) = self.pool().figures();
        let mut may_go = size.saturating_sub(self.settings.floor);
        for (held, _permit) in self.take_idle(idle) {
            if held.is_old() {
                held.retire();
            } else if may_go > 0 && held.idle() >= self.settings.idle_timeout {
                may_go -= 1;
                held.retire();
            }
        }
    }

    /// Idle connections, each with a permit, so that nobody opens one too many meanwhile.
    fn take_idle(&self, most: usize) -> Vec<(Box<dyn Held>, Permit)> {
        let one = || {
            self.budget
                .try_acquire()
                .and_then(|permit| Some((self.pool().try_get()?, permit)))
        };
        (0..most).map_while(|_| one()).collect()
    }

    /// Goes to the server and back on every idle connection, opens what the floor of an own pool lacks, and gives how many answered.
    pub(super) async fn keep_alive(self: &Arc<Self>) -> usize {
        if self.queue.is_closed() {
            return 0;
        }
        let (done, alive) = oneshot::channel();
        let blocking = Arc::clone(self);
        let started = thread::Builder::new()
            .name("pontoon-keeper".into())
            .spawn(move || {
                let alive = blocking.ping_idle();
                blocking.warm();
                let _nobody_waits = done.send(alive);
            });
        if let Err(error) = started {
            tracing::error!(%error, "no thread could be started to keep connections alive");
        }
        alive.await.unwrap_or(0)
    }

    /// How many idle connections answer, all within one limit; the others are closed.
    fn ping_idle(&self) -> usize {
        let deadline = Instant::now() + self.settings.open_timeout;
        let taken = self.take_idle(self.pool().figures().1);
        let answers = taken.into_iter().map(|(mut held, _permit)| {
            let left = deadline.saturating_duration_since(Instant::now());
            let alive = held.link().answers(left.max(LEAST));
            if !alive {
                held.abandon();
            }
            usize::from(alive)
        });
        answers.sum()
    }

    /// Refuses new calls, waits for those that run, and closes the connections.
    pub(super) async fn close(&self) {
        self.queue.close();
        while self.queue.figures().0 > 0 {
            sleep(Duration::from_millis(5)).await;
        }
        self.pool().close();
        while self.pool().is_open() {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Opens connections up to the floor.
    fn warm(&self) {
        if !self.pool().is_own() {
            return;
        }
        let floor = self.settings.floor.min(self.budget.total());
        let mut held = Vec::new();
        while self.pool().figures().0 < floor && held.len() < floor {
            match self
                .pool()
                .get(self.settings.open_timeout, &Claim::default())
            {
                Ok(opened) => held.push(opened),
                Err(_) => return,
            }
        }
    }
}

impl Shed for Blocking {
    fn shed(&self, floor: bool) -> bool {
        let (size, idle) = self.pool().figures();
        let keep = if floor { 0 } else { self.settings.floor };
        if !self.pool().is_own() || idle == 0 || size <= keep {
            return false;
        }
        // Whoever asks may be a thread that runs a Tokio runtime, where no connection of this pool may be dropped.
        let pool = Arc::clone(self.pool());
        let started = thread::Builder::new()
            .name("pontoon-keeper".into())
            .spawn(move || {
                if let Some(held) = pool.try_get() {
                    held.retire();
                }
            });
        started.is_ok()
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        self.queue.close();
        let pool = self.pool.take();
        // On a thread of its own: dropping a connection blocks.
        if let Err(error) = thread::Builder::new()
            .name("pontoon-keeper".into())
            .spawn(move || drop(pool))
        {
            tracing::error!(%error, "no thread could be started to close the blocking backend's connections");
        }
    }
}

impl Desk<'_> {
    /// The connection that the job before left, or one of the pool.
    pub(super) fn connection(&mut self, limit: Duration) -> Result<&mut Box<dyn Held>> {
        if self.held.is_none() {
            self.held = Some(self.pool.get(limit, &self.claim)?);
        }
        self.held.as_mut().ok_or_else(closed)
    }

    /// As [`connection`](Desk::connection), to begin a call on. Waiting for one may take long: where the caller has gone meanwhile, nothing
    /// is begun.
    pub(super) fn begin(&mut self, limit: Duration) -> Result<&mut Box<dyn Held>> {
        if self.claim.is_wanted() {
            self.connection(limit)?;
        }
        match &mut self.held {
            Some(held) if self.claim.holds(held.ender()) => Ok(held),
            _ => Err(Error::new(
                ErrorKind::Closed,
                "the caller gave the call up before it was sent",
            )),
        }
    }

    /// Closes the connection, if the job has one.
    pub(super) fn abandon(&mut self) {
        if let Some(held) = self.held.take() {
            held.abandon();
        }
    }

    /// What the outcome of a call means for the connection. One that was cut because nobody waits says nothing of the others.
    pub(super) fn settle(&mut self, fate: Fate) {
        if matches!(fate, Fate::NeverSent | Fate::Broken) {
            if self.claim.is_wanted() {
                self.pool.suspect();
            }
            self.abandon();
        }
    }
}

/// Runs the work on a connection, and on another where the first had been ended before.
pub(super) fn attempt<T>(
    desk: &mut Desk<'_>,
    limit: Duration,
    mut tries: Tries,
    work: &mut dyn FnMut(&mut Link<'_>) -> Outcome<T>,
) -> Result<T> {
    loop {
        let connection = desk.begin(limit)?;
        tries.begin();
        match work(&mut connection.link()) {
            Ok(value) => return Ok(value),
            Err(Failure { fate, .. }) if tries.again(fate) => desk.settle(fate),
            Err(Failure { error, fate }) => {
                desk.settle(fate);
                return Err(error);
            }
        }
    }
}

/// The backend was closed, or is being closed.
pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the blocking backend was closed")
}

#[cfg(test)]
mod tests;
