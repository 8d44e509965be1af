//! One connection of `postgres`: what is prepared on it, and how a statement runs on it. Everything here blocks, and runs on the
//! backend's own threads.

use super::super::failure::{Failure, Fate};
use super::super::{Description, wire};
use crate::error::{DatabaseError, Error, ErrorKind, Result};
use crate::sql::{Column, Columns, Query, Row, RowData, Value};
use fallible_iterator::FallibleIterator;
use lru::LruCache;
use postgres::error::{DbError, ErrorPosition};
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, RowIter, Statement};
use std::error::Error as StdError;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// A statement with what the server said of it.
pub(super) struct Prepared {
    statement: Statement,
    columns: Arc<Columns>,
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

/// A connection while a call has it.
pub(super) struct Link<'a> {
    pub(super) client: &'a mut Client,
    pub(super) statements: &'a mut Statements,
}

/// Where a row goes; it may end the call, which then leaves the connection unfit.
pub(super) type Take<'a> = dyn FnMut(Row) -> ControlFlow<()> + 'a;

impl Link<'_> {
    /// The statement, prepared: the server names the types.
    pub(super) fn prepared(&mut self, query: &Query) -> Result<Arc<Prepared>, Failure> {
        if let Some(prepared) = self.statements.0.get(query.shared_text()) {
            return Ok(Arc::clone(prepared));
        }
        let statement = self.client.prepare(query.text()).map_err(failure)?;
        let columns = statement.columns().iter().map(|column| Column {
            name: column.name().to_owned(),
            type_name: column.type_().name().to_owned(),
            type_oid: column.type_().oid(),
        });
        let columns = Arc::new(Columns(columns.collect()));
        let prepared = Arc::new(Prepared { statement, columns });
        self.statements
            .0
            .put(Arc::clone(query.shared_text()), Arc::clone(&prepared));
        Ok(prepared)
    }

    /// Forgets every prepared statement, here and on the server.
    pub(super) fn forget(&mut self) {
        self.statements.0.clear();
    }

    /// Runs a statement and gives its count; one that the server calls stale is prepared anew, once, where `again` allows it, and else at
    /// its next use.
    pub(super) fn run(
        &mut self,
        query: &Query,
        values: &[Value],
        take: &mut Take<'_>,
        again: bool,
    ) -> Result<u64, Failure> {
        match self.run_once(query, values, take) {
            Err(
                stale @ Failure {
                    fate: Fate::Stale, ..
                },
            ) => {
                self.forget();
                if again {
                    self.run_once(query, values, take)
                } else {
                    Err(stale)
                }
            }
            other => other,
        }
    }

    fn run_once(
        &mut self,
        query: &Query,
        values: &[Value],
        take: &mut Take<'_>,
    ) -> Result<u64, Failure> {
        let prepared = self.prepared(query)?;
        let encoded = wire::encode(values, prepared.statement.params()).map_err(Failure::usable)?;
        let bound = (0..encoded.len()).map(|at| Bound(encoded.get(at)));
        let mut rows = self
            .client
            .query_raw(&prepared.statement, bound.collect::<Vec<_>>())
            .map_err(|error| ran(failure(error)))?;
        let mut arrived = false;
        while let Some(row) = next(&mut rows, arrived)? {
            arrived = true;
            if take(Row::new(
                Arc::clone(&prepared.columns),
                Box::new(Received(row)),
            ))
            .is_break()
            {
                return Err(Failure::broken(Error::new(
                    ErrorKind::OutcomeUnknown,
                    "the reader gave the rest of the rows up",
                )));
            }
        }
        Ok(rows.rows_affected().unwrap_or(0))
    }

    /// What the server says of a statement now: what was prepared before may be out of date.
    pub(super) fn describe(&mut self, query: &Query) -> Result<Description, Failure> {
        self.statements.0.pop(query.shared_text());
        let prepared = self.prepared(query)?;
        let parameters = prepared
            .statement
            .params()
            .iter()
            .map(|ty| ty.name().to_owned())
            .collect();
        Ok(Description {
            parameters,
            columns: Arc::clone(&prepared.columns),
        })
    }

    /// Runs statements without parameters or rows, in one round trip.
    pub(super) fn batch(&mut self, text: &str) -> Result<(), Failure> {
        self.client.batch_execute(text).map_err(failure)
    }

    pub(super) fn ping(&mut self) -> Result<(), Failure> {
        self.client.simple_query("").map(drop).map_err(failure)
    }

    /// Whether the server answers within `limit`; one that does not leaves the connection unfit.
    pub(super) fn answers(&mut self, limit: Duration) -> bool {
        self.client.is_valid(limit).is_ok()
    }
}

fn next(rows: &mut RowIter<'_>, arrived: bool) -> Result<Option<postgres::Row>, Failure> {
    rows.next()
        .map_err(|error| ran(failure(error)).after(arrived))
}

/// What an error means once a statement was handed to the driver. It reads ahead: that the session was ended it tells instead of the answer
/// that came before. Only where it could not write the server has certainly not run the statement.
fn ran(failure: Failure) -> Failure {
    let answered = failure.fate == Fate::NeverSent && failure.error.database().is_some();
    failure.after(answered)
}

/// A row of `postgres`, decoded by the one codec.
struct Received(postgres::Row);

impl RowData for Received {
    fn value(&self, index: usize) -> Result<Value> {
        let raw: Raw<'_> = self
            .0
            .try_get(index)
            .map_err(|error| Error::new(ErrorKind::Decode, error.to_string()))?;
        wire::decode(self.0.columns()[index].type_(), raw.0)
    }
}

/// A column's bytes as they came.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A parameter that the codec encoded already.
#[derive(Debug)]
struct Bound<'a>(Option<&'a [u8]>);

impl ToSql for Bound<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut bytes::BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        Ok(match self.0 {
            Some(bytes) => {
                out.extend_from_slice(bytes);
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// What an error of `postgres` means.
pub(super) fn failure(error: postgres::Error) -> Failure {
    if let Some(reported) = error.as_db_error() {
        return Failure::reported(report(reported), reported.routine());
    }
    let text = error.to_string();
    let closed = error.is_closed();
    match error
        .into_source()
        .map(<dyn StdError + Send + Sync>::downcast::<std::io::Error>)
    {
        Some(Ok(source)) => Failure::socket(*source),
        _ if closed => Failure::broken(Error::new(
            ErrorKind::Connection,
            "the connection broke: the server ended it",
        )),
        Some(Err(source)) => Failure::broken(
            Error::new(
                ErrorKind::Connection,
                format!("the connection cannot be used on: {text}: {source}"),
            )
            .with_source(source),
        ),
        None => Failure::broken(Error::new(
            ErrorKind::Connection,
            format!("the connection cannot be used on: {text}"),
        )),
    }
}

fn report(reported: &DbError) -> DatabaseError {
    use postgres::error::Severity::{Fatal, Panic};
    let text = |field: Option<&str>| field.map(str::to_owned);
    let severity = match reported.parsed_severity() {
        Some(Fatal) => "FATAL",
        Some(Panic) => "PANIC",
        Some(_) => "ERROR",
        None => reported.severity(),
    };
    DatabaseError {
        sqlstate: reported.code().code().to_owned(),
        severity: severity.to_owned(),
        message: reported.message().to_owned(),
        detail: text(reported.detail()),
        hint: text(reported.hint()),
        position: match reported.position() {
            Some(ErrorPosition::Original(position)) => Some(*position),
            _ => None,
        },
        constraint: text(reported.constraint()),
        schema: text(reported.schema()),
        table: text(reported.table()),
        column: text(reported.column()),
        data_type: text(reported.datatype()),
    }
}
