//! Reads intervals from text: the server's own form, `1 day ago`, and ISO 8601's `P1DT2H`.

use super::parse::from_str;
use super::scan::{Scan, fraction};
use super::{Interval, MICROS_PER_DAY, MICROS_PER_SECOND};
use crate::error::{Error, ErrorKind};
use std::str::FromStr;

from_str! {
    Interval, read, "the text is no interval, like 1 day 02:03:04 or P1DT2H3M4S";
}

/// Fractions are counted in billionths.
const BILLION: i64 = 1_000_000_000;
const MONTH_DAYS: i64 = 30;

#[derive(Clone, Copy)]
enum Unit {
    Micros(i64),
    Days(i64),
    Months(i64),
}

/// A number that a unit follows: whole part and billionths, of one sign.
#[derive(Clone, Copy)]
struct Quantity {
    whole: i64,
    billionths: i64,
}

#[derive(Default)]
struct Sum {
    months: i64,
    days: i64,
    micros: i64,
}

fn read(text: &str) -> Option<Interval> {
    let mut scan = Scan(text.trim_ascii());
    if scan.is_done() {
        return None;
    }
    let mut sum = Sum::default();
    let mut sign = 1;
    if scan.eat('P') || scan.eat('p') {
        iso(&mut scan, &mut sum)?;
    } else {
        scan.eat('@');
        sign = words(&mut scan, &mut sum)?;
    }
    Some(Interval {
        months: sum.months.checked_mul(sign)?.try_into().ok()?,
        days: sum.days.checked_mul(sign)?.try_into().ok()?,
        micros: sum.micros.checked_mul(sign)?,
    })
}

/// `1 year 2 mons -3 days 04:05:06`, and the sign that `ago` gives to all of it.
fn words(scan: &mut Scan<'_>, sum: &mut Sum) -> Option<i64> {
    let mut any = false;
    loop {
        scan.spaces();
        if scan.is_done() {
            return any.then_some(1);
        }
        if scan.0.eq_ignore_ascii_case("ago") {
            return any.then_some(-1);
        }
        any = true;
        let sign = scan.sign();
        scan.spaces();
        let digits = scan.digits();
        let sign = sign.unwrap_or(1);
        if scan.eat(':') {
            clock(scan, sum, sign, digits)?;
        } else if !digits.is_empty() && scan.eat('-') {
            let months = scan.number(1, 2).filter(|months| *months < 12)?;
            let years: i64 = digits.parse().ok()?;
            sum.add_months(
                years
                    .checked_mul(12)?
                    .checked_add(months)?
                    .checked_mul(sign)?,
            )?;
        } else {
            let quantity = quantity(scan, sign, digits)?;
            scan.spaces();
            let unit = match scan.word() {
                "" if scan.is_done() => Unit::Micros(MICROS_PER_SECOND),
                // `3 04:05:06`: a number before a time counts days.
                "" if scan.0.contains(':') && !scan.0.contains(' ') => Unit::Days(1),
                word => unit(word)?,
            };
            sum.add(quantity, unit)?;
        }
    }
}

/// `0001-02-03T04:05:06`
fn iso_by_place(scan: &mut Scan<'_>, sum: &mut Sum) -> Option<()> {
    let (date, time) = scan.0.split_once(['T', 't']).unwrap_or((scan.0, ""));
    let mut date = Scan(date);
    let years = date.number(1, 9)?;
    let months = date.eat('-').then(|| date.number(1, 2))??;
    let days = if date.eat('-') { date.number(1, 2)? } else { 0 };
    sum.add_months(years * 12 + months)?;
    sum.add_days(days)?;
    scan.0 = time;
    if !time.is_empty() {
        let hours = scan.digits();
        scan.eat(':').then_some(())?;
        clock(scan, sum, 1, hours)?;
    }
    (date.is_done() && scan.is_done()).then_some(())
}

/// `1Y2M3W4DT5H6M7.8S`
fn iso(scan: &mut Scan<'_>, sum: &mut Sum) -> Option<()> {
    let mut ahead = Scan(scan.0);
    if !ahead.digits().is_empty() && ahead.eat('-') {
        return iso_by_place(scan, sum);
    }
    let (mut in_time, mut any) = (false, false);
    while !scan.is_done() {
        if !in_time && (scan.eat('T') || scan.eat('t')) {
            in_time = true;
            continue;
        }
        any = true;
        let sign = scan.sign().unwrap_or(1);
        let digits = scan.digits();
        let quantity = quantity(scan, sign, digits)?;
        let unit = match (scan.0.bytes().next()?.to_ascii_uppercase(), in_time) {
            (b'Y', false) => Unit::Months(12),
            (b'M', false) => Unit::Months(1),
            (b'W', false) => Unit::Days(7),
            (b'D', false) => Unit::Days(1),
            (b'H', true) => Unit::Micros(3600 * MICROS_PER_SECOND),
            (b'M', true) => Unit::Micros(60 * MICROS_PER_SECOND),
            (b'S', true) => Unit::Micros(MICROS_PER_SECOND),
            _ => return None,
        };
        scan.0 = &scan.0[1..];
        sum.add(quantity, unit)?;
    }
    any.then_some(())
}

/// What follows the first colon of `04:05:06.7`; with a fraction, `05:06.7` is minutes and seconds.
fn clock(scan: &mut Scan<'_>, sum: &mut Sum, sign: i64, first: &str) -> Option<()> {
    let first: i64 = first.parse().ok()?;
    let second = scan.number(1, 2)?;
    let third = if scan.eat(':') {
        Some(scan.number(1, 2)?)
    } else {
        None
    };
    let digits = if scan.eat('.') {
        Some(scan.digits())
    } else {
        None
    };
    let micros = fraction(digits.unwrap_or(""), 6)?;
    let (hours, minutes, seconds) = match (third, digits) {
        (Some(third), _) => (first, second, third),
        (None, Some(_)) => (0, first, second),
        (None, None) => (first, second, 0),
    };
    if minutes > 59 || seconds > 60 {
        return None;
    }
    let seconds = hours
        .checked_mul(3600)?
        .checked_add(minutes * 60 + seconds)?;
    let total = seconds
        .checked_mul(MICROS_PER_SECOND)?
        .checked_add(micros)?;
    sum.add(
        Quantity {
            whole: total.checked_mul(sign)?,
            billionths: 0,
        },
        Unit::Micros(1),
    )
}

fn quantity(scan: &mut Scan<'_>, sign: i64, digits: &str) -> Option<Quantity> {
    let after = if scan.eat('.') { scan.digits() } else { "" };
    if digits.is_empty() && after.is_empty() {
        return None;
    }
    let whole: i64 = if digits.is_empty() {
        0
    } else {
        digits.parse().ok()?
    };
    Some(Quantity {
        whole: whole * sign,
        billionths: fraction(after, 9)? * sign,
    })
}

fn unit(word: &str) -> Option<Unit> {
    let word = word.to_ascii_lowercase();
    Some(match word.as_str() {
        "us" | "usec" | "usecs" | "usecond" | "useconds" | "microsecond" | "microseconds"
        | "microsecon" => Unit::Micros(1),
        "ms" | "msec" | "msecs" | "msecond" | "mseconds" | "millisecond" | "milliseconds"
        | "millisecon" => Unit::Micros(1000),
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Micros(MICROS_PER_SECOND),
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Micros(60 * MICROS_PER_SECOND),
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Micros(3600 * MICROS_PER_SECOND),
        "d" | "day" | "days" => Unit::Days(1),
        "w" | "week" | "weeks" => Unit::Days(7),
        "mon" | "mons" | "month" | "months" => Unit::Months(1),
        "y" | "yr" | "yrs" | "year" | "years" => Unit::Months(12),
        "dec" | "decs" | "decade" | "decades" => Unit::Months(120),
        "c" | "cent" | "century" | "centuries" => Unit::Months(1200),
        "mil" | "mils" | "millennium" | "millennia" => Unit::Months(12_000),
        _ => return None,
    })
}

impl Sum {
    /// Adds `quantity` units; what is left of a month goes into days, what is left of a day into microseconds.
    fn add(&mut self, quantity: Quantity, unit: Unit) -> Option<()> {
        let Quantity { whole, billionths } = quantity;
        match unit {
            Unit::Micros(size) => {
                self.add_micros(whole.checked_mul(size)?)?;
                self.add_micros(share(billionths, size)?)
            }
            Unit::Days(size) => {
                self.add_days(whole.checked_mul(size)?)?;
                self.add_share_of_days(billionths * size)
            }
            Unit::Months(1) => {
                self.add_months(whole)?;
                self.add_share_of_days(billionths * MONTH_DAYS)
            }
            Unit::Months(size) => {
                self.add_months(whole.checked_mul(size)?)?;
                self.add_months(share(billionths, size)?)
            }
        }
    }

    fn add_share_of_days(&mut self, billionths: i64) -> Option<()> {
        self.add_days(billionths / BILLION)?;
        self.add_micros(share(billionths % BILLION, MICROS_PER_DAY)?)
    }

    fn add_months(&mut self, months: i64) -> Option<()> {
        self.months = self.months.checked_add(months)?;
        Some(())
    }

    fn add_days(&mut self, days: i64) -> Option<()> {
        self.days = self.days.checked_add(days)?;
        Some(())
    }

    fn add_micros(&mut self, micros: i64) -> Option<()> {
        self.micros = self.micros.checked_add(micros)?;
        Some(())
    }
}

/// So many billionths of `size`, rounded; a half goes to zero, as it does on the server.
fn share(billionths: i64, size: i64) -> Option<i64> {
    let (exact, whole) = (
        i128::from(billionths) * i128::from(size),
        i128::from(BILLION),
    );
    let cut = exact / whole;
    let rest = (exact % whole).abs();
    let up = if rest * 2 > whole { exact.signum() } else { 0 };
    i64::try_from(cut + up).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn show(text: &str) -> String {
        text.parse::<Interval>()
            .map_or_else(|error| error.to_string(), |interval| interval.to_string())
    }

    #[test]
    fn reads_what_the_server_reads() {
        for (text, shown) in [
            ("1 day", "1 day"),
            ("5", "00:00:05"),
            ("0 days 3.500000 seconds", "00:00:03.5"),
            (
                "1 year 2 mons -3 days +04:05:06.789",
                "1 year 2 mons -3 days +04:05:06.789",
            ),
            ("@ 1 day 2 hours ago", "-1 days -02:00:00"),
            ("1.5 months", "1 mon 15 days"),
            ("1.5 years", "1 year 6 mons"),
            ("-0.5 days", "-12:00:00"),
            ("2 weeks", "14 days"),
            ("3 4:05:06", "3 days 04:05:06"),
            ("1-2", "1 year 2 mons"),
            ("-1-2", "-1 years -2 mons"),
            ("P1Y2M3W4DT5H6M7.8S", "1 year 2 mons 25 days 05:06:07.8"),
            ("PT-1.5H", "-01:30:00"),
            ("P0001-02-03T04:05:06", "1 year 2 mons 3 days 04:05:06"),
            ("05:06.7", "00:05:06.7"),
            ("100:00:00", "100:00:00"),
            ("1 century", "100 years"),
        ] {
            assert_eq!(show(text), shown, "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "ago",
            "day",
            "1 fortnight",
            "P",
            "P1H",
            "PT1D",
            "1 2 days",
            "infinity",
            "99999999999 years",
            "01:99",
            "9223372036854775808",
            "é",
            "P1é",
        ] {
            assert!(show(text).starts_with("the text is no interval"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_it_prints(months in any::<i32>(), days in any::<i32>(), micros in -i64::MAX..=i64::MAX) {
            let interval = Interval { months, days, micros };
            prop_assert_eq!(interval.to_string().parse::<Interval>().ok(), Some(interval));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9PTYMDHS:. +-]{0,30}|\\PC{0,20}") {
            let _ = text.parse::<Interval>();
        }
    }
}
