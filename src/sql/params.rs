//! The values that a call gives to a query, by position or by name.

use super::Value;
use std::borrow::Cow;

/// The values for a query's parameters.
///
/// ```
/// use pontoon::{params, sql::Params};
/// let by_position = params![1, "two", None::<i32>];
/// let by_name = params! { "id" => 1, "title" => "two" };
/// assert_eq!((by_position.len(), by_name.len()), (3, 2));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Params {
    /// In the order of the query's positional placeholders.
    Positional(Vec<Value>),
    /// By the names of the query's named placeholders; a name that the query does not use is ignored, as psycopg2 does.
    Named(Vec<(Cow<'static, str>, Value)>),
}

impl Params {
    /// No values.
    pub const fn none() -> Self {
        Self::Positional(Vec::new())
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Positional(values) => values.len(),
            Self::Named(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Params {
    fn default() -> Self {
        Self::none()
    }
}

impl From<Vec<Value>> for Params {
    fn from(values: Vec<Value>) -> Self {
        Self::Positional(values)
    }
}

/// Makes [`Params`]: values in order, or `"name" => value` pairs.
#[macro_export]
macro_rules! params {
    () => { $crate::sql::Params::none() };
    ($($name:expr => $value:expr),+ $(,)?) => {
        $crate::sql::Params::Named(::std::vec![$((::std::borrow::Cow::from($name), $crate::sql::Value::from($value))),+])
    };
    ($($value:expr),+ $(,)?) => {
        $crate::sql::Params::Positional(::std::vec![$($crate::sql::Value::from($value)),+])
    };
}
