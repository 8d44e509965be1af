//! Why a key runs where it does: every source with its cap, the bucket, the outcome.

use super::cohort::{Bucket, Key};
use super::decision::Reason;
use super::resolve::Outcome;
use super::snapshot::Snapshot;
use super::source::Reading;
use crate::backend::BackendKind;
use crate::config::{Stage, show_duration};
use serde::{Serialize, Serializer};

/// Why a key runs where it does, at one revision.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The flag's revision.
    pub revision: u64,
    /// The key's bucket, 0 to 9999; `None` for a key without a part that counts.
    pub bucket: Option<Bucket>,
    /// What each source said, and the override of this key if there is one.
    pub sources: Vec<Reading>,
    /// What is in force.
    pub outcome: Outcome,
    /// Where the key's next unit of work runs.
    #[serde(serialize_with = "as_word")]
    pub backend: BackendKind,
    /// Why.
    pub reason: Reason,
    /// What is wrong with a source while the flag goes by what it said before.
    pub alarms: Vec<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a field by reference"
)]
fn as_word<S: Serializer>(backend: &BackendKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(backend.as_str())
}

impl Snapshot {
    /// Why a unit of work with this key runs where it does. It counts nothing.
    pub fn explain(&self, key: Option<&Key<'_>>) -> Explanation {
        let (backend, reason) = self.decide(key);
        let mut sources = self.sources();
        sources.extend(key.and_then(|key| self.explain_override(key)));
        Explanation {
            revision: self.revision(),
            bucket: key.and_then(|key| self.bucket(key)),
            sources,
            outcome: self.outcome(),
            backend,
            reason,
            alarms: self.alarms(),
        }
    }

    fn explain_override(&self, key: &Key<'_>) -> Option<Reading> {
        let backend = self.inputs().overrides.find(key)?;
        let mut list = self.inputs().overrides.list().into_iter();
        let set =
            list.find(|set| set.backend == backend && key.parts().any(|part| part == set.key))?;
        let left = set.left.map_or_else(String::new, |left| {
            format!(" for another {}", show_duration(left))
        });
        let detail = match backend {
            BackendKind::Blocking => format!("{} is set to blocking{left}", set.key),
            BackendKind::Async if self.outcome().permits_async() => {
                format!("{} is set to async{left}", set.key)
            }
            BackendKind::Async => {
                format!(
                    "{} is set to async{left}, which the other sources forbid",
                    set.key
                )
            }
        };
        let cap = match backend {
            BackendKind::Blocking => Stage::Off,
            BackendKind::Async => Stage::Complete,
        };
        Some(Reading {
            cap,
            ..Reading::silent("override", detail)
        })
    }
}
