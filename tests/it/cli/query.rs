//! `query` and `bench`: what is printed, where, and how a wrong statement is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use super::{Place, keys};
use crate::support::{Database, execute};

#[test]
fn a_table_goes_to_stdout_and_the_note_to_stderr() {
    let database = Database::create();
    let place = Place::on(&database);
    let ran = place.run(&[
        "query",
        "SELECT 7 AS number, 'x' AS word, NULL::text AS nothing",
    ]);
    ran.ends(0, &["1 row in ", "on the blocking backend"]);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], "number  word  nothing");
    assert_eq!(lines[2], "     7  x     NULL");
    let quiet = place.run(&["-q", "query", "SELECT 1"]);
    assert_eq!((quiet.code, quiet.err.as_str()), (0, ""));
}

#[test]
fn each_placeholder_and_each_backend_gives_the_same() {
    let database = Database::create();
    let place = Place::on(&database);
    for backend in ["blocking", "async", "bridge"] {
        for (sql, values) in [
            (
                "SELECT %s::int8 + 1 AS a, %s::jsonb -> 'k' AS b",
                ["41", "{\"k\": [1]}"],
            ),
            (
                "SELECT $1::int8 + 1 AS a, $2::jsonb -> 'k' AS b",
                ["41", "{\"k\": [1]}"],
            ),
            (
                "SELECT %(n)s::int8 + 1 AS a, %(j)s::jsonb -> 'k' AS b",
                ["n=41", "j={\"k\": [1]}"],
            ),
        ] {
            let ran = place.run(&[
                "query",
                sql,
                "-p",
                values[0],
                "-p",
                values[1],
                "--backend",
                backend,
                "--json",
            ]);
            assert_eq!(ran.err, "", "{sql}");
            let answer = ran.json();
            assert_eq!(
                keys(&answer),
                ["affected", "backend", "columns", "rows", "took_ms"]
            );
            assert_eq!(
                answer["rows"],
                serde_json::json!([{"a": 42, "b": [1]}]),
                "{sql}"
            );
            assert_eq!(
                answer["columns"][1],
                serde_json::json!({"name": "b", "type": "jsonb"})
            );
            let expected = if backend == "async" {
                "async"
            } else {
                "blocking"
            };
            assert_eq!(answer["backend"], expected);
        }
    }
}

#[test]
fn a_statement_that_fails_on_its_way_leaves_a_whole_document() {
    let database = Database::create();
    let place = Place::on(&database);
    let sql = "SELECT 1 / (3 - n) AS \"q\" FROM generate_series(1, 100) n";
    for backend in ["blocking", "async"] {
        let ran = place.run(&["query", sql, "--json", "--backend", backend]);
        ran.ends(1, &["division by zero (22012)"]);
        let told = ran.json();
        assert_eq!(told["rows"], serde_json::json!([{"q": 0}, {"q": 1}]));
        assert_eq!(
            (&told["complete"], &told["backend"]),
            (&false.into(), &backend.into())
        );
        let whole = place.run(&["query", "SELECT 1", "--json", "--backend", backend]);
        assert!(whole.json().get("complete").is_none(), "{whole:?}");
        let refused = place.run(&["query", "SELECT nope", "--json", "--backend", backend]);
        refused.ends(1, &["nope"]);
        assert_eq!(refused.out, "");
    }
}

#[test]
fn comma_separated_values_and_a_statement_from_stdin() {
    let database = Database::create();
    let place = Place::on(&database);
    let mut process = place
        .command(&["query", "-", "--csv"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let sql = b"SELECT 'a,b' AS \"x\", NULL AS y, '' AS z";
    process.stdin.take().unwrap().write_all(sql).unwrap();
    let output = process.wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "x,y,z\n\"a,b\",,\"\"\n"
    );
}

#[test]
fn a_statement_without_rows_tells_how_many_it_affected() {
    let database = Database::create();
    let place = Place::on(&database);
    place
        .run(&["query", "CREATE TABLE t (id int)"])
        .ends(0, &[]);
    let sql = "INSERT INTO t SELECT generate_series(1, 3)";
    let ran = place.run(&["query", sql, "--backend", "async"]);
    ran.ends(0, &["3 rows affected", "on the async backend"]);
    assert_eq!(ran.out, "");
    let json = place.run(&["query", "DELETE FROM t", "--json"]).json();
    assert_eq!(
        (&json["affected"], &json["rows"]),
        (&3.into(), &serde_json::json!([]))
    );
    assert_eq!(execute(&database.url, &["SELECT count(*) FROM t"]), ["0"]);
}

#[test]
fn a_wrong_statement_is_told_with_its_place_in_what_was_typed() {
    let database = Database::create();
    let place = Place::on(&database);
    let sql = "SELECT %(a_long_name)s,\n       nope";
    let ran = place.run(&["query", sql, "-p", "a_long_name=1"]);
    ran.ends(
        1,
        &[
            "\"nope\" does not exist (42703)",
            "line 2, column 8",
            "\n           nope\n           ^",
        ],
    );
    assert_eq!(ran.out, "");
    let ran = place.run(&["query", "SELECT '%s', %s", "-p", "1"]);
    ran.ends(1, &["line 1, column 9"]);
    place
        .run(&["query", "SELECT %s"])
        .ends(1, &["it takes 1 values; 0 were given", "hint: -p VALUE"]);
    place
        .run(&["query", "SELECT 1; SELECT 2"])
        .ends(1, &["42601"]);
    place.run(&["query", "BEGIN"]).ends(1, &["begin()"]);
    let named = place.run(&["query", "SELECT %(a)s", "-p", "1"]);
    named.ends(1, &["NAME=VALUE"]);
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let database = Database::create();
    let place = Place::on(&database);
    let sql = "SELECT number, repeat('x', 1000) FROM generate_series(1, 100000) AS number";
    for form in ["--csv", "--json", "-q"] {
        let mut process = place
            .command(&["query", sql, form])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        out.read_until(b'1', &mut Vec::new()).unwrap();
        drop(out);
        let mut err = String::new();
        process
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut err)
            .unwrap();
        assert_eq!(
            (process.wait().unwrap().code(), err.as_str()),
            (Some(0), ""),
            "{form}"
        );
    }
}

#[test]
fn a_bench_measures_all_three_and_runs_no_write() {
    let database = Database::create();
    let place = Place::on(&database);
    let ran = place.run(&["bench", "--clients", "1,3", "--seconds", "1", "--json"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let rows = ran.json()["rows"].as_array().unwrap().clone();
    let measured: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["backend"].as_str().unwrap(),
                row["clients"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        measured,
        [
            ("blocking", 1),
            ("async", 1),
            ("bridge", 1),
            ("blocking", 3),
            ("async", 3),
            ("bridge", 3)
        ]
    );
    for row in &rows {
        assert_eq!(
            keys(row),
            [
                "backend",
                "clients",
                "cpu_us",
                "errors",
                "p50_ms",
                "p99_ms",
                "per_second",
                "query",
                "stall_p99_ms"
            ]
        );
        assert!(
            row["per_second"].as_f64().unwrap() > 1.0 && row["cpu_us"].as_f64().unwrap() > 0.0,
            "{row}"
        );
        assert_eq!(
            (&row["errors"], &row["query"]),
            (&0.into(), &"bench/one".into())
        );
    }
    let write = [
        "bench",
        "--query",
        "memories/delete",
        "-p",
        "id=00000000-0000-0000-0000-000000000000",
    ];
    place.run(&write).ends(1, &["memories/delete writes"]);
    place
        .run(&["bench", "--query", "no/such"])
        .ends(2, &["no/such"]);
    place
        .run(&["bench", "--clients", "0"])
        .ends(2, &["--clients"]);
}
