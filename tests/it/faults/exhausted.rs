//! Too few connections: the server's, when somebody else has them, and the budget's, when two backends share it.

use crate::support::{
    Database, elsewhere, eventually, execute, on_each_backend, open, own_server, query, refused,
    sessions,
};
use futures_util::future::{join_all, try_join_all};
use pontoon::backend::{BackendKind, Budget, Settings, TransactionOptions};
use pontoon::embedded::Embedded;
use pontoon::sql::Params;
use pontoon::{ErrorKind, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

on_each_backend!(a_full_server_is_told_and_used_once_it_has_room);

async fn a_full_server_is_told_and_used_once_it_has_room(kind: BackendKind) -> Result<()> {
    // Three of them are kept for superusers, which the tests are: a role of its own sees the server full.
    let server = own_server(Embedded::options().ephemeral().max_connections(8));
    let admin = server.url("postgres");
    execute(&admin, &["CREATE ROLE guest LOGIN"]);
    let url = admin.replace("user=postgres", "user=guest");
    let mut settings = Settings::default();
    settings.acquire_timeout = Duration::from_secs(2);
    let hog = open(kind, &url, Settings::default(), &Budget::new(5));
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(hog.begin(TransactionOptions::default()).await?);
    }
    let last = open(kind, &url, Settings::default(), &Budget::new(1));
    last.ping().await?;
    let budget = Budget::new(4);
    let backend = open(kind, &url, settings, &budget);
    let one = query("SELECT 1");
    // As many as there are permits: each is told of the server, none of the budget.
    for result in join_all((0..4).map(|_| backend.execute(&one, Params::none()))).await {
        let error = refused(result);
        assert_eq!(
            (error.kind(), error.sqlstate()),
            (ErrorKind::Unreachable, Some("53300")),
            "{error:?}"
        );
        assert!(error.is_retryable());
        assert_eq!(error.query(), Some("test/query"));
    }
    eventually("nothing is held", || {
        (budget.in_use(), budget.open()) == (0, 0)
    })
    .await;
    // One comes free while a caller waits.
    let (waiting, ()) = tokio::join!(backend.ping(), last.close());
    waiting?;
    drop(held);
    hog.close().await;
    try_join_all((0..20).map(|_| backend.ping())).await?;
    eventually("every permit comes back", || budget.in_use() == 0).await;
    backend.close().await;
    Ok(())
}

/// The load moves from one backend to the other and back: the server never sees more connections than the budget has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_backends_never_open_more_than_their_budget() -> Result<()> {
    const TOTAL: usize = 4;
    let database = Database::create();
    let budget = Budget::new(TOTAL);
    let backends =
        BackendKind::ALL.map(|kind| open(kind, &database.url, Settings::default(), &budget));
    let (watching, most) = (
        Arc::new(AtomicBool::new(true)),
        Arc::new(AtomicUsize::new(0)),
    );
    let watcher = {
        let (url, watching, most) = (
            database.url.clone(),
            Arc::clone(&watching),
            Arc::clone(&most),
        );
        elsewhere(move || {
            while watching.load(Ordering::Relaxed) {
                let look = || sessions(&url, "application_name LIKE 'pontoon%'");
                let first = look();
                // The server takes a moment to end a session whose connection was closed; what stays is one too many.
                std::thread::sleep(Duration::from_millis(250));
                most.fetch_max(first.min(look()), Ordering::Relaxed);
            }
        })
    };
    for round in 0..6 {
        let backend = &backends[round % 2];
        let calls = (0..120).map(|n| async move {
            if n % 4 == 0 {
                let mut transaction = backend.begin(TransactionOptions::default()).await?;
                transaction
                    .execute(&query("SELECT pg_sleep(0.002)"), Params::none())
                    .await?;
                return transaction.commit().await;
            }
            backend
                .execute(&query("SELECT pg_sleep(0.001)"), Params::none())
                .await
                .map(drop)
        });
        try_join_all(calls).await?;
        // Both at once, for a moment.
        let both = backends
            .iter()
            .flat_map(|backend| (0..30).map(|_| backend.ping()));
        try_join_all(both).await?;
        assert!(budget.open() <= TOTAL);
    }
    watching.store(false, Ordering::Relaxed);
    watcher.await.unwrap();
    let most = most.load(Ordering::Relaxed);
    assert!((1..=TOTAL).contains(&most), "{most} connections were open");
    for backend in &backends {
        backend.close().await;
    }
    assert_eq!((budget.in_use(), budget.open()), (0, 0));
    Ok(())
}
