use super::*;
use futures_util::FutureExt;

async fn acquire(permits: &Arc<Permits>) {
    if let Some(place) = permits.ask(None) {
        place.await;
    }
}

fn place(permits: &Arc<Permits>) -> Place {
    permits.ask(None).expect("no permit is free")
}

/// Permits for which nobody has waited for long.
fn permits(count: usize) -> Arc<Permits> {
    let permits = Permits::new(count);
    permits.lock().window = Duration::MAX;
    permits
}

/// From now on everybody has waited for long.
fn later(permits: &Permits) {
    permits.lock().window = Duration::ZERO;
}

#[test]
fn whoever_asks_first_gets_a_free_permit() {
    let permits = permits(1);
    assert!(permits.try_acquire());
    assert!(!permits.try_acquire());
    let mut waiting = place(&permits);
    assert!((&mut waiting).now_or_never().is_none());
    permits.release();
    assert!(permits.try_acquire(), "the head has not waited for long");
    assert!((&mut waiting).now_or_never().is_none());
}

#[test]
fn who_has_waited_for_long_is_served_next() {
    let permits = permits(1);
    assert!(permits.try_acquire());
    let mut first = place(&permits);
    let mut second = place(&permits);
    assert!((&mut first).now_or_never().is_none());
    assert!((&mut second).now_or_never().is_none());
    later(&permits);
    permits.release();
    assert!(!permits.try_acquire());
    assert!((&mut second).now_or_never().is_none());
    assert!((&mut first).now_or_never().is_some());
}

#[test]
fn nothing_is_lost_by_those_who_leave() {
    let permits = permits(1);
    assert!(permits.try_acquire());
    let mut told = place(&permits);
    let mut next = place(&permits);
    assert!((&mut told).now_or_never().is_none());
    assert!((&mut next).now_or_never().is_none());
    permits.release();
    drop(told);
    assert!(
        (&mut next).now_or_never().is_some(),
        "the one behind gets it"
    );
    drop(next);
    permits.release();
    let mut handed = Box::pin(acquire(&permits));
    assert!((&mut handed).now_or_never().is_some());
    let mut late = place(&permits);
    assert!((&mut late).now_or_never().is_none());
    later(&permits);
    permits.release();
    drop(late);
    assert_eq!(
        permits.free(),
        1,
        "a permit that was handed over and not taken comes back"
    );
}

#[test]
fn whoever_has_a_permit_may_do_the_work_of_the_next_in_line() {
    let permits = permits(1);
    assert!(permits.try_acquire());
    let (mut first, mut second) = (place(&permits), place(&permits));
    assert_eq!(permits.take_over(first.ticket()), Turn::Yours);
    assert_eq!(permits.take_over(first.ticket()), Turn::Gone);
    #[cfg(feature = "async")]
    assert!(first.is_served() && !second.is_served());
    permits.release();
    assert!((&mut first).now_or_never().is_none(), "its work is done");
    assert!(!first.give_up());
    assert!((&mut second).now_or_never().is_some());
    assert_eq!(permits.take_over(second.ticket()), Turn::Gone);
    assert_eq!((permits.waiting(), permits.waits().count), (0, 2));
}

#[test]
fn nobody_is_passed_over_for_long() {
    let permits = permits(1);
    assert!(permits.try_acquire());
    let (first, second) = (place(&permits), place(&permits));
    assert_eq!(permits.take_over(second.ticket()), Turn::Yours);
    let third = place(&permits);
    later(&permits);
    assert_eq!(permits.take_over(third.ticket()), Turn::Theirs);
    assert_eq!(permits.take_over(first.ticket()), Turn::Yours);
    assert_eq!(permits.take_over(third.ticket()), Turn::Yours);
}

#[test]
fn a_permit_that_one_was_told_of_is_not_lost_when_its_work_is_taken_over() {
    let permits = permits(2);
    assert!(permits.try_acquire() && permits.try_acquire());
    let (mut told, mut next) = (place(&permits), place(&permits));
    assert!((&mut told).now_or_never().is_none());
    let woken = std::sync::Arc::new(AtomicBool::new(false));
    let waker = waker(&woken);
    assert!(
        Pin::new(&mut next)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    permits.release();
    assert_eq!(permits.take_over(told.ticket()), Turn::Yours);
    assert!(woken.load(Ordering::Acquire), "the next is told instead");
}

#[test]
fn a_permit_that_one_was_told_of_is_not_lost_when_it_is_handed_another() {
    let permits = permits(2);
    assert!(permits.try_acquire() && permits.try_acquire());
    let (mut told, mut next) = (place(&permits), place(&permits));
    assert!((&mut told).now_or_never().is_none());
    let woken = Arc::new(AtomicBool::new(false));
    let waker = waker(&woken);
    assert!(
        Pin::new(&mut next)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    permits.release();
    later(&permits);
    permits.release();
    assert!((&mut told).now_or_never().is_some());
    assert!(woken.load(Ordering::Acquire), "the other one is still free");
    assert!((&mut next).now_or_never().is_some());
}

struct Flag(Arc<AtomicBool>);

impl std::task::Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

fn waker(flag: &Arc<AtomicBool>) -> Waker {
    Arc::new(Flag(Arc::clone(flag))).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_waiters_all_come_to_their_turn() {
    let permits = Permits::new(3);
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let permits = Arc::clone(&permits);
            tokio::spawn(async move {
                for turn in 0..200 {
                    if turn % 7 == 3 {
                        let _given_up =
                            tokio::time::timeout(Duration::from_micros(50), acquire(&permits))
                                .await
                                .map(|()| permits.release());
                    } else {
                        acquire(&permits).await;
                        tokio::task::yield_now().await;
                        permits.release();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        tokio::time::timeout(Duration::from_mins(1), task)
            .await
            .unwrap()
            .unwrap();
    }
    assert_eq!(permits.free(), 3);
}
