//! Back to blocking at once, and the kill file that makes it last.
//!
//! The order matters. First the snapshot is replaced: from then on every decision is blocking, and nothing that follows can undo it. Then the
//! kill file is written, on a thread of its own, for other processes and for a restart.

use super::snapshot::{Held, Written};
use super::source::kill_file::{self, Note};
use super::{Flags, Inner, lock};
use crate::error::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

/// A rollback that has happened.
#[derive(Debug)]
pub struct Rollback {
    /// The revision since which everything new is blocking.
    pub revision: u64,
    file: Option<JoinHandle<Result<()>>>,
}

impl Rollback {
    /// Waits until the kill file is written, where one is configured.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when it could not be. The rollback of this process stands all the same.
    pub fn written(self) -> Result<()> {
        let Some(writer) = self.file else {
            return Ok(());
        };
        writer.join().unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::Panic,
                "the thread that writes the kill file panicked",
            ))
        })
    }
}

impl Flags {
    /// Sends everything that begins from now on to blocking. When it returns, no later decision is async.
    ///
    /// It cannot be refused and waits for nothing: the swap comes first, and the kill file, if one is configured, is written on a thread of
    /// its own. A file that cannot be written raises an [alarm](Self::alarm), and the swap stands.
    /// It stands until [`lift_rollback`](Self::lift_rollback), or until somebody removes the kill file that it wrote.
    pub fn rollback(&self, reason: impl Into<String>, who: impl Into<String>) -> Rollback {
        let note = Note::new(reason.into(), who.into(), SystemTime::now());
        let number = self.0.rollbacks.fetch_add(1, Ordering::Relaxed) + 1;
        let snapshot = self.0.change(|mut inputs| {
            let (note, file) = (note.clone(), Written::No);
            inputs.held = Some(Held { number, note, file });
            inputs
        });
        Rollback {
            revision: snapshot.revision(),
            file: Inner::write_kill_file(&self.0, note, number),
        }
    }

    /// Ends a rollback: removes the kill file, and goes back to what the other sources say.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when the kill file cannot be removed; the rollback stands then.
    pub fn lift_rollback(&self) -> Result<()> {
        let _writing = lock(&self.0.writing);
        if let Some(path) = &self.0.kill_file {
            kill_file::remove(path)?;
        }
        self.0.change(|mut inputs| {
            inputs.held = None;
            inputs
        });
        self.reload();
        Ok(())
    }
}

impl Inner {
    fn write_kill_file(
        self: &Arc<Self>,
        note: Note,
        number: u64,
    ) -> Option<JoinHandle<Result<()>>> {
        let path = self.kill_file.clone()?;
        let inner = Arc::clone(self);
        let write = move || {
            let _writing = lock(&inner.writing);
            if !inner.holds(number) {
                // It was lifted, or another one followed that writes its own.
                return Ok(());
            }
            let written = note.write(&path);
            inner.wrote(number, &written);
            written
        };
        match thread::Builder::new()
            .name("pontoon-rollback".into())
            .spawn(write)
        {
            Ok(writer) => Some(writer),
            Err(error) => {
                let error = Error::new(
                    ErrorKind::Config,
                    format!("no thread to write the kill file on: {error}"),
                );
                self.wrote(number, &Err(error));
                None
            }
        }
    }

    fn holds(&self, number: u64) -> bool {
        let snapshot = self.current.load();
        snapshot
            .inputs()
            .held
            .as_ref()
            .is_some_and(|held| held.number == number)
    }

    fn wrote(&self, number: u64, result: &Result<()>) {
        let file = match result {
            Ok(()) => Written::Since(self.writes.fetch_add(1, Ordering::AcqRel) + 1),
            Err(error) => Written::Failed(error.to_string()),
        };
        self.change(|mut inputs| {
            if let Some(held) = &mut inputs.held
                && held.number == number
            {
                held.file = file.clone();
            }
            inputs
        });
    }
}
