//! The bridge's share of the shortest query there is, on a real server.

use pontoon::backend::{
    BackendKind, Budget, R2d2Backend, Settings, SqlxBackend, StorageBackend, Target,
};
use pontoon::sql::Query;
use pontoon::{Bridge, Flags, params};
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROUNDS: usize = 300;

/// Calls of one turn: few, so that a round is over before the machine changes its pace.
const CALLS: u32 = 50;

/// Medians over the rounds, for one client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Added {
    /// The microseconds of a call without the bridge.
    pub(crate) direct: f64,
    /// How many more it takes through the bridge.
    pub(crate) more: f64,
    /// The same, as a share of the call.
    pub(crate) share: f64,
}

/// One backend, on the same connection with the bridge and without, in turns.
pub(crate) async fn measure(url: &str, kind: BackendKind) -> pontoon::Result<Added> {
    let target = Target::parse(url)?;
    let (settings, budget) = (Settings::default(), Budget::new(1));
    let (direct, bridge): (Arc<dyn StorageBackend>, _) = match kind {
        BackendKind::Blocking => {
            let backend = R2d2Backend::new(&target, settings, budget)?;
            (Arc::new(backend.clone()), over(url, backend, kind)?)
        }
        BackendKind::Async => {
            let backend = SqlxBackend::new(&target, settings, budget)?;
            (Arc::new(backend.clone()), over(url, backend, kind)?)
        }
    };
    let query = Query::numbered("bench/one", "SELECT 1")?;
    let bridge: Arc<dyn StorageBackend> = Arc::new(bridge);
    turn(&*direct, &query).await?;
    let (mut alone, mut more, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (without, with) = if round % 2 == 0 {
            let without = turn(&*direct, &query).await?;
            (without, turn(&*bridge, &query).await?)
        } else {
            let with = turn(&*bridge, &query).await?;
            (turn(&*direct, &query).await?, with)
        };
        alone.push(without);
        more.push(with - without);
        shares.push(with / without - 1.0);
    }
    direct.close().await;
    Ok(Added {
        direct: median(alone),
        more: median(more),
        share: median(shares),
    })
}

fn over(url: &str, backend: impl StorageBackend, kind: BackendKind) -> pontoon::Result<Bridge> {
    Bridge::builder(url)
        .with_backend(backend)
        .flags(Flags::fixed(kind))
        .build()
}

/// The microseconds of a call.
async fn turn(backend: &dyn StorageBackend, query: &Query) -> pontoon::Result<f64> {
    let start = Instant::now();
    for _ in 0..CALLS {
        std::hint::black_box(backend.fetch_optional(query, params![]).await?);
    }
    Ok(micros(start.elapsed()) / f64::from(CALLS))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
