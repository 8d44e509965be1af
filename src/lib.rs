//! Pontoon carries a service's Postgres storage from a blocking driver to an async one, one unit of work at a time, and takes it back in a
//! millisecond.

pub mod backend;
#[cfg(feature = "server")]
pub mod embedded;
pub mod error;
pub mod sql;

pub use error::{Error, ErrorKind, Result};
