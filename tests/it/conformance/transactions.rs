//! Transactions: begun, ended, dropped, failed and lost.

use crate::support::{Bench, eventually, open, query, refused};
use futures_util::FutureExt;
use pontoon::backend::{Budget, Isolation, Settings, StorageTransaction, TransactionOptions};
use pontoon::error::Wait;
use pontoon::sql::Params;
use pontoon::{ErrorKind, Result, params};
use std::time::Duration;

const INSERT: &str = "INSERT INTO t VALUES ($1)";

/// A transaction that has written one row of `t`.
async fn begun(bench: &Bench) -> Result<Box<dyn StorageTransaction>> {
    bench.beside(&["CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)"]);
    let mut transaction = bench
        .backend
        .begin(TransactionOptions::named("test/transaction"))
        .await?;
    assert_eq!(transaction.kind(), bench.backend.kind());
    transaction.execute(&query(INSERT), params![1]).await?;
    Ok(transaction)
}

fn rows(bench: &Bench) -> usize {
    bench.beside(&["SELECT id FROM t"]).len()
}

pub(super) async fn a_commit_is_seen_by_others(bench: &Bench) -> Result<()> {
    let mut transaction = begun(bench).await?;
    let own = transaction
        .fetch_all(&query("SELECT id FROM t"), Params::none())
        .await?;
    assert_eq!((own.len(), rows(bench)), (1, 0));
    assert!(
        transaction
            .fetch_optional(&query("SELECT id FROM t"), Params::none())
            .await?
            .is_some()
    );
    let sessions = bench.pids();
    transaction.commit().await?;
    assert_eq!(rows(bench), 1);
    bench.still_has(&sessions);
    Ok(())
}

pub(super) async fn a_rollback_undoes(bench: &Bench) -> Result<()> {
    let transaction = begun(bench).await?;
    let sessions = bench.pids();
    transaction.rollback().await?;
    assert_eq!(rows(bench), 0);
    begun(bench).await?.commit().await?;
    assert_eq!(rows(bench), 1);
    bench.still_has(&sessions);
    Ok(())
}

pub(super) async fn dropped_it_is_rolled_back(bench: &Bench) -> Result<()> {
    drop(begun(bench).await?);
    bench.is_sound().await;
    assert_eq!(rows(bench), 0);
    Ok(())
}

pub(super) async fn dropped_after_a_failure_it_is_rolled_back(bench: &Bench) -> Result<()> {
    let mut transaction = begun(bench).await?;
    refused(transaction.execute(&query(INSERT), params![1]).await);
    drop(transaction);
    bench.is_sound().await;
    assert_eq!(rows(bench), 0);
    Ok(())
}

pub(super) async fn each_isolation_level_is_what_was_asked(bench: &Bench) -> Result<()> {
    for (isolation, shown) in [
        (None, "read committed"),
        (Some(Isolation::ReadCommitted), "read committed"),
        (Some(Isolation::RepeatableRead), "repeatable read"),
        (Some(Isolation::Serializable), "serializable"),
    ] {
        for read_only in [false, true] {
            let options = TransactionOptions {
                name: None,
                isolation,
                read_only,
            };
            let mut transaction = bench.backend.begin(options).await?;
            let show = query(
                "SELECT current_setting('transaction_isolation') AS i, current_setting('transaction_read_only') AS r",
            );
            let row = transaction
                .fetch_optional(&show, Params::none())
                .await?
                .expect("a row");
            assert_eq!(row.get::<String>("i")?, shown);
            assert_eq!(
                row.get::<String>("r")?,
                if read_only { "on" } else { "off" }
            );
            transaction.commit().await?;
        }
    }
    assert_eq!(
        bench.text("SHOW transaction_isolation").await?,
        "read committed"
    );
    Ok(())
}

pub(super) async fn read_only_refuses_writes(bench: &Bench) -> Result<()> {
    bench.beside(&["CREATE TABLE t (id int)"]);
    let options = TransactionOptions {
        read_only: true,
        ..TransactionOptions::default()
    };
    let mut transaction = bench.backend.begin(options).await?;
    let error = refused(transaction.execute(&query(INSERT), params![1]).await);
    assert_eq!(error.sqlstate(), Some("25006"));
    transaction.rollback().await?;
    bench.count("INSERT INTO t VALUES (2)").await?;
    Ok(())
}

pub(super) async fn a_savepoint_saves_the_rest(bench: &Bench) -> Result<()> {
    let mut transaction = begun(bench).await?;
    transaction
        .execute(&query("SAVEPOINT s"), Params::none())
        .await?;
    let error = refused(transaction.execute(&query(INSERT), params![1]).await);
    assert_eq!(error.sqlstate(), Some("23505"));
    transaction
        .execute(&query("ROLLBACK TO SAVEPOINT s"), Params::none())
        .await?;
    transaction.execute(&query(INSERT), params![2]).await?;
    transaction.commit().await?;
    assert_eq!(bench.beside(&["SELECT id FROM t ORDER BY id"]), ["1", "2"]);
    Ok(())
}

pub(super) async fn after_a_failure_it_refuses_everything_and_commits_nothing(
    bench: &Bench,
) -> Result<()> {
    let mut transaction = begun(bench).await?;
    refused(
        transaction
            .execute(&query("SELECT 1/0"), Params::none())
            .await,
    );
    let sessions = bench.pids();
    // Prepared before or not, nothing runs any more.
    for sql in ["SELECT 1", INSERT] {
        let values = if sql == INSERT { params![2] } else { params![] };
        let error = refused(transaction.fetch_all(&query(sql), values).await);
        assert_eq!(
            (error.kind(), error.sqlstate()),
            (ErrorKind::Database, Some("25P02")),
            "{sql}"
        );
    }
    let error = refused(transaction.commit().await);
    assert_eq!(
        (error.kind(), error.sqlstate()),
        (ErrorKind::Database, Some("25P02"))
    );
    assert_eq!(error.backend(), Some(bench.backend.kind().as_str()));
    assert_eq!(rows(bench), 0);
    bench.still_has(&sessions);
    bench.is_sound().await;
    Ok(())
}

pub(super) async fn a_deferred_constraint_fails_the_commit(bench: &Bench) -> Result<()> {
    bench.beside(&[
        "CREATE TABLE p (id int PRIMARY KEY)",
        "CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED)",
    ]);
    let mut transaction = bench.backend.begin(TransactionOptions::default()).await?;
    transaction
        .execute(&query("INSERT INTO c VALUES ($1)"), params![1])
        .await?;
    let error = refused(transaction.commit().await);
    assert_eq!(
        (error.kind(), error.sqlstate()),
        (ErrorKind::Database, Some("23503"))
    );
    assert_eq!(
        error
            .database()
            .and_then(|report| report.constraint.as_deref()),
        Some("c_p_fkey")
    );
    let error = refused(bench.count("INSERT INTO c VALUES (1)").await);
    assert_eq!(
        error.sqlstate(),
        Some("23503"),
        "outside a transaction it fails the statement"
    );
    bench.is_sound().await;
    assert_eq!(bench.beside(&["SELECT count(*) FROM c"]), ["0"]);
    Ok(())
}

pub(super) async fn a_serialization_failure_can_be_tried_again(bench: &Bench) -> Result<()> {
    bench.beside(&["CREATE TABLE t (id int)", "INSERT INTO t VALUES (1)"]);
    let options = TransactionOptions {
        isolation: Some(Isolation::RepeatableRead),
        ..TransactionOptions::default()
    };
    let mut transaction = bench.backend.begin(options).await?;
    transaction
        .fetch_all(&query("SELECT * FROM t"), Params::none())
        .await?;
    bench.count("UPDATE t SET id = 2").await?;
    let error = refused(
        transaction
            .execute(&query("UPDATE t SET id = 3"), Params::none())
            .await,
    );
    assert_eq!(
        (error.sqlstate(), error.is_retryable()),
        (Some("40001"), true)
    );
    transaction.rollback().await
}

/// Every call on a transaction that was lost says so, with its name, and nothing of it is left.
async fn is_lost(bench: &Bench, mut transaction: Box<dyn StorageTransaction>) {
    let later = [
        refused(transaction.execute(&query(INSERT), params![2]).await),
        refused(
            transaction
                .fetch_all(&query("SELECT 1"), Params::none())
                .await,
        ),
        refused(transaction.commit().await),
    ];
    for error in later {
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
        assert!(error.to_string().contains("test/transaction"), "{error}");
        assert_eq!(error.backend(), Some(bench.backend.kind().as_str()));
    }
    bench.is_sound().await;
    assert_eq!(rows(bench), 0);
}

pub(super) async fn a_call_given_up_loses_it(bench: &Bench) -> Result<()> {
    let mut transaction = begun(bench).await?;
    let slow = query("SELECT pg_sleep(0.5)");
    let call = transaction.execute(&slow, Params::none());
    assert!(
        tokio::time::timeout(Duration::from_millis(50), call)
            .await
            .is_err()
    );
    is_lost(bench, transaction).await;
    Ok(())
}

pub(super) async fn failed_and_then_given_up_it_is_lost_with_its_connection(
    bench: &Bench,
) -> Result<()> {
    let mut transaction = begun(bench).await?;
    refused(
        transaction
            .execute(&query("SELECT 1/0"), Params::none())
            .await,
    );
    // Refused too, but the caller does not wait for it; now and then the server is quicker.
    let refusal = query("SELECT 1");
    while let Some(answer) = transaction.execute(&refusal, Params::none()).now_or_never() {
        refused(answer);
    }
    is_lost(bench, transaction).await;
    Ok(())
}

pub(super) async fn a_call_past_its_limit_loses_it(bench: &Bench) -> Result<()> {
    let mut settings = Settings::default();
    settings.answer_timeout = Duration::from_millis(500);
    let budget = Budget::new(1);
    let backend = open(bench.backend.kind(), &bench.database.url, settings, &budget);
    let mut transaction = backend
        .begin(TransactionOptions::named("test/transaction"))
        .await?;
    let error = refused(
        transaction
            .execute(&query("SELECT pg_sleep(5)"), Params::none())
            .await,
    );
    assert_eq!(error.kind(), ErrorKind::Timeout(Wait::Answer));
    assert_eq!(error.query(), Some("test/query"));
    let error = refused(transaction.commit().await);
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
    eventually("the permit comes back", || budget.in_use() == 0).await;
    backend.ping().await?;
    backend.close().await;
    Ok(())
}

pub(super) async fn a_session_ended_by_the_server_loses_it(bench: &Bench) -> Result<()> {
    let mut transaction = begun(bench).await?;
    bench.beside(&["SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"]);
    let error = refused(transaction.execute(&query(INSERT), params![2]).await);
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    assert_eq!(error.query(), Some("test/query"));
    is_lost(bench, transaction).await;
    let transaction = begun(bench).await?;
    bench.beside(&["SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"]);
    let error = refused(transaction.commit().await);
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
    bench.is_sound().await;
    assert_eq!(rows(bench), 0);
    Ok(())
}

pub(super) async fn wrong_values_leave_it_as_it_was(bench: &Bench) -> Result<()> {
    let mut transaction = begun(bench).await?;
    for values in [params!["x"], params![], params![1, 2], params![i64::MAX]] {
        let error = refused(transaction.execute(&query(INSERT), values).await);
        assert_eq!(error.kind(), ErrorKind::Bind, "{error}");
    }
    transaction.execute(&query(INSERT), params![2]).await?;
    transaction.commit().await?;
    assert_eq!(rows(bench), 2);
    Ok(())
}
