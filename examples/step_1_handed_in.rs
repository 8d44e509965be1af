//! The first step: the service keeps its pool and lends it to a backend. The queries that moved wait in line without a thread, and an
//! answer that does not come has a bound; those that did not move go on as before.
//!
//! `DATABASE_URL=postgres://localhost/postgres cargo run --example step_1_handed_in`

use pontoon::backend::{Budget, R2d2Backend, Settings, StorageBackend, StorageBackendExt};
use pontoon::{params, sql::Query};
use r2d2_postgres::PostgresConnectionManager;
use r2d2_postgres::postgres::NoTls;
use std::error::Error;
use std::sync::Arc;

type Failure = Box<dyn Error + Send + Sync>;

const CREATE: &str =
    "CREATE TABLE IF NOT EXISTS page_visits (page text PRIMARY KEY, visits bigint NOT NULL)";
const RECORD: &str = "INSERT INTO page_visits VALUES ($1, 1) \
     ON CONFLICT (page) DO UPDATE SET visits = page_visits.visits + 1 RETURNING visits";

/// The service: it no longer knows which driver is beneath.
#[derive(Debug, Clone)]
struct Visits {
    backend: Arc<dyn StorageBackend>,
    record: Query,
}

impl Visits {
    fn new(backend: Arc<dyn StorageBackend>) -> Result<Self, Failure> {
        // The text has `$1` already; `Query::new` takes `%s` and `%(name)s`.
        let record = Query::numbered("visits/record", RECORD)?;
        Ok(Self { backend, record })
    }

    /// Counts a visit, and gives how many there were.
    async fn record(&self, page: &str) -> Result<i64, Failure> {
        let row = self.backend.fetch_one(&self.record, params![page]).await?;
        Ok(row.get("visits")?)
    }
}

/// Counts one visit, and gives how many there were.
pub(crate) fn run(url: &str) -> Result<i64, Failure> {
    let manager = PostgresConnectionManager::new(url.parse()?, NoTls);
    let pool = r2d2::Pool::builder().max_size(4).build(manager)?;
    // What has not moved yet uses the same pool.
    pool.get()?.batch_execute(CREATE)?;
    let backend = R2d2Backend::from_pool(pool, Settings::default(), Budget::new(4));
    let visits = Visits::new(Arc::new(backend))?;
    tokio::runtime::Runtime::new()?.block_on(visits.record("/"))
}

#[expect(clippy::print_stdout, reason = "what it shows is its purpose")]
fn main() -> Result<(), Failure> {
    let count = run(&std::env::var("DATABASE_URL")?)?;
    println!("visits of /: {count}");
    Ok(())
}
