//! Postgres' dates and times as it stores them: no calendar limit of a library stands between the two backends.
//!
//! They print in the form that the server prints with `DateStyle` ISO and `IntervalStyle` postgres, and are read from what the server reads
//! without a doubt: the ISO forms, with or without a `T`, an offset, a fraction and `BC`.

mod calendar;
mod interval;
mod parse;
mod scan;
mod show;

use crate::error::{Error, ErrorKind};
use std::time::{Duration, SystemTime};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
/// Seconds from 1970 to 2000.
const UNIX_TO_POSTGRES: i64 = 946_684_800;

/// A `date`: days since 2000-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub i32);

/// A `time`: microseconds since midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// A `time with time zone`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeTz {
    /// Microseconds since midnight, in the zone.
    pub time: Time,
    /// Seconds *west* of UTC, as Postgres stores it.
    pub west: i32,
}

/// A `timestamp`, with or without time zone: microseconds since 2000-01-01 00:00 (UTC, where there is a zone).
///
/// It prints without a zone; [`utc`](Timestamp::utc) prints it with one. Reading it from text applies the offset that the text has, and
/// takes a text without one as UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// An `interval`: its three parts, which Postgres keeps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Interval {
    /// Months.
    pub months: i32,
    /// Days.
    pub days: i32,
    /// Microseconds.
    pub micros: i64,
}

impl Date {
    /// Later than every other date.
    pub const INFINITY: Self = Self(i32::MAX);
    /// Earlier than every other date.
    pub const NEG_INFINITY: Self = Self(i32::MIN);

    /// The day of the Gregorian calendar, where the year 0 is 1 BC and -1 is 2 BC; `None` where there is no such day, or Postgres has none.
    ///
    /// ```
    /// use pontoon::sql::Date;
    /// assert_eq!(Date::from_civil(2024, 2, 29).map(|date| date.to_string()), Some("2024-02-29".to_owned()));
    /// assert_eq!(Date::from_civil(2023, 2, 29), None);
    /// ```
    pub fn from_civil(year: i32, month: u8, day: u8) -> Option<Self> {
        let days = calendar::days(year.into(), month.into(), day.into())?;
        let date = Self(i32::try_from(days).ok()?);
        (Self::FIRST..=Self::LAST).contains(&date).then_some(date)
    }

    /// Year, month and day, with the years of [`from_civil`](Date::from_civil); `None` for the infinities.
    pub fn to_civil(self) -> Option<(i32, u8, u8)> {
        if self.is_infinite() {
            return None;
        }
        let (year, month, day) = calendar::civil(self.0.into());
        Some((year.try_into().ok()?, month, day))
    }

    /// Whether this is one of the infinities.
    pub fn is_infinite(self) -> bool {
        self == Self::INFINITY || self == Self::NEG_INFINITY
    }

    /// Midnight of this day; `None` where no timestamp reaches that day. The infinities stay what they are.
    pub fn to_timestamp(self) -> Option<Timestamp> {
        match self {
            Self::INFINITY => Some(Timestamp::INFINITY),
            Self::NEG_INFINITY => Some(Timestamp::NEG_INFINITY),
            Self(days) => Timestamp::checked(i64::from(days).checked_mul(MICROS_PER_DAY)?),
        }
    }

    /// 4714-11-24 BC, the first day that Postgres has.
    const FIRST: Self = Self(-2_451_545);
    /// 5874897-12-31, the last day that Postgres has.
    const LAST: Self = Self(2_145_031_948);
}

impl Time {
    /// The time of day; `None` where a part is out of its range. 24:00:00 is Postgres' end of the day.
    pub fn from_hms_micro(hour: u8, minute: u8, second: u8, micros: u32) -> Option<Self> {
        if minute > 59 || second > 60 || micros > 999_999 {
            return None;
        }
        let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        let time = seconds * MICROS_PER_SECOND + i64::from(micros);
        (time <= MICROS_PER_DAY).then_some(Self(time))
    }
}

impl Timestamp {
    /// Later than every other timestamp.
    pub const INFINITY: Self = Self(i64::MAX);
    /// Earlier than every other timestamp.
    pub const NEG_INFINITY: Self = Self(i64::MIN);

    /// The time on that day; `None` where no timestamp reaches it.
    pub fn new(date: Date, time: Time) -> Option<Self> {
        let midnight = date.to_timestamp()?;
        if midnight.is_infinite() {
            return Some(midnight);
        }
        Self::checked(midnight.0.checked_add(time.0)?)
    }

    /// The day on which it lies; the infinities stay what they are.
    pub fn date(self) -> Date {
        match self {
            Self::INFINITY => Date::INFINITY,
            Self::NEG_INFINITY => Date::NEG_INFINITY,
            Self(micros) => {
                let days = i32::try_from(micros.div_euclid(MICROS_PER_DAY));
                Date(days.unwrap_or_default())
            }
        }
    }

    /// The time of its day; midnight for the infinities.
    pub fn time(self) -> Time {
        if self.is_infinite() {
            return Time(0);
        }
        Time(self.0.rem_euclid(MICROS_PER_DAY))
    }

    /// Whether this is one of the infinities.
    pub fn is_infinite(self) -> bool {
        self == Self::INFINITY || self == Self::NEG_INFINITY
    }

    /// It, where Postgres has such a timestamp.
    fn checked(micros: i64) -> Option<Self> {
        /// 4714-11-24 BC, the first that Postgres has.
        const FIRST: i64 = -211_813_488_000_000_000;
        /// 294277-01-01, the first that Postgres does not have any more.
        const END: i64 = 9_223_371_331_200_000_000;
        (FIRST..END).contains(&micros).then_some(Self(micros))
    }
}

/// Beyond what a timestamp holds, it is an infinity. What is finer than a microsecond is cut off.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let epoch = SystemTime::UNIX_EPOCH + Duration::from_secs(UNIX_TO_POSTGRES.unsigned_abs());
        match time.duration_since(epoch) {
            Ok(after) => i64::try_from(after.as_micros()).map_or(Self::INFINITY, Self),
            Err(before) => {
                let micros = before.duration().as_nanos().div_ceil(1000);
                i64::try_from(micros).map_or(Self::NEG_INFINITY, |micros| Self(-micros))
            }
        }
    }
}

/// The infinities, and what the system's clock cannot hold, are an error of the kind [`ErrorKind::Decode`].
impl TryFrom<Timestamp> for SystemTime {
    type Error = Error;

    fn try_from(timestamp: Timestamp) -> Result<Self, Error> {
        let epoch =
            Self::UNIX_EPOCH.checked_add(Duration::from_secs(UNIX_TO_POSTGRES.unsigned_abs()));
        let distance = Duration::from_micros(timestamp.0.unsigned_abs());
        epoch
            .filter(|_| !timestamp.is_infinite())
            .and_then(|epoch| {
                if timestamp.0 < 0 {
                    epoch.checked_sub(distance)
                } else {
                    epoch.checked_add(distance)
                }
            })
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Decode,
                    format!("the timestamp {timestamp} is beyond the system's clock"),
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_system_clock_goes_there_and_back() {
        let unix = Timestamp::from(SystemTime::UNIX_EPOCH);
        assert_eq!(unix.to_string(), "1970-01-01 00:00:00");
        assert_eq!(
            SystemTime::try_from(unix).ok(),
            Some(SystemTime::UNIX_EPOCH)
        );
        let early = SystemTime::UNIX_EPOCH - Duration::from_nanos(1);
        assert_eq!(
            Timestamp::from(early).to_string(),
            "1969-12-31 23:59:59.999999"
        );
        let error = SystemTime::try_from(Timestamp::INFINITY).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
    }

    #[test]
    fn the_calendar_ends_where_postgres_ends() {
        assert_eq!(Date::from_civil(-4713, 11, 24), Some(Date(-2_451_545)));
        assert_eq!(Date::from_civil(-4713, 11, 23), None);
        assert_eq!(
            Date::from_civil(5_874_897, 12, 31),
            Some(Date(2_145_031_948))
        );
        assert_eq!(Date::from_civil(5_874_898, 1, 1), None);
        let last = Date::from_civil(294_276, 12, 31).and_then(Date::to_timestamp);
        assert!(last.is_some());
        assert_eq!(
            Date::from_civil(294_277, 1, 1).and_then(Date::to_timestamp),
            None
        );
        assert_eq!(Date::INFINITY.to_timestamp(), Some(Timestamp::INFINITY));
        assert_eq!(Date::INFINITY.to_civil(), None);
    }

    #[test]
    fn times_are_checked() {
        assert_eq!(
            Time::from_hms_micro(24, 0, 0, 0),
            Some(Time(MICROS_PER_DAY))
        );
        assert_eq!(Time::from_hms_micro(24, 0, 0, 1), None);
        assert_eq!(Time::from_hms_micro(23, 60, 0, 0), None);
        assert_eq!(Time::from_hms_micro(255, 0, 0, 0), None);
    }

    proptest! {
        #[test]
        fn every_date_is_its_civil_day(days in -2_451_545..=2_145_031_948) {
            let (year, month, day) = Date(days).to_civil().unwrap_or_default();
            prop_assert_eq!(Date::from_civil(year, month, day), Some(Date(days)));
        }

        #[test]
        fn every_timestamp_is_its_date_and_time(micros in -211_813_488_000_000_000..9_223_371_331_200_000_000i64) {
            let timestamp = Timestamp(micros);
            prop_assert_eq!(Timestamp::new(timestamp.date(), timestamp.time()), Some(timestamp));
        }
    }
}
