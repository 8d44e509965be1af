//! Pontoon carries a service's Postgres storage from a blocking driver to an async one, one unit of work at a time, and takes it back in a
//! millisecond.

#[cfg(feature = "server")]
pub mod app;
pub mod backend;
pub mod bridge;
#[cfg(feature = "server")]
pub mod cli;
pub mod config;
#[cfg(feature = "server")]
pub mod embedded;
pub mod error;
pub mod flags;
#[cfg(feature = "server")]
pub mod http;
pub mod metrics;
pub mod sql;
pub mod store;

pub use bridge::Bridge;
pub use error::{Error, ErrorKind, Result};
pub use flags::Flags;
