//! `diff`: both backends over a file, and nothing of it stays.

use serde_json::{Value, json};

use super::{Place, keys};
use crate::support::Database;

const ITEMS: &str = "CREATE TABLE item (id int PRIMARY KEY, note text);
    INSERT INTO item VALUES (1, 'one'), (2, NULL), (3, 'three')";

fn place() -> (Database, Place) {
    let database = Database::create();
    let place = Place::on(&database);
    for statement in ITEMS.split(';') {
        place.run(&["query", statement]).ends(0, &[]);
    }
    (database, place)
}

fn codes(report: &Value) -> Vec<(u64, &str)> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|found| {
            (
                found["line"].as_u64().unwrap(),
                found["code"].as_str().unwrap(),
            )
        })
        .collect()
}

fn count(place: &Place) -> Value {
    let ran = place.run(&["query", "SELECT count(*) AS n FROM item", "--json"]);
    ran.json()["rows"][0]["n"].clone()
}

#[test]
fn reads_that_agree_are_the_same() {
    let (_database, place) = place();
    place.write(
        "read.sql",
        "-- name: all\nSELECT * FROM item\n-- name: some\nSELECT note FROM item WHERE id = ANY(%(ids)s) ORDER BY id\n\
         -- name: one\nSELECT %(ids)s::text, note LIKE '%%o%%' FROM item WHERE id = %(id)s\n\
         -- name: none\nSELECT * FROM item WHERE id < 0\n-- name: gone\nSELECT * FROM nowhere;\nSELECT 1",
    );
    let ran = place.run(&[
        "diff",
        "read.sql",
        "-p",
        "ids={1,2}",
        "-p",
        "id=3",
        "--json",
    ]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    let report = ran.json();
    assert_eq!(keys(&report), ["findings", "notes", "summary"]);
    assert_eq!(
        report["summary"],
        json!({"statements": 6, "same": 5, "different": 0, "failed": 1, "findings": 0})
    );
    assert_eq!(
        (
            &report["notes"][0]["code"],
            &report["notes"][0]["line"],
            &report["notes"][0]["column"]
        ),
        (&"42P01".into(), &10.into(), &15.into())
    );
    let text = place.run(&["diff", "read.sql", "-p", "ids={1,2}", "-p", "id=3"]);
    text.ends(
        0,
        &[
            "fails on both: read.sql:10:15: 42P01: gone: ",
            "nothing was committed",
        ],
    );
    assert!(
        text.out
            .contains("0 different, 5 the same, 1 failed alike, of 6 statements"),
        "{text:?}"
    );
    assert!(
        text.out
            .lines()
            .any(|line| line.starts_with("4:1") && line.contains("2 rows")),
        "{text:?}"
    );
}

#[test]
fn what_differs_is_named_at_its_place() {
    let (_database, place) = place();
    place.write(
        "own.sql",
        "SELECT 1;\nSELECT id, current_setting('application_name') AS app FROM item ORDER BY id;\n\
         SELECT generate_series(1, 1 + (current_setting('application_name') LIKE '%(async)')::int) AS n;\n\
         SELECT 1 / (current_setting('application_name') LIKE '%(async)')::int;\n\
         DELETE FROM item WHERE current_setting('application_name') LIKE '%(async)';\n\
         SELECT pg_backend_pid() AS pid;",
    );
    let ran = place.run(&["diff", "own.sql", "--rollback", "--json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let report = ran.json();
    assert_eq!(
        codes(&report),
        [
            (2, "rows"),
            (3, "rows"),
            (4, "error"),
            (5, "count"),
            (6, "rows")
        ]
    );
    let message = |at: usize| report["findings"][at]["message"].as_str().unwrap();
    assert!(message(0).starts_with("row 1, column app: '"), "{report}");
    assert!(
        message(1).ends_with("1 row on blocking, 2 rows on async; only on async: (n = 2)"),
        "{report}"
    );
    assert!(
        message(2).contains("(22012) on blocking, 1 row on async"),
        "{report}"
    );
    assert_eq!(message(3), "0 affected on blocking, 3 affected on async");
    let hint = report["findings"][4]["suggestion"].as_str().unwrap();
    assert!(
        hint.contains("pg_backend_pid()") && hint.contains("--except"),
        "{report}"
    );
    assert_eq!(count(&place), json!(3));
    place.write("pid.sql", "SELECT pg_backend_pid() AS pid, 1 AS one;");
    place.run(&["diff", "pid.sql"]).ends(1, &[]);
    place
        .run(&["diff", "pid.sql", "--except", "pid"])
        .ends(0, &[]);
}

#[test]
fn writes_need_a_word_and_are_taken_back() {
    let (_database, place) = place();
    place.write(
        "write.sql",
        "INSERT INTO item VALUES (%s, %s) RETURNING id;\nUPDATE item SET note = 'x';\nSELECT * FROM item;\n\
         INSERT INTO item VALUES (1, 'again');\nCREATE TABLE made (a int);\nINSERT INTO made VALUES (7);\nSELECT a FROM made;",
    );
    let values = ["diff", "write.sql", "-p", "4", "-p", "\\N", "--json"];
    let refused = place.run(&values);
    let report = refused.json();
    let expected = [1, 2, 4, 5].map(|line| (line, "25006"));
    // What was never made is not there, which both say.
    assert_eq!(
        (refused.code, codes(&report)),
        (1, expected.to_vec()),
        "{report}"
    );
    assert_eq!(count(&place), json!(3));
    let ran = place.run(&[&values[..], &["--rollback"]].concat());
    let report = ran.json();
    assert_eq!(
        (ran.code, &report["summary"]),
        (
            0,
            &json!({"statements": 7, "same": 6, "different": 0, "failed": 1, "findings": 0})
        ),
        "{report}"
    );
    assert_eq!(report["notes"][0]["code"], "23505");
    assert_eq!(count(&place), json!(3));
    place
        .run(&["query", "SELECT * FROM made"])
        .ends(1, &["made"]);
}

#[test]
fn nothing_runs_where_something_cannot() {
    let (_database, place) = place();
    place.write(
        "mixed.sql",
        "DELETE FROM item;\nCOMMIT;\nVACUUM item;\nCOPY item TO stdout;\nSELECT %s, %s;\nSELECT :'psql';",
    );
    let ran = place.run(&["diff", "mixed.sql", "--rollback", "-p", "1", "--json"]);
    let report = ran.json();
    assert_eq!(
        (ran.code, codes(&report)),
        (
            1,
            vec![
                (2, "not-in-a-transaction"),
                (3, "not-in-a-transaction"),
                (4, "not-in-a-transaction"),
                (5, "missing-value"),
                (6, "dynamic"),
            ]
        ),
        "{report}"
    );
    assert_eq!(report["summary"]["statements"], 0);
    assert_eq!(count(&place), json!(3));
    let text = place.run(&["diff", "mixed.sql", "-p", "1"]);
    assert!(text.out.contains("nothing was run"), "{text:?}");
    place
        .run(&["diff", "mixed.sql", "-p", "a", "-p", "b", "-p", "c"])
        .ends(2, &["3 were given"]);
    place
        .run(&["diff", "nowhere.sql"])
        .ends(2, &["nowhere.sql"]);
    place.run(&["diff", "."]).ends(2, &["expected a file"]);
    // With the timeout of a patient service the command would still be trying when the suite is stopped.
    let away = Place::new()
        .with("DATABASE_URL", "postgres://nobody@127.0.0.1:1/x")
        .with("PONTOON_ACQUIRE_TIMEOUT", "1h");
    away.write("a.sql", "SELECT 1");
    for command in [&["diff", "a.sql"][..], &["check"], &["query", "SELECT 1"]] {
        away.run(command).ends(5, &["could not be reached"]);
    }
}
