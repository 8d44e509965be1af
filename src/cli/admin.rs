//! The client of one instance's admin API.

use super::exit::{Failure, Outcome};
use crate::config::Settings;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body};

/// How long an instance may take: it waits for nothing itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// An instance that can be asked.
#[derive(Debug)]
pub(super) struct Instance {
    url: String,
    token: Option<String>,
    agent: Agent,
}

impl Instance {
    /// The instance at `url`, else the one that these settings would start here.
    pub(super) fn at(url: Option<&str>, settings: &Settings) -> Outcome<Self> {
        let url = match url {
            Some(url) if url.starts_with("http://") => url.trim_end_matches('/').to_owned(),
            Some(url) => {
                return Err(Failure::Usage(format!(
                    "--url {url}: an instance is reached by http://ADDRESS:PORT"
                )));
            }
            None => local(settings),
        };
        let token = settings
            .admin_token
            .as_ref()
            .map(|token| token.expose().to_owned());
        // A proxy for the way out is none for a neighbour.
        let agent = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .proxy(None)
            .build();
        Ok(Self {
            url,
            token,
            agent: agent.into(),
        })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// What the instance answers to `GET`.
    pub(super) fn get(&self, path: &str, query: &[(&str, &str)]) -> Outcome<Value> {
        let request = self
            .agent
            .get(format!("{}{path}", self.url))
            .query_pairs(query.iter().copied());
        let request = match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        self.read(request.call())
    }

    /// What the instance answers to `POST` of that document.
    pub(super) fn post(&self, path: &str, document: &Value) -> Outcome<Value> {
        let request = self.agent.post(format!("{}{path}", self.url));
        let request = match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        self.read(request.send_json(document))
    }

    fn read(&self, answered: Result<Response<Body>, ureq::Error>) -> Outcome<Value> {
        let away = |error: ureq::Error| Failure::NoInstance(self.url.clone(), error.to_string());
        let mut response = answered.map_err(away)?;
        let status = response.status();
        let text = response.body_mut().read_to_string().map_err(away)?;
        if !status.is_success() {
            return Err(Failure::Instance(
                self.url.clone(),
                status.as_u16(),
                said(&text),
            ));
        }
        serde_json::from_str(&text).map_err(|error| {
            Failure::NoInstance(
                self.url.clone(),
                format!("what answers is no instance of pontoon: {error}"),
            )
        })
    }
}

fn local(settings: &Settings) -> String {
    let mut address = settings.listen;
    // Listening on every address includes this machine's own.
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}")
}

/// The sentence of a problem document, or the answer's first line.
fn said(text: &str) -> String {
    let problem: Option<Value> = serde_json::from_str(text).ok();
    let detail = problem
        .as_ref()
        .and_then(|problem| problem.get("detail").or_else(|| problem.get("title")));
    match detail.and_then(Value::as_str) {
        Some(detail) => detail.to_owned(),
        None => text
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(200)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_that_listens_everywhere_is_asked_here() {
        let mut settings = Settings::default();
        for (listen, url) in [
            ("0.0.0.0:1", "http://127.0.0.1:1"),
            ("[::]:2", "http://[::1]:2"),
            ("10.0.0.1:3", "http://10.0.0.1:3"),
        ] {
            settings.listen = listen.parse().unwrap();
            assert_eq!(Instance::at(None, &settings).unwrap().url(), url);
        }
        assert!(matches!(
            Instance::at(Some("https://a"), &settings),
            Err(Failure::Usage(_))
        ));
    }

    #[test]
    fn a_problem_s_sentence_is_told() {
        assert_eq!(
            said(r#"{"title":"No","detail":"show the token"}"#),
            "show the token"
        );
        assert_eq!(said("<html>\nmore"), "<html>");
    }
}
