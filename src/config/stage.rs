//! How far a migration is: a share of the keys, and the stages in their order.

use crate::error::{Error, ErrorKind};
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A share of the keys in basis points, 0 to 10000. Written as a percentage with at most two decimals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u16);

impl Share {
    /// Nobody.
    pub const NONE: Self = Self(0);
    /// Everybody.
    pub const ALL: Self = Self(10_000);
    /// Everybody but the 1 % that stays behind as a live control.
    pub const HOLDBACK: Self = Self(9_900);

    /// A share of `percent`; more than 100 is everybody.
    pub fn percent(percent: u8) -> Self {
        Self::basis_points(u16::from(percent) * 100)
    }

    /// A share of hundredths of a percent; more than 10000 is everybody.
    pub fn basis_points(points: u16) -> Self {
        Self(points).min(Self::ALL)
    }

    /// The share in hundredths of a percent.
    pub const fn as_basis_points(self) -> u16 {
        self.0
    }

    /// The share in percent, for people and for JSON.
    pub fn as_percent(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// Reads `25`, `0.5` or `12.25`.
    fn from_digits(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 2 {
            return None;
        }
        let scale = if part.len() == 1 { 10 } else { 1 };
        let hundredths = part.parse::<u16>().ok()? * scale;
        let points = whole
            .parse::<u16>()
            .ok()?
            .checked_mul(100)?
            .checked_add(hundredths)?;
        (points <= Self::ALL.0).then_some(Self(points))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.as_percent())
    }
}

impl FromStr for Share {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.strip_suffix('%')
            .and_then(|digits| Self::from_digits(digits.trim_end()))
            .ok_or_else(|| no_share(text))
    }
}

fn no_share(text: &str) -> Error {
    Error::new(
        ErrorKind::Config,
        format!("\"{text}\" is no percentage from 0% to 100% with at most two decimals"),
    )
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_percent())
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShareVisitor)
    }
}

/// A number is a percentage, and so is a text such as `"25%"`. A number goes through its decimal text, because two decimals are exact there.
struct ShareVisitor;

impl ShareVisitor {
    fn read<E: serde::de::Error>(text: &str) -> Result<Share, E> {
        Share::from_digits(text).ok_or_else(|| E::custom(no_share(text).message()))
    }
}

impl Visitor<'_> for ShareVisitor {
    type Value = Share;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a percentage from 0 to 100")
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Share, E> {
        Self::read(&value.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Share, E> {
        Self::read(&value.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Share, E> {
        Self::read(&value.to_string())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Share, E> {
        value
            .parse()
            .map_err(|error: Error| E::custom(error.message()))
    }
}

/// How far the migration is, or may go. A lower stage is the more cautious one, so of several caps the minimum holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Rolled back: as [`Off`](Stage::Off), until somebody lifts it.
    RolledBack,
    /// Everything is blocking.
    Off,
    /// Everything is blocking; sampled reads are compared.
    Shadow,
    /// This share of the keys is async.
    Canary(Share),
    /// Everything is async but the holdback.
    Full,
    /// Everything is async. As a cap: none.
    Complete,
}

impl Stage {
    /// The stages' words, in order. `canary` may name its share: `canary(25%)`.
    pub const WORDS: [&'static str; 5] = ["off", "shadow", "canary", "full", "complete"];

    /// The stage's word, without the canary's share.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RolledBack => "rolled_back",
            Self::Off => "off",
            Self::Shadow => "shadow",
            Self::Canary(_) => "canary",
            Self::Full => "full",
            Self::Complete => "complete",
        }
    }

    /// The share of keys that is async at this stage.
    pub const fn share(self) -> Share {
        match self {
            Self::RolledBack | Self::Off | Self::Shadow => Share::NONE,
            Self::Canary(share) => share,
            Self::Full => Share::HOLDBACK,
            Self::Complete => Share::ALL,
        }
    }

    /// The stage that serves `share`: everybody is complete, anything less a canary.
    pub fn serving(share: Share) -> Self {
        if share == Share::ALL {
            Self::Complete
        } else {
            Self::Canary(share)
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Canary(share) => write!(f, "canary({share})"),
            stage => f.write_str(stage.as_str()),
        }
    }
}

impl FromStr for Stage {
    type Err = Error;

    /// Reads a stage that somebody may ask for; `rolled_back` is none of them. A bare `canary` is its last step.
    fn from_str(text: &str) -> Result<Self, Error> {
        let share = text
            .strip_prefix("canary(")
            .and_then(|rest| rest.strip_suffix(')'));
        match (text, share) {
            ("off", _) => Ok(Self::Off),
            ("shadow", _) => Ok(Self::Shadow),
            ("canary", _) => Ok(Self::Canary(Share::HOLDBACK)),
            ("full", _) => Ok(Self::Full),
            ("complete", _) => Ok(Self::Complete),
            (_, Some(share)) => share.parse().map(Self::serving),
            (_, None) => Err(Error::new(
                ErrorKind::Config,
                format!(
                    "\"{text}\" is no stage; the stages are {} and canary(25%)",
                    Self::WORDS.join(", ")
                ),
            )),
        }
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Stage {
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
    fn stages_are_ordered_by_caution() {
        let ordered = [
            Stage::RolledBack,
            Stage::Off,
            Stage::Shadow,
            Stage::Canary(Share::percent(1)),
            Stage::Canary(Share::percent(25)),
            Stage::Full,
            Stage::Complete,
        ];
        assert!(ordered.is_sorted());
        assert!(ordered.map(Stage::share).is_sorted());
    }

    #[test]
    fn a_stage_is_read_as_it_is_shown() {
        for stage in [
            "off",
            "shadow",
            "canary(25%)",
            "canary(0.5%)",
            "full",
            "complete",
        ] {
            assert_eq!(stage.parse::<Stage>().unwrap().to_string(), stage);
        }
        let bare: Stage = "canary".parse().unwrap();
        assert!(bare < Stage::Full);
        for wrong in [
            "",
            "rolled_back",
            "fulll",
            "Full",
            "canary(",
            "canary(25)",
            "canary(101%)",
        ] {
            assert!(wrong.parse::<Stage>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_has_two_decimals_at_most() {
        for (text, points) in [
            ("0%", 0),
            ("1%", 100),
            ("0.5%", 50),
            ("12.25%", 1225),
            ("100%", 10_000),
        ] {
            assert_eq!(text.parse::<Share>().unwrap(), Share(points), "{text}");
            assert_eq!(Share(points).to_string(), text);
        }
        for wrong in [
            "",
            "%",
            "25",
            "-1%",
            "100.01%",
            "101%",
            "1.%",
            ".5%",
            "0.125%",
            "99999999%",
            "1e1%",
            "٢%",
        ] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_in_a_document_is_a_number_of_percent() {
        let read = |json: &str| serde_json::from_str::<Share>(json);
        assert_eq!(read("25").unwrap(), Share(2500));
        assert_eq!(read("0.07").unwrap(), Share(7));
        assert_eq!(read("\"0.5%\"").unwrap(), Share(50));
        assert_eq!(serde_json::to_string(&Share(50)).unwrap(), "0.5");
        for wrong in ["-1", "101", "1e300", "0.001", "\"x\"", "true"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
