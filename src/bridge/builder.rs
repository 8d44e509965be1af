//! What a bridge is built from.

use super::Bridge;
use crate::backend::{self, BackendKind, Budget, Settings, StorageBackend, Target};
use crate::error::Result;
use crate::flags::Flags;
use std::sync::Arc;

/// Builds a [`Bridge`]; every wrong setting is found by [`build`](Builder::build).
#[derive(Debug)]
#[must_use]
pub struct Builder {
    url: String,
    settings: Settings,
    budget: Arc<Budget>,
    flags: Option<Flags>,
    given: Vec<Arc<dyn StorageBackend>>,
}

impl Builder {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            settings: Settings::default(),
            budget: Budget::new(20),
            flags: None,
            given: Vec::new(),
        }
    }

    /// How both backends connect, what they set on each connection, and how long they wait.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// How many connections both backends may use together; 20 by default.
    pub fn budget(mut self, connections: usize) -> Self {
        self.budget = Budget::new(connections);
        self
    }

    /// The budget that a backend which is handed in takes from already: so the one that is opened beside it shares it.
    pub fn shared_budget(mut self, budget: Arc<Budget>) -> Self {
        self.budget = budget;
        self
    }

    /// The flag that decides; without one everything is blocking.
    pub fn flags(mut self, flags: Flags) -> Self {
        self.flags = Some(flags);
        self
    }

    /// Uses this backend for its kind instead of opening one: a service that has a pool already hands it in so.
    pub fn with_backend(mut self, backend: impl StorageBackend) -> Self {
        self.given.push(Arc::new(backend));
        self
    }

    /// The bridge. It opens no connection yet.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the URL is wrong, or a certificate or key cannot be read.
    pub fn build(self) -> Result<Bridge> {
        let Self {
            url,
            settings,
            budget,
            flags,
            given,
        } = self;
        let find = |kind| given.iter().find(|backend| backend.kind() == kind).cloned();
        let side = |kind: BackendKind| match find(kind) {
            Some(backend) => Ok(Some(backend)),
            None if kind.is_compiled_in() => backend::connect(
                kind,
                &Target::parse(&url)?,
                settings.clone(),
                Arc::clone(&budget),
            )
            .map(Some),
            None => Ok(None),
        };
        let flags = flags.unwrap_or_else(|| Flags::fixed(BackendKind::Blocking));
        let (blocking, asynchronous) = (side(BackendKind::Blocking)?, side(BackendKind::Async)?);
        Ok(Bridge::over(flags, blocking, asynchronous, budget))
    }
}
