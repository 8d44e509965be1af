//! Pontoon: each backend, through the bridge and without it.

use super::{Contestant, HUNDRED, INSERT, POINT, SLOW, UPDATE};
use crate::CONNECTIONS;
use crate::load::Workload;
use async_trait::async_trait;
use pontoon::backend::{
    BackendKind, Budget, Settings, StorageBackend, Target, TransactionOptions, connect,
};
use pontoon::sql::{Query, Row, Timestamp};
use pontoon::{Bridge, Flags, params};
use std::sync::Arc;

/// Pontoon.
pub(super) struct Ours {
    name: &'static str,
    backend: Arc<dyn StorageBackend>,
    point: Query,
    hundred: Query,
    insert: Query,
    update: Query,
    slow: Query,
}

impl Ours {
    pub(super) fn bridge(name: &'static str, url: &str, kind: BackendKind) -> Self {
        let bridge = Bridge::builder(url)
            .budget(CONNECTIONS)
            .flags(Flags::fixed(kind))
            .build()
            .expect("the URL is right");
        Self::over(name, Arc::new(bridge))
    }

    pub(super) fn bare(name: &'static str, url: &str, kind: BackendKind) -> Self {
        let target = Target::parse(url).expect("the URL is right");
        Self::over(
            name,
            connect(kind, &target, Settings::default(), Budget::new(CONNECTIONS))
                .expect("the URL is right"),
        )
    }

    fn over(name: &'static str, backend: Arc<dyn StorageBackend>) -> Self {
        let query = |name, text| Query::numbered(name, text).expect("the text is right");
        Self {
            name,
            backend,
            point: query("bench/point", POINT),
            hundred: query("bench/hundred", HUNDRED),
            insert: query("bench/insert", INSERT),
            update: query("bench/update", UPDATE),
            slow: query("bench/slow", SLOW),
        }
    }

    fn read(row: &Row) {
        std::hint::black_box((
            row.at::<i64>(0).expect("a bigint"),
            row.at::<i32>(1).expect("an integer"),
            row.at::<f64>(2).expect("a float"),
            row.at::<bool>(3).expect("a bool"),
            row.at::<String>(4).expect("text"),
            row.at::<String>(5).expect("text"),
            row.at::<Timestamp>(6).expect("a timestamp"),
            row.at::<Option<String>>(7).expect("text or NULL"),
        ));
    }
}

#[async_trait]
impl Contestant for Ours {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn call(&self, workload: Workload, id: i64) {
        match workload {
            Workload::Mixed if id % 20 == 0 => drop(
                self.backend
                    .fetch_all(&self.slow, params![])
                    .await
                    .expect("it sleeps"),
            ),
            Workload::Point | Workload::Mixed => {
                let row = self
                    .backend
                    .fetch_optional(&self.point, params![id])
                    .await
                    .expect("it answers");
                Self::read(&row.expect("the row is there"));
            }
            Workload::Hundred => {
                let rows = self
                    .backend
                    .fetch_all(&self.hundred, params![id])
                    .await
                    .expect("it answers");
                rows.iter().for_each(Self::read);
            }
            Workload::Insert => drop(
                self.backend
                    .execute(&self.insert, params![id])
                    .await
                    .expect("it inserts"),
            ),
            Workload::Transaction => {
                let mut transaction = self
                    .backend
                    .begin(TransactionOptions::default())
                    .await
                    .expect("it begins");
                transaction
                    .execute(&self.update, params![id])
                    .await
                    .expect("it updates");
                let row = transaction
                    .fetch_optional(&self.point, params![id])
                    .await
                    .expect("it answers");
                Self::read(&row.expect("the row is there"));
                transaction.commit().await.expect("it commits");
            }
        }
    }
}
