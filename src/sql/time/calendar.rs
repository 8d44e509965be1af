//! The Gregorian calendar, without end in both directions. The year 0 is 1 BC.

/// Days from 0000-03-01 to 2000-01-01: years that begin in March have the leap day last.
const MARCH_TO_POSTGRES: i64 = 730_425;
const DAYS_PER_ERA: i64 = 146_097;

/// Days since 2000-01-01; `None` where there is no such day.
pub(super) fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some(year.div_euclid(400) * DAYS_PER_ERA + day_of_era - MARCH_TO_POSTGRES)
}

/// Year, month and day of a count of days since 2000-01-01.
pub(super) fn civil(days: i64) -> (i64, u8, u8) {
    let days = days + MARCH_TO_POSTGRES;
    let day_of_era = days.rem_euclid(DAYS_PER_ERA);
    let of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let of_year = day_of_era - (365 * of_era + of_era / 4 - of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12 + 1;
    let year = days.div_euclid(DAYS_PER_ERA) * 400 + of_era + i64::from(month <= 2);
    let small = |part: i64| u8::try_from(part).unwrap_or_default();
    (year, small(month), small(day))
}
