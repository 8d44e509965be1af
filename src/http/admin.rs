//! The operator's API, and who may use it.

use super::Service;
use super::body::Json;
use super::error::{Code, Problem};
use super::query::Parameters;
use super::serve::Peer;
use crate::error::{Error, ErrorKind};
use axum::Json as Answer;
use axum::extract::{FromRequestParts, State};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::request::Parts;
use axum::response::IntoResponse;
use serde::Deserialize;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use subtle::ConstantTimeEq;

/// The longest reason and the longest key, in characters.
pub(super) const LONGEST: usize = 500;

/// Who may use the operator's API.
pub(super) enum Access {
    /// Whoever is on this machine and means this machine: a page that a browser shows must not get here by a name that resolves to it.
    Loopback,
    /// Who shows this token.
    Token(String),
}

impl Access {
    /// # Errors
    /// [`ErrorKind::Config`] where others can reach the listener and no token was given.
    pub(super) fn new(listen: SocketAddr, token: Option<&str>) -> crate::Result<Self> {
        match token {
            Some(token) if token.trim().is_empty() => Err(Error::new(
                ErrorKind::Config,
                "PONTOON_ADMIN_TOKEN is empty",
            )
            .with_hint("give it a value, or leave it out")),
            Some(token) => Ok(Self::Token(token.to_owned())),
            None if listen.ip().to_canonical().is_loopback() => Ok(Self::Loopback),
            None => {
                let message = format!(
                    "{listen} can be reached from other machines, and the operator's API has no token"
                );
                Err(Error::new(ErrorKind::Config, message).with_hint(
                    "set PONTOON_ADMIN_TOKEN to a long random text, or listen on 127.0.0.1",
                ))
            }
        }
    }

    fn admits(&self, parts: &Parts) -> Result<(), Problem> {
        let header = |name| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        match self {
            Self::Loopback => {
                let host = header(HOST).unwrap_or_default();
                let problem = || {
                    Problem::new(
                        Code::ForeignHost,
                        "call the operator's API by 127.0.0.1, [::1] or localhost",
                    )
                    .with_field("host")
                };
                names_this_machine(host).then_some(()).ok_or_else(problem)
            }
            Self::Token(token) => {
                let shown = header(AUTHORIZATION).and_then(|value| {
                    let (scheme, shown) = value.split_once(' ')?;
                    scheme.eq_ignore_ascii_case("bearer").then(|| shown.trim())
                });
                let is_right =
                    shown.is_some_and(|shown| bool::from(shown.as_bytes().ct_eq(token.as_bytes())));
                let problem = || {
                    Problem::new(
                        Code::Unauthorized,
                        "send authorization: Bearer and the operator's token",
                    )
                    .with_field("authorization")
                };
                is_right.then_some(()).ok_or_else(problem)
            }
        }
    }
}

fn names_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, _)) => name,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Never shows the token.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "Loopback",
            Self::Token(_) => "Token(***)",
        })
    }
}

/// Somebody who may use the operator's API: the name that the audit has for them.
#[derive(Debug)]
pub(super) struct Operator(String);

impl FromRequestParts<Service> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        service.access.admits(parts)?;
        let from = parts.extensions.get::<Peer>().map_or_else(
            || "unknown".to_owned(),
            |Peer(address)| address.ip().to_string(),
        );
        Ok(Self(format!("admin API from {from}")))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rollback {
    reason: String,
    who: Option<String>,
}

pub(super) async fn rollback(
    Operator(from): Operator,
    State(service): State<Service>,
    Json(body): Json<Rollback>,
) -> Result<impl IntoResponse, Problem> {
    let reason = line("reason", &body.reason)?;
    // Anybody can say who they are: where they call from stands beside it.
    let who = match &body.who {
        Some(who) => format!("{}, {from}", line("who", who)?),
        None => from,
    };
    Ok(Answer(service.app.rollback(reason, &who)))
}

/// The member as a line of text.
fn line<'a>(member: &'static str, text: &'a str) -> Result<&'a str, Problem> {
    let line = text.trim();
    if line.is_empty() || line.chars().count() > LONGEST || line.chars().any(char::is_control) {
        let detail = format!("a line of 1 to {LONGEST} characters is wanted");
        return Err(Problem::new(Code::InvalidValue, detail).with_field(member));
    }
    Ok(line)
}

pub(super) async fn status(_: Operator, State(service): State<Service>) -> impl IntoResponse {
    Answer(service.app.status())
}

pub(super) async fn explain(
    _: Operator,
    State(service): State<Service>,
    mut query: Parameters,
) -> Result<impl IntoResponse, Problem> {
    let key = query.required("key", LONGEST)?;
    query.end("key")?;
    Ok(Answer(service.app.explain(&key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_be_reached_needs_a_token() {
        for (listen, token, starts) in [
            ("127.0.0.1:80", None, true),
            ("[::1]:80", None, true),
            ("[::ffff:127.0.0.1]:80", None, true),
            ("0.0.0.0:80", None, false),
            ("[::]:80", None, false),
            ("10.1.2.3:80", None, false),
            ("0.0.0.0:80", Some("t"), true),
            ("0.0.0.0:80", Some(" "), false),
            ("127.0.0.1:80", Some(""), false),
        ] {
            let access = Access::new(listen.parse().unwrap(), token);
            assert_eq!(access.is_ok(), starts, "{listen} {token:?}");
            if let Err(error) = access {
                assert_eq!(
                    (error.kind(), error.hint().is_some()),
                    (ErrorKind::Config, true)
                );
            }
        }
    }

    #[test]
    fn a_name_that_only_resolves_here_is_foreign() {
        for own in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "localhost:1",
            "LOCALHOST",
            "[::1]:8080",
            "127.9.9.9",
        ] {
            assert!(names_this_machine(own), "{own}");
        }
        for foreign in [
            "",
            "example.com",
            "localhost.example.com:80",
            "127.0.0.1.example.com",
            "10.0.0.1",
            "[::2]:1",
            "[::1",
        ] {
            assert!(!names_this_machine(foreign), "{foreign}");
        }
    }

    #[test]
    fn the_token_stays_out_of_logs() {
        let access = Access::new("127.0.0.1:1".parse().unwrap(), Some("secret")).unwrap();
        assert_eq!(format!("{access:?}"), "Token(***)");
    }
}
