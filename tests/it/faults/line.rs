//! Calls in line: under load a connection goes from caller to caller, and somebody else does the work.

use crate::support::{Bench, Database, eventually, execute, on_each_backend, open, query, refused};
use futures_util::FutureExt;
use pontoon::backend::{BackendKind, Budget, Settings, StorageBackendExt, TransactionOptions};
use pontoon::sql::Params;
use pontoon::{ErrorKind, Result};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

on_each_backend!(
    each_caller_gets_its_own_answer,
    nobody_who_waits_elsewhere_is_passed_over,
    a_call_given_up_in_the_middle_takes_nobody_along,
    those_in_line_are_told_when_the_backend_closes,
    a_connection_that_goes_from_caller_to_caller_grows_no_older,
);

fn hundred_callers(bench: &Bench) -> JoinSet<Result<()>> {
    let mut callers = JoinSet::new();
    for caller in 0..100_i64 {
        let backend = Arc::clone(&bench.backend);
        callers.spawn(async move {
            for turn in 0..50 {
                let number = caller * 1000 + turn;
                if turn % 7 == 3 {
                    let wrong = query(&format!("SELECT {number} / 0"));
                    let error = refused(backend.execute(&wrong, Params::none()).await);
                    assert_eq!(error.sqlstate(), Some("22012"), "{error:?}");
                }
                let row = backend
                    .fetch_one(&query(&format!("SELECT {number}::int8")), Params::none())
                    .await?;
                assert_eq!(row.at::<i64>(0)?, number);
            }
            Ok(())
        });
    }
    callers
}

async fn all_end(mut callers: JoinSet<Result<()>>) -> Result<()> {
    let ends = async {
        while let Some(ended) = callers.join_next().await {
            ended.expect("a caller does not panic")?;
        }
        Ok(())
    };
    timeout(Duration::from_mins(2), ends)
        .await
        .expect("everybody comes to their turn")
}

async fn each_caller_gets_its_own_answer(kind: BackendKind) -> Result<()> {
    let bench = Bench::of(kind, Settings::default());
    all_end(hundred_callers(&bench)).await?;
    bench.is_sound().await;
    Ok(())
}

async fn nobody_who_waits_elsewhere_is_passed_over(kind: BackendKind) -> Result<()> {
    let bench = Bench::of(kind, Settings::default());
    let other = open(
        kind,
        &bench.database.url,
        Settings::default(),
        &bench.budget,
    );
    let callers = hundred_callers(&bench);
    let one = query("SELECT 1");
    let elsewhere = async {
        for _ in 0..20 {
            let transaction = bench.backend.begin(TransactionOptions::default()).await?;
            transaction.commit().await?;
            other.execute(&one, Params::none()).await?;
        }
        Ok::<_, pontoon::Error>(())
    };
    timeout(Duration::from_mins(1), elsewhere)
        .await
        .expect("transactions and the other backend get their permits too")?;
    all_end(callers).await?;
    other.close().await;
    bench.is_sound().await;
    Ok(())
}

async fn a_call_given_up_in_the_middle_takes_nobody_along(kind: BackendKind) -> Result<()> {
    let bench = Bench::of(kind, Settings::default());
    let mut callers = JoinSet::new();
    for caller in 0..60_u64 {
        let backend = Arc::clone(&bench.backend);
        callers.spawn(async move {
            let call = async {
                backend
                    .execute(&query("SELECT pg_sleep(0.05)"), Params::none())
                    .await
            };
            if caller % 3 == 0 {
                // Some wait still, some are under way by then.
                let _given_up = timeout(Duration::from_millis(5 * caller), call).await;
            } else {
                assert_eq!(call.await?, 1);
            }
            Ok(())
        });
    }
    all_end(callers).await?;
    bench.is_sound().await;
    Ok(())
}

async fn those_in_line_are_told_when_the_backend_closes(kind: BackendKind) -> Result<()> {
    let bench = Bench::of(kind, Settings::default());
    let mut callers = JoinSet::new();
    for _ in 0..60 {
        let backend = Arc::clone(&bench.backend);
        callers.spawn(async move {
            let slow = query("SELECT pg_sleep(0.1)");
            match backend.execute(&slow, Params::none()).await {
                Err(error) if error.kind() != ErrorKind::Closed => Err(error),
                _ => Ok(()),
            }
        });
    }
    eventually("some wait", || bench.budget.waiting() > 0).await;
    let closing = timeout(Duration::from_mins(1), bench.backend.close()).await;
    closing.expect("closing ends");
    all_end(callers).await?;
    assert_eq!((bench.budget.in_use(), bench.budget.waiting()), (0, 0));
    Ok(())
}

async fn a_connection_that_goes_from_caller_to_caller_grows_no_older(
    kind: BackendKind,
) -> Result<()> {
    let mut settings = Settings::default();
    settings.max_lifetime = Duration::from_millis(500);
    let bench = Bench::of(kind, Settings::default());
    // One permit, which goes from call to call for as long as somebody is in line.
    let budget = Budget::new(1);
    let backend = open(kind, &bench.database.url, settings, &budget);
    let busy = Arc::new(AtomicBool::new(true));
    let mut callers = JoinSet::new();
    for _ in 0..16 {
        let (backend, busy) = (Arc::clone(&backend), Arc::clone(&busy));
        callers.spawn(async move {
            while busy.load(Ordering::Relaxed) {
                backend
                    .execute(&query("SELECT pg_sleep(0.001)"), Params::none())
                    .await?;
            }
            Ok(())
        });
    }
    eventually("it is open", || bench.pids().len() == 1).await;
    // More often than an idle connection is looked at.
    let mut seen = HashSet::new();
    eventually("it is replaced again and again under load", || {
        seen.extend(bench.pids());
        seen.len() > 8
    })
    .await;
    eventually("callers wait", || budget.waiting() > 0).await;
    busy.store(false, Ordering::Relaxed);
    all_end(callers).await?;
    backend.close().await;
    Ok(())
}

/// On one thread, where whoever took the call over has not begun it yet.
#[tokio::test]
async fn a_call_given_up_when_it_was_taken_over_is_never_sent() -> Result<()> {
    let database = Database::create();
    execute(&database.url, &["CREATE TABLE t (n int)"]);
    let budget = Budget::new(1);
    let backend = open(
        BackendKind::Async,
        &database.url,
        Settings::default(),
        &budget,
    );
    let (insert, none) = (query("INSERT INTO t VALUES (1)"), Params::none);
    for _ in 0..10 {
        let slow = query("SELECT pg_sleep(0.05)");
        let mut first = backend.execute(&slow, none());
        assert!((&mut first).now_or_never().is_none());
        let mut second = backend.execute(&insert, none());
        assert!((&mut second).now_or_never().is_none(), "it is in line");
        first.await?;
        drop(second);
        backend.ping().await?;
    }
    let row = backend
        .fetch_one(&query("SELECT count(*) FROM t"), none())
        .await?;
    assert_eq!(row.at::<i64>(0)?, 0);
    backend.close().await;
    Ok(())
}
