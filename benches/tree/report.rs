//! The table.

use crate::{ROUNDS, Tree};
use std::fmt::Write;
use std::time::Duration;

pub(crate) fn text(trees: &[Tree]) -> String {
    let mut text = format!(
        "\n## Converting a tree\n\n\
         Written by `cargo bench --features server --bench tree` with `UPDATE_DOCS=1`. Each on all cores, medians of {ROUNDS} rounds in turns; \
         ratios are to `convert` on the same tree. The files are made by `benches/tree/source.rs`: of eight two hold SQL and one executes another's; the \
         larger tree has the files of the smaller one twenty times. Parsing is that of the parser that `convert` is built on, and no work \
         is done with the tree that it makes. *Peak* is the greatest resident memory of the process.\n\n\
         | files | MB | contestant | s | MB/s | ratio | peak MiB |\n|---:|---:|---|---:|---:|---:|---:|\n"
    );
    for tree in trees {
        let first = tree.contestants.first();
        let first = first.map_or(Duration::ZERO, |(_, measured)| {
            median(measured, |turn| turn.time)
        });
        for (contestant, measured) in &tree.contestants {
            let time = median(measured, |turn| turn.time);
            let peak = median(measured, |turn| turn.peak);
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.2} | {:.0} | {:.2} | {} |",
                tree.files.len(),
                tree.bytes / 1_000_000,
                contestant.name(),
                time.as_secs_f64(),
                megabytes(tree.bytes) / time.as_secs_f64(),
                first.as_secs_f64() / time.as_secs_f64(),
                peak.map_or("-".to_owned(), |bytes| (bytes >> 20).to_string()),
            );
        }
    }
    text
}

fn median<T, M: Copy + Ord>(measured: &[T], what: impl Fn(&T) -> M) -> M {
    let mut all: Vec<M> = measured.iter().map(what).collect();
    all.sort();
    all[all.len() / 2]
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a rate is told with a few digits"
)]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
