//! The server ends with the process that started it. The parent here is this test binary, started once more.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs, thread};

use pontoon::embedded::{Embedded, EmbeddedError};
use rustix::process::{Pid, Signal};
use tempfile::NamedTempFile;

use super::{eventually, lives, open_to_all};
use crate::support::{execute, own_server};

/// Names the folder for a server to hold; empty for an ephemeral one.
const HOLD: &str = "PONTOON_TEST_HOLD";

/// Marks the line that tells what is held.
const MARK: &str = "holds ";

/// Another process that holds a server.
struct Parent {
    process: Child,
    server: u32,
    /// A child of that process, unrelated to the server, that outlives it.
    sibling: u32,
    folder: PathBuf,
    url: String,
    /// What the process logs.
    log: NamedTempFile,
}

impl Parent {
    fn start(folder: Option<&Path>) -> Self {
        Self::start_with(HOLD, folder.unwrap_or(Path::new("")))
    }

    fn start_with(variable: &str, value: &Path) -> Self {
        let log = NamedTempFile::new().unwrap();
        let mut process = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "embedded::parent::a_server_lives_until_it_is_stopped",
                "--nocapture",
            ])
            .env_remove("XDG_DATA_HOME")
            .env(HOLD, "")
            .env(variable, value)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let line = lines
            .find_map(|line| Some(line.split_once(MARK)?.1.to_owned()))
            .expect("the parent starts a server");
        let words: Vec<&str> = line.split('\t').collect();
        let (server, sibling) = (words[0].parse().unwrap(), words[1].parse().unwrap());
        Self {
            process,
            server,
            sibling,
            folder: PathBuf::from(words[2]),
            url: words[3].to_owned(),
            log,
        }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
        signal(self.sibling, Signal::KILL);
    }
}

fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).unwrap();
    let _gone = rustix::process::kill_process(pid, signal);
}

/// What the other process does, until it is killed.
fn hold(folder: &Path) {
    // For the whole process: another test's thread cannot switch an event off before it is seen.
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(io::stderr)
        .init();
    let options = match folder {
        _ if env::var_os("XDG_DATA_HOME").is_some() => Embedded::options(),
        folder if folder.as_os_str().is_empty() => Embedded::options().ephemeral(),
        folder => Embedded::options()
            .data_dir(Some(folder.to_owned()))
            .fsync(false),
    };
    let server = own_server(options);
    let mut sibling = Command::new("sleep")
        .arg("600")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (folder, url) = (
        server.folder().display().to_string(),
        server.url("postgres"),
    );
    // Past the test harness, which keeps `println!` in some settings.
    let line = format!(
        "{MARK}{}\t{}\t{folder}\t{url}\n",
        server.pid(),
        sibling.id()
    );
    io::Write::write_all(&mut io::stdout(), line.as_bytes()).unwrap();
    io::stdin().read_to_end(&mut Vec::new()).unwrap();
    sibling.kill().unwrap();
    sibling.wait().unwrap();
}

#[test]
fn a_server_lives_until_it_is_stopped() {
    if let Some(folder) = env::var_os(HOLD) {
        return hold(Path::new(&folder));
    }
    let server = own_server(Embedded::options().ephemeral());
    let (pid, folder) = (server.pid(), server.folder().to_owned());
    assert!(lives(pid) && folder.exists());
    server.stop().unwrap();
    assert!(!lives(pid) && !folder.exists());
}

#[test]
fn a_killed_parent_takes_its_server_and_the_temporary_folder_with_it() {
    let mut parent = Parent::start(None);
    assert_eq!(execute(&parent.url, &["SELECT 1"]), ["1"]);
    parent.kill();
    eventually("the server has ended", || !lives(parent.server));
    eventually("its folder is gone", || !parent.folder.exists());
    assert!(
        lives(parent.sibling),
        "another child of the parent does not hold the pipe"
    );
}

#[test]
fn a_killed_parent_takes_a_frozen_server_with_it() {
    let mut parent = Parent::start(None);
    signal(parent.server, Signal::STOP);
    parent.kill();
    eventually("the server has ended", || !lives(parent.server));
}

#[test]
fn data_that_nobody_placed_is_kept_in_the_folder_for_data() {
    let data = tempfile::Builder::new()
        .permissions(open_to_all())
        .tempdir()
        .unwrap();
    let mut parent = Parent::start_with("XDG_DATA_HOME", data.path());
    let real = fs::canonicalize(data.path()).unwrap();
    assert_eq!(parent.folder, real.join("pontoon"));
    assert_eq!(execute(&parent.url, &["SHOW fsync"]), ["on"]);
    parent.kill();
    eventually("the server has ended", || !lives(parent.server));
    assert!(parent.folder.exists(), "the data stays");
}

#[test]
fn the_thread_that_started_the_server_may_end() {
    let server = thread::spawn(|| own_server(Embedded::options().ephemeral()))
        .join()
        .unwrap();
    assert_eq!(execute(&server.url("postgres"), &["SELECT 1"]), ["1"]);
}

#[test]
fn a_folder_in_use_names_the_process_that_uses_it() {
    let folder = tempfile::Builder::new()
        .permissions(open_to_all())
        .tempdir()
        .unwrap();
    let parent = Parent::start(Some(folder.path()));
    let error = Embedded::options()
        .data_dir(Some(folder.path().to_owned()))
        .start()
        .unwrap_err();
    let owner = parent.process.id();
    assert!(
        matches!(error, EmbeddedError::Busy { owner: Some(pid), .. } if pid == owner),
        "{error}"
    );
    assert!(
        error.to_string().contains(&format!("process {owner}")),
        "{error}"
    );
    assert!(lives(parent.server), "the other server is not disturbed");
}

#[test]
fn data_of_a_version_that_is_not_installed_is_warned_of() {
    let folder = tempfile::Builder::new()
        .permissions(open_to_all())
        .tempdir()
        .unwrap();
    fs::create_dir(folder.path().join("postgres-8")).unwrap();
    fs::write(folder.path().join("pontoon.lock"), "").unwrap();
    let parent = Parent::start(Some(folder.path()));
    let text = fs::read_to_string(parent.log.path()).unwrap();
    let warning = text.lines().find(|line| line.contains("WARN"));
    let warning = warning.unwrap_or_default();
    assert!(
        warning.contains("PostgreSQL 8") && warning.contains("not installed"),
        "{text}"
    );
    assert!(
        text.contains("making a PostgreSQL"),
        "the first start says what it does: {text}"
    );
}

#[test]
fn the_data_of_a_killed_parent_is_taken_over() {
    let folder = tempfile::Builder::new()
        .permissions(open_to_all())
        .tempdir()
        .unwrap();
    let mut parent = Parent::start(Some(folder.path()));
    execute(
        &parent.url,
        &["CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (42)"],
    );
    parent.kill();
    // At once: the server of before is still on its way down.
    let server = own_server(
        Embedded::options()
            .data_dir(Some(folder.path().to_owned()))
            .fsync(false),
    );
    assert!(!lives(parent.server));
    assert_eq!(
        execute(&server.url("postgres"), &["SELECT n FROM kept"]),
        ["42"]
    );
}

#[cfg(target_os = "linux")]
#[test]
fn an_orphan_without_its_watchdog_is_stopped_by_the_next_start() {
    let folder = tempfile::Builder::new()
        .permissions(open_to_all())
        .tempdir()
        .unwrap();
    let mut parent = Parent::start(Some(folder.path()));
    execute(&parent.url, &["CREATE TABLE kept (n int)"]);
    for pid in watchdogs_of(parent.server) {
        signal(pid, Signal::KILL);
    }
    parent.kill();
    assert_eq!(
        execute(&parent.url, &["SELECT 1"]),
        ["1"],
        "nobody stopped the orphan"
    );

    let server = own_server(
        Embedded::options()
            .data_dir(Some(folder.path().to_owned()))
            .fsync(false),
    );
    assert!(!lives(parent.server));
    assert_eq!(
        execute(&server.url("postgres"), &["SELECT count(*) FROM kept"]),
        ["0"]
    );
}

/// The shells in the server's process group.
#[cfg(target_os = "linux")]
fn watchdogs_of(server: u32) -> Vec<u32> {
    let group = |pid: u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        text.rsplit_once(')')?
            .1
            .split_whitespace()
            .nth(2)?
            .parse::<u32>()
            .ok()
    };
    let entries = fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let found: Vec<u32> = pids
        .filter(|&pid| pid != server && group(pid).is_some_and(|own| Some(own) == group(server)))
        .collect();
    assert!(found.len() >= 2, "a shell and its reader: {found:?}");
    found
}
