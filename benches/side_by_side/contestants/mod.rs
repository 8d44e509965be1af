//! Who takes part: each reads every column that it selects.

mod deadpool;
mod ours;
mod r2d2;
mod sqlx;

use self::deadpool::Deadpool;
use self::r2d2::{R2d2, Where};
use self::sqlx::{Sqlx, Thin};
use crate::load::Workload;
use async_trait::async_trait;
use ours::Ours;
use pontoon::backend::BackendKind;

pub(crate) const POINT: &str =
    "SELECT id, number, ratio, flag, label, body, at, note FROM bench WHERE id = $1";
pub(crate) const HUNDRED: &str = "SELECT id, number, ratio, flag, label, body, at, note FROM bench WHERE id > $1 ORDER BY id LIMIT 100";
pub(crate) const INSERT: &str =
    "INSERT INTO bench_insert (number, label) VALUES ($1, 'a label of some length')";
pub(crate) const UPDATE: &str = "UPDATE bench SET number = number + 1 WHERE id = $1";
pub(crate) const SLOW: &str = "SELECT pg_sleep(0.01)";

/// Somebody who can do each workload.
#[async_trait]
pub(crate) trait Contestant: Send + Sync {
    fn name(&self) -> &'static str;
    async fn call(&self, workload: Workload, id: i64);
}

/// Everybody, the one that ratios are taken to first. Built anew for each round, so that nobody profits from an older pool.
pub(crate) async fn contestants(url: &str, workload: Workload) -> Vec<Box<dyn Contestant>> {
    let mut all: Vec<Box<dyn Contestant>> = vec![
        Box::new(Deadpool::new(url)),
        Box::new(Ours::bridge(
            "pontoon, async through the bridge",
            url,
            BackendKind::Async,
        )),
        Box::new(Ours::bare(
            "pontoon, async without the bridge",
            url,
            BackendKind::Async,
        )),
        Box::new(Sqlx::new(url).await),
        Box::new(Ours::bridge(
            "pontoon, blocking through the bridge",
            url,
            BackendKind::Blocking,
        )),
        Box::new(R2d2::new(
            "r2d2_postgres in spawn_blocking, defaults",
            url,
            Where::SpawnBlocking,
        )),
    ];
    if workload == Workload::Point {
        all.push(Box::new(Thin::new(url)));
    }
    if workload == Workload::Mixed {
        all.push(Box::new(R2d2::new(
            "r2d2_postgres called on the executor",
            url,
            Where::Executor,
        )));
    }
    all
}
