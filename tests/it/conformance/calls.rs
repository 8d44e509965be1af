//! Single calls: what they give, and what they refuse.

use crate::support::{Bench, TOTAL, eventually, query, refused};
use futures_util::future::{join_all, try_join_all};
use pontoon::backend::{StorageBackendExt, TransactionOptions};
use pontoon::sql::{Params, Query, Value};
use pontoon::{ErrorKind, Result, params};
use std::sync::Arc;
use std::time::Duration;

pub(super) async fn counts_what_a_statement_affected(bench: &Bench) -> Result<()> {
    assert_eq!(bench.count("CREATE TABLE t (id int PRIMARY KEY)").await?, 0);
    let fill = query("INSERT INTO t SELECT generate_series(1, $1)");
    assert_eq!(bench.backend.execute(&fill, params![5]).await?, 5);
    assert_eq!(
        bench
            .count("UPDATE t SET id = id + 10 WHERE id > 2")
            .await?,
        3
    );
    assert_eq!(bench.count("DELETE FROM t WHERE id = 99").await?, 0);
    assert_eq!(bench.count("SELECT * FROM t").await?, 5);
    assert_eq!(bench.count("").await?, 0);
    assert_eq!(bench.beside(&["SELECT count(*) FROM t"]), ["5"]);
    Ok(())
}

pub(super) async fn gives_rows_in_order_with_their_columns(bench: &Bench) -> Result<()> {
    let rows = bench
        .rows("SELECT g AS \"Zahl\", NULL::text AS twice, g::text AS twice FROM generate_series(1, 100) g")
        .await?;
    let numbers: Result<Vec<i32>> = rows.iter().map(|row| row.get("Zahl")).collect();
    assert_eq!(numbers?, (1..=100).collect::<Vec<_>>());
    let names: Vec<_> = rows[0]
        .columns()
        .iter()
        .map(|column| (column.name.as_str(), column.type_name.as_str()))
        .collect();
    assert_eq!(
        names,
        [("Zahl", "int4"), ("twice", "text"), ("twice", "text")]
    );
    assert_eq!(
        rows[6].values()?,
        [Value::Int(7), Value::Null, Value::Text("7".into())]
    );
    assert!(bench.rows("SELECT 1 WHERE false").await?.is_empty());
    Ok(())
}

pub(super) async fn fetch_optional_gives_the_first_row_and_runs_to_the_end(
    bench: &Bench,
) -> Result<()> {
    bench.beside(&["CREATE TABLE t (id int)"]);
    let fill = query("INSERT INTO t SELECT generate_series(1, $1) RETURNING id");
    let first = bench.backend.fetch_optional(&fill, params![500]).await?;
    assert_eq!(first.map(|row| row.get::<i32>("id")).transpose()?, Some(1));
    assert_eq!(bench.beside(&["SELECT count(*) FROM t"]), ["500"]);
    assert!(
        bench
            .backend
            .fetch_optional(&query("SELECT 1 WHERE false"), Params::none())
            .await?
            .is_none()
    );
    let late = query("SELECT 1 / (3 - g) FROM generate_series(1, 3) g");
    let error = refused(bench.backend.fetch_optional(&late, Params::none()).await);
    assert_eq!(
        error.sqlstate(),
        Some("22012"),
        "an error behind the first row is not lost"
    );
    Ok(())
}

pub(super) async fn a_missing_row_has_a_kind_of_its_own(bench: &Bench) -> Result<()> {
    let error = refused(
        bench
            .backend
            .fetch_one(&query("SELECT 1 WHERE false"), Params::none())
            .await,
    );
    assert_eq!(
        (error.kind(), error.query()),
        (ErrorKind::NoRow, Some("test/query"))
    );
    assert_eq!(error.backend(), Some(bench.backend.kind().as_str()));
    Ok(())
}

pub(super) async fn describes_without_running(bench: &Bench) -> Result<()> {
    bench.beside(&["CREATE TABLE t (id int, title varchar(9))"]);
    let fill = query("INSERT INTO t VALUES ($1, $2) RETURNING title, id + $3::int8 AS sum");
    let described = bench.backend.describe(&fill).await?;
    assert_eq!(described.parameters, ["int4", "varchar", "int8"]);
    let columns: Vec<_> = described
        .columns
        .0
        .iter()
        .map(|column| (column.name.as_str(), column.type_name.as_str()))
        .collect();
    assert_eq!(columns, [("title", "varchar"), ("sum", "int8")]);
    assert!(
        bench
            .backend
            .describe(&query("CREATE TABLE u ()"))
            .await?
            .columns
            .0
            .is_empty()
    );
    let error = refused(bench.backend.describe(&query("SELECT nope")).await);
    assert_eq!(
        (error.sqlstate(), error.query()),
        (Some("42703"), Some("test/query"))
    );
    assert_eq!(bench.beside(&["SELECT count(*) FROM t"]), ["0"]);
    Ok(())
}

pub(super) async fn values_go_by_position_and_by_name(bench: &Bench) -> Result<()> {
    let by_position = Query::new(
        "test/position",
        "SELECT %s::int8 - %s::int8 AS d, 100 %% 7 AS m",
    )?;
    let row = bench.backend.fetch_one(&by_position, params![7, 2]).await?;
    assert_eq!((row.get::<i64>("d")?, row.get::<i32>("m")?), (5, 2));
    let by_name = Query::new(
        "test/name",
        "SELECT %(b)s::text || %(a)s::text || %(b)s AS all",
    )?;
    let row = bench
        .backend
        .fetch_one(&by_name, params! { "a" => "x", "b" => "y" })
        .await?;
    assert_eq!(row.get::<String>("all")?, "yxy");
    Ok(())
}

pub(super) async fn wrong_values_are_refused_before_anything_is_sent(bench: &Bench) -> Result<()> {
    bench.beside(&["CREATE TABLE t (small int2, big int8, flag bool, at timestamptz, id uuid)"]);
    let wrong: [(&str, Params); 8] = [
        ("INSERT INTO t (small) VALUES ($1)", params![]),
        ("INSERT INTO t (small) VALUES ($1)", params![1, 2]),
        (
            "INSERT INTO t (small) VALUES ($1)",
            params! { "small" => 1 },
        ),
        ("INSERT INTO t (small) VALUES ($1)", params![32_768]),
        ("INSERT INTO t (big) VALUES ($1)", params!["1.5"]),
        ("INSERT INTO t (flag) VALUES ($1)", params![1]),
        ("INSERT INTO t (at) VALUES ($1)", params!["yesterdayish"]),
        ("INSERT INTO t (id) VALUES ($1)", params!["no-uuid"]),
    ];
    for (sql, params) in wrong {
        let shown = format!("{sql} with {} values", params.len());
        let error = refused(bench.backend.execute(&query(sql), params).await);
        assert_eq!(error.kind(), ErrorKind::Bind, "{shown}: {error}");
        assert_eq!(error.query(), Some("test/query"), "{shown}");
        assert_eq!(
            error.backend(),
            Some(bench.backend.kind().as_str()),
            "{shown}"
        );
    }
    assert_eq!(bench.beside(&["SELECT count(*) FROM t"]), ["0"]);
    Ok(())
}

pub(super) async fn transaction_control_is_refused(bench: &Bench) -> Result<()> {
    let backend = &bench.backend;
    for sql in [
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "/* x */ start transaction",
        "ABORT",
        "PREPARE TRANSACTION 'x'",
        "COPY pg_class FROM STDIN",
        "COPY (SELECT 1) TO STDOUT",
    ] {
        let query = query(sql);
        let mut refusals = vec![
            refused(backend.execute(&query, Params::none()).await),
            refused(backend.fetch_all(&query, Params::none()).await),
            refused(backend.fetch_optional(&query, Params::none()).await),
            refused(backend.fetch(&query, Params::none()).await.map(drop)),
        ];
        let mut transaction = backend.begin(TransactionOptions::default()).await?;
        refusals.push(refused(transaction.execute(&query, Params::none()).await));
        transaction.commit().await?;
        for error in refusals {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{sql}: {error}");
            assert_eq!(error.backend(), Some(backend.kind().as_str()), "{sql}");
        }
    }
    Ok(())
}

pub(super) async fn a_type_without_a_codec_is_named(bench: &Bench) -> Result<()> {
    let row = bench
        .backend
        .fetch_one(&query("SELECT 1::money AS price, 7 AS n"), Params::none())
        .await?;
    assert_eq!(row.get::<i32>("n")?, 7);
    let error = refused(row.get::<String>("price"));
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("money"), "{error}");
    let error = refused(
        bench
            .backend
            .execute(&query("SELECT $1::money"), params!["1"])
            .await,
    );
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("money"), "{error}");
    Ok(())
}

pub(super) async fn sessions_are_set_alike(bench: &Bench) -> Result<()> {
    let application = format!("pontoon ({})", bench.backend.kind());
    for (name, value) in [
        ("TimeZone", "UTC"),
        ("DateStyle", "ISO, MDY"),
        ("IntervalStyle", "postgres"),
        ("extra_float_digits", "1"),
        ("bytea_output", "hex"),
        ("standard_conforming_strings", "on"),
        ("statement_timeout", "30s"),
        ("lock_timeout", "0"),
        ("idle_in_transaction_session_timeout", "1min"),
        ("client_encoding", "UTF8"),
        ("client_connection_check_interval", "5s"),
        ("application_name", application.as_str()),
    ] {
        assert_eq!(bench.text(&format!("SHOW {name}")).await?, value, "{name}");
    }
    Ok(())
}

pub(super) async fn the_pool_tells_its_figures(bench: &Bench) -> Result<()> {
    let backend = &bench.backend;
    assert_eq!(backend.pool_status().max, TOTAL);
    backend.ping().await?;
    let held = backend.begin(TransactionOptions::default()).await?;
    let status = backend.pool_status();
    assert_eq!((status.in_use, status.waiting), (1, 0));
    assert_eq!(bench.budget.in_use(), 1);
    held.rollback().await?;
    eventually("every connection is idle", || {
        let status = backend.pool_status();
        status.in_use == 0 && status.size >= 1 && status.idle == status.size
    })
    .await;
    let status = backend.pool_status();
    assert_eq!(backend.keep_alive().await, status.size);
    assert_eq!(bench.sessions("true"), backend.pool_status().size);
    Ok(())
}

pub(super) async fn a_closed_backend_refuses_everything(bench: &Bench) -> Result<()> {
    let backend = &bench.backend;
    backend.ping().await?;
    backend.close().await;
    let one = query("SELECT 1");
    let refusals = [
        refused(backend.execute(&one, Params::none()).await),
        refused(backend.fetch_all(&one, Params::none()).await),
        refused(backend.fetch_optional(&one, Params::none()).await),
        refused(backend.fetch(&one, Params::none()).await.map(drop)),
        refused(backend.begin(TransactionOptions::default()).await),
        refused(backend.describe(&one).await),
        refused(backend.ping().await),
    ];
    for error in refusals {
        assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
        assert_eq!(error.backend(), Some(backend.kind().as_str()));
    }
    assert_eq!(backend.keep_alive().await, 0);
    backend.close().await;
    assert_eq!(backend.pool_status().in_use, 0);
    Ok(())
}

pub(super) async fn close_waits_for_what_runs(bench: &Bench) -> Result<()> {
    bench.beside(&["CREATE TABLE t (id int)"]);
    let backend = Arc::clone(&bench.backend);
    let running = tokio::spawn(async move {
        backend
            .execute(
                &query("INSERT INTO t SELECT 1 FROM pg_sleep(0.3)"),
                Params::none(),
            )
            .await
    });
    eventually("it runs", || {
        bench.sessions("query LIKE 'INSERT%' AND state = 'active'") == 1
    })
    .await;
    bench.backend.close().await;
    assert_eq!(bench.beside(&["SELECT count(*) FROM t"]), ["1"]);
    assert_eq!(running.await.unwrap()?, 1);
    Ok(())
}

pub(super) async fn more_callers_than_connections_all_get_their_turn(bench: &Bench) -> Result<()> {
    let one = query("SELECT $1::int8 AS n, pg_sleep(0.001)");
    let calls = (0..200_i64).map(|n| {
        let (backend, one) = (&bench.backend, &one);
        async move { backend.fetch_one(one, params![n]).await?.get::<i64>("n") }
    });
    let answers = tokio::time::timeout(Duration::from_secs(20), try_join_all(calls)).await;
    assert_eq!(
        answers.expect("nobody waits for ever")?,
        (0..200).collect::<Vec<_>>()
    );
    let mixed =
        join_all((0..50).map(|n| bench.count(if n % 2 == 0 { "SELECT 1" } else { "SELECT 1/0" })))
            .await;
    assert_eq!(mixed.iter().filter(|result| result.is_ok()).count(), 25);
    Ok(())
}
