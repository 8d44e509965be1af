//! What the embedding program set itself. It asks for a stage and caps nothing.

use super::{Reading, Source};
use crate::config::Stage;
use crate::error::Result;

/// The stage that the program begins with.
#[derive(Debug)]
pub(in crate::flags) struct Program(pub(in crate::flags) Stage);

impl Source for Program {
    fn first(&self) -> Result<Reading> {
        Ok(reading(self.0))
    }
}

/// The reading for a stage that the program asks for.
pub(in crate::flags) fn reading(stage: Stage) -> Reading {
    Reading {
        base: Some(stage),
        ..Reading::silent(NAME, format!("the program asks for {stage}"))
    }
}

pub(in crate::flags) const NAME: &str = "program";
