//! The variable `USE_ASYNC_DB`, as it was at the start.

use super::{Reading, Source};
use crate::config::Switch;
use crate::error::Result;

pub(in crate::flags) const NAME: &str = "env";

/// The variable's value. A running process does not look again: its environment does not change.
#[derive(Debug)]
pub(in crate::flags) struct Variable(pub(in crate::flags) Switch);

impl Source for Variable {
    fn first(&self) -> Result<Reading> {
        let detail = match self.0 {
            Switch::Auto => "USE_ASYNC_DB is unset or auto: no cap".into(),
            Switch::On => "USE_ASYNC_DB is on: no cap".into(),
            Switch::Off => "USE_ASYNC_DB is off".into(),
            Switch::Share(share) => format!("USE_ASYNC_DB is {share}"),
        };
        Ok(Reading {
            cap: self.0.cap(),
            base: self.0.base(),
            ..Reading::silent(NAME, detail)
        })
    }
}
