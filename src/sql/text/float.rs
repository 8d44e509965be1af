//! Floats in the shortest form that names them alone, laid out as Postgres does: `1e+15`, `0.0001`, `-0`, `Infinity`.
//!
//! The server differs from Rust in one point: it does not take a decimal that lies exactly between two floats, though reading it would give
//! the right one of them. So `1e23` is `9.999999999999999e+22` there, and here.

use std::fmt;

/// Writes a `double precision`.
pub(crate) fn show_float8(f: &mut fmt::Formatter<'_>, v: f64) -> fmt::Result {
    let bits = v.to_bits();
    let exact = Binary::of(bits & ((1 << 52) - 1), (bits >> 52) & 0x7ff, 52, 1075);
    let shortest = format!("{v:e}");
    let precise = |digits: usize| {
        let text = format!("{v:.digits$e}");
        (text.parse() == Ok(v)).then_some(text)
    };
    show(f, v.is_finite(), &shortest, exact, precise, 15)
}

/// Writes a `real`.
pub(crate) fn show_float4(f: &mut fmt::Formatter<'_>, v: f32) -> fmt::Result {
    let bits = u64::from(v.to_bits());
    let exact = Binary::of(bits & ((1 << 23) - 1), (bits >> 23) & 0xff, 23, 150);
    let shortest = format!("{v:e}");
    let precise = |digits: usize| {
        let text = format!("{v:.digits$e}");
        (text.parse() == Ok(v)).then_some(text)
    };
    show(f, v.is_finite(), &shortest, exact, precise, 6)
}

/// `precise` gives the float with so many digits after the point, if that reads as the same float; below `10^plain` it needs no exponent.
fn show(
    f: &mut fmt::Formatter<'_>,
    finite: bool,
    shortest: &str,
    exact: Binary,
    precise: impl Fn(usize) -> Option<String>,
    plain: i32,
) -> fmt::Result {
    if !finite {
        return f.write_str(match shortest {
            "inf" => "Infinity",
            "-inf" => "-Infinity",
            _ => "NaN",
        });
    }
    let shown = Decimal::of(shortest).filter(|decimal| exact.is_halfway_to_a_neighbour(decimal));
    let Some(halfway) = shown else {
        return lay_out(f, shortest, plain);
    };
    let longer = (halfway.length..20).filter_map(precise).find(|text| {
        Decimal::of(text).is_some_and(|decimal| !exact.is_halfway_to_a_neighbour(&decimal))
    });
    lay_out(f, longer.as_deref().unwrap_or(shortest), plain)
}

/// Lays out `d.ddde-7`, as Rust writes it.
fn lay_out(f: &mut fmt::Formatter<'_>, text: &str, plain: i32) -> fmt::Result {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let digits = digits.trim_end_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    f.write_str(sign)?;
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
        Some(("", rest)) => write!(f, "0.{}", rest),
        Some((before, "")) => f.write_str(before),
        Some((before, after)) => write!(f, "{before}.{after}"),
        None => write!(f, "{digits:0<whole$}"),
    }
}

/// A decimal number: `digits * 10^power`.
struct Decimal {
    digits: u128,
    power: i32,
    length: usize,
}

impl Decimal {
    fn of(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.trim_start_matches('-').split_once('e')?;
        let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
        let length = digits.len();
        Some(Self {
            digits: digits.parse().ok()?,
            power: exponent.parse::<i32>().ok()? - i32::try_from(length - 1).ok()?,
            length,
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
