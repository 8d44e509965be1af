//! The real binary, as a shell runs it. Each run has an environment of its own: no variable of the machine reaches it but the way to
//! PostgreSQL's programs.

mod config;
mod diff;
mod fleet;
mod query;
mod serve;
mod tools;

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::Database;

/// A folder to run the binary in: its flags.toml, its kill file, its data.
struct Place {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

/// What a run left behind.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        }
    }

    /// A place whose commands talk to that database.
    fn on(database: &Database) -> Self {
        Self::new().with("DATABASE_URL", &database.url)
    }

    fn with(mut self, variable: &'static str, value: &str) -> Self {
        self.variables.push((variable, value.to_owned()));
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Whole or not at all, as an editor does it.
        let draft = path.with_extension("draft");
        std::fs::write(&draft, text).unwrap();
        std::fs::rename(&draft, path).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pontoon"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PONTOON_KILL_FILE", self.path("rollback"))
            .env("PONTOON_LISTEN", "127.0.0.1:9")
            .stdin(Stdio::null());
        for kept in ["PATH", "PG_BIN", "TMPDIR"] {
            if let Some(value) = env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts `serve` on a free port and waits until it is ready.
    fn serve(&self, arguments: &[&str]) -> Service {
        let mut all = vec!["serve", "--json", "--listen", "127.0.0.1:0"];
        all.extend(arguments);
        let mut command = self.command(&all);
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| {
            let log = std::fs::read_to_string(log.path()).unwrap();
            panic!("{error}: {line:?}\n{log}")
        });
        Service {
            process,
            out,
            ready,
            log,
        }
    }
}

impl Ran {
    /// The one JSON document on stdout; nothing else is there.
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// That it ended so, with each of these on stderr.
    #[track_caller]
    fn ends(&self, code: i32, told: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        for part in told {
            assert!(self.err.contains(part), "{part:?} is not in {self:?}");
        }
    }
}

/// A service that runs until it is dropped.
struct Service {
    process: Child,
    out: BufReader<ChildStdout>,
    ready: Value,
    log: tempfile::NamedTempFile,
}

impl Service {
    fn url(&self) -> &str {
        self.ready["listening"].as_str().unwrap()
    }

    /// The text of a route, whatever its status.
    fn get(&self, path: &str) -> (u16, String) {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None);
        let agent: ureq::Agent = config.build().into();
        let mut answer = agent.get(format!("{}{path}", self.url())).call().unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), text)
    }

    /// What it has said on stderr so far.
    fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.get("/admin/status").1).unwrap()
    }

    fn stage(&self) -> String {
        self.status()["stage"].as_str().unwrap().to_owned()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.process.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// As [`Service::end`]; that it goes on for longer is a failure.
    #[track_caller]
    fn end_within(mut self, limit: Duration) -> Ran {
        let until = Instant::now() + limit;
        while self.process.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "it goes on: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.end()
    }

    /// Waits for the end, and gives the code, what more was on stdout, and the log.
    fn end(mut self) -> Ran {
        let code = self.process.wait().unwrap().code().unwrap_or(-1);
        let mut out = String::new();
        self.out.read_to_string(&mut out).unwrap();
        let err = self.log();
        Ran { code, out, err }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Waits until it holds; that it never does is a failure.
#[track_caller]
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < until, "it never came: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The keys of an object.
fn keys(value: &Value) -> Vec<&str> {
    let object = value
        .as_object()
        .unwrap_or_else(|| panic!("no object: {value}"));
    object.keys().map(String::as_str).collect()
}

/// The folder that a private server's URL names, above its socket.
fn folder_of(url: &str) -> PathBuf {
    let (_, host) = url.split_once("host=").unwrap();
    let socket = host.split('&').next().unwrap().to_owned();
    Path::new(&socket).parent().unwrap().to_owned()
}
