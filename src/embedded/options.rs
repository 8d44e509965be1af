//! What the caller of the private server may ask for.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, thread};

use tokio::sync::oneshot;

use super::account::Account;
use super::binaries::Places;
use super::folder::{self, Folder};
use super::server::{Plan, Server};
use super::{Embedded, EmbeddedError, orphan, scratch};

/// The port in the socket's name where no TCP is asked for. Nothing listens on it.
const SOCKET_PORT: u16 = 5432;

/// A taken port is not free: how many more are tried when somebody is faster.
const PORT_TRIES: usize = 5;

#[derive(Debug, Clone)]
enum Place {
    Default,
    Named(PathBuf),
    Ephemeral,
}

/// How to start a private server; made by [`Embedded::options`].
#[derive(Debug, Clone)]
pub struct Options {
    place: Place,
    fsync: Option<bool>,
    tcp: bool,
    max_connections: u16,
    settings: Vec<(String, String)>,
    start_timeout: Duration,
}

impl Options {
    pub(super) fn new() -> Self {
        Self {
            place: Place::Default,
            fsync: None,
            tcp: false,
            max_connections: 100,
            settings: Vec::new(),
            start_timeout: Duration::from_mins(1),
        }
    }

    /// Keeps the data in `folder`; with `None`, in `$XDG_DATA_HOME/pontoon` or the platform's place for data. The folder
    /// is made where it is missing, and holds one cluster for each major version of PostgreSQL.
    pub fn data_dir(mut self, folder: Option<PathBuf>) -> Self {
        self.place = folder.map_or(Place::Default, Place::Named);
        self
    }

    /// Keeps the data in a temporary folder that is removed with the server, also when this process is killed.
    pub fn ephemeral(mut self) -> Self {
        self.place = Place::Ephemeral;
        self
    }

    /// Whether a commit waits for the disk. On by default, off for an ephemeral server. Without it a failure of the
    /// machine can destroy the data; the death of the server alone loses nothing that was committed.
    pub fn fsync(mut self, on: bool) -> Self {
        self.fsync = Some(on);
        self
    }

    /// Listens on a free port of 127.0.0.1 as well. Every user of this machine can then connect without a password: this
    /// is for tests.
    pub fn tcp(mut self) -> Self {
        self.tcp = true;
        self
    }

    /// How many sessions the server admits; 100 by default.
    pub fn max_connections(mut self, count: u16) -> Self {
        self.max_connections = count;
        self
    }

    /// Adds server settings, as `postgres -c name=value` does. They win over the launcher's own.
    pub fn settings<N: Into<String>, V: Into<String>>(
        mut self,
        settings: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.settings.extend(
            settings
                .into_iter()
                .map(|(name, value)| (name.into(), value.into())),
        );
        self
    }

    /// How long the server may take to accept connections, a recovery after a crash included; one minute by default.
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.start_timeout = limit;
        self
    }

    /// Starts the server and returns once it takes connections: about 0.1 s, about 1 s when the data folder is new.
    /// Blocks the calling thread; in async code use [`Options::start_async`].
    ///
    /// # Errors
    /// [`EmbeddedError`] says what is missing or in the way, and the remedy.
    pub fn start(self) -> Result<Embedded, EmbeddedError> {
        let account = Account::choose()?;
        let mut folder = self.folder(&account)?;
        // From here on an ephemeral folder is removed by whoever fails.
        let started = self.start_in(&mut folder, &account);
        let (plan, server) = started
            .inspect_err(|_| folder.scratch.iter().for_each(|path| scratch::remove(path)))?;
        Ok(Embedded::new(plan, server, account, folder, self.tcp))
    }

    /// Like [`Options::start`], on a thread of its own.
    ///
    /// # Errors
    /// As [`Options::start`].
    ///
    /// # Cancel safety
    /// A server whose start nobody awaits any more is stopped as soon as it is up.
    pub async fn start_async(self) -> Result<Embedded, EmbeddedError> {
        let (sender, receiver) = oneshot::channel();
        let thread = thread::Builder::new().name(String::from("pontoon-postgres"));
        // What cannot be sent comes back and is dropped here: that stops the server.
        let spawned = thread.spawn(move || drop(sender.send(self.start())));
        spawned.map_err(EmbeddedError::io(
            "start a thread for",
            Path::new("postgres"),
        ))?;
        let lost = |_| {
            EmbeddedError::io("hear from the thread of", Path::new("postgres"))(
                std::io::ErrorKind::BrokenPipe.into(),
            )
        };
        receiver.await.map_err(lost)?
    }

    fn folder(&self, account: &Account) -> Result<Folder, EmbeddedError> {
        match &self.place {
            Place::Default => Folder::open(
                &folder::default_root(account, |name| env::var_os(name))?,
                account,
            ),
            Place::Named(root) => Folder::open(root, account),
            Place::Ephemeral => Folder::temporary(account),
        }
    }

    fn start_in(
        &self,
        folder: &mut Folder,
        account: &Account,
    ) -> Result<(Plan, Server), EmbeddedError> {
        let choice = Places::from_environment().choose(account, &folder.versions())?;
        let binaries = choice.binaries;
        for version in choice.missing {
            tracing::warn!(
                "{} holds data of PostgreSQL {version}, whose binaries are not installed; version {} is used, and that data is not seen. To move it, install PostgreSQL {version} and use pg_dump",
                folder.cluster(version).display(),
                binaries.major
            );
        }
        let cluster = folder.ensure_cluster(&binaries, account, self.is_durable())?;
        orphan::end(&cluster)?;
        let socket = folder.socket(u16::MAX, account)?;
        let mut tries = PORT_TRIES;
        loop {
            let port = if self.tcp { free_port()? } else { SOCKET_PORT };
            let plan = Plan {
                program: binaries.server(),
                cluster: cluster.clone(),
                log: folder.log(binaries.major),
                socket: socket.clone(),
                port,
                scratch: folder.scratch.clone(),
                settings: self.all_settings(&socket, port),
                start_timeout: self.start_timeout,
            };
            tries -= 1;
            match plan.run(account) {
                Err(EmbeddedError::Start { tail, .. })
                    if self.tcp && tries > 0 && tail.contains("already in use") => {}
                result => return result.map(|server| (plan, server)),
            }
        }
    }

    fn is_durable(&self) -> bool {
        self.fsync
            .unwrap_or(!matches!(self.place, Place::Ephemeral))
    }

    fn all_settings(&self, socket: &Path, port: u16) -> Vec<(String, String)> {
        let quoted = format!("\"{}\"", socket.display().to_string().replace('"', "\"\""));
        let port = port.to_string();
        let connections = self.max_connections.to_string();
        let mut settings = vec![
            ("listen_addresses", if self.tcp { "127.0.0.1" } else { "" }),
            ("unix_socket_directories", &quoted),
            ("unix_socket_permissions", "0700"),
            ("port", &port),
            ("max_connections", &connections),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("jit", "off"),
            // A container's /dev/shm is often too small for the default.
            ("dynamic_shared_memory_type", "mmap"),
        ];
        if !self.is_durable() {
            // Commits stay synchronous: a killed server must lose nothing that it acknowledged.
            settings.extend([("fsync", "off"), ("full_page_writes", "off")]);
        }
        let own = settings
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        own.chain(self.settings.iter().cloned()).collect()
    }
}

fn free_port() -> Result<u16, EmbeddedError> {
    let bound =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    bound
        .map(|address| address.port())
        .map_err(EmbeddedError::io(
            "find a free port on",
            Path::new("127.0.0.1"),
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'a>(settings: &'a [(String, String)], name: &str) -> Vec<&'a str> {
        settings
            .iter()
            .filter(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    #[test]
    fn a_commit_waits_for_the_disk_unless_the_data_is_thrown_away() {
        let settings = |options: Options| options.all_settings(Path::new("/s"), 5432);
        assert_eq!(value(&settings(Options::new()), "fsync"), [""; 0]);
        assert_eq!(
            value(&settings(Options::new().ephemeral()), "fsync"),
            ["off"]
        );
        assert_eq!(
            value(&settings(Options::new().ephemeral().fsync(true)), "fsync"),
            [""; 0]
        );
        assert_eq!(
            value(&settings(Options::new().fsync(false)), "fsync"),
            ["off"]
        );
    }

    #[test]
    fn a_callers_setting_comes_last() {
        let options = Options::new().settings([("jit", "on"), ("work_mem", "1MB")]);
        let settings = options.all_settings(Path::new("/s"), 5432);
        assert_eq!(value(&settings, "jit"), ["off", "on"]);
        assert_eq!(
            settings.last().unwrap(),
            &(String::from("work_mem"), String::from("1MB"))
        );
    }

    #[test]
    fn a_socket_folder_with_a_quote_or_a_comma_is_one_folder() {
        let settings = Options::new().all_settings(Path::new("/a\",b"), 5432);
        assert_eq!(
            value(&settings, "unix_socket_directories"),
            ["\"/a\"\",b\""]
        );
    }
}
