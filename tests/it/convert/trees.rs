//! Files and folders: what is found, what is written, and what is left alone.

use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};

const QUERY: &str = "SELECT a FROM t WHERE a = %s\n";
const CONVERTED: &str = "SELECT a FROM t WHERE a = $1\n";

#[test]
fn nothing_is_written_unless_it_is_asked_for() {
    let folder = Folder::with(&[("a.sql", QUERY)]);
    for arguments in [
        &["."][..],
        &[".", "--diff"],
        &[".", "--check"],
        &["a.sql", "--fix"],
    ] {
        folder.run(&[&["convert"], arguments].concat());
        assert_eq!(folder.read("a.sql"), QUERY, "{arguments:?}");
    }
    assert_eq!(folder.run(&["convert", "."]).code, 0);
    assert_eq!(folder.run(&["convert", ".", "--check"]).code, 1);
}

#[test]
fn a_second_run_changes_nothing() {
    let files = [
        ("a.sql", QUERY),
        (
            "sub/b.sql",
            "-- name: x\nSELECT '50%%' WHERE a = %(n)s;\n\n-- name: y\nSELECT a FROM t WHERE a = %(n)s\n",
        ),
    ];
    let folder = Folder::with(&files);
    let ran = folder.run(&["convert", ".", "--write"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.contains("3 converted") && ran.out.contains("2 files written"),
        "{ran:?}"
    );
    let after = [folder.read("a.sql"), folder.read("sub/b.sql")];
    assert_eq!(after[0], CONVERTED);
    assert_eq!(
        after[1],
        "-- name: x\nSELECT '50%' WHERE a = $1;\n\n-- name: y\nSELECT a FROM t WHERE a = $1\n"
    );
    let ran = folder.run(&["convert", ".", "--write"]);
    assert!(ran.out.contains("0 converted"), "{ran:?}");
    assert_eq!([folder.read("a.sql"), folder.read("sub/b.sql")], after);
    assert_eq!(folder.run(&["convert", ".", "--check"]).code, 0);
}

#[test]
fn ignored_and_hidden_files_are_passed_over_and_named_ones_are_not() {
    let folder = Folder::with(&[
        (".gitignore", "/build\n"),
        ("build/a.sql", QUERY),
        (".hidden/a.sql", QUERY),
        ("read.txt", QUERY),
        ("b.SQL", QUERY),
    ]);
    let ran = folder.run(&["convert", ".", "--json"]);
    assert_eq!(ran.json()["summary"]["files"], 1);
    let ran = folder.run(&["convert", "build/a.sql", "build", ".", "--json"]);
    assert_eq!(ran.json()["summary"]["files"], 1);
    let ran = folder.run(&["convert", "build/a.sql", "--json"]);
    assert_eq!(ran.json()["summary"]["files"], 1);
    let ran = folder.run(&["convert", "read.txt"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("read.txt") && ran.err.contains(".sql"),
        "{ran:?}"
    );
    let ran = folder.run(&["convert", "b.SQL", "gone/x.sql", "--write"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("gone/x.sql"), "{ran:?}");
    assert_eq!(folder.read("b.SQL"), QUERY);
}

#[test]
fn a_diff_is_what_patch_takes() {
    let folder = Folder::with(&[("sub/a.sql", QUERY)]);
    let ran = folder.run(&["convert", ".", "--diff"]);
    let expected = format!("--- a/sub/a.sql\n+++ b/sub/a.sql\n@@ -1 +1 @@\n-{QUERY}+{CONVERTED}");
    assert_eq!(ran.out, expected);
    assert!(ran.err.contains("1 to convert"), "{ran:?}");
}

#[test]
fn line_ends_and_marks_stay() {
    let folder = Folder::with(&[(
        "a.sql",
        "\u{feff}SELECT a\r\nFROM t WHERE a = %s;\r\nSELECT 'é' LIKE %s",
    )]);
    assert_eq!(folder.run(&["convert", ".", "--write"]).code, 0);
    assert_eq!(
        folder.read("a.sql"),
        "\u{feff}SELECT a\r\nFROM t WHERE a = $1;\r\nSELECT 'é' LIKE $1"
    );
    // The mark is no column.
    folder.write("a.sql", "\u{feff}SELECT %s, %d");
    let finding = &folder.run(&["convert", ".", "--json"]).json()["findings"][0];
    assert_eq!(
        (&finding["line"], &finding["column"]),
        (&1.into(), &12.into())
    );
}

#[test]
fn a_file_that_cannot_be_read_is_listed_and_the_rest_goes_on() {
    let folder = Folder::with(&[("a.sql", QUERY), ("c.sql", "SELECT 'x"), ("d.sql", QUERY)]);
    folder.write("b.sql", b"SELECT 1,\n 'ab\xff'");
    let ran = folder.run(&["convert", ".", "--write", "--json"]);
    assert_eq!(ran.code, 1);
    let document = ran.json();
    let finding = |at: usize| {
        let finding = &document["findings"][at];
        (
            finding["file"].as_str().unwrap().to_owned(),
            finding["line"].as_u64().unwrap(),
            finding["column"].as_u64().unwrap(),
        )
    };
    assert_eq!(finding(0), ("b.sql".to_owned(), 2, 5));
    assert_eq!(finding(1), ("c.sql".to_owned(), 1, 8));
    assert_eq!(document["summary"]["written"], 2);
    assert_eq!(
        [folder.read("a.sql"), folder.read("d.sql")],
        [CONVERTED, CONVERTED]
    );
}

#[test]
fn a_file_with_a_text_that_is_wrong_stays_whole() {
    let text = format!("{QUERY};SELECT %s, %d;\n");
    let folder = Folder::with(&[("a.sql", &*text)]);
    let ran = folder.run(&["convert", ".", "--write"]);
    assert_eq!(ran.code, 1);
    assert_eq!(folder.read("a.sql"), text);
    assert!(
        ran.out.contains("a.sql:2:13") && ran.out.contains("expected"),
        "{ran:?}"
    );
    // Unless somebody has looked.
    let text = format!("{QUERY};\n-- pontoon: ignore unknown-placeholder\nSELECT %s, %d;");
    folder.write("a.sql", &text);
    assert_eq!(folder.run(&["convert", ".", "--write", "-q"]).code, 1);
    assert_eq!(folder.read("a.sql"), text.replacen("%s", "$1", 1));
}

#[test]
fn a_query_with_a_hazard_stays_and_its_neighbours_are_converted() {
    let folder = Folder::with(&[(
        "a.sql",
        "SELECT 1 WHERE a IN %s;\nSELECT a FROM t WHERE a = %s;\n",
    )]);
    let ran = folder.run(&["convert", ".", "--write", "--json"]);
    assert_eq!((ran.code, ran.codes()), (1, vec!["in-tuple".to_owned()]));
    let held = "SELECT 1 WHERE a IN %s;\nSELECT a FROM t WHERE a = $1;\n";
    assert_eq!(folder.read("a.sql"), held);
    let ran = folder.run(&["convert", ".", "--write", "--fix"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("1 converted with 1 rewrite"), "{ran:?}");
    let fixed = folder.read("a.sql");
    assert!(fixed.starts_with("SELECT 1 WHERE a = ANY($1)"), "{fixed}");
}

#[test]
fn codes_are_selected_and_passed_over() {
    let text = "SELECT 1 WHERE a IN %s LIMIT %s";
    let folder = Folder::with(&[("a.sql", text)]);
    let ran = folder.run(&["convert", ".", "--json", "--select", "limit-param"]);
    assert_eq!(ran.codes(), ["limit-param"]);
    assert_eq!((ran.code, &ran.json()["summary"]["held"]), (1, &1.into()));
    let ran = folder.run(&["convert", ".", "--json", "--ignore", "in-tuple,limit-param"]);
    assert_eq!((ran.code, ran.codes().len()), (0, 0));
    folder.write("a.sql", format!("-- pontoon: ignore in-tuple\n{text}"));
    assert_eq!(
        folder.run(&["convert", ".", "--json"]).codes(),
        ["limit-param"]
    );
}

#[test]
fn a_file_that_may_not_be_written_is_refused() {
    let folder = Folder::with(&[("a.sql", QUERY)]);
    fs::set_permissions(folder.path("a.sql"), fs::Permissions::from_mode(0o444)).unwrap();
    let ran = folder.run(&["convert", ".", "--write"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("read-only"), "{ran:?}");
    assert_eq!(folder.read("a.sql"), QUERY);
}

#[test]
fn a_link_that_is_named_is_followed_and_one_in_a_folder_is_not() {
    let folder = Folder::with(&[("real/a.sql", QUERY), ("links/keep.txt", "")]);
    symlink("../real/a.sql", folder.path("links/a.sql")).unwrap();
    fs::set_permissions(folder.path("real/a.sql"), fs::Permissions::from_mode(0o604)).unwrap();
    folder.run(&["convert", "links", "--write"]);
    assert_eq!(folder.read("real/a.sql"), QUERY);
    folder.run(&["convert", "links/a.sql", "--write"]);
    assert_eq!(folder.read("real/a.sql"), CONVERTED);
    assert!(
        fs::symlink_metadata(folder.path("links/a.sql"))
            .unwrap()
            .is_symlink()
    );
    let mode = fs::metadata(folder.path("real/a.sql"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o604);
}

#[test]
fn many_files_are_reported_in_order() {
    let folder = Folder::new();
    for number in 0..1500 {
        folder.write(&format!("{}/{number:04}.sql", number % 2), "SELECT %s, %d");
    }
    let ran = folder.run(&["convert", ".", "--format", "jsonl"]);
    let lines = ran.lines();
    let files: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["file"].as_str())
        .collect();
    assert_eq!(files.len(), 1500);
    assert!(files.is_sorted());
    assert_eq!(lines.last().unwrap()["summary"]["files"], 1500);
}
