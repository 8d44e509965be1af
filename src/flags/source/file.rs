//! flags.toml: the limits of this environment, and the plan.

use super::{Reading, Source};
use crate::config::read_flags_file;
use crate::error::{Error, ErrorKind, Result};
use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

pub(in crate::flags) const NAME: &str = "file";

/// A file that is longer is no flags.toml.
const MOST_BYTES: u64 = 1 << 20;

/// How long a file must stay the same before it counts: an editor may write it in pieces.
const SETTLED: Duration = Duration::from_millis(50);

/// How often a file that keeps changing is read before its last text is taken.
const MOST_READS: usize = 10;

/// flags.toml and the environment whose limits hold.
#[derive(Debug, Clone)]
pub(in crate::flags) struct File {
    pub(in crate::flags) path: PathBuf,
    pub(in crate::flags) environment: String,
    pub(in crate::flags) required: bool,
}

impl Source for File {
    fn read(&self, last: &Reading) -> Option<Reading> {
        Some(match self.settled(last.text.as_deref()) {
            Ok(None) if last.text.is_none() => self.absent(),
            Ok(None) => kept(
                last,
                format!(
                    "{} is gone; what it said last is in force",
                    self.path.display()
                ),
            ),
            Ok(Some(text)) if last.text.as_deref() == Some(&*text) => Reading {
                alarm: None,
                ..last.clone()
            },
            Ok(Some(text)) => self.parse(&text).unwrap_or_else(|error| bad(last, &error)),
            Err(error) => bad(last, &error),
        })
    }

    fn first(&self) -> Result<Reading> {
        match self.text()? {
            Some(text) => self.parse(&text),
            None if self.required => Err(Error::new(
                ErrorKind::Config,
                format!("there is no file {}", self.path.display()),
            )
            .with_hint(
                "PONTOON_CONFIG and --config name the file that holds the plan and the limits",
            )),
            None => Ok(self.absent()),
        }
    }
}

impl File {
    fn absent(&self) -> Reading {
        Reading::silent(NAME, format!("there is no {}: no cap", self.path.display()))
    }

    fn parse(&self, text: &str) -> Result<Reading> {
        let rules = read_flags_file(&self.path, text)?;
        let environment = rules.environment(&self.environment).map_err(|error| {
            let hint = error.hint().unwrap_or_default().to_owned();
            Error::new(
                error.kind(),
                format!("{}: {}", self.path.display(), error.message()),
            )
            .with_hint(hint)
        })?;
        let (cap, base) = (environment.max_stage, environment.use_async_db.base());
        let detail = format!(
            "{}: max_stage {cap}, use_async_db {}",
            self.environment, environment.use_async_db
        );
        Ok(Reading {
            cap,
            base,
            text: Some(text.into()),
            rules: Some(Arc::new(rules)),
            ..Reading::silent(NAME, detail)
        })
    }

    /// The file's text once it is the same twice in a row; a text that is known already needs no second look.
    fn settled(&self, known: Option<&str>) -> Result<Option<String>> {
        let mut text = self.text()?;
        for _ in 0..MOST_READS {
            if text.as_deref() == known {
                break;
            }
            thread::sleep(SETTLED);
            let again = self.text()?;
            if again == text {
                break;
            }
            text = again;
        }
        Ok(text)
    }

    fn text(&self) -> Result<Option<String>> {
        let mut text = String::new();
        let read = fs::metadata(&self.path).and_then(|metadata| {
            // A pipe would hold the reader up.
            if !metadata.is_file() {
                return Err(io::Error::other("it is no plain file"));
            }
            let length = fs::File::open(&self.path)?
                .take(MOST_BYTES + 1)
                .read_to_string(&mut text)?;
            if u64::try_from(length).is_ok_and(|length| length > MOST_BYTES) {
                return Err(io::Error::other("it is longer than 1 MiB"));
            }
            Ok(())
        });
        match read {
            Ok(()) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::new(
                ErrorKind::Config,
                format!("cannot read {}: {error}", self.path.display()),
            )
            .with_source(error)),
        }
    }
}

/// What was said last, while the file on disk cannot be used.
fn bad(last: &Reading, error: &Error) -> Reading {
    let hint = error
        .hint()
        .map_or_else(String::new, |hint| format!(" ({hint})"));
    let what = if last.text.is_some() {
        "the last good file"
    } else {
        "no file"
    };
    kept(last, format!("{error}{hint}; {what} is in force"))
}

/// What was said last, and what is wrong now.
fn kept(last: &Reading, alarm: String) -> Reading {
    Reading {
        alarm: Some(alarm),
        ..last.clone()
    }
}

#[cfg(test)]
mod tests;
