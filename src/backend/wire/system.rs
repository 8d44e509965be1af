//! Small types that have no variant of their own: bit strings, the server's own identifiers, `"char"` and `hstore`.

use super::reader::{Flaw, Read, Reader, text_of};
use std::fmt::Write;

/// The text of a `bit` or `varbit`: `0101`.
pub(super) fn read_bits(bytes: &[u8]) -> Read<String> {
    let mut reader = Reader::new(bytes);
    let count =
        usize::try_from(reader.i32()?).map_err(|_| Flaw::Bytes("its length is negative"))?;
    let bytes = reader.take(count.div_ceil(8))?;
    reader.end()?;
    let bit = |at: usize| {
        let set = bytes
            .get(at / 8)
            .is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
        if set { '1' } else { '0' }
    };
    Ok((0..count).map(bit).collect())
}

/// Puts the bits of `0101`, `B0101` or `X1F`.
pub(super) fn put_bits(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let (digits, width) = match text.as_bytes().first() {
        Some(b'b' | b'B') => (&text[1..], 1),
        Some(b'x' | b'X') => (&text[1..], 4),
        _ => (text, 1),
    };
    let count = digits.len().checked_mul(width)?;
    out.extend_from_slice(&i32::try_from(count).ok()?.to_be_bytes());
    let (mut byte, mut filled) = (0u8, 0);
    for digit in digits.chars() {
        let digit = u8::try_from(digit.to_digit(1 << width)?).ok()?;
        byte = byte << width | digit;
        filled += width;
        if filled == 8 {
            out.push(byte);
            (byte, filled) = (0, 0);
        }
    }
    if filled > 0 {
        out.push(byte << (8 - filled));
    }
    Some(())
}

/// The text of a `pg_lsn`: `16/B374D848`.
pub(super) fn read_lsn(bytes: &[u8]) -> Read<String> {
    let lsn = u64::from_be_bytes(super::reader::fixed(bytes)?);
    Ok(format!("{:X}/{:X}", lsn >> 32, lsn & 0xffff_ffff))
}

pub(super) fn put_lsn(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let (high, low) = text.trim_ascii().split_once('/')?;
    for half in [high, low] {
        let digits = half.bytes().all(|byte| byte.is_ascii_hexdigit());
        let half = u32::from_str_radix(half, 16).ok().filter(|_| digits)?;
        out.extend_from_slice(&half.to_be_bytes());
    }
    Some(())
}

/// The text of a `pg_snapshot`: `10:20:10,14`.
pub(super) fn read_snapshot(bytes: &[u8]) -> Read<String> {
    let mut reader = Reader::new(bytes);
    let count = usize::try_from(reader.i32()?).map_err(|_| Flaw::Bytes("a count is negative"))?;
    let mut text = format!("{}:{}:", reader.u64()?, reader.u64()?);
    for index in 0..count {
        let comma = if index > 0 { "," } else { "" };
        write!(text, "{comma}{}", reader.u64()?)
            .map_err(|_| Flaw::Bytes("it cannot be written"))?;
    }
    reader.end()?;
    Ok(text)
}

pub(super) fn put_snapshot(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let mut parts = text.trim_ascii().splitn(3, ':');
    let (first, next, running) = (parts.next()?, parts.next()?, parts.next()?);
    let running: Vec<&str> = if running.is_empty() {
        Vec::new()
    } else {
        running.split(',').collect()
    };
    out.extend_from_slice(&i32::try_from(running.len()).ok()?.to_be_bytes());
    for id in [first, next].into_iter().chain(running) {
        out.extend_from_slice(&id.parse::<u64>().ok()?.to_be_bytes());
    }
    Some(())
}

/// The text of a `tid`: `(0,1)`.
pub(super) fn read_tid(bytes: &[u8]) -> Read<String> {
    let mut reader = Reader::new(bytes);
    let text = format!("({},{})", reader.u32()?, reader.u16()?);
    reader.end()?;
    Ok(text)
}

pub(super) fn put_tid(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let inner = text.trim_ascii().strip_prefix('(')?.strip_suffix(')')?;
    let (block, offset) = inner.split_once(',')?;
    out.extend_from_slice(&block.parse::<u32>().ok()?.to_be_bytes());
    out.extend_from_slice(&offset.parse::<u16>().ok()?.to_be_bytes());
    Some(())
}

/// The text of a `"char"`: its one byte, in octal where it is not ASCII.
pub(super) fn read_char(bytes: &[u8]) -> Read<String> {
    match super::reader::fixed::<1>(bytes)? {
        [0] => Ok(String::new()),
        [byte] if byte.is_ascii() => Ok(char::from(byte).to_string()),
        [byte] => Ok(format!("\\{byte:03o}")),
    }
}

pub(super) fn put_char(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let octal = || {
        let digits = text.strip_prefix('\\').filter(|digits| digits.len() == 3)?;
        u8::from_str_radix(digits, 8).ok()
    };
    let byte = match text.as_bytes() {
        [] => 0,
        [byte] => *byte,
        _ => octal()?,
    };
    out.push(byte);
    Some(())
}

/// The text of a `hstore`: `"a"=>"1", "b"=>NULL`.
pub(super) fn read_hstore(bytes: &[u8]) -> Read<String> {
    let mut reader = Reader::new(bytes);
    let count = reader.count(8)?;
    let mut text = String::with_capacity(bytes.len());
    for index in 0..count {
        if index > 0 {
            text.push_str(", ");
        }
        let key = reader.field()?.ok_or(Flaw::Bytes("a key is NULL"))?;
        quote(text_of(key)?, &mut text);
        text.push_str("=>");
        match reader.field()? {
            Some(value) => quote(text_of(value)?, &mut text),
            None => text.push_str("NULL"),
        }
    }
    reader.end()?;
    Ok(text)
}

fn quote(part: &str, text: &mut String) {
    text.push('"');
    for c in part.chars() {
        if matches!(c, '"' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('"');
}

/// Puts the `hstore` that the text names.
pub(super) fn put_hstore(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    let mut rest = text.trim_ascii();
    let mut count = 0i32;
    while !rest.is_empty() {
        let (key, _, after) = part(rest)?;
        let (value, quoted, after) = part(after.strip_prefix("=>")?.trim_ascii_start())?;
        put_text(&key, out)?;
        if !quoted && value.eq_ignore_ascii_case("null") {
            out.extend_from_slice(&(-1i32).to_be_bytes());
        } else {
            put_text(&value, out)?;
        }
        count = count.checked_add(1)?;
        if after.is_empty() {
            break;
        }
        rest = after.strip_prefix(',')?.trim_ascii_start();
    }
    out[start..start + 4].copy_from_slice(&count.to_be_bytes());
    Some(())
}

fn put_text(text: &str, out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(&i32::try_from(text.len()).ok()?.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
    Some(())
}

/// A key or value, whether it was quoted, and what follows.
fn part(text: &str) -> Option<(String, bool, &str)> {
    let (text, quoted) = match text.strip_prefix('"') {
        Some(text) => (text, true),
        None => (text, false),
    };
    let mut part = String::new();
    let mut end = if quoted { None } else { Some(text.len()) };
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => part.push(chars.next()?.1),
            '"' if quoted => {
                end = Some(at + 1);
                break;
            }
            c if !quoted && (matches!(c, ',' | '=') || c.is_ascii_whitespace()) => {
                end = Some(at);
                break;
            }
            c => part.push(c),
        }
    }
    let rest = text[end?..].trim_ascii_start();
    (quoted || !part.is_empty()).then_some((part, quoted, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(
        put: fn(&str, &mut Vec<u8>) -> Option<()>,
        read: fn(&[u8]) -> Read<String>,
        text: &str,
    ) -> Option<String> {
        let mut out = Vec::new();
        put(text, &mut out)?;
        read(&out).ok()
    }

    #[test]
    fn bits_are_packed() {
        for text in ["", "1", "01010101", "111100001"] {
            assert_eq!(back(put_bits, read_bits, text).as_deref(), Some(text));
        }
        assert_eq!(
            back(put_bits, read_bits, "x1F").as_deref(),
            Some("00011111")
        );
        assert_eq!(back(put_bits, read_bits, "012"), None);
    }

    #[test]
    fn identifiers_go_there_and_back() {
        assert_eq!(
            back(put_lsn, read_lsn, "16/B374D848").as_deref(),
            Some("16/B374D848")
        );
        assert_eq!(back(put_lsn, read_lsn, "16"), None);
        assert_eq!(
            back(put_snapshot, read_snapshot, "10:20:10,14").as_deref(),
            Some("10:20:10,14")
        );
        assert_eq!(
            back(put_snapshot, read_snapshot, "10:20:").as_deref(),
            Some("10:20:")
        );
        assert_eq!(back(put_snapshot, read_snapshot, "10:20:,"), None);
        assert_eq!(
            back(put_tid, read_tid, "(4294967295,1)").as_deref(),
            Some("(4294967295,1)")
        );
        assert_eq!(back(put_tid, read_tid, "0,1"), None);
        for text in ["", "a", "\\377"] {
            assert_eq!(back(put_char, read_char, text).as_deref(), Some(text));
        }
        assert_eq!(back(put_char, read_char, "ab"), None);
    }

    #[test]
    fn hstore_quotes() {
        let text = r#""a"=>"1", "b \"\\"=>NULL, ""=>"null""#;
        assert_eq!(back(put_hstore, read_hstore, text).as_deref(), Some(text));
        assert_eq!(
            back(put_hstore, read_hstore, "a=>1,b => NULL").as_deref(),
            Some(r#""a"=>"1", "b"=>NULL"#)
        );
        assert_eq!(back(put_hstore, read_hstore, "").as_deref(), Some(""));
        for text in ["a", "a=>", "a=>\"1", "a=>1 b=>2", "=>1"] {
            assert_eq!(back(put_hstore, read_hstore, text), None, "{text}");
        }
    }
}
