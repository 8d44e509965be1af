//! Pontoon

#[cfg(feature = "server")]
pub mod embedded;
