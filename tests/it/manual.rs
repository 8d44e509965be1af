use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pontoon::ErrorKind;
use pontoon::metrics::METRICS;

const PAGES: &[&str] = &[
    "README.md",
    "CHANGELOG.md",
    "docs/ARCHITECTURE.md",
    "docs/CONTRIBUTING.md",
    "docs/OPERATIONS.md",
];

/// What stands around the part of the operator's page that is made from the code.
const BEGIN: &str = "<!-- metrics: made from the code -->\n";
const END: &str = "<!-- end of metrics -->\n";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn metrics() -> String {
    let mut table = String::from("| metric | kind | labels | says |\n|---|---|---|---|\n");
    for metric in METRICS {
        let labels = ["backend"].iter().chain(metric.labels);
        let labels: Vec<String> = labels.map(|label| format!("`{label}`")).collect();
        let (name, kind, what) = (metric.name, metric.kind, metric.what);
        writeln!(
            table,
            "| `{name}` | {kind} | {} | {what} |",
            labels.join(", ")
        )
        .unwrap();
    }
    table
}

#[test]
fn the_operator_s_page_lists_every_metric() {
    let page = read("docs/OPERATIONS.md");
    let (before, rest) = page.split_once(BEGIN).expect("the mark before the metrics");
    let (_, after) = rest.split_once(END).expect("the mark behind the metrics");
    let fresh = format!("{before}{BEGIN}{}{END}{after}", metrics());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path("docs/OPERATIONS.md"), &fresh).unwrap();
    } else {
        assert!(
            page == fresh,
            "docs/OPERATIONS.md is stale: UPDATE_DOCS=1 cargo test --features server manual"
        );
    }
}

#[test]
fn the_operator_s_page_explains_every_error() {
    let page = read("docs/OPERATIONS.md");
    let rows = page
        .lines()
        .skip_while(|line| !line.starts_with("| kind |"));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    let kinds: BTreeSet<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    assert_eq!(kinds, BTreeSet::from(ErrorKind::WORDS));
}

/// What stands between backquotes outside of blocks, and what links lead to, as paths from the top.
fn mentioned(page: &str) -> BTreeSet<String> {
    const FOLDERS: &[&str] = &[
        "src/",
        "tests/",
        "docs/",
        "sql/",
        "migrations/",
        "examples/",
        "scripts/",
        "benches/",
        ".ci/",
        "backend/",
        "bridge/",
        "cli/",
        "flags/",
        "http/",
        "store/",
    ];
    let text = read(page);
    let mut inside = false;
    let mut names = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
        }
        if inside {
            continue;
        }
        let words = line.split('`').skip(1).step_by(2).filter(|word| {
            FOLDERS.iter().any(|folder| word.starts_with(folder)) && !word.contains(['<', '*', '…'])
        });
        names.extend(words.map(str::to_owned));
        let links = line.split("](").skip(1);
        let links = links.filter_map(|link| link.split(')').next());
        let folder = Path::new(page).parent().unwrap();
        names.extend(
            links
                .filter(|link| !link.contains("://"))
                .map(|link| folder.join(link).display().to_string()),
        );
    }
    names
}

#[test]
fn every_file_that_a_page_names_is_there() {
    let mut count = 0;
    for page in PAGES {
        for name in mentioned(page) {
            count += 1;
            // The map names rooms as they lie beneath src.
            let there = path(&name).exists() || path("src").join(&name).exists();
            assert!(there, "{page} names {name}, which is not there");
        }
    }
    assert!(count > 40, "the names are not found: {count}");
}

#[test]
fn the_licences_are_there() {
    for (name, says) in [
        ("LICENSE-MIT", "Permission is hereby granted"),
        ("LICENSE-APACHE", "Apache License"),
    ] {
        assert!(read(name).contains(says), "{name}");
    }
    assert!(read("Cargo.toml").contains("license = \"MIT OR Apache-2.0\""));
}
