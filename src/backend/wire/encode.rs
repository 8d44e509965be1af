//! From a value to the server's bytes, by the type that the server wants.

use super::misfit::{Misfit, Put};
use super::{nested, numeric, text};
use crate::sql::{Date, Time, Timestamp, Value};
use postgres_types::{Kind, Type};

/// About how many bytes the value will take.
pub(super) fn size_hint(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::Text(text) | Value::Json(text) | Value::Numeric(text) => text.len() + 8,
        Value::Bytes(bytes) => bytes.len(),
        Value::Array(array) => 32 + array.elements.len() * 12,
        Value::Composite(fields) => 4 + fields.len() * 16,
        Value::Multirange(ranges) => 4 + ranges.len() * 32,
        Value::Range(_) => 32,
        _ => 16,
    }
}

/// Puts the value's length and its bytes; the length of NULL is -1.
pub(super) fn put_field(value: &Value, ty: &Type, out: &mut Vec<u8>) -> Put {
    if value.is_null() {
        out.extend_from_slice(&(-1i32).to_be_bytes());
        return Ok(());
    }
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    put(value, ty, out)?;
    let length = i32::try_from(out.len() - start - 4).map_err(|_| {
        let rule = "it is larger than 2 GiB; Postgres takes 1 GiB at most";
        Misfit::rule(value, ty, rule)
    })?;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

/// Puts the bytes of a value that is not NULL.
pub(super) fn put(value: &Value, ty: &Type, out: &mut Vec<u8>) -> Put {
    let ty = base(ty);
    match value {
        Value::Int(v) => put_int(*v, value, ty, out),
        Value::Text(v) => put_text(v, ty, out),
        Value::Json(v) if matches!(*ty, Type::JSON | Type::JSONB) || is_text(ty) => {
            put_text(v, ty, out)
        }
        Value::Bool(v) if *ty == Type::BOOL => fill(out, &[u8::from(*v)]),
        Value::Uuid(v) if *ty == Type::UUID => fill(out, v.as_bytes()),
        Value::Bytes(v) if *ty == Type::BYTEA => fill(out, v),
        Value::Float8(v) => put_float(*v, value, ty, out),
        Value::Float4(v) if *ty == Type::FLOAT4 => fill(out, &v.to_be_bytes()),
        // By its digits, so that 0.1 becomes numeric 0.1 and not what lies next to it.
        Value::Float4(v) if *ty == Type::NUMERIC => put_numeric(&format!("{v:e}"), value, ty, out),
        Value::Float4(v) => put_float(f64::from(*v), value, ty, out),
        Value::Numeric(v) => put_numeric(v, value, ty, out),
        Value::Date(_) | Value::Timestamp(_) | Value::TimestampTz(_) => put_moment(value, ty, out),
        Value::Time(_) | Value::TimeTz(_) | Value::Interval(_) => put_time(value, ty, out),
        _ => put_nested(value, ty, out),
    }
}

fn put_nested(value: &Value, ty: &Type, out: &mut Vec<u8>) -> Put {
    match (value, ty.kind()) {
        (Value::Array(array), Kind::Array(element)) => nested::put_array(array, ty, element, out),
        (Value::Composite(values), Kind::Composite(fields)) => {
            let values = values.iter().map(|(_, value)| value);
            nested::put_composite(values, ty, fields, out)
        }
        (Value::Range(range), Kind::Range(element)) => nested::put_range(range, element, out),
        (Value::Multirange(ranges), Kind::Multirange(element)) => {
            nested::put_multirange(ranges, ty, element, out)
        }
        _ => Err(Misfit::kind(value, ty)),
    }
}

fn put_int(v: i64, value: &Value, ty: &Type, out: &mut Vec<u8>) -> Put {
    let range = |_| Misfit::range(value, ty);
    match *ty {
        Type::INT8 => fill(out, &v.to_be_bytes()),
        Type::INT4 => fill(out, &i32::try_from(v).map_err(range)?.to_be_bytes()),
        Type::INT2 => fill(out, &i16::try_from(v).map_err(range)?.to_be_bytes()),
        Type::FLOAT4 | Type::FLOAT8 => {
            #[expect(
                clippy::cast_precision_loss,
                reason = "the server rounds an integer in the same way"
            )]
            let (narrow, wide) = (v as f32, v as f64);
            if *ty == Type::FLOAT4 {
                fill(out, &narrow.to_be_bytes())
            } else {
                fill(out, &wide.to_be_bytes())
            }
        }
        Type::NUMERIC => put_numeric(&v.to_string(), value, ty, out),
        Type::XID8 => fill(out, &u64::try_from(v).map_err(range)?.to_be_bytes()),
        ref ty if is_oid(ty) => fill(out, &u32::try_from(v).map_err(range)?.to_be_bytes()),
        _ => Err(Misfit::kind(value, ty)),
    }
}

fn put_float(v: f64, value: &Value, ty: &Type, out: &mut Vec<u8>) -> Put {
    match *ty {
        Type::FLOAT8 => fill(out, &v.to_be_bytes()),
        Type::FLOAT4 => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "what is lost beyond rounding is refused below"
            )]
            let narrow = v as f32;
            if narrow.is_infinite() != v.is_infinite() || (narrow == 0.0) != (v == 0.0) {
                return Err(Misfit::range(value, ty));
            }
            fill(out, &narrow.to_be_bytes())
        }
        Type::NUMERIC => put_numeric(&format!("{v:e}"), value, ty, out),
        _ if is_integer(ty) => {
            // Below 2^63 either way, a whole float is that integer.
            const END: f64 = 9_223_372_036_854_775_808.0;
            if v.fract() != 0.0 || !(-END..END).contains(&v) {
                return Err(not_whole(value, ty));
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "it is whole and within the range"
            )]
            let whole = v as i64;
            put_int(whole, value, ty, out)
        }
        _ => Err(Misfit::kind(value, ty)),
    }
}

fn put_numeric(text: &str, value: &Value, ty: &Type, out: &mut Vec<u8>) -> Put {
    match *ty {
        Type::NUMERIC => numeric::put(text, out).ok_or_else(|| Misfit::text(ty)),
        Type::FLOAT4 | Type::FLOAT8 => put_text(text, ty, out),
        _ if is_integer(ty) => {
            let whole = match text.split_once('.') {
                Some((whole, rest)) if rest.bytes().all(|digit| digit == b'0') => whole,
                _ => text,
            };
            let whole: i64 = whole.parse().map_err(|_| not_whole(value, ty))?;
            put_int(whole, value, ty, out)
        }
        _ => Err(Misfit::kind(value, ty)),
    }
}

fn not_whole(value: &Value, ty: &Type) -> Misfit {
    let rule =
        "it is not a whole number in the range of that type; round it, or cast it in the query";
    Misfit::rule(value, ty, rule)
}

/// A date or timestamp becomes another of them only where it stays the same moment in UTC.
fn put_moment(value: &Value, ty: &Type, out: &mut Vec<u8>) -> Put {
    match (ty, value) {
        (&Type::DATE, Value::Date(Date(days))) => fill(out, &days.to_be_bytes()),
        (&Type::DATE, Value::Timestamp(v) | Value::TimestampTz(v)) => {
            if v.time() != Time(0) {
                let rule = "it has a time of day, which a date cannot hold; give a date, or cast it in the query";
                return Err(Misfit::rule(value, ty, rule));
            }
            fill(out, &v.date().0.to_be_bytes())
        }
        (
            &(Type::TIMESTAMP | Type::TIMESTAMPTZ),
            Value::Timestamp(Timestamp(v)) | Value::TimestampTz(Timestamp(v)),
        ) => fill(out, &v.to_be_bytes()),
        (&(Type::TIMESTAMP | Type::TIMESTAMPTZ), Value::Date(date)) => {
            let midnight = date
                .to_timestamp()
                .ok_or_else(|| Misfit::range(value, ty))?;
            fill(out, &midnight.0.to_be_bytes())
        }
        _ => Err(Misfit::kind(value, ty)),
    }
}

fn put_time(value: &Value, ty: &Type, out: &mut Vec<u8>) -> Put {
    match (ty, value) {
        (&Type::TIME, Value::Time(Time(v))) => fill(out, &v.to_be_bytes()),
        (&Type::TIMETZ, Value::Time(Time(v))) => {
            fill(out, &v.to_be_bytes())?;
            fill(out, &[0; 4])
        }
        (&Type::TIMETZ, Value::TimeTz(v)) => {
            fill(out, &v.time.0.to_be_bytes())?;
            fill(out, &v.west.to_be_bytes())
        }
        (&Type::INTERVAL, Value::Time(Time(v))) => {
            fill(out, &v.to_be_bytes())?;
            fill(out, &[0; 8])
        }
        (&Type::INTERVAL, Value::Interval(v)) => {
            fill(out, &v.micros.to_be_bytes())?;
            fill(out, &v.days.to_be_bytes())?;
            fill(out, &v.months.to_be_bytes())
        }
        _ => Err(Misfit::kind(value, ty)),
    }
}

/// A text is given to a type whose form is text as it is, and to any other as that type's text form.
fn put_text(v: &str, ty: &Type, out: &mut Vec<u8>) -> Put {
    if *ty == Type::NAME {
        // The server cuts a name that is too long, but only where it comes as text.
        return fill(out, &v.as_bytes()[..v.floor_char_boundary(63)]);
    }
    if is_versioned(ty) {
        out.push(1);
        return fill(out, v.as_bytes());
    }
    if *ty == Type::JSON || is_text(ty) {
        return fill(out, v.as_bytes());
    }
    text::put(v, ty, out)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every arm above ends in what it returns"
)]
fn fill(out: &mut Vec<u8>, bytes: &[u8]) -> Put {
    out.extend_from_slice(bytes);
    Ok(())
}

/// The type beneath its domains.
fn base(mut ty: &Type) -> &Type {
    while let Kind::Domain(base) = ty.kind() {
        ty = base;
    }
    ty
}

/// Whether the type's binary form is its text.
pub(super) fn is_text(ty: &Type) -> bool {
    match *ty {
        Type::TEXT
        | Type::VARCHAR
        | Type::BPCHAR
        | Type::NAME
        | Type::XML
        | Type::UNKNOWN
        | Type::CSTRING
        | Type::REFCURSOR => true,
        _ => matches!(ty.kind(), Kind::Enum(_)) || ty.name() == "citext",
    }
}

/// Whether the type's binary form is a version and then its text.
pub(super) fn is_versioned(ty: &Type) -> bool {
    match *ty {
        Type::JSONB | Type::JSONPATH => true,
        _ => matches!(ty.name(), "ltree" | "lquery" | "ltxtquery"),
    }
}

/// Whether the type is an unsigned number of 32 bits.
pub(super) fn is_oid(ty: &Type) -> bool {
    matches!(
        *ty,
        Type::OID
            | Type::XID
            | Type::CID
            | Type::REGPROC
            | Type::REGPROCEDURE
            | Type::REGOPER
            | Type::REGOPERATOR
            | Type::REGCLASS
            | Type::REGTYPE
            | Type::REGROLE
            | Type::REGNAMESPACE
            | Type::REGCONFIG
            | Type::REGDICTIONARY
            | Type::REGCOLLATION
    )
}

fn is_integer(ty: &Type) -> bool {
    matches!(*ty, Type::INT2 | Type::INT4 | Type::INT8) || is_oid(ty)
}
