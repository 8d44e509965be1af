//! The only way SQL text enters: a [`Query`] has a name, a text and parameters, and was translated once.
//!
//! Adding a query: write `sql/<area>/<verb>.sql` in psycopg2's style and ask the [catalog](catalog::query) for `<area>/<verb>`.

pub mod catalog;
mod params;
mod query;
mod row;
#[cfg(feature = "convert")]
pub mod source;
mod text;
mod time;
pub mod translate;
mod value;

pub use params::Params;
pub use query::Query;
pub use row::{Column, Columns, FromRow, Row, RowData, RowStream};
#[cfg(any(feature = "blocking", feature = "async"))]
pub(crate) use text::show_float8;
pub use value::{Array, Date, FromValue, Interval, Range, Time, TimeTz, Timestamp, Value};
