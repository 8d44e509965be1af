//! Several Tokio runtimes, one after the other and at once, and backends that are dropped anywhere.

use crate::support::{Database, open, query, sessions};
use futures_util::FutureExt;
use futures_util::future::try_join_all;
use pontoon::backend::{
    BackendKind, Budget, Settings, StorageBackend, StorageBackendExt, TransactionOptions,
};
use pontoon::sql::Params;
use pontoon::{Result, params};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

const TOTAL: usize = 4;

fn runtimes() -> [Runtime; 2] {
    [
        Builder::new_current_thread().enable_all().build().unwrap(),
        Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap(),
    ]
}

/// Some calls of each sort.
async fn calls(backend: &dyn StorageBackend) -> Result<()> {
    let one = query("SELECT $1::int8 AS n");
    let rows = try_join_all((0..20_i64).map(|n| backend.fetch_one(&one, params![n]))).await?;
    assert_eq!(rows[7].get::<i64>("n")?, 7);
    let mut transaction = backend.begin(TransactionOptions::default()).await?;
    transaction
        .execute(&query("SELECT 1"), Params::none())
        .await?;
    transaction.commit().await?;
    drop(backend.begin(TransactionOptions::default()).await?);
    drop(
        backend
            .fetch(&query("SELECT generate_series(1, 10000)"), Params::none())
            .await?,
    );
    backend.ping().await
}

fn each(test: impl Fn(BackendKind, &Database)) {
    for kind in BackendKind::ALL {
        test(kind, &Database::create());
    }
}

fn ends(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn one_runtime_after_the_other_uses_a_backend() {
    each(|kind, database| {
        let budget = Budget::new(TOTAL);
        let backend = open(kind, &database.url, Settings::default(), &budget);
        for _ in 0..5 {
            for runtime in runtimes() {
                runtime.block_on(calls(&*backend)).unwrap();
            }
            ends("every permit comes back", || budget.in_use() == 0);
        }
        assert!(sessions(&database.url, "true") <= TOTAL);
        let [last, _] = runtimes();
        last.block_on(async {
            calls(&*backend).await.unwrap();
            backend.close().await;
        });
        ends("every connection is closed", || {
            budget.open() == 0 && sessions(&database.url, "true") == 0
        });
    });
}

#[test]
fn several_runtimes_at_once_use_a_backend() {
    each(|kind, database| {
        let budget = Budget::new(TOTAL);
        let backend = open(kind, &database.url, Settings::default(), &budget);
        thread::scope(|scope| {
            for n in 0..4 {
                let backend = &backend;
                scope.spawn(move || {
                    let [single, multi] = runtimes();
                    let runtime = if n % 2 == 0 { single } else { multi };
                    for _ in 0..20 {
                        runtime.block_on(calls(&**backend)).unwrap();
                    }
                });
            }
        });
        ends("every permit comes back", || budget.in_use() == 0);
        assert!(budget.open() <= TOTAL);
        let [runtime, _] = runtimes();
        runtime.block_on(backend.close());
        ends("every connection is closed", || budget.open() == 0);
    });
}

/// Calls the backend where it is dropped.
struct Late(Arc<dyn StorageBackend>);

impl Drop for Late {
    fn drop(&mut self) {
        drop(self.0.ping().now_or_never());
    }
}

#[test]
fn a_first_call_on_a_runtime_that_ends_comes_back() {
    each(|kind, database| {
        let budget = Budget::new(TOTAL);
        let backend = open(kind, &database.url, Settings::default(), &budget);
        let late = Late(Arc::clone(&backend));
        let (ended, end) = mpsc::channel();
        drop(thread::spawn(move || {
            let [_, runtime] = runtimes();
            drop(runtime.spawn(async move {
                let _late = late;
                std::future::pending::<()>().await;
            }));
            drop(runtime);
            ended.send(()).unwrap();
        }));
        end.recv_timeout(Duration::from_secs(20))
            .expect("the runtime ends");
        ends("every permit comes back", || budget.in_use() == 0);
        let [runtime, _] = runtimes();
        runtime.block_on(calls(&*backend)).unwrap();
        runtime.block_on(backend.close());
    });
}

#[test]
fn a_runtime_that_ends_with_calls_under_way_costs_nothing() {
    each(|kind, database| {
        let budget = Budget::new(TOTAL);
        let backend = open(kind, &database.url, Settings::default(), &budget);
        for _ in 0..3 {
            let [_, runtime] = runtimes();
            runtime.block_on(backend.ping()).unwrap();
            for n in 0..2 * TOTAL {
                let backend = Arc::clone(&backend);
                drop(runtime.spawn(async move {
                    let mut transaction = backend.begin(TransactionOptions::default()).await?;
                    let slow = query("SELECT pg_sleep(0.3)");
                    if n % 2 == 0 {
                        transaction.execute(&slow, Params::none()).await?;
                    }
                    std::future::pending::<Result<()>>().await
                }));
            }
            ends("they run", || {
                sessions(&database.url, "state <> 'idle'") > 0
            });
            runtime.shutdown_background();
        }
        ends("every permit comes back", || budget.in_use() == 0);
        ends("no transaction stays open", || {
            sessions(&database.url, "state LIKE 'idle in tr%'") == 0
        });
        let [runtime, _] = runtimes();
        runtime.block_on(calls(&*backend)).unwrap();
        runtime.block_on(backend.close());
    });
}

#[test]
fn what_is_dropped_anywhere_panics_nowhere() {
    each(|kind, database| {
        let budget = Budget::new(TOTAL);
        let fresh = || open(kind, &database.url, Settings::default(), &budget);
        // Within a runtime of either sort, with idle connections.
        for runtime in runtimes() {
            runtime.block_on(async {
                let backend = fresh();
                calls(&*backend).await.unwrap();
                drop(backend);
                let backend = fresh();
                calls(&*backend).await.unwrap();
                tokio::spawn(async move { drop(backend) }).await.unwrap();
            });
        }
        // Outside of one, after it ended, and without any call.
        for runtime in runtimes() {
            let backend = fresh();
            runtime.block_on(calls(&*backend)).unwrap();
            drop(runtime);
            drop(backend);
        }
        drop(fresh());
        // A transaction and a stream that outlive their runtime, and the backend.
        for runtime in runtimes() {
            let backend = fresh();
            let series = query("SELECT generate_series(1, 100000)");
            let transaction = runtime
                .block_on(backend.begin(TransactionOptions::default()))
                .unwrap();
            let rows = runtime
                .block_on(backend.fetch(&series, Params::none()))
                .unwrap();
            drop(backend);
            drop(runtime);
            drop(transaction);
            drop(rows);
        }
        ends("every permit comes back", || budget.in_use() == 0);
        ends("every connection is closed", || {
            budget.open() == 0 && sessions(&database.url, "true") == 0
        });
    });
}

#[test]
fn a_transaction_dropped_outside_of_a_runtime_is_rolled_back() {
    each(|kind, database| {
        let budget = Budget::new(TOTAL);
        let backend = open(kind, &database.url, Settings::default(), &budget);
        let [runtime, _] = runtimes();
        let mut transaction = runtime
            .block_on(backend.begin(TransactionOptions::default()))
            .unwrap();
        let create = query("CREATE TABLE t ()");
        runtime
            .block_on(transaction.execute(&create, Params::none()))
            .unwrap();
        drop(transaction);
        ends("every permit comes back", || budget.in_use() == 0);
        ends("no transaction stays open", || {
            sessions(&database.url, "state LIKE 'idle in tr%'") == 0
        });
        runtime
            .block_on(backend.execute(&create, Params::none()))
            .unwrap();
        runtime.block_on(backend.close());
    });
}
