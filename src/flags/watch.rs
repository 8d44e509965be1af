//! Keeps a flag up to date: looks at its sources when something changes in their folders, and twice a second in any case.
//!
//! The folders are watched, not the files, because a file that is replaced by a rename, or that a swapped link leads to, is another file.
//! What a file system does not tell (a network's, a bind mount's), the regular look finds.

use super::{Flags, Inner};
use crate::error::{Error, ErrorKind, Result};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

/// How long a change is unseen at most, where the file system does not tell of it.
const EVERY: Duration = Duration::from_millis(500);

/// How long the watch lets changes gather after the first.
#[cfg(feature = "server")]
const GATHER: Duration = Duration::from_millis(20);

/// Keeps a flag up to date until it is dropped.
#[derive(Debug)]
#[must_use = "dropping the watch ends it"]
pub struct Watch {
    wake: Sender<Wake>,
}

enum Wake {
    #[cfg(feature = "server")]
    Changed,
    Stop,
}

impl Drop for Watch {
    fn drop(&mut self) {
        // A thread that has ended needs no stop.
        let _ = self.wake.send(Wake::Stop);
    }
}

impl Flags {
    /// Looks at the sources again and again, on a thread of its own, until the watch is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when the thread cannot be started.
    pub fn watch(&self) -> Result<Watch> {
        let (wake, woken) = channel();
        let inner = Arc::downgrade(&self.0);
        let folders = Folders::new(self, &wake);
        thread::Builder::new()
            .name("pontoon-flags".into())
            .spawn(move || run(&inner, &woken, folders))
            .map_err(|error| {
                Error::new(
                    ErrorKind::Config,
                    format!("no thread to watch the flag's sources on: {error}"),
                )
                .with_source(error)
            })?;
        Ok(Watch { wake })
    }
}

fn run(inner: &Weak<Inner>, woken: &Receiver<Wake>, mut folders: Folders) {
    loop {
        folders.watch_missing();
        match woken.recv_timeout(EVERY) {
            Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            #[cfg(feature = "server")]
            Ok(Wake::Changed) => {
                // An editor or a deployment makes several changes in a row, and one look at the end of them is enough. The kill file waits
                // with the others: it is not for long.
                thread::sleep(GATHER);
                if woken.try_iter().any(|wake| matches!(wake, Wake::Stop)) {
                    return;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        // Nobody decides by it any more.
        let Some(inner) = inner.upgrade() else { return };
        Flags(inner).reload();
    }
}

#[cfg(feature = "server")]
mod folders {
    use super::{Flags, Sender, Wake};
    use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
    use std::path::PathBuf;

    /// The folders that the operating system watches. One that is not there yet is tried again.
    pub(super) struct Folders {
        watcher: Option<RecommendedWatcher>,
        missing: Vec<PathBuf>,
    }

    impl Folders {
        pub(super) fn new(flags: &Flags, wake: &Sender<Wake>) -> Self {
            let wake = wake.clone();
            let watcher =
                notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                    // The look at a file is itself an access to it.
                    if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
                        // A watch that has ended wants no news.
                        let _ = wake.send(Wake::Changed);
                    }
                });
            let watcher = watcher
                .inspect_err(|error| tracing::warn!(%error, "folders cannot be watched; the flag's files are looked at twice a second"))
                .ok();
            let missing = flags.0.folders.clone();
            Self { watcher, missing }
        }

        pub(super) fn watch_missing(&mut self) {
            if let Some(watcher) = &mut self.watcher {
                self.missing
                    .retain(|folder| watcher.watch(folder, RecursiveMode::NonRecursive).is_err());
            }
        }
    }
}

#[cfg(not(feature = "server"))]
mod folders {
    use super::{Flags, Sender, Wake};

    /// A library that is built without the watcher goes by the regular look alone.
    pub(super) struct Folders;

    impl Folders {
        pub(super) fn new(_flags: &Flags, _wake: &Sender<Wake>) -> Self {
            Self
        }

        #[expect(
            clippy::unused_self,
            reason = "the other Folders has something to watch with"
        )]
        pub(super) fn watch_missing(&mut self) {}
    }
}

use folders::Folders;
