//! Puts a converted file in the place of the old one: whole or not at all, and only if the old one is still what was read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error("the file changed while it was converted; convert it again")]
    Changed,
    #[error("the file is read-only")]
    ReadOnly,
    #[error("{0}")]
    System(#[from] io::Error),
}

/// Writes `new` in the place of `old`, which is what the file held when it was read.
///
/// A link is followed, and stays. Permissions stay, and the draft has no wider ones. Whoever reads meanwhile sees the old file or the new
/// one. What does not stay, because the new file is another one: the owner and the group, where they are not those of whoever converts;
/// other names of the file (hard links), which keep the old text; access lists and extended attributes.
pub(super) fn replace(path: &Path, old: &[u8], new: &[u8]) -> Result<(), WriteError> {
    let real = fs::canonicalize(path)?;
    let permissions = fs::metadata(&real)?.permissions();
    if permissions.readonly() {
        return Err(WriteError::ReadOnly);
    }
    let draft = Draft::create(&real)?;
    let mut file = &draft.file;
    file.write_all(new)?;
    file.set_permissions(permissions)?;
    file.sync_all()?;
    // Between this look and the rename no more than a system call passes.
    if fs::read(&real)? != old {
        return Err(WriteError::Changed);
    }
    fs::rename(&draft.path, &real)?;
    draft.keep();
    sync_folder(&real);
    Ok(())
}

/// A file beside the one to replace. It goes with the value unless it was kept.
#[derive(Debug)]
struct Draft {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Draft {
    fn create(beside: &Path) -> io::Result<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = beside.file_name().unwrap_or_default().to_string_lossy();
        let path = beside.with_file_name(format!(".{name}.pontoon-{}-{number}", process::id()));
        // Until the old file's permissions are set, for this user's eyes only: the old one may have been.
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self {
            path,
            file,
            kept: false,
        })
    }

    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing but a stray file is left if this fails.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes the new name last. A file system that cannot is no reason to undo a written file.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent() {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_file_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a.sql"), folder.path().join("link.sql"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("a.sql", &link).unwrap();
        replace(&link, b"old", b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(names(folder.path()), ["a.sql", "link.sql"]);
    }

    #[test]
    fn nobody_else_reads_the_draft() {
        let folder = tempfile::tempdir().unwrap();
        let draft = Draft::create(&folder.path().join("a.sql")).unwrap();
        let mode = draft.file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_changed_or_may_not_be_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sql");
        fs::write(&path, "newer").unwrap();
        assert!(matches!(
            replace(&path, b"old", b"new"),
            Err(WriteError::Changed)
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
        assert!(matches!(
            replace(&path, b"newer", b"new"),
            Err(WriteError::ReadOnly)
        ));
        assert_eq!(fs::read(&path).unwrap(), b"newer");
        assert_eq!(names(folder.path()), ["a.sql"]);
        assert!(matches!(
            replace(&folder.path().join("none"), b"", b""),
            Err(WriteError::System(_))
        ));
    }
}
