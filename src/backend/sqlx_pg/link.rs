//! One connection of sqlx: what is prepared on it, and how a statement runs on it.

use super::super::budget::Slot;
use super::super::failure::{Failure, Fate};
use super::super::{Description, wire};
use super::ending::Session;
use super::types::{Received, arguments, columns_of, failure, type_of};
use crate::error::{Error, ErrorKind};
use crate::sql::{Columns, Query, Row, Value};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use lru::LruCache;
use postgres_types::Type;
use sqlx::postgres::{PgConnection, PgRow, PgTypeInfo};
use sqlx::{AssertSqlSafe, Connection, Either, Executor, SqlSafeStr, Statement as _};
use std::num::NonZeroUsize;
use std::sync::Arc;

/// How many rows are read before other tasks get their turn: a socket that always has data would never yield.
pub(super) const ROWS_A_TURN: usize = 32;

/// What a statement needs beside its text, asked from the server once a connection.
pub(super) struct Prepared {
    parameters: Vec<Type>,
    infos: Vec<PgTypeInfo>,
    columns: Arc<Columns>,
    types: Arc<[Type]>,
}

/// What is prepared on one connection, by the statement's text.
pub(super) struct Statements(LruCache<Arc<str>, Arc<Prepared>>);

impl Statements {
    pub(super) fn new(capacity: usize) -> Self {
        Self(LruCache::new(
            NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN),
        ))
    }
}

/// A connection that this backend opened.
pub(super) struct Opened {
    pub(super) connection: PgConnection,
    pub(super) statements: Statements,
    /// Whose session it is, where the server tells.
    pub(super) session: Option<Session>,
    /// Kept as long as the session is there.
    pub(super) slot: Slot,
}

/// A connection while a call has it.
pub(super) struct Link<'a> {
    pub(super) connection: &'a mut PgConnection,
    pub(super) statements: &'a mut Statements,
}

/// Where a statement's rows and count go.
pub(super) trait Sink: Send {
    fn row(&mut self, row: Row);
    fn count(&mut self, count: u64);
}

/// Keeps the count alone.
impl Sink for u64 {
    fn row(&mut self, _row: Row) {}

    fn count(&mut self, count: u64) {
        *self += count;
    }
}

/// Keeps all rows.
impl Sink for Vec<Row> {
    fn row(&mut self, row: Row) {
        self.push(row);
    }

    fn count(&mut self, _count: u64) {}
}

/// Keeps the first row.
impl Sink for Option<Row> {
    fn row(&mut self, row: Row) {
        self.get_or_insert(row);
    }

    fn count(&mut self, _count: u64) {}
}

impl Link<'_> {
    /// The statement, prepared: the server names the types, never the values that happen to be given.
    pub(super) async fn prepared(&mut self, query: &Query) -> Result<Arc<Prepared>, Failure> {
        if let Some(prepared) = self.statements.0.get(query.shared_text()) {
            return Ok(Arc::clone(prepared));
        }
        Box::pin(self.prepare(query)).await
    }

    async fn prepare(&mut self, query: &Query) -> Result<Arc<Prepared>, Failure> {
        let text = AssertSqlSafe(Arc::clone(query.shared_text())).into_sql_str();
        let statement = self.connection.prepare(text).await.map_err(failure)?;
        let infos = match statement.parameters() {
            Some(Either::Left(infos)) => infos.to_vec(),
            _ => Vec::new(),
        };
        let (columns, types) = columns_of(statement.columns());
        let parameters = infos.iter().map(type_of).collect();
        let prepared = Arc::new(Prepared {
            parameters,
            infos,
            columns,
            types,
        });
        self.statements
            .0
            .put(Arc::clone(query.shared_text()), Arc::clone(&prepared));
        Ok(prepared)
    }

    /// Forgets every prepared statement, here and on the server.
    pub(super) async fn forget(&mut self) -> Result<(), Failure> {
        self.statements.0.clear();
        self.connection
            .clear_cached_statements()
            .await
            .map_err(failure)
    }

    /// Runs a statement; one that the server calls stale is prepared anew, once, where `again` allows it, and else at its next use.
    pub(super) async fn run(
        &mut self,
        query: &Query,
        values: &[Value],
        sink: &mut dyn Sink,
        again: bool,
    ) -> Result<(), Failure> {
        match self.run_once(query, values, sink).await {
            Err(
                stale @ Failure {
                    fate: Fate::Stale, ..
                },
            ) => {
                Box::pin(self.forget()).await?;
                if again {
                    Box::pin(self.run_once(query, values, sink)).await
                } else {
                    Err(stale)
                }
            }
            other => other,
        }
    }

    async fn run_once(
        &mut self,
        query: &Query,
        values: &[Value],
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        let prepared = self.prepared(query).await?;
        let mut items = self.start(query, &prepared, values)?;
        let mut arrived = 0_usize;
        loop {
            // A block, so that the item does not make the future larger by being there while others have their turn.
            {
                let next = items.try_next().await;
                match next.map_err(|error| failure(error).after(arrived > 0))? {
                    Some(Either::Left(done)) => sink.count(done.rows_affected()),
                    Some(Either::Right(row)) => sink.row(prepared.row(row)),
                    None => return Ok(()),
                }
            }
            arrived += 1;
            if arrived.is_multiple_of(ROWS_A_TURN) {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Binds the values and sends the statement.
    fn start(
        &mut self,
        query: &Query,
        prepared: &Prepared,
        values: &[Value],
    ) -> Result<Items<'_>, Failure> {
        let encoded = wire::encode(values, &prepared.parameters).map_err(Failure::usable)?;
        let arguments = arguments(&encoded, &prepared.infos).map_err(Failure::usable)?;
        // By text, which is in the connection's own cache since it was prepared: a query made from the statement would have to outlive
        // the rows.
        let statement = sqlx::query_with(AssertSqlSafe(Arc::clone(query.shared_text())), arguments);
        Ok(self.connection.fetch_many(statement))
    }

    /// The rows of a statement as they arrive.
    pub(super) async fn stream(
        &mut self,
        query: &Query,
        values: &[Value],
    ) -> Result<BoxStream<'_, Result<Row, Failure>>, Failure> {
        let prepared = self.prepared(query).await?;
        let items = self.start(query, &prepared, values)?;
        let rows = items.map_err(failure).try_filter_map(move |item| {
            let row = item.right().map(|row| prepared.row(row));
            std::future::ready(Ok(row))
        });
        Ok(rows.boxed())
    }

    /// What the server says of a statement now: what was prepared before may be out of date.
    pub(super) async fn describe(&mut self, query: &Query) -> Result<Description, Failure> {
        self.forget().await?;
        let prepared = self.prepared(query).await?;
        let parameters = prepared
            .parameters
            .iter()
            .map(|ty| ty.name().to_owned())
            .collect();
        Ok(Description {
            parameters,
            columns: Arc::clone(&prepared.columns),
        })
    }

    /// Runs statements without parameters or rows, in one round trip.
    pub(super) async fn batch(&mut self, text: &str) -> Result<(), Failure> {
        batch(self.connection, text).await
    }

    pub(super) async fn ping(&mut self) -> Result<(), Failure> {
        self.connection.ping().await.map_err(failure)
    }
}

type Items<'a> = BoxStream<'a, Result<Either<sqlx::postgres::PgQueryResult, PgRow>, sqlx::Error>>;

impl Prepared {
    fn row(&self, row: PgRow) -> Row {
        Row::new(
            Arc::clone(&self.columns),
            Box::new(Received {
                row,
                types: Arc::clone(&self.types),
            }),
        )
    }
}

/// Runs statements without parameters or rows, in one round trip.
pub(super) async fn batch(connection: &mut PgConnection, text: &str) -> Result<(), Failure> {
    let statement = sqlx::raw_sql(AssertSqlSafe(text.to_owned()));
    statement
        .execute(connection)
        .await
        .map(drop)
        .map_err(failure)
}

/// A call that the pool's owner has closed meanwhile.
pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the async backend was closed")
}
