//! `[shadow]`: which reads are compared, and which differences are known.

use super::duration::{self, parse_duration, show_duration};
use super::fault::Faults;
use crate::error::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How shadow reads are sampled, bounded and compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Shadow {
    /// The share of reads that is compared.
    pub sample: f64,
    /// The share of the samples that compares blocking with blocking, to know the noise.
    pub aa_share: f64,
    /// How long a shadow read may take.
    #[serde(with = "duration")]
    pub deadline: Duration,
    /// How many shadow reads begin in a second at most.
    pub max_per_second: u32,
    /// How many wait at most; more are dropped and counted.
    pub queue: u32,
    /// How a difference is confirmed.
    pub confirm: Confirm,
    /// Differences that are known.
    pub ignore: Vec<Ignore>,
}

/// How a difference is confirmed before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Confirm {
    /// Both backends read again under one exported snapshot.
    Snapshot,
}

/// A difference in one column of one query that is known, whose it is, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Ignore {
    /// The query's name.
    pub query: String,
    /// The column's name.
    pub column: String,
    /// What counts as equal.
    pub rule: Rule,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds.
    pub until: Date,
}

/// What counts as equal in an ignored column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Rule {
    /// Two times that lie this close together: `within:2s`.
    Within(Duration),
}

/// A day, written `2027-01-31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    /// The year.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
}

impl Default for Shadow {
    fn default() -> Self {
        Self {
            sample: 0.01,
            aa_share: 0.10,
            deadline: Duration::from_secs(2),
            max_per_second: 20,
            queue: 256,
            confirm: Confirm::Snapshot,
            ignore: Vec::new(),
        }
    }
}

impl Shadow {
    pub(crate) fn check(&self, faults: &mut Faults) {
        faults.fraction(self.sample, "shadow.sample");
        faults.fraction(self.aa_share, "shadow.aa_share");
        faults.positive(self.deadline, "shadow.deadline");
        faults.at_least_one(self.max_per_second, "shadow.max_per_second");
        faults.at_least_one(self.queue, "shadow.queue");
        for (number, ignore) in self.ignore.iter().enumerate() {
            let texts = [
                ("query", &ignore.query),
                ("column", &ignore.column),
                ("owner", &ignore.owner),
            ];
            for (key, text) in texts {
                faults.text(text, format!("shadow.ignore[{number}].{key}"));
            }
        }
    }
}

impl FromStr for Rule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.strip_prefix("within:") {
            Some(within) => parse_duration(within).map(Self::Within),
            None => Err(Error::new(
                ErrorKind::Config,
                format!(
                    "\"{}\" is no rule; the rule is within:DURATION, such as within:2s",
                    text.escape_debug()
                ),
            )),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(duration) => write!(f, "within:{}", show_duration(*duration)),
        }
    }
}

impl FromStr for Date {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let date = || {
            let shaped = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
            let (year, rest) = shaped.then(|| text.split_once('-')).flatten()?;
            let (month, day) = rest.split_once('-')?;
            let date = Self {
                year: year.parse().ok()?,
                month: month.parse().ok()?,
                day: day.parse().ok()?,
            };
            (1..=date.days_in_month())
                .contains(&date.day)
                .then_some(date)
        };
        date().ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                format!(
                    "\"{}\" is no day; write it as 2027-01-31",
                    text.escape_debug()
                ),
            )
        })
    }
}

impl Date {
    fn days_in_month(self) -> u8 {
        let leap = self.year.is_multiple_of(4)
            && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        match self.month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 0,
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// Serde reads and writes these as their text.
macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl TryFrom<String> for $type {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse().map_err(|error: Error| error.message().to_owned())
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    )*};
}

as_text!(Rule, Date);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_days_of_the_calendar() {
        for day in ["2027-01-31", "2028-02-29", "2000-02-29", "0001-12-01"] {
            assert_eq!(day.parse::<Date>().unwrap().to_string(), day);
        }
        for wrong in [
            "",
            "2027-02-29",
            "1900-02-29",
            "2027-13-01",
            "2027-00-10",
            "2027-1-31",
            "27-01-31",
            "2027-01-00",
            "----------",
            "2027/01/31",
        ] {
            assert!(wrong.parse::<Date>().is_err(), "{wrong}");
        }
        assert!("2027-01-31".parse::<Date>().unwrap() < "2027-02-01".parse().unwrap());
    }

    #[test]
    fn a_rule_names_how_close() {
        let rule: Rule = "within:2s".parse().unwrap();
        assert_eq!(rule, Rule::Within(Duration::from_secs(2)));
        assert_eq!(rule.to_string(), "within:2s");
        assert!("within:2".parse::<Rule>().is_err() && "any".parse::<Rule>().is_err());
    }
}
