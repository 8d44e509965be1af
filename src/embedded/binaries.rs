//! Finds the server binaries that are installed: `PG_BIN`, `PATH`, `pg_config --bindir`, then the folders that
//! packagers use, newest first.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, iter};

use super::EmbeddedError;
use super::account::Account;

/// Where packagers put the binaries: a parent folder, the start of the version folder's name, and what follows it.
const PACKAGED: [(&str, &str, &str); 8] = [
    ("usr/lib/postgresql", "", "bin"),
    ("opt/homebrew/opt", "postgresql", "bin"),
    ("usr/local/opt", "postgresql", "bin"),
    ("home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
    ("Applications/Postgres.app/Contents/Versions", "", "bin"),
    ("usr", "pgsql-", "bin"),
    ("usr/lib", "postgresql", "bin"),
    ("usr/libexec", "postgresql", ""),
];

/// Server binaries that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    folder: PathBuf,
    /// The major version, which names the data folder.
    pub(super) major: u32,
}

/// What [`Places::choose`] settled on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) binaries: Binaries,
    /// Versions that have data and no binaries.
    pub(super) missing: Vec<u32>,
}

/// Where to look.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) pg_bin: Option<PathBuf>,
    pub(super) path: Option<OsString>,
    /// The folder that packagers' paths are relative to: `/` but in tests.
    pub(super) root: PathBuf,
}

impl Binaries {
    pub(super) fn server(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    /// Looks at one folder; the error says what is wrong with it.
    fn inspect(folder: &Path, account: &Account) -> Result<Self, String> {
        let server = fs::canonicalize(folder.join("postgres"))
            .map_err(|error| format!("no `postgres`: {error}"))?;
        fs::metadata(folder.join("initdb")).map_err(|error| format!("no `initdb`: {error}"))?;
        if let Some(closed) = account.closed_to(&server) {
            return Err(format!(
                "user `{}` cannot enter {}",
                account.name,
                closed.display()
            ));
        }
        let output = account
            .command(&server)
            .arg("--version")
            .output()
            .map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let major = major(&text)
            .ok_or_else(|| format!("`postgres --version` printed {:?}", text.trim()))?;
        // A folder on PATH may hold links only; the binaries look for their libraries beside the real ones.
        let real = server
            .parent()
            .filter(|real| real.join("initdb").exists() && server.ends_with("postgres"));
        Ok(Self {
            folder: real.unwrap_or(folder).to_owned(),
            major,
        })
    }
}

impl Places {
    /// Reads `PG_BIN` and `PATH`.
    pub(super) fn from_environment() -> Self {
        let pg_bin = env::var_os("PG_BIN")
            .filter(|value| !value.is_empty())
            .map(PathBuf::from);
        Self {
            pg_bin,
            path: env::var_os("PATH"),
            root: PathBuf::from("/"),
        }
    }

    /// The first usable binaries, those of a version in `with_data` before others: an upgrade of the system's package
    /// must not hide the data of the version before.
    ///
    /// # Errors
    /// [`EmbeddedError::BadPgBin`], or [`EmbeddedError::NoBinaries`] with the install command for this system.
    pub(super) fn choose(
        &self,
        account: &Account,
        with_data: &[u32],
    ) -> Result<Choice, EmbeddedError> {
        if let Some(folder) = &self.pg_bin {
            return given(folder, account, with_data);
        }
        let mut tried = Vec::new();
        let mut first = None;
        let mut with = None;
        let mut missing = with_data.to_vec();
        for folder in self.folders() {
            match Binaries::inspect(&folder, account) {
                Ok(binaries) => {
                    missing = without(&missing, binaries.major);
                    let kept = if with_data.contains(&binaries.major) {
                        &mut with
                    } else {
                        &mut first
                    };
                    kept.get_or_insert(binaries);
                    if missing.is_empty() {
                        break;
                    }
                }
                Err(reason) => tried.push(format!("{}: {reason}", folder.display())),
            }
        }
        if tried.is_empty() {
            tried.push(String::from(
                "looked in PATH, at `pg_config --bindir` and where packages put them",
            ));
        }
        let none = || {
            let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
            let advice = install_advice(&release, env::consts::OS);
            EmbeddedError::NoBinaries { tried, advice }
        };
        let binaries = with.or(first).ok_or_else(none)?;
        Ok(Choice { binaries, missing })
    }

    /// Folders with a `postgres`, in the order of preference; later ones are looked for only when asked for.
    fn folders(&self) -> impl Iterator<Item = PathBuf> {
        let on_path = self
            .path
            .iter()
            .flat_map(env::split_paths)
            .filter(|folder| folder.is_absolute());
        let configured = iter::once_with(|| self.pg_config()).flatten();
        let packaged = iter::once_with(|| self.packaged()).flatten();
        on_path
            .chain(configured)
            .chain(packaged)
            .filter(|folder| folder.join("postgres").exists())
    }

    fn pg_config(&self) -> Option<PathBuf> {
        let program = self
            .path
            .iter()
            .flat_map(env::split_paths)
            .map(|folder| folder.join("pg_config"));
        let program = program.into_iter().find(|program| program.is_file())?;
        let output = Command::new(program).arg("--bindir").output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        Some(PathBuf::from(text.trim())).filter(|folder| folder.is_absolute())
    }

    fn packaged(&self) -> Vec<PathBuf> {
        let mut found: Vec<(usize, u32, PathBuf)> = Vec::new();
        for (rank, (parent, start, rest)) in PACKAGED.iter().enumerate() {
            let Ok(entries) = fs::read_dir(self.root.join(parent)) else {
                continue;
            };
            for entry in entries.flatten() {
                let name = entry.file_name();
                let Some(version) = name.to_str().and_then(|name| name.strip_prefix(start)) else {
                    continue;
                };
                if let Some(version) = leading_number(version.trim_start_matches(['@', '-'])) {
                    found.push((rank, version, entry.path().join(rest)));
                }
            }
        }
        found.sort_by_key(|&(rank, version, _)| (rank, std::cmp::Reverse(version)));
        found.into_iter().map(|(.., folder)| folder).collect()
    }
}

/// The binaries of the folder that was named, or why they are none.
fn given(folder: &Path, account: &Account, with_data: &[u32]) -> Result<Choice, EmbeddedError> {
    let bad = |reason| EmbeddedError::BadPgBin {
        folder: folder.to_owned(),
        reason,
    };
    let binaries = Binaries::inspect(folder, account).map_err(bad)?;
    let missing = without(with_data, binaries.major);
    Ok(Choice { binaries, missing })
}

fn without(versions: &[u32], version: u32) -> Vec<u32> {
    versions
        .iter()
        .copied()
        .filter(|&other| other != version)
        .collect()
}

/// The major version in what `postgres --version` prints.
fn major(text: &str) -> Option<u32> {
    leading_number(text.split_once("(PostgreSQL) ")?.1)
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text[..end].parse().ok()
}

/// The command that installs the server on this system.
fn install_advice(os_release: &str, os: &str) -> String {
    let ids: Vec<&str> = os_release
        .lines()
        .filter_map(|line| {
            line.strip_prefix("ID=")
                .or_else(|| line.strip_prefix("ID_LIKE="))
        })
        .flat_map(|value| value.trim_matches('"').split_whitespace())
        .collect();
    let has = |names: &[&str]| ids.iter().any(|id| names.contains(id));
    let command = match os {
        "macos" => "brew install postgresql@17",
        _ if has(&["debian", "ubuntu"]) => {
            "sudo mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' | sudo tee /etc/postgresql-common/createcluster.conf && sudo apt-get install postgresql"
        }
        _ if has(&["fedora", "rhel", "centos"]) => "sudo dnf install postgresql-server",
        _ if has(&["alpine"]) => "apk add postgresql",
        _ if has(&["arch"]) => "sudo pacman -S postgresql",
        _ if has(&["suse", "opensuse"]) => "sudo zypper install postgresql-server",
        _ => {
            return String::from(
                "install the PostgreSQL server with this system's package manager",
            );
        }
    };
    format!("install it with `{command}`")
}

#[cfg(test)]
mod tests;
