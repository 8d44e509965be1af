//! How values print: in Postgres' own text form, as `psql` shows them with `DateStyle` ISO, `IntervalStyle` postgres and `TimeZone` UTC.
//!
//! One thing the server knows and a value does not: the elements of a `box[]` are separated by `;`. Here they are quoted and separated by
//! a comma, which the codec reads too, but the server does not.

mod float;

use float::show_float4;
pub(crate) use float::show_float8;

use super::value::{Array, Range, Value};
use std::fmt::{self, Write};

/// Prints the value; NULL prints nothing, as in `psql`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Bool(v) => f.write_str(if *v { "t" } else { "f" }),
            Self::Int(v) => v.fmt(f),
            Self::Float4(v) => show_float4(f, *v),
            Self::Float8(v) => show_float8(f, *v),
            Self::Numeric(v) | Self::Text(v) | Self::Json(v) => f.write_str(v),
            Self::Bytes(v) => bytes(f, v),
            Self::Uuid(v) => v.fmt(f),
            Self::Date(v) => v.fmt(f),
            Self::Time(v) => v.fmt(f),
            Self::TimeTz(v) => v.fmt(f),
            Self::Timestamp(v) => v.fmt(f),
            Self::TimestampTz(v) => v.utc().fmt(f),
            Self::Interval(v) => v.fmt(f),
            Self::Array(v) => v.fmt(f),
            Self::Composite(v) => composite(f, v),
            Self::Range(v) => v.fmt(f),
            Self::Multirange(v) => multirange(f, v),
        }
    }
}

/// Prints the array with its bounds where they do not begin at 1.
impl fmt::Display for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = self
            .dimensions
            .iter()
            .try_fold(1usize, |product, (length, _)| {
                product.checked_mul(usize::try_from(*length).ok()?)
            });
        if self.elements.is_empty()
            || self.dimensions.is_empty()
            || counted != Some(self.elements.len())
        {
            return level(f, &[self.elements.len()], &mut self.elements.iter());
        }
        if self.dimensions.iter().any(|(_, lower)| *lower != 1) {
            for (length, lower) in &self.dimensions {
                let upper = i64::from(*lower) + i64::from(*length) - 1;
                write!(f, "[{lower}:{upper}]")?;
            }
            f.write_char('=')?;
        }
        let lengths: Vec<usize> = self
            .dimensions
            .iter()
            .filter_map(|(length, _)| usize::try_from(*length).ok())
            .collect();
        level(f, &lengths, &mut self.elements.iter())
    }
}

fn level<'a>(
    f: &mut fmt::Formatter<'_>,
    lengths: &[usize],
    elements: &mut impl Iterator<Item = &'a Value>,
) -> fmt::Result {
    let Some((length, inner)) = lengths.split_first() else {
        return elements
            .next()
            .map_or(Ok(()), |element| array_element(f, element));
    };
    f.write_char('{')?;
    for index in 0..*length {
        if index > 0 {
            f.write_char(',')?;
        }
        level(f, inner, elements)?;
    }
    f.write_char('}')
}

fn array_element(f: &mut fmt::Formatter<'_>, element: &Value) -> fmt::Result {
    if element.is_null() {
        return f.write_str("NULL");
    }
    let text = element.to_string();
    let special = |c: char| matches!(c, '"' | '\\' | '{' | '}' | ',') || is_space(c);
    if !text.is_empty() && !text.contains(special) && !text.eq_ignore_ascii_case("null") {
        return f.write_str(&text);
    }
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}

fn composite(f: &mut fmt::Formatter<'_>, fields: &[(String, Value)]) -> fmt::Result {
    f.write_char('(')?;
    for (index, (_, value)) in fields.iter().enumerate() {
        if index > 0 {
            f.write_char(',')?;
        }
        if !value.is_null() {
            member(f, value, |c| matches!(c, '(' | ')' | ','))?;
        }
    }
    f.write_char(')')
}

/// Prints a range as the server does: `empty`, `[1,10)`, `(,5]`.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Bounds { lower, upper } = self else {
            return f.write_str("empty");
        };
        let special = |c| matches!(c, '(' | ')' | '[' | ']' | ',');
        let (lower, upper) = (lower.as_ref(), upper.as_ref());
        let opening = if lower.is_some_and(|bound| bound.1) {
            '['
        } else {
            '('
        };
        f.write_char(opening)?;
        if let Some((value, _)) = lower {
            member(f, value, special)?;
        }
        f.write_char(',')?;
        if let Some((value, _)) = upper {
            member(f, value, special)?;
        }
        f.write_char(if upper.is_some_and(|bound| bound.1) {
            ']'
        } else {
            ')'
        })
    }
}

fn multirange(f: &mut fmt::Formatter<'_>, ranges: &[Range]) -> fmt::Result {
    f.write_char('{')?;
    for (index, range) in ranges.iter().enumerate() {
        if index > 0 {
            f.write_char(',')?;
        }
        write!(f, "{range}")?;
    }
    f.write_char('}')
}

/// A field of a composite or a bound of a range: quotes and backslashes are doubled inside quotes.
fn member(
    f: &mut fmt::Formatter<'_>,
    value: &Value,
    special: impl Fn(char) -> bool,
) -> fmt::Result {
    let text = value.to_string();
    let quoted = |c: char| matches!(c, '"' | '\\') || is_space(c) || special(c);
    if !text.is_empty() && !text.contains(quoted) {
        return f.write_str(&text);
    }
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char(c)?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}

fn bytes(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str("\\x")?;
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Timestamp;

    #[test]
    fn scalars_print_as_in_psql() {
        assert_eq!(Value::Bool(true).to_string(), "t");
        assert_eq!(Value::Null.to_string(), "");
        assert_eq!(Value::Bytes(vec![0, 255]).to_string(), "\\x00ff");
        assert_eq!(
            Value::TimestampTz(Timestamp(0)).to_string(),
            "2000-01-01 00:00:00+00"
        );
    }

    #[test]
    fn arrays_quote_and_show_their_bounds() {
        let array = Value::from(vec![
            Some("a"),
            None,
            Some("null"),
            Some(""),
            Some("b c"),
            Some("\"\\"),
        ]);
        assert_eq!(array.to_string(), r#"{a,NULL,"null","","b c","\"\\"}"#);
        let mut grid = Array::of([1, 2, 3, 4]);
        grid.dimensions = vec![(2, 0), (2, 1)];
        assert_eq!(grid.to_string(), "[0:1][1:2]={{1,2},{3,4}}");
        assert_eq!(Array::of::<i64>([]).to_string(), "{}");
        grid.dimensions = vec![(u32::MAX, 1), (u32::MAX, 1)];
        assert_eq!(grid.to_string(), "{1,2,3,4}");
    }

    #[test]
    fn composites_and_ranges_quote() {
        let field = |value| (String::new(), value);
        let row = Value::Composite(vec![
            field(1.into()),
            field(Value::Null),
            field("".into()),
            field("a\"b".into()),
        ]);
        assert_eq!(row.to_string(), r#"(1,,"","a""b")"#);
        let range = Range::Bounds {
            lower: Some((Timestamp(0).into(), true)),
            upper: None,
        };
        assert_eq!(range.to_string(), r#"["2000-01-01 00:00:00+00",)"#);
        assert_eq!(
            Value::Multirange(vec![Range::Empty, range]).to_string(),
            r#"{empty,["2000-01-01 00:00:00+00",)}"#
        );
    }
}
