//! What the program keeps, in the words of its domain: each operation is one statement.
//!
//! A store borrows the backend that its unit of work was given, and knows neither flag nor driver. Not found is `Ok(None)` or `Ok(false)`;
//! an error is an error.
//!
//! Adding one: a file here, its statements in `sql/<area>/<verb>.sql`, its tables in the next migration.

pub mod memories;
