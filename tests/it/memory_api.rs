use crate::support::Database;
use crate::support::http::{Answer, Server, bridge};
use pontoon::app::{App, Limits};
use pontoon::backend::{
    BackendKind, Settings, StorageBackend, StorageTransaction, TransactionOptions,
};
use pontoon::sql::Query;
use pontoon::{Bridge, Flags, params};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const ONE: &str = "00000000-0000-0000-0000-000000000001";
const TWO: &str = "00000000-0000-0000-0000-000000000002";
const NONE: &str = "00000000-0000-0000-0000-00000000000f";

/// What is sent: method, path and JSON body; and what is wanted: status, and the problem's code and field.
type Case = (&'static str, String, Option<String>, u16, &'static str);

fn case(
    method: &'static str,
    path: impl Into<String>,
    body: impl Into<Option<Value>>,
    status: u16,
    problem: &'static str,
) -> Case {
    (
        method,
        path.into(),
        body.into().map(|body| body.to_string()),
        status,
        problem,
    )
}

/// A body that is sent as it stands.
fn raw(method: &'static str, path: &str, body: &str, problem: &'static str) -> Case {
    (method, path.to_owned(), Some(body.to_owned()), 400, problem)
}

fn good() -> Vec<Case> {
    let content = "Ünïcödé 🛶 '; DROP TABLE memories; -- %s %(x)s $1 \\ \" \u{7f} \u{202e}";
    vec![
        case(
            "POST",
            "/memory",
            json!({"id": ONE, "content": content, "tags": ["a", "b,{}\"\\", "🛶"], "metadata": {"n": 1.50, "deep": [[{}]]}}),
            201,
            "",
        ),
        case(
            "POST",
            "/memory",
            json!({"id": TWO, "content": "two", "title": "T", "source": "claude", "metadata": {"k": null}}),
            201,
            "",
        ),
        case("GET", format!("/memory/{ONE}"), None, 200, ""),
        case("GET", format!("/memory/{TWO}"), None, 200, ""),
        case("GET", "/memories", None, 200, ""),
        case("GET", "/memory?limit=1", None, 200, ""),
        case("GET", "/memories?kind=claude", None, 200, ""),
        case("GET", "/memories?tag=%F0%9F%9B%B6", None, 200, ""),
        case("GET", "/search?q=drop+table", None, 200, ""),
        case("GET", "/search?q=%25s+%25(x)", None, 200, ""),
        case("GET", "/search?q='%3B+--&limit=5", None, 200, ""),
        case(
            "PUT",
            format!("/memory/{TWO}"),
            json!({"content": "three", "tags": [], "title": null}),
            200,
            "",
        ),
        case("GET", format!("/memory/{TWO}"), None, 200, ""),
        case("HEAD", format!("/memory/{TWO}"), None, 200, ""),
        case("DELETE", format!("/memory/{TWO}"), None, 200, ""),
        case("GET", format!("/memory/{TWO}"), None, 404, "not_found id"),
    ]
}

fn bad() -> Vec<Case> {
    let long = |count: usize| "x".repeat(count);
    let deep = format!(
        r#"{{"content":"x","metadata":{}1{}}}"#,
        r#"{"a":"#.repeat(300),
        "}".repeat(300)
    );
    vec![
        raw("POST", "/memory", "", "invalid_json"),
        raw("POST", "/memory", "{", "invalid_json"),
        raw("POST", "/memory", "{\"content\": \"x\",}", "invalid_json"),
        raw("POST", "/memory", "{\"content\": \"x\"} x", "invalid_json"),
        raw(
            "POST",
            "/memory",
            r#"{"content": "\ud800"}"#,
            "invalid_json content",
        ),
        raw(
            "POST",
            "/memory",
            r#"{"content": "x", "metadata": {"a": "\ud800"}}"#,
            "invalid_value metadata",
        ),
        raw(
            "POST",
            "/memory",
            r#"{"content": "x", "content": "y"}"#,
            "invalid_body content",
        ),
        raw(
            "POST",
            "/memory",
            r#"{"content": "x", "metadata": {"a": 1e999}}"#,
            "invalid_value metadata",
        ),
        raw("POST", "/memory", &deep, "invalid_value metadata"),
        raw("POST", "/memory", "[]", "invalid_body"),
        raw("POST", "/memory", "null", "invalid_body"),
        case("POST", "/memory", json!({}), 400, "invalid_body content"),
        case(
            "POST",
            "/memory",
            json!({"content": 5}),
            400,
            "invalid_body content",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": null}),
            400,
            "invalid_body content",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "tags": "a"}),
            400,
            "invalid_body tags",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "tags": ["a", 5]}),
            400,
            "invalid_body tags[1]",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "id": "seven"}),
            400,
            "invalid_body id",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "titel": "y"}),
            400,
            "invalid_body titel",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": " \n"}),
            400,
            "invalid_value content",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "a\0b"}),
            400,
            "invalid_value content",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "title": ""}),
            400,
            "invalid_value title",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "title": "\0"}),
            400,
            "invalid_value title",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "title": long(501)}),
            400,
            "invalid_value title",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "kind": long(51)}),
            400,
            "invalid_value kind",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "source": " "}),
            400,
            "invalid_value source",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "tags": ["a", "b\0"]}),
            400,
            "invalid_value tags[1]",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "tags": [long(101)]}),
            400,
            "invalid_value tags[0]",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "tags": vec!["a"; 65]}),
            400,
            "invalid_value tags",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "metadata": []}),
            400,
            "invalid_value metadata",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "metadata": {"a": [{"b\0": 1}]}}),
            400,
            "invalid_value metadata",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "metadata": {"a": "\0"}}),
            400,
            "invalid_value metadata",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "metadata": {"a": long(65_536)}}),
            400,
            "invalid_value metadata",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": "x", "id": ONE}),
            409,
            "conflict id",
        ),
        case(
            "POST",
            "/memory",
            json!({"content": long(1 << 20)}),
            413,
            "body_too_large",
        ),
        case("GET", "/memory/seven", None, 400, "invalid_path id"),
        case("GET", "/memory/%ff", None, 400, "invalid_path id"),
        case("GET", format!("/memory/{NONE}"), None, 404, "not_found id"),
        case(
            "PUT",
            format!("/memory/{NONE}"),
            json!({"content": "x"}),
            404,
            "not_found id",
        ),
        case(
            "PUT",
            format!("/memory/{ONE}"),
            json!({}),
            400,
            "invalid_body",
        ),
        case(
            "PUT",
            format!("/memory/{ONE}"),
            json!({"id": TWO}),
            400,
            "invalid_body id",
        ),
        case(
            "PUT",
            format!("/memory/{ONE}"),
            json!({"title": " "}),
            400,
            "invalid_value title",
        ),
        case(
            "PUT",
            "/memory/seven",
            json!({"content": "x"}),
            400,
            "invalid_path id",
        ),
        case(
            "DELETE",
            format!("/memory/{NONE}"),
            None,
            404,
            "not_found id",
        ),
        case("GET", "/memories?limit=0", None, 400, "invalid_query limit"),
        case(
            "GET",
            "/memories?limit=101",
            None,
            400,
            "invalid_query limit",
        ),
        case(
            "GET",
            "/memories?limit=ten",
            None,
            400,
            "invalid_query limit",
        ),
        case(
            "GET",
            "/memories?cursor=abc",
            None,
            400,
            "invalid_query cursor",
        ),
        case("GET", "/memories?page=2", None, 400, "invalid_query page"),
        case("GET", "/memories?kind=", None, 400, "invalid_query kind"),
        case("GET", "/search", None, 400, "invalid_query q"),
        case("GET", "/search?q=+", None, 400, "invalid_query q"),
        case("GET", "/search?q=%00", None, 400, "invalid_query q"),
        case("GET", "/search?q=%ff", None, 400, "invalid_query q"),
        case(
            "GET",
            format!("/search?q={}", long(1001)),
            None,
            400,
            "invalid_query q",
        ),
        case("GET", "/nothing", None, 404, "no_such_route"),
        case("GET", "/memory/", None, 404, "no_such_route"),
        case("DELETE", "/memory", None, 405, "method_not_allowed"),
        case(
            "PATCH",
            format!("/memory/{ONE}"),
            json!({"content": "x"}),
            405,
            "method_not_allowed",
        ),
    ]
}

/// The answer without what differs from run to run.
fn repeatable(answer: &Answer) -> String {
    let mut text = format!(
        "{} {} {} ",
        answer.status,
        answer.header("content-type"),
        answer.header("location")
    );
    let mut rest = answer.body.as_str();
    let marks = ["_at\":\"", "\"next_cursor\":\""];
    while let Some((at, mark)) = marks
        .iter()
        .filter_map(|mark| Some((rest.find(mark)? + mark.len(), mark)))
        .min()
    {
        let end = at + rest[at..].find('"').unwrap();
        assert!(end > at, "{mark}");
        text.push_str(&rest[..at]);
        rest = &rest[end..];
    }
    text + rest
}

#[test]
fn both_backends_answer_alike() {
    let mut transcripts = Vec::new();
    for kind in BackendKind::ALL {
        let database = Database::create();
        let server = Server::start(&database, kind);
        let mut transcript = String::new();
        for (method, path, body, status, problem) in good().into_iter().chain(bad()) {
            let answer = match &body {
                Some(body) => server.json(method, &path, body),
                None => server.send(method, &path, &[], None),
            };
            let asked: String = format!("{kind}: {method} {path} {}", body.unwrap_or_default())
                .chars()
                .take(300)
                .collect();
            assert_eq!(
                (answer.status, answer.problem().as_str()),
                (status, problem),
                "{asked}: {}",
                answer.body
            );
            assert!(!answer.header("x-request-id").is_empty(), "{asked}");
            assert_eq!(answer.body.is_empty(), method == "HEAD", "{asked}");
            writeln!(transcript, "{}", repeatable(&answer)).unwrap();
        }
        let stats = server.app.stats();
        let percent = if kind == BackendKind::Async {
            100.0
        } else {
            0.0
        };
        assert_eq!(stats.percent.actual, Some(percent));
        assert!(stats.backends[kind.as_str()].calls.calls > 15, "{stats:?}");
        transcripts.push(transcript);
    }
    let pairs = transcripts[0].lines().zip(transcripts[1].lines());
    for (blocking, asynchronous) in pairs {
        assert_eq!(blocking, asynchronous);
    }
    assert_eq!(transcripts[0], transcripts[1]);
}

/// A memory of this content, stored; the answer's id.
fn stored(server: &Server, content: &str) -> String {
    let answer = server.json(
        "POST",
        "/memory",
        &json!({ "content": content }).to_string(),
    );
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["memory_id"].as_str().unwrap().to_owned()
}

#[test]
fn a_memory_comes_back_as_it_went() {
    for kind in BackendKind::ALL {
        let database = Database::create();
        let server = Server::start(&database, kind);
        let body = r#"{"content": "  é\n", "source": "chatgpt", "tags": ["b", "a", "b"], "metadata": {"n": 12345678901234567890.10, "z": 1, "a": "ü"}}"#;
        let made = server.json("POST", "/memory", body);
        let id = made.json()["memory_id"].as_str().unwrap().to_owned();
        assert_eq!(
            made.json(),
            json!({"success": true, "memory_id": id, "message": "Memory stored"})
        );
        assert_eq!(made.header("location"), format!("/memory/{id}"));

        let read = server.get(made.header("location"));
        assert!(
            read.body.contains("12345678901234567890.10"),
            "{}",
            read.body
        );
        let memory = read.json();
        assert_eq!(
            (&memory["content"], &memory["title"], &memory["kind"]),
            (&json!("  é\n"), &json!("é"), &json!("chatgpt"))
        );
        assert_eq!(
            (&memory["tags"], &memory["metadata"]["source"]),
            (&json!(["b", "a", "b"]), &json!("chatgpt"))
        );
        assert!(memory["created_at"].as_str().unwrap().ends_with('Z'));
    }
}

#[test]
fn a_megabyte_is_stored_whole() {
    for kind in BackendKind::ALL {
        let database = Database::create();
        let server = Server::start(&database, kind);
        let content = "wörd ".repeat(160_000);
        assert!(content.len() > 900_000);
        let id = stored(&server, &content);
        assert!(server.get(&format!("/memory/{id}")).json()["content"] == *content);
        let listed = server.get("/memories").json();
        assert_eq!(
            (
                listed["memories"][0]["content"]
                    .as_str()
                    .unwrap()
                    .chars()
                    .count(),
                &listed["memories"][0]["truncated"]
            ),
            (200, &json!(true))
        );
    }
}

#[test]
fn many_at_once_are_each_stored_once() {
    for kind in BackendKind::ALL {
        let database = Database::create();
        let server = Server::start(&database, kind);
        let ids: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..32)
                .map(|number| {
                    scope.spawn({
                        let server = &server;
                        move || stored(server, &format!("number {number}"))
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 32);

        let (mut seen, mut path) = (BTreeSet::new(), "/memories?limit=10".to_owned());
        loop {
            let page = server.get(&path).json();
            for memory in page["memories"].as_array().unwrap() {
                assert!(seen.insert(memory["id"].as_str().unwrap().to_owned()));
            }
            let Some(cursor) = page["next_cursor"].as_str() else {
                break;
            };
            path = format!("/memories?limit=10&cursor={cursor}");
        }
        assert_eq!(seen, ids.into_iter().collect());
    }
}

#[test]
fn malformed_json_names_its_place() {
    let database = Database::create();
    let server = Server::start(&database, BackendKind::Async);
    let detail = |body: &str| {
        server.json("POST", "/memory", body).json()["detail"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(detail("{\n \"content\": x}").contains("line 2 column 13"));
    assert!(
        detail("{\"content\": 5}")
            .contains("invalid type: integer `5`, expected a string at line 1")
    );
    assert!(detail("{\"titel\": 5}").contains("unknown field `titel`, expected one of"));
}

#[test]
fn a_body_has_to_be_declared_as_json() {
    let database = Database::create();
    let server = Server::start(&database, BackendKind::Async);
    let body = Some(&b"{\"content\": \"x\"}"[..]);
    for headers in [
        &[][..],
        &[("content-type", "text/plain")],
        &[("content-type", "application/json; charset=latin1")],
        &[
            ("content-type", "application/json"),
            ("content-encoding", "gzip"),
        ],
    ] {
        let answer = server.send("POST", "/memory", headers, body);
        assert_eq!(answer.status, 415, "{headers:?}: {}", answer.body);
    }
    let answer = server.send(
        "POST",
        "/memory",
        &[("content-type", "application/json; charset=utf-8")],
        body,
    );
    assert_eq!(answer.status, 201);
    // Bytes that are no UTF-8.
    let answer = server.send(
        "POST",
        "/memory",
        &[("content-type", "application/json")],
        Some(b"{\"content\": \"\xff\"}"),
    );
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (400, "invalid_json content")
    );
}

#[test]
fn every_answer_has_the_request_s_id() {
    let database = Database::create();
    let server = Server::start(&database, BackendKind::Async);
    for path in ["/memories", "/nothing", "/memory/seven", "/health"] {
        let answer = server.send("GET", path, &[("x-request-id", "abc-1")], None);
        assert_eq!(answer.header("x-request-id"), "abc-1", "{path}");
        let answer = server.send("GET", path, &[("x-request-id", "no spaces")], None);
        assert!(
            Uuid::try_parse(answer.header("x-request-id")).is_ok(),
            "{path}"
        );
    }
    assert_ne!(
        server.get("/health").header("x-request-id"),
        server.get("/health").header("x-request-id")
    );
}

#[test]
fn a_wrong_method_is_told_the_right_ones() {
    let database = Database::create();
    let server = Server::start(&database, BackendKind::Async);
    for (method, path, allowed) in [
        ("DELETE", "/memory", "GET,HEAD,POST"),
        ("DELETE", "/search", "GET,HEAD"),
        ("GET", "/admin/rollback", "POST"),
    ] {
        let answer = server.send(method, path, &[], None);
        let mut methods: Vec<&str> = answer.header("allow").split(',').map(str::trim).collect();
        methods.sort_unstable();
        assert_eq!(
            (answer.status, methods.join(",").as_str()),
            (405, allowed),
            "{method} {path}"
        );
        assert_eq!(answer.headers.get_all("allow").iter().count(), 1);
    }
}

#[test]
fn the_key_s_headers_are_checked() {
    let database = Database::create();
    let server = Server::start(&database, BackendKind::Async);
    for name in ["x-pontoon-tenant", "x-pontoon-session"] {
        assert_eq!(
            server
                .send("GET", "/memories", &[(name, "acme")], None)
                .status,
            200
        );
        let answer = server.send("GET", "/memories", &[(name, &"x".repeat(201))], None);
        assert_eq!(
            (answer.status, answer.problem()),
            (400, format!("invalid_header {name}"))
        );
    }
}

#[test]
fn health_and_figures_are_told() {
    let database = Database::create();
    let server = Server::start(&database, BackendKind::Async);
    let health = server.get("/health");
    assert_eq!(
        (health.status, &health.json()["status"]),
        (200, &json!("ok"))
    );
    for kind in BackendKind::ALL {
        assert_eq!(
            health.json()["pool_status"][kind.as_str()]["status"],
            "active",
            "{}",
            health.body
        );
    }
    let ready = server.get("/ready");
    assert_eq!((ready.status, &ready.json()["ready"]), (200, &json!(true)));
    stored(&server, "x");
    let stats = server.get("/stats").json();
    assert_eq!(
        stats["percent"],
        json!({"nominal": 100.0, "actual": 100.0}),
        "{stats}"
    );
    assert!(stats["backends"]["async"]["calls"].as_u64().unwrap() > 0);
    let metrics = server.get("/metrics");
    assert_eq!(
        (metrics.header("content-type"), metrics.body.as_str()),
        ("text/plain; version=0.0.4; charset=utf-8", "# none\n")
    );
}

#[test]
fn an_empty_database_is_not_ready() {
    let database = Database::empty();
    let server = Server::start(&database, BackendKind::Async);
    let ready = server.get("/ready");
    assert_eq!(
        (ready.status, &ready.json()["ready"]),
        (503, &json!(false)),
        "{}",
        ready.body
    );
    assert_eq!(server.get("/health").status, 200);
    let failed = server.get("/memories");
    assert_eq!(
        (failed.status, failed.problem().as_str()),
        (500, "internal")
    );
    assert!(!failed.body.contains("memories"), "{}", failed.body);
}

#[test]
fn the_operator_rolls_back_and_asks_why() {
    let database = Database::create();
    let server = Server::start(&database, BackendKind::Async);
    assert_eq!(
        server.get("/admin/explain?key=acme").json()["backend"],
        "async"
    );
    let refused = server.json("POST", "/admin/rollback", r#"{"reason": " "}"#);
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (400, "invalid_value reason")
    );
    let before = server.get("/admin/status").json();
    assert_eq!(before["percent"]["nominal"], 100.0);

    let done = server
        .json("POST", "/admin/rollback", r#"{"reason": "too slow"}"#)
        .json();
    assert!(
        done["revision"].as_u64() > before["revision"].as_u64(),
        "{done}"
    );
    assert_eq!(
        (&done["acknowledged"], &done["silent"]),
        (&json!(1), &json!([]))
    );
    let explained = server.get("/admin/explain?key=acme").json();
    assert_eq!(
        (&explained["backend"], &explained["reason"]),
        (&json!("blocking"), &json!("rolled_back"))
    );
    assert!(server.get("/admin/status").body.contains("too slow"));
    stored(&server, "x");
    assert_eq!(
        server.get("/stats").json()["backends"]["blocking"]["calls"],
        1
    );
}

#[test]
fn the_operator_is_known_by_a_token_or_by_the_loopback() {
    let database = Database::create();
    let open = Server::start(&database, BackendKind::Async);
    let foreign = open.send("GET", "/admin/status", &[("host", "evil.example")], None);
    assert_eq!(
        (foreign.status, foreign.problem().as_str()),
        (403, "foreign_host host")
    );

    let app = App::new(bridge(&database, BackendKind::Async), Box::new(String::new))
        .with_admin_token(Some("s3cret".into()));
    let guarded = Server::of(app);
    for wrong in [
        "",
        "Bearer",
        "Bearer s3cre",
        "Bearer s3crets",
        "Basic s3cret",
        "s3cret",
    ] {
        let answer = guarded.send("GET", "/admin/status", &[("authorization", wrong)], None);
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (401, "Bearer"),
            "{wrong:?}"
        );
        let answer = guarded.send(
            "POST",
            "/admin/rollback",
            &[
                ("authorization", wrong),
                ("content-type", "application/json"),
            ],
            Some(br#"{"reason": "x"}"#),
        );
        assert_eq!(answer.status, 401, "{wrong:?}");
    }
    let answer = guarded.send(
        "GET",
        "/admin/status",
        &[
            ("authorization", "bearer s3cret"),
            ("host", "pontoon.example"),
        ],
        None,
    );
    assert_eq!(
        (answer.status, &answer.json()["percent"]["nominal"]),
        (200, &json!(100.0))
    );
    assert_eq!(guarded.get("/memories").status, 200);
}

#[tokio::test]
async fn an_open_listener_without_a_token_is_refused() {
    let database = Database::create();
    let app = App::new(bridge(&database, BackendKind::Async), Box::new(String::new));
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let error = pontoon::http::serve(listener, app.into(), std::future::pending())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), pontoon::ErrorKind::Config);
    assert!(error.hint().unwrap().contains("PONTOON_ADMIN_TOKEN"));
}

/// Sends bytes and reads to the end of the connection.
fn talk(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A server whose clients have little time.
fn impatient(database: &Database) -> Server {
    let mut limits = Limits::default();
    limits.body = 1000;
    limits.body_time = Duration::from_millis(300);
    limits.idle_time = Duration::from_millis(600);
    Server::of(
        App::new(bridge(database, BackendKind::Async), Box::new(String::new)).with_limits(limits),
    )
}

#[test]
fn a_slow_or_false_client_is_let_go() {
    let database = Database::create();
    let server = impatient(&database);
    let head = "POST /memory HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let slow = talk(
        &server,
        format!("{head}content-length: 50\r\n\r\n{{\"content\"").as_bytes(),
    );
    assert!(
        slow.starts_with("HTTP/1.1 408 ") && slow.contains("slow_request"),
        "{slow}"
    );
    let waiting = talk(
        &server,
        format!("{head}expect: 100-continue\r\ncontent-length: 5000\r\nconnection: close\r\n\r\n")
            .as_bytes(),
    );
    assert!(waiting.starts_with("HTTP/1.1 413 "), "{waiting}");
    let chunked = format!(
        "{head}transfer-encoding: chunked\r\nconnection: close\r\n\r\n1000\r\n{}\r\n0\r\n\r\n",
        "x".repeat(0x1000)
    );
    let chunked = talk(&server, chunked.as_bytes());
    assert!(
        chunked.starts_with("HTTP/1.1 413 ") && chunked.contains("body_too_large"),
        "{chunked}"
    );
    assert!(!talk(&server, b"GET /memories HT").contains(" 200 "));
    assert!(talk(&server, b"no http\r\n\r\n").starts_with("HTTP/1.1 400 "));
    assert_eq!(server.get("/memories").status, 200);
}

#[test]
fn a_connection_serves_request_after_request() {
    let database = Database::create();
    let server = impatient(&database);
    let two = "GET /nothing HTTP/1.1\r\nhost: x\r\n\r\nGET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = talk(&server, two.as_bytes());
    assert_eq!(
        (
            answer.matches("HTTP/1.1 404 ").count(),
            answer.matches("HTTP/1.1 200 ").count()
        ),
        (1, 1),
        "{answer}"
    );
}

/// A lock that keeps everybody from the memories, until it is dropped.
struct Lock {
    backend: Arc<dyn StorageBackend>,
    held: Option<Box<dyn StorageTransaction>>,
    runtime: tokio::runtime::Runtime,
}

impl Lock {
    fn take(database: &Database) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let backend = database.backend(BackendKind::Async);
        let held = runtime.block_on(async {
            let mut held = backend.begin(TransactionOptions::default()).await.unwrap();
            let query = Query::numbered("lock", "LOCK TABLE memories").unwrap();
            held.execute(&query, params![]).await.unwrap();
            Some(held)
        });
        Self {
            backend,
            held,
            runtime,
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.runtime.block_on(async {
            self.held.take().unwrap().rollback().await.unwrap();
            self.backend.close().await;
        });
    }
}

/// A request that waits for the lock, and whose server was told to stop meanwhile.
fn caught_by_the_shutdown(server: &mut Server, kind: BackendKind) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    write!(stream, "GET /memories HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    while server.app.stats().backends[kind.as_str()].calls.in_flight == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    server.stop();
    while TcpStream::connect(server.address).is_ok() {
        std::thread::sleep(Duration::from_millis(5));
    }
    stream
}

#[test]
fn a_request_that_runs_is_finished_at_the_shutdown() {
    for kind in BackendKind::ALL {
        let database = Database::create();
        let mut server = Server::start(&database, kind);
        stored(&server, "x");
        let lock = Lock::take(&database);
        let mut stream = caught_by_the_shutdown(&mut server, kind);
        drop(lock);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"count\":1"),
            "{kind}: {answer}"
        );
        server.stopped().unwrap();
    }
}

#[test]
fn a_request_that_outlasts_the_shutdown_is_given_up() {
    for kind in BackendKind::ALL {
        let database = Database::create();
        let mut limits = Limits::default();
        limits.drain_time = Duration::from_millis(100);
        let mut server = Server::of(
            App::new(bridge(&database, kind), Box::new(String::new)).with_limits(limits),
        );
        let lock = Lock::take(&database);
        let mut stream = caught_by_the_shutdown(&mut server, kind);
        server.stopped().unwrap();
        let mut answer = String::new();
        let ended = stream.read_to_string(&mut answer);
        assert!(answer.is_empty(), "{kind}: {ended:?} {answer}");
        drop(lock);
    }
}

#[test]
fn a_database_that_is_away_is_said_so() {
    for kind in BackendKind::ALL {
        let away = Bridge::builder("postgres://nobody@127.0.0.1:1/none?sslmode=disable");
        let mut settings = Settings::default();
        settings.acquire_timeout = Duration::from_millis(300);
        let away = away
            .settings(settings)
            .flags(Flags::fixed(kind))
            .build()
            .unwrap();
        let server = Server::of(App::new(away, Box::new(String::new)));
        for answer in [
            server.get("/memories"),
            server.json("POST", "/memory", r#"{"content": "x"}"#),
        ] {
            assert_eq!(
                (answer.status, answer.header("retry-after")),
                (503, "1"),
                "{kind}: {}",
                answer.body
            );
            assert!(!answer.body.contains("127.0.0.1"), "{}", answer.body);
        }
        let health = server.get("/health");
        assert_eq!(
            (health.status, &health.json()["status"]),
            (503, &json!("down")),
            "{kind}: {}",
            health.body
        );
        assert_eq!(server.get("/ready").status, 503);
        assert_eq!(server.get("/admin/status").status, 200);
        assert_eq!(
            server
                .json("POST", "/admin/rollback", r#"{"reason": "away"}"#)
                .status,
            200
        );
    }
}
