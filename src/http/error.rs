//! What a client is told when a request fails: an RFC 9457 problem document with a stable code.
//!
//! The library's [`ErrorKind`] becomes a status here and nowhere else. A document holds neither SQL text nor what the server reported: these
//! are logged, beside the request's id, which the client has too.

use crate::error::{Error, ErrorKind, Wait};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The media type of a problem document.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// After how many seconds a client may try again.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("1");

macro_rules! codes {
    ($($name:ident $word:literal $status:ident $title:literal),+ $(,)?) => {
        /// What went wrong, in a word that programs go by.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $title] $name),+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// The status that the answer has.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),+ }
            }

            /// The same in a sentence.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }
        }
    };
}

codes! {
    InvalidJson "invalid_json" BAD_REQUEST "The body is no JSON",
    InvalidBody "invalid_body" BAD_REQUEST "The body's JSON has not the shape that is wanted",
    InvalidValue "invalid_value" BAD_REQUEST "A value is out of its bounds",
    InvalidQuery "invalid_query" BAD_REQUEST "The query string is wrong",
    InvalidPath "invalid_path" BAD_REQUEST "A part of the path is wrong",
    InvalidHeader "invalid_header" BAD_REQUEST "A header is wrong",
    Unauthorized "unauthorized" UNAUTHORIZED "The operator's token is missing or wrong",
    ForeignHost "foreign_host" FORBIDDEN "The request names a host that is not this one",
    NotFound "not_found" NOT_FOUND "There is no such thing",
    NoSuchRoute "no_such_route" NOT_FOUND "There is nothing at this path",
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "This path does not take this method",
    SlowRequest "slow_request" REQUEST_TIMEOUT "The body did not arrive in time",
    Conflict "conflict" CONFLICT "There is one already",
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE "The body is too large",
    UriTooLong "uri_too_long" URI_TOO_LONG "The path and the query string are too long",
    HeadersTooLarge "headers_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE "The headers are too many or too large",
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "The body is not declared as JSON",
    RefusedValue "refused_value" UNPROCESSABLE_ENTITY "The database refuses a value",
    Internal "internal" INTERNAL_SERVER_ERROR "Something went wrong here",
    OutcomeUnknown "outcome_unknown" INTERNAL_SERVER_ERROR "Nobody knows whether it took effect",
    Busy "busy" SERVICE_UNAVAILABLE "Nothing was done, and it may work in a moment",
    Unavailable "unavailable" SERVICE_UNAVAILABLE "The database is out of reach",
    Timeout "timeout" GATEWAY_TIMEOUT "The answer took too long",
}

/// A failed request, as its client is told.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    detail: String,
    field: Option<String>,
    wait: Option<Wait>,
    retry: bool,
}

/// A problem document: RFC 9457's members, then this program's.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<&'a str>,
}

impl Problem {
    /// A problem, and what the client can do about it.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            field: None,
            wait: None,
            retry: false,
        }
    }

    /// Names the field that is wrong.
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Which problem it is.
    pub fn code(&self) -> Code {
        self.code
    }

    fn waited_for(mut self, wait: Wait) -> Self {
        self.wait = Some(wait);
        self
    }

    fn retryable(mut self) -> Self {
        self.retry = true;
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = Document {
            kind: format!("urn:pontoon:problem:{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            code: self.code.as_str(),
            field: self.field.as_deref(),
            wait: self.wait.map(word),
        };
        // Seven texts and a number always serialize.
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (self.code.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if self.retry {
            headers.insert(RETRY_AFTER, RETRY_SECONDS);
        }
        if self.code == Code::Unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Error> for Problem {
    /// Logs the error in full, and gives what its client may know of it.
    fn from(error: Error) -> Self {
        let problem = told(&error);
        if problem.code.status().is_server_error() {
            tracing::error!(%error, code = problem.code.as_str(), "the request failed: {error}");
        } else {
            tracing::debug!(%error, code = problem.code.as_str(), "the request was refused: {error}");
        }
        problem
    }
}

/// The word for the wait that ran out.
fn word(wait: Wait) -> &'static str {
    match wait {
        Wait::Permit => "permit",
        Wait::Pool => "pool",
        Wait::Open => "connection",
        Wait::Answer => "answer",
    }
}

fn told(error: &Error) -> Problem {
    match error.kind() {
        ErrorKind::Timeout(wait) => waited(wait),
        _ if error.kind() != ErrorKind::Unreachable && error.is_retryable() => {
            Problem::new(Code::Busy, "the database is busy; try again").retryable()
        }
        ErrorKind::Unreachable | ErrorKind::Closed => Problem::new(
            Code::Unavailable,
            "no connection to the database; nothing was done, try again",
        )
        .retryable(),
        ErrorKind::Connection => Problem::new(
            Code::Unavailable,
            "the connection to the database broke; what was asked for may have been done",
        ),
        ErrorKind::OutcomeUnknown => Problem::new(
            Code::OutcomeUnknown,
            "the database's answer was lost: look whether it was done before trying again",
        ),
        ErrorKind::Database => reported(error.sqlstate().unwrap_or_default()),
        _ => Problem::internal(),
    }
}

/// A wait that ran out. Only the last of them began after the statement was sent.
fn waited(wait: Wait) -> Problem {
    let problem = match wait {
        Wait::Permit | Wait::Pool => Problem::new(
            Code::Busy,
            "every connection is in use, and none came free in time; nothing was done, try again",
        )
        .retryable(),
        Wait::Open => Problem::new(
            Code::Busy,
            "no connection to the database could be opened in time; nothing was done, try again",
        )
        .retryable(),
        Wait::Answer => Problem::new(
            Code::Timeout,
            "the database did not answer in time; what was asked for may have been done",
        ),
    };
    problem.waited_for(wait)
}

/// By the SQLSTATE's class, which is what the server promises to keep.
fn reported(sqlstate: &str) -> Problem {
    match sqlstate {
        "23505" => Problem::new(Code::Conflict, "there is one with this key already"),
        "57014" => Problem::new(
            Code::Timeout,
            "the database gave the statement up: it ran too long",
        ),
        _ if sqlstate.starts_with("22") || sqlstate.starts_with("23") => Problem::new(
            Code::RefusedValue,
            "the database does not take one of the values",
        ),
        _ if sqlstate.starts_with("54") => Problem::new(
            Code::RefusedValue,
            "a value is larger or deeper than the database can take",
        ),
        _ if sqlstate.starts_with("53") || sqlstate.starts_with("57P") => Problem::new(
            Code::Unavailable,
            "the database has no room or is stopping; try again",
        )
        .retryable(),
        _ => Problem::internal(),
    }
}

impl Problem {
    /// A fault of this program: the client gets its id alone, the log has the rest.
    pub(super) fn internal() -> Self {
        Self::new(
            Code::Internal,
            "this program failed; its log tells more under the request's id",
        )
    }

    pub(super) fn too_long() -> Self {
        Self::new(
            Code::Timeout,
            "the request took too long and was given up; what was asked for may have been done",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::DatabaseError;
    use std::collections::BTreeSet;
    use std::time::Duration;

    fn database(sqlstate: &str) -> Error {
        let report = DatabaseError {
            sqlstate: sqlstate.into(),
            message: "SELECT secret".into(),
            detail: Some("secret".into()),
            ..DatabaseError::default()
        };
        Error::from_database(ErrorKind::Database, report)
    }

    #[test]
    fn each_code_has_a_word_of_its_own() {
        let words: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
    }

    #[tokio::test]
    async fn the_wait_that_ran_out_is_named() {
        for (wait, word) in [
            (Wait::Permit, "permit"),
            (Wait::Pool, "pool"),
            (Wait::Open, "connection"),
            (Wait::Answer, "answer"),
        ] {
            let error = Error::timeout(wait, Duration::from_secs(1));
            let body = Problem::from(error).into_response().into_body();
            let body = axum::body::to_bytes(body, 1000).await.unwrap();
            let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(document["wait"], word, "{document}");
        }
        let other = Problem::internal().into_response().into_body();
        let other = axum::body::to_bytes(other, 1000).await.unwrap();
        assert!(!String::from_utf8_lossy(&other).contains("wait"));
    }

    #[test]
    fn an_error_becomes_the_status_that_its_kind_means() {
        let waited = |wait| Error::timeout(wait, Duration::from_secs(1));
        let kind = |kind| Error::new(kind, "secret");
        for (error, status, code, retry) in [
            (database("23505"), 409, "conflict", false),
            (database("23503"), 422, "refused_value", false),
            (database("22021"), 422, "refused_value", false),
            (database("54001"), 422, "refused_value", false),
            (database("40001"), 503, "busy", true),
            (database("53300"), 503, "busy", true),
            (database("53200"), 503, "unavailable", true),
            (database("57014"), 504, "timeout", false),
            (database("42P01"), 500, "internal", false),
            (waited(Wait::Permit), 503, "busy", true),
            (waited(Wait::Pool), 503, "busy", true),
            (waited(Wait::Open), 503, "busy", true),
            (waited(Wait::Answer), 504, "timeout", false),
            (kind(ErrorKind::Unreachable), 503, "unavailable", true),
            (kind(ErrorKind::Closed), 503, "unavailable", true),
            (kind(ErrorKind::Connection), 503, "unavailable", false),
            (
                kind(ErrorKind::OutcomeUnknown),
                500,
                "outcome_unknown",
                false,
            ),
            (kind(ErrorKind::Bind), 500, "internal", false),
            (kind(ErrorKind::Schema), 500, "internal", false),
        ] {
            let problem = Problem::from(error.clone());
            assert_eq!(
                (problem.code.as_str(), problem.retry),
                (code, retry),
                "{error}"
            );
            assert!(!problem.detail.contains("secret"));
            let response = problem.into_response();
            assert_eq!(response.status().as_u16(), status, "{error}");
            assert_eq!(response.headers().contains_key(RETRY_AFTER), retry);
            assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
        }
    }
}
