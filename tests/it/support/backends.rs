//! The backends under test, all built from one URL and one block of settings.

use super::{Database, execute};
use pontoon::backend::{
    BackendKind, Budget, R2d2Backend, Settings, SqlxBackend, StorageBackend, Target,
};
use pontoon::sql::{Params, Query, Row};
use pontoon::{Bridge, Error, Flags, Result};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How a backend is made for a test.
pub(crate) type Open = fn(&str, Settings, &Arc<Budget>) -> Arc<dyn StorageBackend>;

/// The backend of that kind, on its own pool.
pub(crate) fn open(
    kind: BackendKind,
    url: &str,
    settings: Settings,
    budget: &Arc<Budget>,
) -> Arc<dyn StorageBackend> {
    match kind {
        BackendKind::Blocking => blocking(url, settings, budget),
        BackendKind::Async => sqlx(url, settings, budget),
    }
}

/// `postgres` behind `r2d2`.
pub(crate) fn blocking(
    url: &str,
    settings: Settings,
    budget: &Arc<Budget>,
) -> Arc<dyn StorageBackend> {
    let target = Target::parse(url).unwrap();
    Arc::new(R2d2Backend::new(&target, settings, Arc::clone(budget)).unwrap())
}

/// `sqlx`.
pub(crate) fn sqlx(url: &str, settings: Settings, budget: &Arc<Budget>) -> Arc<dyn StorageBackend> {
    let target = Target::parse(url).unwrap();
    Arc::new(SqlxBackend::new(&target, settings, Arc::clone(budget)).unwrap())
}

/// The bridge over both, while the flag says blocking.
pub(crate) fn bridge_on_blocking(
    url: &str,
    settings: Settings,
    budget: &Arc<Budget>,
) -> Arc<dyn StorageBackend> {
    bridge(BackendKind::Blocking, url, settings, budget)
}

/// The bridge over both, while the flag says async.
pub(crate) fn bridge_on_async(
    url: &str,
    settings: Settings,
    budget: &Arc<Budget>,
) -> Arc<dyn StorageBackend> {
    bridge(BackendKind::Async, url, settings, budget)
}

fn bridge(
    kind: BackendKind,
    url: &str,
    settings: Settings,
    budget: &Arc<Budget>,
) -> Arc<dyn StorageBackend> {
    let target = Target::parse(url).unwrap();
    let r2d2_pg = R2d2Backend::new(&target, settings.clone(), Arc::clone(budget)).unwrap();
    let sqlx_pg = SqlxBackend::new(&target, settings, Arc::clone(budget)).unwrap();
    let bridge = Bridge::builder(url)
        .with_backend(r2d2_pg)
        .with_backend(sqlx_pg)
        .flags(Flags::fixed(kind));
    Arc::new(bridge.build().unwrap())
}

/// A backend on a database of its own, and the budget that it takes from.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) backend: Arc<dyn StorageBackend>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) database: Database,
}

/// The connections that a bench may open.
pub(crate) const TOTAL: usize = 4;

impl Bench {
    pub(crate) fn new(open: Open) -> Self {
        Self::with(open, Settings::default())
    }

    pub(crate) fn with(open: Open, settings: Settings) -> Self {
        let database = Database::create();
        let budget = Budget::new(TOTAL);
        let backend = open(&database.url, settings, &budget);
        Self {
            backend,
            budget,
            database,
        }
    }

    /// The backend of that kind.
    pub(crate) fn of(kind: BackendKind, settings: Settings) -> Self {
        match kind {
            BackendKind::Blocking => Self::with(blocking, settings),
            BackendKind::Async => Self::with(sqlx, settings),
        }
    }

    /// Runs the statements beside the backend and gives the last one's first column.
    pub(crate) fn beside(&self, statements: &[&str]) -> Vec<String> {
        execute(&self.database.url, statements)
    }

    /// What the backend counts for the statement.
    pub(crate) async fn count(&self, sql: &str) -> Result<u64> {
        self.backend.execute(&query(sql), Params::none()).await
    }

    /// The backend's rows for the statement.
    pub(crate) async fn rows(&self, sql: &str) -> Result<Vec<Row>> {
        self.backend.fetch_all(&query(sql), Params::none()).await
    }

    /// The first column of the only row.
    pub(crate) async fn text(&self, sql: &str) -> Result<String> {
        self.rows(sql).await?[0].at(0)
    }

    /// The server's sessions on this database that meet a condition, beside the one that asks.
    pub(crate) fn sessions(&self, condition: &str) -> usize {
        sessions(&self.database.url, condition)
    }

    /// The backend's sessions on this database, without the test's own, which end a moment after their goodbye: see
    /// [`still_has`](Bench::still_has).
    pub(crate) fn pids(&self) -> Vec<String> {
        self.beside(&["SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'pontoon (%'"])
    }

    /// Asserts that no connection was closed since.
    pub(crate) fn still_has(&self, before: &[String]) {
        let now = self.pids();
        assert!(
            before.iter().all(|pid| now.contains(pid)),
            "of {before:?} are left {now:?}"
        );
        assert!(!before.is_empty());
    }

    /// After whatever happened: nothing is held, nothing is open in a transaction, and the backend works.
    pub(crate) async fn is_sound(&self) {
        eventually("every permit comes back", || self.budget.in_use() == 0).await;
        eventually("no transaction stays open", || {
            self.sessions("state LIKE 'idle in transaction%'") == 0
        })
        .await;
        eventually("the budget holds", || self.sessions("true") <= TOTAL).await;
        for _ in 0..=TOTAL {
            let sum = self.text("SELECT (40 + 2)::text").await.unwrap();
            assert_eq!(sum, "42");
        }
        assert_eq!(self.budget.waiting(), 0);
    }
}

/// The server's sessions on the URL's database that meet a condition, beside the one that asks.
pub(crate) fn sessions(url: &str, condition: &str) -> usize {
    let count = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND {condition}"
    );
    execute(url, &[&count])[0].parse().unwrap()
}

/// A statement with `$n` placeholders, named as no catalog names one.
pub(crate) fn query(sql: &str) -> Query {
    Query::numbered("test/query", sql).unwrap()
}

/// Waits until it is so, and fails after longer than any machine needs.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The error that a call must have ended with.
pub(crate) fn refused<T: Debug>(result: Result<T>) -> Error {
    result.expect_err("an error was due")
}

/// Runs a test for one backend on a runtime of its own.
pub(crate) fn on<F: Future<Output = Result<()>>>(
    kind: BackendKind,
    test: impl FnOnce(BackendKind) -> F,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(test(kind)).unwrap();
}

/// The named tests of a file, which take a [`BackendKind`], once for each.
macro_rules! on_each_backend {
    ($($test:ident),+ $(,)?) => {
        mod blocking {
            $(#[test]
            fn $test() {
                crate::support::on(pontoon::backend::BackendKind::Blocking, super::$test);
            })+
        }

        mod asynchronous {
            $(#[test]
            fn $test() {
                crate::support::on(pontoon::backend::BackendKind::Async, super::$test);
            })+
        }
    };
}

pub(crate) use on_each_backend;
