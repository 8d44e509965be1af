mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use source::{Source, room_of, sources};

/// The longest file, its tests apart.
const LONGEST: usize = 400;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(repository().join(name)).unwrap()
}

/// The rows of the page's table whose title is `first`, without its head: the code words of each cell. None where there is no such table.
fn table(first: &str) -> Vec<Vec<Vec<String>>> {
    let page = read("docs/ARCHITECTURE.md");
    let lines = page.lines().skip_while(|line| !line.starts_with(first));
    let rows = lines.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(words).collect())
        .collect()
}

fn words(cell: &str) -> Vec<String> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

/// Which rooms each room uses, by the page.
fn permitted() -> BTreeMap<String, BTreeSet<String>> {
    let rows = table("| room | uses |").into_iter();
    rows.map(|row| (row[0][0].clone(), row[1].iter().cloned().collect()))
        .collect()
}

/// What breaks a rule, one line each.
#[track_caller]
fn none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}\n  {}", broken.join("\n  "));
}

/// The places where a source names one of these as the root of a path, or in a `use`.
fn named<'a>(source: &'a Source, names: &'a [&str]) -> impl Iterator<Item = String> + 'a {
    let roots = source.roots.iter();
    let found = roots.filter(|root| names.contains(&root.as_str()));
    found.map(|root| format!("{} names {root}", source.path))
}

fn outside<'a>(sources: &'a [Source], rooms: &'a [&str]) -> impl Iterator<Item = &'a Source> {
    sources
        .iter()
        .filter(|source| !rooms.contains(&source.room.as_str()))
}

#[test]
fn each_room_uses_what_the_page_says() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        if source.room == "lib" {
            continue;
        }
        let used = found.entry(source.room.clone()).or_default();
        for name in &source.rooms {
            let room = room_of(name).unwrap_or_else(|| {
                panic!("{} uses crate::{name}, whose room is unknown", source.path)
            });
            if room != source.room {
                used.insert(room.to_owned());
            }
        }
    }
    assert_eq!(
        found,
        permitted(),
        "left is the code, right the table \"Who may use whom\" of docs/ARCHITECTURE.md: undo the use, or change the table with a reason"
    );
}

#[test]
fn every_room_is_on_the_map() {
    let map = table("| room | what is in it |").into_iter();
    let map: BTreeSet<String> = map.map(|row| row[0][0].clone()).collect();
    let rooms: BTreeSet<String> = permitted().into_keys().collect();
    assert_eq!(map, rooms);
    // Those of the library are listed in its own documentation too.
    let library = read("src/lib.rs");
    for room in rooms.iter().filter(|room| *room != "main") {
        assert!(
            library.contains(&format!("//! | [`{room}`] |"))
                || library.contains(&format!("//! | `{room}` |")),
            "src/lib.rs does not list the room {room}"
        );
    }
}

#[test]
fn the_import_rule_has_no_circle() {
    let mut left = permitted();
    while !left.is_empty() {
        let rooms: BTreeSet<String> = left.keys().cloned().collect();
        let free: Vec<String> = left
            .iter()
            .filter(|(_, used)| used.is_disjoint(&rooms))
            .map(|(room, _)| room.clone())
            .collect();
        assert!(!free.is_empty(), "these use each other: {left:?}");
        left.retain(|room, _| !free.contains(room));
    }
}

#[test]
fn drivers_and_frameworks_stay_in_their_rooms() {
    const DRIVERS: &[&str] = &[
        "postgres",
        "r2d2",
        "sqlx",
        "r2d2_postgres",
        "tokio_postgres",
        "tokio_postgres_rustls",
        "postgres_types",
        "postgres_protocol",
        "deadpool",
        "rustls",
        "webpki_roots",
    ];
    let sources = sources();
    let mut broken: Vec<String> = outside(&sources, &["backend"])
        .flat_map(|source| named(source, DRIVERS))
        .collect();
    for (room, frameworks) in [
        ("http", &["axum", "hyper", "hyper_util", "tower"][..]),
        (
            "cli",
            &["clap", "clap_complete", "clap_mangen", "comfy_table"][..],
        ),
    ] {
        broken.extend(outside(&sources, &[room]).flat_map(|source| named(source, frameworks)));
    }
    none("a driver or a framework outside its room", &broken);
}

#[test]
fn the_two_backends_are_named_where_the_page_says() {
    let sources = sources();
    let says = |source: &Source, words: &[&str]| {
        let found = words.iter().find(|word| source.says(word));
        found.map(|word| format!("{} names {word}", source.path))
    };
    let kinds = outside(&sources, &["backend", "flags", "bridge", "app", "cli"])
        .filter_map(|source| says(source, &["BackendKind"]));
    let types = outside(&sources, &["backend"])
        .filter_map(|source| says(source, &["R2d2Backend", "SqlxBackend"]));
    none(
        "that there are two backends is known too widely",
        &kinds.chain(types).collect::<Vec<_>>(),
    );
}

#[test]
fn sql_is_born_in_sql() {
    let sources = sources();
    let made = outside(&sources, &["sql", "cli"])
        .filter(|source| source.path != "backend/migrate.rs")
        .filter(|source| {
            ["new", "numbered", "in_style"]
                .iter()
                .any(|made| source.code.contains(&format!("Query::{made}(")))
        })
        .map(|source| source.path.clone());
    none(
        "a query made from text of its own",
        &made.collect::<Vec<_>>(),
    );
}

#[test]
fn the_translator_is_pure() {
    const IMPURE: &[&str] = &[
        "std::fs",
        "std::io",
        "std::net",
        "std::env",
        "std::time",
        "std::process",
        "std::thread",
        "tokio::",
        "include_str",
        "println",
    ];
    let mut broken = Vec::new();
    let sources = sources();
    let own = sources
        .iter()
        .filter(|source| source.path.starts_with("sql/translate"));
    let mut count = 0;
    for source in own {
        count += 1;
        let impure = IMPURE.iter().filter(|word| source.code.contains(**word));
        broken.extend(impure.map(|word| format!("{} names {word}", source.path)));
        let rooms = source.rooms.iter().filter(|room| *room != "sql");
        broken.extend(rooms.map(|room| format!("{} uses crate::{room}", source.path)));
        // `super::super` from here is `sql` itself: its values, its queries.
        if source.reaches_out_of("sql/translate") {
            broken.push(format!("{} reaches into sql", source.path));
        }
    }
    assert!(count > 5, "the translator's files are not found");
    none("the translator does what is not its own", &broken);
}

#[test]
fn nothing_blocks_the_executor_or_is_left_undone() {
    const WORDS: &[&str] = &[
        "spawn_blocking",
        "block_in_place",
        "todo",
        "unimplemented",
        "dbg",
    ];
    let mut broken = Vec::new();
    for source in sources() {
        let found = WORDS.iter().filter(|word| source.says(word));
        broken.extend(found.map(|word| format!("{} says {word}", source.path)));
    }
    none("a word that has no place in src", &broken);
}

#[test]
fn files_are_short() {
    let exceptions = table("| file | why it is |").into_iter();
    let exceptions: BTreeSet<String> = exceptions.map(|row| row[0][0].clone()).collect();
    let sources = sources();
    let long = sources.iter().filter(|source| source.lines > LONGEST);
    let long: BTreeSet<String> = long.map(|source| source.path.clone()).collect();
    assert_eq!(
        long, exceptions,
        "left are the files above {LONGEST} lines, right those that docs/ARCHITECTURE.md excuses"
    );
    let main = sources.iter().find(|source| source.path == "main.rs");
    assert!(main.unwrap().lines <= 30, "main.rs is too long");
}

#[test]
fn each_concern_of_the_tests_is_described() {
    let main = read("tests/it/main.rs");
    let mods = main.lines().filter(|line| line.starts_with("mod "));
    let bare: Vec<String> = mods
        .filter(|line| {
            line.split_once("; // ")
                .is_none_or(|(_, what)| what.len() < 20)
        })
        .map(str::to_owned)
        .collect();
    none(
        "a file of tests that does not say what belongs there",
        &bare,
    );
}

/// What cargo would build with these features: the names of all packages, without those for tests and for building.
fn built_with(features: &str) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = std::process::Command::new(cargo)
        .current_dir(repository())
        .args([
            "tree",
            "--offline",
            "--locked",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .args([
            "--format",
            "{lib}",
            "--no-default-features",
            "--features",
            features,
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let names = String::from_utf8(output.stdout).unwrap();
    names.lines().map(str::to_owned).collect()
}

#[test]
fn a_build_contains_what_its_features_name_alone() {
    const SERVER: &[&str] = &[
        "axum",
        "clap",
        "hyper",
        "toml",
        "config",
        "tracing_subscriber",
    ];
    const BLOCKING: &[&str] = &["postgres", "tokio_postgres", "r2d2", "r2d2_postgres"];
    const ASYNC: &[&str] = &["sqlx", "sqlx_postgres", "deadpool"];
    for (features, with, without) in [
        ("async", vec![ASYNC], vec![BLOCKING, SERVER]),
        ("blocking", vec![BLOCKING], vec![ASYNC, SERVER]),
        ("blocking,async", vec![BLOCKING, ASYNC], vec![SERVER]),
        ("async,server", vec![ASYNC, SERVER], vec![BLOCKING]),
    ] {
        let built = built_with(features);
        for name in with.concat() {
            assert!(built.contains(name), "{features}: no {name} in {built:?}");
        }
        for name in without.concat() {
            assert!(!built.contains(name), "{features}: {name} is built");
        }
    }
}
