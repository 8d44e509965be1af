//! A backend on a pool that the service owns: the service goes on using it.

use crate::support::{
    Database, elsewhere, eventually, execute, query, r2d2_pool, refused, sessions, sqlx_pool,
};
use pontoon::backend::{
    Budget, R2d2Backend, Settings, SqlxBackend, StorageBackend, TransactionOptions,
};
use pontoon::error::Wait;
use pontoon::sql::Params;
use pontoon::{ErrorKind, Result};
use std::sync::Arc;
use std::time::Duration;

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.acquire_timeout = Duration::from_millis(300);
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
