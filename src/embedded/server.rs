//! One run of the server: the watchdog shell that starts it, the wait until it takes connections, the stop.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use super::EmbeddedError;
use super::account::Account;
use super::process::{self, wait_until};

const WATCHDOG: &str = include_str!("watchdog.sh");

/// The watchdog kills the server after about 20 s; a little later nothing is left to wait for.
const STOP_LIMIT: Duration = Duration::from_secs(25);

/// What a run needs to know. It stays the same over restarts.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) program: PathBuf,
    pub(super) cluster: PathBuf,
    pub(super) log: PathBuf,
    pub(super) socket: PathBuf,
    pub(super) port: u16,
    /// Removed by the watchdog when this process is gone.
    pub(super) scratch: Option<PathBuf>,
    pub(super) settings: Vec<(String, String)>,
    pub(super) start_timeout: Duration,
}

/// A server that runs.
#[derive(Debug)]
pub(super) struct Server {
    watchdog: Child,
    pub(super) pid: u32,
}

/// What becomes of the scratch folder at a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scratch {
    Keep,
    Remove,
}

impl Server {
    /// Starts the server and waits until it takes connections.
    ///
    /// # Errors
    /// [`EmbeddedError::Start`] or [`EmbeddedError::StartTimeout`], each with the log's last lines.
    pub(super) fn start(plan: &Plan, account: &Account) -> Result<Self, EmbeddedError> {
        let mut watchdog = spawn(plan, account)?;
        let mut line = String::new();
        if let Some(output) = watchdog.stdout.take() {
            let read = BufReader::new(output).read_line(&mut line);
            read.map_err(EmbeddedError::io("read the process id of", &plan.program))?;
        }
        // Without a number the shell itself failed; its complaint is in the log.
        let Ok(pid) = line.trim().parse() else {
            drop(watchdog.wait());
            return Err(plan.failed());
        };
        let mut server = Self { watchdog, pid };
        let mut ended = false;
        let ready = wait_until(plan.start_timeout, || {
            ended = !server.is_running();
            ended || is_ready(&plan.cluster, pid)
        });
        if ready && !ended {
            return Ok(server);
        }
        let error = if ended {
            plan.failed()
        } else {
            plan.timed_out()
        };
        server
            .stop(plan, Scratch::Keep)
            .unwrap_or_else(|stop| tracing::debug!("after a failed start: {stop}"));
        Err(error)
    }

    /// Whether the server's first process lives.
    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.watchdog.try_wait(), Ok(None))
    }

    /// Stops the server: sessions are ended, data is flushed. A server that does not end is killed after about 20 s.
    ///
    /// # Errors
    /// [`EmbeddedError::Stop`] when it had to be killed, or had ended before.
    pub(super) fn stop(mut self, plan: &Plan, scratch: Scratch) -> Result<(), EmbeddedError> {
        let crashed = !self.is_running();
        if let Some(mut pipe) = self.watchdog.stdin.take()
            && scratch == Scratch::Keep
        {
            // A watchdog that has ended reads nothing; the wait below tells.
            drop(pipe.write_all(b"keep\n"));
        }
        let status = self.wait(plan)?;
        if status.success() && !crashed {
            Ok(())
        } else {
            Err(plan.stopped_badly(status))
        }
    }

    /// Kills the server and all its children at once, as a power failure would.
    ///
    /// # Errors
    /// [`EmbeddedError::Io`] when the end cannot be awaited.
    pub(super) fn kill(mut self, plan: &Plan) -> Result<(), EmbeddedError> {
        // Stopped first: a server that sees a child die would start to tidy up.
        process::signal(self.pid, Signal::STOP);
        for pid in process::of_cluster(&plan.cluster) {
            process::signal(pid, Signal::KILL);
        }
        process::signal(self.pid, Signal::KILL);
        let status = self.wait(plan)?;
        tracing::debug!(%status, "killed the server");
        wait_until(STOP_LIMIT, || process::of_cluster(&plan.cluster).is_empty());
        Ok(())
    }

    fn wait(&mut self, plan: &Plan) -> Result<ExitStatus, EmbeddedError> {
        let io = EmbeddedError::io("wait for the server on", &plan.cluster);
        if !wait_until(STOP_LIMIT, || !self.is_running()) {
            for pid in process::of_cluster(&plan.cluster) {
                process::signal(pid, Signal::KILL);
            }
        }
        self.watchdog.wait().map_err(io)
    }
}

impl Plan {
    fn failed(&self) -> EmbeddedError {
        EmbeddedError::Start {
            folder: self.cluster.clone(),
            log: self.log.clone(),
            tail: tail(&self.log),
        }
    }

    fn timed_out(&self) -> EmbeddedError {
        let seconds = self.start_timeout.as_secs();
        EmbeddedError::StartTimeout {
            folder: self.cluster.clone(),
            seconds,
            log: self.log.clone(),
            tail: tail(&self.log),
        }
    }

    fn stopped_badly(&self, status: ExitStatus) -> EmbeddedError {
        let (folder, log) = (self.cluster.clone(), self.log.clone());
        EmbeddedError::Stop {
            folder,
            status: status.to_string(),
            tail: tail(&log),
            log,
        }
    }
}

fn spawn(plan: &Plan, account: &Account) -> Result<Child, EmbeddedError> {
    let log = fresh_log(&plan.log)?;
    let shell = Path::new("/bin/sh");
    let mut command = account.command(shell);
    command
        .args(["-c", WATCHDOG, "pontoon-postgres"])
        .arg(&plan.program)
        .arg("-D")
        .arg(&plan.cluster);
    // A later setting wins over an earlier one.
    for (name, value) in &plan.settings {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    if let Some(scratch) = &plan.scratch {
        command.env("PONTOON_SCRATCH", scratch);
    }
    // The pipe is closed on exec in every other child of this process, so nobody else keeps the server alive.
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::from(log));
    command.spawn().map_err(EmbeddedError::io("run", shell))
}

/// Opens an empty log and keeps the one of the run before.
fn fresh_log(path: &Path) -> Result<File, EmbeddedError> {
    if path.exists() {
        fs::rename(path, path.with_extension("log.1"))
            .map_err(EmbeddedError::io("rename", path))?;
    }
    // Failed statements are in there: for this user's eyes only.
    let open = OpenOptions::new()
        .create_new(true)
        .append(true)
        .mode(0o600)
        .open(path);
    open.map_err(EmbeddedError::io("create", path))
}

/// The pid file's eighth line says `ready` once connections are taken.
fn is_ready(cluster: &Path, pid: u32) -> bool {
    let Ok(text) = fs::read_to_string(cluster.join("postmaster.pid")) else {
        return false;
    };
    let mut lines = text.lines().map(str::trim);
    lines.next().and_then(|line| line.parse().ok()) == Some(pid) && lines.nth(6) == Some("ready")
}

/// The last lines of a log, for an error.
fn tail(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_read_for_the_right_process_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("postmaster.pid");
        let write = |state: &str| {
            fs::write(
                &file,
                format!("4242\n/d\n1700000000\n5432\n/s\n\n 1 2\n{state}\n"),
            )
            .unwrap();
        };
        write("starting");
        assert!(!is_ready(folder.path(), 4242));
        write("ready   ");
        assert!(is_ready(folder.path(), 4242));
        assert!(!is_ready(folder.path(), 4243), "a file of an earlier run");
    }

    #[test]
    fn the_log_of_the_run_before_is_kept_once() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("postgres-17.log");
        for run in ["first", "second", "third"] {
            writeln!(fresh_log(&log).unwrap(), "{run}").unwrap();
        }
        assert_eq!(tail(&log), "third");
        assert_eq!(tail(&folder.path().join("postgres-17.log.1")), "second");
    }

    #[test]
    fn a_tail_is_short_and_a_missing_log_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("x.log");
        assert_eq!(tail(&log), "");
        let lines: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        fs::write(&log, lines.join("\n")).unwrap();
        assert_eq!(tail(&log).lines().count(), 15);
        assert!(tail(&log).ends_with("99"));
    }
}
