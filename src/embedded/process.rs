//! Finds and signals the processes of one cluster. A server's children leave its process group, so a group signal
//! does not reach them.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

use rustix::process::{Pid, Signal};

/// How often a state is looked at that nothing announces.
pub(super) const POLL: Duration = Duration::from_millis(5);

/// The processes that serve the cluster in `folder`: the first server process and its children.
pub(super) fn of_cluster(folder: &Path) -> Vec<u32> {
    if Path::new("/proc/self/stat").exists() {
        from_proc(folder)
    } else {
        from_ps(folder)
    }
}

/// Sends a signal; a process that is gone is not an error.
pub(super) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // The process may end at any moment; then there is nobody left to tell.
        let _gone = rustix::process::kill_process(pid, signal);
    }
}

/// Waits until `done` holds, at most `limit`; tells whether it does.
pub(super) fn wait_until(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(POLL);
    }
}

/// A server process has its cluster as working folder. The name is asked too: somebody's shell may stand there.
/// A process that has ended but was not collected yet has no working folder.
fn from_proc(folder: &Path) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let stands_there = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder);
        stands_there
            && fs::read_to_string(format!("/proc/{pid}/comm"))
                .is_ok_and(|name| name.starts_with("postgres"))
    })
    .collect()
}

/// Where there is no `/proc`: the process that the pid file names, if it is a server on this folder, and its children.
fn from_ps(folder: &Path) -> Vec<u32> {
    let Some(first) = pid_file(folder) else {
        return Vec::new();
    };
    let Ok(output) = Command::new("ps")
        .args(["-A", "-o", "pid=,ppid=,stat=,command="])
        .output()
    else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&output.stdout);
    family(&text, first, &folder.to_string_lossy())
}

fn family(table: &str, first: u32, folder: &str) -> Vec<u32> {
    let rows: Vec<(u32, u32, &str)> = table.lines().filter_map(row).collect();
    // As this launcher starts it: an editor on a file of that folder is no server.
    let started = format!("postgres -D {folder}");
    let serves = |&(pid, _, command): &(u32, u32, &str)| pid == first && command.contains(&started);
    if !rows.iter().any(serves) {
        return Vec::new();
    }
    rows.iter()
        .filter(|&&(pid, parent, _)| pid == first || parent == first)
        .map(|&(pid, ..)| pid)
        .collect()
}

fn row(line: &str) -> Option<(u32, u32, &str)> {
    let (pid, rest) = line.trim_start().split_once(' ')?;
    let (parent, rest) = rest.trim_start().split_once(' ')?;
    let (state, command) = rest.trim_start().split_once(' ')?;
    (!state.starts_with('Z')).then_some((pid.parse().ok()?, parent.parse().ok()?, command))
}

/// The process id in the cluster's pid file.
pub(super) fn pid_file(folder: &Path) -> Option<u32> {
    fs::read_to_string(folder.join("postmaster.pid"))
        .ok()?
        .lines()
        .next()?
        .trim()
        .parse()
        .ok()
}

/// Whether any process has this id.
pub(super) fn exists(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return false;
    };
    !matches!(rustix::process::test_kill_process(pid), Err(error) if error == rustix::io::Errno::SRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "    1     0 Ss   /sbin/init\n  700     1 S    /opt/bin/postgres -D /data/postgres-17\n  701   700 Ss   postgres: checkpointer\n  702   700 Z    (postgres)\n  800     1 S    vi /data/postgres-17\n";

    #[test]
    fn a_table_gives_the_server_and_its_living_children() {
        assert_eq!(family(TABLE, 700, "/data/postgres-17"), [700, 701]);
    }

    #[test]
    fn a_reused_process_id_is_not_the_server() {
        assert_eq!(family(TABLE, 1, "/data/postgres-17"), [0_u32; 0]);
        assert_eq!(family(TABLE, 800, "/data/postgres-17"), [0_u32; 0]);
        assert_eq!(family(TABLE, 700, "/elsewhere"), [0_u32; 0]);
    }

    #[test]
    fn a_process_that_only_stands_in_the_folder_is_not_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(folder.path()).unwrap();
        let mut visitor = Command::new("sleep")
            .arg("60")
            .current_dir(&real)
            .spawn()
            .unwrap();
        assert_eq!(of_cluster(&real), [0_u32; 0]);
        assert!(exists(visitor.id()));
        signal(visitor.id(), Signal::KILL);
        visitor.wait().unwrap();
    }
}
