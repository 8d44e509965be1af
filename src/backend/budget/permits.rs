//! A semaphore with a bounded head start for whoever is running already.
//!
//! A strictly fair one hands each permit to whoever waits longest, so that each call costs a change of task: measured at 16 clients on 10
//! connections, that is a seventh of the throughput. Here a permit that comes free goes to the first who asks, as parking-lot's locks do,
//! but once the head of the queue has waited for [`WINDOW`] the next permit is handed to it: nobody waits much longer than in the fair
//! order. A longer window gains little more, and makes the slowest calls as slow as itself.

use crate::backend::BackendKind;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// How long the head of the queue may be overtaken.
const WINDOW: Duration = Duration::from_millis(1);

/// Permits, and who waits for them.
#[derive(Debug)]
pub(super) struct Permits {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    next_ticket: u64,
    /// In the order of asking.
    queue: BTreeMap<u64, Waiter>,
    waits: Waits,
    /// [`WINDOW`].
    window: Duration,
}

#[derive(Debug)]
struct Waiter {
    /// The backend that asked; `None` where a service did.
    who: Option<BackendKind>,
    since: Instant,
    waker: Waker,
    /// It was told that a permit may be free, and has not looked since.
    woken: bool,
    granted: Arc<AtomicBool>,
}

/// How many have waited so far, and for how long together.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Waits {
    pub(super) count: u64,
    pub(super) time: Duration,
}

/// Whether somebody with a permit may do the work of one who waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::backend) enum Turn {
    /// It may, and must: the other has left the line.
    Yours,
    /// The other has a permit of its own by now, or gave up.
    Gone,
    /// Somebody else has waited for long, and the permit belongs to them.
    Theirs,
}

impl Permits {
    pub(super) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                free: count,
                next_ticket: 0,
                queue: BTreeMap::new(),
                waits: Waits::default(),
                window: WINDOW,
            }),
        })
    }

    pub(super) fn free(&self) -> usize {
        self.lock().free
    }

    /// How many wait now.
    pub(super) fn waiting(&self) -> usize {
        self.lock().queue.len()
    }

    /// How many of that backend's callers wait now.
    pub(super) fn waiting_of(&self, who: BackendKind) -> usize {
        let state = self.lock();
        let theirs = |waiter: &&Waiter| waiter.who == Some(who);
        state.queue.values().filter(theirs).count()
    }

    pub(super) fn waits(&self) -> Waits {
        self.lock().waits
    }

    /// A permit, where one is free and nobody has waited for long.
    pub(super) fn try_acquire(&self) -> bool {
        self.lock().take()
    }

    /// A permit, or a place in the line for one.
    pub(super) fn ask(self: &Arc<Self>, who: Option<BackendKind>) -> Option<Place> {
        let mut state = self.lock();
        if state.take() {
            return None;
        }
        let (ticket, granted) = state.queue_up(who);
        Some(Place {
            permits: Arc::clone(self),
            ticket,
            granted,
            done: false,
        })
    }

    /// Whether somebody who has a permit may do the work of the one with that ticket, instead of giving the permit back.
    pub(super) fn take_over(&self, ticket: u64) -> Turn {
        let mut state = self.lock();
        let theirs = state
            .queue
            .first_key_value()
            .is_some_and(|(&first, head)| first != ticket && state.is_long(head));
        if theirs {
            return Turn::Theirs;
        }
        let Some(told) = state.leave(ticket) else {
            return Turn::Gone;
        };
        let next = state.pass_on(told);
        drop(state);
        wake(next);
        Turn::Yours
    }

    pub(super) fn release(&self) {
        let mut state = self.lock();
        let (handed, told) = if let Some((waker, told)) = state.hand_over() {
            (Some(waker), state.pass_on(told))
        } else {
            state.free += 1;
            (None, state.tell_next())
        };
        drop(state);
        wake(handed);
        wake(told);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Outside the lock, which whoever wakes will want.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl State {
    fn take(&mut self) -> bool {
        let head = self.queue.first_key_value();
        let free = self.free > 0 && head.is_none_or(|(_, head)| !self.is_long(head));
        self.free -= usize::from(free);
        free
    }

    /// Whether that one has waited for so long that nobody may overtake it any more.
    fn is_long(&self, waiter: &Waiter) -> bool {
        waiter.since.elapsed() >= self.window
    }

    /// A place at the end of the queue.
    fn queue_up(&mut self, who: Option<BackendKind>) -> (u64, Arc<AtomicBool>) {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let granted = Arc::new(AtomicBool::new(false));
        let waiter = Waiter {
            who,
            since: Instant::now(),
            waker: Waker::noop().clone(),
            woken: false,
            granted: Arc::clone(&granted),
        };
        self.queue.insert(ticket, waiter);
        (ticket, granted)
    }

    /// Takes the place out of the queue, and says whether it had been told of a permit.
    fn leave(&mut self, ticket: u64) -> Option<bool> {
        let waiter = self.queue.remove(&ticket)?;
        self.waits.count += 1;
        self.waits.time += waiter.since.elapsed();
        Some(waiter.woken)
    }

    /// Hands a permit that came free to the head of the queue, if that has waited for long; and whether it had been told of another.
    fn hand_over(&mut self) -> Option<(Waker, bool)> {
        let (&ticket, head) = self.queue.first_key_value()?;
        if !self.is_long(head) {
            return None;
        }
        head.granted.store(true, Ordering::Release);
        let waker = head.waker.clone();
        let told = self.leave(ticket)?;
        Some((waker, told))
    }

    /// The first waiter that does not know yet that there may be a permit.
    fn tell_next(&mut self) -> Option<Waker> {
        let next = self.queue.values_mut().find(|waiter| !waiter.woken)?;
        next.woken = true;
        Some(next.waker.clone())
    }

    /// Whoever was `told` of a permit and leaves must tell the next, or the permit lies there while somebody waits.
    fn pass_on(&mut self, told: bool) -> Option<Waker> {
        if told && self.free > 0 {
            self.tell_next()
        } else {
            None
        }
    }
}

/// A place in the line for a permit, which it waits for. Dropped before it has one, it is given up; dropped with one that nobody took, it
/// gives that back.
#[derive(Debug)]
pub(in crate::backend) struct Place {
    permits: Arc<Permits>,
    ticket: u64,
    granted: Arc<AtomicBool>,
    done: bool,
}

impl Place {
    /// What whoever has a permit asks [`take_over`](Permits::take_over) by.
    pub(in crate::backend) fn ticket(&self) -> u64 {
        self.ticket
    }

    /// Leaves the line. False where somebody has taken the work over already.
    pub(in crate::backend) fn give_up(&mut self) -> bool {
        let mut state = self.permits.lock();
        if self.granted.load(Ordering::Acquire) {
            return true;
        }
        let Some(told) = state.leave(self.ticket) else {
            return false;
        };
        let next = state.pass_on(told);
        drop(state);
        wake(next);
        true
    }

    /// Whether somebody has taken the work over.
    #[cfg(feature = "async")]
    pub(in crate::backend) fn is_served(&self) -> bool {
        let state = self.permits.lock();
        !self.granted.load(Ordering::Acquire) && !state.queue.contains_key(&self.ticket)
    }
}

/// Never ends where somebody takes the work over.
impl Future for Place {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let mut state = this.permits.lock();
        if this.granted.load(Ordering::Acquire) {
            this.done = true;
            return Poll::Ready(());
        }
        let free = state.free > 0;
        let Some(waiter) = state.queue.get_mut(&this.ticket) else {
            return Poll::Pending;
        };
        if free {
            state.free -= 1;
            state.leave(this.ticket);
            this.done = true;
            return Poll::Ready(());
        }
        waiter.woken = false;
        waiter.waker.clone_from(cx.waker());
        Poll::Pending
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        self.give_up();
        if self.granted.load(Ordering::Acquire) {
            self.permits.release();
        }
    }
}

#[cfg(test)]
mod tests;
