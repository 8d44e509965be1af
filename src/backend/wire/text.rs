//! A text for a type that is not text: it is read as the server would read it.

use super::misfit::{Misfit, Put};
use super::{encode, geometry, literal, nested, network, numeric, search, system};
use crate::sql::{Timestamp, Value};
use postgres_types::{Kind, Type};

/// Puts `text` as a value of the type `ty`, which is no domain.
pub(super) fn put(text: &str, ty: &Type, out: &mut Vec<u8>) -> Put {
    let unread = || Misfit::text(ty);
    match (ty, ty.kind()) {
        (&(Type::INT2_VECTOR | Type::OID_VECTOR), _) => put_vector(text, ty, out),
        (_, Kind::Array(element)) => {
            let boxes = || literal::array(text, ';').filter(|_| *element == Type::BOX);
            // A value that holds boxes prints them with commas, quoted.
            let array = boxes().or_else(|| literal::array(text, ','));
            let array = array.ok_or_else(unread)?;
            nested::put_array(&array, ty, element, out)
        }
        (_, Kind::Composite(fields)) => {
            let values = literal::composite(text).ok_or_else(unread)?;
            let none = fields.is_empty() && matches!(values[..], [Value::Null]);
            let values = if none { &[][..] } else { &values };
            nested::put_composite(values.iter(), ty, fields, out)
        }
        (_, Kind::Range(element)) => {
            let range = literal::range(text).ok_or_else(unread)?;
            nested::put_range(&range, element, out)
        }
        (_, Kind::Multirange(element)) => {
            let ranges = literal::multirange(text).ok_or_else(unread)?;
            nested::put_multirange(&ranges, ty, element, out)
        }
        _ => put_simple(text, ty, out),
    }
}

fn put_simple(text: &str, ty: &Type, out: &mut Vec<u8>) -> Put {
    if *ty == Type::TSQUERY && text.trim_ascii().is_empty() {
        let rule = "the server takes no empty one as a parameter; write it into the query";
        return Err(Misfit::rule(&Value::Text(String::new()), ty, rule));
    }
    if let Some(value) = value_of(text, ty)? {
        return encode::put(&value, ty, out);
    }
    let done = match *ty {
        Type::NUMERIC => numeric::put(text, out),
        Type::INET => network::put_inet(text, false, out),
        Type::CIDR => network::put_inet(text, true, out),
        Type::MACADDR => network::put_mac(text, 6, out),
        Type::MACADDR8 => network::put_mac(text, 8, out),
        Type::POINT
        | Type::LSEG
        | Type::BOX
        | Type::LINE
        | Type::CIRCLE
        | Type::PATH
        | Type::POLYGON => geometry::put(text, ty, out),
        Type::BIT | Type::VARBIT => system::put_bits(text, out),
        Type::TS_VECTOR => search::put_vector(text, out),
        Type::TSQUERY => search::put_query(text, out),
        Type::PG_LSN => system::put_lsn(text, out),
        Type::PG_SNAPSHOT | Type::TXID_SNAPSHOT => system::put_snapshot(text, out),
        Type::TID => system::put_tid(text, out),
        Type::CHAR => system::put_char(text, out),
        Type::XID8 => text
            .trim_ascii()
            .parse::<u64>()
            .ok()
            .map(|id| out.extend_from_slice(&id.to_be_bytes())),
        _ => match ty.name() {
            "hstore" => system::put_hstore(text, out),
            _ => return Err(Misfit::unsupported(ty)),
        },
    };
    done.ok_or_else(|| Misfit::text(ty))
}

/// The value of a variant of its own that the text names; `None` for types that have no variant.
fn value_of(text: &str, ty: &Type) -> Result<Option<Value>, Misfit> {
    let trimmed = text.trim_ascii();
    let read = match *ty {
        Type::BOOL => boolean(trimmed).map(Value::Bool),
        Type::INT2 | Type::INT4 | Type::INT8 => trimmed.parse().ok().map(Value::Int),
        ref ty if encode::is_oid(ty) => trimmed.parse().ok().map(Value::Int),
        Type::FLOAT8 => float(text).map(Value::Float8),
        Type::FLOAT4 => float4(trimmed),
        Type::BYTEA => bytes(text).map(Value::Bytes),
        Type::UUID => uuid(trimmed).map(Value::Uuid),
        Type::DATE => text.parse().ok().map(Value::Date),
        Type::TIME => text.parse().ok().map(Value::Time),
        Type::TIMETZ => text.parse().ok().map(Value::TimeTz),
        Type::TIMESTAMP => Timestamp::from_local(text).map(Value::Timestamp),
        Type::TIMESTAMPTZ => text.parse().ok().map(Value::TimestampTz),
        Type::INTERVAL => text.parse().ok().map(Value::Interval),
        _ => return Ok(None),
    };
    read.map(Some).ok_or_else(|| Misfit::text(ty))
}

/// A `real`; what overflows or vanishes in it is left wide, and refused when it is put.
fn float4(text: &str) -> Option<Value> {
    let wide = float(text)?;
    let narrow: f32 = text.parse().ok()?;
    Some(if narrow.is_infinite() || narrow == 0.0 {
        Value::Float8(wide)
    } else {
        Value::Float4(narrow)
    })
}

/// `true`, `yes`, `on`, `1` and their opposites, and what begins them without a doubt.
fn boolean(text: &str) -> Option<bool> {
    let word = text.to_ascii_lowercase();
    let begins = |whole: &str, least: usize| word.len() >= least && whole.starts_with(&word);
    if begins("true", 1) || begins("yes", 1) || begins("on", 2) || word == "1" {
        Some(true)
    } else if begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0" {
        Some(false)
    } else {
        None
    }
}

/// A float; one that is too large or too small to be one is none.
pub(super) fn float(text: &str) -> Option<f64> {
    let text = text.trim_ascii();
    let v: f64 = text.parse().ok()?;
    let named = text.contains(['n', 'N']);
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    let vanished = v == 0.0 && mantissa.contains(|c| matches!(c, '1'..='9'));
    ((v.is_finite() || named) && !vanished).then_some(v)
}

/// `\x00ff`, or the older form whose backslashes begin an octal number or another backslash.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    if let Some(digits) = text.strip_prefix(b"\\x") {
        let mut bytes = Vec::with_capacity(digits.len() / 2);
        let digits: Vec<u8> = digits
            .iter()
            .copied()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        for pair in digits.chunks(2) {
            let digit = |at: usize| char::from(*pair.get(at)?).to_digit(16);
            bytes.push(u8::try_from(digit(0)? << 4 | digit(1)?).ok()?);
        }
        return Some(bytes);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            bytes.push(*byte);
        } else if let Some(after) = rest.strip_prefix(b"\\") {
            bytes.push(b'\\');
            rest = after;
        } else {
            let (octal, after) = rest.split_at_checked(3)?;
            let octal = std::str::from_utf8(octal)
                .ok()
                .filter(|octal| !octal.starts_with('+'))?;
            bytes.push(u8::from_str_radix(octal, 8).ok()?);
            rest = after;
        }
    }
    Some(bytes)
}

/// 32 hexadecimal digits, with a hyphen after any group of four, in braces or not.
fn uuid(text: &str) -> Option<uuid::Uuid> {
    let inner = text
        .strip_prefix('{')
        .map_or(Some(text), |inner| inner.strip_suffix('}'))?;
    let (mut number, mut digits, mut hyphen) = (0u128, 0, false);
    for c in inner.chars() {
        if c == '-' {
            if hyphen || digits == 0 || digits % 4 != 0 || digits == 32 {
                return None;
            }
            hyphen = true;
            continue;
        }
        (hyphen, digits) = (false, digits + 1);
        if digits > 32 {
            return None;
        }
        number = number << 4 | u128::from(c.to_digit(16)?);
    }
    (digits == 32).then(|| uuid::Uuid::from_u128(number))
}

/// `1 2 3`
fn put_vector(text: &str, ty: &Type, out: &mut Vec<u8>) -> Put {
    let (element, size) = if *ty == Type::OID_VECTOR {
        (Type::OID, 4i32)
    } else {
        (Type::INT2, 2)
    };
    let numbers: Vec<&str> = text.split_ascii_whitespace().collect();
    if numbers.is_empty() {
        let rule = "the server takes no empty one as a parameter; write it into the query";
        return Err(Misfit::rule(&Value::Text(String::new()), ty, rule));
    }
    let count = i32::try_from(numbers.len()).map_err(|_| Misfit::text(ty))?;
    for word in [1, 0] {
        out.extend_from_slice(&i32::to_be_bytes(word));
    }
    out.extend_from_slice(&element.oid().to_be_bytes());
    for word in [count, 0] {
        out.extend_from_slice(&i32::to_be_bytes(word));
    }
    for number in numbers {
        out.extend_from_slice(&size.to_be_bytes());
        let number = number.parse().map_err(|_| Misfit::text(ty))?;
        encode::put(&Value::Int(number), &element, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_read_as_on_the_server() {
        for text in ["t", "TRUE", "y", "on", "1"] {
            assert_eq!(boolean(text), Some(true), "{text}");
        }
        for text in ["f", "fal", "no", "of", "0"] {
            assert_eq!(boolean(text), Some(false), "{text}");
        }
        for text in ["", "o", "truely", "2", "ja"] {
            assert_eq!(boolean(text), None, "{text}");
        }
    }

    #[test]
    fn floats_do_not_overflow_in_silence() {
        assert_eq!(float(" 1.5e3 "), Some(1500.0));
        assert_eq!(float("-Infinity"), Some(f64::NEG_INFINITY));
        assert!(float("NaN").is_some_and(f64::is_nan));
        for text in ["", "1e400", "1e-400", "0x1", "1 2"] {
            assert_eq!(float(text), None, "{text}");
        }
    }

    #[test]
    fn bytes_are_read_in_both_forms() {
        assert_eq!(bytes("\\x00fF"), Some(vec![0, 255]));
        assert_eq!(bytes("a\\\\b\\001"), Some(b"a\\b\x01".to_vec()));
        for text in ["\\x0", "\\x0g", "\\", "\\9", "\\777", "\\+11"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    #[test]
    fn uuids_are_read_in_all_forms() {
        let plain = uuid("a0eebc999c0b4ef8bb6d6bb9bd380a11");
        assert!(plain.is_some());
        for text in [
            "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}",
            "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
        ] {
            assert_eq!(uuid(text), plain);
        }
        for text in [
            "",
            "a0eebc99",
            "{a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "a0eebc999c0b4ef8bb6d6bb9bd380a1g",
            "a-0eebc999c0b4ef8bb6d6bb9bd380a11",
            "a0eebc999c0b4ef8bb6d6bb9bd380a11-",
        ] {
            assert_eq!(uuid(text), None, "{text}");
        }
    }
}
