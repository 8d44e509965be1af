//! The ends of what is quoted: strings, names in quotes, dollar quotes and comments.

use memchr::{memchr, memchr2};

use super::super::error::TranslateErrorKind as Kind;
use super::class::{Class, find, is_newline};
use super::{TokenKind, Unterminated};

/// What a quote at `start` opens, or behind a prefix that starts there, and the bytes up to behind the quote.
pub(super) fn opening(bytes: &[u8], start: usize, first: u8) -> Option<(TokenKind, usize)> {
    let at = |index: usize| bytes.get(index);
    match first {
        b'\'' => Some((TokenKind::String, 1)),
        b'"' => Some((TokenKind::QuotedIdentifier, 1)),
        b'e' | b'E' if at(start + 1) == Some(&b'\'') => Some((TokenKind::EscapeString, 2)),
        b'n' | b'N' if at(start + 1) == Some(&b'\'') => Some((TokenKind::String, 2)),
        b'b' | b'B' | b'x' | b'X' if at(start + 1) == Some(&b'\'') => {
            Some((TokenKind::BitString, 2))
        }
        b'u' | b'U' if at(start + 1) == Some(&b'&') => match at(start + 2) {
            Some(b'\'') => Some((TokenKind::UnicodeString, 3)),
            Some(b'"') => Some((TokenKind::QuotedIdentifier, 3)),
            _ => None,
        },
        _ => None,
    }
}

/// The end of what [`opening`] found at `start`.
pub(super) fn quoted(
    bytes: &[u8],
    start: usize,
    kind: TokenKind,
    prefix: usize,
) -> Result<usize, Unterminated> {
    match kind {
        TokenKind::QuotedIdentifier => quoted_identifier(bytes, start, prefix),
        _ => string(bytes, start, prefix, kind),
    }
}

/// A string of that kind, with every piece that continues it.
fn string(
    bytes: &[u8],
    start: usize,
    prefix: usize,
    kind: TokenKind,
) -> Result<usize, Unterminated> {
    let mut index = start + prefix;
    loop {
        let rest = bytes.get(index..).unwrap_or_default();
        let found = match kind {
            TokenKind::EscapeString => memchr2(b'\'', b'\\', rest),
            _ => memchr(b'\'', rest),
        };
        let Some(length) = found else {
            return Err(Unterminated {
                kind: Kind::UnterminatedString,
                offset: start,
            });
        };
        index += length + 1;
        let escapes = bytes[index - 1] == b'\\';
        let doubles = kind != TokenKind::BitString && bytes.get(index) == Some(&b'\'');
        if escapes || doubles {
            index += 1;
        } else if let Some(next) = continuation(bytes, index) {
            index = next;
        } else {
            return Ok(index);
        }
    }
}

/// Where a string that was closed just before `index` goes on: a quote after white space with a newline in it.
/// A comment may stand in that white space, and after the newline it needs a newline of its own.
fn continuation(bytes: &[u8], index: usize) -> Option<usize> {
    let (mut index, mut newline) = (index, false);
    loop {
        match *bytes.get(index)? {
            b'\'' if newline => return Some(index + 1),
            byte if Class::of(byte).is(Class::SPACE) => {
                newline |= is_newline(byte);
                index += 1;
            }
            b'-' if bytes.get(index + 1) == Some(&b'-') => index = line_comment(bytes, index),
            _ => return None,
        }
    }
}

fn quoted_identifier(bytes: &[u8], start: usize, prefix: usize) -> Result<usize, Unterminated> {
    let mut index = start + prefix;
    while let Some(length) = memchr(b'"', &bytes[index..]) {
        index += length + 1;
        if bytes.get(index) != Some(&b'"') {
            return Ok(index);
        }
        index += 1;
    }
    Err(Unterminated {
        kind: Kind::UnterminatedIdentifier,
        offset: start,
    })
}

/// A dollar quote, or a lone `$`: the tag is an identifier without `$`, and it may be empty.
pub(super) fn dollar(bytes: &[u8], start: usize) -> Result<(TokenKind, usize), Unterminated> {
    let tag_end = find(bytes, start + 1, |byte| {
        byte == b'$' || !Class::of(byte).is(Class::IDENTIFIER)
    });
    if bytes.get(tag_end) != Some(&b'$') {
        return Ok((TokenKind::Other, start + 1));
    }
    // No `$` stands inside the delimiter, so a comparison reads no further than to the next one.
    let (delimiter, mut index) = (&bytes[start..=tag_end], tag_end + 1);
    while let Some(length) = memchr(b'$', &bytes[index..]) {
        index += length;
        if bytes[index..].starts_with(delimiter) {
            return Ok((TokenKind::DollarString, index + delimiter.len()));
        }
        index += 1;
    }
    Err(Unterminated {
        kind: Kind::UnterminatedDollarQuote,
        offset: start,
    })
}

/// The end of the line that the comment at `start` is on; the newline is no part of it.
pub(super) fn line_comment(bytes: &[u8], start: usize) -> usize {
    memchr2(b'\n', b'\r', &bytes[start..]).map_or(bytes.len(), |length| start + length)
}

pub(super) fn block_comment(bytes: &[u8], start: usize) -> Result<usize, Unterminated> {
    let (mut index, mut depth) = (start + 2, 1_usize);
    while let Some(length) = memchr2(b'*', b'/', &bytes[index..]) {
        index += length + 1;
        match (bytes[index - 1], bytes.get(index)) {
            (b'/', Some(b'*')) => depth += 1,
            (b'*', Some(b'/')) if depth == 1 => return Ok(index + 1),
            (b'*', Some(b'/')) => depth -= 1,
            _ => continue,
        }
        index += 1;
    }
    Err(Unterminated {
        kind: Kind::UnterminatedComment,
        offset: start,
    })
}
