//! What the bridge costs around a call: a backend that answers at once, called directly and through the bridge.

use crate::report::Group;
use async_trait::async_trait;
use criterion::Criterion;
use pontoon::backend::{
    BackendKind, Description, PoolStatus, StorageBackend, StorageTransaction, TransactionOptions,
};
use pontoon::flags::Key;
use pontoon::sql::{Params, Query, Row, RowStream};
use pontoon::{Bridge, Error, ErrorKind, Flags, Result, params};
use std::hint::black_box;

/// Answers at once, with nothing.
#[derive(Debug)]
struct Instant(BackendKind);

#[async_trait]
impl StorageBackend for Instant {
    fn kind(&self) -> BackendKind {
        self.0
    }

    async fn execute(&self, _: &Query, _: Params) -> Result<u64> {
        Ok(0)
    }

    async fn fetch_all(&self, _: &Query, _: Params) -> Result<Vec<Row>> {
        Ok(Vec::new())
    }

    async fn fetch_optional(&self, _: &Query, _: Params) -> Result<Option<Row>> {
        Ok(None)
    }

    async fn fetch(&self, _: &Query, _: Params) -> Result<RowStream> {
        Ok(Box::pin(futures_util::stream::empty()))
    }

    async fn begin(&self, _: TransactionOptions) -> Result<Box<dyn StorageTransaction>> {
        Err(Error::new(ErrorKind::Unsupported, "no transactions here"))
    }

    async fn describe(&self, _: &Query) -> Result<Description> {
        Err(Error::new(ErrorKind::Unsupported, "no statements here"))
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    async fn keep_alive(&self) -> usize {
        0
    }

    fn pool_status(&self) -> PoolStatus {
        PoolStatus::default()
    }

    async fn close(&self) {}
}

/// Each way to the backend.
pub(crate) fn measure(criterion: &mut Criterion) -> Group {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    let query = Query::numbered("bench/one", "SELECT 1").expect("the text is right");
    let direct = Instant(BackendKind::Async);
    let bridge = Bridge::builder("postgres:///unused")
        .with_backend(Instant(BackendKind::Blocking))
        .with_backend(Instant(BackendKind::Async))
        .flags(Flags::in_memory(50))
        .build()
        .expect("the bridge is right");
    let mut group = criterion.benchmark_group("bridge");
    let names = vec![
        "the backend alone",
        "through the bridge",
        "through a unit of work with a key",
    ];
    group.bench_function(names[0], |bench| {
        bench
            .to_async(&runtime)
            .iter(|| async { black_box(direct.fetch_optional(&query, params![]).await) });
    });
    group.bench_function(names[1], |bench| {
        bench
            .to_async(&runtime)
            .iter(|| async { black_box(bridge.fetch_optional(&query, params![]).await) });
    });
    group.bench_function(names[2], |bench| {
        bench.to_async(&runtime).iter(|| async {
            let unit = bridge.unit(Some(&Key::new(Some("tenant 7"), Some("session 11"))));
            black_box(unit.fetch_optional(&query, params![]).await)
        });
    });
    group.finish();
    ("bridge", names)
}
