//! What a test measures of its own process: threads, memory, and how late the executor is.

use super::Database;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Tells the test in the child process which database is its own.
const DATABASE: &str = "PONTOON_TEST_ALONE";

/// Runs the body in a process of its own, where no other test counts. `test` is the calling test's full name.
pub(crate) fn alone(test: &str, body: impl FnOnce(&str)) {
    if let Ok(url) = std::env::var(DATABASE) {
        return body(&url);
    }
    let (_, name) = test
        .split_once("::")
        .expect("a path within the test binary");
    let database = Database::create();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(DATABASE, &database.url)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("1 passed"), "{name} is no test: {said}");
}

/// This process' threads.
pub(crate) fn threads() -> u64 {
    status("Threads:")
}

/// This process' greatest memory so far, in bytes.
pub(crate) fn peak_memory() -> u64 {
    status("VmHWM:") * 1024
}

fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A task that wants to run each millisecond, and notes how late it did.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    late: Arc<Mutex<Vec<Duration>>>,
    task: JoinHandle<()>,
}

impl Heartbeat {
    pub(crate) fn start() -> Self {
        const BEAT: Duration = Duration::from_millis(1);
        let late = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&late);
        let task = tokio::spawn(async move {
            loop {
                let begun = Instant::now();
                tokio::time::sleep(BEAT).await;
                noted
                    .lock()
                    .unwrap()
                    .push(begun.elapsed().saturating_sub(BEAT));
            }
        });
        Self { late, task }
    }

    /// How late all but one in a hundred beats were at most, and the latest of all.
    pub(crate) fn stop(self) -> (Duration, Duration) {
        self.task.abort();
        let mut late = std::mem::take(&mut *self.late.lock().unwrap());
        late.sort_unstable();
        let most = late.last().copied().expect("it has beaten");
        (late[(late.len() - 1) * 99 / 100], most)
    }
}

/// Runs what blocks on a thread of its own; awaiting it fails where it panicked.
pub(crate) fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> oneshot::Receiver<T> {
    let (done, result) = oneshot::channel();
    drop(std::thread::spawn(move || done.send(work()).is_ok()));
    result
}
