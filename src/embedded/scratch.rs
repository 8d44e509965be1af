//! Private folders that come and go with the server: the socket's, and temporary ones with a short path.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs};

use super::EmbeddedError;
use super::account::Account;

/// A socket's whole path must fit into the 104 to 108 bytes of its address; a reserve stays for the lock beside it.
const LONGEST_SOCKET: usize = 90;

/// Empties the socket's folder. What is in there belongs to a server that has ended: only the holder of the lock starts
/// one.
pub(super) fn fresh_socket(path: &Path, account: &Account) -> Result<(), EmbeddedError> {
    remove(path);
    make_private(path, account)
}

/// Makes a folder that only the server's user can enter.
pub(super) fn make_private(path: &Path, account: &Account) -> Result<(), EmbeddedError> {
    DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(EmbeddedError::io("create", path))?;
    account.own(path)
}

/// Makes a private folder with a name of its own, in the first temporary place that the server can reach and whose
/// path is short enough for a socket.
pub(super) fn make(account: &Account) -> Result<PathBuf, EmbeddedError> {
    let places = [
        env::temp_dir(),
        PathBuf::from("/tmp"),
        PathBuf::from("/var/tmp"),
    ];
    let usable = |place: &&PathBuf| {
        let real = fs::canonicalize(place);
        real.is_ok_and(|real| {
            fits(&real.join(name(0)).join("socket"), u16::MAX) && account.closed_to(&real).is_none()
        })
    };
    let place = places.iter().find(usable).unwrap_or(&places[1]);
    let place = fs::canonicalize(place).map_err(EmbeddedError::io("find", place))?;
    let mut attempt = 0;
    loop {
        let path = place.join(name(attempt));
        match make_private(&path, account) {
            Ok(()) => return Ok(path),
            Err(EmbeddedError::Io { source, .. })
                if source.kind() == ErrorKind::AlreadyExists && attempt < 100 =>
            {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

fn name(attempt: u32) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.subsec_nanos());
    format!("pontoon-{:x}-{now:08x}{attempt:02x}", std::process::id())
}

/// Whether a socket in this folder has an address, and one that a URL can carry.
pub(super) fn fits(socket: &Path, port: u16) -> bool {
    socket.to_str().is_some()
        && socket.join(format!(".s.PGSQL.{port}")).as_os_str().len() <= LONGEST_SOCKET
}

/// Removes a folder of ours. A rest is harmless, and a missing one is what was wanted.
pub(super) fn remove(path: &Path) {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!("could not remove {}: {error}", path.display());
        }
        _ => {}
    }
}
