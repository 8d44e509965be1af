//! `migrate`, `check`, `completions`, `man`: the commands beside the service.

use super::{Place, keys};
use crate::support::Database;

#[test]
fn migrate_tells_then_applies_then_has_nothing_to_do() {
    let database = Database::empty();
    let place = Place::on(&database);
    let before = place.run(&["migrate", "--check"]);
    before.ends(1, &["missing", "`pontoon migrate`"]);
    assert!(before.out.contains("memories"), "{before:?}");
    let applied = place.run(&["migrate", "--json"]);
    assert_eq!((applied.code, applied.err.as_str()), (0, ""));
    let report = applied.json();
    assert_eq!(keys(&report), ["applied", "pending", "present"]);
    assert_eq!(
        report["applied"][0],
        serde_json::json!({"version": 1, "name": "memories"})
    );
    place.run(&["migrate", "--check"]).ends(0, &["up to date"]);
}

#[test]
fn a_schema_that_a_newer_build_made_is_refused() {
    let database = Database::create();
    let sql =
        "INSERT INTO pontoon_migrations (version, name, checksum) VALUES (9999, 'later', 'x')";
    Place::on(&database).run(&["query", sql]).ends(0, &[]);
    for command in [&["migrate"][..], &["migrate", "--check"], &["serve"]] {
        Place::on(&database)
            .run(command)
            .ends(1, &["9999 (later)", "hint: "]);
    }
}

#[test]
fn the_program_s_own_queries_are_the_same_on_both_backends() {
    let database = Database::create();
    let ran = Place::on(&database).run(&["check", "--json"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    let report = ran.json();
    assert_eq!(report["findings"], serde_json::json!([]));
    assert_eq!(
        keys(&report["summary"]),
        [
            "backends",
            "findings",
            "properties",
            "statements",
            "unchecked"
        ]
    );
    assert_eq!(
        (
            &report["summary"]["backends"],
            &report["summary"]["properties"]
        ),
        (&2.into(), &true.into())
    );
    assert!(report["summary"]["statements"].as_u64().unwrap() > 5);
    let text = Place::on(&database).run(&["check"]);
    assert!(
        text.out
            .starts_with("0 findings: sessions, TLS, budget and "),
        "{text:?}"
    );
}

#[test]
fn a_folder_s_statements_are_found_wrong_at_their_place() {
    let database = Database::create();
    let place = Place::on(&database);
    place.write(
        "sql/good.sql",
        "-- name: one\nSELECT %(x)s::int\n-- name: two\nSELECT 50 % 7\n",
    );
    place.write(
        "sql/deep/bad.sql",
        "SELECT 1;\nSELECT %(name)s::text,\n  nope;\n",
    );
    place.write("sql/worse.sql", "-- name: odd\nSELECT %s, %d");
    place.write("sql/open.sql", "SELECT 1;\n SELECT 'a");
    place.write(
        "sql/script.sql",
        "\\set x 1\nBEGIN;\nSELECT :x;\nALTER TABLE memories ALTER content SET DEFAULT %s;\nCOMMIT;\n",
    );
    place.write("sql/skipped/seed.sql", "SELECT nope");
    place.write("sql/.ignore", "skipped/\n");
    place.write("sql/notes.txt", "SELECT nope");
    let ran = place.run(&["check", "--sql", "sql", "--json"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let report = ran.json();
    assert_eq!(
        (
            &report["summary"]["statements"],
            &report["summary"]["unchecked"],
            &report["summary"]["findings"]
        ),
        (&4.into(), &3.into(), &4.into()),
        "{report}"
    );
    let at = |finding: &serde_json::Value| {
        let word = |key: &str| finding[key].as_str().unwrap().to_owned();
        (
            word("file"),
            finding["line"].as_u64().unwrap(),
            finding["column"].as_u64().unwrap(),
            word("code"),
        )
    };
    let findings: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(at)
        .collect();
    let expected = [
        ("sql/deep/bad.sql", 3, 3, "42703"),
        ("sql/open.sql", 2, 9, "unreadable"),
        ("sql/script.sql", 4, 48, "utility-stmt"),
        ("sql/worse.sql", 2, 12, "placeholder"),
    ];
    assert_eq!(
        findings,
        expected.map(|(file, line, column, code)| (file.into(), line, column, code.into()))
    );
    assert_eq!(
        report["findings"][3]["message"],
        "odd: `%d` is no placeholder"
    );
    assert_eq!(
        keys(&report["findings"][0]),
        ["code", "column", "file", "line", "message", "suggestion"]
    );
    let text = place.run(&["check", "--sql", "sql"]);
    text.ends(1, &[]);
    assert!(
        text.out
            .contains("sql/deep/bad.sql:3:3: 42703: column \"nope\" does not exist"),
        "{text:?}"
    );
    let one = place.run(&["check", "--sql", "sql/good.sql"]);
    one.ends(0, &[]);
    assert!(
        one.out.contains("budget and 2 statements on both"),
        "{one:?}"
    );
    place
        .run(&["check", "--sql", "sql/notes.txt"])
        .ends(2, &[".sql"]);
    place
        .run(&["check", "--sql", "nowhere"])
        .ends(2, &["nowhere"]);
}

#[test]
fn a_python_source_is_found_wrong_at_its_place() {
    let database = Database::create();
    let place = Place::on(&database);
    place.write(
        "app/store.py",
        "import psycopg2\n\n\nGET = (\n    \"SELECT id, 'caf\\u00e9' FROM memories \"\n    \"WHERE nope = %(a_rather_long_name)s AND content = %(b)s\"\n)\n\n\n\
         def run(cur, table, ids):\n    cur.execute(GET, {\"a_rather_long_name\": 1, \"b\": 2})\n\
         \x20   cur.execute(\"SELECT 1 FROM memories WHERE content = %s and nope\", (1,))\n\
         \x20   cur.execute(\"SELECT content FROM memories WHERE id IN %s\", (ids,))\n\
         \x20   cur.execute(\"SELECT content FROM memories WHERE id IN %s\", (ids,))  # pontoon: ignore in-tuple\n\
         \x20   cur.execute(\"SELECT content FROM memories WHERE content LIKE %s\", (ids,))\n\
         \x20   cur.execute(f\"SELECT * FROM {table} WHERE id = %s\", (ids,))\n",
    );
    let ran = place.run(&["check", "--sql", "app", "--json"]);
    let report = ran.json();
    let findings = report["findings"].as_array().unwrap().iter();
    let at: Vec<_> = findings
        .map(|found| {
            let number = |key: &str| found[key].as_u64().unwrap();
            (
                number("line"),
                number("column"),
                found["code"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        (6, 12, "42703"),
        (12, 64, "42703"),
        (13, 59, "in-tuple"),
        (14, 59, "42601"),
    ];
    assert_eq!((ran.code, at), (1, expected.to_vec()), "{report}");
    assert_eq!(report["summary"]["statements"], 4, "{report}");
    assert_eq!(report["summary"]["unchecked"], 1, "{report}");
    let first = report["findings"][0]["message"].as_str().unwrap();
    assert_eq!(first, "GET: column \"nope\" does not exist");
}

#[test]
fn a_budget_that_the_server_never_admits_is_a_finding() {
    let database = Database::create();
    let place = Place::on(&database).with("PONTOON_BUDGET_TOTAL", "100000");
    let ran = place.run(&["check", "--json"]);
    let report = ran.json();
    let codes: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect();
    assert_eq!((ran.code, codes), (1, vec!["budget"]));
}

#[test]
fn completions_and_man_pages_need_no_settings() {
    let place = Place::new().with("USE_ASYNC_DB", "maybe");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = place.run(&["completions", shell]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{shell}");
        assert!(
            ran.out.contains("rollback") && ran.out.contains("ephemeral"),
            "{shell}"
        );
    }
    assert!(place.run(&["man"]).out.contains(".TH pontoon 1"));
    place.run(&["man", "pages"]).ends(0, &[]);
    assert!(place.path("pages/pontoon-serve.1").exists());
}
