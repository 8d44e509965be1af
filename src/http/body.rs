//! Reads a request's JSON body, and says exactly what is wrong with it.

use super::Service;
use super::error::{Code, Problem};
use crate::app::Limits;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use futures_util::StreamExt;
use hyper::body::{Frame, SizeHint};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// How much of a body that is too large is read and thrown away, so that its client comes to read the answer.
const THROWN_AWAY: usize = 16 << 20;

/// A body, as `T`.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Service> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, service: &Service) -> Result<Self, Problem> {
        let limits = service.app.limits();
        let (parts, body) = request.into_parts();
        is_json(&parts.headers)?;
        let reading = read(&parts.headers, body, limits);
        let bytes = tokio::time::timeout(limits.body_time, reading)
            .await
            .map_err(|_| {
                Problem::new(
                    Code::SlowRequest,
                    format!("the body did not arrive within {:?}", limits.body_time),
                )
            })??;
        parse(&bytes).map(Self)
    }
}

/// A body that tells whether it was read to its end. Where it was not, its connection is of no more use.
#[derive(Debug)]
pub(super) struct Watched {
    body: Body,
    ended: Arc<AtomicBool>,
}

impl Watched {
    /// The body, and whether it has ended, which tells the truth at any time.
    pub(super) fn new(body: Body) -> (Self, Arc<AtomicBool>) {
        let ended = Arc::new(AtomicBool::new(body.is_end_stream()));
        (
            Self {
                body,
                ended: Arc::clone(&ended),
            },
            ended,
        )
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) || this.body.is_end_stream() {
            this.ended.store(true, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let wrong = |detail: &str| {
        Err(Problem::new(Code::UnsupportedMediaType, detail).with_field("content-type"))
    };
    let declared = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let mut parts = declared
        .split(';')
        .map(|part| part.trim().to_ascii_lowercase());
    let essence = parts.next().unwrap_or_default();
    if essence != "application/json"
        && !(essence.starts_with("application/") && essence.ends_with("+json"))
    {
        return wrong("send content-type: application/json");
    }
    let foreign = |part: String| {
        part.strip_prefix("charset=")
            .is_some_and(|charset| !matches!(charset.trim_matches('"'), "utf-8" | "utf8"))
    };
    if parts.any(foreign) {
        return wrong("JSON is UTF-8: leave the charset out");
    }
    if headers
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity")
    {
        return Err(Problem::new(
            Code::UnsupportedMediaType,
            "send the body as it is, not compressed",
        )
        .with_field("content-encoding"));
    }
    Ok(())
}

async fn read(headers: &HeaderMap, body: Body, limits: Limits) -> Result<Vec<u8>, Problem> {
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let is_larger = |limit: usize| {
        declared.is_some_and(|length| usize::try_from(length).is_ok_and(|length| length > limit))
    };
    if is_larger(limits.body) && (headers.contains_key(EXPECT) || is_larger(THROWN_AWAY)) {
        return Err(too_large(limits));
    }
    let mut chunks = body.into_data_stream();
    let (mut bytes, mut seen) = (Vec::new(), 0usize);
    while let Some(chunk) = chunks.next().await {
        let chunk =
            chunk.map_err(|_| Problem::new(Code::InvalidBody, "the body ended before its end"))?;
        seen = seen.saturating_add(chunk.len());
        if seen > limits.body.max(THROWN_AWAY) {
            return Err(too_large(limits));
        }
        if seen > limits.body {
            bytes = Vec::new();
        } else {
            bytes.extend_from_slice(&chunk);
        }
    }
    if seen > limits.body {
        Err(too_large(limits))
    } else {
        Ok(bytes)
    }
}

fn too_large(limits: Limits) -> Problem {
    Problem::new(
        Code::BodyTooLarge,
        format!("a body may have {} bytes", limits.body),
    )
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let problem = refused(error.inner());
        match field(&error.path().to_string(), &error.inner().to_string()) {
            Some(field) => problem.with_field(field),
            None => problem,
        }
    })?;
    json.end().map_err(|error| refused(&error))?;
    Ok(value)
}

/// The field that an error is about: where it happened, or, for one of the object itself, which it names.
fn field(path: &str, message: &str) -> Option<String> {
    if path != "." && path != "?" {
        return Some(path.to_owned());
    }
    let named = ["missing field `", "duplicate field `", "unknown field `"]
        .iter()
        .find_map(|says| message.strip_prefix(says))?;
    named.split_once('`').map(|(name, _)| name.to_owned())
}

fn refused(error: &serde_json::Error) -> Problem {
    let code = match error.classify() {
        Category::Data => Code::InvalidBody,
        Category::Syntax | Category::Eof | Category::Io => Code::InvalidJson,
    };
    // It ends in the line and the column.
    Problem::new(code, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_field_is_named_wherever_it_can_be() {
        let named = |path, message| field(path, message);
        assert_eq!(named("tags[1]", "invalid type"), Some("tags[1]".to_owned()));
        assert_eq!(
            named(".", "missing field `content` at line 1 column 2"),
            Some("content".to_owned())
        );
        assert_eq!(named(".", "EOF while parsing a value"), None);
    }

    #[test]
    fn json_has_to_be_declared() {
        let declared = |kind: &'static str| {
            is_json(&HeaderMap::from_iter([(
                CONTENT_TYPE,
                HeaderValue::from_static(kind),
            )]))
            .is_ok()
        };
        for good in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/merge-patch+json",
            "application/json;charset=\"utf-8\"",
        ] {
            assert!(declared(good), "{good}");
        }
        for bad in [
            "",
            "text/plain",
            "text/json+json",
            "application/jsonp",
            "application/json; charset=latin1",
            "application/x-www-form-urlencoded",
        ] {
            assert!(!declared(bad), "{bad}");
        }
        assert!(is_json(&HeaderMap::new()).is_err());
    }
}
