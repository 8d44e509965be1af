//! What a stream of a million rows adds to the memory of a process that does nothing else.

use futures_util::StreamExt;
use pontoon::backend::{BackendKind, Budget, Settings, Target, connect};
use pontoon::params;
use pontoon::sql::Query;
use std::process::Command;

const KIND: &str = "STREAM_BY";
const URL: &str = "STREAM_FROM";

/// Reads the rows if this process was started to do that, and prints how many bytes its greatest memory grew by.
#[expect(clippy::print_stdout, reason = "whoever started it reads that")]
pub(crate) fn was_asked() -> bool {
    let (Ok(kind), Ok(url)) = (std::env::var(KIND), std::env::var(URL)) else {
        return false;
    };
    let kinds = [BackendKind::Blocking, BackendKind::Async];
    let kind = kinds.into_iter().find(|known| known.as_str() == kind);
    let kind = kind.expect("a backend");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    println!(
        "{}",
        runtime.block_on(read(kind, &url)).expect("the rows come")
    );
    true
}

async fn read(kind: BackendKind, url: &str) -> pontoon::Result<u64> {
    let backend = connect(
        kind,
        &Target::parse(url)?,
        Settings::default(),
        Budget::new(2),
    )?;
    backend.ping().await?;
    let before = peak_memory();
    let text = "SELECT generate_series(1, $1) AS n, repeat('x', 100) AS filler";
    let query = Query::numbered("bench/stream", text)?;
    let mut rows = backend.fetch(&query, params![1_000_000]).await?;
    let mut count = 0;
    while let Some(row) = rows.next().await {
        std::hint::black_box(row?.values()?);
        count += 1;
    }
    assert_eq!(count, 1_000_000, "rows are missing");
    Ok(peak_memory() - before)
}

/// The bytes that a million rows took.
pub(crate) fn measure(url: &str, kind: BackendKind) -> std::io::Result<u64> {
    let child = Command::new(std::env::current_exe()?)
        .env(KIND, kind.as_str())
        .env(URL, url)
        .output()?;
    let told = String::from_utf8_lossy(&child.stdout);
    let failed = || std::io::Error::other(String::from_utf8_lossy(&child.stderr).into_owned());
    told.trim().parse().map_err(|_| failed())
}

/// This process' greatest memory so far, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.expect("a number of kB") * 1024
}
