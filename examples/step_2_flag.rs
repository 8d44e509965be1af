//! The second step: the async backend stands beside the pool, and the flag decides for each unit of work.
//!
//! `DATABASE_URL=postgres://localhost/postgres USE_ASYNC_DB=50% cargo run --example step_2_flag`

use pontoon::backend::{Budget, R2d2Backend, Settings, StorageBackend, StorageBackendExt};
use pontoon::config::Switch;
use pontoon::flags::{Flags, Key};
use pontoon::{Bridge, params, sql::Query};
use r2d2_postgres::PostgresConnectionManager;
use r2d2_postgres::postgres::NoTls;
use std::error::Error;

type Failure = Box<dyn Error + Send + Sync>;

const CREATE: &str =
    "CREATE TABLE IF NOT EXISTS page_visits (page text PRIMARY KEY, visits bigint NOT NULL)";
const RECORD: &str = "INSERT INTO page_visits VALUES ($1, 1) \
     ON CONFLICT (page) DO UPDATE SET visits = page_visits.visits + 1 RETURNING visits";

/// The service: each call is a unit of work, decided by who asks.
#[derive(Debug, Clone)]
struct Visits {
    bridge: Bridge,
    record: Query,
}

impl Visits {
    fn new(bridge: Bridge) -> Result<Self, Failure> {
        let record = Query::numbered("visits/record", RECORD)?;
        Ok(Self { bridge, record })
    }

    /// Counts a visit, and gives how many there were and which backend counted.
    async fn record(&self, tenant: &str, page: &str) -> Result<(i64, &'static str), Failure> {
        let unit = self.bridge.unit(Some(&Key::tenant(tenant)));
        let row = unit.fetch_one(&self.record, params![page]).await?;
        Ok((row.get("visits")?, unit.kind().as_str()))
    }
}

/// Both backends, on one budget: the pool that the service has, and a new one.
fn bridge(url: &str, flags: Flags) -> Result<Bridge, Failure> {
    let manager = PostgresConnectionManager::new(url.parse()?, NoTls);
    let pool = r2d2::Pool::builder().max_size(4).build(manager)?;
    pool.get()?.batch_execute(CREATE)?;
    let budget = Budget::new(4);
    let blocking = R2d2Backend::from_pool(pool, Settings::default(), budget.clone());
    let bridge = Bridge::builder(url)
        .shared_budget(budget)
        .with_backend(blocking);
    Ok(bridge.flags(flags).build()?)
}

/// Counts one visit of each tenant, and gives what each was told. A file at `kill_file` makes everything blocking.
pub(crate) fn run(
    url: &str,
    use_async_db: Switch,
    kill_file: &str,
) -> Result<Vec<(i64, &'static str)>, Failure> {
    let flags = Flags::builder()
        .use_async_db(use_async_db)
        .kill_file(kill_file)
        .build()?;
    // A service keeps the watch as long as it runs: it looks for the kill file.
    let _watch = flags.watch()?;
    let visits = Visits::new(bridge(url, flags)?)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut told = Vec::new();
        for tenant in ["acme", "globex", "initech", "umbrella"] {
            told.push(visits.record(tenant, "/").await?);
        }
        visits.bridge.close().await;
        Ok(told)
    })
}

#[expect(clippy::print_stdout, reason = "what it shows is its purpose")]
fn main() -> Result<(), Failure> {
    let switch = std::env::var("USE_ASYNC_DB").map_or(Ok(Switch::Auto), |text| text.parse())?;
    for (count, backend) in run(&std::env::var("DATABASE_URL")?, switch, "rollback")? {
        println!("visits of /: {count}, counted by the {backend} backend");
    }
    Ok(())
}
