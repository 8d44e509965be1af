//! A private PostgreSQL server, for `pontoon serve` without a database URL and for the tests.
//!
//! A thin launcher over the server binaries that are installed. It guarantees:
//!
//! - The server is reached over a unix socket in a folder that only its user can enter; it listens on no port unless a
//!   test asks for one.
//! - It ends with this process, however this process ends: a shell (`watchdog.sh`) holds one end of a pipe.
//! - It never runs as root: a root process hands it to user `postgres`, else `nobody`.
//! - It has a process group of its own, so that Ctrl-C lets the service drain before the database stops.
//! - A lock on the data folder lets one process use it; only that process stops an orphan or removes a stale pid file.
//!
//! Environment: `PG_BIN` (the folder of `postgres` and `initdb`), `PATH`, `XDG_DATA_HOME`, `HOME`, `TMPDIR`.
//!
//! The files in reading order: `options` what to start, `account` who runs it, `binaries` where they are,
//! `folder` the data, `scratch` folders that go with the server, `orphan` what an earlier run left, `server` one run,
//! `process` signals, `error` what can fail.

mod account;
mod binaries;
mod error;
mod folder;
mod options;
mod orphan;
mod process;
mod scratch;
mod server;

use std::fmt::Write;
use std::path::Path;
use std::thread;

use rustix::process::Signal;
use tokio::sync::oneshot;

use account::Account;
pub use error::EmbeddedError;
use folder::Folder;
pub use options::Options;
use server::{Plan, Scratch, Server};

/// A running private server. Dropping it stops the server and waits for that, at most about 25 s; what is thrown away
/// is removed.
#[derive(Debug)]
pub struct Embedded {
    plan: Plan,
    /// `None` after [`Embedded::kill`].
    server: Option<Server>,
    pid: u32,
    account: Account,
    folder: Folder,
    tcp: bool,
}

impl Embedded {
    /// Starts describing a server: persistent data in the default folder, no TCP.
    pub fn options() -> Options {
        Options::new()
    }

    fn new(plan: Plan, server: Server, account: Account, folder: Folder, tcp: bool) -> Self {
        let pid = server.pid;
        tracing::info!(pid, folder = %plan.cluster.display(), "the private PostgreSQL takes connections");
        Self {
            plan,
            server: Some(server),
            pid,
            account,
            folder,
            tcp,
        }
    }

    /// The URL of a database over the unix socket. It stays the same over restarts.
    pub fn url(&self, database: &str) -> String {
        let mut url = String::from("postgres:///");
        encode(&mut url, database);
        url.push_str("?host=");
        encode(&mut url, &self.plan.socket.to_string_lossy());
        let _infallible = write!(url, "&port={}&user=postgres", self.plan.port);
        url
    }

    /// The URL of a database over TCP, where [`Options::tcp`] asked for it. It stays the same over restarts.
    pub fn tcp_url(&self, database: &str) -> Option<String> {
        let mut url = format!("postgres://postgres@127.0.0.1:{}/", self.plan.port);
        encode(&mut url, database);
        self.tcp.then_some(url)
    }

    /// The process id of the server that was started last.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The folder that holds the data, the server's log and the lock.
    pub fn folder(&self) -> &Path {
        &self.folder.root
    }

    /// The server's log.
    pub fn log(&self) -> &Path {
        &self.plan.log
    }

    /// Whether the server runs: false after [`Embedded::kill`] and when it ended by itself.
    pub fn is_running(&mut self) -> bool {
        self.server.as_mut().is_some_and(Server::is_running)
    }

    /// Stops the server: open sessions are ended, data is flushed. Blocks the calling thread; in async code use
    /// [`Embedded::stop_async`].
    ///
    /// # Errors
    /// [`EmbeddedError::Stop`] when it had ended by itself, or had to be killed.
    pub fn stop(mut self) -> Result<(), EmbeddedError> {
        self.end(Scratch::Remove)
    }

    /// Like [`Embedded::stop`], on a thread of its own.
    ///
    /// # Errors
    /// As [`Embedded::stop`].
    ///
    /// # Cancel safety
    /// The server is stopped also when nobody awaits it.
    pub async fn stop_async(self) -> Result<(), EmbeddedError> {
        let (sender, receiver) = oneshot::channel();
        let folder = self.plan.cluster.clone();
        let thread = thread::Builder::new().name(String::from("pontoon-postgres"));
        let spawned = thread.spawn(move || drop(sender.send(self.stop())));
        spawned.map_err(EmbeddedError::io("start a thread to stop", &folder))?;
        let lost = |_| {
            EmbeddedError::io("hear from the thread that stops", &folder)(
                std::io::ErrorKind::BrokenPipe.into(),
            )
        };
        receiver.await.map_err(lost)?
    }

    /// Kills the server and all its children with SIGKILL, as a power failure would. The data stays until
    /// [`Embedded::restart`] recovers it.
    ///
    /// # Errors
    /// [`EmbeddedError::Io`] when the end cannot be awaited.
    pub fn kill(&mut self) -> Result<(), EmbeddedError> {
        self.server
            .take()
            .map_or(Ok(()), |server| server.kill(&self.plan))
    }

    /// Stops the server if it runs, and starts it again on the same data and URL.
    ///
    /// # Errors
    /// As [`Options::start`].
    pub fn restart(&mut self) -> Result<(), EmbeddedError> {
        let ran = self.is_running();
        if let Err(error) = self.end(Scratch::Keep) {
            // That a server which had ended did not stop cleanly is no news.
            if ran {
                tracing::warn!("before the restart: {error}");
            } else {
                tracing::debug!("before the restart: {error}");
            }
        }
        orphan::end(&self.plan.cluster)?;
        let server = self.plan.run(&self.account)?;
        self.pid = server.pid;
        self.server = Some(server);
        Ok(())
    }

    /// Stops every process of the server in its tracks (SIGSTOP): sessions stay open and nothing answers.
    pub fn freeze(&self) {
        if self.server.is_none() {
            return;
        }
        // The first process is stopped before its children are counted: it starts no more of them.
        process::signal(self.pid, Signal::STOP);
        for pid in process::of_cluster(&self.plan.cluster) {
            process::signal(pid, Signal::STOP);
        }
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        for pid in process::of_cluster(&self.plan.cluster) {
            process::signal(pid, Signal::CONT);
        }
    }

    fn end(&mut self, scratch: Scratch) -> Result<(), EmbeddedError> {
        let Some(server) = self.server.take() else {
            return Ok(());
        };
        // A frozen process acts on no signal but SIGKILL.
        self.thaw();
        server.stop(&self.plan, scratch)
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Err(error) = self.end(Scratch::Remove) {
            tracing::warn!("{error}");
        }
        if let Some(scratch) = &self.folder.scratch {
            scratch::remove(scratch);
        }
    }
}

impl Plan {
    /// Starts the server on an empty socket folder.
    fn run(&self, account: &Account) -> Result<Server, EmbeddedError> {
        scratch::fresh_socket(&self.socket, account)?;
        Server::start(self, account)
    }
}

/// Appends `text` so that a URL's path or query carries it unchanged.
fn encode(url: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                url.push(char::from(byte));
            }
            _ => {
                let _infallible = write!(url, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_encoded_byte_by_byte() {
        let mut url = String::new();
        encode(&mut url, "/Application Support/a&b=c%é");
        assert_eq!(url, "/Application%20Support/a%26b%3Dc%25%C3%A9");
    }
}
