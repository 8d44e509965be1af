//! Why a parameter does not fit the server's type, and what the caller can do.

use crate::error::{Error, ErrorKind};
use crate::sql::Value;
use postgres_types::{Kind, Type};
use std::borrow::Cow;

/// A value that does not fit its type. It never holds the value: that may be a user's data. It is small, for the sake of all that fits.
#[derive(Debug)]
pub(super) struct Misfit(Box<Inner>);

#[derive(Debug)]
struct Inner {
    /// Where in the parameter, outermost first: `, element 2`.
    place: String,
    kind: &'static str,
    ty: String,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    /// The kind is none that the type takes; an example of the type's text form.
    Kind(Cow<'static, str>),
    /// The text is not in the type's text form, of which this is an example.
    Text(Cow<'static, str>),
    /// The value is beyond what the type holds.
    Range,
    /// What else is wrong, and what to do.
    Rule(&'static str),
    Unsupported,
}

pub(super) type Put = Result<(), Misfit>;

impl Misfit {
    fn new(value: &Value, ty: &Type, reason: Reason) -> Self {
        Self(Box::new(Inner {
            place: String::new(),
            kind: value.kind(),
            ty: type_name(ty).into_owned(),
            reason,
        }))
    }

    pub(super) fn kind(value: &Value, ty: &Type) -> Self {
        if example(ty).is_empty() {
            return Self::unsupported(ty);
        }
        Self::new(value, ty, Reason::Kind(example(ty)))
    }

    pub(super) fn text(ty: &Type) -> Self {
        Self::new(&Value::Text(String::new()), ty, Reason::Text(example(ty)))
    }

    pub(super) fn range(value: &Value, ty: &Type) -> Self {
        Self::new(value, ty, Reason::Range)
    }

    pub(super) fn rule(value: &Value, ty: &Type, rule: &'static str) -> Self {
        Self::new(value, ty, Reason::Rule(rule))
    }

    pub(super) fn unsupported(ty: &Type) -> Self {
        Self::new(&Value::Null, ty, Reason::Unsupported)
    }

    /// The same, one level further out.
    pub(super) fn within(mut self, place: &str) -> Self {
        self.0.place.insert_str(0, place);
        self
    }

    pub(super) fn into_error(self, number: usize) -> Error {
        let Inner {
            place,
            kind,
            ty,
            reason,
        } = *self.0;
        let at = format!("parameter ${number}{place}");
        let message = match &reason {
            Reason::Kind(example) => format!(
                "{at} is {kind}, where the server wants {ty}: give it as text, such as {example}, or cast it in the query, as in ${number}::{}",
                cast_for(kind)
            ),
            Reason::Text(example) => {
                format!("{at} is text that is no {ty}: write it like {example}")
            }
            Reason::Range => format!(
                "{at} is {kind} out of the range of {ty}, the type that the server wants: give a smaller value, or cast in the query, as in ${number}::{}",
                cast_for(kind)
            ),
            Reason::Rule(rule) => format!("{at} is {kind}, where the server wants {ty}: {rule}"),
            Reason::Unsupported => format!(
                "{at} is of the type {ty}, which is not supported: let the server cast it from text, as in ${number}::text::{ty}"
            ),
        };
        let error_kind = match reason {
            Reason::Unsupported => ErrorKind::Unsupported,
            _ => ErrorKind::Bind,
        };
        Error::new(error_kind, message)
    }
}

/// The type that a value of `kind` has in SQL.
fn cast_for(kind: &'static str) -> &'static str {
    match kind {
        "int" => "int8",
        "bytes" => "bytea",
        "array" => "text[]",
        "composite" | "range" | "multirange" => "text",
        kind => kind,
    }
}

/// The type's name as SQL writes it.
pub(super) fn type_name(ty: &Type) -> Cow<'_, str> {
    match (ty.kind(), ty) {
        (_, &(Type::INT2_VECTOR | Type::OID_VECTOR)) => Cow::Borrowed(ty.name()),
        (Kind::Array(element), _) => Cow::Owned(format!("{}[]", type_name(element))),
        _ => Cow::Borrowed(ty.name()),
    }
}

/// The type's text form by example; empty where the type is not known here.
pub(super) fn example(ty: &Type) -> Cow<'static, str> {
    match ty.kind() {
        Kind::Domain(base) => return example(base),
        Kind::Enum(labels) => return labels.first().cloned().unwrap_or("a label".into()).into(),
        Kind::Array(_) => return example_of_simple(ty, "{a,NULL,\"b c\"}").into(),
        Kind::Range(element) => return format!("[{0},{0}]", example(element)).into(),
        Kind::Multirange(element) => return format!("{{[{0},{0}]}}", example(element)).into(),
        Kind::Composite(_) => return "(1,\"b c\",)".into(),
        _ => {}
    }
    example_of_simple(ty, "").into()
}

fn example_of_simple(ty: &Type, other: &'static str) -> &'static str {
    match *ty {
        Type::BOOL => "true",
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID | Type::XID | Type::CID | Type::XID8 => {
            "42"
        }
        Type::REGPROC
        | Type::REGPROCEDURE
        | Type::REGOPER
        | Type::REGOPERATOR
        | Type::REGCLASS
        | Type::REGTYPE
        | Type::REGROLE
        | Type::REGNAMESPACE
        | Type::REGCONFIG
        | Type::REGDICTIONARY
        | Type::REGCOLLATION => "42, or cast from text where it is a name",
        Type::FLOAT4 | Type::FLOAT8 | Type::NUMERIC => "42.5",
        Type::BYTEA => "\\x00ff",
        Type::UUID => "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        Type::DATE => "2024-05-31",
        Type::TIME => "12:30:00",
        Type::TIMETZ => "12:30:00+02",
        Type::TIMESTAMP => "2024-05-31 12:30:00",
        Type::TIMESTAMPTZ => "2024-05-31 12:30:00+02",
        Type::INTERVAL => "1 day 02:03:04",
        Type::JSON | Type::JSONB => "{\"a\": 1}",
        Type::JSONPATH => "$.a",
        Type::INET => "192.168.0.1/24",
        Type::CIDR => "192.168.0.0/24",
        Type::MACADDR => "08:00:2b:01:02:03",
        Type::MACADDR8 => "08:00:2b:01:02:03:04:05",
        Type::POINT => "(1,2)",
        Type::LINE => "{1,-1,0}",
        Type::LSEG | Type::PATH => "[(1,2),(3,4)]",
        Type::BOX => "(3,4),(1,2)",
        Type::POLYGON => "((0,0),(0,1),(1,0))",
        Type::CIRCLE => "<(1,2),3>",
        Type::BIT | Type::VARBIT => "0101",
        Type::TS_VECTOR => "'fat':2A 'rat':3",
        Type::TSQUERY => "'fat' & !'rat':*",
        Type::PG_LSN => "16/B374D848",
        Type::PG_SNAPSHOT | Type::TXID_SNAPSHOT => "10:20:10,14",
        Type::TID => "(0,1)",
        Type::INT2_VECTOR | Type::OID_VECTOR => "1 2 3",
        Type::CHAR => "c",
        ref ty if super::encode::is_text(ty) => "abc",
        ref ty if ty.name() == "hstore" => "\"key\"=>\"value\"",
        _ => other,
    }
}
