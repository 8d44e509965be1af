use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pontoon::ErrorKind;
use pontoon::metrics::METRICS;
use pontoon::sql::translate::lint::{HAZARDS, Hazard};

const PAGES: &[&str] = &[
    "README.md",
    "CHANGELOG.md",
    "docs/ARCHITECTURE.md",
    "docs/CONTRIBUTING.md",
    "docs/OPERATIONS.md",
    "docs/TRANSLATOR.md",
];

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

/// Every hazard: what it is, why, and what to write instead.
fn hazards() -> String {
    let mut text = String::from("\n| code | severity | what |\n|---|---|---|\n");
    for Hazard {
        code,
        severity,
        title,
        ..
    } in HAZARDS
    {
        let title = title.replace('|', "\\|");
        writeln!(
            text,
            "| [`{code}`](#{code}) | {} | {title} |",
            severity.as_str()
        )
        .unwrap();
    }
    for hazard in HAZARDS {
        let Hazard {
            code, title, why, ..
        } = hazard;
        let severity = hazard.severity.as_str();
        writeln!(text, "\n### {code}\n\n{title} ({severity}). {why}\n").unwrap();
        writeln!(text, "```sql\n{}\n```", hazard.example).unwrap();
        match hazard.postgres {
            "" => writeln!(text, "\nPostgreSQL says nothing.").unwrap(),
            answer => writeln!(text, "\nPostgreSQL: `{answer}`").unwrap(),
        }
        if !hazard.rewrite.is_empty() {
            writeln!(text, "\nInstead:\n\n```sql\n{}\n```", hazard.rewrite).unwrap();
        }
    }
    text.push('\n');
    text
}

/// The part of a page between `<!-- what: made from the code -->` and `<!-- end of what -->` is `made`.
fn is_made(name: &str, what: &str, made: &str) {
    let (begin, end) = (
        format!("<!-- {what}: made from the code -->\n"),
        format!("<!-- end of {what} -->\n"),
    );
    let page = read(name);
    let (before, rest) = page.split_once(&begin).expect("the mark before the part");
    let (_, after) = rest.split_once(&end).expect("the mark behind the part");
    let fresh = format!("{before}{begin}{made}{end}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path(name), &fresh).unwrap();
    } else {
        assert!(
            page == fresh,
            "{name} is stale: UPDATE_DOCS=1 cargo test --features server manual"
        );
    }
}

#[test]
fn the_operator_s_page_lists_every_metric() {
    is_made("docs/OPERATIONS.md", "metrics", &metrics());
}

#[test]
fn the_translator_s_page_explains_every_hazard() {
    is_made("docs/TRANSLATOR.md", "hazards", &hazards());
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
                .filter(|link| !link.contains("://") && !link.starts_with('#'))
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
