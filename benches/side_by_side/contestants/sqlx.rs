//! sqlx: its own pool, and its connections with the least around them.

use super::{Contestant, HUNDRED, INSERT, POINT, SLOW, UPDATE};
use crate::CONNECTIONS;
use crate::load::Workload;
use async_trait::async_trait;

/// sqlx's own pool, with its defaults.
pub(super) struct Sqlx(sqlx::PgPool);

impl Sqlx {
    pub(super) async fn new(url: &str) -> Self {
        use sqlx::ConnectOptions;
        let options: sqlx::postgres::PgConnectOptions = url.parse().expect("the URL is right");
        let options = options.disable_statement_logging();
        Self(
            sqlx::postgres::PgPoolOptions::new()
                .max_connections(u32::try_from(CONNECTIONS).expect("few"))
                .connect_with(options)
                .await
                .expect("the pool opens"),
        )
    }

    fn read(row: &sqlx::postgres::PgRow) {
        use sqlx::Row;
        std::hint::black_box((
            row.get::<i64, _>(0),
            row.get::<i32, _>(1),
            row.get::<f64, _>(2),
            row.get::<bool, _>(3),
            row.get::<String, _>(4),
            row.get::<String, _>(5),
            row.try_get_raw(6)
                .map_or(0, |raw| raw.as_bytes().map_or(0, <[u8]>::len)),
            row.get::<Option<String>, _>(7),
        ));
    }
}

#[async_trait]
impl Contestant for Sqlx {
    fn name(&self) -> &'static str {
        "sqlx PgPool, defaults"
    }

    async fn call(&self, workload: Workload, id: i64) {
        match workload {
            Workload::Mixed if id % 20 == 0 => drop(
                sqlx::query(SLOW)
                    .fetch_all(&self.0)
                    .await
                    .expect("it sleeps"),
            ),
            Workload::Point | Workload::Mixed => Self::read(
                &sqlx::query(POINT)
                    .bind(id)
                    .fetch_one(&self.0)
                    .await
                    .expect("it answers"),
            ),
            Workload::Hundred => sqlx::query(HUNDRED)
                .bind(id)
                .fetch_all(&self.0)
                .await
                .expect("it answers")
                .iter()
                .for_each(Self::read),
            Workload::Insert => drop(
                sqlx::query(INSERT)
                    .bind(id)
                    .execute(&self.0)
                    .await
                    .expect("it inserts"),
            ),
            Workload::Transaction => {
                let mut transaction = self.0.begin().await.expect("it begins");
                sqlx::query(UPDATE)
                    .bind(id)
                    .execute(&mut *transaction)
                    .await
                    .expect("it updates");
                Self::read(
                    &sqlx::query(POINT)
                        .bind(id)
                        .fetch_one(&mut *transaction)
                        .await
                        .expect("it answers"),
                );
                transaction.commit().await.expect("it commits");
            }
        }
    }
}

/// What sqlx gives with the least around it: a semaphore and a stack. It tests nothing, closes nothing, and knows one runtime.
pub(super) struct Thin {
    permits: tokio::sync::Semaphore,
    stack: std::sync::Mutex<Vec<sqlx::PgConnection>>,
    options: sqlx::postgres::PgConnectOptions,
}

impl Thin {
    pub(super) fn new(url: &str) -> Self {
        use sqlx::ConnectOptions;
        let options: sqlx::postgres::PgConnectOptions = url.parse().expect("the URL is right");
        Self {
            permits: tokio::sync::Semaphore::new(CONNECTIONS),
            stack: std::sync::Mutex::default(),
            options: options.disable_statement_logging(),
        }
    }
}

#[async_trait]
impl Contestant for Thin {
    fn name(&self) -> &'static str {
        "sqlx connections on a bare stack"
    }

    async fn call(&self, workload: Workload, id: i64) {
        use sqlx::ConnectOptions;
        assert!(workload == Workload::Point, "it takes part in one workload");
        let _permit = self.permits.acquire().await.expect("it is never closed");
        let idle = self.stack.lock().expect("no panic").pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.options.connect().await.expect("it opens"),
        };
        let row = sqlx::query(POINT)
            .bind(id)
            .fetch_one(&mut connection)
            .await
            .expect("it answers");
        self.stack.lock().expect("no panic").push(connection);
        Sqlx::read(&row);
    }
}
