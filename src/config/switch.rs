//! What `USE_ASYNC_DB` can say, and what `use_async_db` in flags.toml can say alike.

use super::stage::{Share, Stage};
use crate::error::{Error, ErrorKind};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A value of `USE_ASYNC_DB`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Switch {
    /// Not set, or `auto`: others decide.
    #[default]
    Auto,
    /// `false`, `0`, `off` or `no`: blocking, whatever others say.
    Off,
    /// `true`, `1`, `on` or `yes`: no cap, and async where nobody else says a thing.
    On,
    /// A percentage: at most this share of the keys.
    Share(Share),
}

impl Switch {
    /// What is accepted, for messages and for the reference.
    pub const ACCEPTED: &'static str =
        "auto; false, 0, off, no; true, 1, on, yes; or a percentage such as 25%";

    /// The most that this value permits.
    pub fn cap(self) -> Stage {
        match self {
            Self::Auto | Self::On => Stage::Complete,
            Self::Off => Stage::Off,
            Self::Share(share) => Stage::serving(share),
        }
    }

    /// What this value asks for; `auto` asks for nothing.
    pub fn base(self) -> Option<Stage> {
        (self != Self::Auto).then(|| self.cap())
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Off => f.write_str("off"),
            Self::On => f.write_str("on"),
            Self::Share(share) => share.fmt(f),
        }
    }
}

impl FromStr for Switch {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let word = text.trim().to_ascii_lowercase();
        match word.as_str() {
            "auto" => Ok(Self::Auto),
            "false" | "0" | "off" | "no" => Ok(Self::Off),
            "true" | "1" | "on" | "yes" => Ok(Self::On),
            word => word.parse().map(Self::Share).map_err(|_| {
                Error::new(
                    ErrorKind::Config,
                    format!(
                        "\"{}\" is not understood; accepted are {}",
                        text.escape_debug(),
                        Self::ACCEPTED
                    ),
                )
            }),
        }
    }
}

impl Serialize for Switch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|error: Error| serde::de::Error::custom(error.message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_values() {
        let quarter = Stage::Canary(Share::percent(25));
        let table: &[(&[&str], Stage, Option<Stage>)] = &[
            (&["auto", "AUTO"], Stage::Complete, None),
            (
                &["false", "0", "off", "no", "False"],
                Stage::Off,
                Some(Stage::Off),
            ),
            (
                &["true", "1", "on", "yes", " True "],
                Stage::Complete,
                Some(Stage::Complete),
            ),
            (&["25%", "25.0%"], quarter, Some(quarter)),
            (&["100%"], Stage::Complete, Some(Stage::Complete)),
        ];
        for (words, cap, base) in table {
            for word in *words {
                let switch: Switch = word.parse().unwrap();
                assert_eq!((switch.cap(), switch.base()), (*cap, *base), "{word}");
            }
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_is_accepted() {
        for word in ["", " ", "2", "25", "yess", "101%", "-5%", "on off", "null"] {
            let error = word.parse::<Switch>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(
                error.message().contains("true, 1, on, yes"),
                "{word}: {error}"
            );
        }
    }
}
