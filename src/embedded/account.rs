//! The user that the server runs as: this one, or an unprivileged one where this process is root.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use super::EmbeddedError;

/// Variables that the children keep: what they need to find programs and shared libraries. Everything else, secrets
/// and `PG*` defaults above all, stays with the parent.
const KEPT: [&str; 4] = [
    "PATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "LOCALE_ARCHIVE",
];

/// Accounts that a root process hands the server to, best first.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Who runs the server.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Whether this process is root and becomes another user for the server.
    pub(super) switches: bool,
}

impl Account {
    /// The user to run the server as.
    ///
    /// # Errors
    /// [`EmbeddedError::NoAccount`] when this process is root and no unprivileged user exists.
    pub(super) fn choose() -> Result<Self, EmbeddedError> {
        let uid = rustix::process::geteuid().as_raw();
        if uid != 0 {
            let gid = rustix::process::getegid().as_raw();
            return Ok(Self {
                name: uid.to_string(),
                uid,
                gid,
                switches: false,
            });
        }
        let found = UNPRIVILEGED.iter().find_map(|name| Self::named(name));
        found.ok_or(EmbeddedError::NoAccount)
    }

    fn named(name: &str) -> Option<Self> {
        let uid = id("-u", name)?;
        let gid = id("-g", name)?;
        (uid != 0).then(|| Self {
            name: name.to_owned(),
            uid,
            gid,
            switches: true,
        })
    }

    /// A command that runs as this user, from `/`, in a process group of its own and with a bare environment.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").process_group(0).env_clear();
        command.envs(
            KEPT.iter()
                .filter_map(|name| Some((name, env::var_os(name)?))),
        );
        command.envs([("LC_ALL", "C"), ("TZ", "UTC")]);
        if env::var_os("PATH").is_none() {
            command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
        }
        if self.switches {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Gives `path` to this user, where this process runs as another.
    pub(super) fn own(&self, path: &Path) -> Result<(), EmbeddedError> {
        if !self.switches {
            return Ok(());
        }
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))
            .map_err(EmbeddedError::io("give away", path))
    }

    /// Tells the first folder on the way to `path` that this user cannot enter. What does not exist yet is not judged:
    /// it will be made open.
    pub(super) fn closed_to(&self, path: &Path) -> Option<PathBuf> {
        if !self.switches {
            return None;
        }
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut folders: Vec<&Path> = real.ancestors().collect();
        folders.reverse();
        folders
            .into_iter()
            .find(|folder| !self.may_enter(folder))
            .map(Path::to_owned)
    }

    fn may_enter(&self, path: &Path) -> bool {
        let Ok(meta) = fs::metadata(path) else {
            return true;
        };
        let execute = match () {
            () if meta.uid() == self.uid => 0o100,
            () if meta.gid() == self.gid => 0o010,
            () => 0o001,
        };
        !meta.is_dir() || meta.mode() & execute != 0
    }
}

fn id(flag: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([flag, name]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn stranger() -> Account {
        Account {
            name: String::from("stranger"),
            uid: 4_000_001,
            gid: 4_000_001,
            switches: true,
        }
    }

    #[test]
    fn a_closed_folder_on_the_way_is_named() {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let shut = root.path().join("shut");
        fs::create_dir_all(shut.join("in")).unwrap();
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o700)).unwrap();
        let closed = stranger().closed_to(&shut.join("in"));
        assert_eq!(closed, Some(fs::canonicalize(&shut).unwrap()));
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o711)).unwrap();
        assert_eq!(stranger().closed_to(&shut.join("in")), None);
    }

    #[test]
    fn the_children_see_no_variable_of_the_parent_but_the_needed() {
        let account = Account::choose().unwrap();
        let output = account.command(Path::new("env")).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("TZ=UTC"), "{text}");
        assert!(
            !text.contains("CARGO"),
            "the test's own CARGO variables do not reach the child: {text}"
        );
    }

    #[test]
    fn root_never_runs_the_server() {
        assert_ne!(Account::choose().unwrap().uid, 0);
    }
}
