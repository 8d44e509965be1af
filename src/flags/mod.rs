//! The flag: which backend the next unit of work runs on.
//!
//! [`Flags`] holds an immutable [`Snapshot`] that is replaced as a whole. Deciding is one atomic load: no lock, no allocation, no I/O. The
//! snapshot follows from what the sources said; the most cautious of them wins. A rollback replaces the snapshot before anything else
//! happens, waits for nothing and cannot fail.
//!
//! A program makes its flag with [`Flags::builder`] and keeps the [`Watch`] of it; a library's user or a test needs no file:
//!
//! ```
//! use pontoon::backend::BackendKind;
//! use pontoon::flags::{Flags, Key};
//!
//! let flags = Flags::in_memory(100);
//! let decision = flags.decide(Some(&Key::tenant("acme")));
//! assert_eq!(decision.backend, BackendKind::Async);
//! flags.rollback("too many errors", "ada");
//! assert_eq!(flags.decide(None).backend, BackendKind::Blocking);
//! ```
//!
//! Adding a source: see `source/mod.rs`.

mod builder;
mod cohort;
mod decision;
mod explain;
mod resolve;
mod rollback;
mod snapshot;
mod source;
mod watch;

pub use crate::config::{Share, Stage};
pub use builder::Builder;
pub use cohort::{Bucket, Cohort, Key};
pub use decision::{Decision, Reason};
pub use explain::Explanation;
pub use resolve::Outcome;
pub use rollback::Rollback;
pub use snapshot::Snapshot;
pub use source::Reading;
pub use source::overrides::Override;
pub use watch::Watch;

use crate::backend::BackendKind;
use crate::error::{Error, ErrorKind, Result};
use arc_swap::ArcSwap;
use snapshot::Inputs;
use source::{Source, kill_file, program};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch as revisions;

/// Decides which backend a unit of work runs on. Clones share one flag.
#[derive(Debug, Clone)]
pub struct Flags(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    current: ArcSwap<Snapshot>,
    keyless: Apart<AtomicU64>,
    sources: Vec<(&'static str, Box<dyn Source>)>,
    kill_file: Option<PathBuf>,
    /// Folders in which a change means a look at the sources.
    #[cfg(feature = "server")]
    folders: Vec<PathBuf>,
    /// Held while sources are looked at, so that an older look cannot overwrite a newer one. A rollback does not take it.
    looking: Mutex<()>,
    /// Held while the kill file is written or removed. A rollback's swap does not take it.
    writing: Mutex<()>,
    writes: AtomicU64,
    rollbacks: AtomicU64,
    revision: revisions::Sender<u64>,
}

/// Alone on its cache lines, so that counting does not slow down readers of what lies beside it.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart<T>(T);

impl Flags {
    /// A flag from files and variables.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A flag without files that sends everything to one backend.
    pub fn fixed(backend: BackendKind) -> Self {
        Self::in_memory(match backend {
            BackendKind::Blocking => 0,
            BackendKind::Async => 100,
        })
    }

    /// A flag without files that sends `percent` of the keys to async; more than 100 is 100. [`set_percent`](Self::set_percent) moves it.
    pub fn in_memory(percent: u8) -> Self {
        Builder::default().stage(stage_for(percent)).without_files()
    }

    /// Where the next unit of work runs. Take it once a unit and carry it in the unit.
    ///
    /// One atomic load; it takes no lock, allocates nothing and does no I/O. A unit without a key is blocking and counted, unless
    /// everybody is async.
    pub fn decide(&self, key: Option<&Key<'_>>) -> Decision {
        let snapshot = self.0.current.load();
        let (backend, reason) = snapshot.decide(key);
        if reason == Reason::NoKey {
            self.0.keyless.0.fetch_add(1, Ordering::Relaxed);
        }
        Decision {
            backend,
            reason,
            revision: snapshot.revision(),
        }
    }

    /// How many units of work were blocking for want of a key.
    pub fn keyless(&self) -> u64 {
        self.0.keyless.0.load(Ordering::Relaxed)
    }

    /// What is in force now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.current.load_full()
    }

    /// The kill file that this flag goes by, and that a rollback writes.
    pub fn kill_file(&self) -> Option<&Path> {
        self.0.kill_file.as_deref()
    }

    /// What is wrong with a source while the flag goes by what it said before; `None` where all is well.
    pub fn alarm(&self) -> Option<String> {
        let alarms = self.0.current.load().alarms();
        (!alarms.is_empty()).then(|| alarms.join("\n"))
    }

    /// Why a unit of work with this key runs where it does.
    pub fn explain(&self, key: Option<&Key<'_>>) -> Explanation {
        self.0.current.load().explain(key)
    }

    /// Tells each change by its revision. A receiver that is slow sees the last one.
    pub fn subscribe(&self) -> revisions::Receiver<u64> {
        self.0.revision.subscribe()
    }

    /// Asks for a share of the keys, as the program's own source; other sources may cap it. More than 100 is 100.
    pub fn set_percent(&self, percent: u8) {
        self.set_stage(stage_for(percent));
    }

    /// Asks for a stage, as the program's own source; other sources may cap it.
    pub fn set_stage(&self, stage: Stage) {
        self.0.change(|inputs| inputs.with(program::reading(stage)));
    }

    /// Sets where a tenant's or a session's units of work run, for `ttl` or until it is removed.
    ///
    /// Blocking always holds. Async holds as far as the caps go: it passes the share, and neither a rollback, nor the kill file, nor a
    /// `USE_ASYNC_DB` that is off, nor the environment's `max_stage`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an empty key.
    pub fn set_override(
        &self,
        key: &str,
        backend: BackendKind,
        ttl: Option<Duration>,
    ) -> Result<()> {
        if key.is_empty() {
            return Err(Error::new(
                ErrorKind::Config,
                "an override needs a key: a tenant or a session",
            ));
        }
        // A time so far off that the clock cannot show it never comes.
        let ends = ttl.and_then(|ttl| Instant::now().checked_add(ttl));
        self.0.change(|mut inputs| {
            inputs.overrides = Arc::new(inputs.overrides.with(key, backend, ends));
            inputs
        });
        Ok(())
    }

    /// Removes a key's override; whether there was one.
    pub fn remove_override(&self, key: &str) -> bool {
        let there = self.overrides().iter().any(|set| set.key == key);
        self.0.change(|mut inputs| {
            inputs.overrides = Arc::new(inputs.overrides.without(key));
            inputs
        });
        there
    }

    /// The keys whose backend is set, by name.
    pub fn overrides(&self) -> Vec<Override> {
        self.0.current.load().inputs().overrides.list()
    }

    /// Looks at all sources now. What is wrong raises an [alarm](Self::alarm) and leaves what was right before in force.
    ///
    /// It reads files, and waits up to half a second for a file that is being written: keep it off the threads of an async runtime.
    pub fn reload(&self) {
        let _looking = lock(&self.0.looking);
        for (name, source) in &self.0.sources {
            let writes = self.0.writes.load(Ordering::Acquire);
            let Some(last) = self.0.last(name) else {
                continue;
            };
            let Some(reading) = source.read(&last) else {
                continue;
            };
            if *name == kill_file::NAME {
                self.0
                    .change(|inputs| inputs.seen_kill_file(reading.clone(), writes));
            } else {
                self.0.change(|inputs| inputs.with(reading.clone()));
            }
        }
        self.0.change(|mut inputs| {
            if let Some(swept) = inputs.overrides.swept() {
                inputs.overrides = Arc::new(swept);
            }
            inputs.with_cohort()
        });
    }
}

fn stage_for(percent: u8) -> Stage {
    match percent {
        0 => Stage::Off,
        percent => Stage::serving(Share::percent(percent)),
    }
}

/// A thread that panicked with the lock left nothing half done behind: the locks guard an order, not data.
fn lock(mutex: &Mutex<()>) -> MutexGuard<'_, ()> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    /// Replaces the snapshot by what `edit` makes of it, again where another change came first. Nothing changes where the inputs stay.
    fn change(&self, edit: impl Fn(Inputs) -> Inputs) -> Arc<Snapshot> {
        let mut current = self.current.load();
        loop {
            let inputs = edit(current.inputs().clone());
            if inputs == *current.inputs() {
                return Arc::clone(&current);
            }
            let next = Arc::new(Snapshot::new(current.revision() + 1, inputs));
            let before = self.current.compare_and_swap(&*current, Arc::clone(&next));
            if Arc::ptr_eq(&before, &current) {
                self.tell(&before, &next);
                return next;
            }
            current = before;
        }
    }

    fn tell(&self, before: &Snapshot, next: &Snapshot) {
        let revision = next.revision();
        // Two changes may tell in the other order.
        self.revision.send_if_modified(|told| {
            let newer = revision > *told;
            *told = revision.max(*told);
            newer
        });
        if before.outcome() != next.outcome() {
            let (stage, share) = (next.stage(), next.share());
            tracing::info!(revision, %stage, %share, was = %before.stage(), "the flag is at {stage}, revision {revision}");
        }
        let known = before.alarms();
        for alarm in next.alarms().iter().filter(|alarm| !known.contains(alarm)) {
            tracing::error!(revision, "{alarm}");
        }
    }

    fn last(&self, name: &str) -> Option<Reading> {
        let snapshot = self.current.load();
        let mut readings = snapshot.inputs().readings.iter();
        readings.find(|reading| reading.name == name).cloned()
    }
}

#[cfg(test)]
mod tests;
