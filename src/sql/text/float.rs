//! Floats in the shortest form that names them alone, laid out as Postgres does: `1e+15`, `0.0001`, `-0`, `Infinity`.
//!
//! The server differs from Rust in two points. It does not take a decimal that lies exactly between two floats, though reading it would give
//! the right one of them: `1e23` is `9.999999999999999e+22` there, and here. And of two decimals that are equally close it takes the even one.

use std::fmt::{self, Write};

/// Writes a `double precision`.
pub(crate) fn show_float8(f: &mut fmt::Formatter<'_>, v: f64) -> fmt::Result {
    let bits = v.to_bits();
    let exact = Binary::of(bits & ((1 << 52) - 1), (bits >> 52) & 0x7ff, 52, 1075);
    let same = |text: &str| text.parse() == Ok(v.abs());
    let precise = |digits: usize| format!("{:.digits$e}", v.abs());
    let shortest = format!("{:e}", v.abs());
    match named(v.is_nan(), v.is_infinite(), v.is_sign_negative()) {
        Some(name) => f.write_str(name),
        None => lay_out(
            f,
            v.is_sign_negative(),
            &exact.closest(&shortest, precise, same),
            15,
        ),
    }
}

/// Writes a `real`.
pub(super) fn show_float4(f: &mut fmt::Formatter<'_>, v: f32) -> fmt::Result {
    let bits = u64::from(v.to_bits());
    let exact = Binary::of(bits & ((1 << 23) - 1), (bits >> 23) & 0xff, 23, 150);
    let same = |text: &str| text.parse() == Ok(v.abs());
    let precise = |digits: usize| format!("{:.digits$e}", v.abs());
    let shortest = format!("{:e}", v.abs());
    match named(v.is_nan(), v.is_infinite(), v.is_sign_negative()) {
        Some(name) => f.write_str(name),
        None => lay_out(
            f,
            v.is_sign_negative(),
            &exact.closest(&shortest, precise, same),
            6,
        ),
    }
}

fn named(nan: bool, infinite: bool, negative: bool) -> Option<&'static str> {
    match (nan, infinite, negative) {
        (true, ..) => Some("NaN"),
        (_, true, true) => Some("-Infinity"),
        (_, true, false) => Some("Infinity"),
        _ => None,
    }
}

/// Lays out the number; one below `10^plain`, and not too near to zero, needs no exponent.
fn lay_out(
    f: &mut fmt::Formatter<'_>,
    negative: bool,
    number: &Decimal,
    plain: i32,
) -> fmt::Result {
    let digits = number.digits.to_string();
    let exponent = number.power + i32::try_from(digits.len()).unwrap_or(i32::MAX) - 1;
    let digits = digits.trim_end_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    if negative {
        f.write_char('-')?;
    }
    if !(-4..plain).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        return write!(
            f,
            "{first}{point}{rest}e{sign}{:02}",
            exponent.unsigned_abs()
        );
    }
    let Ok(whole) = usize::try_from(exponent + 1) else {
        let zeros = usize::try_from(-1 - exponent).unwrap_or_default();
        return write!(f, "0.{:0<zeros$}{digits}", "");
    };
    match digits.split_at_checked(whole) {
        Some(("", rest)) => write!(f, "0.{rest}"),
        Some((before, "")) => f.write_str(before),
        Some((before, after)) => write!(f, "{before}.{after}"),
        None => write!(f, "{digits:0<whole$}"),
    }
}

/// A decimal number: `digits * 10^power`.
#[derive(Default)]
struct Decimal {
    digits: u128,
    power: i32,
}

impl Decimal {
    /// The number that Rust wrote as `d.ddde-7`.
    fn of(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once('e')?;
        let after = mantissa.split_once('.').map_or("", |(_, after)| after);
        let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
        Some(Self {
            digits: digits.parse().ok()?,
            power: exponent.parse::<i32>().ok()? - i32::try_from(after.len()).ok()?,
        })
    }

    /// It as an odd number times a power of two, where it is one that fits.
    fn binary(&self) -> Option<(u128, i32)> {
        let fives = 5u128.checked_pow(self.power.unsigned_abs())?;
        let odd = if self.power >= 0 {
            self.digits.checked_mul(fives)?
        } else if self.digits.is_multiple_of(fives) {
            self.digits / fives
        } else {
            return None;
        };
        normal(odd, self.power)
    }
}

/// A float's exact value: `mantissa * 2^power`.
struct Binary {
    mantissa: u128,
    power: i32,
    /// Whether the next smaller float is only half as far away as the next larger one.
    near_below: bool,
}

impl Binary {
    fn of(fraction: u64, exponent: u64, width: u32, bias: i32) -> Self {
        let biased = i32::try_from(exponent).unwrap_or_default();
        let hidden = if biased == 0 { 0 } else { 1u128 << width };
        Self {
            mantissa: hidden | u128::from(fraction),
            power: biased.max(1) - bias,
            near_below: fraction == 0 && biased > 1,
        }
    }

    /// The decimal that the server writes: the shortest that names this float alone and, of two that are equally close, the even one.
    fn closest(
        &self,
        shortest: &str,
        precise: impl Fn(usize) -> String,
        same: impl Fn(&str) -> bool,
    ) -> Decimal {
        let Some(found) = Decimal::of(shortest) else {
            return Decimal::default();
        };
        if self.is_halfway_to_a_neighbour(&found) {
            let longer = (0..20)
                .map(precise)
                .filter(|text| same(text))
                .filter_map(|text| Decimal::of(&text))
                .find(|longer| !self.is_halfway_to_a_neighbour(longer));
            return longer.unwrap_or(found);
        }
        let even = |digits: u128, half: u128| {
            let tie = Decimal {
                digits: half,
                power: found.power - 1,
            };
            let power = found.power;
            (tie.binary() == normal(self.mantissa, self.power)
                && same(&format!("{digits}e{power}")))
            .then_some(Decimal { digits, power })
        };
        if found.digits.is_multiple_of(2) {
            return found;
        }
        even(found.digits - 1, found.digits * 10 - 5)
            .or_else(|| even(found.digits + 1, found.digits * 10 + 5))
            .unwrap_or(found)
    }

    fn is_halfway_to_a_neighbour(&self, decimal: &Decimal) -> bool {
        let Some(decimal) = decimal.binary() else {
            return false;
        };
        let above = normal(self.mantissa * 2 + 1, self.power - 1);
        let below = if self.near_below {
            normal((self.mantissa * 4).saturating_sub(1), self.power - 2)
        } else {
            normal((self.mantissa * 2).saturating_sub(1), self.power - 1)
        };
        above == Some(decimal) || below == Some(decimal)
    }
}

fn normal(number: u128, power: i32) -> Option<(u128, i32)> {
    if number == 0 {
        return None;
    }
    let zeros = number.trailing_zeros();
    Some((number >> zeros, power + i32::try_from(zeros).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float8(v: f64) -> String {
        fmt::from_fn(|f| show_float8(f, v)).to_string()
    }

    fn float4(v: f32) -> String {
        fmt::from_fn(|f| show_float4(f, v)).to_string()
    }

    #[test]
    fn floats_are_laid_out_as_on_the_server() {
        for (v, shown) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (123_456_789_012_345.0, "123456789012345"),
            (1e14, "100000000000000"),
            (1e15, "1e+15"),
            (1.5e300, "1.5e+300"),
            (-2.5, "-2.5"),
            (100.25, "100.25"),
            (5e-324, "5e-324"),
            (1e23, "9.999999999999999e+22"),
            (199_138_850_438_087.12, "199138850438087.12"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(float8(v), shown);
        }
        assert_eq!(float4(0.1), "0.1");
        assert_eq!(float4(123_456.0), "123456");
        assert_eq!(float4(1_234_567.0), "1.234567e+06");
        assert_eq!(float4(f32::INFINITY), "Infinity");
    }
}
