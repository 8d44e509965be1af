//! The parsed URL.

use super::values::{self, SOCKET_FOLDERS};
use super::{passfile, url};
use crate::error::{Error, Result};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// A parsed connection URL: what both drivers connect with. [`Display`](fmt::Display) and [`Debug`] leave the password out.
///
/// ```
/// use pontoon::backend::Target;
/// let target: Target = "postgres://app:secret@db.example.com/app?sslmode=verify-full".parse()?;
/// assert_eq!(target.to_string(), "postgres://app:***@db.example.com:5432/app?sslmode=verify-full");
/// # Ok::<(), pontoon::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    pub(super) address: Address,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) password: Option<String>,
    pub(super) database: String,
    pub(super) application_name: Option<String>,
    pub(super) connect_timeout: Option<Duration>,
    /// `PGOPTIONS`, as it stands in the environment: sqlx sends it whatever it is told.
    pub(super) inherited_options: Option<String>,
    /// The URL's `options`, by setting.
    pub(super) options: Vec<(String, String)>,
    pub(super) mode: Mode,
    pub(super) roots: Roots,
    /// The files of the client's certificate and key.
    pub(super) client: Option<(PathBuf, PathBuf)>,
}

/// Where the server listens.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Address {
    Tcp(String),
    /// The folder of its socket.
    Socket(PathBuf),
}

/// What TLS has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// Whom the server's certificate may be signed by.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Roots {
    /// Mozilla's list, which is compiled in.
    BuiltIn,
    /// That list and the certificates of a file.
    File(PathBuf),
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl Target {
    /// What a `postgres://` URL or libpq's `key=value` words say, filled in from the environment and the password file as libpq does.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) names the parameter that is unknown, wrong, or cannot be the same on both drivers, and what to write instead.
    /// The message holds no value that could be a secret.
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_in(text, &|name| std::env::var(name).ok())
    }

    /// [`parse`](Self::parse), with the environment as a parameter.
    pub(crate) fn parse_in(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let mut given = url::read(text)?;
        let options = values::options(given.take("options").as_deref().unwrap_or_default())?;
        given.fill(variable)?;
        values::options(given.take("options").as_deref().unwrap_or_default())?;
        let port = values::port(given.take("port").as_deref())?;
        let host = given.take("host");
        let hostaddr = given.take("hostaddr");
        let (mode, roots) = values::tls(
            given.take("sslmode").as_deref(),
            given.take("sslrootcert").as_deref(),
        )?;
        let address = values::address(host.as_deref(), hostaddr.as_deref(), port, mode)?;
        let user = given.take("user").map_or_else(values::login_name, Ok)?;
        let database = given.take("dbname").unwrap_or_else(|| user.clone());
        let mut target = Self {
            application_name: given
                .take("application_name")
                .or(given.take("fallback_application_name")),
            connect_timeout: values::timeout(given.take("connect_timeout").as_deref())?,
            inherited_options: variable("PGOPTIONS"),
            client: values::client(given.take("sslcert"), given.take("sslkey"), variable)?,
            // A socket's traffic does not leave the machine; libpq ignores sslmode there.
            mode: match address {
                Address::Tcp(_) => mode,
                Address::Socket(_) => Mode::Disable,
            },
            password: given.take("password"),
            address,
            port,
            user,
            database,
            options,
            roots,
        };
        if target.password.is_none() {
            let host = host.or(hostaddr).unwrap_or_default();
            let file = passfile::path(given.take("passfile"), variable);
            target.password = file.and_then(|file| passfile::look_up(&file, &target.entry(&host)));
        }
        Ok(target)
    }

    /// The URL that stands for this target, without the password: for logs.
    pub fn redacted(&self) -> String {
        self.to_string()
    }

    pub(super) fn host(&self) -> String {
        match &self.address {
            Address::Tcp(host) => host.clone(),
            Address::Socket(folder) => folder.to_string_lossy().into_owned(),
        }
    }

    /// What a line of the password file is compared with.
    fn entry(&self, host: &str) -> [String; 4] {
        let host = match &self.address {
            Address::Socket(folder)
                if SOCKET_FOLDERS
                    .iter()
                    .any(|known| folder == Path::new(known)) =>
            {
                "localhost".into()
            }
            Address::Tcp(_) if !host.is_empty() => host.to_owned(),
            _ => self.host(),
        };
        [
            host,
            self.port.to_string(),
            self.database.clone(),
            self.user.clone(),
        ]
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = if self.password.is_some() { ":***" } else { "" };
        let (user, database) = (url::encode(&self.user), url::encode(&self.database));
        write!(f, "postgres://{user}{secret}@")?;
        match &self.address {
            Address::Tcp(host) if host.contains(':') => {
                write!(f, "[{host}]:{}/{database}", self.port)
            }
            Address::Tcp(host) => write!(f, "{}:{}/{database}", url::encode(host), self.port),
            Address::Socket(folder) => {
                let folder = url::encode(&folder.to_string_lossy());
                write!(f, "/{database}?host={folder}&port={}", self.port)
            }
        }?;
        if matches!(self.address, Address::Tcp(_)) {
            write!(f, "?sslmode={}", self.mode.as_str())?;
            if let Roots::File(path) = &self.roots {
                write!(f, "&sslrootcert={}", url::encode(&path.to_string_lossy()))?;
            }
            if let Some((certificate, key)) = &self.client {
                let (certificate, key) = (certificate.to_string_lossy(), key.to_string_lossy());
                let (certificate, key) = (url::encode(&certificate), url::encode(&key));
                write!(f, "&sslcert={certificate}&sslkey={key}")?;
            }
        }
        if self.inherited_options.is_some() || !self.options.is_empty() {
            f.write_str("&options=***")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

impl Mode {
    pub(super) const ALL: [Self; 5] = [
        Self::Disable,
        Self::Prefer,
        Self::Require,
        Self::VerifyCa,
        Self::VerifyFull,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

#[cfg(test)]
mod tests;
