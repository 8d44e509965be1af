//! The last step: everybody was async for long enough. The pool, the bridge and the flag go, and with them `r2d2` and `postgres`; the
//! service's own code stays as it was since the first step.
//!
//! `DATABASE_URL=postgres://localhost/postgres cargo run --example step_3_async_only --no-default-features --features async`

use pontoon::backend::{Budget, Settings, SqlxBackend, StorageBackend, StorageBackendExt, Target};
use pontoon::{params, sql::Query};
use std::error::Error;
use std::sync::Arc;

type Failure = Box<dyn Error + Send + Sync>;

const CREATE: &str =
    "CREATE TABLE IF NOT EXISTS page_visits (page text PRIMARY KEY, visits bigint NOT NULL)";
const RECORD: &str = "INSERT INTO page_visits VALUES ($1, 1) \
     ON CONFLICT (page) DO UPDATE SET visits = page_visits.visits + 1 RETURNING visits";

/// The service.
#[derive(Debug, Clone)]
struct Visits {
    backend: Arc<dyn StorageBackend>,
    record: Query,
}

impl Visits {
    fn new(backend: Arc<dyn StorageBackend>) -> Result<Self, Failure> {
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
    let backend = SqlxBackend::new(&Target::parse(url)?, Settings::default(), Budget::new(4))?;
    let visits = Visits::new(Arc::new(backend))?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let create = Query::numbered("visits/create", CREATE)?;
        visits.backend.execute(&create, params![]).await?;
        let count = visits.record("/").await?;
        visits.backend.close().await;
        Ok(count)
    })
}

#[expect(clippy::print_stdout, reason = "what it shows is its purpose")]
fn main() -> Result<(), Failure> {
    let count = run(&std::env::var("DATABASE_URL")?)?;
    println!("visits of /: {count}");
    Ok(())
}
