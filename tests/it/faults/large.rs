//! Many rows: they stall no other task, and those that stream take no memory.

use crate::support::{Bench, Heartbeat, alone, on_each_backend, open, peak_memory, query};
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use pontoon::backend::{BackendKind, Budget, Settings};
use pontoon::sql::Params;
use pontoon::{Result, params};
use std::sync::Arc;
use std::time::Duration;

on_each_backend!(many_rows_for_many_clients_stall_no_other_task);

async fn many_rows_for_many_clients_stall_no_other_task(kind: BackendKind) -> Result<()> {
    let bench = Bench::of(kind, Settings::default());
    bench.beside(&[
        "CREATE TABLE t AS SELECT g AS a, g::text AS b, g * 2 AS c, now() AS d, g % 2 = 0 AS e, \
         repeat('x', 50) AS f, g::float8 AS h, md5(g::text) AS i FROM generate_series(1, 100) g",
    ]);
    let all = query("SELECT * FROM t");
    let heartbeat = Heartbeat::start();
    let clients = (0..64).map(|_| {
        let (backend, all) = (Arc::clone(&bench.backend), all.clone());
        tokio::spawn(async move {
            for _ in 0..20 {
                let rows = backend.fetch_all(&all, Params::none()).await?;
                assert_eq!(rows.len(), 100);
                for (at, row) in rows.iter().enumerate() {
                    assert_eq!(row.values()?.len(), 8);
                    // Reading the values is the caller's own work, which a build without optimisation takes long for.
                    if at % 10 == 9 {
                        tokio::task::yield_now().await;
                    }
                }
            }
            Ok(())
        })
    });
    let ended: Vec<Result<()>> = try_join_all(clients).await.unwrap();
    ended.into_iter().collect::<Result<()>>()?;
    let (late, latest) = heartbeat.stop();
    assert!(
        late < Duration::from_millis(300),
        "99 of 100 beats were late by up to {late:?}, the latest by {latest:?}"
    );
    bench.backend.close().await;
    Ok(())
}

/// A million rows of about 100 bytes, in a process of its own.
fn stream_a_million(kind: BackendKind, url: &str) {
    const MOST: u64 = 64 << 20;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let backend = open(kind, url, Settings::default(), &Budget::new(2));
        backend.ping().await.unwrap();
        let before = peak_memory();
        let series = query("SELECT generate_series(1, $1) AS n, repeat('x', 100) AS filler");
        let mut rows = backend.fetch(&series, params![1_000_000]).await.unwrap();
        let (mut count, mut sum) = (0_i64, 0_i64);
        while let Some(row) = rows.next().await {
            sum += row.unwrap().get::<i64>("n").unwrap();
            count += 1;
            if count == 1000 {
                // A reader that pauses lets nothing pile up.
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }
        assert_eq!((count, sum), (1_000_000, 500_000_500_000));
        let more = peak_memory().saturating_sub(before);
        assert!(more < MOST, "{} MiB more", more >> 20);
        backend.close().await;
    });
}

#[test]
fn a_million_rows_stream_in_little_memory_when_blocking() {
    alone(
        concat!(
            module_path!(),
            "::a_million_rows_stream_in_little_memory_when_blocking"
        ),
        |url| {
            stream_a_million(BackendKind::Blocking, url);
        },
    );
}

#[test]
fn a_million_rows_stream_in_little_memory_when_async() {
    alone(
        concat!(
            module_path!(),
            "::a_million_rows_stream_in_little_memory_when_async"
        ),
        |url| {
            stream_a_million(BackendKind::Async, url);
        },
    );
}
