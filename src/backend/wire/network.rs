//! `inet`, `cidr`, `macaddr` and `macaddr8` in their text forms.

use super::reader::{Flaw, Read, Reader};
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

const V4: u8 = 2;
const V6: u8 = 3;

/// The text of an `inet` or `cidr`; of the two, `cidr` shows its mask always.
pub(super) fn read_inet(bytes: &[u8]) -> Read<String> {
    let mut reader = Reader::new(bytes);
    let (family, bits) = (reader.u8()?, reader.u8()?);
    let is_cidr = reader.u8()? != 0;
    let length = reader.u8()?;
    let (mut text, most) = match (family, length) {
        (V4, 4) => {
            let octets: [u8; 4] = super::reader::fixed(reader.take(4)?)?;
            (Ipv4Addr::from(octets).to_string(), 32)
        }
        (V6, 16) => {
            let octets: [u8; 16] = super::reader::fixed(reader.take(16)?)?;
            (v6(Ipv6Addr::from(octets)), 128)
        }
        _ => return Err(Flaw::Bytes("its family is none that an address has")),
    };
    reader.end()?;
    if bits > most {
        return Err(Flaw::Bytes("its mask is longer than its address"));
    }
    if is_cidr || bits != most {
        text.push('/');
        text.push_str(&bits.to_string());
    }
    Ok(text)
}

/// The longest run of zeros becomes `::`, and an address of version 4 inside is written as one.
fn v6(address: Ipv6Addr) -> String {
    let words = address.segments();
    let dotted = words[..6] == [0; 6] && words[6] != 0;
    if !dotted {
        return address.to_string();
    }
    let [.., a, b, c, d] = address.octets();
    format!("::{a}.{b}.{c}.{d}")
}

/// Puts the address that the text names: `10.1.2.3/8`, `::1`. A `cidr` may leave out its last octets where it has a mask.
pub(super) fn put_inet(text: &str, is_cidr: bool, out: &mut Vec<u8>) -> Option<()> {
    let (address, mask) = match text.split_once('/') {
        Some((address, mask)) => (address, Some(mask.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let header = |family, most: u8, length| {
        let bits = mask.unwrap_or(most);
        (bits <= most).then_some([family, bits, u8::from(is_cidr), length])
    };
    if address.contains(':') {
        let address: Ipv6Addr = address.parse().ok()?;
        out.extend_from_slice(&header(V6, 128, 16)?);
        out.extend_from_slice(&address.octets());
        return Some(());
    }
    let mut octets = [0; 4];
    let mut parts = address.split('.');
    let mut given = 0;
    for (octet, part) in octets.iter_mut().zip(&mut parts) {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        *octet = part.parse().ok().filter(|_| digits)?;
        given += 1;
    }
    if parts.next().is_some() || (given < 4 && !(is_cidr && mask.is_some())) {
        return None;
    }
    out.extend_from_slice(&header(V4, 32, 4)?);
    out.extend_from_slice(&octets);
    Some(())
}

/// The text of a `macaddr` or `macaddr8`.
pub(super) fn read_mac<const N: usize>(bytes: &[u8]) -> Read<String> {
    let octets: [u8; N] = super::reader::fixed(bytes)?;
    let mut text = String::with_capacity(N * 3);
    for (index, octet) in octets.iter().enumerate() {
        let colon = if index > 0 { ":" } else { "" };
        write!(text, "{colon}{octet:02x}").map_err(|_| Flaw::Bytes("it cannot be written"))?;
    }
    Ok(text)
}

/// Puts a hardware address in any of the forms that the server reads, which differ by their separators only.
pub(super) fn put_mac(text: &str, length: usize, out: &mut Vec<u8>) -> Option<()> {
    let text = text.trim_ascii();
    let mut digits = Vec::with_capacity(length * 2);
    for byte in text.bytes() {
        match char::from(byte).to_digit(16) {
            Some(digit) => digits.push(u8::try_from(digit).ok()?),
            None if matches!(byte, b':' | b'-' | b'.') => {}
            None => return None,
        }
    }
    let octets: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    if digits.len() == length * 2 {
        out.extend_from_slice(&octets);
    } else if digits.len() == 12 && length == 8 {
        // A short address in the long type: the server puts FF:FE in its middle.
        out.extend_from_slice(&octets[..3]);
        out.extend_from_slice(&[0xff, 0xfe]);
        out.extend_from_slice(&octets[3..]);
    } else {
        return None;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inet(text: &str, is_cidr: bool) -> Option<String> {
        let mut out = Vec::new();
        put_inet(text, is_cidr, &mut out)?;
        read_inet(&out).ok()
    }

    #[test]
    fn addresses_print_as_on_the_server() {
        for text in [
            "1.2.3.4",
            "10.0.0.1/8",
            "::1",
            "::",
            "2001:db8::1/64",
            "::ffff:1.2.3.4",
            "::1.2.3.4",
            "1:0:0:2::3",
        ] {
            assert_eq!(inet(text, false).as_deref(), Some(text));
        }
        assert_eq!(inet("10.1/16", true).as_deref(), Some("10.1.0.0/16"));
        assert_eq!(inet("1.2.3.4", true).as_deref(), Some("1.2.3.4/32"));
        for text in [
            "",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.4/33",
            "+1.2.3.4",
            "::1/129",
            "a",
        ] {
            assert_eq!(inet(text, false), None, "{text}");
        }
    }

    #[test]
    fn hardware_addresses_are_read_in_all_forms() {
        for text in [
            "08:00:2b:01:02:03",
            "08-00-2b-01-02-03",
            "08002b:010203",
            "0800.2b01.0203",
            "08002B010203",
        ] {
            let mut out = Vec::new();
            assert!(put_mac(text, 6, &mut out).is_some());
            assert_eq!(
                read_mac::<6>(&out).ok().as_deref(),
                Some("08:00:2b:01:02:03")
            );
        }
        let mut out = Vec::new();
        assert!(put_mac("08:00:2b:01:02:03", 8, &mut out).is_some());
        assert_eq!(
            read_mac::<8>(&out).ok().as_deref(),
            Some("08:00:2b:ff:fe:01:02:03")
        );
        assert!(put_mac("08:00:2b", 6, &mut out).is_none());
        assert!(put_mac("é", 6, &mut out).is_none());
    }
}
