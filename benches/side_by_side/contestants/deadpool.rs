//! tokio-postgres behind deadpool.

use super::{Contestant, HUNDRED, INSERT, POINT, SLOW, UPDATE};
use crate::CONNECTIONS;
use crate::load::Workload;
use async_trait::async_trait;
use std::time::SystemTime;

/// tokio-postgres behind deadpool, in its faster mode, with cached statements and no test before reuse.
pub(super) struct Deadpool(deadpool_postgres::Pool);

impl Deadpool {
    pub(super) fn new(url: &str) -> Self {
        use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
        let config: tokio_postgres::Config = url.parse().expect("the URL is right");
        let manager = Manager::from_config(
            config,
            tokio_postgres::NoTls,
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        let queue_mode = deadpool_postgres::QueueMode::Lifo;
        Self(
            Pool::builder(manager)
                .max_size(CONNECTIONS)
                .queue_mode(queue_mode)
                .build()
                .expect("the pool is right"),
        )
    }

    pub(super) fn read(row: &tokio_postgres::Row) {
        std::hint::black_box((
            row.get::<_, i64>(0),
            row.get::<_, i32>(1),
            row.get::<_, f64>(2),
            row.get::<_, bool>(3),
            row.get::<_, String>(4),
            row.get::<_, String>(5),
            row.get::<_, SystemTime>(6),
            row.get::<_, Option<String>>(7),
        ));
    }
}

#[async_trait]
impl Contestant for Deadpool {
    fn name(&self) -> &'static str {
        "tokio-postgres + deadpool (LIFO)"
    }

    async fn call(&self, workload: Workload, id: i64) {
        let mut client = self.0.get().await.expect("a connection");
        match workload {
            Workload::Mixed if id % 20 == 0 => {
                let slow = client.prepare_cached(SLOW).await.expect("it prepares");
                client.query(&slow, &[]).await.expect("it sleeps");
            }
            Workload::Point | Workload::Mixed => {
                let point = client.prepare_cached(POINT).await.expect("it prepares");
                Self::read(&client.query_one(&point, &[&id]).await.expect("it answers"));
            }
            Workload::Hundred => {
                let hundred = client.prepare_cached(HUNDRED).await.expect("it prepares");
                client
                    .query(&hundred, &[&id])
                    .await
                    .expect("it answers")
                    .iter()
                    .for_each(Self::read);
            }
            Workload::Insert => {
                let insert = client.prepare_cached(INSERT).await.expect("it prepares");
                client.execute(&insert, &[&id]).await.expect("it inserts");
            }
            Workload::Transaction => {
                let transaction = client.transaction().await.expect("it begins");
                let update = transaction
                    .prepare_cached(UPDATE)
                    .await
                    .expect("it prepares");
                let point = transaction
                    .prepare_cached(POINT)
                    .await
                    .expect("it prepares");
                transaction
                    .execute(&update, &[&id])
                    .await
                    .expect("it updates");
                Self::read(
                    &transaction
                        .query_one(&point, &[&id])
                        .await
                        .expect("it answers"),
                );
                transaction.commit().await.expect("it commits");
            }
        }
    }
}
