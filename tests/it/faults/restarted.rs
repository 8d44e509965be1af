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
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
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

/// Callers that go on whatever happens, and what became of their calls.
#[derive(Default)]
struct Load {
    stop: AtomicBool,
    done: AtomicUsize,
    /// When the calls that failed began.
    failed: Mutex<Vec<Instant>>,
}

impl Load {
    async fn go_on(&self, backend: &dyn StorageBackend, kind: usize) {
        while !self.stop.load(Ordering::Relaxed) {
            let began = Instant::now();
            let Err(error) = call(backend, kind).await else {
                self.done.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            let expected = [
                ErrorKind::Connection,
                ErrorKind::Unreachable,
                ErrorKind::OutcomeUnknown,
            ];
            let timeout = matches!(error.kind(), ErrorKind::Timeout(_));
            assert!(expected.contains(&error.kind()) || timeout, "{error:?}");
            self.failed.lock().unwrap().push(began);
        }
    }

    /// Calls that ended well in that time.
    async fn in_a_while(&self, time: Duration) -> usize {
        let before = self.done.load(Ordering::Relaxed);
        tokio::time::sleep(time).await;
        self.done.load(Ordering::Relaxed) - before
    }
}

/// A write, a read or a transaction.
async fn call(backend: &dyn StorageBackend, kind: usize) -> Result<()> {
    let none = Params::none;
    match kind % 3 {
        0 => {
            let insert = query("INSERT INTO t VALUES (1)");
            backend.execute(&insert, none()).await.map(drop)
        }
        1 => {
            let read = query("SELECT 1 FROM pg_sleep(0.001)");
            backend.fetch_all(&read, none()).await.map(drop)
        }
        _ => {
            let mut transaction = backend.begin(TransactionOptions::default()).await?;
            let update = query("UPDATE t SET id = 2 WHERE false");
            transaction.execute(&update, none()).await?;
            transaction.commit().await
        }
    }
}

async fn killed_under_load_it_is_used_again_once_it_is_back(kind: BackendKind) -> Result<()> {
    let mut server = own_server(server());
    let budget = Budget::new(TOTAL);
    let backend = open(kind, &server.url("postgres"), Settings::default(), &budget);
    backend
        .execute(&query("CREATE TABLE t (id int)"), Params::none())
        .await?;
    all_open(&*backend).await?;
    let load = Arc::new(Load::default());
    let callers: Vec<_> = (0..32)
        .map(|kind| {
            let (backend, load) = (Arc::clone(&backend), Arc::clone(&load));
            tokio::spawn(async move { load.go_on(&*backend, kind).await })
        })
        .collect();
    eventually("it is under load", || {
        load.done.load(Ordering::Relaxed) > 200
    })
    .await;
    let window = Duration::from_millis(500);
    let before = load.in_a_while(window).await;
    let server = elsewhere(move || {
        server.kill().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        server.restart().unwrap();
        server
    });
    let server = server.await.unwrap();
    let back = Instant::now();
    let settled = back + Duration::from_secs(1);
    // A bound against a standstill, since others use this machine too.
    while load.in_a_while(window).await < before / 2 || settled.elapsed() < window {
        assert!(back.elapsed() < Duration::from_secs(20), "it stays slow");
    }
    load.stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
    let failed = load.failed.lock().unwrap().clone();
    // Until then a caller may be told of a try to open a connection that began before.
    let late = failed.iter().filter(|began| **began > settled).count();
    assert_eq!(late, 0, "calls failed that began long after it was back");
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
    let recovered = async {
        // Half a second may be short for a connection to open, where others use this machine too.
        while try_join_all((0..50).map(|_| backend.ping())).await.is_err() {}
    };
    let recovered = tokio::time::timeout(Duration::from_secs(20), recovered).await;
    recovered.expect("all callers are served again");
    backend.close().await;
    Ok(())
}
