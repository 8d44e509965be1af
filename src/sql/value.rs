//! A Postgres value that belongs to no driver, and how Rust values become one and are read from one.

pub use super::time::{Date, Interval, Time, TimeTz, Timestamp};
use std::fmt;
use uuid::Uuid;

/// A Postgres value.
///
/// As a parameter it is given the type that the *server* names for its place: an [`Int`](Value::Int) narrows to the server's width with a
/// check, a [`Null`](Value::Null) needs no type, and a [`Text`](Value::Text) is accepted wherever Postgres would read that text. As a result it
/// is what the column's type says.
///
/// Two floats are equal as Postgres compares them: `NaN` equals `NaN`.
#[derive(Clone)]
#[non_exhaustive]
pub enum Value {
    /// SQL's NULL.
    Null,
    /// `bool`
    Bool(bool),
    /// `smallint`, `integer`, `bigint`, and `oid` with its aliases.
    Int(i64),
    /// `real`
    Float4(f32),
    /// `double precision`
    Float8(f64),
    /// `numeric`, in the server's text form: every digit is kept; also `NaN`, `Infinity` and `-Infinity`.
    Numeric(String),
    /// Text in any of its types, an enum's label, and the text form of types that have no variant of their own (`inet`, `point`, ...).
    Text(String),
    /// `bytea`
    Bytes(Vec<u8>),
    /// `uuid`
    Uuid(Uuid),
    /// `date`
    Date(Date),
    /// `time`
    Time(Time),
    /// `time with time zone`
    TimeTz(TimeTz),
    /// `timestamp`
    Timestamp(Timestamp),
    /// `timestamp with time zone`; the instant is kept in UTC.
    TimestampTz(Timestamp),
    /// `interval`
    Interval(Interval),
    /// `json` or `jsonb`, as the server's text.
    Json(String),
    /// An array of any element type.
    Array(Array),
    /// A composite value: its fields' names and values, in order. A record without a type names its fields `f1`, `f2`, ...
    Composite(Vec<(String, Value)>),
    /// A range of any element type.
    Range(Box<Range>),
    /// A multirange of any element type.
    Multirange(Vec<Range>),
}

/// A Postgres array: its dimensions, and its elements in row-major order. An empty array has no dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Length and lower bound of each dimension.
    pub dimensions: Vec<(u32, i32)>,
    /// The elements, NULLs included.
    pub elements: Vec<Value>,
}

/// A Postgres range.
#[derive(Debug, Clone, PartialEq)]
pub enum Range {
    /// No value lies in it.
    Empty,
    /// The values between two bounds; `None` is unbounded on that side.
    Bounds {
        /// The lower bound, and whether it belongs to the range.
        lower: Option<(Value, bool)>,
        /// The upper bound, and whether it belongs to the range.
        upper: Option<(Value, bool)>,
    },
}

impl Value {
    /// Whether this is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The word for this value's variant, for messages: `text`, `int`, ...
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float4(_) => "float4",
            Self::Float8(_) => "float8",
            Self::Numeric(_) => "numeric",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Uuid(_) => "uuid",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::TimeTz(_) => "timetz",
            Self::Timestamp(_) => "timestamp",
            Self::TimestampTz(_) => "timestamptz",
            Self::Interval(_) => "interval",
            Self::Json(_) => "json",
            Self::Array(_) => "array",
            Self::Composite(_) => "composite",
            Self::Range(_) => "range",
            Self::Multirange(_) => "multirange",
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float4(a), Self::Float4(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Self::Float8(a), Self::Float8(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Self::Numeric(a), Self::Numeric(b))
            | (Self::Text(a), Self::Text(b))
            | (Self::Json(a), Self::Json(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Uuid(a), Self::Uuid(b)) => a == b,
            (Self::Date(a), Self::Date(b)) => a == b,
            (Self::Time(a), Self::Time(b)) => a == b,
            (Self::TimeTz(a), Self::TimeTz(b)) => a == b,
            (Self::Timestamp(a), Self::Timestamp(b))
            | (Self::TimestampTz(a), Self::TimestampTz(b)) => a == b,
            (Self::Interval(a), Self::Interval(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Composite(a), Self::Composite(b)) => a == b,
            (Self::Range(a), Self::Range(b)) => a == b,
            (Self::Multirange(a), Self::Multirange(b)) => a == b,
            _ => false,
        }
    }
}

/// Shows the variant alone: a value may be a user's data, and a log is no place for it.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value::{}", self.kind())
    }
}

macro_rules! from {
    ($($rust:ty => |$value:ident| $made:expr),+ $(,)?) => {
        $(impl From<$rust> for Value {
            fn from($value: $rust) -> Self {
                $made
            }
        })+
    };
}

from! {
    bool => |v| Self::Bool(v),
    i16 => |v| Self::Int(v.into()),
    i32 => |v| Self::Int(v.into()),
    i64 => |v| Self::Int(v),
    u8 => |v| Self::Int(v.into()),
    u16 => |v| Self::Int(v.into()),
    u32 => |v| Self::Int(v.into()),
    f32 => |v| Self::Float4(v),
    f64 => |v| Self::Float8(v),
    &str => |v| Self::Text(v.to_owned()),
    &String => |v| Self::Text(v.clone()),
    String => |v| Self::Text(v),
    &[u8] => |v| Self::Bytes(v.to_vec()),
    Uuid => |v| Self::Uuid(v),
    Date => |v| Self::Date(v),
    Time => |v| Self::Time(v),
    TimeTz => |v| Self::TimeTz(v),
    Timestamp => |v| Self::TimestampTz(v),
    Interval => |v| Self::Interval(v),
    serde_json::Value => |v| Self::Json(v.to_string()),
    &serde_json::Value => |v| Self::Json(v.to_string()),
    Array => |v| Self::Array(v),
    Range => |v| Self::Range(Box::new(v)),
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A list becomes a one-dimensional array; for bytes give a slice, `&[u8]`.
impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::Array(Array::of(values))
    }
}

impl Array {
    /// A one-dimensional array that counts from 1.
    pub fn of<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Self {
        let elements: Vec<Value> = values.into_iter().map(Into::into).collect();
        let length = u32::try_from(elements.len()).unwrap_or(u32::MAX);
        let dimensions = if elements.is_empty() {
            Vec::new()
        } else {
            vec![(length, 1)]
        };
        Self {
            dimensions,
            elements,
        }
    }
}

/// A Rust type that a column's value can be read as.
pub trait FromValue: Sized {
    /// What the type accepts, for the message when it does not fit.
    const EXPECTS: &'static str;

    /// The value as this type; `None` where it is another kind of value, or does not fit.
    fn from_value(value: Value) -> Option<Self>;
}

macro_rules! from_value {
    ($($rust:ty, $expects:literal, $($pattern:pat_param)|+ => $made:expr);+ $(;)?) => {
        $(impl FromValue for $rust {
            const EXPECTS: &'static str = $expects;

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    $($pattern)|+ => $made,
                    _ => None,
                }
            }
        })+
    };
}

from_value! {
    bool, "a bool", Value::Bool(v) => Some(v);
    i16, "an integer of 16 bits", Value::Int(v) => v.try_into().ok();
    i32, "an integer of 32 bits", Value::Int(v) => v.try_into().ok();
    i64, "an integer", Value::Int(v) => Some(v);
    u32, "an integer of 32 bits, not negative", Value::Int(v) => v.try_into().ok();
    u64, "an integer, not negative", Value::Int(v) => v.try_into().ok();
    f32, "a real", Value::Float4(v) => Some(v);
    String, "text", Value::Text(v) | Value::Numeric(v) | Value::Json(v) => Some(v);
    Vec<u8>, "bytes", Value::Bytes(v) => Some(v);
    Uuid, "a uuid", Value::Uuid(v) => Some(v);
    Date, "a date", Value::Date(v) => Some(v);
    Time, "a time", Value::Time(v) => Some(v);
    TimeTz, "a time with its offset", Value::TimeTz(v) => Some(v);
    Timestamp, "a timestamp", Value::Timestamp(v) | Value::TimestampTz(v) => Some(v);
    Interval, "an interval", Value::Interval(v) => Some(v);
    serde_json::Value, "json", Value::Json(v) => serde_json::from_str(&v).ok();
    Range, "a range", Value::Range(v) => Some(*v);
    Array, "an array", Value::Array(v) => Some(v);
}

impl FromValue for f64 {
    const EXPECTS: &'static str = "a double precision or real number";

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Float8(v) => Some(v),
            Value::Float4(v) => Some(v.into()),
            _ => None,
        }
    }
}

impl FromValue for Value {
    const EXPECTS: &'static str = "any value";

    fn from_value(value: Value) -> Option<Self> {
        Some(value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const EXPECTS: &'static str = T::EXPECTS;

    fn from_value(value: Value) -> Option<Self> {
        if value.is_null() {
            Some(None)
        } else {
            T::from_value(value).map(Some)
        }
    }
}

/// Names a list that may hold anything but bytes, whose Rust type is `Vec<u8>`.
macro_rules! from_value_list {
    ($($rust:ty),+ $(,)?) => {
        $(impl FromValue for Vec<$rust> {
            const EXPECTS: &'static str = "a one-dimensional array";

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::Array(array) if array.dimensions.len() <= 1 => {
                        array.elements.into_iter().map(FromValue::from_value).collect()
                    }
                    _ => None,
                }
            }
        })+
    };
}

from_value_list!(
    bool,
    i16,
    i32,
    i64,
    f32,
    f64,
    String,
    Option<String>,
    Option<i64>,
    Option<i32>,
    Uuid,
    Value
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_with_a_check() {
        assert_eq!(i16::from_value(Value::Int(7)), Some(7));
        assert_eq!(i16::from_value(Value::Int(70_000)), None);
        assert_eq!(Option::<i16>::from_value(Value::Null), Some(None));
        assert_eq!(Option::<i16>::from_value(Value::Int(70_000)), None);
    }

    #[test]
    fn nan_equals_nan_and_kinds_do_not_mix() {
        assert_eq!(Value::from(f64::NAN), Value::from(f64::NAN));
        assert_ne!(Value::from(1), Value::from(1.0));
        assert_ne!(Value::Null, Value::from(""));
    }

    #[test]
    fn lists_become_arrays() {
        assert_eq!(
            Value::from(Vec::<i32>::new()),
            Value::Array(Array {
                dimensions: vec![],
                elements: vec![]
            })
        );
        let array = Value::from(vec![Some("a"), None]);
        assert_eq!(
            Vec::<Option<String>>::from_value(array),
            Some(vec![Some("a".into()), None])
        );
    }

    #[test]
    fn debug_keeps_data_out_of_logs() {
        assert_eq!(format!("{:?}", Value::from("secret")), "Value::text");
    }
}
