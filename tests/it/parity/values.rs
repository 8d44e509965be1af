//! Every type that the codec knows, with its edges, as a result, a parameter and a column.

use super::Sides;
use crate::support::query;
use pontoon::backend::{BackendKind, StorageBackend, StorageBackendExt};
use pontoon::sql::{Params, Value};
use pontoon::{Error, ErrorKind, Result, params};

/// An expression of the samples, and what every backend made of it.
struct Sample {
    expression: &'static str,
    /// The type's name, as a cast takes it.
    type_name: String,
    value: Value,
    /// As the server prints it; `None` for NULL.
    text: Option<String>,
    /// Cannot be a parameter or a column: a record without a type, or nothing at all.
    only_read: bool,
}

fn expressions() -> impl Iterator<Item = (bool, &'static str)> {
    include_str!("../samples/types.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| match line.strip_prefix("< ") {
            Some(expression) => (true, expression),
            None => (false, line),
        })
}

async fn read(
    backend: &dyn StorageBackend,
    only_read: bool,
    expression: &'static str,
) -> Result<Sample> {
    let sql = format!(
        "SELECT v, concat(v) AS t, pg_typeof(v)::text AS n FROM (SELECT {expression} AS v) AS s"
    );
    let row = backend.fetch_one(&query(&sql), Params::none()).await?;
    let value = row.get::<Option<Value>>("v")?.unwrap_or(Value::Null);
    let text = (!value.is_null()).then(|| row.get("t")).transpose()?;
    Ok(Sample {
        expression,
        type_name: without_length(&row.get::<String>("n")?),
        value,
        text,
        only_read,
    })
}

/// These names alone mean a length of one.
fn without_length(type_name: &str) -> String {
    let (name, brackets) = type_name.split_at(type_name.find('[').unwrap_or(type_name.len()));
    let name = match name {
        "character" => "bpchar",
        "bit" => "\"bit\"",
        name => name,
    };
    format!("{name}{brackets}")
}

/// What sqlx cannot describe is refused by name, and a cast helps.
fn is_the_known_gap(expression: &str, error: &Error) {
    assert!(expression.contains("multirange"), "{expression}: {error}");
    assert!(
        error.message().contains("multirange") && error.hint().is_some(),
        "{error:?}"
    );
}

/// The samples as the backend reads them; each prints as the server prints it.
async fn samples(backend: &dyn StorageBackend) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for (only_read, expression) in expressions() {
        let sample = match read(backend, only_read, expression).await {
            Err(error)
                if backend.kind() == BackendKind::Async
                    && error.kind() == ErrorKind::Unsupported =>
            {
                is_the_known_gap(expression, &error);
                continue;
            }
            sample => sample?,
        };
        if let Some(text) = &sample.text {
            assert_eq!(
                &sample.value.to_string(),
                text,
                "{expression} on {}",
                backend.kind()
            );
        }
        samples.push(sample);
    }
    Ok(samples)
}

#[tokio::test]
async fn each_type_is_read_alike() -> Result<()> {
    let sides = Sides::open();
    let first = samples(&*sides.backends[0]).await?;
    assert!(first.len() > 300);
    for backend in &sides.backends[1..] {
        let others = samples(&**backend).await?;
        assert!(others.len() + 9 >= first.len(), "the gap is small");
        for other in others {
            let mut same = first
                .iter()
                .filter(|one| one.expression == other.expression);
            let one = same.next().expect("the first backend reads it too");
            assert_eq!(one.value.kind(), other.value.kind(), "{}", one.expression);
            assert!(
                one.value == other.value,
                "{}: {} or {}",
                one.expression,
                one.value,
                other.value
            );
            assert_eq!(one.text, other.text, "{}", one.expression);
        }
    }
    sides.close().await;
    Ok(())
}

#[tokio::test]
async fn each_type_is_taken_as_itself_and_as_text() -> Result<()> {
    let sides = Sides::open();
    for backend in &sides.backends {
        for sample in samples(&**backend)
            .await?
            .iter()
            .filter(|sample| !sample.only_read)
        {
            let Sample {
                expression,
                type_name,
                value,
                text,
                ..
            } = sample;
            let back = query(&format!(
                "SELECT $1::{type_name} AS v, concat($1::{type_name}) AS t"
            ));
            let as_text = text.clone().map_or(Value::Null, Value::Text);
            for given in [value.clone(), as_text] {
                let shown = format!(
                    "{expression} given as {} to {}",
                    given.kind(),
                    backend.kind()
                );
                let row = backend.fetch_one(&back, Params::from(vec![given])).await;
                let row = row.unwrap_or_else(|error| panic!("{shown}: {error}"));
                assert!(
                    &row.at::<Option<Value>>(0)?.unwrap_or(Value::Null) == value,
                    "{shown}"
                );
                assert_eq!(
                    row.get::<String>("t")?,
                    text.clone().unwrap_or_default(),
                    "{shown}"
                );
            }
        }
    }
    sides.close().await;
    Ok(())
}

#[tokio::test]
async fn each_type_goes_through_a_column() -> Result<()> {
    let sides = Sides::open();
    for (at, backend) in sides.backends.iter().enumerate() {
        let samples = samples(&**backend).await?;
        let storable: Vec<_> = samples.iter().filter(|sample| !sample.only_read).collect();
        for (number, chunk) in storable.chunks(100).enumerate() {
            let columns: Vec<_> = chunk
                .iter()
                .enumerate()
                .map(|(n, sample)| format!("c{n} {}", sample.type_name))
                .collect();
            let table = format!("columns_{at}_{number}");
            let create = format!("CREATE TABLE {table} ({})", columns.join(", "));
            backend.execute(&query(&create), Params::none()).await?;
            let places: Vec<_> = (1..=chunk.len()).map(|n| format!("${n}")).collect();
            let insert = query(&format!(
                "INSERT INTO {table} VALUES ({})",
                places.join(", ")
            ));
            let values: Vec<_> = chunk.iter().map(|sample| sample.value.clone()).collect();
            assert_eq!(backend.execute(&insert, Params::from(values)).await?, 1);
            // Every backend reads what the one with the gap has written.
            for reader in sides.backends.iter().filter(|reader| {
                backend.kind() == BackendKind::Async || reader.kind() == backend.kind()
            }) {
                let row = reader
                    .fetch_one(&query(&format!("SELECT * FROM {table}")), Params::none())
                    .await?;
                for (sample, value) in chunk.iter().zip(row.values()?) {
                    assert!(
                        sample.value == value,
                        "{} from {} to {}",
                        sample.expression,
                        backend.kind(),
                        reader.kind()
                    );
                    assert_eq!(
                        sample.value.to_string(),
                        value.to_string(),
                        "{}",
                        sample.expression
                    );
                }
            }
        }
    }
    sides.close().await;
    Ok(())
}

#[tokio::test]
async fn a_multirange_goes_as_text_everywhere() -> Result<()> {
    let sides = Sides::open();
    for backend in &sides.backends {
        let back = query("SELECT ($1::text::int4multirange + '{[5,8)}')::text AS m");
        let row = backend.fetch_one(&back, params!["{[1,3)}"]).await?;
        assert_eq!(row.get::<String>("m")?, "{[1,3),[5,8)}");
    }
    sides.close().await;
    Ok(())
}

#[tokio::test]
async fn large_values_come_back_whole() -> Result<()> {
    let sides = Sides::open();
    let text: String = (0..1 << 20)
        .map(|n| char::from(b'a' + u8::try_from(n % 26).unwrap()))
        .collect();
    let bytes: Vec<u8> = (0..1 << 20)
        .map(|n| u8::try_from(n % 251).unwrap())
        .collect();
    let back = query(
        "SELECT $1::text AS t, $2::bytea AS b, repeat('é', 1000000) AS r, array_fill(7, ARRAY[100000]) AS a",
    );
    for backend in &sides.backends {
        let row = backend
            .fetch_one(&back, params![text.as_str(), Value::Bytes(bytes.clone())])
            .await?;
        assert!(row.get::<String>("t")? == text);
        assert!(row.get::<Vec<u8>>("b")? == bytes);
        assert_eq!(row.get::<String>("r")?.chars().count(), 1_000_000);
        let Value::Array(array) = row.get::<Value>("a")? else {
            panic!("an array was due")
        };
        assert_eq!(array.elements.len(), 100_000);
    }
    sides.close().await;
    Ok(())
}
