//! `tsvector`: lexemes, each with its places in the document.

use super::super::reader::{Read, Reader};
use super::{Scan, WEIGHTS, quote, weight};
use std::collections::BTreeMap;

/// A position's lower 14 bits; its upper two are the weight.
const MOST_POSITION: u16 = 0x3fff;
const MOST_POSITIONS: usize = 256;

/// The text of a `tsvector`: `'fat':2A 'rat':3`.
pub(in super::super) fn read_vector(bytes: &[u8]) -> Read<String> {
    let mut reader = Reader::new(bytes);
    let count = reader.count(3)?;
    let mut text = String::with_capacity(bytes.len());
    for index in 0..count {
        if index > 0 {
            text.push(' ');
        }
        quote(reader.cstring()?, &mut text);
        for at in 0..reader.u16()? {
            text.push(if at == 0 { ':' } else { ',' });
            let position = reader.u16()?;
            text.push_str(&(position & MOST_POSITION).to_string());
            match WEIGHTS[usize::from(position >> 14)] {
                'D' => {}
                weight => text.push(weight),
            }
        }
    }
    reader.end()?;
    Ok(text)
}

/// Puts the `tsvector` that the text names.
pub(in super::super) fn put_vector(text: &str, out: &mut Vec<u8>) -> Option<()> {
    // The server wants each lexeme once, with its positions in order; of one position the heaviest weight.
    let mut lexemes: BTreeMap<String, BTreeMap<u16, u16>> = BTreeMap::new();
    let mut scan = Scan(text);
    scan.spaces();
    while !scan.0.is_empty() {
        let lexeme = scan.lexeme(|c| c == ':' || c.is_whitespace())?;
        let positions = lexemes.entry(lexeme).or_default();
        if scan.eat(':') {
            loop {
                let (position, weight) = position(&mut scan)?;
                let known = positions.entry(position).or_insert(weight);
                *known = weight.max(*known);
                if !scan.eat(',') {
                    break;
                }
            }
        }
        if !scan.spaces() && !scan.0.is_empty() {
            return None;
        }
    }
    out.extend_from_slice(&i32::try_from(lexemes.len()).ok()?.to_be_bytes());
    for (lexeme, positions) in lexemes {
        out.extend_from_slice(lexeme.as_bytes());
        out.push(0);
        let kept = positions.len().min(MOST_POSITIONS - 1);
        out.extend_from_slice(&u16::try_from(kept).ok()?.to_be_bytes());
        for (position, weight) in positions.into_iter().take(kept) {
            out.extend_from_slice(&(weight << 14 | position).to_be_bytes());
        }
    }
    Some(())
}

/// `2A`
fn position(scan: &mut Scan<'_>) -> Option<(u16, u16)> {
    let position = scan.number().filter(|position| *position > 0)?;
    let position = u16::try_from(position)
        .unwrap_or(u16::MAX)
        .min(MOST_POSITION);
    let weight = scan.0.chars().next().and_then(weight);
    if weight.is_some() {
        scan.0 = &scan.0[1..];
    }
    Some((position, weight.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(text: &str) -> Option<String> {
        let mut out = Vec::new();
        put_vector(text, &mut out)?;
        read_vector(&out).ok()
    }

    #[test]
    fn vectors_are_read_and_shown() {
        assert_eq!(vector("").as_deref(), Some(""));
        assert_eq!(
            vector("rat:3 fat:2A,1b 'it''s \\\\':4").as_deref(),
            Some("'fat':1B,2A 'it''s \\\\':4 'rat':3")
        );
        assert_eq!(vector("a:1 a:1A,2").as_deref(), Some("'a':1A,2"));
        for text in ["'a", "a:", "a:0", "a:1x", "''", ":1", "a\\"] {
            assert_eq!(vector(text), None, "{text}");
        }
    }
}
