//! Arrays, composites, ranges and multiranges in the binary format.

use super::decode;
use super::encode::put_field;
use super::misfit::{Misfit, Put};
use super::reader::{Flaw, Read, Reader};
use crate::sql::{Array, Range, Value};
use postgres_types::{Field, Type};

/// The most dimensions that Postgres gives an array.
const MOST_DIMENSIONS: usize = 6;

const EMPTY: u8 = 0x01;
const LOWER_IN: u8 = 0x02;
const UPPER_IN: u8 = 0x04;
const LOWER_OPEN: u8 = 0x08;
const UPPER_OPEN: u8 = 0x10;

/// An array; its elements' type is `element`, or without one what the bytes say.
pub(super) fn read_array(element: Option<&Type>, bytes: &[u8], depth: usize) -> Read<Array> {
    let mut reader = Reader::new(bytes);
    let count = reader.count(8)?;
    reader.i32()?;
    let oid = reader.u32()?;
    let sent;
    let element = if let Some(element) = element {
        element
    } else {
        sent = builtin(oid, || format!("of an array's elements, oid {oid},"))?;
        &sent
    };
    if count > MOST_DIMENSIONS {
        return Err(Flaw::Bytes("it has more than six dimensions"));
    }
    let dimensions = (0..count)
        .map(|_| {
            let length = u32::try_from(reader.i32()?);
            let length = length.map_err(|_| Flaw::Bytes("a dimension's length is negative"))?;
            Ok((length, reader.i32()?))
        })
        .collect::<Read<Vec<_>>>()?;
    let length =
        elements_of(&dimensions).filter(|length| length.saturating_mul(4) <= reader.left());
    let length = length.ok_or(Flaw::Bytes("it has fewer elements than its dimensions say"))?;
    let mut elements = Vec::with_capacity(length);
    for _ in 0..length {
        elements.push(field(&mut reader, element, depth)?);
    }
    reader.end()?;
    Ok(Array {
        dimensions,
        elements,
    })
}

/// How many elements an array of these dimensions has.
fn elements_of(dimensions: &[(u32, i32)]) -> Option<usize> {
    if dimensions.is_empty() {
        return Some(0);
    }
    dimensions.iter().try_fold(1usize, |product, (length, _)| {
        product.checked_mul(usize::try_from(*length).ok()?)
    })
}

fn field(reader: &mut Reader<'_>, ty: &Type, depth: usize) -> Read<Value> {
    match reader.field()? {
        None => Ok(Value::Null),
        Some(bytes) => decode::value(ty, bytes, depth + 1),
    }
}

fn builtin(oid: u32, place: impl FnOnce() -> String) -> Read<Type> {
    Type::from_oid(oid).ok_or_else(|| Flaw::Unsupported(place()))
}

/// A composite value of a type whose fields are known.
pub(super) fn read_composite(fields: &[Field], bytes: &[u8], depth: usize) -> Read<Value> {
    let mut reader = Reader::new(bytes);
    if reader.count(8)? != fields.len() {
        return Err(Flaw::Bytes(
            "it has not as many fields as its type had; the type was altered",
        ));
    }
    let mut values = Vec::with_capacity(fields.len());
    for of_type in fields {
        if reader.u32()? != of_type.type_().oid() {
            return Err(Flaw::Bytes(
                "a field's type is not what it was; the type was altered",
            ));
        }
        let value = field(&mut reader, of_type.type_(), depth)?;
        values.push((of_type.name().to_owned(), value));
    }
    reader.end()?;
    Ok(Value::Composite(values))
}

/// A record without a type: its fields say theirs.
pub(super) fn read_record(bytes: &[u8], depth: usize) -> Read<Value> {
    let mut reader = Reader::new(bytes);
    let count = reader.count(8)?;
    let mut values = Vec::with_capacity(count);
    for number in 1..=count {
        let oid = reader.u32()?;
        let ty = builtin(oid, || format!("of a record's field f{number}, oid {oid},"))?;
        values.push((format!("f{number}"), field(&mut reader, &ty, depth)?));
    }
    reader.end()?;
    Ok(Value::Composite(values))
}

/// A range of `element`.
pub(super) fn read_range(element: &Type, bytes: &[u8], depth: usize) -> Read<Range> {
    let mut reader = Reader::new(bytes);
    let flags = reader.u8()?;
    let range = if flags & EMPTY != 0 {
        Range::Empty
    } else {
        let mut bound = |open: u8, inside: u8| {
            if flags & open != 0 {
                return Ok(None);
            }
            let value = field(&mut reader, element, depth)?;
            Ok(Some((value, flags & inside != 0)))
        };
        Range::Bounds {
            lower: bound(LOWER_OPEN, LOWER_IN)?,
            upper: bound(UPPER_OPEN, UPPER_IN)?,
        }
    };
    reader.end()?;
    Ok(range)
}

/// A multirange of ranges of `element`.
pub(super) fn read_multirange(element: &Type, bytes: &[u8], depth: usize) -> Read<Vec<Range>> {
    let mut reader = Reader::new(bytes);
    let count = reader.count(5)?;
    let mut ranges = Vec::with_capacity(count);
    for _ in 0..count {
        let range = reader
            .field()?
            .ok_or(Flaw::Bytes("a range in it is NULL"))?;
        ranges.push(read_range(element, range, depth)?);
    }
    reader.end()?;
    Ok(ranges)
}

/// Puts an array whose type is `ty`.
pub(super) fn put_array(array: &Array, ty: &Type, element: &Type, out: &mut Vec<u8>) -> Put {
    let misshapen = || {
        let rule = "its dimensions are no shape of its elements: their product must be the count, of six dimensions at most";
        Misfit::rule(&Value::Array(Array::of::<Value>([])), ty, rule)
    };
    let Array {
        dimensions,
        elements,
    } = array;
    let dimensions = if elements.is_empty() {
        &[][..]
    } else {
        dimensions
    };
    if elements_of(dimensions) != Some(elements.len()) || dimensions.len() > MOST_DIMENSIONS {
        return Err(misshapen());
    }
    let word = |count: usize| i32::try_from(count).map_err(|_| misshapen());
    out.extend_from_slice(&word(dimensions.len())?.to_be_bytes());
    let nulls = elements.iter().any(Value::is_null);
    out.extend_from_slice(&i32::from(nulls).to_be_bytes());
    out.extend_from_slice(&element.oid().to_be_bytes());
    for (length, lower) in dimensions {
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&lower.to_be_bytes());
    }
    for (index, value) in elements.iter().enumerate() {
        put_field(value, element, out)
            .map_err(|misfit| misfit.within(&format!(", element {}", index + 1)))?;
    }
    Ok(())
}

/// Puts a composite value: its values in the order of the type's fields.
pub(super) fn put_composite<'a>(
    values: impl ExactSizeIterator<Item = &'a Value>,
    ty: &Type,
    fields: &[Field],
    out: &mut Vec<u8>,
) -> Put {
    let count = i32::try_from(fields.len()).unwrap_or(i32::MAX);
    if values.len() != fields.len() {
        let rule = "it has not as many fields as the type";
        return Err(Misfit::rule(&Value::Composite(Vec::new()), ty, rule));
    }
    out.extend_from_slice(&count.to_be_bytes());
    for (value, field) in values.zip(fields) {
        out.extend_from_slice(&field.type_().oid().to_be_bytes());
        put_field(value, field.type_(), out)
            .map_err(|misfit| misfit.within(&format!(", field {}", field.name())))?;
    }
    Ok(())
}

/// Puts a range of `element`.
pub(super) fn put_range(range: &Range, element: &Type, out: &mut Vec<u8>) -> Put {
    let Range::Bounds { lower, upper } = range else {
        out.push(EMPTY);
        return Ok(());
    };
    let (lower, upper) = (given(lower.as_ref()), given(upper.as_ref()));
    let flag = |bound: Option<&(Value, bool)>, open, inside| match bound {
        None => open,
        Some((_, true)) => inside,
        Some((_, false)) => 0,
    };
    out.push(flag(lower, LOWER_OPEN, LOWER_IN) | flag(upper, UPPER_OPEN, UPPER_IN));
    for (bound, place) in [(lower, ", lower bound"), (upper, ", upper bound")] {
        if let Some((value, _)) = bound {
            put_field(value, element, out).map_err(|misfit| misfit.within(place))?;
        }
    }
    Ok(())
}

/// A NULL bound is no bound, as in the server's own constructors.
fn given(bound: Option<&(Value, bool)>) -> Option<&(Value, bool)> {
    bound.filter(|bound| !bound.0.is_null())
}

/// Puts a multirange of ranges of `element`.
pub(super) fn put_multirange(
    ranges: &[Range],
    ty: &Type,
    element: &Type,
    out: &mut Vec<u8>,
) -> Put {
    let too_many = |_| Misfit::rule(&Value::Multirange(Vec::new()), ty, "it has too many ranges");
    out.extend_from_slice(&i32::try_from(ranges.len()).map_err(too_many)?.to_be_bytes());
    for (index, range) in ranges.iter().enumerate() {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        put_range(range, element, out)
            .map_err(|misfit| misfit.within(&format!(", range {}", index + 1)))?;
        let length = i32::try_from(out.len() - start - 4).map_err(too_many)?;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}
