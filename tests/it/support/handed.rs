//! Pools as a service has them already, handed to a backend.

use super::TOTAL;
use pontoon::backend::{Budget, R2d2Backend, Settings, SqlxBackend, StorageBackend};
use r2d2_postgres::PostgresConnectionManager;
use r2d2_postgres::postgres::NoTls;
use sqlx::postgres::PgPoolOptions;
use std::sync::Arc;

/// What the service's pools set for themselves: what a backend sets on connections of its own.
const SETTINGS: &str = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1; \
    SET statement_timeout = '30s'; SET idle_in_transaction_session_timeout = '1min'; SET client_connection_check_interval = '5s'";

pub(crate) type ServicePool = r2d2::Pool<PostgresConnectionManager<NoTls>>;

#[derive(Debug)]
struct Customize;

impl r2d2::CustomizeConnection<postgres::Client, postgres::Error> for Customize {
    fn on_acquire(&self, client: &mut postgres::Client) -> Result<(), postgres::Error> {
        client.batch_execute(SETTINGS)
    }
}

/// A service's pool of r2d2's, of the size that benches have.
pub(crate) fn r2d2_pool(url: &str) -> ServicePool {
    let config = format!("{url}&application_name=pontoon%20(blocking)");
    let manager = PostgresConnectionManager::new(config.parse().unwrap(), NoTls);
    r2d2::Pool::builder()
        .max_size(u32::try_from(TOTAL).unwrap())
        .min_idle(Some(0))
        .connection_customizer(Box::new(Customize))
        .build_unchecked(manager)
}

/// A service's pool of sqlx's, of the size that benches have.
pub(crate) fn sqlx_pool(url: &str) -> sqlx::PgPool {
    PgPoolOptions::new()
        .max_connections(u32::try_from(TOTAL).unwrap())
        .after_connect(|connection, _| {
            Box::pin(async move { sqlx::raw_sql(SETTINGS).execute(connection).await.map(drop) })
        })
        .connect_lazy_with(options(url))
}

fn options(url: &str) -> sqlx::postgres::PgConnectOptions {
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    options.application_name("pontoon (async)")
}

/// The blocking backend on a pool of the service.
pub(crate) fn blocking_on_a_service_pool(
    url: &str,
    settings: Settings,
    budget: &Arc<Budget>,
) -> Arc<dyn StorageBackend> {
    Arc::new(R2d2Backend::from_pool(
        r2d2_pool(url),
        settings,
        Arc::clone(budget),
    ))
}

/// The async backend on a pool of the service.
pub(crate) fn sqlx_on_a_service_pool(
    url: &str,
    settings: Settings,
    budget: &Arc<Budget>,
) -> Arc<dyn StorageBackend> {
    Arc::new(SqlxBackend::from_pool(
        sqlx_pool(url),
        settings,
        Arc::clone(budget),
    ))
}
