//! Every file under some roots, worked on by all cores, with the results in the order of the names.
//!
//! One thread walks, because only a walk in order lets results be printed in order without holding them all: at most [`WINDOW`] batches of
//! files are between the walk and the printing, so memory does not grow with the tree.

use crate::cli::exit::{Failure, Outcome};
use crate::error::{Error, ErrorKind};
use crate::sql::source::{LANGUAGES, language_of};
use ignore::{DirEntry, WalkBuilder};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io, thread};

/// How many batches are on their way at once.
const WINDOW: usize = 128;

/// How many files a core is handed at once: the threads wake each other for each batch. The first of all go one by one, since a few large
/// files are to be shared.
const BATCH: usize = 8;
const ONE_BY_ONE: usize = 128;

/// A deeply nested expression takes the parser deep down.
const STACK: usize = 64 << 20;

/// What the walk came upon.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    /// A file in a language that is known.
    File(PathBuf),
    /// What could not be walked, and why.
    Closed(String, String),
}

impl Entry {
    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Closed(name, _) => name.clone(),
        }
    }
}

/// Entries with the number of their batch.
type Batch = (usize, Vec<Entry>);

/// A batch's number, its entries, and what came of them.
type Worked<T> = (usize, Vec<(Entry, Outcome<T>)>);

/// The roots as they are to be walked: each is there, and none lies in another.
pub(super) fn roots(paths: &[PathBuf]) -> Outcome<Vec<PathBuf>> {
    let mut real = Vec::new();
    for path in paths {
        let found = fs::canonicalize(path).map_err(|error| missing(path, &error))?;
        if found.is_file() && language_of(path).is_none() {
            let known = LANGUAGES.iter().flat_map(|language| language.extensions);
            let known: Vec<String> = known.map(|ending| format!(".{ending}")).collect();
            return Err(Failure::Usage(format!(
                "{}: files that can be converted end with {}; SQL in any other goes through stdin",
                path.display(),
                known.join(", ")
            )));
        }
        real.push(found);
    }
    let covered = |at: usize| {
        let mut others = real.iter().enumerate();
        others.any(|(other, root)| {
            other != at && real[at].starts_with(root) && (real[at] != *root || other < at)
        })
    };
    let kept = paths.iter().enumerate().filter(|(at, _)| !covered(*at));
    Ok(kept.map(|(_, path)| path.clone()).collect())
}

fn missing(path: &Path, error: &io::Error) -> Failure {
    let what = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        _ => error.to_string(),
    };
    Failure::Usage(format!("{}: {what}", path.display()))
}

/// Does `work` for every entry and gives the results to `each`, in order. An error of `each`, or a panic of `work`, ends the work.
pub(super) fn work<T: Send>(
    entries: impl Iterator<Item = Entry> + Send,
    work: impl Fn(&Entry) -> T + Sync,
    each: impl FnMut(Entry, T) -> Outcome<()>,
) -> Outcome<()> {
    let (free, tickets) = sync_channel(WINDOW);
    let (jobs, taken) = sync_channel(WINDOW);
    let (results, done) = channel();
    let taken = Arc::new(Mutex::new(taken));
    // With as many tickets as the channel holds, no one waits for room in it.
    for _ in 0..WINDOW {
        let _ = free.send(());
    }
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            let (taken, results, work) = (Arc::clone(&taken), results.clone(), &work);
            let run = move || help(&taken, &results, work);
            let builder = thread::Builder::new().name("pontoon-convert".to_owned());
            builder
                .stack_size(STACK)
                .spawn_scoped(scope, run)
                .map_err(|error| Failure::System("no threads to convert with".to_owned(), error))?;
        }
        drop((taken, results));
        scope.spawn(move || hand_out(batches(entries), &tickets, &jobs));
        in_order(done, free, each)
    })
}

fn batches(mut entries: impl Iterator<Item = Entry>) -> impl Iterator<Item = Vec<Entry>> {
    let mut given = 0;
    std::iter::from_fn(move || {
        let size = if given < ONE_BY_ONE { 1 } else { BATCH };
        let batch: Vec<_> = entries.by_ref().take(size).collect();
        given += batch.len();
        (!batch.is_empty()).then_some(batch)
    })
}

/// Hands out the batches, each with its number.
fn hand_out(
    batches: impl Iterator<Item = Vec<Entry>>,
    tickets: &Receiver<()>,
    jobs: &SyncSender<Batch>,
) {
    for job in batches.enumerate() {
        if tickets.recv().is_err() || jobs.send(job).is_err() {
            return;
        }
    }
}

/// Takes files until there are none, or nobody wants results.
fn help<T>(
    jobs: &Mutex<Receiver<Batch>>,
    results: &Sender<Worked<T>>,
    work: &impl Fn(&Entry) -> T,
) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, entries)) = job else { return };
        let worked = entries.into_iter().map(|entry| {
            let result = guarded(&entry, work);
            (entry, result)
        });
        if results.send((number, worked.collect())).is_err() {
            return;
        }
    }
}

/// What `work` makes of the entry. Each number has a result, also after a panic: else everything behind it would wait for it.
fn guarded<T>(entry: &Entry, work: &impl Fn(&Entry) -> T) -> Outcome<T> {
    // The failure ends the run, so that nobody sees what the panic left half done.
    catch_unwind(AssertUnwindSafe(|| work(entry))).map_err(|_told_by_the_hook| {
        let message = format!("{}: the work on it panicked", entry.name());
        Error::new(ErrorKind::Panic, message).into()
    })
}

/// Takes both ends with it when it returns: that is how the walk and the helpers learn that nobody wants more.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the channels have to end with the function"
)]
fn in_order<T>(
    done: Receiver<Worked<T>>,
    free: SyncSender<()>,
    mut each: impl FnMut(Entry, T) -> Outcome<()>,
) -> Outcome<()> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for (number, worked) in done {
        waiting.insert(number, worked);
        while let Some(worked) = waiting.remove(&next) {
            next += 1;
            // The walk may have ended, and then needs no more tickets.
            let _ = free.send(());
            for (entry, result) in worked {
                each(entry, result?)?;
            }
        }
    }
    Ok(())
}

/// The files under the roots.
pub(super) fn entries(roots: &[PathBuf]) -> impl Iterator<Item = Entry> + Send {
    roots.iter().flat_map(|root| under(root))
}

/// The files under a root, by name. A root that is a file is taken as it is; a link inside a folder is not followed.
fn under(root: &Path) -> impl Iterator<Item = Entry> + Send + use<> {
    let mut builder = WalkBuilder::new(root);
    builder
        .require_git(false)
        .sort_by_file_name(std::ffi::OsStr::cmp);
    builder.build().filter_map(|entry| match entry {
        Ok(entry) => is_source(&entry).then(|| Entry::File(entry.into_path())),
        Err(error) => {
            let file = path_of(&error).map_or_else(String::new, |path| path.display().to_string());
            let why = error
                .io_error()
                .map_or_else(|| error.to_string(), ToString::to_string);
            Some(Entry::Closed(file, why))
        }
    })
}

fn is_source(entry: &DirEntry) -> bool {
    // A root is a file if the link leads to one.
    let is_file = if entry.depth() == 0 {
        entry.path().is_file()
    } else {
        entry.file_type().is_some_and(|kind| kind.is_file())
    };
    is_file && language_of(entry.path()).is_some()
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of(err)
        }
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: usize = ONE_BY_ONE + (WINDOW + 3) * BATCH + 1;

    fn tree(files: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..files {
            let path = folder
                .path()
                .join(format!("{}/{number:04}.sql", number % 3));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "SELECT 1").unwrap();
        }
        folder
    }

    fn number(entry: &Entry) -> usize {
        let Entry::File(path) = entry else {
            panic!("{entry:?}")
        };
        path.file_stem().unwrap().to_str().unwrap().parse().unwrap()
    }

    #[test]
    fn more_files_than_the_window_come_in_the_order_of_their_names() {
        let folder = tree(FILES);
        let mut found = Vec::new();
        work(entries(&[folder.path().to_owned()]), number, |_, number| {
            found.push(number);
            Ok(())
        })
        .unwrap();
        let expected: Vec<usize> = (0..3).flat_map(|first| (first..FILES).step_by(3)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn who_wants_no_more_ends_the_walk() {
        let folder = tree(FILES);
        let mut taken = 0;
        let ended = work(entries(&[folder.path().to_owned()]), number, |_, _| {
            taken += 1;
            match taken {
                3 => Err(Failure::Output(io::ErrorKind::BrokenPipe.into())),
                _ => Ok(()),
            }
        });
        assert!(ended.is_err());
        assert_eq!(taken, 3);
    }

    #[test]
    fn a_panic_ends_the_work_and_names_the_file() {
        let folder = tree(FILES);
        let (mut taken, roots) = (0, [folder.path().to_owned()]);
        let ended = work(
            entries(&roots),
            |entry| match number(entry) {
                // The third by name: more than a window of batches is behind it.
                6 => panic!("on purpose"),
                number => number,
            },
            |_, _| {
                taken += 1;
                Ok(())
            },
        );
        let Err(Failure::Error(error)) = ended else {
            panic!("{ended:?}")
        };
        assert_eq!((error.kind(), taken), (ErrorKind::Panic, 2));
        assert!(error.to_string().contains("0006.sql"), "{error}");
    }

    #[test]
    fn a_root_in_another_is_walked_once() {
        let folder = tree(3);
        let whole = folder.path().to_owned();
        let part = whole.join("1");
        let kept = roots(&[
            part.clone(),
            whole.clone(),
            whole.clone(),
            part.join("0001.sql"),
        ]);
        assert_eq!(kept.unwrap(), [whole]);
        assert!(matches!(
            roots(&[part.join("none")]),
            Err(Failure::Usage(_))
        ));
    }
}
