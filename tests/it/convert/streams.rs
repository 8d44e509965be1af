//! SQL on stdin, and lines of JSON.

use super::*;
use serde_json::json;

#[test]
fn sql_goes_from_stdin_to_stdout_byte_for_byte() {
    for (sql, converted) in [
        ("SELECT %s, '50%%'\r\n", "SELECT $1, '50%'\r\n"),
        ("SELECT %(b)s, %(a)s, %(b)s", "SELECT $1, $2, $1"),
        ("SELECT ?, j ?? 'a'", "SELECT $1, j ? 'a'"),
        ("SELECT :a::int, ':b'", "SELECT $1::int, ':b'"),
        ("SELECT $1, 5 % 2", "SELECT $1, 5 % 2"),
        ("SELECT 5 % 2", "SELECT 5 % 2"),
        (
            "\u{feff}SELECT a FROM t WHERE b = %s",
            "\u{feff}SELECT a FROM t WHERE b = $1",
        ),
        ("", ""),
    ] {
        for arguments in [&[][..], &["-"]] {
            let ran = convert(arguments, sql);
            assert_eq!((ran.code, &*ran.out), (0, converted), "{ran:?}");
        }
    }
}

#[test]
fn what_the_parameters_are_is_told_aside() {
    let sql = "SELECT a FROM t WHERE b = %(b)s AND a = %(a)s";
    assert_eq!(convert(&[], sql).err, "parameters: $1 = b, $2 = a\n");
    assert_eq!(convert(&["-q"], sql).err, "");
    let ran = convert(&["--fix"], "SELECT a FROM t WHERE a IN %s");
    assert_eq!(ran.out, "SELECT a FROM t WHERE a = ANY($1)");
    assert!(ran.err.contains("`$1` takes a list"), "{ran:?}");
    assert_eq!(convert(&[], "SELECT * FROM t WHERE a = %s").err, "");
    let named = "-- name: one\nSELECT %(b)s::int;\n-- name: two\nSELECT %(c)s::int;\n";
    let ran = convert(&[], named);
    assert_eq!(
        ran.out,
        "-- name: one\nSELECT $1::int;\n-- name: two\nSELECT $1::int;\n"
    );
    assert_eq!(
        ran.err,
        "parameters of one: $1 = b\nparameters of two: $1 = c\n"
    );
}

#[test]
fn what_cannot_be_converted_is_not_printed_as_if_it_were() {
    for (sql, code, place) in [
        ("SELECT %s,\n  %d", "unknown-placeholder", ":2:3"),
        ("SELECT %s, 5 % 2", "bare-percent", ":1:14"),
        ("SELECT %s, %(a)s", "mixed-styles", ":1:12"),
        ("SELECT 1,\n 'abc", "unterminated-string", ":2:2"),
        ("SELECT 'a%%'", "ambiguous-style", ":1:10"),
        ("SELECT 1 WHERE a IN %s", "in-tuple", ":1:"),
    ] {
        let ran = convert(&[], sql);
        assert_eq!((ran.code, &*ran.out), (1, ""), "{ran:?}");
        assert!(ran.err.contains(&format!("[{code}]")), "{ran:?}");
        assert!(ran.err.contains(place), "{ran:?}");
    }
}

#[test]
fn the_operator_names_the_style_or_that_there_are_no_parameters() {
    let ran = convert(&["--no-params"], "SELECT '%s%%' , 5 % 2, 'abc");
    assert_eq!((ran.code, &*ran.out), (0, "SELECT '%s%%' , 5 % 2, 'abc"));
    assert_eq!(
        convert(&["--from", "format"], "SELECT 'a%%'").out,
        "SELECT 'a%'"
    );
    assert_eq!(
        convert(&["--from", "qmark"], "SELECT ?, '%s'").out,
        "SELECT $1, '%s'"
    );
    assert_eq!(convert(&["--from", "format"], "SELECT %(a)s").code, 1);
    assert_eq!(convert(&["--from", "percent"], "").code, 2);
}

#[test]
fn the_way_back_doubles_percents() {
    let ran = convert(&["--to", "format"], "SELECT $2, $1, '50%'");
    assert_eq!((ran.code, &*ran.out), (0, "SELECT %s, %s, '50%%'"));
    let ran = convert(&["--to", "pyformat"], "SELECT $2, $1, $2, 5 % 2");
    assert_eq!(ran.out, "SELECT %(p2)s, %(p1)s, %(p2)s, 5 %% 2");
    assert_eq!(
        convert(&["--to", "format"], "SELECT 5 % 2").out,
        "SELECT 5 % 2"
    );
    assert_eq!(convert(&["--to", "format"], "SELECT $2").code, 1);
}

#[test]
fn a_check_of_stdin_prints_no_sql() {
    let ran = convert(&["--check"], "SELECT a FROM t WHERE a = %s");
    assert_eq!((ran.code, &*ran.out), (1, ""));
    assert!(ran.err.contains("[unconverted]"), "{ran:?}");
    assert_eq!(
        convert(&["--check"], "SELECT a FROM t WHERE a = $1").code,
        0
    );
    let ran = convert(&["--diff"], "SELECT a FROM t WHERE a = %s\n");
    assert!(
        ran.out.contains("\n+SELECT a FROM t WHERE a = $1\n"),
        "{ran:?}"
    );
}

#[test]
fn stdin_as_a_document() {
    let ran = convert(&["--json"], "SELECT a FROM t WHERE a = %(x)s");
    let document = ran.json();
    assert_eq!(document["sql"], "SELECT a FROM t WHERE a = $1");
    assert_eq!(document["queries"][0]["params"], json!(["x"]));
    let document = convert(&["--json"], "SELECT %s, %d").json();
    assert_eq!(document["sql"], Value::Null);
    assert_eq!(document["findings"][0]["code"], "unknown-placeholder");
}

#[test]
fn what_is_no_text_is_refused() {
    let folder = Folder::new();
    let ran = pontoon(folder.0.path(), &["convert"], b"SELECT 1,\n '\xff'");
    assert_eq!((ran.code, &*ran.out), (1, ""));
    assert!(ran.err.contains("line 2, column 3"), "{ran:?}");
}

#[test]
fn arguments_that_make_no_sense_are_usage() {
    for arguments in [
        &["--write"][..],
        &["--write", "--check", "."],
        &["-", "a.sql"],
        &["--diff", "--json"],
        &["--json", "--format", "sarif"],
        &["--ignore", "in-tupel"],
        &["--select", "nonsense"],
        &["none.sql"],
    ] {
        let ran = convert(arguments, "");
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
    }
    let ran = convert(&["--ignore", "in-tupel"], "");
    assert!(ran.err.contains("the nearest is `in-tuple`"), "{ran:?}");
}

#[test]
fn a_line_comes_out_for_each_that_goes_in() {
    let input = [
        r#"{"id": 1, "sql": "SELECT a FROM t WHERE a = %s AND b = %s"}"#,
        r#"{"id": "two", "sql": "SELECT %(b)s::int, %(a)s::int, %(b)s::int", "style": "pyformat", "file": "x.py", "has_args": "mapping"}"#,
        r#"{"id": 3, "sql": "SELECT '%s%%'", "style": "raw"}"#,
        r#"{"id": 4, "sql": "SELECT 5 % 2", "params": false}"#,
        "",
        "not json",
        r#"{"id": 7}"#,
        r#"{"id": 8, "sql": "SELECT %s, %d"}"#,
        r#"{"id": 9, "sql": "SELECT a FROM t WHERE a = ?", "style": "qmark"}"#,
        r#"{"id": 10, "sql": "x LIKE 'a%%'", "params": true}"#,
        r#"{"id": 11, "sql": "SELECT 1 WHERE a IN %s", "has_args": "none", "style": "format"}"#,
        r#"{"id": 12, "sql": "SELECT 1 WHERE a IN %s", "style": "format"}"#,
        r#"{"id": 13, "sql": "SELECT 1", "style": "klingon"}"#,
        r#"{"id": 14, "sql": "SELECT a FROM t WHERE a = %s", "style": "mixed"}"#,
    ];
    let ran = convert(&["--jsonl"], &input.join("\n"));
    let lines = ran.lines();
    assert_eq!(lines.len(), input.len());
    let sql = |at: usize| lines[at]["sql"].as_str();
    assert_eq!(sql(0), Some("SELECT a FROM t WHERE a = $1 AND b = $2"));
    assert_eq!(lines[0]["params"], json!([0, 1]));
    assert_eq!(
        (sql(1), &lines[1]["params"]),
        (Some("SELECT $1::int, $2::int, $1::int"), &json!(["b", "a"]))
    );
    assert_eq!(
        (sql(2), sql(3)),
        (Some("SELECT '%s%%'"), Some("SELECT 5 % 2"))
    );
    for at in [4, 5, 6, 7, 12] {
        assert!(lines[at]["error"]["message"].is_string(), "{}", lines[at]);
        assert_eq!(sql(at), None);
    }
    assert_eq!(lines[6]["id"], 7);
    assert_eq!(lines[7]["error"]["column"], 12);
    assert_eq!(
        (sql(8), sql(9)),
        (Some("SELECT a FROM t WHERE a = $1"), Some("x LIKE 'a%'"))
    );
    assert_eq!(lines[10]["hazards"], json!([]));
    assert_eq!(
        (&lines[11]["hazards"][0]["code"], &lines[11]["held"]),
        (&"in-tuple".into(), &true.into())
    );
    assert_eq!(sql(13), Some("SELECT a FROM t WHERE a = $1"));
    assert_eq!(ran.code, 1);
}

#[test]
fn lines_come_from_files_too() {
    let folder = Folder::with(&[(
        "in.jsonl",
        "{\"id\":1,\"sql\":\"SELECT a FROM t WHERE a = :x\"}\n",
    )]);
    let ran = folder.run(&["convert", "--jsonl", "in.jsonl"]);
    assert_eq!((ran.code, ran.lines().len()), (0, 1));
    assert_eq!(folder.run(&["convert", "--jsonl", "none"]).code, 2);
}

#[test]
fn an_answer_does_not_wait_for_the_next_line() {
    use std::io::{BufRead, BufReader};
    let mut child = Command::new(env!("CARGO_BIN_EXE_pontoon"))
        .args(["convert", "--jsonl"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for number in 0..3 {
        writeln!(stdin, "{{\"id\":{number},\"sql\":\"SELECT 1\"}}").unwrap();
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["id"], number);
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}
