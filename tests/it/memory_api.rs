use crate::support::Database;
use crate::support::http::{Answer, Server};
use pontoon::backend::BackendKind;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

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

/// Metadata that is JSON, and that Postgres does not take.
fn refused(method: &'static str, path: String, body: &str) -> Case {
    (
        method,
        path,
        Some(body.to_owned()),
        422,
        "refused_value metadata",
    )
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
        case("GET", "/search?q=%EF%BF%BD", None, 200, ""),
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

#[expect(clippy::too_many_lines, reason = "a table")]
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
        refused(
            "POST",
            "/memory".into(),
            r#"{"content": "x", "metadata": {"a": [1e-20000]}}"#,
        ),
        refused(
            "PUT",
            format!("/memory/{ONE}"),
            r#"{"metadata": {"a": 1e-20000}}"#,
        ),
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
        case(
            "GET",
            "/memories?cursor=7ffffffffffffffe00000000000000000000000000000001",
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
        let id = server.stored(&content);
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
                        move || server.stored(&format!("number {number}"))
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
