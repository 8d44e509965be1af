//! Callers that give up: each call, at each state of the server, costs no connection, no permit and no thread.

use crate::support::{
    Bench, alone, eventually, on_each_backend, open, own_server, query, refused, sessions, threads,
};
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, join_all};
use pontoon::backend::{
    BackendKind, Budget, Settings, StorageBackend, StorageBackendExt, TransactionOptions,
};
use pontoon::embedded::Embedded;
use pontoon::error::Wait;
use pontoon::sql::Params;
use pontoon::{ErrorKind, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

on_each_backend!(
    a_call_given_up_costs_nothing,
    a_call_given_up_on_a_frozen_server_costs_nothing,
    a_frozen_server_costs_no_more_than_the_limit,
    calls_given_up_in_line_let_others_through,
    a_waiting_call_given_up_is_never_sent,
    a_frozen_server_keeps_no_permit,
    a_frozen_server_over_tcp_keeps_no_connection,
    a_call_without_an_answer_is_ended_at_the_server,
    a_call_given_up_is_ended_at_the_server,
    callers_that_hang_up_leave_no_sessions_behind,
    a_commit_without_an_answer_is_told_as_unknown,
);

/// A call as a caller makes it, on a statement that the server answers in its own way.
type Call = for<'a> fn(&'a dyn StorageBackend, &'a str) -> BoxFuture<'a, Result<()>>;

/// Every place where a caller can give up.
const CALLS: [(&str, Call); 12] = [
    ("execute", |backend, sql| {
        Box::pin(async { backend.execute(&query(sql), Params::none()).await.map(drop) })
    }),
    ("fetch_all", |backend, sql| {
        Box::pin(async {
            backend
                .fetch_all(&query(sql), Params::none())
                .await
                .map(drop)
        })
    }),
    ("fetch_optional", |backend, sql| {
        Box::pin(async {
            backend
                .fetch_optional(&query(sql), Params::none())
                .await
                .map(drop)
        })
    }),
    ("fetch", |backend, sql| {
        Box::pin(async {
            let mut rows = backend.fetch(&query(sql), Params::none()).await?;
            while let Some(row) = rows.next().await {
                row?;
            }
            Ok(())
        })
    }),
    ("describe", |backend, sql| {
        Box::pin(async { backend.describe(&query(sql)).await.map(drop) })
    }),
    ("begin", |backend, _| {
        Box::pin(async { backend.begin(TransactionOptions::default()).await.map(drop) })
    }),
    ("tx.execute", |backend, sql| {
        Box::pin(async {
            let mut transaction = backend.begin(TransactionOptions::default()).await?;
            transaction
                .execute(&query(sql), Params::none())
                .await
                .map(drop)
        })
    }),
    ("tx.fetch_all", |backend, sql| {
        Box::pin(async {
            let mut transaction = backend.begin(TransactionOptions::default()).await?;
            transaction
                .fetch_all(&query(sql), Params::none())
                .await
                .map(drop)
        })
    }),
    ("commit", |backend, sql| {
        Box::pin(async {
            let mut transaction = backend.begin(TransactionOptions::default()).await?;
            let result = transaction.execute(&query(sql), Params::none()).await;
            transaction.commit().await?;
            result.map(drop)
        })
    }),
    ("rollback", |backend, sql| {
        Box::pin(async {
            let mut transaction = backend.begin(TransactionOptions::default()).await?;
            let result = transaction.execute(&query(sql), Params::none()).await;
            transaction.rollback().await?;
            result.map(drop)
        })
    }),
    ("ping", |backend, _| Box::pin(backend.ping())),
    ("keep_alive", |backend, _| {
        Box::pin(async {
            let _alive = backend.keep_alive().await;
            Ok(())
        })
    }),
];

/// How the server answers: at once, with an error, late, with rows for ever, and late with an error.
const ANSWERS: [&str; 5] = [
    "SELECT 1",
    "SELECT 1/0",
    "SELECT pg_sleep(0.1)",
    "SELECT repeat('x', 1000) FROM generate_series(1, 20000)",
    "SELECT 1/(1 - g) FROM generate_series(0, 1) g, pg_sleep(0.05)",
];

async fn a_call_given_up_costs_nothing(kind: BackendKind) -> Result<()> {
    let bench = Bench::of(kind, Settings::default());
    for (name, call) in CALLS {
        for sql in ANSWERS {
            for micros in [0, 100, 400, 1000, 3000, 20_000] {
                let call = call(&*bench.backend, sql);
                let _given_up_or_not = timeout(Duration::from_micros(micros), call).await;
            }
        }
        eventually(name, || bench.budget.in_use() == 0).await;
    }
    bench.is_sound().await;
    bench.backend.close().await;
    eventually("every session ends", || bench.sessions("true") == 0).await;
    Ok(())
}

/// A server that can be frozen, and a backend on it with an open connection.
async fn freezable(
    kind: BackendKind,
    settings: Settings,
) -> Result<(Embedded, Arc<Budget>, Arc<dyn StorageBackend>)> {
    let server = own_server(Embedded::options().ephemeral().max_connections(20));
    let budget = Budget::new(3);
    let backend = open(kind, &server.url("postgres"), settings, &budget);
    backend.ping().await?;
    Ok((server, budget, backend))
}

async fn is_sound(server: &Embedded, budget: &Budget, backend: &dyn StorageBackend) -> Result<()> {
    let url = server.url("postgres");
    eventually("every permit comes back", || budget.in_use() == 0).await;
    eventually("no transaction stays open", || {
        sessions(&url, "state LIKE 'idle in tr%'") == 0
    })
    .await;
    eventually("the budget holds", || {
        sessions(&url, "true") <= budget.total()
    })
    .await;
    for _ in 0..budget.total() {
        backend.execute(&query("SELECT 1"), Params::none()).await?;
    }
    Ok(())
}

async fn a_call_given_up_on_a_frozen_server_costs_nothing(kind: BackendKind) -> Result<()> {
    let (server, budget, backend) = freezable(kind, Settings::default()).await?;
    for (name, call) in CALLS {
        // What was prepared before would be described without the server.
        let sql = format!("SELECT 1 AS \"{name}\"");
        eventually("idle", || backend.pool_status().idle > 0).await;
        server.freeze();
        let given_up = timeout(Duration::from_millis(30), call(&*backend, &sql)).await;
        server.thaw();
        assert!(given_up.is_err(), "{name} waits for the server");
        is_sound(&server, &budget, &*backend).await?;
    }
    backend.close().await;
    Ok(())
}

/// The first COMMIT waits for its limit, the second is given up by its caller; both may have happened.
async fn a_commit_without_an_answer_is_told_as_unknown(kind: BackendKind) -> Result<()> {
    let mut settings = Settings::default();
    settings.answer_timeout = Duration::from_millis(500);
    let (server, budget, backend) = freezable(kind, settings).await?;
    let none = Params::none;
    backend
        .execute(&query("CREATE TABLE t (id int)"), none())
        .await?;
    for given_up in [false, true] {
        let mut transaction = backend.begin(TransactionOptions::named("test/tx")).await?;
        transaction
            .execute(&query("INSERT INTO t VALUES (1)"), none())
            .await?;
        server.freeze();
        let limit = Duration::from_millis(if given_up { 50 } else { 10_000 });
        let ended = timeout(limit, transaction.commit()).await;
        assert_eq!(ended.is_err(), given_up);
        if let Ok(result) = ended {
            let error = refused(result);
            assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
            assert!(error.to_string().contains("test/tx"), "{error}");
        }
        server.thaw();
        is_sound(&server, &budget, &*backend).await?;
    }
    let row = backend
        .fetch_one(&query("SELECT count(*) AS n FROM t"), none())
        .await?;
    assert!(row.get::<i64>("n")? <= 2);
    backend.close().await;
    Ok(())
}

async fn a_frozen_server_costs_no_more_than_the_limit(kind: BackendKind) -> Result<()> {
    let mut settings = Settings::default();
    settings.answer_timeout = Duration::from_millis(500);
    settings.acquire_timeout = Duration::from_millis(500);
    settings.open_timeout = Duration::from_millis(500);
    let (server, budget, backend) = freezable(kind, settings).await?;
    for (name, call) in CALLS {
        let sql = format!("SELECT 1 AS \"{name}\"");
        server.freeze();
        let result = timeout(Duration::from_secs(5), call(&*backend, &sql)).await;
        server.thaw();
        match result.unwrap_or_else(|_| panic!("{name} hangs")) {
            Ok(()) => assert_eq!(name, "keep_alive"),
            Err(error) => {
                assert!(
                    matches!(error.kind(), ErrorKind::Timeout(_)),
                    "{name}: {error}"
                );
                assert!(
                    error.to_string().contains("waited 500ms for"),
                    "{name}: {error}"
                );
            }
        }
        is_sound(&server, &budget, &*backend).await?;
    }
    backend.close().await;
    Ok(())
}

async fn calls_given_up_in_line_let_others_through(kind: BackendKind) -> Result<()> {
    let bench = Bench::of(kind, Settings::default());
    let other = open(
        kind,
        &bench.database.url,
        Settings::default(),
        &bench.budget,
    );
    for round in 0..20 {
        let slow = query("SELECT pg_sleep(0.02)");
        let callers: Vec<_> = (0..60)
            .map(|n| {
                // Two pools in one line for one budget.
                let backend = Arc::clone(if n % 2 == 0 { &bench.backend } else { &other });
                let slow = slow.clone();
                tokio::spawn(async move {
                    let call = backend.execute(&slow, Params::none());
                    if n % 3 == 0 {
                        call.await.map(drop)
                    } else {
                        let _given_up = timeout(Duration::from_millis(n % 7), call).await;
                        Ok(())
                    }
                })
            })
            .collect();
        for caller in callers {
            let ended = timeout(Duration::from_secs(30), caller).await;
            ended
                .unwrap_or_else(|_| panic!("in round {round} a caller hangs"))
                .unwrap()?;
        }
    }
    other.close().await;
    bench.is_sound().await;
    Ok(())
}

async fn a_waiting_call_given_up_is_never_sent(kind: BackendKind) -> Result<()> {
    let bench = Bench::of(kind, Settings::default());
    bench.beside(&["CREATE TABLE t (id int)"]);
    let mut held = Vec::new();
    for _ in 0..bench.budget.total() {
        held.push(bench.backend.begin(TransactionOptions::default()).await?);
    }
    let insert = query("INSERT INTO t VALUES (1)");
    let waiting = bench.backend.execute(&insert, Params::none());
    assert!(timeout(Duration::from_millis(50), waiting).await.is_err());
    assert_eq!(bench.budget.waiting(), 0);
    drop(held);
    bench.is_sound().await;
    bench.backend.close().await;
    assert_eq!(bench.beside(&["SELECT count(*) FROM t"]), ["0"]);
    Ok(())
}

/// As many calls as there are permits go unanswered.
async fn unanswered(backend: &dyn StorageBackend, budget: &Budget) {
    let slow = query("SELECT pg_sleep(0.001)");
    let calls = join_all((0..budget.total()).map(|_| backend.execute(&slow, Params::none())));
    let ended = timeout(Duration::from_secs(10), calls).await;
    for result in ended.expect("no call waits for the server") {
        let error = refused(result);
        let named = [Wait::Answer, Wait::Open, Wait::Pool].map(ErrorKind::Timeout);
        assert!(
            named.contains(&error.kind()),
            "a call waits for the server, and for no other call: {error:?}"
        );
    }
}

fn impatient() -> Settings {
    let mut settings = Settings::default();
    settings.answer_timeout = Duration::from_millis(500);
    settings.acquire_timeout = Duration::from_millis(500);
    settings.open_timeout = Duration::from_millis(500);
    settings
}

async fn all_open(backend: &dyn StorageBackend, budget: &Budget) -> Result<()> {
    let mut held = Vec::new();
    for _ in 0..budget.total() {
        held.push(backend.begin(TransactionOptions::default()).await?);
    }
    for transaction in held {
        transaction.rollback().await?;
    }
    Ok(())
}

async fn a_frozen_server_keeps_no_permit(kind: BackendKind) -> Result<()> {
    let (server, budget, backend) = freezable(kind, impatient()).await?;
    for round in 0..2 {
        all_open(&*backend, &budget).await?;
        server.freeze();
        for _ in 0..3 {
            unanswered(&*backend, &budget).await;
            // The server is still frozen.
            eventually("every permit comes back", || budget.in_use() == 0).await;
        }
        if round == 1 {
            let transaction = backend.begin(TransactionOptions::default());
            assert!(transaction.await.is_err());
            eventually("that of a transaction, too", || budget.in_use() == 0).await;
        }
        server.thaw();
        eventually("the backend works", || budget.in_use() == 0).await;
        works_again(&*backend).await;
        is_sound(&server, &budget, &*backend).await?;
    }
    backend.close().await;
    assert_eq!(budget.open(), 0);
    Ok(())
}

/// A server that was frozen may answer late once more.
async fn works_again(backend: &dyn StorageBackend) {
    let mut tries = 0;
    while backend.ping().await.is_err() {
        tries += 1;
        assert!(tries < 100, "it never works again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_frozen_server_over_tcp_keeps_no_connection(kind: BackendKind) -> Result<()> {
    let server = own_server(Embedded::options().ephemeral().tcp().max_connections(20));
    let budget = Budget::new(3);
    let url = server.tcp_url("postgres").expect("it listens on TCP");
    let backend = open(kind, &url, impatient(), &budget);
    all_open(&*backend, &budget).await?;
    server.freeze();
    unanswered(&*backend, &budget).await;
    eventually("permits and slots come back", || {
        (budget.in_use(), budget.open()) == (0, 0)
    })
    .await;
    // Nothing is left that closing could wait for.
    let closed = timeout(Duration::from_secs(10), backend.close()).await;
    closed.expect("closing waits for no frozen server");
    server.thaw();
    let again = open(kind, &url, Settings::default(), &budget);
    is_sound(&server, &budget, &*again).await?;
    again.close().await;
    Ok(())
}

async fn a_call_without_an_answer_is_ended_at_the_server(kind: BackendKind) -> Result<()> {
    let mut settings = Settings::default();
    settings.answer_timeout = Duration::from_millis(500);
    settings.session.statement_timeout = Duration::ZERO;
    let bench = Bench::of(kind, settings);
    bench.beside(&["CREATE TABLE t (id int)"]);
    let holder = open(
        kind,
        &bench.database.url,
        Settings::default(),
        &Budget::new(1),
    );
    let mut locked = holder.begin(TransactionOptions::default()).await?;
    locked
        .execute(&query("LOCK TABLE t"), Params::none())
        .await?;
    let insert = query("INSERT INTO t VALUES (1)");
    for _ in 0..3 {
        let calls =
            (0..bench.budget.total()).map(|_| bench.backend.execute(&insert, Params::none()));
        for result in join_all(calls).await {
            assert_eq!(refused(result).kind(), ErrorKind::Timeout(Wait::Answer));
        }
        // The lock is still held.
        eventually("nothing is held", || bench.budget.in_use() == 0).await;
    }
    let mut transaction = bench.backend.begin(TransactionOptions::default()).await?;
    let result = transaction.execute(&insert, Params::none()).await;
    assert_eq!(refused(result).kind(), ErrorKind::Timeout(Wait::Answer));
    eventually("nothing waits for the lock", || {
        bench.sessions("wait_event_type = 'Lock'") == 0
    })
    .await;
    eventually("nothing is held", || bench.budget.in_use() == 0).await;
    drop(transaction);
    locked.rollback().await?;
    holder.close().await;
    bench.is_sound().await;
    assert_eq!(bench.beside(&["SELECT count(*) FROM t"]), ["0"]);
    Ok(())
}

async fn a_call_given_up_is_ended_at_the_server(kind: BackendKind) -> Result<()> {
    let bench = Bench::of(kind, Settings::default());
    let sleep = "SELECT pg_sleep(g) FROM generate_series(0, 1000, 500) g";
    let asleep = || bench.sessions("wait_event = 'PgSleep'");
    let (slow, none) = (query(sleep), Params::none());
    let given_up = timeout(
        Duration::from_millis(200),
        bench.backend.execute(&slow, none),
    )
    .await;
    assert!(given_up.is_err());
    eventually("a call", || asleep() == 0).await;
    let mut rows = bench
        .backend
        .fetch(
            &query("SELECT repeat('x', 100000), pg_sleep(g) FROM (VALUES (0), (0), (500)) v (g)"),
            Params::none(),
        )
        .await?;
    eventually("it sleeps after the first row", || asleep() == 1).await;
    let _first = timeout(Duration::from_millis(50), rows.next()).await;
    drop(rows);
    eventually("a stream", || asleep() == 0).await;
    let mut transaction = bench.backend.begin(TransactionOptions::default()).await?;
    let none = Params::none();
    let given_up = timeout(Duration::from_millis(200), transaction.execute(&slow, none)).await;
    assert!(given_up.is_err());
    let lost = refused(
        transaction
            .execute(&query("SELECT 1"), Params::none())
            .await,
    );
    assert_eq!(lost.kind(), ErrorKind::OutcomeUnknown, "{lost:?}");
    drop(transaction);
    eventually("a transaction", || asleep() == 0).await;
    let stubborn = query(
        "DO $$BEGIN PERFORM pg_sleep(500); EXCEPTION WHEN query_canceled THEN PERFORM pg_sleep(500); END$$",
    );
    let given_up = timeout(
        Duration::from_millis(200),
        bench.backend.execute(&stubborn, Params::none()),
    )
    .await;
    assert!(given_up.is_err());
    eventually("what did not hear the first request", || asleep() == 0).await;
    bench.is_sound().await;
    Ok(())
}

/// Callers that all hang up, over and over: what they leave at the server keeps its place in the budget until it has ended.
async fn callers_that_hang_up_leave_no_sessions_behind(kind: BackendKind) -> Result<()> {
    let bench = Bench::of(kind, Settings::default());
    let slow = query("SELECT pg_sleep(500)");
    let mut most = 0;
    for _ in 0..20 {
        let calls = (0..bench.budget.total()).map(|_| {
            let call = bench.backend.execute(&slow, Params::none());
            timeout(Duration::from_millis(50), call)
        });
        assert!(join_all(calls).await.iter().all(Result::is_err));
        most = bench.sessions("true").max(most);
    }
    // One more tells the server to end the others, and one that has just been closed may still be seen.
    assert!(most <= 2 * bench.budget.total(), "{most} sessions");
    bench.is_sound().await;
    Ok(())
}

#[test]
fn ten_thousand_calls_given_up_lose_nothing() {
    alone(
        concat!(module_path!(), "::ten_thousand_calls_given_up_lose_nothing"),
        |url| {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(storm(url));
        },
    );
}

/// Calls on both backends over one budget, each given up within two milliseconds unless the server is quicker.
async fn storm(url: &str) {
    const CALLERS: u64 = 50;
    const EACH: u64 = 200;
    let before = threads();
    let budget = Budget::new(6);
    let backends = BackendKind::ALL.map(|kind| open(kind, url, Settings::default(), &budget));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let backends = backends.clone();
            tokio::spawn(async move {
                // A small generator of its own: the same delays in each run.
                let mut state = caller + 1;
                let mut given_up = 0;
                for n in 0.. {
                    if given_up == EACH {
                        break;
                    }
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    let delay = Duration::from_micros((state >> 33) % 2000);
                    let backend = &*backends[usize::from((state >> 20).is_multiple_of(2))];
                    let place = usize::try_from((caller + n) % 10).unwrap();
                    let call = CALLS[place].1(backend, ANSWERS[usize::from(n % 5 == 0)]);
                    given_up += u64::from(timeout(delay, call).await.is_err());
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    eventually("every permit comes back", || {
        budget.in_use() == 0 && budget.waiting() == 0
    })
    .await;
    for backend in &backends {
        for _ in 0..10 {
            backend
                .execute(&query("SELECT 1"), Params::none())
                .await
                .unwrap();
        }
        assert!(backend.pool_status().size <= budget.total());
        backend.close().await;
    }
    assert_eq!(budget.open(), 0);
    eventually("every session ends", || sessions(url, "true") == 0).await;
    drop(backends);
    // The thread that looks after idle connections sees the end at its next look.
    eventually("every thread ends", || threads() <= before).await;
}
