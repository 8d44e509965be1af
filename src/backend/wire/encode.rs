//! From a value to the server's bytes, by the type that the server wants.

use super::misfit::{Misfit, Put};
use crate::sql::Value;
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
        Misfit::rule(
            value,
            ty,
            "it is larger than 2 GiB; Postgres takes 1 GiB at most",
        )
    })?;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

/// Puts the bytes of a value that is not NULL.
fn put(value: &Value, ty: &Type, out: &mut Vec<u8>) -> Put {
    let ty = base(ty);
    match (value, ty) {
        (Value::Bool(v), &Type::BOOL) => out.push(u8::from(*v)),
        (Value::Int(v), _) => return put_int(*v, value, ty, out),
        (Value::Float8(v), &Type::FLOAT8) => out.extend_from_slice(&v.to_be_bytes()),
        (Value::Float4(v), &Type::FLOAT4) => out.extend_from_slice(&v.to_be_bytes()),
        (Value::Text(text), ty) if is_text(ty) => out.extend_from_slice(text.as_bytes()),
        (Value::Text(text) | Value::Json(text), &Type::JSON) => {
            out.extend_from_slice(text.as_bytes())
        }
        (Value::Text(text) | Value::Json(text), &Type::JSONB) => {
            out.push(1);
            out.extend_from_slice(text.as_bytes());
        }
        (Value::Bytes(bytes), &Type::BYTEA) => out.extend_from_slice(bytes),
        (Value::Uuid(uuid), &Type::UUID) => out.extend_from_slice(uuid.as_bytes()),
        (Value::Timestamp(v) | Value::TimestampTz(v), &(Type::TIMESTAMP | Type::TIMESTAMPTZ)) => {
            out.extend_from_slice(&v.0.to_be_bytes());
        }
        (Value::Date(v), &Type::DATE) => out.extend_from_slice(&v.0.to_be_bytes()),
        _ => return Err(Misfit::kind(value, ty)),
    }
    Ok(())
}

fn put_int(v: i64, value: &Value, ty: &Type, out: &mut Vec<u8>) -> Put {
    let range = |_| Misfit::range(value, ty);
    match *ty {
        Type::INT8 => out.extend_from_slice(&v.to_be_bytes()),
        Type::INT4 => out.extend_from_slice(&i32::try_from(v).map_err(range)?.to_be_bytes()),
        Type::INT2 => out.extend_from_slice(&i16::try_from(v).map_err(range)?.to_be_bytes()),
        _ => return Err(Misfit::kind(value, ty)),
    }
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
