//! From the server's bytes to a value, by the column's type.

use super::reader::{Flaw, Read, Reader, fixed, text_of};
use super::{encode, geometry, nested, network, numeric, search, system};
use crate::sql::{Date, Interval, Time, TimeTz, Timestamp, Value};
use postgres_types::{Kind, Type};
use uuid::Uuid;

/// How deep records may lie in records: more is garbage, and would end the stack.
const DEEPEST: usize = 64;

/// The types that most columns have; the rest are [`other`]'s.
pub(super) fn value(ty: &Type, bytes: &[u8], depth: usize) -> Read<Value> {
    Ok(match *ty {
        Type::INT8 => Value::Int(i64::from_be_bytes(fixed(bytes)?)),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => {
            Value::Text(text_of(bytes)?.to_owned())
        }
        Type::TIMESTAMPTZ => Value::TimestampTz(Timestamp(i64::from_be_bytes(fixed(bytes)?))),
        Type::BOOL => Value::Bool(fixed::<1>(bytes)?[0] != 0),
        Type::INT4 => Value::Int(i32::from_be_bytes(fixed(bytes)?).into()),
        Type::UUID => Value::Uuid(Uuid::from_bytes(fixed(bytes)?)),
        Type::JSONB => Value::Json(versioned(bytes)?),
        Type::JSON => Value::Json(text_of(bytes)?.to_owned()),
        Type::FLOAT8 => Value::Float8(f64::from_be_bytes(fixed(bytes)?)),
        Type::FLOAT4 => Value::Float4(f32::from_be_bytes(fixed(bytes)?)),
        Type::NUMERIC => Value::Numeric(numeric::read(bytes)?),
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
    let array = |element| nested::read_array(element, bytes, depth).map(Value::Array);
    match (ty.kind(), ty) {
        (_, &(Type::INT2_VECTOR | Type::OID_VECTOR)) => vector(bytes, depth),
        (Kind::Domain(base), _) => value(base, bytes, depth + 1),
        (Kind::Array(element), _) => array(Some(element)),
        (Kind::Range(element), _) => {
            let range = nested::read_range(element, bytes, depth)?;
            Ok(Value::Range(Box::new(range)))
        }
        (Kind::Multirange(element), _) => {
            nested::read_multirange(element, bytes, depth).map(Value::Multirange)
        }
        (Kind::Composite(fields), _) => nested::read_composite(fields, bytes, depth),
        (Kind::Pseudo, &Type::RECORD) => nested::read_record(bytes, depth),
        (Kind::Pseudo, &Type::RECORD_ARRAY) => array(Some(&Type::RECORD)),
        (Kind::Pseudo, &Type::ANYARRAY) => array(None),
        (Kind::Pseudo, &Type::VOID) => Ok(Value::Null),
        _ if encode::is_text(ty) || *ty == Type::PG_NODE_TREE => {
            Ok(Value::Text(text_of(bytes)?.to_owned()))
        }
        _ => simple(ty, bytes),
    }
}

fn simple(ty: &Type, bytes: &[u8]) -> Read<Value> {
    let text = match *ty {
        Type::TIMETZ => return time_tz(bytes),
        Type::INTERVAL => return interval(bytes),
        ref ty if encode::is_oid(ty) => {
            return Ok(Value::Int(u32::from_be_bytes(fixed(bytes)?).into()));
        }
        Type::XID8 => u64::from_be_bytes(fixed(bytes)?).to_string(),
        Type::INET | Type::CIDR => network::read_inet(bytes)?,
        Type::MACADDR => network::read_mac::<6>(bytes)?,
        Type::MACADDR8 => network::read_mac::<8>(bytes)?,
        Type::POINT
        | Type::LSEG
        | Type::BOX
        | Type::LINE
        | Type::CIRCLE
        | Type::PATH
        | Type::POLYGON => geometry::read(ty, bytes)?,
        Type::BIT | Type::VARBIT => system::read_bits(bytes)?,
        Type::TS_VECTOR => search::read_vector(bytes)?,
        Type::TSQUERY => search::read_query(bytes)?,
        Type::PG_LSN => system::read_lsn(bytes)?,
        Type::PG_SNAPSHOT | Type::TXID_SNAPSHOT => system::read_snapshot(bytes)?,
        Type::TID => system::read_tid(bytes)?,
        Type::CHAR => system::read_char(bytes)?,
        ref ty if encode::is_versioned(ty) => versioned(bytes)?,
        _ => match ty.name() {
            "hstore" => system::read_hstore(bytes)?,
            name => return Err(Flaw::Unsupported(name.to_owned())),
        },
    };
    Ok(Value::Text(text))
}

/// A text after a version of one byte.
fn versioned(bytes: &[u8]) -> Read<String> {
    match bytes.split_first() {
        Some((1, text)) => Ok(text_of(text)?.to_owned()),
        _ => Err(Flaw::Bytes("its version is not 1")),
    }
}

fn time_tz(bytes: &[u8]) -> Read<Value> {
    let mut reader = Reader::new(bytes);
    let time = Time(reader.i64()?);
    let west = reader.i32()?;
    reader.end()?;
    Ok(Value::TimeTz(TimeTz { time, west }))
}

fn interval(bytes: &[u8]) -> Read<Value> {
    let mut reader = Reader::new(bytes);
    let (micros, days, months) = (reader.i64()?, reader.i32()?, reader.i32()?);
    reader.end()?;
    Ok(Value::Interval(Interval {
        months,
        days,
        micros,
    }))
}

/// An `int2vector` or `oidvector`, which print without braces: `1 2 3`.
fn vector(bytes: &[u8], depth: usize) -> Read<Value> {
    let array = nested::read_array(None, bytes, depth)?;
    let numbers: Vec<String> = array.elements.iter().map(ToString::to_string).collect();
    Ok(Value::Text(numbers.join(" ")))
}
