//! Reads a connection text, a URL or libpq's `key=value` words, into parameters. The grammar is libpq's.
//!
//! No message holds a piece of the text before the parameters' names are known to be names: a stray `@`, `/` or `#` in a password would
//! else carry its rest into a log.

use super::parameters::{Given, wrong};
use crate::error::{Error, Result};
use std::fmt::Write;

const PASSWORD_HINT: &str = "in a user name or password write %40 for @, %2F for /, %3A for :, %23 for #, %3F for ? and %25 for %";

/// The parameters that `text` gives.
pub(super) fn read(text: &str) -> Result<Given> {
    let text = text.trim();
    for scheme in ["postgres://", "postgresql://"] {
        if let Some(rest) = text.strip_prefix(scheme) {
            return read_url(rest);
        }
    }
    match text.split_once("://") {
        Some((scheme, _)) if scheme.contains("postgres") => Err(wrong(
            "it begins with another program's scheme",
        )
        .with_hint("begin it with postgres://, without jdbc: before or a driver's name after")),
        Some((scheme, _)) if !scheme.contains('=') => {
            Err(wrong("it is not for Postgres").with_hint("begin it with postgres://"))
        }
        _ if text.contains('=') => read_words(text),
        _ => Err(wrong("it is neither a URL nor key=value words")
            .with_hint("write it as postgres://user:password@host:5432/database")),
    }
}

fn read_url(rest: &str) -> Result<Given> {
    let mut given = Given::default();
    // As libpq does: whatever stands before an @ that comes ahead of the first slash is user and password.
    let authority_ends = rest.find('/').unwrap_or(rest.len());
    let credentials = rest[..authority_ends].split_once('@').map(|found| found.0);
    let rest = credentials.map_or(rest, |found| &rest[found.len() + 1..]);
    if let Some(credentials) = credentials {
        let (user, password) = split(credentials, ':');
        put(&mut given, "user", user)?;
        put(&mut given, "password", password.unwrap_or_default())?;
    }
    let (before, query) = split(rest, '?');
    let (authority, database) = split(before, '/');
    if before.contains('@') {
        return Err(stray_at());
    }
    read_authority(&mut given, authority)?;
    put(&mut given, "dbname", database.unwrap_or_default())?;
    let query = query.unwrap_or_default();
    // The end of a password may have been taken for the parameters; then not even their names are shown.
    let suspect = query.contains('@');
    match read_query(&mut given, query) {
        Err(_) if suspect => Err(stray_at()),
        Err(error) => Err(error),
        Ok(()) => Ok(given),
    }
}

fn stray_at() -> Error {
    wrong("an @ stands where none belongs").with_hint(PASSWORD_HINT)
}

fn read_query(given: &mut Given, query: &str) -> Result<()> {
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, Some(value)) = split(pair, '=') else {
            return Err(wrong("a parameter has no = after its name"));
        };
        given.put(&decode(name)?, decode(value)?)?;
    }
    Ok(())
}

fn read_authority(given: &mut Given, authority: &str) -> Result<()> {
    if authority.contains(',') {
        return Err(several_hosts());
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest
                .split_once(']')
                .ok_or_else(|| wrong("the address has no closing ]"))?;
            match after.strip_prefix(':') {
                Some(port) => (address, Some(port)),
                None if after.is_empty() => (address, None),
                None => return Err(wrong("something other than a port follows the ]")),
            }
        }
        None => split(authority, ':'),
    };
    put(given, "host", host)?;
    match port {
        Some(port) if !port.bytes().all(|byte| byte.is_ascii_digit()) => Err(wrong(
            "what follows the host is not a port",
        )
        .with_hint(format!(
            "write an IPv6 address in [brackets]; {PASSWORD_HINT}"
        ))),
        Some(port) => put(given, "port", port),
        None => Ok(()),
    }
}

pub(super) fn several_hosts() -> Error {
    wrong("it names several hosts").with_hint(
        "only the blocking driver would try them in turn; name one, or a proxy that finds the primary",
    )
}

/// libpq's other form: words `key=value`, values in single quotes where they hold spaces, `\` before a quote or a backslash.
fn read_words(text: &str) -> Result<Given> {
    let mut given = Given::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or_else(|| {
            wrong("a word has no =").with_hint("put a value that holds spaces into single quotes")
        })?;
        let name = name.trim_end();
        if name.contains(char::is_whitespace) {
            return Err(wrong("a word has no =")
                .with_hint("put a value that holds spaces into single quotes"));
        }
        let (value, after) = read_value(after.trim_start())?;
        given.put(name, value)?;
        rest = after.trim_start();
    }
    Ok(given)
}

fn read_value(text: &str) -> Result<(String, &str)> {
    let (quoted, body) = match text.strip_prefix('\'') {
        Some(body) => (true, body),
        None => (false, text),
    };
    let mut value = String::new();
    let mut chars = body.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, &body[at + 1..])),
            space if !quoted && space.is_whitespace() => return Ok((value, &body[at..])),
            other => value.push(other),
        }
    }
    if quoted {
        return Err(wrong("a quoted value does not end"));
    }
    Ok((value, ""))
}

fn put(given: &mut Given, name: &str, encoded: &str) -> Result<()> {
    match decode(encoded)? {
        value if value.is_empty() => Ok(()),
        value => given.put(name, value),
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Text without its percent-encoding. A plus sign stays one, as in libpq.
fn decode(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digit = |byte: &u8| {
            char::from(*byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        match tail {
            [high, low, after @ ..] if digit(high).is_some() && digit(low).is_some() => {
                bytes.push(digit(high).unwrap_or_default() << 4 | digit(low).unwrap_or_default());
                rest = after;
            }
            _ => {
                return Err(
                    wrong("a % is not followed by two hexadecimal digits").with_hint(PASSWORD_HINT)
                );
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong("a percent-encoded value is not UTF-8"))
}

/// Text with everything percent-encoded that is not plain in every part of a URL.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _infallible = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn encoding_reads_back() {
        for text in ["", "plain", "a b%c/d?e#f@g:h", "d\u{e9}j\u{e0} \u{1f418}"] {
            assert_eq!(decode(&encode(text)).unwrap(), text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn no_text_panics(text in "(postgres://)?[a-c1:/@?&=%#\\[\\]'\\\\, \u{e9}-]{0,40}") {
            let _ = read(&text);
        }

        #[test]
        fn no_secret_is_shown(before in "[a-c1:/@?&=%#\\[\\]', -]{0,12}", after in "[a-c1:/@?&=%#\\[\\]', -]{0,12}") {
            let url = format!("postgres://me:{before}Hunter{after}@host/db?sslmode=require");
            if let Err(error) = read(&url) {
                let shown = format!("{error} {error:?} {:?}", error.hint());
                prop_assert!(!shown.contains("Hunter"), "{url}: {shown}");
            }
        }
    }
}
