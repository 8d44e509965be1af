//! sqlx's names for types, rows and errors, as the rest of `backend` knows them.

use super::super::failure::Failure;
use super::super::wire;
use crate::error::{DatabaseError, Error, ErrorKind, Result};
use crate::sql::{Column, Columns, RowData, Value};
use postgres_types::{Field, Kind, Type};
use sqlx::encode::IsNull;
use sqlx::postgres::{
    PgArgumentBuffer, PgArguments, PgColumn, PgDatabaseError, PgErrorPosition, PgRow, PgTypeInfo,
    PgTypeKind,
};
use sqlx::{Arguments, Column as _, Encode, Postgres, Row as _, TypeInfo as _, ValueRef as _};
use std::sync::Arc;

/// The type as `postgres-types` has it, which the codec goes by.
pub(super) fn type_of(info: &PgTypeInfo) -> Type {
    let oid = info.oid().map_or(0, |oid| oid.0);
    if let Some(builtin) = Type::from_oid(oid) {
        return builtin;
    }
    let kind = match info.kind() {
        PgTypeKind::Simple => Kind::Simple,
        PgTypeKind::Pseudo => Kind::Pseudo,
        PgTypeKind::Domain(base) => Kind::Domain(type_of(base)),
        PgTypeKind::Array(element) => Kind::Array(type_of(element)),
        PgTypeKind::Range(element) => Kind::Range(type_of(element)),
        PgTypeKind::Enum(labels) => Kind::Enum(labels.to_vec()),
        PgTypeKind::Composite(fields) => Kind::Composite(
            fields
                .iter()
                .map(|(name, info)| Field::new(name.clone(), type_of(info)))
                .collect(),
        ),
    };
    Type::new(bare(info.name()), oid, kind, String::new())
}

/// The name as the server's catalog has it: sqlx writes its own words in capitals, and schema and quotes around names that need them.
fn bare(name: &str) -> String {
    let last = if name.ends_with('"') {
        name
    } else {
        name.rsplit('.').next().unwrap_or(name)
    };
    match last
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => last.to_owned(),
    }
}

/// The columns of a statement, and their types for the codec.
pub(super) fn columns_of(columns: &[PgColumn]) -> (Arc<Columns>, Arc<[Type]>) {
    let types: Arc<[Type]> = columns
        .iter()
        .map(|column| type_of(column.type_info()))
        .collect();
    let named = columns.iter().zip(types.iter()).map(|(column, ty)| Column {
        name: column.name().to_owned(),
        type_name: ty.name().to_owned(),
        type_oid: ty.oid(),
    });
    (Arc::new(Columns(named.collect())), types)
}

/// A row of sqlx, decoded by the one codec.
pub(super) struct Received {
    pub(super) row: PgRow,
    pub(super) types: Arc<[Type]>,
}

impl RowData for Received {
    fn value(&self, index: usize) -> Result<Value> {
        let raw = self
            .row
            .try_get_raw(index)
            .map_err(|error| Error::new(ErrorKind::Decode, error.to_string()))?;
        let bytes = if raw.is_null() {
            None
        } else {
            raw.as_bytes().ok()
        };
        wire::decode(&self.types[index], bytes)
    }
}

/// A parameter that the codec encoded already; the type is the one that the server named.
struct Bound<'a> {
    bytes: Option<&'a [u8]>,
    info: &'a PgTypeInfo,
}

impl Encode<'_, Postgres> for Bound<'_> {
    fn encode_by_ref(
        &self,
        buffer: &mut PgArgumentBuffer,
    ) -> Result<IsNull, sqlx::error::BoxDynError> {
        Ok(match self.bytes {
            Some(bytes) => {
                buffer.extend_from_slice(bytes);
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.info.clone())
    }
}

/// Never asked for: `produces` always answers.
impl sqlx::Type<Postgres> for Bound<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("unknown")
    }
}

/// The arguments of a call.
pub(super) fn arguments(encoded: &wire::Encoded, infos: &[PgTypeInfo]) -> Result<PgArguments> {
    let mut arguments = PgArguments::default();
    arguments.reserve(infos.len(), encoded.len() * 8);
    for (at, info) in infos.iter().enumerate() {
        let bound = Bound {
            bytes: encoded.get(at),
            info,
        };
        arguments.add(bound).map_err(|error| {
            Error::new(
                ErrorKind::Bind,
                format!("the parameter ${} is too large: {error}", at + 1),
            )
        })?;
    }
    Ok(arguments)
}

/// What an error of sqlx means.
pub(super) fn failure(error: sqlx::Error) -> Failure {
    match error {
        sqlx::Error::Database(reported) => match reported.try_downcast::<PgDatabaseError>() {
            Ok(reported) => Failure::reported(report(&reported), reported.routine()),
            Err(other) => Failure::broken(Error::new(ErrorKind::Connection, other.to_string())),
        },
        sqlx::Error::Io(source) => Failure::socket(source),
        sqlx::Error::Encode(source) => {
            Failure::usable(Error::new(ErrorKind::Bind, source.to_string()))
        }
        // sqlx looks up each type that it has not built in, and knows no multiranges. The statement stays on the server, so the
        // connection goes.
        sqlx::Error::ColumnDecode { index, .. } if index.contains("typtype") => Failure::broken(
            Error::new(
                ErrorKind::Unsupported,
                "a multirange is not supported by this driver, as a column or as a parameter",
            )
            .with_hint("cast it in the query, as in column::text and $1::text::int4multirange"),
        ),
        sqlx::Error::TypeNotFound { type_name } => Failure::broken(Error::new(
            ErrorKind::Unsupported,
            format!("the type {type_name} is not in the server's catalog"),
        )),
        other => Failure::broken(
            Error::new(
                ErrorKind::Connection,
                format!("the connection cannot be used on: {other}"),
            )
            .with_source(other),
        ),
    }
}

fn report(reported: &PgDatabaseError) -> DatabaseError {
    let text = |field: Option<&str>| field.map(str::to_owned);
    DatabaseError {
        sqlstate: reported.code().to_owned(),
        severity: severity(reported).to_owned(),
        message: reported.message().to_owned(),
        detail: text(reported.detail()),
        hint: text(reported.hint()),
        position: match reported.position() {
            Some(PgErrorPosition::Original(position)) => u32::try_from(position).ok(),
            _ => None,
        },
        constraint: text(reported.constraint()),
        schema: text(reported.schema()),
        table: text(reported.table()),
        column: text(reported.column()),
        data_type: text(reported.data_type()),
    }
}

fn severity(reported: &PgDatabaseError) -> &'static str {
    use sqlx::postgres::PgSeverity::{Debug, Error, Fatal, Info, Log, Notice, Panic, Warning};
    match reported.severity() {
        Panic => "PANIC",
        Fatal => "FATAL",
        Error => "ERROR",
        Warning => "WARNING",
        Notice => "NOTICE",
        Debug => "DEBUG",
        Info => "INFO",
        Log => "LOG",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_schema_and_quotes() {
        assert_eq!(bare("mood"), "mood");
        assert_eq!(bare("public.mood"), "mood");
        assert_eq!(bare("\"Mood \"\"x\"\"\""), "Mood \"x\"");
    }
}
