//! Durations as people write them: `250ms`, `30s`, `10m`, `24h`, `7d`.

use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Deserializer, Serializer};
use std::time::Duration;

const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads a duration: a whole number and one of `ms`, `s`, `m`, `h`, `d`. A bare `0` is zero.
///
/// # Errors
/// [`ErrorKind::Config`] for anything else.
pub fn parse_duration(text: &str) -> Result<Duration> {
    let wrong = || {
        Error::new(
            ErrorKind::Config,
            format!(
                "\"{}\" is no duration; write a whole number and its unit, such as 250ms, 30s, 10m, 24h or 7d",
                text.escape_debug()
            ),
        )
    };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(split);
    let (_, scale) = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number
        .checked_mul(*scale)
        .map(Duration::from_millis)
        .ok_or_else(wrong)
}

/// Writes a duration as [`parse_duration`] reads it, in the largest unit that is exact; what is below a millisecond is left out.
pub fn show_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let exact = |scale: u64| millis > 0 && millis.is_multiple_of(scale);
    UNITS.iter().find(|(_, scale)| exact(*scale)).map_or_else(
        || "0s".into(),
        |(unit, scale)| format!("{}{unit}", millis / scale),
    )
}

pub(super) fn serialize<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&show_duration(*duration))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(|error| serde::de::Error::custom(error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_wrong_is_refused() {
        for wrong in [
            "",
            "30",
            "s",
            "-1s",
            "1.5s",
            "1 s",
            "1y",
            "s1",
            "999999999999999999d",
            "9999999999999999999999s",
        ] {
            let error = parse_duration(wrong).unwrap_err();
            assert!(error.message().contains("30s"), "{wrong}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(millis in 0_u64..10_000_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&show_duration(duration)).unwrap(), duration);
        }
    }
}
