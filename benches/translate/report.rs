//! The tables, from what Criterion measured.

use crate::estimates;
use crate::page::{self, Part};
use crate::texts::Texts;
use std::fmt::Write;

/// A group that was measured: its name, its title, the bytes and the texts of one iteration, and its contestants.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) title: String,
    pub(crate) bytes: usize,
    pub(crate) texts: usize,
    pub(crate) contestants: Vec<&'static str>,
}

/// The tables as Markdown; a contestant that was filtered out has no row.
pub(crate) fn tables(groups: &[Group]) -> String {
    let mut text = String::new();
    for group in groups {
        let measured = group
            .contestants
            .iter()
            .filter_map(|name| Some((*name, estimates::median(group.name, name)?)));
        let measured: Vec<(&str, f64)> = measured.collect();
        let Some(&(_, first)) = measured.first() else {
            continue;
        };
        let _ = writeln!(text, "\n### {}\n", group.title);
        let _ = writeln!(
            text,
            "| contestant | MB/s | texts/s | ratio |\n|---|---:|---:|---:|"
        );
        for (name, nanoseconds) in measured {
            let _ = writeln!(
                text,
                "| {} | {:.0} | {:.0} | {:.2} |",
                name,
                per_second(group.bytes, nanoseconds) / 1e6,
                per_second(group.texts, nanoseconds),
                first / nanoseconds
            );
        }
    }
    text
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a rate is told with a few digits"
)]
fn per_second(count: usize, nanoseconds: f64) -> f64 {
    count as f64 * 1e9 / nanoseconds
}

/// Writes the tables into the page.
pub(crate) fn write(texts: &Texts, tables: &str) -> std::io::Result<()> {
    let head = format!(
        "\n## Translating\n\n\
         Written by `cargo bench --features bench-peers --bench translate` with `UPDATE_DOCS=1`. One core, the medians of one run; ratios \
         are to the first contestant of each table. {} distinct queries, {} bytes on average, {}. The peers read the translated texts, for \
         they know no `%s`: `libpg_query scan` is the server's own lexer with its tokens handed to Rust, `sqlparser tokenize` that of the \
         parser most used from Rust. Both do less than a translation, which reads a text, rewrites it, and reads the result as the server \
         will.\n",
        texts.queries.len(),
        texts.query_bytes() / texts.queries.len(),
        texts.source
    );
    page::write(Part::Translator, &(head + tables))
}
