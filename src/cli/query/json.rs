//! A row as a JSON object: numbers keep every digit, `json` stays what it is, arrays and composites keep their form, the rest is text.

use crate::sql::{Array, Value};

/// An object with the columns in their order.
pub(super) fn json_row(names: &[String], values: &[Value]) -> String {
    object(names.iter().map(String::as_str).zip(values))
}

fn object<'a>(fields: impl Iterator<Item = (&'a str, &'a Value)>) -> String {
    let fields: Vec<String> = fields
        .map(|(name, value)| format!("{}:{}", text(name), json(value)))
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn json(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(v) => v.to_string(),
        Value::Int(v) => v.to_string(),
        Value::Float4(_) | Value::Float8(_) | Value::Numeric(_) => number(&value.to_string()),
        Value::Json(v) => v.clone(),
        Value::Array(v) => array(v),
        Value::Composite(fields) => {
            object(fields.iter().map(|(name, value)| (name.as_str(), value)))
        }
        other => text(&other.to_string()),
    }
}

/// `NaN` and the infinities are no JSON numbers.
fn number(digits: &str) -> String {
    let plain = serde_json::from_str::<&serde_json::value::RawValue>(digits).is_ok();
    if plain {
        digits.to_owned()
    } else {
        text(digits)
    }
}

fn array(array: &Array) -> String {
    let lengths: Vec<usize> = array
        .dimensions
        .iter()
        .filter_map(|(length, _)| usize::try_from(*length).ok())
        .collect();
    let mut elements = array.elements.iter();
    match lengths.split_first() {
        Some((length, inner)) => level(*length, inner, &mut elements),
        None => "[]".into(),
    }
}

fn level<'a>(
    length: usize,
    inner: &[usize],
    elements: &mut impl Iterator<Item = &'a Value>,
) -> String {
    let parts: Vec<String> = match inner.split_first() {
        Some((next, rest)) => (0..length).map(|_| level(*next, rest, elements)).collect(),
        None => elements.by_ref().take(length).map(json).collect(),
    };
    format!("[{}]", parts.join(","))
}

fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_digits_and_form() {
        let grid = Array {
            dimensions: vec![(2, 1), (2, 1)],
            elements: [1, 2, 3, 4].map(Value::from).into(),
        };
        let names: Vec<String> = ["n", "j", "a", "c", "x", "b"].map(String::from).into();
        let values = [
            Value::Numeric("1.2300000000000000000000001".into()),
            Value::Json("{\"k\": 1}".into()),
            Value::Array(grid),
            Value::Composite(vec![("f1".into(), Value::Null)]),
            Value::Float8(f64::NAN),
            Value::Bytes(vec![255]),
        ];
        let row = json_row(&names, &values);
        assert_eq!(
            row,
            r#"{"n":1.2300000000000000000000001,"j":{"k": 1},"a":[[1,2],[3,4]],"c":{"f1":null},"x":"NaN","b":"\\xff"}"#
        );
        assert!(serde_json::from_str::<serde_json::Value>(&row).is_ok());
    }

    #[test]
    fn an_empty_array_is_one() {
        assert_eq!(
            json(&Value::Array(Array {
                dimensions: Vec::new(),
                elements: Vec::new()
            })),
            "[]"
        );
    }
}
