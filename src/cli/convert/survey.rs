//! What is learnt of all files before the first is converted.
//!
//! A file is converted knowing what the others execute and read of its texts, whatever their names and order. So each is looked at
//! once for the names that it gives to SQL; only with all of these known can it be told what executes and reads them, and whose texts are
//! meant. Of a file in which nothing can be found no more is kept than that it was there.

use super::entries::Entries;
use super::file;
use super::tree::{self, Entry};
use crate::cli::exit::Outcome;
use crate::sql::source::{Constants, Holds, Uses};
use indicatif::ProgressBar;
use std::path::PathBuf;

/// What is known of the files under some roots.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// What they execute and read of each other's texts.
    pub(super) uses: Uses,
    /// Those in which something may be found, or that cannot be read, in the order of the walk.
    pub(super) files: Entries,
    /// How many others there are.
    pub(super) others: usize,
}

impl Survey {
    /// Looks at the files under the roots, and tells `progress` of each.
    pub(super) fn of(roots: &[PathBuf], progress: &ProgressBar) -> Outcome<Self> {
        let (walked, constants) = look(roots, progress)?;
        let mut survey = Self::default();
        survey.follow(&walked, &constants)?;
        survey.choose(&walked);
        survey.hold()?;
        Ok(survey)
    }

    /// Notes what executes and reads a name that a file gives to SQL.
    fn follow(&mut self, walked: &Walked, constants: &Constants) -> Outcome<()> {
        if constants.is_empty() {
            return Ok(());
        }
        tree::work(
            walked.files.iter(),
            |entry| file::uses(entry, constants),
            |_, uses| {
                self.uses.add(uses);
                Ok(())
            },
        )
    }

    /// Keeps the files with queries, and those with texts that another one means.
    fn choose(&mut self, walked: &Walked) {
        let files = walked.files.iter().zip(&walked.holds);
        let kept = files.filter_map(|(entry, holds)| {
            let kept = match holds {
                Holds::Queries => true,
                Holds::Texts => file::may_hold(&entry, &self.uses),
                Holds::Nothing => false,
            };
            kept.then_some(entry)
        });
        self.files.extend(kept);
        self.others = walked.files.len() - self.files.len();
    }

    /// Notes which of the texts that files execute others of them hold.
    fn hold(&self) -> Outcome<()> {
        let may_hold = |entry: &Entry| file::may_be_executed(entry, &self.uses);
        let holding = self.files.iter().filter(may_hold);
        tree::work(
            holding,
            |entry| file::hold(entry, &self.uses),
            |_, ()| Ok(()),
        )
    }
}

/// The files that the walk came upon, and what each may hold.
#[derive(Debug, Default)]
struct Walked {
    files: Entries,
    holds: Vec<Holds>,
}

/// Looks at every file for the names that it gives to SQL.
fn look(roots: &[PathBuf], progress: &ProgressBar) -> Outcome<(Walked, Constants)> {
    let (mut walked, mut constants) = (Walked::default(), Constants::default());
    tree::work(tree::entries(roots), file::look, |entry, seen| {
        progress.inc(1);
        constants.add(seen.constants);
        walked.files.push(entry);
        walked.holds.push(seen.holds);
        Ok(())
    })?;
    Ok((walked, constants))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// The names of the files that are kept, and how many are not.
    fn surveyed(files: &[(&str, &[u8])]) -> (Vec<String>, usize, Uses) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let survey = Survey::of(&[folder.path().to_owned()], &ProgressBar::hidden()).unwrap();
        let name = |entry: Entry| match entry {
            Entry::File(path) => path.file_name().unwrap().to_str().unwrap().to_owned(),
            Entry::Closed(name, _) => name,
        };
        let kept = survey.files.iter().map(name).collect();
        (kept, survey.others, survey.uses)
    }

    #[test]
    fn files_are_kept_in_which_something_can_be_found() {
        let (kept, others, _) = surveyed(&[
            ("a.py", b"import os\nprint(os.name)\n"),
            ("b.py", b"cur.execute('SELECT 1')\n"),
            ("c.py", b"\xff"),
            ("d.py", b"A = 'set'\n"),
            ("e.sql", b""),
            ("f.py", b"A = 'SELECT 1'\n"),
        ]);
        assert_eq!(
            (kept, others),
            (vec!["b.py".into(), "c.py".into(), "e.sql".into()], 3)
        );
    }

    #[test]
    fn texts_are_kept_for_whoever_means_them_whatever_the_files_are_called() {
        let constant = b"FIND = 'SELECT a FROM t'\nSHOWN = 'SELECT b FROM t'\n";
        for (holder, executes, reads) in [("a", "b", "c"), ("c", "a", "b"), ("b", "c", "a")] {
            let named = |name: &str| format!("{name}.py");
            let execute = format!("import {holder}\ncur.execute({holder}.FIND)\n");
            let read = format!("from {holder} import SHOWN\nprint(SHOWN)\n");
            let (kept, others, uses) = surveyed(&[
                (&named(holder), constant),
                (&named(executes), execute.as_bytes()),
                (&named(reads), read.as_bytes()),
            ]);
            let mut expected = vec![named(holder), named(executes)];
            expected.sort();
            assert_eq!((kept, others), (expected, 1));
            let path = PathBuf::from("/").join(named(holder));
            assert!(uses.may_mean(&path, "SHOWN = 1"));
            assert!(uses.may_execute(&path, "FIND = 1"));
            assert!(!uses.may_execute(&path, "SHOWN = 1"));
        }
    }
}
