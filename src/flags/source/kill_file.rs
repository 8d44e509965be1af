//! The kill file: while it is there, everything is blocking.
//!
//! Its presence alone counts. Its contents say who wrote it and why, as JSON or as lines such as `reason: ...`; whoever removes it by hand
//! permits async again.

use super::{Reading, Source};
use crate::config::Stage;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

pub(in crate::flags) const NAME: &str = "kill_file";

/// More than this of a kill file is not read.
const MOST_BYTES: u64 = 4096;

/// The file that stops async wherever its path is configured.
#[derive(Debug)]
pub(in crate::flags) struct KillFile(pub(in crate::flags) PathBuf);

/// Why a rollback happened, when, and by whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::flags) struct Note {
    /// Why.
    pub(in crate::flags) reason: String,
    /// By whom.
    pub(in crate::flags) who: String,
    /// When, in UTC: `2027-01-31T12:00:00Z`.
    pub(in crate::flags) at: String,
}

impl Source for KillFile {
    fn read(&self, last: &Reading) -> Option<Reading> {
        Some(self.look(last))
    }

    fn first(&self) -> Result<Reading> {
        // What cannot be told at the start counts as present.
        let unknown = Note {
            reason: "cannot tell whether the kill file is there".into(),
            ..Note::default()
        };
        Ok(self.look(&self.present(&unknown)))
    }
}

impl KillFile {
    fn look(&self, last: &Reading) -> Reading {
        let path = self.0.display();
        // A link that leads nowhere is there as well.
        match fs::symlink_metadata(&self.0) {
            Ok(_) => self.present(&Note::read(&self.0)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Reading::silent(NAME, format!("there is none at {path}"))
            }
            Err(error) => Reading {
                alarm: Some(format!(
                    "cannot tell whether the kill file {path} is there: {error}"
                )),
                ..last.clone()
            },
        }
    }

    fn present(&self, note: &Note) -> Reading {
        Reading {
            rolled_back: true,
            cap: Stage::Off,
            ..Reading::silent(NAME, format!("{note}; the file is {}", self.0.display()))
        }
    }
}

impl Note {
    /// A note of this moment.
    pub(in crate::flags) fn new(reason: String, who: String, at: SystemTime) -> Self {
        let at = show_time(at);
        Self { reason, who, at }
    }

    /// The contents of a kill file, as far as they can be read: the file counts without them.
    fn read(path: &Path) -> Self {
        let mut bytes = Vec::new();
        let plain = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
        // A pipe would hold the reader up.
        if plain && let Ok(file) = File::open(path) {
            // What was read before an error is shown.
            let _ = file.take(MOST_BYTES).read_to_end(&mut bytes);
        }
        Self::parse(&String::from_utf8_lossy(&bytes))
    }

    fn parse(text: &str) -> Self {
        if let Ok(note) = serde_json::from_str::<Self>(text) {
            return note;
        }
        let mut note = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line
                .split_once(':')
                .map(|(key, rest)| (key.trim(), rest.trim()))
            {
                Some(("reason" | "why", rest)) => note.reason = rest.into(),
                Some(("who" | "by", rest)) => note.who = rest.into(),
                Some(("at" | "when", rest)) => note.at = rest.into(),
                _ if note.reason.is_empty() => note.reason = line.into(),
                _ => {}
            }
        }
        note
    }

    /// Writes the note as a kill file: a reader sees the whole file or none, also after a crash.
    pub(in crate::flags) fn write(&self, path: &Path) -> Result<()> {
        self.try_write(path, sync_folder).map_err(|error| {
            Error::new(
                ErrorKind::Config,
                format!("cannot write the kill file {}: {error}", path.display()),
            )
            .with_hint(
                "this process stays rolled back; other processes and a restart do not see it",
            )
            .with_source(error)
        })
    }

    fn try_write(
        &self,
        path: &Path,
        sync_folder: impl Fn(&Path) -> io::Result<()>,
    ) -> io::Result<()> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        fs::create_dir_all(folder)?;
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let draft = folder.join(format!(
            ".{}.{}",
            name.to_string_lossy(),
            uuid::Uuid::new_v4().simple()
        ));
        let written = self
            .write_draft(&draft)
            .and_then(|()| fs::rename(&draft, path));
        if written.is_err() {
            // The first error is the one that tells.
            let _ = fs::remove_file(&draft);
        }
        written?;
        // The name is durable once its folder is. Some file systems cannot say so (FUSE, a network's), and the file holds all the same.
        if let Err(error) = sync_folder(folder) {
            tracing::warn!(
                %error,
                "the kill file {} holds, but may be lost if the machine goes down now: its folder could not be synced",
                path.display()
            );
        }
        Ok(())
    }

    fn write_draft(&self, draft: &Path) -> io::Result<()> {
        let mut file = File::create_new(draft)?;
        serde_json::to_writer(&mut file, self)?;
        file.write_all(b"\n")?;
        file.sync_all()
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Removes the kill file; that it is not there is fine.
pub(in crate::flags) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::new(
            ErrorKind::Config,
            format!("cannot remove the kill file {}: {error}", path.display()),
        )
        .with_source(error)),
        _ => Ok(()),
    }
}

impl fmt::Display for Note {
    /// One line, whatever the file held.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |text: &str| -> String {
            let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
            shown.take(500).collect()
        };
        f.write_str("rolled back")?;
        if !self.who.is_empty() {
            write!(f, " by {}", line(&self.who))?;
        }
        if !self.at.is_empty() {
            write!(f, " at {}", line(&self.at))?;
        }
        if !self.reason.is_empty() {
            write!(f, ": {}", line(&self.reason))?;
        }
        Ok(())
    }
}

/// A moment in UTC, to the second. A clock that stands before 1970 shows 1970.
fn show_time(at: SystemTime) -> String {
    let seconds = at
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days are counted from March 1 of year 0, so that a leap day is the last day of its year.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn moments_are_shown_in_utc() {
        let show = |seconds| show_time(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(show(0), "1970-01-01T00:00:00Z");
        assert_eq!(show(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(show(1_709_251_199), "2024-02-29T23:59:59Z");
        assert_eq!(show(4_107_542_400), "2100-03-01T00:00:00Z");
    }

    #[test]
    fn contents_are_json_or_lines_or_anything() {
        let note = Note::parse("{\"reason\":\"p95\",\"who\":\"ada\"}");
        assert_eq!(note.to_string(), "rolled back by ada: p95");
        let note = Note::parse("reason: errors: 7 %\nwho: ada\nwhen: noon\n");
        assert_eq!(note.to_string(), "rolled back by ada at noon: errors: 7 %");
        assert_eq!(Note::parse("it is slow\nsince noon").reason, "it is slow");
        assert_eq!(Note::parse("").to_string(), "rolled back");
        assert_eq!(Note::parse("[1]").reason, "[1]");
        let odd = Note::parse("a\u{1b}[31m");
        assert!(!odd.to_string().chars().any(char::is_control));
    }

    #[test]
    fn what_is_written_is_read_and_no_draft_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/rollback");
        let note = Note::new("drill".into(), "ada".into(), UNIX_EPOCH);
        note.write(&path).unwrap();
        note.write(&path).unwrap();
        let source = KillFile(path.clone());
        let reading = source.first().unwrap();
        assert_eq!(reading.cap, Stage::Off);
        assert_eq!(
            reading.detail,
            format!(
                "rolled back by ada at 1970-01-01T00:00:00Z: drill; the file is {}",
                path.display()
            )
        );
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert_eq!(source.first().unwrap().cap, Stage::Complete);
    }

    #[test]
    fn a_folder_a_dead_link_or_any_other_thing_at_the_path_counts() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            KillFile(folder.path().into()).first().unwrap().cap,
            Stage::Off
        );
        #[cfg(unix)]
        {
            let link = folder.path().join("rollback");
            std::os::unix::fs::symlink("nowhere", &link).unwrap();
            assert_eq!(KillFile(link).first().unwrap().cap, Stage::Off);
        }
    }

    #[test]
    fn what_cannot_be_told_is_off_at_the_start_and_kept_later() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let source = KillFile(file.join("rollback"));
        let first = source.first().unwrap();
        assert_eq!(first.cap, Stage::Off);
        assert!(first.alarm.is_some());
        let later = source.look(&Reading::silent(NAME, ""));
        assert_eq!(later.cap, Stage::Complete);
        assert!(later.alarm.unwrap().contains("cannot tell"));
    }

    #[test]
    fn a_folder_that_cannot_be_synced_fails_no_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rollback");
        let cannot = |_: &Path| Err(io::ErrorKind::Unsupported.into());
        Note::default().try_write(&path, cannot).unwrap();
        assert_eq!(KillFile(path).first().unwrap().cap, Stage::Off);
    }

    #[test]
    fn a_write_that_fails_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Note::default().write(&file.join("rollback")).unwrap_err();
        assert!(error.to_string().contains("file/rollback"), "{error}");
    }
}
