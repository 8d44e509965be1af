//! What is run on a tree, each on all cores.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Contestant {
    Convert,
    Parse,
    Read,
}

/// One turn.
pub(crate) struct Measured {
    pub(crate) time: Duration,
    /// The greatest memory of the process, where it had one of its own.
    pub(crate) peak: Option<u64>,
}

impl Contestant {
    pub(crate) const ALL: [Self; 3] = [Self::Convert, Self::Parse, Self::Read];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Convert => "pontoon convert --format jsonl",
            Self::Parse => "parse every file once",
            Self::Read => "read every file once",
        }
    }

    pub(crate) fn run(self, folder: &Path, files: &[PathBuf]) -> io::Result<Measured> {
        match self {
            Self::Convert => convert(folder),
            Self::Parse => each(files, |text| {
                black_box(ruff_python_parser::parse_unchecked_source(
                    text,
                    ruff_python_ast::PySourceType::Python,
                ));
            }),
            Self::Read => each(files, |text| {
                black_box(text);
            }),
        }
    }
}

/// The whole command, from its start to its end.
fn convert(folder: &Path) -> io::Result<Measured> {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pontoon"))
        .args(["convert", "--format", "jsonl"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut peak = None;
    // The greatest memory so far is told while the process is there.
    let status = loop {
        peak = peak.max(peak_memory(child.id()));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let time = start.elapsed();
    // 1: something was found, which is left for review.
    if !matches!(status.code(), Some(0 | 1)) {
        return Err(io::Error::other(format!("`convert` ended with {status}")));
    }
    Ok(Measured { time, peak })
}

/// The greatest memory of a process so far, in bytes.
fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Gives each file's text to `work`.
fn each(files: &[PathBuf], work: impl Fn(&str) + Sync) -> io::Result<Measured> {
    const STACK: usize = 64 << 20;
    let start = Instant::now();
    let next = AtomicUsize::new(0);
    let help = || -> io::Result<()> {
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(&String::from_utf8_lossy(&fs::read(file)?));
        }
        Ok(())
    };
    let cores = thread::available_parallelism()?.get();
    thread::scope(|scope| {
        let builders = (0..cores).map(|_| thread::Builder::new().stack_size(STACK));
        let threads: Vec<_> = builders
            .map(|builder| builder.spawn_scoped(scope, help))
            .collect::<io::Result<_>>()?;
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().expect("no file makes a panic"))
    })?;
    Ok(Measured {
        time: start.elapsed(),
        peak: None,
    })
}
