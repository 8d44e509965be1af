use crate::support::Database;
use crate::support::http::{Server, bridge};
use pontoon::app::{App, Limits};
use pontoon::backend::{
    BackendKind, Settings, StorageBackend, StorageTransaction, TransactionOptions,
};
use pontoon::sql::Query;
use pontoon::{Bridge, Flags, params};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

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
        let told = &answer.body;
        for method in methods.iter().filter(|method| **method != "HEAD") {
            assert!(told.contains(*method), "{told}");
        }
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
    server.stored("x");
    let stats = server.get("/stats").json();
    assert_eq!(
        stats["percent"],
        json!({"nominal": 100.0, "actual": 100.0}),
        "{stats}"
    );
    assert!(stats["backends"]["async"]["calls"].as_u64().unwrap() > 0);
    let permits = &stats["permits"];
    assert!(
        permits["total"].as_u64() > permits["in_use"].as_u64(),
        "{stats}"
    );
    assert_eq!(
        stats["backends"]["async"]["keep_alive"],
        json!({"rounds": 0, "alive": 0})
    );
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
    for (body, field) in [
        (r#"{"reason": " "}"#, "reason"),
        (r#"{"reason": "slow", "who": "a\nb"}"#, "who"),
    ] {
        let refused = server.json("POST", "/admin/rollback", body);
        assert_eq!(
            (refused.status, refused.problem()),
            (400, format!("invalid_value {field}"))
        );
    }
    let before = server.get("/admin/status").json();
    assert_eq!(before["percent"]["nominal"], 100.0);

    let done = server
        .json(
            "POST",
            "/admin/rollback",
            r#"{"reason": "too slow", "who": "ada"}"#,
        )
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
    let status = server.get("/admin/status").body;
    for told in ["by ada, admin API from 127.0.0.1", "too slow"] {
        assert!(status.contains(told), "{status}");
    }
    server.stored("x");
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
    limits.body_time = Duration::from_secs(1);
    limits.idle_time = Duration::from_secs(2);
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
    soon("the request waits for the lock", || {
        server.app.stats().backends[kind.as_str()].calls.in_flight > 0
    });
    server.stop();
    let address = server.address;
    soon("nobody is let in", || TcpStream::connect(address).is_err());
    stream
}

/// Waits until it holds; that it never does is a failure.
#[track_caller]
fn soon(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < until, "it never came: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_request_that_runs_is_finished_at_the_shutdown() {
    for kind in BackendKind::ALL {
        let database = Database::create();
        let mut server = Server::start(&database, kind);
        server.stored("x");
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

/// A server with one connection, whose callers wait that long for it.
fn narrow(database: &Database, kind: BackendKind, acquire: Duration) -> Server {
    let mut settings = Settings::default();
    settings.acquire_timeout = acquire;
    let bridge = Bridge::builder(&database.url)
        .settings(settings)
        .flags(Flags::fixed(kind))
        .budget(1)
        .build()
        .unwrap();
    Server::of(App::new(bridge, Box::new(String::new)))
}

#[test]
fn connections_that_are_all_in_use_are_no_database_that_is_down() {
    let database = Database::create();
    // A look that is told so, and one that would wait for longer than a look does.
    for (kind, acquire) in [
        (BackendKind::Async, Duration::from_millis(300)),
        (BackendKind::Blocking, Duration::from_mins(1)),
    ] {
        let server = narrow(&database, kind, acquire);
        let lock = Lock::take(&database);
        let mut holds = TcpStream::connect(server.address).unwrap();
        write!(
            holds,
            "GET /memories HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        soon("the only connection is in use", || {
            server.app.stats().backends[kind.as_str()].pool.in_use == 1
        });
        let health = server.get("/health");
        let told = health.json();
        assert_eq!(
            (health.status, &told["status"]),
            (200, &json!("degraded")),
            "{told}"
        );
        for kind in BackendKind::ALL {
            assert_eq!(
                told["pool_status"][kind.as_str()]["status"],
                "busy",
                "{told}"
            );
        }
        let ready = server.get("/ready");
        assert_eq!(
            (ready.status, &ready.json()["checks"][0]["detail"]),
            (503, &json!("every connection is in use")),
            "{kind}"
        );
        if acquire < Duration::from_secs(1) {
            let refused = server.get("/memories");
            assert_eq!((refused.status, refused.problem().as_str()), (503, "busy"));
            assert_eq!(refused.json()["wait"], "permit", "{}", refused.body);
        }
        drop(lock);
        let mut answer = String::new();
        holds.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert_eq!(server.get("/health").json()["status"], "ok");
        assert_eq!(server.get("/ready").status, 200);
    }
}

#[test]
fn callers_that_wait_are_counted_for_their_backend() {
    let database = Database::create();
    let server = narrow(&database, BackendKind::Async, Duration::from_mins(1));
    let lock = Lock::take(&database);
    let ask = || {
        let mut stream = TcpStream::connect(server.address).unwrap();
        write!(
            stream,
            "GET /memories HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        stream
    };
    let asked = [ask(), ask(), ask()];
    let waiting = || {
        let stats = server.get("/stats").json();
        let of = |kind: &str| stats["backends"][kind]["pool"]["waiting"].clone();
        json!([of("async"), of("blocking"), stats["permits"]["waiting"]])
    };
    soon("two wait", || waiting() == json!([2, 0, 2]));
    drop(lock);
    for mut stream in asked {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    assert_eq!(waiting(), json!([0, 0, 0]));
}

#[test]
fn a_head_that_is_too_large_gets_a_document() {
    let database = Database::create();
    let server = Server::start(&database, BackendKind::Async);
    let uri = |bytes: usize| {
        let path = "/search?q=";
        format!("{path}{}", "x".repeat(bytes - path.len()))
    };
    let fits = server.get(&uri(16 << 10));
    assert_eq!(
        (fits.status, fits.problem().as_str()),
        (400, "invalid_query q")
    );
    for too_long in [uri((16 << 10) + 1), uri(60_000)] {
        let refused = server.get(&too_long);
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (414, "uri_too_long")
        );
        assert!(Uuid::try_parse(refused.header("x-request-id")).is_ok());
    }
    let headers: Vec<String> = (0..300).map(|at| format!("x-{at}: 1\r\n")).collect();
    let large = format!("x-large: {}\r\n", "x".repeat(70_000));
    for headers in [headers.concat(), large] {
        let refused = talk(
            &server,
            format!("GET /memories HTTP/1.1\r\nhost: x\r\nx-request-id: mine\r\nconnection: close\r\n{headers}\r\n").as_bytes(),
        );
        assert!(refused.starts_with("HTTP/1.1 431 "), "{refused}");
        assert!(refused.contains("x-request-id: mine"), "{refused}");
        assert!(refused.contains("headers_too_large"), "{refused}");
    }
    assert_eq!(server.get("/memories").status, 200);
}

#[test]
fn what_is_no_request_gets_a_bare_answer_as_the_page_says() {
    let database = Database::create();
    let server = Server::start(&database, BackendKind::Async);
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(64 << 10));
    let many = "x: 1\r\n".repeat(1100);
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    for (bytes, status) in [
        ("GET  / HTTP/1.1\r\nhost: x\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nno header\r\n\r\n", "400"),
        (&*long, "414"),
        (&*many, "431"),
    ] {
        let answer = talk(&server, bytes.as_bytes());
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert!(answer.contains("connection: close"), "{answer}");
        assert!(!answer.contains("x-request-id"), "{answer}");
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
