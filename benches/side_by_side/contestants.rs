//! Who takes part: each reads every column that it selects.

use crate::CONNECTIONS;
use crate::load::Workload;
use async_trait::async_trait;
use pontoon::backend::{
    BackendKind, Budget, Settings, StorageBackend, Target, TransactionOptions, connect,
};
use pontoon::sql::{Query, Row, Timestamp};
use pontoon::{Bridge, Flags, params};
use std::sync::Arc;
use std::time::SystemTime;

pub(crate) const POINT: &str =
    "SELECT id, number, ratio, flag, label, body, at, note FROM bench WHERE id = $1";
pub(crate) const HUNDRED: &str = "SELECT id, number, ratio, flag, label, body, at, note FROM bench WHERE id > $1 ORDER BY id LIMIT 100";
pub(crate) const INSERT: &str =
    "INSERT INTO bench_insert (number, label) VALUES ($1, 'a label of some length')";
pub(crate) const UPDATE: &str = "UPDATE bench SET number = number + 1 WHERE id = $1";
pub(crate) const SLOW: &str = "SELECT pg_sleep(0.0025)";

/// Somebody who can do each workload.
#[async_trait]
pub(crate) trait Contestant: Send + Sync {
    fn name(&self) -> &'static str;
    async fn call(&self, workload: Workload, id: i64);
}

/// Everybody, the one that ratios are taken to first. Built anew for each round, so that nobody profits from an older pool.
pub(crate) async fn contestants(url: &str, workload: Workload) -> Vec<Box<dyn Contestant>> {
    let mut all: Vec<Box<dyn Contestant>> = vec![
        Box::new(Deadpool::new(url)),
        Box::new(Ours::bridge(
            "pontoon, async through the bridge",
            url,
            BackendKind::Async,
        )),
        Box::new(Ours::bare(
            "pontoon, async without the bridge",
            url,
            BackendKind::Async,
        )),
        Box::new(Sqlx::new(url).await),
        Box::new(Ours::bridge(
            "pontoon, blocking through the bridge",
            url,
            BackendKind::Blocking,
        )),
        Box::new(R2d2::new(
            "r2d2_postgres in spawn_blocking, defaults",
            url,
            Where::SpawnBlocking,
        )),
    ];
    if workload == Workload::Point {
        all.push(Box::new(Thin::new(url)));
    }
    if workload == Workload::Mixed {
        all.push(Box::new(R2d2::new(
            "r2d2_postgres called on the executor",
            url,
            Where::Executor,
        )));
    }
    all
}

/// Pontoon.
struct Ours {
    name: &'static str,
    backend: Arc<dyn StorageBackend>,
    point: Query,
    hundred: Query,
    insert: Query,
    update: Query,
    slow: Query,
}

impl Ours {
    fn bridge(name: &'static str, url: &str, kind: BackendKind) -> Self {
        let bridge = Bridge::builder(url)
            .budget(CONNECTIONS)
            .flags(Flags::fixed(kind))
            .build()
            .expect("the URL is right");
        Self::over(name, Arc::new(bridge))
    }

    fn bare(name: &'static str, url: &str, kind: BackendKind) -> Self {
        let target = Target::parse(url).expect("the URL is right");
        Self::over(
            name,
            connect(kind, &target, Settings::default(), Budget::new(CONNECTIONS))
                .expect("the URL is right"),
        )
    }

    fn over(name: &'static str, backend: Arc<dyn StorageBackend>) -> Self {
        let query = |name, text| Query::numbered(name, text).expect("the text is right");
        Self {
            name,
            backend,
            point: query("bench/point", POINT),
            hundred: query("bench/hundred", HUNDRED),
            insert: query("bench/insert", INSERT),
            update: query("bench/update", UPDATE),
            slow: query("bench/slow", SLOW),
        }
    }

    fn read(row: &Row) {
        std::hint::black_box((
            row.at::<i64>(0).expect("a bigint"),
            row.at::<i32>(1).expect("an integer"),
            row.at::<f64>(2).expect("a float"),
            row.at::<bool>(3).expect("a bool"),
            row.at::<String>(4).expect("text"),
            row.at::<String>(5).expect("text"),
            row.at::<Timestamp>(6).expect("a timestamp"),
            row.at::<Option<String>>(7).expect("text or NULL"),
        ));
    }
}

#[async_trait]
impl Contestant for Ours {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn call(&self, workload: Workload, id: i64) {
        match workload {
            Workload::Mixed if id % 20 == 0 => drop(
                self.backend
                    .fetch_all(&self.slow, params![])
                    .await
                    .expect("it sleeps"),
            ),
            Workload::Point | Workload::Mixed => {
                let row = self
                    .backend
                    .fetch_optional(&self.point, params![id])
                    .await
                    .expect("it answers");
                Self::read(&row.expect("the row is there"));
            }
            Workload::Hundred => {
                let rows = self
                    .backend
                    .fetch_all(&self.hundred, params![id])
                    .await
                    .expect("it answers");
                rows.iter().for_each(Self::read);
            }
            Workload::Insert => drop(
                self.backend
                    .execute(&self.insert, params![id])
                    .await
                    .expect("it inserts"),
            ),
            Workload::Transaction => {
                let mut transaction = self
                    .backend
                    .begin(TransactionOptions::default())
                    .await
                    .expect("it begins");
                transaction
                    .execute(&self.update, params![id])
                    .await
                    .expect("it updates");
                let row = transaction
                    .fetch_optional(&self.point, params![id])
                    .await
                    .expect("it answers");
                Self::read(&row.expect("the row is there"));
                transaction.commit().await.expect("it commits");
            }
        }
    }
}

/// tokio-postgres behind deadpool, in its faster mode, with cached statements and no test before reuse.
struct Deadpool(deadpool_postgres::Pool);

impl Deadpool {
    fn new(url: &str) -> Self {
        use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
        let config: tokio_postgres::Config = url.parse().expect("the URL is right");
        let manager = Manager::from_config(
            config,
            tokio_postgres::NoTls,
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        let queue_mode = deadpool_postgres::QueueMode::Lifo;
        Self(
            Pool::builder(manager)
                .max_size(CONNECTIONS)
                .queue_mode(queue_mode)
                .build()
                .expect("the pool is right"),
        )
    }

    fn read(row: &tokio_postgres::Row) {
        std::hint::black_box((
            row.get::<_, i64>(0),
            row.get::<_, i32>(1),
            row.get::<_, f64>(2),
            row.get::<_, bool>(3),
            row.get::<_, String>(4),
            row.get::<_, String>(5),
            row.get::<_, SystemTime>(6),
            row.get::<_, Option<String>>(7),
        ));
    }
}

#[async_trait]
impl Contestant for Deadpool {
    fn name(&self) -> &'static str {
        "tokio-postgres + deadpool (LIFO)"
    }

    async fn call(&self, workload: Workload, id: i64) {
        let mut client = self.0.get().await.expect("a connection");
        match workload {
            Workload::Mixed if id % 20 == 0 => {
                let slow = client.prepare_cached(SLOW).await.expect("it prepares");
                client.query(&slow, &[]).await.expect("it sleeps");
            }
            Workload::Point | Workload::Mixed => {
                let point = client.prepare_cached(POINT).await.expect("it prepares");
                Self::read(&client.query_one(&point, &[&id]).await.expect("it answers"));
            }
            Workload::Hundred => {
                let hundred = client.prepare_cached(HUNDRED).await.expect("it prepares");
                client
                    .query(&hundred, &[&id])
                    .await
                    .expect("it answers")
                    .iter()
                    .for_each(Self::read);
            }
            Workload::Insert => {
                let insert = client.prepare_cached(INSERT).await.expect("it prepares");
                client.execute(&insert, &[&id]).await.expect("it inserts");
            }
            Workload::Transaction => {
                let transaction = client.transaction().await.expect("it begins");
                let update = transaction
                    .prepare_cached(UPDATE)
                    .await
                    .expect("it prepares");
                let point = transaction
                    .prepare_cached(POINT)
                    .await
                    .expect("it prepares");
                transaction
                    .execute(&update, &[&id])
                    .await
                    .expect("it updates");
                Self::read(
                    &transaction
                        .query_one(&point, &[&id])
                        .await
                        .expect("it answers"),
                );
                transaction.commit().await.expect("it commits");
            }
        }
    }
}

/// sqlx's own pool, with its defaults.
struct Sqlx(sqlx::PgPool);

impl Sqlx {
    async fn new(url: &str) -> Self {
        use sqlx::ConnectOptions;
        let options: sqlx::postgres::PgConnectOptions = url.parse().expect("the URL is right");
        let options = options.disable_statement_logging();
        Self(
            sqlx::postgres::PgPoolOptions::new()
                .max_connections(u32::try_from(CONNECTIONS).expect("few"))
                .connect_with(options)
                .await
                .expect("the pool opens"),
        )
    }

    fn read(row: &sqlx::postgres::PgRow) {
        use sqlx::Row;
        std::hint::black_box((
            row.get::<i64, _>(0),
            row.get::<i32, _>(1),
            row.get::<f64, _>(2),
            row.get::<bool, _>(3),
            row.get::<String, _>(4),
            row.get::<String, _>(5),
            row.try_get_raw(6)
                .map_or(0, |raw| raw.as_bytes().map_or(0, <[u8]>::len)),
            row.get::<Option<String>, _>(7),
        ));
    }
}

#[async_trait]
impl Contestant for Sqlx {
    fn name(&self) -> &'static str {
        "sqlx PgPool, defaults"
    }

    async fn call(&self, workload: Workload, id: i64) {
        match workload {
            Workload::Mixed if id % 20 == 0 => drop(
                sqlx::query(SLOW)
                    .fetch_all(&self.0)
                    .await
                    .expect("it sleeps"),
            ),
            Workload::Point | Workload::Mixed => Self::read(
                &sqlx::query(POINT)
                    .bind(id)
                    .fetch_one(&self.0)
                    .await
                    .expect("it answers"),
            ),
            Workload::Hundred => sqlx::query(HUNDRED)
                .bind(id)
                .fetch_all(&self.0)
                .await
                .expect("it answers")
                .iter()
                .for_each(Self::read),
            Workload::Insert => drop(
                sqlx::query(INSERT)
                    .bind(id)
                    .execute(&self.0)
                    .await
                    .expect("it inserts"),
            ),
            Workload::Transaction => {
                let mut transaction = self.0.begin().await.expect("it begins");
                sqlx::query(UPDATE)
                    .bind(id)
                    .execute(&mut *transaction)
                    .await
                    .expect("it updates");
                Self::read(
                    &sqlx::query(POINT)
                        .bind(id)
                        .fetch_one(&mut *transaction)
                        .await
                        .expect("it answers"),
                );
                transaction.commit().await.expect("it commits");
            }
        }
    }
}

/// Where r2d2's connections are used.
#[derive(Clone, Copy, PartialEq)]
enum Where {
    SpawnBlocking,
    Executor,
}

/// r2d2 with its defaults, the statements cached beside each connection.
struct R2d2 {
    name: &'static str,
    pool: Pool,
    place: Where,
}

type Manager = r2d2_postgres::PostgresConnectionManager<postgres::NoTls>;
type Pool = r2d2::Pool<Manager>;
type Connection = r2d2::PooledConnection<Manager>;

impl R2d2 {
    fn new(name: &'static str, url: &str, place: Where) -> Self {
        let manager = Manager::new(url.parse().expect("the URL is right"), postgres::NoTls);
        let max = u32::try_from(CONNECTIONS).expect("few");
        let pool = std::thread::scope(|scope| {
            scope
                .spawn(|| r2d2::Pool::builder().max_size(max).build(manager))
                .join()
        });
        Self {
            name,
            pool: pool.expect("no panic").expect("the pool opens"),
            place,
        }
    }

    fn cached(connection: &mut Connection, text: &'static str) -> postgres::Statement {
        use std::collections::HashMap;
        type Cache = HashMap<&'static str, postgres::Statement>;
        if let Some(statement) = Connection::extensions(connection)
            .get::<Cache>()
            .and_then(|cache| cache.get(text))
        {
            return statement.clone();
        }
        let statement = connection.prepare(text).expect("it prepares");
        let extensions = Connection::extensions_mut(connection);
        let mut cache = extensions.remove::<Cache>().unwrap_or_default();
        cache.insert(text, statement.clone());
        extensions.insert(cache);
        statement
    }

    fn run(pool: &Pool, workload: Workload, id: i64) {
        let mut connection = pool.get().expect("a connection");
        let connection = &mut connection;
        match workload {
            Workload::Mixed if id % 20 == 0 => {
                let slow = Self::cached(connection, SLOW);
                connection.query(&slow, &[]).expect("it sleeps");
            }
            Workload::Point | Workload::Mixed => {
                let point = Self::cached(connection, POINT);
                Deadpool::read(&connection.query_one(&point, &[&id]).expect("it answers"));
            }
            Workload::Hundred => {
                let hundred = Self::cached(connection, HUNDRED);
                connection
                    .query(&hundred, &[&id])
                    .expect("it answers")
                    .iter()
                    .for_each(Deadpool::read);
            }
            Workload::Insert => {
                let insert = Self::cached(connection, INSERT);
                connection.execute(&insert, &[&id]).expect("it inserts");
            }
            Workload::Transaction => {
                let (update, point) = (
                    Self::cached(connection, UPDATE),
                    Self::cached(connection, POINT),
                );
                let mut transaction = connection.transaction().expect("it begins");
                transaction.execute(&update, &[&id]).expect("it updates");
                Deadpool::read(&transaction.query_one(&point, &[&id]).expect("it answers"));
                transaction.commit().expect("it commits");
            }
        }
    }
}

#[async_trait]
impl Contestant for R2d2 {
    fn name(&self) -> &'static str {
        self.name
    }

    #[expect(clippy::disallowed_methods, reason = "the peer does what services do")]
    async fn call(&self, workload: Workload, id: i64) {
        let pool = self.pool.clone();
        match self.place {
            Where::SpawnBlocking => {
                tokio::task::spawn_blocking(move || Self::run(&pool, workload, id))
                    .await
                    .expect("it does not panic");
            }
            // The driver's own runtime refuses to start on an executor's thread; waiting there for another thread blocks it just the same.
            Where::Executor => {
                std::thread::scope(|scope| scope.spawn(|| Self::run(&pool, workload, id)).join())
                    .expect("it does not panic");
            }
        }
    }
}

impl Drop for R2d2 {
    /// Connections must not be dropped on an executor's thread.
    fn drop(&mut self) {
        let pool = self.pool.clone();
        let empty = r2d2::Pool::builder()
            .max_size(1)
            .min_idle(Some(0))
            .build_unchecked(Manager::new(postgres::Config::new(), postgres::NoTls));
        let own = std::mem::replace(&mut self.pool, empty);
        std::thread::spawn(move || drop((own, pool)));
    }
}

/// What sqlx gives with the least around it: a semaphore and a stack. It tests nothing, closes nothing, and knows one runtime.
struct Thin {
    permits: tokio::sync::Semaphore,
    stack: std::sync::Mutex<Vec<sqlx::PgConnection>>,
    options: sqlx::postgres::PgConnectOptions,
}

impl Thin {
    fn new(url: &str) -> Self {
        use sqlx::ConnectOptions;
        let options: sqlx::postgres::PgConnectOptions = url.parse().expect("the URL is right");
        Self {
            permits: tokio::sync::Semaphore::new(CONNECTIONS),
            stack: std::sync::Mutex::default(),
            options: options.disable_statement_logging(),
        }
    }
}

#[async_trait]
impl Contestant for Thin {
    fn name(&self) -> &'static str {
        "sqlx connections on a bare stack"
    }

    async fn call(&self, workload: Workload, id: i64) {
        use sqlx::ConnectOptions;
        assert!(workload == Workload::Point, "it takes part in one workload");
        let _permit = self.permits.acquire().await.expect("it is never closed");
        let idle = self.stack.lock().expect("no panic").pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.options.connect().await.expect("it opens"),
        };
        let row = sqlx::query(POINT)
            .bind(id)
            .fetch_one(&mut connection)
            .await
            .expect("it answers");
        self.stack.lock().expect("no panic").push(connection);
        Sqlx::read(&row);
    }
}
