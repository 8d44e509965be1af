//! What must not differ: each statement gives the same values, the same text and the same error on every backend.

mod errors; // What the server, the codec and the contract refuse: every field of the error is compared.
mod values; // Every type that the codec knows, with its edges, as a result, a parameter and a column.

use crate::support::{Database, execute, open};
use pontoon::backend::{BackendKind, Budget, Settings, StorageBackend};
use std::sync::Arc;

/// Every backend on one database, with the types that the samples use.
struct Sides {
    backends: Vec<Arc<dyn StorageBackend>>,
    database: Database,
}

impl Sides {
    fn open() -> Self {
        let database = Database::create();
        let budget = Budget::new(4);
        let one = |kind| open(kind, &database.url, Settings::default(), &budget);
        let backends = BackendKind::ALL.into_iter().map(one).collect();
        execute(&database.url, &[include_str!("../samples/setup.sql")]);
        Self { backends, database }
    }

    async fn close(self) {
        for backend in &self.backends {
            backend.close().await;
        }
    }
}
