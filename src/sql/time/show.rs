//! How dates and times print: as the server prints them.

use super::{Date, Interval, MICROS_PER_SECOND, Time, TimeTz, Timestamp, calendar};
use std::fmt;

const INFINITY: &str = "infinity";
const NEG_INFINITY: &str = "-infinity";

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::INFINITY => f.write_str(INFINITY),
            Self::NEG_INFINITY => f.write_str(NEG_INFINITY),
            Self(days) => {
                let before = day(f, days.into())?;
                f.write_str(era(before))
            }
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        clock(f, sign, self.0.unsigned_abs())
    }
}

impl fmt::Display for TimeTz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.time)?;
        let sign = if self.west > 0 { '-' } else { '+' };
        let east = self.west.unsigned_abs();
        write!(f, "{sign}{:02}", east / 3600)?;
        if !east.is_multiple_of(3600) {
            write!(f, ":{:02}", east / 60 % 60)?;
        }
        if !east.is_multiple_of(60) {
            write!(f, ":{:02}", east % 60)?;
        }
        Ok(())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        timestamp(f, *self, ' ', "")
    }
}

impl Timestamp {
    /// It with the zone, as `timestamp with time zone` prints in a session whose time zone is UTC: `2024-05-31 12:30:00+00`.
    pub fn utc(self) -> impl fmt::Display {
        fmt::from_fn(move |f| timestamp(f, self, ' ', "+00"))
    }

    /// It as RFC 3339 has it, in UTC: `2024-05-31T12:30:00Z`. Years beyond 0 to 9999, which RFC 3339 does not have, are written with a sign
    /// as ISO 8601 does; the infinities as `infinity` and `-infinity`.
    pub fn to_rfc3339(self) -> String {
        if self.is_infinite() {
            return self.to_string();
        }
        let (year, month, day) = calendar::civil(self.date().0.into());
        let time = self.time();
        if (0..=9999).contains(&year) {
            format!("{year:04}-{month:02}-{day:02}T{time}Z")
        } else {
            format!("{year:+05}-{month:02}-{day:02}T{time}Z")
        }
    }
}

fn timestamp(
    f: &mut fmt::Formatter<'_>,
    timestamp: Timestamp,
    separator: char,
    zone: &str,
) -> fmt::Result {
    if timestamp.is_infinite() {
        return write!(f, "{}", timestamp.date());
    }
    let before = day(f, timestamp.date().0.into())?;
    write!(f, "{separator}{}{zone}{}", timestamp.time(), era(before))
}

/// Writes the day and says whether its year is before 1 AD.
fn day(f: &mut fmt::Formatter<'_>, days: i64) -> Result<bool, fmt::Error> {
    let (year, month, day) = calendar::civil(days);
    let before = year <= 0;
    let year = if before { 1 - year } else { year };
    write!(f, "{year:04}-{month:02}-{day:02}")?;
    Ok(before)
}

fn era(before: bool) -> &'static str {
    if before { " BC" } else { "" }
}

fn clock(f: &mut fmt::Formatter<'_>, sign: &str, micros: u64) -> fmt::Result {
    let unit = MICROS_PER_SECOND.unsigned_abs();
    let (seconds, fraction) = (micros / unit, micros % unit);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    write!(f, "{sign}{hours:02}:{minutes:02}:{:02}", seconds % 60)?;
    if fraction == 0 {
        return Ok(());
    }
    let (mut fraction, mut width) = (fraction, 6);
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        width -= 1;
    }
    write!(f, ".{fraction:0width$}")
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.months / 12, "year"),
            (self.months % 12, "mon"),
            (self.days, "day"),
        ];
        let (mut first, mut negative) = (true, false);
        for (count, unit) in parts.into_iter().filter(|(count, _)| *count != 0) {
            let space = if first { "" } else { " " };
            let plus = if negative && count > 0 { "+" } else { "" };
            let plural = if count == 1 { "" } else { "s" };
            write!(f, "{space}{plus}{count} {unit}{plural}")?;
            (first, negative) = (false, count < 0);
        }
        if first || self.micros != 0 {
            let space = if first { "" } else { " " };
            let sign = match (self.micros < 0, negative) {
                (true, _) => "-",
                (false, true) => "+",
                (false, false) => "",
            };
            f.write_str(space)?;
            clock(f, sign, self.micros.unsigned_abs())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_the_server_does() {
        assert_eq!(Date(0).to_string(), "2000-01-01");
        assert_eq!(Date(-730_120).to_string(), "0001-12-31 BC");
        assert_eq!(Date(2_145_031_948).to_string(), "5874897-12-31");
        assert_eq!(Timestamp(-1).to_string(), "1999-12-31 23:59:59.999999");
        assert_eq!(
            Timestamp(1_500_000).utc().to_string(),
            "2000-01-01 00:00:01.5+00"
        );
        assert_eq!(Timestamp::NEG_INFINITY.utc().to_string(), "-infinity");
        let before = Timestamp(-211_813_488_000_000_000);
        assert_eq!(before.utc().to_string(), "4714-11-24 00:00:00+00 BC");
        let zoned = |west| {
            let time = Time(86_400_000_000);
            TimeTz { time, west }.to_string()
        };
        assert_eq!(zoned(0), "24:00:00+00");
        assert_eq!(zoned(-19_800), "24:00:00+05:30");
        assert_eq!(zoned(57_599), "24:00:00-15:59:59");
    }

    #[test]
    fn rfc_3339_has_a_form_for_every_year() {
        assert_eq!(Timestamp(20).to_rfc3339(), "2000-01-01T00:00:00.00002Z");
        let year = |year| {
            let midnight = Date::from_civil(year, 1, 1).and_then(Date::to_timestamp);
            midnight.map(Timestamp::to_rfc3339).unwrap_or_default()
        };
        assert_eq!(year(10_000), "+10000-01-01T00:00:00Z");
        assert_eq!(year(-43), "-0043-01-01T00:00:00Z");
        assert_eq!(Timestamp::INFINITY.to_rfc3339(), "infinity");
    }

    #[test]
    fn intervals_sign_each_part() {
        let show = |months, days, micros| {
            Interval {
                months,
                days,
                micros,
            }
            .to_string()
        };
        assert_eq!(show(0, 0, 0), "00:00:00");
        assert_eq!(
            show(14, 3, 3_661_500_000),
            "1 year 2 mons 3 days 01:01:01.5"
        );
        assert_eq!(show(-14, 3, 1), "-1 years -2 mons +3 days 00:00:00.000001");
        assert_eq!(show(1, -1, 1_000_000), "1 mon -1 days +00:00:01");
        assert_eq!(show(0, 0, i64::MIN), "-2562047788:00:54.775808");
    }
}
