//! Rows as they arrive: order, errors, early ends and slow readers.

use crate::support::{Bench, TOTAL, eventually, query, refused};
use futures_util::{StreamExt, TryStreamExt};
use pontoon::sql::Params;
use pontoon::{ErrorKind, Result, params};
use std::time::Duration;

const SERIES: &str = "SELECT g, repeat('x', 100) AS filler FROM generate_series(1, $1) g";

pub(super) async fn rows_come_in_order(bench: &Bench) -> Result<()> {
    let stream = bench.backend.fetch(&query(SERIES), params![20_000]).await?;
    let numbers: Vec<i32> = stream
        .map(|row| row.and_then(|row| row.get::<i32>("g")))
        .try_collect()
        .await?;
    assert_eq!(numbers, (1..=20_000).collect::<Vec<_>>());
    Ok(())
}

pub(super) async fn no_rows_end_it_at_once(bench: &Bench) -> Result<()> {
    let mut stream = bench.backend.fetch(&query(SERIES), params![0]).await?;
    assert!(stream.next().await.is_none());
    let mut stream = bench
        .backend
        .fetch(&query("CREATE TABLE t ()"), Params::none())
        .await?;
    assert!(stream.next().await.is_none());
    assert_eq!(bench.beside(&["SELECT count(*) FROM t"]), ["0"]);
    Ok(())
}

pub(super) async fn what_fails_before_the_first_row_is_the_calls_own_error(
    bench: &Bench,
) -> Result<()> {
    for (sql, sqlstate) in [
        ("SELECT nope", "42703"),
        ("SELECT 1/(g-1) FROM generate_series(1, 3) g", "22012"),
    ] {
        let error = refused(
            bench
                .backend
                .fetch(&query(sql), Params::none())
                .await
                .map(drop),
        );
        assert_eq!(error.sqlstate(), Some(sqlstate));
        assert_eq!(error.query(), Some("test/query"));
    }
    let error = refused(
        bench
            .backend
            .fetch(&query(SERIES), params!["x"])
            .await
            .map(drop),
    );
    assert_eq!(error.kind(), ErrorKind::Bind);
    Ok(())
}

pub(super) async fn what_fails_later_is_the_last_item(bench: &Bench) -> Result<()> {
    let late = query("SELECT 1/(1000 - g) AS q, g FROM generate_series(1, 2000) g");
    let mut stream = bench.backend.fetch(&late, Params::none()).await?;
    let sessions = bench.pids();
    for expected in 1..1000 {
        let row = stream.next().await.expect("a row")?;
        assert_eq!(row.get::<i32>("g")?, expected);
    }
    let error = refused(stream.next().await.expect("the error"));
    assert_eq!(
        (error.sqlstate(), error.query()),
        (Some("22012"), Some("test/query"))
    );
    assert_eq!(error.backend(), Some(bench.backend.kind().as_str()));
    assert!(stream.next().await.is_none());
    bench.is_sound().await;
    bench.still_has(&sessions);
    Ok(())
}

pub(super) async fn rows_before_a_failure_reach_a_slow_reader(bench: &Bench) -> Result<()> {
    for rows in [1, 2, 63, 64, 65, 300] {
        let late = query(&format!(
            "SELECT 1/({rows} + 1 - g) AS q, g FROM generate_series(1, 2000) g"
        ));
        let stream = bench.backend.fetch(&late, Params::none()).await?;
        tokio::time::sleep(Duration::from_millis(30)).await;
        let items: Vec<_> = stream.collect().await;
        assert_eq!(items.len(), rows + 1, "{rows} rows and the error");
        assert!(items[..rows].iter().all(Result::is_ok) && items[rows].is_err());
    }
    Ok(())
}

pub(super) async fn dropped_early_it_frees_its_connection(bench: &Bench) -> Result<()> {
    for taken in [0, 1, 40, 1000] {
        let mut stream = bench
            .backend
            .fetch(&query(SERIES), params![200_000])
            .await?;
        for _ in 0..taken {
            stream.next().await.expect("a row")?;
        }
        drop(stream);
        bench.is_sound().await;
    }
    Ok(())
}

pub(super) async fn dropped_early_the_server_need_not_go_on(bench: &Bench) -> Result<()> {
    for _ in 0..2 * TOTAL {
        let endless = query("SELECT generate_series(1, 1000000000000)");
        let mut stream = bench.backend.fetch(&endless, Params::none()).await?;
        stream.next().await.expect("a row")?;
    }
    bench.is_sound().await;
    eventually("the server has ended them", || {
        bench.sessions("query LIKE '%generate_series%' AND state = 'active'") == 0
    })
    .await;
    Ok(())
}

pub(super) async fn read_to_its_end_it_keeps_its_connection(bench: &Bench) -> Result<()> {
    bench.backend.ping().await?;
    let sessions = bench.pids();
    for _ in 0..20 {
        let rows = bench.backend.fetch(&query(SERIES), params![100]).await?;
        assert_eq!(rows.count().await, 100);
    }
    bench.still_has(&sessions);
    Ok(())
}

pub(super) async fn a_slow_reader_stalls_nobody_else(bench: &Bench) -> Result<()> {
    let mut slow = Vec::new();
    for _ in 1..TOTAL {
        let mut stream = bench
            .backend
            .fetch(&query(SERIES), params![200_000])
            .await?;
        stream.next().await.expect("a row")?;
        slow.push(stream);
    }
    eventually("the server waits for the readers", || {
        bench.sessions("wait_event = 'ClientWrite'") == TOTAL - 1
    })
    .await;
    for _ in 0..100 {
        let answer = tokio::time::timeout(Duration::from_secs(5), bench.text("SELECT 'x'")).await;
        answer.expect("the others have their connection")?;
    }
    let mut one = slow.pop().expect("one is open");
    let mut rows = 1;
    while let Some(row) = one.next().await {
        row?;
        rows += 1;
    }
    assert_eq!(rows, 200_000);
    drop(slow);
    bench.is_sound().await;
    Ok(())
}

pub(super) async fn writes_once_read_to_the_end_are_there(bench: &Bench) -> Result<()> {
    bench.beside(&["CREATE TABLE t (id int)"]);
    let fill = query("INSERT INTO t SELECT generate_series(1, $1) RETURNING id");
    let stream = bench.backend.fetch(&fill, params![3000]).await?;
    assert_eq!(stream.count().await, 3000);
    assert_eq!(bench.beside(&["SELECT count(*) FROM t"]), ["3000"]);
    Ok(())
}
