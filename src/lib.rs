//! Pontoon

pub mod sql;
