//! A backend on a pool that the service owns: the service goes on using it.

use crate::support::{
    Database, elsewhere, eventually, execute, open, query, r2d2_pool, refused, sessions, sqlx_pool,
};
use futures_util::future::BoxFuture;
use pontoon::backend::{
    BackendKind, Budget, R2d2Backend, Settings, SqlxBackend, StorageBackend, TransactionOptions,
};
use pontoon::error::Wait;
use pontoon::sql::Params;
use pontoon::{ErrorKind, Result};
use std::sync::Arc;
use std::time::Duration;

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.acquire_timeout = Duration::from_secs(1);
    settings
}

/// What does not depend on whose pool it is: calls given up, errors and lost sessions leave the service a clean pool.
async fn mistreat(backend: &dyn StorageBackend, url: &str, budget: &Budget) -> Result<()> {
    let slow = query("SELECT pg_sleep(0.2)");
    for _ in 0..5 {
        let call = backend.execute(&slow, Params::none());
        let _given_up = tokio::time::timeout(Duration::from_millis(20), call).await;
        drop(backend.begin(TransactionOptions::default()).await?);
        refused(backend.execute(&query("SELECT 1/0"), Params::none()).await);
        drop(
            backend
                .fetch(&query("SELECT generate_series(1, 1000000)"), Params::none())
                .await?,
        );
    }
    eventually("every permit comes back", || budget.in_use() == 0).await;
    eventually("no transaction stays open", || {
        sessions(url, "state LIKE 'idle in tr%'") == 0
    })
    .await;
    execute(
        url,
        &[
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        ],
    );
    for _ in 0..10 {
        backend.ping().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_service_goes_on_using_its_r2d2_pool() -> Result<()> {
    let database = Database::create();
    let pool = r2d2_pool(&database.url);
    let budget = Budget::new(4);
    let backend = Arc::new(R2d2Backend::from_pool(
        pool.clone(),
        settings(),
        Arc::clone(&budget),
    ));
    mistreat(&*backend, &database.url, &budget).await?;
    let service = pool.clone();
    // The service holds every connection: the backend waits, and says for what.
    let held = elsewhere(move || (0..4).map(|_| service.get().unwrap()).collect::<Vec<_>>());
    let held = held.await.unwrap();
    let error = refused(backend.ping().await);
    assert_eq!(error.kind(), ErrorKind::Timeout(Wait::Pool), "{error:?}");
    elsewhere(move || drop(held)).await.unwrap();
    backend.ping().await?;
    backend.close().await;
    drop(backend);
    let rows = elsewhere(move || {
        let mut client = pool.get().unwrap();
        let row = client.query_one("SELECT 42", &[]).unwrap();
        drop(client);
        drop(pool);
        row.get::<_, i32>(0)
    });
    assert_eq!(
        rows.await.unwrap(),
        42,
        "closing the backend left the service its pool"
    );
    Ok(())
}

#[tokio::test]
async fn the_service_goes_on_using_its_sqlx_pool() -> Result<()> {
    let database = Database::create();
    let pool = sqlx_pool(&database.url);
    let budget = Budget::new(4);
    let backend = SqlxBackend::from_pool(pool.clone(), settings(), Arc::clone(&budget));
    mistreat(&backend, &database.url, &budget).await?;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(pool.acquire().await.unwrap());
    }
    let error = refused(backend.ping().await);
    assert_eq!(error.kind(), ErrorKind::Timeout(Wait::Pool), "{error:?}");
    drop(held);
    backend.ping().await?;
    backend.close().await;
    assert_eq!(refused(backend.ping().await).kind(), ErrorKind::Closed);
    let answer: i32 = sqlx::query_scalar("SELECT 42")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(answer, 42, "closing the backend left the service its pool");
    let other = SqlxBackend::from_pool(pool.clone(), settings(), budget);
    pool.close().await;
    assert_eq!(refused(other.ping().await).kind(), ErrorKind::Closed);
    Ok(())
}

/// The sessions of the service's pool, by the server's number for each.
fn service_sessions(url: &str) -> Vec<String> {
    execute(
        url,
        &[
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pontoon (blocking)' ORDER BY pid",
        ],
    )
}

#[tokio::test]
async fn an_idle_r2d2_pool_of_the_service_is_left_alone() -> Result<()> {
    let database = Database::create();
    let mut settings = settings();
    settings.idle_timeout = Duration::from_millis(1);
    settings.floor = 0;
    let used = r2d2_pool(&database.url);
    let backend = R2d2Backend::from_pool(used.clone(), settings.clone(), Budget::new(4));
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(backend.begin(TransactionOptions::default()).await?);
    }
    drop(held);
    eventually("all are idle", || used.state().idle_connections == 3).await;
    let before = service_sessions(&database.url);
    assert_eq!(before.len(), 3);
    // Another pool, which nobody has used: a floor is no reason to open what the service did not ask for.
    let other = Database::create();
    let unused = r2d2_pool(&other.url);
    settings.floor = 2;
    let beside = R2d2Backend::from_pool(unused.clone(), settings, Budget::new(4));
    // Longer than a backend leaves connections of its own unlooked at.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(service_sessions(&database.url), before);
    assert_eq!(backend.keep_alive().await, 3, "idle connections are pinged");
    assert_eq!(service_sessions(&database.url), before);
    assert_eq!(beside.keep_alive().await, 0);
    assert_eq!(unused.state().connections, 0);
    elsewhere(move || drop((used, unused, backend, beside)))
        .await
        .unwrap();
    Ok(())
}

#[tokio::test]
async fn a_service_pool_gives_no_connection_for_a_slot_that_it_does_not_hold() -> Result<()> {
    let (database, other) = (Database::create(), Database::create());
    let budget = Budget::new(1);
    let pool = r2d2_pool(&database.url);
    let handed = R2d2Backend::from_pool(pool.clone(), settings(), Arc::clone(&budget));
    handed.ping().await?;
    let before = service_sessions(&database.url);
    assert_eq!(before.len(), 1);
    // The one slot goes from one backend to the other, each time with its connection.
    let own = BackendKind::ALL.map(|kind| open(kind, &other.url, Settings::default(), &budget));
    for round in 0..6 {
        own[round % 2].ping().await?;
        assert_eq!(service_sessions(&database.url), before);
    }
    for backend in &own {
        backend.close().await;
    }
    elsewhere(move || drop((pool, handed))).await.unwrap();
    Ok(())
}

/// A call that writes a row, as a caller makes it.
type Write = for<'a> fn(&'a dyn StorageBackend, &'a str) -> BoxFuture<'a, Result<()>>;

const WRITES: [Write; 3] = [
    |backend, sql| Box::pin(async { backend.execute(&query(sql), Params::none()).await.map(drop) }),
    |backend, sql| Box::pin(async { backend.fetch(&query(sql), Params::none()).await.map(drop) }),
    |backend, sql| {
        Box::pin(async {
            let mut transaction = backend.begin(TransactionOptions::default()).await?;
            transaction.execute(&query(sql), Params::none()).await?;
            transaction.commit().await
        })
    },
];

#[tokio::test]
async fn a_call_given_up_while_it_waits_for_a_connection_is_never_sent() -> Result<()> {
    let database = Database::create();
    execute(&database.url, &["CREATE TABLE t (id int)"]);
    let pool = r2d2_pool(&database.url);
    let budget = Budget::new(4);
    let backend = R2d2Backend::from_pool(pool.clone(), Settings::default(), Arc::clone(&budget));
    for write in WRITES {
        let service = pool.clone();
        let held = elsewhere(move || (0..4).map(|_| service.get().unwrap()).collect::<Vec<_>>());
        let held = held.await.unwrap();
        let call = write(&backend, "INSERT INTO t VALUES (1) RETURNING id");
        let given_up = tokio::time::timeout(Duration::from_millis(50), call).await;
        assert!(given_up.is_err(), "every connection is the service's");
        elsewhere(move || drop(held)).await.unwrap();
        eventually("the permit comes back", || budget.in_use() == 0).await;
    }
    let rows = execute(&database.url, &["SELECT count(*) FROM t"]);
    assert_eq!(rows, ["0"]);
    elsewhere(move || drop((pool, backend))).await.unwrap();
    Ok(())
}
