//! Writers whose sessions are ended at random: what was acknowledged is there, and nothing is there twice.

use crate::support::{Bench, elsewhere, execute, on_each_backend, open, query};
use futures_util::future::join_all;
use pontoon::backend::{BackendKind, Settings, StorageBackend, TransactionOptions};
use pontoon::{Result, params};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

on_each_backend!(
    every_acknowledged_insert_is_there_once,
    every_acknowledged_insert_over_tcp_is_there_once,
);

async fn every_acknowledged_insert_is_there_once(kind: BackendKind) -> Result<()> {
    let bench = Bench::of(kind, Settings::default());
    acknowledged_once(&bench, &bench.backend).await?;
    bench.is_sound().await;
    Ok(())
}

async fn every_acknowledged_insert_over_tcp_is_there_once(kind: BackendKind) -> Result<()> {
    let bench = Bench::of(kind, Settings::default());
    let url = &bench.database.tcp_url;
    let backend = open(kind, url, Settings::default(), &bench.budget);
    acknowledged_once(&bench, &backend).await?;
    backend.close().await;
    Ok(())
}

/// Writers while their sessions are ended at random.
async fn acknowledged_once(bench: &Bench, backend: &Arc<dyn StorageBackend>) -> Result<()> {
    const EACH: i64 = 50;
    const ENDED: usize = 40;
    bench.beside(&["CREATE TABLE t (id int8)"]);
    let stop = Arc::new(AtomicBool::new(false));
    let ended = Arc::new(AtomicUsize::new(0));
    let (url, stopped) = (bench.database.tcp_url.clone(), Arc::clone(&stop));
    let count = Arc::clone(&ended);
    let ending = elsewhere(move || {
        let one = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name LIKE 'pontoon%' ORDER BY random() LIMIT 1";
        while !stopped.load(Ordering::Relaxed) {
            count.fetch_add(execute(&url, &[one]).len(), Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let writers = (0..32_i64).map(|writer| {
        let (backend, ended) = (Arc::clone(backend), Arc::clone(&ended));
        tokio::spawn(async move {
            let insert = query("INSERT INTO t VALUES ($1)");
            let mut acknowledged = Vec::new();
            let mut n = 0;
            while n < EACH || ended.load(Ordering::Relaxed) < ENDED {
                let id = writer * 1_000_000 + n;
                n += 1;
                let written = if n % 4 == 0 {
                    async {
                        let mut transaction = backend.begin(TransactionOptions::default()).await?;
                        transaction.execute(&insert, params![id]).await?;
                        transaction.commit().await
                    }
                    .await
                } else {
                    backend.execute(&insert, params![id]).await.map(drop)
                };
                if written.is_ok() {
                    acknowledged.push(id);
                }
            }
            acknowledged
        })
    });
    let acknowledged: Vec<i64> = join_all(writers)
        .await
        .into_iter()
        .flat_map(Result::unwrap)
        .collect();
    stop.store(true, Ordering::Relaxed);
    ending.await.unwrap();
    let there: Vec<i64> = bench
        .beside(&["SELECT id FROM t ORDER BY id"])
        .iter()
        .map(|id| id.parse().unwrap())
        .collect();
    assert!(
        there.windows(2).all(|pair| pair[0] < pair[1]),
        "a row is there twice"
    );
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|id| there.binary_search(id).is_err())
        .collect();
    assert!(lost.is_empty(), "acknowledged and not there: {lost:?}");
    assert!(
        acknowledged.len() * 2 > there.len(),
        "most are acknowledged"
    );
    Ok(())
}
