//! The folder that holds the cluster: who owns it, one cluster a major version, the socket, what an earlier run left.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use super::EmbeddedError;
use super::account::Account;
use super::binaries::Binaries;
use super::scratch::{self, make_private, remove};

/// The file that is locked. It also marks the folder as this program's.
const LOCK: &str = "pontoon.lock";

/// A folder that this process alone uses, as long as the value lives.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) root: PathBuf,
    /// Removed at the end, with all that is in it: the whole folder, or the short place of a socket.
    pub(super) scratch: Option<PathBuf>,
    /// The lock that says who owns the folder; it ends with this process.
    _lock: File,
}

impl Folder {
    /// Takes `root` for this process; it is made where it is missing.
    ///
    /// # Errors
    /// [`EmbeddedError::Busy`] when another process has it, and the errors of a place that cannot be used.
    pub(super) fn open(root: &Path, account: &Account) -> Result<Self, EmbeddedError> {
        if let Some(found) = foreign(root) {
            let folder = root.to_owned();
            return Err(EmbeddedError::ForeignFolder { folder, found });
        }
        fs::create_dir_all(root).map_err(EmbeddedError::io("create", root))?;
        let root = fs::canonicalize(root).map_err(EmbeddedError::io("find", root))?;
        if let Some(closed) = account.closed_to(&root) {
            return Err(EmbeddedError::Unreachable {
                path: root,
                closed,
                user: account.name.clone(),
            });
        }
        let lock = lock(&root)?;
        Ok(Self {
            root,
            scratch: None,
            _lock: lock,
        })
    }

    /// Makes a temporary folder that ends with the server.
    pub(super) fn temporary(account: &Account) -> Result<Self, EmbeddedError> {
        let root = scratch::make(account)?;
        let mut folder = Self::open(&root, account).inspect_err(|_| remove(&root))?;
        folder.scratch = Some(folder.root.clone());
        Ok(folder)
    }

    /// The major versions that have data here.
    pub(super) fn versions(&self) -> Vec<u32> {
        let Ok(entries) = fs::read_dir(&self.root) else {
            return Vec::new();
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut versions: Vec<u32> = names
            .filter_map(|name| name.strip_prefix("postgres-")?.parse().ok())
            .collect();
        versions.sort_unstable();
        versions
    }

    /// The cluster of one version.
    pub(super) fn cluster(&self, major: u32) -> PathBuf {
        self.root.join(format!("postgres-{major}"))
    }

    /// The server's log; the one of the run before is kept beside it.
    pub(super) fn log(&self, major: u32) -> PathBuf {
        self.root.join(format!("postgres-{major}.log"))
    }

    /// Makes the cluster where there is none yet, and tells its folder. A durable one is on the disk on return.
    ///
    /// # Errors
    /// [`EmbeddedError::Initdb`] with what `initdb` printed, or [`EmbeddedError::WrongOwner`].
    pub(super) fn ensure_cluster(
        &self,
        binaries: &Binaries,
        account: &Account,
        durable: bool,
    ) -> Result<PathBuf, EmbeddedError> {
        self.remove_unfinished();
        let cluster = self.cluster(binaries.major);
        match fs::metadata(&cluster) {
            Ok(meta) if meta.uid() == account.uid => return Ok(cluster),
            Ok(meta) => {
                return Err(EmbeddedError::WrongOwner {
                    folder: cluster,
                    owner: meta.uid(),
                    user: account.uid,
                });
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(EmbeddedError::io("read", &cluster)(error)),
        }
        tracing::info!(folder = %cluster.display(), "making a PostgreSQL {} data folder, once", binaries.major);
        // A cluster is whole or not there: a kill in the middle leaves a name that no start takes for one. The name is
        // this process's own: an `initdb` that outlived its parent must not write into another's folder.
        let unfinished = self.root.join(format!(
            "postgres-{}.{}.new",
            binaries.major,
            std::process::id()
        ));
        make_private(&unfinished, account)?;
        let step = |arguments: &[&str]| initdb(&unfinished, binaries, account, arguments);
        let made = step(&INITDB);
        // `-N` writes without waiting; data that is kept waits once, for all files together, before it gets its name.
        let synced = if durable {
            made.and_then(|()| step(&["--sync-only"]))
        } else {
            made
        };
        synced.inspect_err(|_| remove(&unfinished))?;
        fs::rename(&unfinished, &cluster).map_err(EmbeddedError::io("rename", &unfinished))?;
        Ok(cluster)
    }

    fn remove_unfinished(&self) {
        let Ok(entries) = fs::read_dir(&self.root) else {
            return;
        };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let unfinished = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("postgres-") && path.extension().is_some_and(|end| end == "new")
        };
        paths.filter(unfinished).for_each(|path| remove(&path));
    }

    /// Chooses the place of the socket: in the data folder, or a short one under the temporary folder.
    ///
    /// # Errors
    /// The errors of a place that cannot be used.
    pub(super) fn socket(
        &mut self,
        port: u16,
        account: &Account,
    ) -> Result<PathBuf, EmbeddedError> {
        let inside = self.root.join("socket");
        if scratch::fits(&inside, port) {
            return Ok(inside);
        }
        let short = scratch::make(account)?;
        self.scratch = Some(short.clone());
        Ok(short)
    }
}

/// The folder for data that nobody named: `$XDG_DATA_HOME/pontoon` or the platform's; `/var/lib/pontoon` where root's
/// own is closed to the user that the server runs as.
pub(super) fn default_root(
    account: &Account,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<PathBuf, EmbeddedError> {
    let set = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    if let Some(folder) = set("XDG_DATA_HOME") {
        return Ok(folder.join("pontoon"));
    }
    let inside = if cfg!(target_os = "macos") {
        "Library/Application Support/pontoon"
    } else {
        ".local/share/pontoon"
    };
    match set("HOME").map(|home| home.join(inside)) {
        Some(root) if account.closed_to(&root).is_none() => Ok(root),
        _ if account.switches => Ok(PathBuf::from("/var/lib/pontoon")),
        Some(root) => Ok(root),
        None => Err(EmbeddedError::NoHome),
    }
}

/// Something in a folder that this program did not make. The folder's owner would not forgive a clean-up there.
fn foreign(root: &Path) -> Option<String> {
    if root.join(LOCK).exists() {
        return None;
    }
    let entries = fs::read_dir(root).ok()?;
    let mut names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
    // A file system's own folder, at the root of a volume.
    let found = names.find(|name| name != "lost+found" && name != LOCK);
    found.map(|name| name.to_string_lossy().into_owned())
}

fn lock(root: &Path) -> Result<File, EmbeddedError> {
    let path = root.join(LOCK);
    let open = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let mut file = open.map_err(EmbeddedError::io("open", &path))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut text = String::new();
            // The owner's number is only a help to the reader; without it the refusal stands as well.
            drop(file.read_to_string(&mut text));
            return Err(EmbeddedError::Busy {
                folder: root.to_owned(),
                owner: text.trim().parse().ok(),
            });
        }
        Err(error) => return Err(EmbeddedError::io("lock", &path)(error.into())),
    }
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map_err(EmbeddedError::io("write", &path))?;
    Ok(file)
}

/// The same order and the same text everywhere; trust, because the socket's folder is the door.
const INITDB: [&str; 8] = [
    "--locale=C",
    "-E",
    "UTF8",
    "-N",
    "-A",
    "trust",
    "-U",
    "postgres",
];

fn initdb(
    folder: &Path,
    binaries: &Binaries,
    account: &Account,
    arguments: &[&str],
) -> Result<(), EmbeddedError> {
    let mut command = account.command(&binaries.initdb());
    command.args(arguments).arg("-D").arg(folder);
    let program = binaries.initdb();
    let output = command
        .output()
        .map_err(EmbeddedError::io("run", &program))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(EmbeddedError::Initdb {
        folder: folder.to_owned(),
        output: String::from_utf8_lossy(&text).trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(switches: bool) -> Account {
        Account {
            name: String::from("stranger"),
            uid: 4_000_001,
            gid: 4_000_001,
            switches,
        }
    }

    fn root_for(switches: bool, variables: &[(&str, &str)]) -> Result<PathBuf, EmbeddedError> {
        default_root(&account(switches), |name| {
            let found = variables.iter().find(|(other, _)| *other == name)?;
            Some(OsString::from(found.1))
        })
    }

    #[test]
    fn the_default_folder_is_the_platforms() {
        let named = [("XDG_DATA_HOME", "/data"), ("HOME", "/home/me")];
        assert_eq!(root_for(false, &named).unwrap(), Path::new("/data/pontoon"));
        let relative = [("XDG_DATA_HOME", "data"), ("HOME", "/home/me")];
        let home = root_for(false, &relative).unwrap();
        assert!(
            home.starts_with("/home/me") && home.ends_with("pontoon"),
            "{}",
            home.display()
        );
        assert!(matches!(root_for(false, &[]), Err(EmbeddedError::NoHome)));
    }

    #[test]
    fn roots_home_is_used_only_where_the_servers_user_can_enter() {
        use std::os::unix::fs::PermissionsExt;

        let home = tempfile::tempdir().unwrap();
        let variables = [("HOME", home.path().to_str().unwrap())];
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(
            root_for(true, &variables).unwrap(),
            Path::new("/var/lib/pontoon")
        );
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(root_for(true, &variables).unwrap().starts_with(home.path()));
        assert_eq!(root_for(true, &[]).unwrap(), Path::new("/var/lib/pontoon"));
    }

    #[test]
    fn only_an_empty_folder_or_ones_own_is_taken() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(foreign(root.path()), None);
        assert_eq!(foreign(&root.path().join("missing")), None);
        fs::create_dir(root.path().join("lost+found")).unwrap();
        assert_eq!(foreign(root.path()), None, "an empty volume");
        fs::write(root.path().join("thesis.tex"), "").unwrap();
        assert_eq!(foreign(root.path()), Some(String::from("thesis.tex")));
        fs::write(root.path().join(LOCK), "").unwrap();
        assert_eq!(foreign(root.path()), None);
    }
}
