//! What the parameters' values say.

use super::parameters::{nearest, wrong};
use super::target::{Address, Mode, Roots};
use super::url;
use crate::error::Result;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a server's socket is looked for when no host is given: the folders of Debian, of macOS, and the server's own.
pub(super) const SOCKET_FOLDERS: [&str; 3] = ["/var/run/postgresql", "/private/tmp", "/tmp"];

pub(super) fn port(given: Option<&str>) -> Result<u16> {
    let Some(text) = given else { return Ok(5432) };
    if text.contains(',') {
        return Err(url::several_hosts());
    }
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(wrong("port is not a number from 1 to 65535")),
    }
}

/// The time that opening a connection may take; zero and less mean that the URL sets none, as in libpq.
pub(super) fn timeout(given: Option<&str>) -> Result<Option<Duration>> {
    let Some(text) = given else { return Ok(None) };
    let seconds: i32 = text
        .parse()
        .map_err(|_| wrong("connect_timeout is not a whole number of seconds"))?;
    let seconds = u64::try_from(seconds).unwrap_or_default();
    Ok((seconds > 0).then(|| Duration::from_secs(seconds)))
}

/// The mode and the roots. A root makes `require` verify, as in libpq.
pub(super) fn tls(mode: Option<&str>, roots: Option<&str>) -> Result<(Mode, Roots)> {
    let known = || Mode::ALL.into_iter().map(Mode::as_str);
    let mode = match mode {
        None if roots == Some("system") => Mode::VerifyFull,
        None => Mode::Prefer,
        Some("allow") => {
            return Err(wrong("sslmode=allow is not supported").with_hint(
                "neither driver tries without TLS first; write prefer, or require to be sure of TLS",
            ));
        }
        Some(word) => {
            let mode = Mode::ALL.into_iter().find(|mode| mode.as_str() == word);
            mode.ok_or_else(|| {
                let error = wrong("sslmode is none of the known modes");
                let all = || format!("known: {}", known().collect::<Vec<_>>().join(", "));
                let near = nearest(word, known()).map(|near| format!("did you mean {near}?"));
                error.with_hint(near.unwrap_or_else(all))
            })?
        }
    };
    match roots {
        None => Ok((mode, Roots::BuiltIn)),
        Some("system") if mode == Mode::VerifyFull => Ok((mode, Roots::BuiltIn)),
        Some("system") => Err(
            wrong("sslrootcert=system goes with sslmode=verify-full alone").with_hint(
                "any weaker mode would let whoever has a certificate pass as the server",
            ),
        ),
        Some(path) if mode == Mode::Require => Ok((Mode::VerifyCa, Roots::File(path.into()))),
        Some(path) => Ok((mode, Roots::File(path.into()))),
    }
}

/// The client's certificate and key, which go together.
///
/// A variable that is set to nothing counts as left out, except here: sqlx would take the empty name for a file, and cannot be told
/// otherwise.
pub(super) fn client(
    certificate: Option<String>,
    key: Option<String>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<(PathBuf, PathBuf)>> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some((certificate.into(), key.into()))),
        (Some(_), None) => Err(wrong("sslcert is given without sslkey")),
        (None, Some(_)) => Err(wrong("sslkey is given without sslcert")),
        (None, None) => {
            let empty = ["PGSSLCERT", "PGSSLKEY"]
                .into_iter()
                .find(|name| variable(name).is_some());
            empty.map_or(Ok(None), |name| {
                Err(wrong(format!("{name} is set to nothing; unset it")))
            })
        }
    }
}

pub(super) fn address(
    host: Option<&str>,
    hostaddr: Option<&str>,
    port: u16,
    mode: Mode,
) -> Result<Address> {
    if [host, hostaddr]
        .into_iter()
        .flatten()
        .any(|text| text.contains(','))
    {
        return Err(url::several_hosts());
    }
    match (host, hostaddr) {
        (Some(_), Some(_)) if mode == Mode::VerifyFull => Err(wrong(
            "hostaddr beside host does not go with sslmode=verify-full",
        )
        .with_hint(
            "sqlx verifies the name that it connects to; leave hostaddr (and PGHOSTADDR) out",
        )),
        (_, Some(address)) => match address.parse::<IpAddr>() {
            Ok(address) => Ok(Address::Tcp(address.to_string())),
            Err(_) => Err(wrong("hostaddr is not an IP address")),
        },
        (Some(name), None) if name.starts_with('@') => {
            Err(wrong("abstract sockets are not supported")
                .with_hint("give host the folder of a socket that is a file"))
        }
        (Some(folder), None) if folder.starts_with('/') => Ok(Address::Socket(folder.into())),
        (Some(name), None) => Ok(Address::Tcp(name.to_owned())),
        (None, None) => Ok(nearby(&SOCKET_FOLDERS, port)),
    }
}

/// The server on this machine: its socket in the first folder that has one, else the loopback address.
fn nearby(folders: &[&str], port: u16) -> Address {
    let folders = folders.iter().map(Path::new);
    let mut with_socket = folders.filter(|folder| folder.join(format!(".s.PGSQL.{port}")).exists());
    match with_socket.next() {
        Some(folder) => Address::Socket(folder.to_owned()),
        None => Address::Tcp("localhost".into()),
    }
}

/// The user that this program runs as.
pub(super) fn login_name() -> Result<String> {
    whoami::username().map_err(|error| {
        wrong("it names no user, and the system does not say who runs this program")
            .with_source(error)
    })
}

/// The settings in `options`: `-c name=value` or `--name=value`, a backslash before a space that belongs to a value.
pub(super) fn options(text: &str) -> Result<Vec<(String, String)>> {
    let words = words(text)?;
    let mut words = words.iter().map(String::as_str);
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("--") {
            Some(setting) => Some(setting),
            None if word == "-c" => words.next(),
            None => word.strip_prefix("-c"),
        };
        let setting = setting.and_then(|setting| setting.split_once('='));
        let (name, value) = setting.ok_or_else(options_form)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(options_form());
        }
        if value
            .chars()
            .any(|char| char.is_whitespace() && char != ' ')
        {
            return Err(wrong("options holds a tab or a line's end in a value"));
        }
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

fn options_form() -> crate::Error {
    wrong("options is not a list of settings")
        .with_hint("write options=-c%20name=value, with %20 for a space; other switches of the server are not taken")
}

/// Words as the server splits them.
fn words(text: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => {
                let escaped = chars.next().ok_or_else(options_form)?;
                word.get_or_insert_default().push(escaped);
            }
            space if space.is_ascii_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_the_server_reads_them() {
        let pairs = |text: &str| {
            let found = options(text).unwrap();
            let shown: Vec<String> = found
                .iter()
                .map(|(name, value)| format!("{name}|{value}"))
                .collect();
            shown.join(" & ")
        };
        assert_eq!(pairs(""), "");
        assert_eq!(
            pairs("-c geqo=off --work-mem=4MB -cjit=off"),
            "geqo|off & work_mem|4MB & jit|off"
        );
        assert_eq!(pairs("  -c  search_path=a,\\ b\\\\ "), "search_path|a, b\\");
        for bad in [
            "-c",
            "-c geqo",
            "geqo=off",
            "-c ge'qo=off",
            "-d 5",
            "--=x",
            "-c a=\\",
        ] {
            assert!(options(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_server_nearby_is_found_by_its_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        assert!(nearby(&[path], 6000) == Address::Tcp("localhost".into()));
        std::fs::write(folder.path().join(".s.PGSQL.6000"), "").unwrap();
        assert!(nearby(&["/nowhere", path], 6000) == Address::Socket(path.into()));
    }

    #[test]
    fn a_root_makes_require_verify() {
        let tls = |mode: &str, roots: Option<&str>| tls(Some(mode), roots);
        assert!(
            tls("require", Some("/ca.pem")).unwrap()
                == (Mode::VerifyCa, Roots::File("/ca.pem".into()))
        );
        assert!(tls("require", None).unwrap() == (Mode::Require, Roots::BuiltIn));
        assert!(tls("verify-full", Some("system")).unwrap() == (Mode::VerifyFull, Roots::BuiltIn));
        assert!(tls("verify-ca", Some("system")).is_err());
        assert!(super::tls(None, Some("system")).unwrap().0 == Mode::VerifyFull);
        assert!(super::tls(None, None).unwrap().0 == Mode::Prefer);
    }
}
