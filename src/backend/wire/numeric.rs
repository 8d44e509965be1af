//! `numeric`: decimal digits in groups of four, and how many of those after the point are shown.

use super::reader::{Flaw, Read, Reader};

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEG_INFINITY: u16 = 0xF000;
const GROUP: i64 = 4;
/// The most digits that Postgres takes before the point.
const MOST_BEFORE: i64 = 131_072;
/// The most digits that Postgres takes after it.
const MOST_AFTER: i64 = 16_383;

/// The server's text of a `numeric`.
pub(super) fn read(bytes: &[u8]) -> Read<String> {
    let mut reader = Reader::new(bytes);
    let count = reader.u16()?;
    let weight = reader.i16()?;
    let sign = reader.u16()?;
    let scale = usize::from(reader.u16()?);
    let groups = (0..count)
        .map(|_| match reader.u16()? {
            group @ 0..=9999 => Ok(group),
            _ => Err(Flaw::Bytes("a group of its digits is above 9999")),
        })
        .collect::<Read<Vec<u16>>>()?;
    reader.end()?;
    match sign {
        0 => Ok(write("", i32::from(weight), &groups, scale)),
        NEGATIVE => Ok(write("-", i32::from(weight), &groups, scale)),
        NAN => Ok("NaN".to_owned()),
        INFINITY => Ok("Infinity".to_owned()),
        NEG_INFINITY => Ok("-Infinity".to_owned()),
        _ => Err(Flaw::Bytes("its sign is none that a numeric has")),
    }
}

fn write(sign: &str, weight: i32, groups: &[u16], scale: usize) -> String {
    let group = |place: i32| {
        let index = usize::try_from(place).ok();
        index
            .and_then(|index| groups.get(index))
            .copied()
            .unwrap_or(0)
    };
    let before = usize::try_from(weight + 1).unwrap_or(0) * 4;
    let mut text = String::with_capacity(sign.len() + before + scale + 6);
    text.push_str(sign);
    if weight < 0 {
        text.push('0');
    } else {
        text.push_str(&group(0).to_string());
        (1..=weight).for_each(|place| push_group(&mut text, group(place)));
    }
    if scale > 0 {
        text.push('.');
        let end = text.len() + scale;
        // Negative for a number such as 0.00001: those groups are zeros that are not sent.
        let mut place = weight + 1;
        while text.len() < end {
            push_group(&mut text, group(place));
            place += 1;
        }
        text.truncate(end);
    }
    text
}

fn push_group(text: &mut String, group: u16) {
    for unit in [1000, 100, 10, 1] {
        let digit = u32::from(group / unit % 10);
        text.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

/// Puts the `numeric` that the text names; `None` where it names none.
pub(super) fn put(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let text = text.trim_ascii();
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        let special = special(text, unsigned, negative)?;
        put_header(out, [0, 0, special, 0]);
        return Some(());
    }
    let number = Digits::of(unsigned)?;
    number.put(negative, out)
}

fn special(text: &str, unsigned: &str, negative: bool) -> Option<u16> {
    if text.eq_ignore_ascii_case("nan") {
        return Some(NAN);
    }
    let infinite = ["inf", "infinity"];
    infinite
        .iter()
        .any(|word| word.eq_ignore_ascii_case(unsigned))
        .then_some(if negative { NEG_INFINITY } else { INFINITY })
}

/// Digits as text: those before the point, and those after it.
struct Digits<'a> {
    before: &'a [u8],
    after: &'a [u8],
    /// How many digits stand before the point, counted from the first that is not zero; negative for 0.00001.
    point: i64,
    scale: i64,
}

impl<'a> Digits<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?.into()),
            None => (text, 0),
        };
        let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let numeral = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if before.len() + after.len() == 0 || !numeral(before) || !numeral(after) {
            return None;
        }
        let shown = i64::try_from(after.len()).ok()?;
        let before = before.trim_start_matches('0').as_bytes();
        let mut digits = Self {
            before,
            after: after.as_bytes(),
            point: i64::try_from(before.len()).ok()? + exponent,
            scale: (shown - exponent).max(0),
        };
        if before.is_empty() {
            let significant = after.trim_start_matches('0');
            digits.after = significant.as_bytes();
            digits.point -= shown - i64::try_from(significant.len()).ok()?;
        }
        Some(digits)
    }

    fn len(&self) -> usize {
        self.before.len() + self.after.len()
    }

    fn digit(&self, index: usize) -> u16 {
        let byte = match index.checked_sub(self.before.len()) {
            None => self.before.get(index),
            Some(index) => self.after.get(index),
        };
        byte.map_or(0, |byte| u16::from(byte - b'0'))
    }

    fn put(&self, negative: bool, out: &mut Vec<u8>) -> Option<()> {
        let is_zero = self.len() == 0;
        if self.scale > MOST_AFTER || (!is_zero && self.point > MOST_BEFORE) {
            return None;
        }
        let start = out.len();
        put_header(out, [0, 0, 0, u16::try_from(self.scale).ok()?]);
        if is_zero {
            return Some(());
        }
        // The first group may begin with zeros, so that the point falls between two groups.
        let zeros = (-self.point).rem_euclid(GROUP);
        let weight = i16::try_from((self.point + zeros) / GROUP - 1).ok()?;
        let zeros = usize::try_from(zeros).ok()?;
        for first in (0..self.len() + zeros).step_by(4) {
            let group = (first..first + 4).fold(0, |group, place| {
                let digit = place
                    .checked_sub(zeros)
                    .map_or(0, |index| self.digit(index));
                group * 10 + digit
            });
            out.extend_from_slice(&group.to_be_bytes());
        }
        while out.ends_with(&[0, 0]) && out.len() > start + 8 {
            out.truncate(out.len() - 2);
        }
        let count = u16::try_from((out.len() - start - 8) / 2).ok()?;
        out[start..start + 2].copy_from_slice(&count.to_be_bytes());
        out[start + 2..start + 4].copy_from_slice(&weight.to_be_bytes());
        let sign = if negative { NEGATIVE } else { 0 };
        out[start + 4..start + 6].copy_from_slice(&sign.to_be_bytes());
        Some(())
    }
}

fn put_header(out: &mut Vec<u8>, words: [u16; 4]) {
    for word in words {
        out.extend_from_slice(&word.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn there_and_back(text: &str) -> Option<String> {
        let mut out = Vec::new();
        put(text, &mut out)?;
        read(&out).ok()
    }

    #[test]
    fn keeps_every_digit() {
        for (text, shown) in [
            ("0", "0"),
            ("0.00", "0.00"),
            ("-0.0", "0.0"),
            ("1", "1"),
            ("10000", "10000"),
            ("-12345.678900", "-12345.678900"),
            ("0.00001", "0.00001"),
            ("1e-9", "0.000000001"),
            ("1.5e3", "1500"),
            ("1.50e1", "15.0"),
            ("  +7. ", "7"),
            (".5", "0.5"),
            ("00012", "12"),
            (
                "99999999999999999999.00000000009999",
                "99999999999999999999.00000000009999",
            ),
            ("nan", "NaN"),
            ("-inf", "-Infinity"),
            ("Infinity", "Infinity"),
        ] {
            assert_eq!(there_and_back(text).as_deref(), Some(shown), "{text}");
        }
    }

    #[test]
    fn has_the_servers_bytes() {
        let mut out = Vec::new();
        put("-12345.67", &mut out);
        assert_eq!(
            out,
            [0, 3, 0, 1, 0x40, 0, 0, 2, 0, 1, 0x09, 0x29, 0x1a, 0x2c]
        );
    }

    #[test]
    fn refuses_what_is_no_number() {
        let long = "1e131073";
        for text in [
            "",
            "-",
            ".",
            "1.2.3",
            "abc",
            "1e",
            "--1",
            "1 2",
            "0x10",
            "-nan",
            "1e-16384",
            "1e99999999999",
            long,
            "é",
        ] {
            assert_eq!(there_and_back(text), None, "{text}");
        }
        assert!(there_and_back("0e131073").is_some());
        assert_eq!(
            there_and_back("1e131071").map(|text| text.len()),
            Some(131_072)
        );
    }

    proptest! {
        #[test]
        fn goes_there_and_back(text in "-?[1-9][0-9]{0,40}(\\.[0-9]{1,40})?") {
            let back = there_and_back(&text);
            prop_assert_eq!(back.as_deref(), Some(text.as_str()));
        }

        #[test]
        fn small_numbers_go_there_and_back(text in "0\\.[0-9]{0,40}[1-9]") {
            let back = there_and_back(&text);
            prop_assert_eq!(back.as_deref(), Some(text.as_str()));
        }
    }
}
