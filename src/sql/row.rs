//! A row of a result: its columns are shared by all rows, its values are decoded when they are asked for.

use super::{FromValue, Value};
use crate::error::{Error, ErrorKind, Result};
use futures_util::stream::BoxStream;
use std::fmt;
use std::sync::Arc;

/// Rows as they arrive. Dropping it gives up the rest; the connection that it read from is then closed, not returned.
pub type RowStream = BoxStream<'static, Result<Row>>;

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name in the result; Postgres allows it to repeat.
    pub name: String,
    /// The type's name, as the server's catalog has it.
    pub type_name: String,
    /// The type's oid.
    pub type_oid: u32,
}

/// The columns of a result, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns(pub Vec<Column>);

impl Columns {
    /// The place of the first column of that name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|column| column.name == name)
    }
}

/// A driver's row: what a backend gives for [`Row::new`].
pub trait RowData: Send + Sync {
    /// The value in the column at `index`, decoded by the column's type.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] and [`ErrorKind::Unsupported`].
    fn value(&self, index: usize) -> Result<Value>;
}

/// A row of values that were decoded already.
impl RowData for Vec<Value> {
    fn value(&self, index: usize) -> Result<Value> {
        self.get(index).cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::Decode,
                format!("the row has no value at {index}"),
            )
        })
    }
}

/// A row: ask it for a column's value by name or by place.
pub struct Row {
    columns: Arc<Columns>,
    data: Box<dyn RowData>,
}

impl Row {
    /// A row of these columns.
    pub fn new(columns: Arc<Columns>, data: Box<dyn RowData>) -> Self {
        Self { columns, data }
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns.0
    }

    /// The value of the column `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] names the column and both types when the value is not a `T`, or there is no such column.
    pub fn get<T: FromValue>(&self, name: &str) -> Result<T> {
        match self.columns.index_of(name) {
            Some(index) => self.at(index),
            None => Err(Error::new(
                ErrorKind::Decode,
                format!("the result has no column {name:?}; it has {}", self.names()),
            )),
        }
    }

    /// The value of the column at `index`, counted from 0.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn at<T: FromValue>(&self, index: usize) -> Result<T> {
        let Some(column) = self.columns.0.get(index) else {
            let message = format!(
                "the result has {} columns, none at {index}",
                self.columns.0.len()
            );
            return Err(Error::new(ErrorKind::Decode, message));
        };
        let value = self.data.value(index)?;
        let found = value.kind();
        T::from_value(value).ok_or_else(|| {
            let Column {
                name, type_name, ..
            } = column;
            let message = format!(
                "column {name:?} holds {found} of type {type_name}; {} was asked for",
                T::EXPECTS
            );
            Error::new(ErrorKind::Decode, message)
        })
    }

    /// All values, in order.
    ///
    /// # Errors
    /// The first value that cannot be decoded.
    pub fn values(&self) -> Result<Vec<Value>> {
        (0..self.columns.0.len())
            .map(|index| self.data.value(index))
            .collect()
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self
            .columns
            .0
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        if names.is_empty() {
            "none".into()
        } else {
            names.join(", ")
        }
    }
}

/// Shows the columns alone: the values are a user's data.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("columns", &self.columns.0)
            .finish_non_exhaustive()
    }
}

/// A type that is made from a row.
pub trait FromRow: Sized {
    /// The row as this type.
    ///
    /// # Errors
    /// What [`Row::get`] returns.
    fn from_row(row: &Row) -> Result<Self>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let column = |name: &str, type_name: &str| Column {
            name: name.into(),
            type_name: type_name.into(),
            type_oid: 0,
        };
        let columns = Columns(vec![column("id", "int8"), column("title", "text")]);
        Row::new(
            Arc::new(columns),
            Box::new(vec![Value::Int(7), Value::Null]),
        )
    }

    #[test]
    fn reads_by_name_and_place() -> Result<()> {
        assert_eq!(row().get::<i64>("id")?, 7);
        assert_eq!(row().at::<Option<String>>(1)?, None);
        Ok(())
    }

    #[test]
    fn a_wrong_type_names_column_and_both_types() {
        let error = row().get::<String>("id").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert_eq!(
            error.to_string(),
            "column \"id\" holds int of type int8; text was asked for"
        );
        assert_eq!(
            row().get::<i32>("nope").unwrap_err().to_string(),
            "the result has no column \"nope\"; it has id, title"
        );
        assert!(
            row()
                .get::<String>("title")
                .unwrap_err()
                .to_string()
                .contains("holds null")
        );
    }
}
