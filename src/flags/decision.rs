//! Where a unit of work runs, and why.

use crate::backend::BackendKind;
use std::fmt;

/// Where a unit of work runs. It is taken once and carried in the unit, so that what follows in the unit runs there too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The backend that the unit runs on.
    pub backend: BackendKind,
    /// Why.
    pub reason: Reason,
    /// The revision of the flag that decided.
    pub revision: u64,
}

/// Why a unit of work runs where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// A rollback stands: blocking.
    RolledBack,
    /// The stage serves nobody on async: blocking.
    Stage,
    /// The unit has no key, and not everybody is async: blocking.
    NoKey,
    /// The key's bucket lies above the share: blocking.
    OutsideCohort,
    /// The key's bucket lies below the share: async.
    InCohort,
    /// Everybody is async.
    Everybody,
    /// Somebody set this key's backend.
    Override,
}

impl Reason {
    /// The word for metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RolledBack => "rolled_back",
            Self::Stage => "stage",
            Self::NoKey => "no_key",
            Self::OutsideCohort => "outside_cohort",
            Self::InCohort => "in_cohort",
            Self::Everybody => "everybody",
            Self::Override => "override",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
