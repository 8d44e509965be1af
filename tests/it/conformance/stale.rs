//! Statements that the schema left behind, and types that came after the connection.

use crate::support::{Bench, TOTAL, eventually, query, refused};
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use pontoon::backend::{StorageBackendExt, TransactionOptions};
use pontoon::sql::{Params, Value};
use pontoon::{ErrorKind, Result, params};

const ALL: &str = "SELECT * FROM t";

/// Opens every connection, with [`ALL`] prepared on it.
async fn prepared_everywhere(bench: &Bench) -> Result<()> {
    bench.beside(&["CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)"]);
    let mut held = Vec::new();
    for _ in 0..TOTAL {
        held.push(bench.backend.begin(TransactionOptions::default()).await?);
    }
    for transaction in &mut held {
        transaction.fetch_all(&query(ALL), Params::none()).await?;
    }
    for transaction in held {
        transaction.commit().await?;
    }
    eventually("all are idle", || bench.backend.pool_status().idle == TOTAL).await;
    Ok(())
}

/// Reads with all connections at once.
async fn read_everywhere(bench: &Bench, value: &Value) -> Result<()> {
    let slow = query("SELECT t.*, pg_sleep(0.05) IS NULL AS slept FROM t");
    try_join_all((0..TOTAL).map(|_| bench.backend.fetch_all(&slow, Params::none()))).await?;
    let rows = try_join_all((0..5 * TOTAL).map(|_| bench.rows(ALL))).await?;
    for row in rows {
        assert_eq!(&row[0].values()?[0], value);
    }
    Ok(())
}

pub(super) async fn a_changed_result_is_prepared_anew_on_every_connection(
    bench: &Bench,
) -> Result<()> {
    prepared_everywhere(bench).await?;
    bench.beside(&["ALTER TABLE t ADD b text DEFAULT 'new'"]);
    read_everywhere(bench, &Value::Int(1)).await?;
    assert_eq!(bench.rows(ALL).await?[0].values()?.len(), 2);
    bench.beside(&["ALTER TABLE t ALTER a TYPE text"]);
    read_everywhere(bench, &Value::Text("1".into())).await?;
    let described = bench.backend.describe(&query(ALL)).await?;
    assert_eq!(described.columns.0.len(), 2);
    bench.beside(&["ALTER TABLE t DROP b"]);
    let described = bench.backend.describe(&query(ALL)).await?;
    assert_eq!(described.columns.0.len(), 1);
    assert_eq!(
        bench
            .backend
            .fetch_one(&query(ALL), Params::none())
            .await?
            .columns()
            .len(),
        1
    );
    assert_eq!(
        bench.backend.pool_status().size,
        TOTAL,
        "it costs no connection"
    );
    Ok(())
}

pub(super) async fn a_changed_result_is_streamed(bench: &Bench) -> Result<()> {
    prepared_everywhere(bench).await?;
    bench.beside(&["ALTER TABLE t ADD b text DEFAULT 'new'"]);
    for _ in 0..2 * TOTAL {
        let mut rows = bench.backend.fetch(&query(ALL), Params::none()).await?;
        assert_eq!(
            rows.next().await.expect("a row")?.get::<String>("b")?,
            "new"
        );
        assert!(rows.next().await.is_none());
    }
    Ok(())
}

pub(super) async fn in_a_transaction_a_changed_result_is_an_error(bench: &Bench) -> Result<()> {
    prepared_everywhere(bench).await?;
    let mut transaction = bench.backend.begin(TransactionOptions::default()).await?;
    bench.beside(&["ALTER TABLE t ADD b text"]);
    let error = refused(transaction.fetch_all(&query(ALL), Params::none()).await);
    assert_eq!(
        (error.kind(), error.sqlstate()),
        (ErrorKind::Database, Some("0A000"))
    );
    let error = refused(transaction.commit().await);
    assert_eq!(error.sqlstate(), Some("25P02"));
    bench.is_sound().await;
    Ok(())
}

pub(super) async fn in_transactions_alone_each_connection_fails_once_at_most(
    bench: &Bench,
) -> Result<()> {
    prepared_everywhere(bench).await?;
    bench.beside(&["ALTER TABLE t ADD b text"]);
    for round in 0..2 {
        let mut held = Vec::new();
        for _ in 0..TOTAL {
            held.push(bench.backend.begin(TransactionOptions::default()).await?);
        }
        for mut transaction in held {
            match transaction.fetch_all(&query(ALL), Params::none()).await {
                Ok(rows) => assert_eq!(rows[0].columns().len(), 2),
                Err(error) => assert_eq!((error.sqlstate(), round), (Some("0A000"), 0)),
            }
            transaction.rollback().await?;
        }
        eventually("all are idle", || bench.backend.pool_status().idle == TOTAL).await;
    }
    Ok(())
}

pub(super) async fn statements_that_the_server_forgot_are_prepared_anew(
    bench: &Bench,
) -> Result<()> {
    prepared_everywhere(bench).await?;
    for _ in 0..TOTAL {
        bench.count("DEALLOCATE ALL").await?;
        assert_eq!(bench.rows(ALL).await?.len(), 1);
    }
    bench.count("DEALLOCATE ALL").await?;
    let mut rows = bench.backend.fetch(&query(ALL), Params::none()).await?;
    assert_eq!(rows.next().await.expect("a row")?.get::<i32>("a")?, 1);
    drop(rows);
    read_everywhere(bench, &Value::Int(1)).await?;
    let mut transaction = bench.backend.begin(TransactionOptions::default()).await?;
    transaction
        .fetch_all(&query("SELECT 1"), Params::none())
        .await?;
    transaction
        .execute(&query("DEALLOCATE PREPARE ALL"), Params::none())
        .await?;
    let error = refused(
        transaction
            .fetch_all(&query("SELECT 1"), Params::none())
            .await,
    );
    assert_eq!(error.sqlstate(), Some("26000"));
    transaction.rollback().await?;
    read_everywhere(bench, &Value::Int(1)).await
}

pub(super) async fn a_changed_parameter_type_is_followed(bench: &Bench) -> Result<()> {
    bench.beside(&["CREATE TABLE t (a int)"]);
    let insert = query("INSERT INTO t VALUES ($1) RETURNING a::text");
    bench.backend.execute(&insert, params![1]).await?;
    bench.beside(&["ALTER TABLE t ALTER a TYPE int8"]);
    // The prepared statement still takes an int4, and casts it: what it was prepared for goes on.
    bench.backend.execute(&insert, params![2]).await?;
    bench.beside(&["ALTER TABLE t ALTER a TYPE text"]);
    // As text it fits what an older connection prepared, and what a new one is told.
    bench.backend.execute(&insert, params!["3"]).await?;
    assert_eq!(
        bench.beside(&["SELECT a FROM t ORDER BY a"]),
        ["1", "2", "3"]
    );
    Ok(())
}

pub(super) async fn types_made_after_the_connection_are_known(bench: &Bench) -> Result<()> {
    bench.backend.ping().await?;
    bench.beside(&[
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "CREATE DOMAIN short AS varchar(5) CHECK (value <> '')",
        "CREATE TYPE pair AS (n int, m mood)",
        "CREATE TYPE span AS RANGE (subtype = float8)",
        "CREATE TABLE t (m mood, s short, p pair, r span, all_m mood[])",
    ]);
    let insert = query("INSERT INTO t VALUES ($1, $2, $3, $4, $5) RETURNING *");
    let values = params!["ok", "abc", "(7,sad)", "[1.5,2.5)", "{ok,NULL,sad}"];
    let row = bench.backend.fetch_one(&insert, values).await?;
    assert_eq!(row.get::<String>("m")?, "ok");
    assert_eq!(row.get::<String>("s")?, "abc");
    let names: Vec<_> = row
        .columns()
        .iter()
        .map(|column| column.type_name.as_str())
        .collect();
    assert_eq!(names[..4], ["mood", "varchar", "pair", "span"]);
    assert!(matches!(&row.values()?[2], Value::Composite(fields) if fields.len() == 2));
    bench.beside(&[
        "ALTER TYPE mood ADD VALUE 'great'",
        "UPDATE t SET m = 'great'",
    ]);
    assert_eq!(
        bench.rows("SELECT m FROM t").await?[0].get::<String>("m")?,
        "great"
    );
    let insert = query("INSERT INTO t (m) VALUES ($1)");
    assert_eq!(bench.backend.execute(&insert, params!["great"]).await?, 1);
    // Both drivers look a type up once a connection: what is altered later is told, never read askew.
    bench.beside(&["ALTER TYPE pair ADD ATTRIBUTE extra text"]);
    let wider = bench
        .rows("SELECT p AS wider FROM t WHERE s = 'abc'")
        .await?;
    match wider[0].values() {
        Ok(values) => assert!(matches!(&values[0], Value::Composite(fields) if fields.len() == 3)),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert!(
                error.to_string().contains("the type was altered"),
                "{error}"
            );
        }
    }
    Ok(())
}
