//! `r2d2_postgres`, on `spawn_blocking` and on the executor itself.

use super::deadpool::Deadpool;
use super::{Contestant, HUNDRED, INSERT, POINT, SLOW, UPDATE};
use crate::CONNECTIONS;
use crate::load::Workload;
use async_trait::async_trait;

/// Where r2d2's connections are used.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Where {
    SpawnBlocking,
    Executor,
}

/// r2d2 with its defaults, the statements cached beside each connection.
pub(super) struct R2d2 {
    name: &'static str,
    pool: Pool,
    place: Where,
}

type Manager = r2d2_postgres::PostgresConnectionManager<postgres::NoTls>;
type Pool = r2d2::Pool<Manager>;
type Connection = r2d2::PooledConnection<Manager>;

impl R2d2 {
    pub(super) fn new(name: &'static str, url: &str, place: Where) -> Self {
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
