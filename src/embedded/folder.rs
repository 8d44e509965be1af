//! The folder that holds the cluster: who owns it, one cluster a major version, the socket, what an earlier run left.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, fs};

use rustix::fs::FlockOperation;
use rustix::process::Signal;

use super::EmbeddedError;
use super::account::Account;
use super::binaries::Binaries;
use super::process;

/// A socket's whole path must fit into the 104 to 108 bytes of its address; a reserve stays for the lock beside it.
const LONGEST_SOCKET: usize = 90;

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
        if root.join("PG_VERSION").exists() {
            return Err(EmbeddedError::ForeignCluster {
                folder: root.to_owned(),
            });
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
        let root = scratch(account)?;
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

    /// Makes the cluster where there is none yet, and tells its folder.
    ///
    /// # Errors
    /// [`EmbeddedError::Initdb`] with what `initdb` printed, or [`EmbeddedError::WrongOwner`].
    pub(super) fn ensure_cluster(
        &self,
        binaries: &Binaries,
        account: &Account,
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
        initdb(&unfinished, binaries, account).inspect_err(|_| remove(&unfinished))?;
        fs::rename(&unfinished, &cluster).map_err(EmbeddedError::io("rename", &unfinished))?;
        Ok(cluster)
    }

    fn remove_unfinished(&self) {
        let Ok(entries) = fs::read_dir(&self.root) else {
            return;
        };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        paths
            .filter(|path| path.extension().is_some_and(|extension| extension == "new"))
            .for_each(|path| remove(&path));
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
        if fits(&inside, port) {
            return Ok(inside);
        }
        let short = scratch(account)?;
        self.scratch = Some(short.clone());
        Ok(short)
    }

    /// Ends a server of an earlier run that outlived its parent and its watchdog, and removes a pid file that names a
    /// process which is no server of this cluster. The lock makes this safe: nobody else uses the folder.
    ///
    /// # Errors
    /// [`EmbeddedError::Orphan`] when the server does not even end when it is killed.
    pub(super) fn end_orphans(&self, cluster: &Path) -> Result<(), EmbeddedError> {
        let first = process::pid_file(cluster);
        let steps = [(Signal::INT, 10), (Signal::QUIT, 7), (Signal::KILL, 5)];
        for (signal, seconds) in steps {
            let living = process::of_cluster(cluster);
            if living.is_empty() {
                break;
            }
            tracing::warn!(pids = ?living, "stopping a server that an earlier run left on {}", cluster.display());
            for pid in &living {
                process::signal(*pid, Signal::CONT);
            }
            // The first process ends the others in order; without it, each is told by itself.
            match first.filter(|first| living.contains(first) && signal != Signal::KILL) {
                Some(first) => process::signal(first, signal),
                None => living.iter().for_each(|&pid| process::signal(pid, signal)),
            }
            process::wait_until(Duration::from_secs(seconds), || {
                process::of_cluster(cluster).is_empty()
            });
        }
        if let Some(&pid) = process::of_cluster(cluster).first() {
            return Err(EmbeddedError::Orphan {
                folder: cluster.to_owned(),
                pid,
            });
        }
        // A dead process's file the server removes by itself, after a look at its shared memory. One whose number was
        // given to another process makes it refuse to start.
        if process::pid_file(cluster).is_some_and(process::exists) {
            let file = cluster.join("postmaster.pid");
            tracing::warn!(
                "removing {}, which names a process that is not this server",
                file.display()
            );
            fs::remove_file(&file).map_err(EmbeddedError::io("remove", &file))?;
        }
        Ok(())
    }
}

/// The folder for data that nobody named: `$XDG_DATA_HOME/pontoon` or the platform's; `/var/lib/pontoon` where root's
/// own is closed to the user that the server runs as.
pub(super) fn default_root(account: &Account) -> Result<PathBuf, EmbeddedError> {
    let set = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let named = set("XDG_DATA_HOME").map(|folder| folder.join("pontoon"));
    if let Some(root) = named {
        return Ok(root);
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

fn lock(root: &Path) -> Result<File, EmbeddedError> {
    let path = root.join("lock");
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

fn initdb(folder: &Path, binaries: &Binaries, account: &Account) -> Result<(), EmbeddedError> {
    let mut command = account.command(&binaries.initdb());
    command
        .args([
            "--locale=C",
            "-E",
            "UTF8",
            "-N",
            "-A",
            "trust",
            "-U",
            "postgres",
            "-D",
        ])
        .arg(folder);
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

/// Empties the socket's folder. What is in there belongs to a server that has ended: only the holder of the lock starts
/// one.
pub(super) fn fresh_socket(path: &Path, account: &Account) -> Result<(), EmbeddedError> {
    remove(path);
    make_private(path, account)
}

fn make_private(path: &Path, account: &Account) -> Result<(), EmbeddedError> {
    DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(EmbeddedError::io("create", path))?;
    account.own(path)
}

/// Makes a private folder with a name of its own, in the first temporary place that the server can reach and whose
/// path is short enough for a socket.
fn scratch(account: &Account) -> Result<PathBuf, EmbeddedError> {
    let places = [
        env::temp_dir(),
        PathBuf::from("/tmp"),
        PathBuf::from("/var/tmp"),
    ];
    let usable = |place: &&PathBuf| {
        let real = fs::canonicalize(place);
        real.is_ok_and(|real| {
            fits(&real.join(scratch_name(0)).join("socket"), u16::MAX)
                && account.closed_to(&real).is_none()
        })
    };
    let place = places.iter().find(usable).unwrap_or(&places[1]);
    let place = fs::canonicalize(place).map_err(EmbeddedError::io("find", place))?;
    let mut attempt = 0;
    loop {
        let path = place.join(scratch_name(attempt));
        match make_private(&path, account) {
            Ok(()) => return Ok(path),
            Err(EmbeddedError::Io { source, .. })
                if source.kind() == ErrorKind::AlreadyExists && attempt < 100 =>
            {
                attempt += 1
            }
            Err(error) => return Err(error),
        }
    }
}

fn scratch_name(attempt: u32) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.subsec_nanos());
    format!("pontoon-{:x}-{now:08x}{attempt:02x}", std::process::id())
}

/// Whether a socket in this folder has an address, and one that a URL can carry.
fn fits(socket: &Path, port: u16) -> bool {
    socket.to_str().is_some()
        && socket.join(format!(".s.PGSQL.{port}")).as_os_str().len() <= LONGEST_SOCKET
}

/// Removes a folder of ours. A rest is harmless, and a missing one is what was wanted.
pub(super) fn remove(path: &Path) {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!("could not remove {}: {error}", path.display());
        }
        _ => {}
    }
}
