//! The names that files give to SQL.

use rustc_hash::FxHashMap;

/// A name that a file gives to a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constant {
    /// The name, without those of the classes around it.
    pub name: String,
    /// Whether the text is surely SQL; else it is if a call executes it.
    pub sure: bool,
}

/// The names that the files of a run give to what may be SQL, and whether it surely is.
#[derive(Debug, Default)]
pub struct Constants(FxHashMap<String, bool>);

impl Constants {
    /// Adds the names that a file gives to what may be SQL.
    pub fn add(&mut self, constants: Vec<Constant>) {
        for Constant { name, sure } in constants {
            *self.0.entry(name).or_default() |= sure;
        }
    }

    /// Whether no file gives a name to SQL.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the name is surely SQL in a file; none if no file gives it to what may be.
    pub(super) fn sure(&self, name: &str) -> Option<bool> {
        self.0.get(name).copied()
    }

    /// Whether a file gives that name to what may be SQL.
    pub(super) fn may_hold(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether a file gives that name to what surely is.
    pub(super) fn hold(&self, name: &str) -> bool {
        self.sure(name) == Some(true)
    }
}
