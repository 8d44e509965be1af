//! Servers that go away and come back, and sessions that somebody ends.

use crate::support::{
    Bench, Heartbeat, elsewhere, eventually, on_each_backend, open, own_server, query, refused,
    sessions,
};
use futures_util::future::{join_all, try_join_all};
use pontoon::backend::{
    BackendKind, Budget, Settings, StorageBackend, StorageBackendExt, TransactionOptions,
};
use pontoon::embedded::{Embedded, Options};
use pontoon::error::Wait;
use pontoon::sql::Params;
use pontoon::{ErrorKind, Result, params};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

on_each_backend!(
    killed_under_load_it_is_used_again_once_it_is_back,
    a_restart_between_calls_is_not_noticed,
    a_restart_between_calls_over_tcp_is_not_noticed,
    idle_sessions_that_were_ended_are_not_noticed,
    a_statement_that_was_ended_is_not_run_again,
    a_procedure_that_was_ended_is_not_run_again,
    a_frozen_server_stalls_no_executor,
);

const TOTAL: usize = 6;

fn server() -> Options {
    Embedded::options().ephemeral().tcp().max_connections(30)
}

/// Uses every connection at once, so that all are open afterwards.
async fn all_open(backend: &dyn StorageBackend) -> Result<()> {
    let mut held = Vec::new();
    for _ in 0..TOTAL {
        held.push(backend.begin(TransactionOptions::default()).await?);
    }
    for transaction in held {
        transaction.rollback().await?;
    }
    eventually("all are idle", || backend.pool_status().idle == TOTAL).await;
    Ok(())
}

async fn killed_under_load_it_is_used_again_once_it_is_back(kind: BackendKind) -> Result<()> {
    let mut server = own_server(server());
    let budget = Budget::new(TOTAL);
    let backend = open(kind, &server.url("postgres"), Settings::default(), &budget);
    backend
        .execute(&query("CREATE TABLE t (id int)"), Params::none())
        .await?;
    all_open(&*backend).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let (done, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let tasks: Vec<_> = (0..32)
        .map(|n| {
            let (backend, stop) = (Arc::clone(&backend), Arc::clone(&stop));
            let (done, failed) = (Arc::clone(&done), Arc::clone(&failed));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let result = match n % 3 {
                        0 => backend
                            .execute(&query("INSERT INTO t VALUES (1)"), Params::none())
                            .await
                            .map(drop),
                        1 => backend
                            .fetch_all(&query("SELECT 1 FROM pg_sleep(0.001)"), Params::none())
                            .await
                            .map(drop),
                        _ => {
                            async {
                                let mut transaction =
                                    backend.begin(TransactionOptions::default()).await?;
                                transaction
                                    .execute(
                                        &query("UPDATE t SET id = 2 WHERE false"),
                                        Params::none(),
                                    )
                                    .await?;
                                transaction.commit().await
                            }
                            .await
                        }
                    };
                    match result {
                        Ok(()) => done.fetch_add(1, Ordering::Relaxed),
                        Err(error) => {
                            let expected = [
                                ErrorKind::Connection,
                                ErrorKind::Unreachable,
                                ErrorKind::OutcomeUnknown,
                            ];
                            assert!(
                                expected.contains(&error.kind())
                                    || matches!(error.kind(), ErrorKind::Timeout(_)),
                                "{error:?}"
                            );
                            failed.fetch_add(1, Ordering::Relaxed)
                        }
                    };
                }
            })
        })
        .collect();
    eventually("it is under load", || done.load(Ordering::Relaxed) > 200).await;
    let server = elsewhere(move || {
        server.kill().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        server.restart().unwrap();
        server
    });
    let server = server.await.unwrap();
    assert!(
        failed.load(Ordering::Relaxed) > 0,
        "calls that ran were lost"
    );
    // Tries that began while it was away end within their limit.
    let before = done.load(Ordering::Relaxed);
    eventually("the callers go on", || {
        done.load(Ordering::Relaxed) > before + 200
    })
    .await;
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    for result in join_all((0..100).map(|_| backend.ping())).await {
        result?;
    }
    eventually("every permit comes back", || budget.in_use() == 0).await;
    assert!(sessions(&server.url("postgres"), "true") <= TOTAL);
    backend.close().await;
    Ok(())
}

async fn a_restart_between_calls_is_not_noticed(kind: BackendKind) -> Result<()> {
    restart_between_calls(kind, |server| server.url("postgres")).await
}

async fn a_restart_between_calls_over_tcp_is_not_noticed(kind: BackendKind) -> Result<()> {
    restart_between_calls(kind, |server| {
        server.tcp_url("postgres").expect("it listens on TCP")
    })
    .await
}

async fn restart_between_calls(kind: BackendKind, url: fn(&Embedded) -> String) -> Result<()> {
    let mut server = own_server(server());
    let budget = Budget::new(TOTAL);
    let backend = open(kind, &url(&server), Settings::default(), &budget);
    backend
        .execute(&query("CREATE TABLE t (id int)"), Params::none())
        .await?;
    let insert = query("INSERT INTO t VALUES ($1)");
    for round in 0..3 {
        all_open(&*backend).await?;
        server = elsewhere(move || {
            server.restart().unwrap();
            server
        })
        .await
        .unwrap();
        match round {
            0 => drop(try_join_all((0..20).map(|n| backend.execute(&insert, params![n]))).await?),
            1 => {
                let mut transaction = backend.begin(TransactionOptions::default()).await?;
                transaction.execute(&insert, params![20]).await?;
                transaction.commit().await?;
            }
            _ => {
                backend.ping().await?;
                drop(
                    backend
                        .fetch(&query("SELECT * FROM t"), Params::none())
                        .await?,
                );
            }
        }
    }
    let count = query("SELECT count(*) AS n, count(DISTINCT id) AS d FROM t");
    let row = backend.fetch_one(&count, Params::none()).await?;
    assert_eq!((row.get::<i64>("n")?, row.get::<i64>("d")?), (21, 21));
    backend.close().await;
    Ok(())
}

const OTHERS: &str = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

async fn idle_sessions_that_were_ended_are_not_noticed(kind: BackendKind) -> Result<()> {
    let bench = Bench::of(kind, Settings::default());
    for url in [&bench.database.url, &bench.database.tcp_url] {
        let backend = open(kind, url, Settings::default(), &Budget::new(TOTAL));
        for _ in 0..3 {
            all_open(&*backend).await?;
            bench.beside(&[OTHERS]);
            try_join_all((0..4 * TOTAL).map(|_| backend.ping())).await?;
            all_open(&*backend).await?;
            bench.beside(&[OTHERS]);
            let one = query("SELECT 1");
            try_join_all((0..4 * TOTAL).map(|_| backend.execute(&one, Params::none()))).await?;
        }
        backend.close().await;
    }
    Ok(())
}

async fn a_statement_that_was_ended_is_not_run_again(kind: BackendKind) -> Result<()> {
    let bench = Bench::of(kind, Settings::default());
    bench.beside(&["CREATE SEQUENCE s"]);
    let backend = Arc::clone(&bench.backend);
    let running = tokio::spawn(async move {
        let slow = query("SELECT nextval('s'), pg_sleep(20)");
        backend.execute(&slow, Params::none()).await
    });
    eventually("it runs", || bench.sessions("wait_event = 'PgSleep'") == 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    bench.beside(&[OTHERS]);
    let error = refused(running.await.unwrap());
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    assert_eq!(bench.beside(&["SELECT last_value FROM s"]), ["1"]);
    bench.is_sound().await;
    Ok(())
}

/// What a procedure committed before its session ended stays: running it again would do it twice.
async fn a_procedure_that_was_ended_is_not_run_again(kind: BackendKind) -> Result<()> {
    let bench = Bench::of(kind, Settings::default());
    bench.beside(&[
        "CREATE TABLE t (id int)",
        "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN \
             INSERT INTO t VALUES (1); COMMIT; PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); END $$",
    ]);
    for (sql, rows) in [("CALL p()", 1), ("DO 'BEGIN CALL p(); END'", 2)] {
        let error = refused(bench.count(sql).await);
        assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
        assert_eq!(bench.beside(&["SELECT id FROM t"]).len(), rows);
    }
    bench.is_sound().await;
    Ok(())
}

async fn a_frozen_server_stalls_no_executor(kind: BackendKind) -> Result<()> {
    let mut settings = Settings::default();
    settings.answer_timeout = Duration::from_millis(500);
    settings.acquire_timeout = Duration::from_millis(500);
    let server = own_server(server());
    let budget = Budget::new(TOTAL);
    let backend = open(kind, &server.url("postgres"), settings, &budget);
    all_open(&*backend).await?;
    let heartbeat = Heartbeat::start();
    server.freeze();
    let frozen = Instant::now();
    while frozen.elapsed() < Duration::from_secs(5) {
        let one = query("SELECT 1");
        let calls = join_all((0..3 * TOTAL).map(|_| backend.execute(&one, Params::none())));
        for result in calls.await {
            let error = refused(result);
            let named =
                [Wait::Answer, Wait::Permit, Wait::Open, Wait::Pool].map(ErrorKind::Timeout);
            assert!(named.contains(&error.kind()), "{error:?}");
            assert!(error.to_string().contains("waited 500ms for"), "{error}");
        }
    }
    server.thaw();
    let (_, latest) = heartbeat.stop();
    assert!(
        latest < Duration::from_secs(1),
        "the executor stood still for {latest:?}"
    );
    eventually("every permit comes back", || budget.in_use() == 0).await;
    eventually("the budget holds", || {
        sessions(&server.url("postgres"), "true") <= TOTAL
    })
    .await;
    for result in join_all((0..50).map(|_| backend.ping())).await {
        result?;
    }
    backend.close().await;
    Ok(())
}
