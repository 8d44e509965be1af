use super::*;
use crate::sql::{Array, Date, Range, Time, Timestamp};
use postgres_types::{Field, Kind};
use proptest::prelude::*;

const TEXTS: &str = include_str!("../../../tests/it/samples/texts.txt");

fn new_type(name: &str, oid: u32, kind: Kind) -> Type {
    Type::new(name.into(), oid, kind, "public".into())
}

/// Every built-in type, and one of each kind that a user can make.
fn all_types() -> Vec<Type> {
    let mut types: Vec<Type> = (1..7000).filter_map(Type::from_oid).collect();
    types.extend([mood(), spot(), new_type("hstore", 20_010, Kind::Simple)]);
    types.push(new_type("moods", 20_011, Kind::Range(mood())));
    types.push(new_type("mood_sets", 20_012, Kind::Multirange(mood())));
    types.push(new_type("_spot", 20_013, Kind::Array(spot())));
    types.push(new_type("ltree", 20_014, Kind::Simple));
    types.push(new_type("positive", 20_015, Kind::Domain(Type::INT4)));
    types.push(new_type("citext", 20_016, Kind::Simple));
    types
}

fn mood() -> Type {
    new_type("mood", 20_000, Kind::Enum(vec!["sad".into(), "ok".into()]))
}

fn spot() -> Type {
    let fields = vec![
        Field::new("name".into(), Type::TEXT),
        Field::new("visited".into(), Type::DATE),
    ];
    new_type("spot", 20_001, Kind::Composite(fields))
}

fn bytes_of(value: impl Into<Value>, ty: &Type) -> Result<Vec<u8>> {
    let encoded = encode(&[value.into()], std::slice::from_ref(ty))?;
    Ok(encoded.get(0).unwrap_or_default().to_vec())
}

fn refusal(value: impl Into<Value>, ty: &Type) -> (ErrorKind, String) {
    bytes_of(value, ty).map_or_else(
        |error| (error.kind(), error.to_string()),
        |_| panic!("{ty} took it"),
    )
}

#[test]
fn parameters_lie_in_one_buffer() -> Result<()> {
    let values = [Value::from(7), Value::Null, "ab".into(), "".into()];
    let types = [Type::INT2, Type::INT4, Type::TEXT, Type::TEXT];
    let encoded = encode(&values, &types)?;
    assert_eq!(encoded.len(), 4);
    assert_eq!(encoded.get(0), Some(&[0, 7][..]));
    assert_eq!(encoded.get(1), None);
    assert_eq!(encoded.get(2), Some(&b"ab"[..]));
    assert_eq!(encoded.get(3), Some(&[][..]));
    assert_eq!(encoded.get(4), None);
    assert_eq!(encode(&[], &[])?.len(), 0);
    Ok(())
}

#[test]
fn one_integer_takes_one_allocation() -> Result<()> {
    let encoded = encode(&[Value::Int(7)], &[Type::INT8])?;
    assert!(encoded.buffer.len() <= 4 + 4 + 16);
    assert_eq!(encoded.buffer.capacity(), 4 + 4 + 16);
    Ok(())
}

#[test]
fn the_count_must_be_right() {
    let count = |given: usize, wanted: usize| {
        let (values, types) = (vec![Value::Null; given], vec![Type::INT4; wanted]);
        encode(&values, &types).map_or_else(|error| error.to_string(), |_| String::new())
    };
    assert_eq!(count(1, 2), "the statement takes 2 parameters, 1 was given");
    assert_eq!(count(0, 1), "the statement takes 1 parameter, 0 were given");
    assert_eq!(count(3, 3), "");
}

#[test]
fn has_the_servers_bytes() -> Result<()> {
    assert_eq!(bytes_of(-2, &Type::INT4)?, [255, 255, 255, 254]);
    assert_eq!(bytes_of(true, &Type::BOOL)?, [1]);
    assert_eq!(
        bytes_of(Timestamp(1), &Type::TIMESTAMPTZ)?,
        [0, 0, 0, 0, 0, 0, 0, 1]
    );
    assert_eq!(bytes_of("{}", &Type::JSONB)?, [1, b'{', b'}']);
    let array = [
        0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 21, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 7, 255, 255,
        255, 255,
    ];
    assert_eq!(bytes_of(vec![Some(7), None], &Type::INT2_ARRAY)?, array);
    let range = Range::Bounds {
        lower: Some((1.into(), true)),
        upper: None,
    };
    assert_eq!(
        bytes_of(range, &Type::INT4_RANGE)?,
        [0x12, 0, 0, 0, 4, 0, 0, 0, 1]
    );
    let row = Value::Composite(vec![
        ("name".into(), "a".into()),
        ("visited".into(), Value::Null),
    ]);
    let row_bytes = [
        0, 0, 0, 2, 0, 0, 0, 25, 0, 0, 0, 1, b'a', 0, 0, 4, 58, 255, 255, 255, 255,
    ];
    assert_eq!(bytes_of(row.clone(), &spot())?, row_bytes);
    assert_eq!(bytes_of("(a,)", &spot())?, row_bytes);
    assert_eq!(decode(&spot(), Some(&row_bytes))?, row);
    Ok(())
}

#[test]
fn integers_narrow_with_a_check() -> Result<()> {
    assert_eq!(bytes_of(7, &Type::OID)?, [0, 0, 0, 7]);
    assert_eq!(bytes_of(7, &Type::NUMERIC)?, [0, 1, 0, 0, 0, 0, 0, 0, 0, 7]);
    assert_eq!(bytes_of(7, &Type::FLOAT4)?, 7f32.to_be_bytes());
    let positive = new_type("positive", 20_015, Kind::Domain(Type::INT4));
    assert_eq!(bytes_of(7, &positive)?, [0, 0, 0, 7]);
    for (value, ty) in [
        (32_768i64, Type::INT2),
        (i64::MAX, Type::INT4),
        (-1, Type::OID),
        (-1, Type::XID8),
    ] {
        let (kind, message) = refusal(value, &ty);
        assert_eq!(kind, ErrorKind::Bind);
        assert!(
            message.starts_with(&format!(
                "parameter $1 is int out of the range of {}",
                ty.name()
            )),
            "{message}"
        );
    }
    Ok(())
}

#[test]
fn floats_become_what_they_are_and_nothing_else() -> Result<()> {
    assert_eq!(bytes_of(2.0, &Type::INT4)?, [0, 0, 0, 2]);
    assert_eq!(
        bytes_of(Value::Numeric("2.00".into()), &Type::INT4)?,
        [0, 0, 0, 2]
    );
    let numeric = |value: Value| decode(&Type::NUMERIC, Some(&bytes_of(value, &Type::NUMERIC)?));
    assert_eq!(numeric(0.1.into())?, Value::Numeric("0.1".into()));
    assert_eq!(numeric(0.1f32.into())?, Value::Numeric("0.1".into()));
    assert_eq!(
        numeric(f64::NEG_INFINITY.into())?,
        Value::Numeric("-Infinity".into())
    );
    assert_eq!(
        bytes_of(f64::INFINITY, &Type::FLOAT4)?,
        f32::INFINITY.to_be_bytes()
    );
    for (value, ty) in [
        (2.5, Type::INT4),
        (1e300, Type::INT8),
        (f64::NAN, Type::INT8),
        (1e300, Type::FLOAT4),
        (1e-300, Type::FLOAT4),
    ] {
        assert_eq!(refusal(value, &ty).0, ErrorKind::Bind, "{value} as {ty}");
    }
    assert_eq!(
        refusal(Value::Numeric("2.5".into()), &Type::INT4).0,
        ErrorKind::Bind
    );
    assert_eq!(refusal("1e39", &Type::FLOAT4).0, ErrorKind::Bind);
    Ok(())
}

#[test]
fn moments_keep_their_moment() -> Result<()> {
    let midnight = Timestamp(86_400_000_000);
    assert_eq!(bytes_of(midnight, &Type::DATE)?, [0, 0, 0, 1]);
    assert_eq!(
        bytes_of(Date(1), &Type::TIMESTAMP)?,
        midnight.0.to_be_bytes()
    );
    assert_eq!(
        bytes_of(Value::Timestamp(midnight), &Type::TIMESTAMPTZ)?,
        midnight.0.to_be_bytes()
    );
    assert_eq!(
        bytes_of(Timestamp::INFINITY, &Type::DATE)?,
        i32::MAX.to_be_bytes()
    );
    assert_eq!(bytes_of(Time(1), &Type::TIMETZ)?.len(), 12);
    let (kind, message) = refusal(Timestamp(1), &Type::DATE);
    assert_eq!(kind, ErrorKind::Bind);
    assert!(
        message.contains("has a time of day, which a date cannot hold"),
        "{message}"
    );
    assert_eq!(
        refusal(Date(2_000_000_000), &Type::TIMESTAMP).0,
        ErrorKind::Bind
    );
    Ok(())
}

#[test]
fn a_refusal_says_where_what_and_what_to_do_but_not_the_value() {
    assert_eq!(
        refusal(5, &Type::TEXT).1,
        "parameter $1 is int, where the server wants text: give it as text, such as abc, or cast it in the query, as in $1::int8"
    );
    assert_eq!(
        refusal("secret", &Type::TIMESTAMPTZ).1,
        "parameter $1 is text that is no timestamptz: write it like 2024-05-31 12:30:00+02"
    );
    assert_eq!(
        refusal(vec![Some("1"), Some("secret")], &Type::INT4_ARRAY).1,
        "parameter $1, element 2 is text that is no int4: write it like 42"
    );
    assert_eq!(
        refusal("(a,secret)", &spot()).1,
        "parameter $1, field visited is text that is no date: write it like 2024-05-31"
    );
    let nested = new_type("_spot", 20_013, Kind::Array(spot()));
    assert_eq!(
        refusal("{\"(a,secret)\"}", &nested).1,
        "parameter $1, element 1, field visited is text that is no date: write it like 2024-05-31"
    );
    assert_eq!(
        refusal("[1,secret)", &Type::INT8_RANGE).1,
        "parameter $1, upper bound is text that is no int8: write it like 42"
    );
    let (kind, message) = refusal("12", &Type::MONEY);
    assert_eq!(kind, ErrorKind::Unsupported);
    assert_eq!(
        message,
        "parameter $1 is of the type money, which is not supported: let the server cast it from text, as in $1::text::money"
    );
    assert!(refusal(true, &mood()).1.contains("such as sad"));
    let mut misshapen = Array::of([1, 2]);
    misshapen.dimensions = vec![(u32::MAX, 1), (u32::MAX, 1)];
    assert!(
        refusal(misshapen, &Type::INT4_ARRAY)
            .1
            .contains("no shape of its elements")
    );
}

#[test]
fn what_cannot_be_decoded_is_told_by_the_types_name() {
    let told = |ty: &Type, bytes: &[u8]| {
        decode(ty, Some(bytes)).map_or_else(
            |error| (error.kind(), error.to_string()),
            |_| panic!("{ty} was read"),
        )
    };
    let (kind, message) = told(&Type::INT4, &[1, 2, 3]);
    assert_eq!(kind, ErrorKind::Decode);
    assert_eq!(
        message,
        "a value of type int4 cannot be read: it has not as many bytes as the type"
    );
    assert_eq!(told(&Type::TEXT, &[0xff]).0, ErrorKind::Decode);
    let (kind, message) = told(&Type::MONEY, &[0; 8]);
    assert_eq!(kind, ErrorKind::Unsupported);
    assert_eq!(
        message,
        "the type money is not supported: cast it to text in the query"
    );
    let (_, message) = told(&new_type("vector", 20_099, Kind::Simple), &[0; 8]);
    assert!(
        message.contains("the type vector is not supported"),
        "{message}"
    );
    let record = [0, 0, 0, 1, 0, 0, 0x4e, 0x20, 0, 0, 0, 0];
    let (kind, message) = told(&Type::RECORD, &record);
    assert_eq!(kind, ErrorKind::Unsupported);
    assert_eq!(
        message,
        "the type of a record's field f1, oid 20000, is not supported: cast it to text in the query"
    );
    assert_eq!(decode(&Type::VOID, Some(&[])).ok(), Some(Value::Null));
    assert_eq!(decode(&Type::MONEY, None).ok(), Some(Value::Null));
}

#[test]
fn records_in_records_end() {
    let mut bytes = vec![0, 0, 0, 0];
    for _ in 0..10_000 {
        let mut outer = vec![0, 0, 0, 1, 0, 0, 0x08, 0xc9];
        outer.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
        outer.append(&mut bytes);
        bytes = outer;
    }
    let error = decode(&Type::RECORD, Some(&bytes)).unwrap_err();
    assert!(error.to_string().contains("nested too deep"), "{error}");
}

/// The samples of the built-in types: the type and its text.
fn samples() -> impl Iterator<Item = (Type, &'static str)> {
    let types = all_types();
    let lines = TEXTS.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(move |line| {
        let (name, text) = line.split_once('\t')?;
        let name = name
            .strip_suffix("[]")
            .map_or(name.to_owned(), |element| format!("_{element}"));
        let ty = types.iter().find(|ty| ty.name() == name)?;
        Some((ty.clone(), text))
    })
}

#[test]
fn a_text_becomes_a_value_that_prints_and_encodes_alike() -> Result<()> {
    let mut count = 0;
    for (ty, text) in samples() {
        let sent = bytes_of(text, &ty)?;
        let value = decode(&ty, Some(&sent))?;
        assert_eq!(bytes_of(value.clone(), &ty)?, sent, "{text} as {ty}");
        assert_eq!(
            bytes_of(value.to_string(), &ty)?,
            sent,
            "{text} as {ty}, which prints {value}"
        );
        count += 1;
    }
    assert!(count > 250, "{count} samples were found");
    Ok(())
}

#[test]
fn damaged_bytes_are_read_or_refused() -> Result<()> {
    for (ty, text) in samples() {
        let sent = bytes_of(text, &ty)?;
        for end in 0..sent.len() {
            survive(&ty, &sent[..end]);
            for damage in [0x00, 0x01, 0x7f, 0x80, 0xff] {
                let mut damaged = sent.clone();
                damaged[end] ^= damage;
                survive(&ty, &damaged);
            }
        }
    }
    Ok(())
}

/// Whatever is read can be printed and sent, or is refused: nothing panics.
fn survive(ty: &Type, bytes: &[u8]) {
    if let Ok(value) = decode(ty, Some(bytes)) {
        let _ = (value.to_string(), bytes_of(value, ty));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_as_any_type(
        bytes in proptest::collection::vec(prop_oneof![4 => Just(0u8), 2 => 0..4u8, 1 => Just(255), 2 => any::<u8>()], 0..64)
    ) {
        for ty in all_types() {
            survive(&ty, &bytes);
        }
    }

    #[test]
    fn any_text_is_read_or_refused_as_any_type(text in "[-+0-9a-fxX:./,;(){}\\[\\]<>'\"\\\\&|! TZP=]{0,24}|\\PC{0,12}") {
        for ty in all_types() {
            if let Ok(sent) = bytes_of(text.as_str(), &ty) {
                let read = decode(&ty, Some(&sent));
                prop_assert!(read.is_ok() || ty == Type::CSTRING, "{text:?} as {ty}: {read:?}");
            }
        }
    }

    #[test]
    fn numbers_go_there_and_back(int in any::<i64>(), float in any::<f64>(), flag in any::<bool>()) {
        for (value, ty) in [(Value::Int(int), Type::INT8), (Value::Float8(float), Type::FLOAT8), (Value::Bool(flag), Type::BOOL)] {
            let sent = bytes_of(value.clone(), &ty).unwrap_or_default();
            prop_assert_eq!(decode(&ty, Some(&sent)).ok(), Some(value.clone()));
            let from_text = bytes_of(value.to_string(), &ty).unwrap_or_default();
            prop_assert_eq!(decode(&ty, Some(&from_text)).ok(), Some(value));
        }
    }
}
