//! Where a service starts: its own r2d2 pool, and a hop to a blocking thread around each query.
//!
//! `DATABASE_URL=postgres://localhost/postgres cargo run --example step_0_r2d2`

use r2d2_postgres::PostgresConnectionManager;
use r2d2_postgres::postgres::NoTls;
use std::error::Error;

type Failure = Box<dyn Error + Send + Sync>;
type Pool = r2d2::Pool<PostgresConnectionManager<NoTls>>;

const CREATE: &str =
    "CREATE TABLE IF NOT EXISTS page_visits (page text PRIMARY KEY, visits bigint NOT NULL)";
const RECORD: &str = "INSERT INTO page_visits VALUES ($1, 1) \
     ON CONFLICT (page) DO UPDATE SET visits = page_visits.visits + 1 RETURNING visits";

/// The service: it counts the visits of pages.
#[derive(Debug, Clone)]
struct Visits {
    pool: Pool,
}

impl Visits {
    /// Counts a visit, and gives how many there were.
    async fn record(&self, page: &str) -> Result<i64, Failure> {
        let (pool, page) = (self.pool.clone(), page.to_owned());
        let work = move || {
            let mut client = pool.get()?;
            Ok(client.query_one(RECORD, &[&page])?.try_get("visits")?)
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "so most services do it, before the first step"
        )]
        let task = tokio::task::spawn_blocking(work);
        task.await?
    }
}

/// Counts one visit, and gives how many there were.
pub(crate) fn run(url: &str) -> Result<i64, Failure> {
    let manager = PostgresConnectionManager::new(url.parse()?, NoTls);
    let pool = r2d2::Pool::builder().max_size(4).build(manager)?;
    pool.get()?.batch_execute(CREATE)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let visits = Visits { pool };
    // The pool is dropped after the runtime's work, not within: dropping a connection of `postgres` blocks.
    runtime.block_on(visits.record("/"))
}

#[expect(clippy::print_stdout, reason = "what it shows is its purpose")]
fn main() -> Result<(), Failure> {
    let count = run(&std::env::var("DATABASE_URL")?)?;
    println!("visits of /: {count}");
    Ok(())
}
