//! How fast texts are translated, split and inspected, beside the lexers of the peers.
//!
//! `CORPUS=queries.jsonl` takes other queries than those made here; `UPDATE_DOCS=1` writes the tables into
//! `docs/BENCHMARKS.md`. The peers take feature `bench-peers`, which builds a C library and needs libclang.

#![expect(clippy::print_stdout, reason = "a bench prints what it measures")]

#[path = "../estimates.rs"]
mod estimates;
#[path = "../page.rs"]
mod page;
mod report;
mod texts;

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use pontoon::sql::translate::{Style, inspect, split_statements, translate};
use report::Group;
use std::hint::black_box;
use std::time::Duration;
use texts::Texts;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let texts = Texts::load()?;
    println!("{} queries, {}", texts.queries.len(), texts.source);
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
        .output_directory(&estimates::folder())
        .configure_from_args();
    let groups = [
        queries(&mut criterion, &texts),
        script(&mut criterion, &texts),
    ];
    criterion.final_summary();
    let tables = report::tables(&groups);
    println!("{tables}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        report::write(&texts, &tables)?;
    }
    Ok(())
}

/// Every query once an iteration.
fn queries(criterion: &mut Criterion, texts: &Texts) -> Group {
    let mut group = Measured::of(criterion, "queries", texts.query_bytes());
    group.case("pontoon translate", &texts.queries, |sql| {
        translate(sql, Style::Psycopg)
    });
    group.case("pontoon translate, style unknown", &texts.queries, |sql| {
        translate(sql, Style::Auto)
    });
    group.case("pontoon inspect", &texts.queries, |sql| {
        inspect(sql, Style::Psycopg)
    });
    #[cfg(feature = "bench-peers")]
    {
        let translated: Vec<String> = texts
            .queries
            .iter()
            .filter_map(|sql| Some(translate(sql, Style::Psycopg).ok()?.sql.into_owned()))
            .collect();
        let dialect = sqlparser::dialect::PostgreSqlDialect {};
        group.case("libpg_query scan", &translated, pg_query::scan);
        group.case("sqlparser tokenize", &translated, |sql| {
            sqlparser::tokenizer::Tokenizer::new(&dialect, sql).tokenize()
        });
    }
    group.end("Queries with placeholders", texts.queries.len())
}

/// A whole script an iteration.
fn script(criterion: &mut Criterion, texts: &Texts) -> Group {
    let mut group = Measured::of(criterion, "script", texts.script.len());
    let scripts = std::slice::from_ref(&texts.script);
    group.case("pontoon translate", scripts, |sql| {
        translate(sql, Style::Psycopg)
    });
    group.case("pontoon split", scripts, split_statements);
    group.end("A script of 10 MB without a placeholder", 1)
}

/// A group while it is measured.
struct Measured<'c> {
    name: &'static str,
    bytes: usize,
    group: BenchmarkGroup<'c, WallTime>,
    contestants: Vec<&'static str>,
}

impl<'c> Measured<'c> {
    fn of(criterion: &'c mut Criterion, name: &'static str, bytes: usize) -> Self {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(bytes.try_into().unwrap_or(u64::MAX)));
        Self {
            name,
            bytes,
            group,
            contestants: Vec::new(),
        }
    }

    fn case<'t, T>(
        &mut self,
        name: &'static str,
        texts: &'t [String],
        read: impl Fn(&'t str) -> T,
    ) {
        self.contestants.push(name);
        self.group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for text in texts {
                    black_box(read(black_box(text)));
                }
            });
        });
    }

    fn end(self, title: &str, texts: usize) -> Group {
        self.group.finish();
        Group {
            name: self.name,
            title: title.to_owned(),
            bytes: self.bytes,
            texts,
            contestants: self.contestants,
        }
    }
}
