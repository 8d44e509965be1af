//! The tasks beside the service: idle connections are kept alive, the executor is watched, the recorder gets what nobody counts.

use crate::Bridge;
use crate::backend::{BackendKind, StorageBackend};
use crate::metrics::{ASYNC_SHARE, EXECUTOR_STALL, KEYLESS, POOL, POOL_WAITING, REVISION};
use metrics_exporter_prometheus::PrometheusHandle;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// How often idle connections are used, so that no firewall, pooler or sleeping database cuts them.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// A database that takes longer for nothing is told of.
const SLOW: Duration = Duration::from_secs(1);
/// How often gauges are set.
const GAUGES: Duration = Duration::from_secs(1);

/// The tasks; dropping it ends them.
#[derive(Debug)]
pub(super) struct Upkeep(
    #[expect(dead_code, reason = "held for its drop, which ends the tasks")] JoinSet<()>,
);

impl Upkeep {
    pub(super) fn start(bridge: &Bridge, recorder: PrometheusHandle) -> Self {
        let mut tasks = JoinSet::new();
        for kind in BackendKind::ALL {
            if let Some(backend) = bridge.backend(kind) {
                tasks.spawn(async move {
                    let mut tick = every(KEEP_ALIVE);
                    loop {
                        tick.tick().await;
                        keep_alive(&*backend).await;
                    }
                });
            }
        }
        tasks.spawn(bridge.stall().clone().watch());
        tasks.spawn(gauges(bridge.clone(), recorder));
        Self(tasks)
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut tick = interval(period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    tick
}

async fn keep_alive(backend: &dyn StorageBackend) {
    let (began, kind) = (Instant::now(), backend.kind());
    let alive = backend.keep_alive().await;
    let took_ms = began.elapsed().as_millis();
    if began.elapsed() > SLOW {
        tracing::warn!(
            alive,
            "keeping {alive} idle connections of the {kind} backend alive took {took_ms} ms"
        );
    } else {
        tracing::debug!(
            alive,
            "kept {alive} idle connections of the {kind} backend alive in {took_ms} ms"
        );
    }
}

/// Tells the recorder what is a state and no event.
async fn gauges(bridge: Bridge, recorder: PrometheusHandle) {
    let mut tick = every(GAUGES);
    loop {
        tick.tick().await;
        set_gauges(&bridge);
        // Without it histograms would keep every value until somebody asks.
        recorder.run_upkeep();
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and none of these numbers comes near its limits"
)]
fn set_gauges(bridge: &Bridge) {
    for (kind, side) in bridge.status() {
        let pool = side.pool;
        let idle = metrics::gauge!(POOL, "backend" => kind.as_str(), "state" => "idle");
        idle.set(pool.idle as f64);
        metrics::gauge!(POOL, "backend" => kind.as_str(), "state" => "in_use")
            .set(pool.in_use as f64);
        metrics::gauge!(POOL_WAITING, "backend" => kind.as_str()).set(pool.waiting as f64);
    }
    let stall = bridge.stall().percentiles();
    for (quantile, late) in [
        ("0.5", stall.p50_ms),
        ("0.95", stall.p95_ms),
        ("0.99", stall.p99_ms),
    ] {
        metrics::gauge!(EXECUTOR_STALL, "backend" => "bridge", "quantile" => quantile)
            .set(late / 1e3);
    }
    metrics::counter!(KEYLESS, "backend" => "bridge").absolute(bridge.flags().keyless());
    let flag = bridge.flags().snapshot();
    metrics::gauge!(ASYNC_SHARE, "backend" => "bridge").set(flag.share().as_percent() / 100.0);
    metrics::gauge!(REVISION, "backend" => "bridge").set(flag.revision() as f64);
}
