//! From the server's bytes to a value, by the column's type.

use super::reader::{Flaw, Read, fixed, text_of};
use crate::sql::{Date, Time, Timestamp, Value};
use postgres_types::{Kind, Type};
use uuid::Uuid;

/// How deep records may lie in records: more is garbage, and would end the stack.
const DEEPEST: usize = 64;

/// The types that most columns have; the rest are [`other`]'s.
pub(super) fn value(ty: &Type, bytes: &[u8], depth: usize) -> Read<Value> {
    Ok(match *ty {
        Type::INT8 => Value::Int(i64::from_be_bytes(fixed(bytes)?)),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::XML | Type::UNKNOWN => {
            Value::Text(text_of(bytes)?.to_owned())
        }
        Type::TIMESTAMPTZ => Value::TimestampTz(Timestamp(i64::from_be_bytes(fixed(bytes)?))),
        Type::BOOL => Value::Bool(fixed::<1>(bytes)?[0] != 0),
        Type::INT4 => Value::Int(i32::from_be_bytes(fixed(bytes)?).into()),
        Type::UUID => Value::Uuid(Uuid::from_bytes(fixed(bytes)?)),
        Type::JSONB => match bytes.split_first() {
            Some((1, text)) => Value::Json(text_of(text)?.to_owned()),
            _ => return Err(Flaw::Bytes("its version is not 1")),
        },
        Type::JSON => Value::Json(text_of(bytes)?.to_owned()),
        Type::FLOAT8 => Value::Float8(f64::from_be_bytes(fixed(bytes)?)),
        Type::FLOAT4 => Value::Float4(f32::from_be_bytes(fixed(bytes)?)),
        Type::BYTEA => Value::Bytes(bytes.to_vec()),
        Type::TIMESTAMP => Value::Timestamp(Timestamp(i64::from_be_bytes(fixed(bytes)?))),
        Type::DATE => Value::Date(Date(i32::from_be_bytes(fixed(bytes)?))),
        Type::TIME => Value::Time(Time(i64::from_be_bytes(fixed(bytes)?))),
        Type::INT2 => Value::Int(i16::from_be_bytes(fixed(bytes)?).into()),
        _ => return other(ty, bytes, depth),
    })
}

fn other(ty: &Type, bytes: &[u8], depth: usize) -> Read<Value> {
    if depth > DEEPEST {
        return Err(Flaw::Bytes("it is nested too deep"));
    }
    match ty.kind() {
        Kind::Domain(base) => value(base, bytes, depth + 1),
        Kind::Enum(_) => Ok(Value::Text(text_of(bytes)?.to_owned())),
        _ => Err(Flaw::Unsupported(ty.name().to_owned())),
    }
}
