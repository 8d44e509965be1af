//! Takes a connection out of a runtime's pool, and waits where a server that is away or full may come back.

use super::super::link::closed;
use super::super::opening::Opener;
use crate::backend::Settings;
use crate::backend::failure::{is_away, waiting_helps};
use crate::error::{Error, Result, Wait};
use deadpool::managed::{self, Object, PoolError, Timeouts};
use futures_util::future::poll_immediate;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Takes a connection where there is one, or room for one: who has a permit need not wait, unless the upkeep has a connection.
pub(super) const AT_ONCE: Timeouts = Timeouts {
    wait: Some(Duration::ZERO),
    create: None,
    recycle: None,
};

/// A connection of the pool; while the server is away or full, it is tried again until the time to acquire one is over.
pub(super) async fn get(pool: &managed::Pool<Opener>) -> Result<Object<Opener>> {
    let mut object = pin!(pool.timeout_get(&AT_ONCE));
    let failed = match poll_immediate(object.as_mut()).await {
        Some(Ok(object)) => return Ok(object),
        Some(Err(error)) => Some(error),
        None => None,
    };
    // From here on it is rare, and a timer is worth its cost.
    let first = async {
        match failed {
            None => object.await,
            Some(PoolError::Timeout(_)) => pool.get().await,
            Some(error) => Err(error),
        }
    };
    Box::pin(get_again(pool, first)).await
}

async fn get_again(
    pool: &managed::Pool<Opener>,
    first: impl Future<Output = Result<Object<Opener>, PoolError<Error>>>,
) -> Result<Object<Opener>> {
    let Settings {
        acquire_timeout: limit,
        away_timeout: away,
        ..
    } = pool.manager().0.settings;
    let began = Instant::now();
    let deadline = began + limit;
    let mut last = match timeout(limit, first).await {
        Ok(Ok(object)) => return Ok(object),
        Ok(Err(error)) => error,
        Err(_) => return Err(Error::timeout(Wait::Open, limit)),
    };
    let mut pause = Duration::from_millis(20);
    loop {
        let PoolError::Backend(error) = last else {
            return Err(closed());
        };
        let given_up = is_away(&error) && began.elapsed() + pause >= away;
        if !waiting_helps(&error) || given_up || Instant::now() + pause >= deadline {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(250));
        let left = deadline.saturating_duration_since(Instant::now());
        match timeout(left, pool.get()).await {
            Ok(Ok(object)) => return Ok(object),
            Ok(Err(error)) => last = error,
            Err(_) => return Err(error),
        }
    }
}
