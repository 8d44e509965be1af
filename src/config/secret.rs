//! What must not be shown: a secret, and a database URL with a password in it.

use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::str::FromStr;
use url::{Position, Url};

const HIDDEN: &str = "***";

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for whoever must compare or send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// Where the database is. Shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    text: String,
    shown: String,
}

impl DatabaseUrl {
    /// The whole URL, for whoever connects.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl FromStr for DatabaseUrl {
    type Err = Error;

    /// Reads a `postgres:` or `postgresql:` URL. What its parts mean is the backends' business. The error does not repeat the text.
    fn from_str(text: &str) -> Result<Self> {
        let known = ["postgres://", "postgresql://"];
        if !known.iter().any(|scheme| text.starts_with(scheme)) {
            return Err(Error::new(
                ErrorKind::Config,
                "the database URL does not begin with postgres:// or postgresql://",
            ));
        }
        Ok(Self {
            text: text.to_owned(),
            shown: redact(text),
        })
    }
}

/// The URL without what may be secret; a URL that cannot be taken apart is hidden as a whole. So is one with an `@` behind its host: a
/// password with a `/`, `?` or `#` of its own ends the host too early, and the rest of it looks like a path or a parameter.
fn redact(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else {
        return format!("postgres://{HIDDEN}");
    };
    if url[Position::BeforePath..].contains('@') {
        return format!("postgres://{HIDDEN}");
    }
    if url.password().is_some() && url.set_password(Some(HIDDEN)).is_err() {
        return format!("postgres://{HIDDEN}");
    }
    let secret = |name: &str| name.to_ascii_lowercase().contains("password");
    if url.query_pairs().any(|(name, _)| secret(&name)) {
        let pairs: Vec<_> = url
            .query_pairs()
            .map(|(name, value)| {
                let value = if secret(&name) { HIDDEN.into() } else { value };
                (name.into_owned(), value.into_owned())
            })
            .collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.to_string()
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl<'de> Deserialize<'de> for DatabaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|error: Error| serde::de::Error::custom(error.message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_form_shows_a_secret() {
        let secret = Secret::new("hunter2");
        assert_eq!(
            (format!("{secret:?}"), secret.to_string()),
            ("***".into(), "***".into())
        );
        assert_eq!(secret.expose(), "hunter2");
        for text in [
            "postgres://ada:hunter2@db:5432/app?sslmode=require",
            "postgresql:///app?host=/run&user=ada&password=hunter2",
            "postgres://db/app?sslpassword=hunter2&sslmode=require",
            "postgres://ada:hunter2@a,b:99999999/app",
            "postgres://ada:hunter2@[::1/app",
            "postgres://me:12/?x=y&hunter2@host/db",
            "postgres://me:12/hunter2@host/db",
            "postgres://me:12#hunter2@host/db",
            "postgres://me:?hunter2@host/db",
            "postgres://me/hunter2:a@host/db?sslmode=require",
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            let shown = format!("{url} {url:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
            assert_eq!(url.expose(), text);
        }
        let url: DatabaseUrl = "postgres://ada:hunter2@db:5432/app".parse().unwrap();
        assert_eq!(url.to_string(), "postgres://ada:***@db:5432/app");
    }

    #[test]
    fn what_is_no_url_is_refused_unrepeated() {
        for wrong in [
            "",
            "hunter2",
            "mysql://ada:hunter2@db/app",
            "host=db password=hunter2",
        ] {
            let error = wrong.parse::<DatabaseUrl>().unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }
}
