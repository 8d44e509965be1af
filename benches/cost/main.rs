//! What the bridge itself costs: deciding, the way to a backend, its share of the shortest query, and what a stream takes.
//!
//! `cargo bench --features server --bench cost`; with `UPDATE_DOCS=1` it writes its part of `docs/BENCHMARKS.md`.

#![expect(clippy::print_stdout, reason = "a bench prints what it measures")]

mod around;
mod decide;
#[path = "../estimates.rs"]
mod estimates;
#[path = "../page.rs"]
mod page;
mod report;
mod select_one;
mod stream;

use criterion::Criterion;
use pontoon::backend::BackendKind;
use pontoon::embedded::Embedded;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if stream::was_asked() {
        return Ok(());
    }
    let mut criterion = Criterion::default()
        .output_directory(&estimates::folder())
        .configure_from_args();
    let mut groups = vec![decide::measure(&mut criterion)];
    groups.push(around::measure(&mut criterion));
    criterion.final_summary();
    let server = Embedded::options().ephemeral().start()?;
    let url = server.url("postgres");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut real = Vec::new();
    for kind in [BackendKind::Blocking, BackendKind::Async] {
        let asked = url.clone();
        let share = runtime.spawn(async move { select_one::measure(&asked, kind).await });
        let share = runtime.block_on(share)??;
        real.push((kind, share, stream::measure(&url, kind)?));
    }
    let text = report::text(&groups, &real);
    println!("{text}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        page::write(page::Part::Cost, &text)?;
    }
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    Ok(())
}
