//! Keeps connections alive and warm, and closes those that were idle for too long.

use super::super::handed;
use super::super::opening::Opener;
use super::taking::AT_ONCE;
use super::{Local, Pools};
use crate::backend::Settings;
use crate::backend::budget::Permit;
use deadpool::managed::{self, Object};
use futures_util::future::join_all;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::runtime::Id;
use tokio::time::timeout;

/// How often a pool looks for connections that were idle for too long.
const LOOK: Duration = Duration::from_secs(5);

impl Pools {
    /// Pings the connections of this runtime that are idle, opens what the floor lacks, and gives how many answered.
    pub(in super::super) async fn keep_alive(self: &Arc<Self>) -> usize {
        let Ok(handle) = self.runtime() else { return 0 };
        if let Some(pool) = &self.handed {
            return handed::keep_alive(pool, &self.opening.budget, &self.opening.settings).await;
        }
        let Local { pool, .. } = self.local(&handle);
        let limit = self.opening.settings.open_timeout;
        let pings = self
            .take_idle(&pool)
            .await
            .into_iter()
            .map(async |(mut object, permit)| {
                let answered = matches!(timeout(limit, object.link().ping()).await, Ok(Ok(())));
                if !answered {
                    drop(Object::take(object));
                }
                drop(permit);
                answered
            });
        let alive = join_all(pings)
            .await
            .into_iter()
            .filter(|answered| *answered)
            .count();
        self.warm(&pool).await;
        alive
    }

    /// Every idle connection, each with a permit, so that nobody opens one too many meanwhile.
    async fn take_idle(&self, pool: &managed::Pool<Opener>) -> Vec<(Object<Opener>, Permit)> {
        let mut taken = Vec::new();
        for _ in 0..pool.status().available {
            let Some(permit) = self.opening.budget.try_acquire() else {
                break;
            };
            let Ok(object) = pool.timeout_get(&AT_ONCE).await else {
                break;
            };
            taken.push((object, permit));
        }
        taken
    }

    /// Opens connections up to the floor.
    async fn warm(&self, pool: &managed::Pool<Opener>) {
        let floor = self.opening.settings.floor.min(self.opening.budget.total());
        let mut opened = Vec::new();
        while pool.status().size < floor && opened.len() < floor {
            match pool.get().await {
                Ok(object) => opened.push(object),
                Err(_) => return,
            }
        }
    }
}

/// Keeps a runtime's pool registered: dropped when the runtime ends, it takes the pool along.
pub(super) struct Registered {
    pub(super) pools: Weak<Pools>,
    pub(super) id: Id,
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let Some(pools) = self.pools.upgrade() {
            pools.write().retain(|local| local.id != self.id);
        }
    }
}

/// Closes the connections above the floor that were idle for too long, and keeps the floor warm, until the backend or the runtime ends.
pub(super) async fn look_after(registered: Registered) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(pools) = registered.pools.upgrade() else {
            return;
        };
        let Some(pool) = pools
            .read()
            .iter()
            .find(|local| local.id == registered.id)
            .map(|local| local.pool.clone())
        else {
            return;
        };
        let Settings {
            floor,
            idle_timeout,
            ..
        } = pools.opening.settings;
        let mut may_go = pool.status().size.saturating_sub(floor);
        let result = pool.retain(|pooled, _| {
            let keep = may_go == 0 || pooled.idle() < idle_timeout;
            may_go -= usize::from(!keep);
            keep
        });
        for pooled in result.removed {
            pooled.close().await;
        }
        pools.warm(&pool).await;
    }
}
