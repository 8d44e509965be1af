//! What is in force at one moment: what every source said, and what follows from it.

use super::cohort::{Bucket, Cohort, Key};
use super::decision::Reason;
use super::resolve::{Outcome, resolve};
use super::source::overrides::Overrides;
use super::source::{Reading, kill_file};
use crate::backend::BackendKind;
use crate::config::{FlagsFile, Share, Stage};
use std::sync::Arc;

/// What is in force at one moment. It never changes; a change makes the next one.
#[derive(Debug)]
pub struct Snapshot {
    revision: u64,
    outcome: Outcome,
    inputs: Inputs,
}

/// All that a snapshot follows from. A change is a function from inputs to inputs, so it can be tried again and waits for nobody.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Inputs {
    pub(super) readings: Vec<Reading>,
    pub(super) held: Option<Held>,
    pub(super) overrides: Arc<Overrides>,
    pub(super) cohort: Cohort,
    /// Why the cohort is not the one that the file asks for.
    pub(super) cohort_alarm: Option<&'static str>,
}

/// A rollback of this process. It stands on its own; the kill file only makes it known to others and to a restart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Held {
    pub(super) number: u64,
    pub(super) note: kill_file::Note,
    pub(super) file: Written,
}

/// How far a rollback's kill file is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Written {
    /// Not yet, or never where none is configured.
    No,
    /// It is there since this many writes of it had ended. A look that began later and finds none shows that somebody removed it.
    Since(u64),
    /// It could not be written.
    Failed(String),
}

impl Inputs {
    pub(super) fn new(readings: Vec<Reading>, cohort: Cohort) -> Self {
        Self {
            readings,
            held: None,
            overrides: Arc::default(),
            cohort,
            cohort_alarm: None,
        }
    }

    /// These with a source's new reading. One that is new asks first.
    pub(super) fn with(mut self, reading: Reading) -> Self {
        match self
            .readings
            .iter_mut()
            .find(|old| old.name == reading.name)
        {
            Some(old) => *old = reading,
            None => self.readings.insert(0, reading),
        }
        self
    }

    /// These after a look at the kill file that began when `writes` writes of it had ended.
    pub(super) fn seen_kill_file(mut self, reading: Reading, writes: u64) -> Self {
        let gone = !reading.rolled_back && reading.alarm.is_none();
        if let Some(Held {
            file: Written::Since(since),
            ..
        }) = self.held
            && gone
            && writes >= since
        {
            self.held = None;
        }
        self.with(reading)
    }

    /// These with the cohort that the file asks for: at the start nobody has a side yet.
    pub(super) fn with_first_cohort(mut self) -> Self {
        if let Some(rules) = self.rules() {
            self.cohort = Cohort::new(&rules.migration);
        }
        self
    }

    /// These with the cohort that the file asks for, if nobody would change sides by it.
    pub(super) fn with_cohort(mut self) -> Self {
        let Some(rules) = self.rules() else {
            return self;
        };
        let asked = Cohort::new(&rules.migration);
        let share = self.resolve().share;
        let drawn = share > Share::NONE && share < Share::ALL;
        if asked == self.cohort || !drawn {
            self.cohort = asked;
            self.cohort_alarm = None;
        } else {
            self.cohort_alarm = Some(
                "the migration's id, salt or key was changed in flags.toml while a share of the keys is async; \
                 the old cohort is kept until the share is 0% or 100%, or until a restart",
            );
        }
        self
    }

    pub(super) fn rules(&self) -> Option<Arc<FlagsFile>> {
        self.readings
            .iter()
            .find_map(|reading| reading.rules.clone())
    }

    /// What the sources said, the process's own rollback first.
    pub(super) fn said(&self) -> Vec<Reading> {
        let held = self.held.as_ref().map(|held| Reading {
            rolled_back: true,
            cap: Stage::Off,
            ..Reading::silent("rollback", held.note.to_string())
        });
        held.into_iter()
            .chain(self.readings.iter().cloned())
            .collect()
    }

    fn resolve(&self) -> Outcome {
        resolve(&self.said())
    }

    pub(super) fn alarms(&self) -> Vec<String> {
        let write = match &self.held {
            Some(Held {
                file: Written::Failed(text),
                ..
            }) => Some(text.clone()),
            _ => None,
        };
        let read = self
            .readings
            .iter()
            .filter_map(|reading| reading.alarm.clone());
        write
            .into_iter()
            .chain(read)
            .chain(self.cohort_alarm.map(str::to_owned))
            .collect()
    }
}

impl Snapshot {
    pub(super) fn new(revision: u64, inputs: Inputs) -> Self {
        Self {
            revision,
            outcome: inputs.resolve(),
            inputs,
        }
    }

    pub(super) fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// How many changes this process has seen; it only grows.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What is in force.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The stage in force.
    pub fn stage(&self) -> Stage {
        self.outcome.stage
    }

    /// The share of keys that is async.
    pub fn share(&self) -> Share {
        self.outcome.share
    }

    /// What each source said.
    pub fn sources(&self) -> Vec<Reading> {
        self.inputs.said()
    }

    /// What is wrong with a source while the flag goes by what it said before.
    pub fn alarms(&self) -> Vec<String> {
        self.inputs.alarms()
    }

    /// The key's bucket; `None` for a key without a part that counts.
    pub fn bucket(&self, key: &Key<'_>) -> Option<Bucket> {
        self.inputs.cohort.bucket(key)
    }

    /// Where a unit of work with this key runs, and why. No lock, no allocation.
    pub(super) fn decide(&self, key: Option<&Key<'_>>) -> (BackendKind, Reason) {
        let Outcome { stage, share, .. } = self.outcome;
        if stage == Stage::RolledBack {
            return (BackendKind::Blocking, Reason::RolledBack);
        }
        if let Some(backend) = self.overridden(key) {
            return (backend, Reason::Override);
        }
        if share == Share::ALL {
            return (BackendKind::Async, Reason::Everybody);
        }
        let Some(key) = key.filter(|key| self.inputs.cohort.counts(key)) else {
            return (BackendKind::Blocking, Reason::NoKey);
        };
        if share == Share::NONE {
            return (BackendKind::Blocking, Reason::Stage);
        }
        if self.bucket(key).is_some_and(|bucket| bucket.is_in(share)) {
            (BackendKind::Async, Reason::InCohort)
        } else {
            (BackendKind::Blocking, Reason::OutsideCohort)
        }
    }

    /// The backend that somebody set for the key, as far as the caps permit it.
    fn overridden(&self, key: Option<&Key<'_>>) -> Option<BackendKind> {
        if self.inputs.overrides.is_empty() {
            return None;
        }
        let backend = self.inputs.overrides.find(key?)?;
        let permitted = backend == BackendKind::Blocking || self.outcome.permits_async();
        permitted.then_some(backend)
    }
}
