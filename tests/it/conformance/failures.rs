//! Errors: which kind, which code, and what is told with them.

use crate::support::{Bench, TOTAL, open, query, refused};
use futures_util::future::join;
use pontoon::backend::{Budget, Settings, TransactionOptions};
use pontoon::error::Wait;
use pontoon::sql::Params;
use pontoon::{ErrorKind, Result, params};
use std::time::Duration;

pub(super) async fn each_error_of_the_server_has_its_code(bench: &Bench) -> Result<()> {
    bench.beside(&[
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE child (id int UNIQUE, parent int REFERENCES parent, age int CHECK (age > 0), name text NOT NULL)",
        "INSERT INTO child VALUES (1, NULL, 1, 'a')",
    ]);
    let cases = [
        (
            "INSERT INTO child VALUES (1, NULL, 1, 'b')",
            "23505",
            Some("child_id_key"),
            None,
        ),
        (
            "INSERT INTO child VALUES (2, 7, 1, 'b')",
            "23503",
            Some("child_parent_fkey"),
            None,
        ),
        (
            "INSERT INTO child VALUES (2, NULL, 0, 'b')",
            "23514",
            Some("child_age_check"),
            None,
        ),
        (
            "INSERT INTO child VALUES (2, NULL, 1, NULL)",
            "23502",
            None,
            Some("name"),
        ),
        ("SELECT * FROM nowhere", "42P01", None, None),
        ("SELECT nothing", "42703", None, None),
        ("SELECT 1/0", "22012", None, None),
        ("SELECT 'x'::int", "22P02", None, None),
        ("SELECT 1; SELECT 2", "42601", None, None),
        ("SELECT pg_sleep('a', 'b')", "42883", None, None),
        (
            "DO $$ BEGIN RAISE EXCEPTION 'own' USING ERRCODE = 'PT001', HINT = 'do this'; END $$",
            "PT001",
            None,
            None,
        ),
    ];
    bench.backend.ping().await?;
    let sessions = bench.pids();
    for (sql, sqlstate, constraint, column) in cases {
        let error = refused(bench.count(sql).await);
        let report = error.database().unwrap_or_else(|| panic!("{sql}: {error}"));
        assert_eq!(error.kind(), ErrorKind::Database, "{sql}");
        assert_eq!(report.sqlstate, sqlstate, "{sql}: {error}");
        assert_eq!(report.constraint.as_deref(), constraint, "{sql}");
        assert_eq!(report.column.as_deref(), column, "{sql}");
        if constraint.is_some() {
            assert_eq!(
                (report.schema.as_deref(), report.table.as_deref()),
                (Some("public"), Some("child")),
                "{sql}"
            );
        }
    }
    bench.still_has(&sessions);
    Ok(())
}

pub(super) async fn an_error_says_query_and_backend(bench: &Bench) -> Result<()> {
    let (backend, bad) = (&bench.backend, query("SELECT 1/0"));
    let mut transaction = backend.begin(TransactionOptions::default()).await?;
    let errors = [
        refused(backend.execute(&bad, Params::none()).await),
        refused(backend.fetch_all(&bad, Params::none()).await),
        refused(backend.fetch_optional(&bad, Params::none()).await),
        refused(backend.fetch(&bad, Params::none()).await.map(drop)),
        refused(transaction.execute(&bad, Params::none()).await),
        refused(transaction.fetch_all(&bad, Params::none()).await),
        refused(transaction.fetch_optional(&bad, Params::none()).await),
    ];
    for error in errors {
        let place = format!("query test/query on the {} backend: ", backend.kind());
        assert!(error.to_string().starts_with(&place), "{error}");
        assert!(!error.is_retryable());
    }
    transaction.rollback().await
}

pub(super) async fn a_syntax_error_has_its_place(bench: &Bench) -> Result<()> {
    let error = refused(bench.count("SELECT 'é', FROM").await);
    assert_eq!(error.sqlstate(), Some("42601"));
    assert_eq!(
        error.database().and_then(|report| report.position),
        Some(13),
        "in characters: {error}"
    );
    Ok(())
}

pub(super) async fn limits_of_the_session_end_statements(bench: &Bench) -> Result<()> {
    let mut settings = Settings::default();
    settings.session.statement_timeout = Duration::from_millis(100);
    let budget = Budget::new(1);
    let backend = open(bench.backend.kind(), &bench.database.url, settings, &budget);
    let slow = query("SELECT pg_sleep(30)");
    let error = refused(backend.execute(&slow, Params::none()).await);
    assert_eq!(
        (error.kind(), error.sqlstate()),
        (ErrorKind::Database, Some("57014"))
    );
    let error = refused(backend.fetch(&slow, Params::none()).await.map(drop));
    assert_eq!(error.sqlstate(), Some("57014"));
    assert_eq!(backend.pool_status().size, 1, "it costs no connection");
    backend.close().await;
    Ok(())
}

pub(super) async fn a_wait_for_a_lock_ends(bench: &Bench) -> Result<()> {
    bench.beside(&["CREATE TABLE t (id int)", "INSERT INTO t VALUES (1)"]);
    let mut holder = bench.backend.begin(TransactionOptions::default()).await?;
    holder
        .execute(&query("UPDATE t SET id = 2"), Params::none())
        .await?;
    let error = refused(bench.rows("SELECT * FROM t FOR UPDATE NOWAIT").await);
    assert_eq!(
        (error.sqlstate(), error.is_retryable()),
        (Some("55P03"), true)
    );
    let mut settings = Settings::default();
    settings.session.lock_timeout = Duration::from_millis(50);
    let budget = Budget::new(1);
    let backend = open(bench.backend.kind(), &bench.database.url, settings, &budget);
    let error = refused(
        backend
            .execute(&query("UPDATE t SET id = 3"), Params::none())
            .await,
    );
    assert_eq!(error.sqlstate(), Some("55P03"));
    backend.close().await;
    holder.rollback().await
}

pub(super) async fn one_of_two_in_a_deadlock_goes_on(bench: &Bench) -> Result<()> {
    bench.beside(&[
        "CREATE TABLE t (id int PRIMARY KEY, n int)",
        "INSERT INTO t VALUES (1, 0), (2, 0)",
    ]);
    let update = query("UPDATE t SET n = n + 1 WHERE id = $1");
    let mut one = bench.backend.begin(TransactionOptions::default()).await?;
    let mut two = bench.backend.begin(TransactionOptions::default()).await?;
    one.execute(&update, params![1]).await?;
    two.execute(&update, params![2]).await?;
    // The one that the server ends must be rolled back, or it would hold its lock while the other waits for it.
    let first = async {
        let result = one.execute(&update, params![2]).await;
        let ended = if result.is_ok() {
            one.commit().await
        } else {
            one.rollback().await
        };
        result.and_then(|count| ended.map(|()| count))
    };
    let second = async {
        let result = two.execute(&update, params![1]).await;
        let ended = if result.is_ok() {
            two.commit().await
        } else {
            two.rollback().await
        };
        result.and_then(|count| ended.map(|()| count))
    };
    let (first, second) = join(first, second).await;
    let ended: Vec<_> = [first, second]
        .into_iter()
        .filter_map(Result::err)
        .collect();
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!(
        (ended[0].sqlstate(), ended[0].is_retryable()),
        (Some("40P01"), true)
    );
    assert_eq!(bench.beside(&["SELECT n FROM t"]), ["1", "1"]);
    Ok(())
}

pub(super) async fn a_wait_for_a_permit_is_named(bench: &Bench) -> Result<()> {
    let mut settings = Settings::default();
    settings.acquire_timeout = Duration::from_secs(1);
    let budget = Budget::new(TOTAL);
    let backend = open(bench.backend.kind(), &bench.database.url, settings, &budget);
    let mut held = Vec::new();
    for _ in 0..TOTAL {
        held.push(backend.begin(TransactionOptions::default()).await?);
    }
    let error = refused(backend.execute(&query("SELECT 1"), Params::none()).await);
    assert_eq!(
        (error.kind(), error.is_retryable()),
        (ErrorKind::Timeout(Wait::Permit), true)
    );
    assert_eq!(
        (error.query(), error.backend()),
        (Some("test/query"), Some(backend.kind().as_str()))
    );
    assert!(error.hint().is_some());
    let error = refused(backend.begin(TransactionOptions::default()).await);
    assert_eq!(error.kind(), ErrorKind::Timeout(Wait::Permit));
    held.pop().expect("one is held").rollback().await?;
    backend.ping().await?;
    drop(held);
    backend.close().await;
    assert_eq!(budget.in_use(), 0);
    Ok(())
}

pub(super) async fn a_database_that_is_not_there_is_told_at_once(bench: &Bench) -> Result<()> {
    let nowhere = bench.database.url.replacen("/test_", "/no_test_", 1);
    assert_ne!(nowhere, bench.database.url);
    let budget = Budget::new(1);
    let backend = open(bench.backend.kind(), &nowhere, Settings::default(), &budget);
    let begun = std::time::Instant::now();
    let error = refused(backend.ping().await);
    assert_eq!(
        (error.kind(), error.sqlstate()),
        (ErrorKind::Unreachable, Some("3D000"))
    );
    assert!(
        begun.elapsed() < Settings::default().acquire_timeout,
        "waiting cannot help"
    );
    let mut settings = Settings::default();
    settings.acquire_timeout = Duration::from_millis(300);
    let nobody_listens = "postgres://nobody@127.0.0.1:1/x";
    let gone = open(bench.backend.kind(), nobody_listens, settings, &budget);
    let error = refused(gone.execute(&query("SELECT 1"), Params::none()).await);
    assert_eq!(
        (error.kind(), error.is_retryable()),
        (ErrorKind::Unreachable, true),
        "{error}"
    );
    assert_eq!(error.query(), Some("test/query"));
    backend.close().await;
    gone.close().await;
    assert_eq!(budget.in_use(), 0);
    Ok(())
}
