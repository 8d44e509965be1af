//! The library in ten lines, as README.md shows it.
//!
//! `DATABASE_URL=postgres://localhost/postgres cargo run --example quick_start`

use pontoon::backend::{StorageBackend, StorageBackendExt};
use pontoon::{Bridge, Flags, params, sql::Query};

#[expect(clippy::print_stdout, reason = "what it shows is its purpose")]
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL")?;
    let bridge = Bridge::builder(url).flags(Flags::in_memory(0)).build()?;
    let query = Query::new("people/greet", "SELECT 'Hello, ' || %s AS greeting")?;
    for percent in [0, 100] {
        bridge.flags().set_percent(percent); // the next unit of work goes by it
        let row = bridge.fetch_one(&query, params!["Ada"]).await?;
        println!("{}: {}", bridge.kind(), row.get::<String>("greeting")?);
    }
    bridge.close().await;
    Ok(())
}
