//! What can keep the private server from starting or stopping, each with the place and the remedy.

use std::io;
use std::path::{Path, PathBuf};

/// Why the private server could not be started, restarted or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// No folder holds usable server binaries.
    #[error("no PostgreSQL server binaries were found ({})\nhint: {advice}, or set PG_BIN to the folder of `postgres` and `initdb`, or set DATABASE_URL to use another server", tried.join("; "))]
    NoBinaries {
        /// Each place that was looked at, and what was wrong there.
        tried: Vec<String>,
        /// The install command for this system.
        advice: String,
    },
    /// `PG_BIN` was given and its folder cannot be used.
    #[error("PG_BIN names {}, which cannot be used: {reason}\nhint: set PG_BIN to the folder that holds `postgres` and `initdb`, or unset it to search for one", folder.display())]
    BadPgBin {
        /// The folder that `PG_BIN` names.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The process is root, and there is no user to run the server as.
    #[error(
        "PostgreSQL refuses to run as root, and neither user `postgres` nor `nobody` exists here\nhint: create one with `useradd --system postgres`, or start as a normal user"
    )]
    NoAccount,
    /// The environment does not say where data belongs.
    #[error(
        "there is no place for the data folder: neither XDG_DATA_HOME nor HOME is set\nhint: name a folder with --data-dir, or use --ephemeral"
    )]
    NoHome,
    /// The user that the server runs as cannot enter a folder.
    #[error("{} is out of reach for user `{user}`, which the server runs as: {} is closed to it\nhint: choose another folder (as root, /var/lib/pontoon suits), or `chmod o+x {}`", path.display(), closed.display(), closed.display())]
    Unreachable {
        /// The path that is needed.
        path: PathBuf,
        /// The folder on the way that is closed.
        closed: PathBuf,
        /// The user that the server runs as.
        user: String,
    },
    /// Another process holds the data folder.
    #[error("the data folder {} is in use by {}\nhint: stop that process, or choose another folder with --data-dir, or use --ephemeral", folder.display(), owner_words(*owner))]
    Busy {
        /// The data folder.
        folder: PathBuf,
        /// The process that holds it, where it wrote its id.
        owner: Option<u32>,
    },
    /// The folder holds something else: other files, or a PostgreSQL cluster made by other means.
    #[error("{} holds files that are not this program's ({found:?} is one)\nhint: choose a new or an empty folder with --data-dir; to use a PostgreSQL cluster that is there, start it and set DATABASE_URL", folder.display())]
    ForeignFolder {
        /// The folder that was given.
        folder: PathBuf,
        /// The name of something in it.
        found: String,
    },
    /// The data belongs to another user than the server runs as.
    #[error("{} belongs to user id {owner}, and the server would run as user id {user}\nhint: start as the user that made it, or choose another folder with --data-dir", folder.display())]
    WrongOwner {
        /// The cluster's folder.
        folder: PathBuf,
        /// Who owns it.
        owner: u32,
        /// Who would run the server.
        user: u32,
    },
    /// `initdb` failed.
    #[error("initdb could not make {}\n{output}\nhint: check the free space and the rights of that folder", folder.display())]
    Initdb {
        /// The folder that it was to make.
        folder: PathBuf,
        /// What it printed.
        output: String,
    },
    /// The server ended before it took connections.
    #[error("PostgreSQL ended while starting on {}\n{tail}\nhint: the whole log is {}", folder.display(), log.display())]
    Start {
        /// The cluster's folder.
        folder: PathBuf,
        /// The server's log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// The server did not take connections in time.
    #[error("PostgreSQL on {} took no connections within {seconds} s\n{tail}\nhint: the whole log is {}; a recovery after a crash may need more time", folder.display(), log.display())]
    StartTimeout {
        /// The cluster's folder.
        folder: PathBuf,
        /// How long was waited.
        seconds: u64,
        /// The server's log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// The server had ended before it was stopped, or ended with an error.
    #[error("PostgreSQL on {} did not stop cleanly ({status})\n{tail}\nhint: the next start recovers the data; the whole log is {}", folder.display(), log.display())]
    Stop {
        /// The cluster's folder.
        folder: PathBuf,
        /// How it ended.
        status: String,
        /// The server's log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A server from an earlier run would not end.
    #[error("a server from an earlier run (pid {pid}) still holds {} and would not end\nhint: end it by hand: `kill -9 {pid}`", folder.display())]
    Orphan {
        /// The cluster's folder.
        folder: PathBuf,
        /// Its process id.
        pid: u32,
    },
    /// The operating system refused something.
    #[error("could not {action} {}: {source}\nhint: check that it exists, who owns it, and the free space", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl EmbeddedError {
    /// Returns a function that turns a system error into [`EmbeddedError::Io`].
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

fn owner_words(owner: Option<u32>) -> String {
    owner.map_or_else(
        || String::from("another process"),
        |pid| format!("process {pid}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_folder_names_the_owner_and_the_remedy() {
        let error = EmbeddedError::Busy {
            folder: PathBuf::from("/data/pontoon"),
            owner: Some(4242),
        };
        let text = error.to_string();
        for word in ["/data/pontoon", "process 4242", "--data-dir"] {
            assert!(text.contains(word), "{word:?} is missing in {text:?}");
        }
    }

    #[test]
    fn a_system_error_keeps_its_source() {
        let error = EmbeddedError::io("create", Path::new("/x"))(io::Error::from(
            io::ErrorKind::PermissionDenied,
        ));
        assert!(
            error
                .to_string()
                .starts_with("could not create /x: permission denied"),
            "{error}"
        );
        assert!(
            std::error::Error::source(&error).is_some(),
            "the source is kept"
        );
    }
}
