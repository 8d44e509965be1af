//! The flag flips a hundred times a second under load, and server processes are killed: nothing is lost, nothing is written twice, and no
//! unit of work touches both backends.

use crate::support::{Database, execute};
use pontoon::backend::{BackendKind, StorageBackend, StorageBackendExt, TransactionOptions};
use pontoon::flags::Key;
use pontoon::sql::Query;
use pontoon::{Bridge, Error, Flags, Result, params};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const WRITERS: usize = 64;
/// How long they write at least, and at most where the machine is slow.
const TIME: Duration = Duration::from_secs(20);
const MOST_TIME: Duration = Duration::from_mins(3);

/// What has happened so far.
#[derive(Debug, Default)]
struct Progress {
    acknowledged: AtomicU64,
    blocking: AtomicU64,
    asynchronous: AtomicU64,
    killed: AtomicU64,
}

impl Progress {
    /// Whether it is enough to show something.
    fn is_enough(&self) -> bool {
        let more = |count: &AtomicU64, than| count.load(Ordering::Relaxed) > than;
        more(&self.acknowledged, 1000)
            && more(&self.blocking, 100)
            && more(&self.asynchronous, 100)
            && more(&self.killed, 10)
    }

    fn unit(&self, kind: BackendKind, result: &Result<()>) {
        match kind {
            BackendKind::Blocking => &self.blocking,
            BackendKind::Async => &self.asynchronous,
        }
        .fetch_add(1, Ordering::Relaxed);
        if result.is_ok() {
            self.acknowledged.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What the writers were told.
#[derive(Default)]
struct Told {
    acknowledged: Vec<i64>,
    refused: Vec<(i64, Error)>,
}

struct Queries {
    insert: Query,
    process: Query,
}

/// One unit of work: a single INSERT, or two in a transaction; each row keeps the server process that wrote it.
async fn unit(bridge: &Bridge, queries: &Queries, key: &str, id: i64) -> (BackendKind, Result<()>) {
    let unit = bridge.unit(Some(&Key::tenant(key)));
    let kind = unit.kind();
    let work = async {
        if id % 3 == 0 {
            let mut transaction = unit.begin(TransactionOptions::named("flips")).await?;
            assert_eq!(
                transaction.kind(),
                kind,
                "a transaction is on its unit's backend"
            );
            let before = transaction
                .fetch_optional(&queries.process, params![])
                .await?;
            transaction
                .execute(&queries.insert, params![id, kind.as_str()])
                .await?;
            transaction
                .execute(&queries.insert, params![-id, kind.as_str()])
                .await?;
            let after = transaction
                .fetch_optional(&queries.process, params![])
                .await?;
            let pid =
                |row: Option<pontoon::sql::Row>| row.map(|row| row.get::<i32>("pid")).transpose();
            assert_eq!(
                pid(before)?,
                pid(after)?,
                "a transaction is on one server process"
            );
            transaction.commit().await
        } else {
            unit.execute(&queries.insert, params![id, kind.as_str()])
                .await
                .map(drop)
        }
    };
    (kind, work.await)
}

async fn writer(
    bridge: Bridge,
    queries: Arc<Queries>,
    next: Arc<AtomicI64>,
    ending: Arc<AtomicBool>,
    progress: Arc<Progress>,
    key: String,
) -> Told {
    let mut told = Told::default();
    while !ending.load(Ordering::Relaxed) {
        let id = next.fetch_add(1, Ordering::Relaxed);
        let (kind, result) = unit(&bridge, &queries, &key, id).await;
        progress.unit(kind, &result);
        match result {
            Ok(()) => told.acknowledged.push(id),
            Err(error) => told.refused.push((id, error)),
        }
    }
    told
}

/// Flips the flag a hundred times a second, through shares that part the writers too.
async fn flip(flags: Flags, ending: Arc<AtomicBool>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let mut turn = 0_usize;
    while !ending.load(Ordering::Relaxed) {
        ticks.tick().await;
        flags.set_percent([0, 100, 50, 100, 0, 25][turn % 6]);
        turn += 1;
    }
}

/// Ends a server process of the pools, now and then.
async fn kill(url: String, ending: Arc<AtomicBool>, progress: Arc<Progress>) {
    while !ending.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(60)).await;
        let url = url.clone();
        let ended = tokio::task::spawn(async move {
            std::thread::spawn(move || {
                execute(
                    &url,
                    &["SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'pontoon%' \
                       ORDER BY random() LIMIT 1"],
                )
            })
            .join()
        });
        let killed = ended.await.unwrap().unwrap().len();
        progress.killed.fetch_add(killed as u64, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_write_is_there_once() -> Result<()> {
    let database = Database::create();
    let url = database.url.clone();
    let bridge = Bridge::builder(&url)
        .budget(16)
        .flags(Flags::in_memory(0))
        .build()?;
    let table = Query::numbered(
        "flips/table",
        "CREATE TABLE flips (id bigint, backend text, pid int DEFAULT pg_backend_pid(), xid xid8 DEFAULT pg_current_xact_id())",
    )?;
    bridge.execute(&table, params![]).await?;
    let queries = Arc::new(Queries {
        insert: Query::new(
            "flips/insert",
            "INSERT INTO flips (id, backend) VALUES (%s, %s)",
        )?,
        process: Query::numbered("flips/process", "SELECT pg_backend_pid() AS pid")?,
    });
    let ending = Arc::new(AtomicBool::new(false));
    let next = Arc::new(AtomicI64::new(1));
    let progress = Arc::<Progress>::default();
    let writers: Vec<_> = (0..WRITERS)
        .map(|at| {
            tokio::spawn(writer(
                bridge.clone(),
                Arc::clone(&queries),
                Arc::clone(&next),
                Arc::clone(&ending),
                Arc::clone(&progress),
                format!("writer {at}"),
            ))
        })
        .collect();
    let flips = tokio::spawn(flip(bridge.flags().clone(), Arc::clone(&ending)));
    let kills = tokio::spawn(kill(url, Arc::clone(&ending), Arc::clone(&progress)));
    let began = Instant::now();
    while began.elapsed() < TIME || (!progress.is_enough() && began.elapsed() < MOST_TIME) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ending.store(true, Ordering::Relaxed);
    let mut told = Told::default();
    for writer in writers {
        let one = writer.await.unwrap();
        told.acknowledged.extend(one.acknowledged);
        told.refused.extend(one.refused);
    }
    flips.await.unwrap();
    kills.await.unwrap();
    assert!(progress.is_enough(), "{progress:?}");
    bridge.flags().set_percent(0);
    check(&bridge, &told).await?;
    whole(&bridge).await
}

/// Every acknowledged id once, and nobody else's more than once; both rows of a transaction or none, in one transaction of one backend.
async fn check(bridge: &Bridge, told: &Told) -> Result<()> {
    let all = Query::numbered(
        "flips/all",
        "SELECT id, count(*) AS count FROM flips GROUP BY id",
    )?;
    let rows = bridge.fetch_all(&all, params![]).await?;
    let mut written = HashMap::new();
    for row in rows {
        written.insert(row.get::<i64>("id")?, row.get::<i64>("count")?);
    }
    for id in &told.acknowledged {
        assert_eq!(written.get(id), Some(&1), "the acknowledged write {id}");
        assert!(
            id % 3 != 0 || written.get(&-id) == Some(&1),
            "the second row of the acknowledged transaction {id}"
        );
    }
    for (id, error) in &told.refused {
        let count = written.get(id).copied().unwrap_or(0);
        assert!(
            count <= 1,
            "the refused write {id} is there {count} times: {error}"
        );
    }
    let torn = Query::numbered(
        "flips/torn",
        "SELECT count(*) AS torn FROM flips a FULL JOIN flips b ON a.id = -b.id WHERE (a.id < 0 OR b.id < 0) \
         AND (a.id IS NULL OR b.id IS NULL OR a.xid <> b.xid OR a.pid <> b.pid OR a.backend <> b.backend)",
    )?;
    assert_eq!(
        bridge
            .fetch_one(&torn, params![])
            .await?
            .get::<i64>("torn")?,
        0,
        "a unit of work was torn"
    );
    // A server process serves one backend alone.
    let both = Query::numbered(
        "flips/both",
        "SELECT count(*) AS both FROM (SELECT pid FROM flips GROUP BY pid HAVING count(DISTINCT backend) > 1) p",
    )?;
    assert_eq!(
        bridge
            .fetch_one(&both, params![])
            .await?
            .get::<i64>("both")?,
        0,
        "a connection served both backends"
    );
    Ok(())
}

/// Both pools answer on every connection, nothing is in use, and nobody has a transaction open.
async fn whole(bridge: &Bridge) -> Result<()> {
    for kind in BackendKind::ALL {
        let backend = bridge.backend(kind).expect("both are compiled in");
        let sleeps = Query::numbered("flips/sleep", "SELECT pg_sleep(0.05)")?;
        let all =
            futures_util::future::join_all((0..16).map(|_| backend.execute(&sleeps, params![])))
                .await;
        for result in all {
            result?;
        }
        // The connection goes back a moment after the answer.
        for _ in 0..200 {
            if backend.pool_status().in_use == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let status = backend.pool_status();
        assert_eq!(
            (status.in_use, status.waiting),
            (0, 0),
            "{kind}: {status:?}"
        );
        assert!(status.size <= 16, "{kind}: {status:?}");
    }
    let open = Query::numbered(
        "flips/open",
        "SELECT count(*) AS open FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
    )?;
    assert_eq!(
        bridge
            .fetch_one(&open, params![])
            .await?
            .get::<i64>("open")?,
        0
    );
    Ok(())
}
