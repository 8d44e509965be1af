//! The sources of the flag: who can say how far the migration may go.
//!
//! Each source gives a [`Reading`]: the most that it permits, and, where it has a say in that, the stage that it asks for. [`resolve`]
//! takes the most cautious.
//!
//! [`resolve`]: super::resolve
//!
//! Adding one: write `source/<name>.rs` with a [`Source`], and push it in `Builder::sources`, before the sources whose base it outranks.

pub(super) mod env;
#[cfg(feature = "server")]
pub(super) mod file;
pub(super) mod kill_file;
pub(super) mod overrides;
pub(super) mod program;

use crate::config::{FlagsFile, Stage};
use crate::error::Result;
use std::fmt::Debug;
use std::sync::Arc;

/// A source that is looked at again and again.
pub(super) trait Source: Debug + Send + Sync {
    /// What the source says at the start.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where it is wrong: at a start there is nothing good to keep.
    fn first(&self) -> Result<Reading>;

    /// What the source says now; `None` where it never says anything new. `last` is what it said before: a source that cannot tell now
    /// keeps it, and says so in [`Reading::alarm`].
    fn read(&self, _last: &Reading) -> Option<Reading> {
        None
    }
}

/// What one source says.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Reading {
    /// The source's name.
    pub name: &'static str,
    /// The most that it permits; `complete` is no cap.
    pub cap: Stage,
    /// What it said, in words.
    pub detail: String,
    /// The stage that it asks for, if it does. The first source that asks for one sets the base.
    #[serde(skip)]
    pub(super) base: Option<Stage>,
    /// What keeps it from being read.
    #[serde(skip)]
    pub(super) alarm: Option<String>,
    /// The plan that it carries.
    #[serde(skip)]
    pub(super) rules: Option<Arc<FlagsFile>>,
    /// The text that it was read from.
    #[serde(skip)]
    pub(super) text: Option<Arc<str>>,
    /// Whether what it says is a rollback.
    #[serde(skip)]
    pub(super) rolled_back: bool,
}

impl Reading {
    /// A reading that permits everything and asks for nothing.
    pub(super) fn silent(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            cap: Stage::Complete,
            detail: detail.into(),
            base: None,
            alarm: None,
            rules: None,
            text: None,
            rolled_back: false,
        }
    }
}
