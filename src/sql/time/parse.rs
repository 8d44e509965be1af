//! Reads dates and times from text, in the ISO forms.

use super::scan::{Scan, fraction};
use super::{Date, MICROS_PER_DAY, MICROS_PER_SECOND, Time, TimeTz, Timestamp, calendar};
use crate::error::{Error, ErrorKind};
use std::str::FromStr;

/// The most that Postgres takes as an offset from UTC: below 16 hours.
const OFFSET_END: i64 = 16 * 3600;

macro_rules! from_str {
    ($($type:ty, $read:expr, $message:literal);+ $(;)?) => {
        $(
            #[doc = "Text in any other form is an error of the kind [`ErrorKind::Bind`]."]
            impl FromStr for $type {
                type Err = Error;

                fn from_str(text: &str) -> Result<Self, Error> {
                    $read(text).ok_or_else(|| Error::new(ErrorKind::Bind, $message))
                }
            }
        )+
    };
}
pub(super) use from_str;

from_str! {
    Date, date, "the text is no date in ISO form, like 2024-05-31";
    Time, |text| time_of_day(text).map(|(time, _)| time), "the text is no time in ISO form, like 12:30:00";
    TimeTz, time_tz, "the text is no time with an offset in ISO form, like 12:30:00+02";
    Timestamp, |text| Timestamp::read(text, true), "the text is no timestamp in ISO form, like 2024-05-31 12:30:00+02";
}

impl Timestamp {
    /// As Postgres reads a `timestamp`: an offset in the text is checked and passed over.
    pub(crate) fn from_local(text: &str) -> Option<Self> {
        Self::read(text, false)
    }

    fn read(text: &str, apply_offset: bool) -> Option<Self> {
        let text = text.trim_ascii();
        if let Some(date) = infinity(text) {
            return date.to_timestamp();
        }
        let (text, before) = era(text);
        let mut scan = Scan(text);
        let days = day(&mut scan, before)?;
        let (mut micros, mut east) = (0, 0);
        if scan.spaces() | scan.eat('T') | scan.eat('t') && !scan.is_done() {
            let time = clock(&mut scan)?;
            micros = time.0;
            east = offset(&mut scan)?;
        }
        if !scan.is_done() {
            return None;
        }
        let local = days.checked_mul(MICROS_PER_DAY)?.checked_add(micros)?;
        let shift = if apply_offset { east } else { 0 };
        Self::checked(local.checked_sub(shift * MICROS_PER_SECOND)?)
    }
}

fn date(text: &str) -> Option<Date> {
    let text = text.trim_ascii();
    if let Some(date) = infinity(text) {
        return Some(date);
    }
    let (day_text, before) = era(text);
    let mut scan = Scan(day_text);
    let days = day(&mut scan, before)?;
    if !scan.is_done() {
        // The server takes the day of a whole timestamp's text.
        return Timestamp::from_local(text).map(Timestamp::date);
    }
    let date = Date(days.try_into().ok()?);
    (Date::FIRST..=Date::LAST).contains(&date).then_some(date)
}

fn time_tz(text: &str) -> Option<TimeTz> {
    let (time, east) = time_of_day(text)?;
    let west = i32::try_from(-east).ok()?;
    Some(TimeTz { time, west })
}

fn time_of_day(text: &str) -> Option<(Time, i64)> {
    let mut scan = Scan(text.trim_ascii());
    if !scan.eat('T') {
        scan.eat('t');
    }
    let time = clock(&mut scan)?;
    let east = offset(&mut scan)?;
    scan.is_done().then_some((time, east))
}

fn infinity(text: &str) -> Option<Date> {
    let (negative, word) = match text.strip_prefix('-') {
        Some(word) => (true, word),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if !word.eq_ignore_ascii_case("infinity") {
        return None;
    }
    Some(if negative {
        Date::NEG_INFINITY
    } else {
        Date::INFINITY
    })
}

/// The text without `BC` or `AD` at its end, and whether it was `BC`.
fn era(text: &str) -> (&str, bool) {
    let at = text.len().saturating_sub(2);
    match text.split_at_checked(at) {
        Some((rest, word)) if word.eq_ignore_ascii_case("BC") => (rest.trim_ascii_end(), true),
        Some((rest, word)) if word.eq_ignore_ascii_case("AD") => (rest.trim_ascii_end(), false),
        _ => (text, false),
    }
}

/// `2024-05-31`, `2024/05/31` or `20240531`, as days since 2000-01-01.
fn day(scan: &mut Scan<'_>, before: bool) -> Option<i64> {
    let digits = scan.digits();
    let (year, month, day) = if scan.eat('-') {
        let month = scan.number(1, 2)?;
        (digits, month, scan.eat('-').then(|| scan.number(1, 2))??)
    } else if scan.eat('/') {
        let month = scan.number(1, 2)?;
        (digits, month, scan.eat('/').then(|| scan.number(1, 2))??)
    } else {
        let (year, rest) = digits.split_at_checked(digits.len().checked_sub(4)?)?;
        (year, rest[..2].parse().ok()?, rest[2..].parse().ok()?)
    };
    if !(4..=7).contains(&year.len()) {
        return None;
    }
    let year: i64 = year.parse().ok().filter(|year| *year > 0)?;
    calendar::days(if before { 1 - year } else { year }, month, day)
}

/// `12:30`, `12:30:00.5`, `123000`, each with `AM` or `PM` or without.
fn clock(scan: &mut Scan<'_>) -> Option<Time> {
    let digits = scan.digits();
    let (hour, minute, mut second) = match digits.len() {
        1 | 2 => {
            let minute = scan.eat(':').then(|| scan.number(1, 2))??;
            let second = if scan.eat(':') { scan.number(1, 2)? } else { 0 };
            (digits.parse().ok()?, minute, second)
        }
        4 | 6 => {
            let part = |range| {
                digits
                    .get(range)
                    .map_or(Some(0), |part: &str| part.parse().ok())
            };
            (part(0..2)?, part(2..4)?, part(4..6)?)
        }
        _ => return None,
    };
    let micros = if scan.eat('.') {
        fraction(scan.digits(), 6)?
    } else {
        0
    };
    if micros == MICROS_PER_SECOND {
        second += 1;
    }
    if minute > 59 || second > 60 {
        return None;
    }
    let seconds = half(scan, hour)? * 3600 + minute * 60 + second;
    let time = Time(seconds * MICROS_PER_SECOND + micros % MICROS_PER_SECOND);
    (time.0 <= MICROS_PER_DAY).then_some(time)
}

/// The hour of 24, after `AM` or `PM` if one follows.
fn half(scan: &mut Scan<'_>, hour: i64) -> Option<i64> {
    let rest = scan.0.trim_ascii_start();
    let Some((word, after)) = rest.split_at_checked(2) else {
        return Some(hour);
    };
    let pm = word.eq_ignore_ascii_case("PM");
    if !pm && !word.eq_ignore_ascii_case("AM") {
        return Some(hour);
    }
    scan.0 = after;
    (1..=12)
        .contains(&hour)
        .then_some(hour % 12 + if pm { 12 } else { 0 })
}

/// `Z`, `UTC`, `+02`, `+0230`, `+02:30` or `+02:30:15`, as seconds east; nothing is UTC.
fn offset(scan: &mut Scan<'_>) -> Option<i64> {
    scan.spaces();
    if scan.is_done() {
        return Some(0);
    }
    let Some(sign) = scan.sign() else {
        let word = scan.word();
        let utc = ["Z", "UTC", "GMT", "zulu"];
        return utc
            .iter()
            .any(|name| name.eq_ignore_ascii_case(word))
            .then_some(0);
    };
    let digits = scan.digits();
    let part = |range| {
        digits
            .get(range)
            .map_or(Some(0), |part: &str| part.parse().ok())
    };
    let (hours, mut minutes, mut seconds): (i64, i64, i64) = match digits.len() {
        1 | 2 => (digits.parse().ok()?, 0, 0),
        4 | 6 => (part(0..2)?, part(2..4)?, part(4..6)?),
        _ => return None,
    };
    if digits.len() <= 2 && scan.eat(':') {
        minutes = scan.number(2, 2)?;
        if scan.eat(':') {
            seconds = scan.number(2, 2)?;
        }
    }
    let east = hours * 3600 + minutes * 60 + seconds;
    (minutes < 60 && seconds < 60 && east < OFFSET_END).then_some(sign * east)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stamp(text: &str) -> String {
        text.parse::<Timestamp>()
            .map_or_else(|error| error.to_string(), |stamp| stamp.to_string())
    }

    #[test]
    fn reads_the_iso_forms() {
        for text in [
            "2024-05-31 12:30:00+00",
            "2024-05-31T12:30:00Z",
            "2024-05-31t12:30z",
            "20240531T123000",
            " 2024/5/31 12:30:00.0000004 ",
            "2024-05-31 14:30:00+02",
            "2024-05-31 18:00:00+0530",
            "2024-05-31 07:00:00-05:30",
            "2024-05-31 12:30 UTC",
            "2024-05-31 12:30 pm",
        ] {
            assert_eq!(stamp(text), "2024-05-31 12:30:00", "{text}");
        }
        assert_eq!(stamp("2024-05-31"), "2024-05-31 00:00:00");
        assert_eq!(stamp("0044-03-15 00:00:00+00 BC"), "0044-03-15 00:00:00 BC");
        assert_eq!(
            stamp("294276-12-31 23:59:59.999999"),
            "294276-12-31 23:59:59.999999"
        );
        assert_eq!(stamp("2024-12-31 23:59:60"), "2025-01-01 00:00:00");
        assert_eq!(stamp("-Infinity"), "-infinity");
    }

    #[test]
    fn refuses_what_is_no_timestamp() {
        for text in [
            "",
            "now",
            "2024",
            "2024-13-01",
            "2023-02-29",
            "0000-01-01",
            "24-01-01",
            "2024-05-31 25:00",
            "2024-05-31 12:60",
            "2024-05-31 12:30+16",
            "2024-05-31 12:30 Mars/Base",
            "294277-01-01",
            "2024-05-31x",
            "2024-05-31 12:30:00 +",
            "é",
            "2024-05-31 1é",
        ] {
            assert!(
                stamp(text).starts_with("the text is no timestamp"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_local_timestamp_passes_over_the_offset() {
        let local = Timestamp::from_local("2024-05-31 12:30:00+02").map(|stamp| stamp.to_string());
        assert_eq!(local.as_deref(), Some("2024-05-31 12:30:00"));
    }

    #[test]
    fn reads_dates_and_times() {
        let date = |text: &str| text.parse::<Date>().ok().map(|date| date.to_string());
        assert_eq!(date("2024-05-31").as_deref(), Some("2024-05-31"));
        assert_eq!(date("2024-05-31 23:00-08").as_deref(), Some("2024-05-31"));
        assert_eq!(date("0001-12-31 BC").as_deref(), Some("0001-12-31 BC"));
        assert_eq!(date("31.5.2024"), None);
        let time = |text: &str| text.parse::<Time>().ok().map(|time| time.to_string());
        assert_eq!(time("24:00").as_deref(), Some("24:00:00"));
        assert_eq!(time("040506.789").as_deref(), Some("04:05:06.789"));
        assert_eq!(time("12:00 AM").as_deref(), Some("00:00:00"));
        assert_eq!(time("24:00:01"), None);
        let zoned = |text: &str| text.parse::<TimeTz>().ok().map(|time| time.to_string());
        assert_eq!(zoned("04:05-08:00").as_deref(), Some("04:05:00-08"));
        assert_eq!(zoned("04:05").as_deref(), Some("04:05:00+00"));
    }

    proptest! {
        #[test]
        fn reads_what_it_prints(micros in -211_813_488_000_000_000..9_223_371_331_200_000_000i64) {
            let stamp = Timestamp(micros);
            prop_assert_eq!(stamp.to_string().parse::<Timestamp>().ok(), Some(stamp));
            prop_assert_eq!(stamp.utc().to_string().parse::<Timestamp>().ok(), Some(stamp));
            prop_assert_eq!(stamp.date().to_string().parse::<Date>().ok(), Some(stamp.date()));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9TZ:. +-]{0,40}|\\PC{0,20}") {
            let _ = text.parse::<Timestamp>();
            let _ = text.parse::<Date>();
            let _ = text.parse::<TimeTz>();
        }
    }
}
