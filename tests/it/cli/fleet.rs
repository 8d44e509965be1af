//! `status`, `explain`, `rollback`: the operator and an instance, there or not.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::{Place, eventually, keys};
use crate::support::Database;

const FLAGS: &str = "schema = 1\n[migration]\nid = \"async-db\"\nsalt = \"a\"\n[environments.local]\nmax_stage = \"complete\"\nuse_async_db = ";

#[test]
fn status_and_explain_tell_what_the_instance_says() {
    let database = Database::create();
    let place = Place::on(&database).with("USE_ASYNC_DB", "25%");
    let service = place.serve(&[]);
    let ran = place.run(&["status", "--url", service.url(), "--json"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let status = ran.json();
    assert_eq!(
        keys(&status),
        [
            "alarms",
            "backends",
            "environment",
            "instances",
            "keyless",
            "percent",
            "revision",
            "sources",
            "stage"
        ]
    );
    assert_eq!(
        (&status["stage"], &status["environment"]),
        (&"canary(25%)".into(), &"local".into())
    );
    assert_eq!(status["percent"]["nominal"], 25.0);
    assert_eq!(
        status["instances"],
        serde_json::json!({"applied": 1, "total": 1, "silent": []})
    );
    for side in ["blocking", "async"] {
        let side = &status["backends"][side];
        assert_eq!(
            keys(&side["pool"]),
            ["idle", "in_use", "max", "size", "waiting"]
        );
        for key in ["calls", "errors", "in_flight", "p50_ms", "p95_ms", "p99_ms"] {
            assert!(side[key].is_number(), "{key}: {side}");
        }
    }
    let text = place.run(&["status", "--url", service.url()]);
    assert!(
        text.out.starts_with("stage        canary(25%)\n"),
        "{text:?}"
    );
    let explanation = place
        .run(&["explain", "--key", "ada", "--url", service.url(), "--json"])
        .json();
    assert_eq!(
        keys(&explanation),
        [
            "alarms", "backend", "bucket", "outcome", "reason", "revision", "sources"
        ]
    );
    let text = place.run(&["explain", "--key", "ada", "--url", service.url()]);
    let backend = explanation["backend"].as_str().unwrap();
    assert!(
        text.out
            .starts_with(&format!("ada runs on {backend}: its bucket lies")),
        "{text:?}"
    );
}

#[test]
fn a_watch_prints_a_line_a_look_until_its_reader_leaves() {
    let database = Database::create();
    let place = Place::on(&database);
    let service = place.serve(&[]);
    let mut watch = place
        .command(&["status", "--watch", "--json", "--url", service.url()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    for _ in 0..2 {
        let line = lines.next().unwrap().unwrap();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&line).unwrap()["stage"],
            "off"
        );
    }
    drop(lines);
    assert_eq!(watch.wait().unwrap().code(), Some(0));
}

#[test]
fn the_flag_follows_its_file_and_the_kill_file_while_the_service_runs() {
    let database = Database::create();
    let place = Place::on(&database);
    place.write("flags.toml", &format!("{FLAGS}\"off\"\n"));
    let service = place.serve(&[]);
    assert_eq!(service.stage(), "off");
    place.write("flags.toml", &format!("{FLAGS}\"on\"\n"));
    eventually("the file says on", || service.stage() == "complete");
    place.write("flags.toml", &format!("{FLAGS}\"nonsense\"\n"));
    eventually("the alarm is raised", || {
        service.status()["alarms"]
            .as_array()
            .unwrap()
            .iter()
            .any(|alarm| alarm.as_str().unwrap().contains("flags.toml:7"))
    });
    assert_eq!(service.stage(), "complete", "what was right before stays");
    place.write("rollback", "reason: a drill\n");
    eventually("the kill file is seen", || service.stage() == "rolled_back");
    std::fs::remove_file(place.path("rollback")).unwrap();
    eventually("the kill file is gone", || service.stage() == "complete");
}

#[test]
fn a_rollback_reaches_the_instance_and_writes_the_kill_file() {
    let database = Database::create();
    let place = Place::on(&database).with("USE_ASYNC_DB", "on");
    let service = place.serve(&[]);
    assert_eq!(service.stage(), "complete");
    let ran = place.run(&[
        "rollback",
        "--reason",
        "p95 is high",
        "--url",
        service.url(),
        "--json",
    ]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    let told = ran.json();
    assert_eq!(
        keys(&told),
        [
            "acknowledged",
            "instance_kill_file",
            "kill_file",
            "revision",
            "silent",
            "took_ms",
            "total"
        ]
    );
    assert_eq!(
        (&told["acknowledged"], &told["total"], &told["silent"]),
        (&1.into(), &1.into(), &serde_json::json!([]))
    );
    assert_eq!(service.stage(), "rolled_back");
    let note = std::fs::read_to_string(place.path("rollback")).unwrap();
    assert!(note.contains("p95 is high"), "{note}");
    let long = format!("one line\nand {}", "more".repeat(1000));
    place
        .run(&["rollback", "--reason", &long, "--url", service.url()])
        .ends(0, &[]);
    let text = place.run(&["rollback", "--reason", "again", "--url", service.url()]);
    assert!(
        text.out.starts_with("rolled back: 1/1 acknowledged in "),
        "{text:?}"
    );
}

#[test]
fn without_an_instance_a_rollback_still_writes_the_kill_file() {
    let place = Place::new();
    let ran = place.run(&["rollback", "--reason", "no answer"]);
    ran.ends(
        5,
        &[
            "no instance could be reached",
            "http://127.0.0.1:9",
            "the kill file is written",
        ],
    );
    assert!(
        ran.out.starts_with("rolled back: 0/1 acknowledged"),
        "{ran:?}"
    );
    assert!(place.path("rollback").exists());
    let json = place
        .run(&["rollback", "--reason", "no answer", "--json"])
        .json();
    assert_eq!(
        (&json["revision"], &json["silent"]),
        (
            &serde_json::Value::Null,
            &serde_json::json!(["http://127.0.0.1:9"])
        )
    );
    for command in [&["status"][..], &["explain", "--key", "a"]] {
        place
            .run(command)
            .ends(5, &["no instance could be reached", "--url"]);
    }
    place
        .run(&["rollback", "--reason", ""])
        .ends(2, &["--reason"]);
    place.run(&["rollback"]).ends(2, &["--reason"]);
}

#[test]
fn an_instance_that_refuses_the_token_is_not_told_as_away() {
    let database = Database::create();
    let service = Place::on(&database)
        .with("PONTOON_ADMIN_TOKEN", "one")
        .serve(&[]);
    let place = Place::new().with("PONTOON_ADMIN_TOKEN", "another");
    place
        .run(&["rollback", "--reason", "now", "--url", service.url()])
        .ends(6, &["refused the token", "the kill file is written"]);
    assert!(place.path("rollback").exists());
}

#[test]
fn a_mistake_in_the_file_or_the_url_does_not_hold_a_rollback_up() {
    let place = Place::new();
    place.write("flags.toml", "nonsense = ");
    place
        .run(&["rollback", "--reason", "now"])
        .ends(5, &["flags.toml", "the kill file is written"]);
    assert!(place.path("rollback").exists());
    for (name, value) in [
        ("USE_ASYNC_DB", "maybe"),
        ("PONTOON_BUDGET_TOTAL", "abc"),
        ("DATABASE_URL", "mysql://x"),
    ] {
        let place = Place::new().with(name, value);
        place
            .run(&["rollback", "--reason", "now"])
            .ends(5, &[name, "the kill file is written"]);
        assert!(place.path("rollback").exists(), "{name}");
    }
    let place = Place::new();
    place
        .run(&["rollback", "--reason", "now", "--url", "https://x"])
        .ends(2, &["http://ADDRESS:PORT"]);
    assert!(place.path("rollback").exists());
}

#[test]
fn a_mistake_in_the_file_hides_nothing_that_the_instance_tells() {
    let database = Database::create();
    let place = Place::on(&database);
    let service = place.serve(&[]);
    place.write("flags.toml", "nonsense = ");
    for command in [&["status"][..], &["explain", "--key", "ada"]] {
        let mut asked = command.to_vec();
        asked.extend(["--url", service.url()]);
        place.run(&asked).ends(0, &["flags.toml"]);
    }
}

#[test]
fn a_rollback_names_the_kill_file_that_the_instance_wrote() {
    let database = Database::create();
    let elsewhere = Place::on(&database);
    let service = elsewhere.serve(&[]);
    let place = Place::new();
    let ran = place.run(&["rollback", "--reason", "now", "--url", service.url()]);
    for place in [&place, &elsewhere] {
        let path = place.path("rollback").display().to_string();
        assert!(ran.out.contains(&path), "{path}: {}", ran.out);
    }
}
