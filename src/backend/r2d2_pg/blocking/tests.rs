use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A pool without connections, which counts how often all were suspected.
#[derive(Default)]
struct Suspects(AtomicUsize);

impl Pool for Suspects {
    fn get(&self, _: Duration, _: &Claim) -> Result<Box<dyn Held>> {
        Err(closed())
    }

    fn try_get(&self) -> Option<Box<dyn Held>> {
        None
    }

    fn suspect(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn figures(&self) -> (usize, usize) {
        (3, 3)
    }

    fn is_own(&self) -> bool {
        false
    }

    fn close(&self) {}

    fn is_open(&self) -> bool {
        false
    }
}

#[test]
fn a_connection_that_was_given_up_makes_no_other_suspect() {
    let pool = Suspects::default();
    let mut desk = Desk {
        pool: &pool,
        held: None,
        claim: Arc::default(),
    };
    desk.settle(Fate::Usable);
    desk.settle(Fate::Stale);
    assert_eq!(pool.0.load(Ordering::Relaxed), 0);
    desk.settle(Fate::Broken);
    desk.settle(Fate::NeverSent);
    assert_eq!(pool.0.load(Ordering::Relaxed), 2);
    assert!(desk.claim.give_up().is_none(), "it had no connection");
    desk.settle(Fate::Broken);
    assert_eq!(pool.0.load(Ordering::Relaxed), 2);
}

#[test]
fn a_pool_of_the_service_sheds_nothing() {
    let pool = Arc::new(Suspects::default());
    let blocking = Blocking::new(pool, Settings::default(), Budget::new(1));
    assert!(!blocking.shed(false) && !blocking.shed(true));
}
