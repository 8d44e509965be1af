//! What an earlier run left on a cluster: a server without a parent, a pid file without a server.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use super::{EmbeddedError, process};

/// Ends a server of an earlier run that outlived its parent and its watchdog, and removes a pid file that names a
/// process which is no server of this cluster. Only the holder of the folder's lock may call it: nobody else then uses
/// the folder.
///
/// # Errors
/// [`EmbeddedError::Orphan`] when the server does not even end when it is killed.
pub(super) fn end(cluster: &Path) -> Result<(), EmbeddedError> {
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
