//! What every request goes through: its id, its span, its time limit, and a guard against panics.

use super::body::Watched;
use super::error::{Code, PROBLEM_JSON, Problem};
use super::{ROUTES, Service};
use crate::app::{RequestKey, Unit};
use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, Path, Request, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use tracing::Instrument;
use uuid::Uuid;

/// The header of the request's id: taken from the request where it is sane, and in every answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header that names the tenant.
pub const TENANT: HeaderName = HeaderName::from_static("x-pontoon-tenant");
/// The header that names the session.
pub const SESSION: HeaderName = HeaderName::from_static("x-pontoon-session");

/// The longest tenant, session or request id.
const LONGEST: usize = 200;

/// The longest path and query string, in bytes: above what the longest search needs when each of its characters is escaped.
pub(super) const URI: usize = 16 << 10;
/// The most headers.
pub(super) const HEADERS: usize = 100;
/// The longest headers together, in bytes.
pub(super) const HEADER_BYTES: usize = 64 << 10;

/// Runs a request inside its span, within its time, and answers for it whatever happens.
pub(super) async fn guard(
    State(service): State<Service>,
    request: Request,
    next: Next,
) -> Response {
    let id = request_id(request.headers());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("", MatchedPath::as_str);
    let span = tracing::info_span!("request", id = %id.to_str().unwrap_or_default(), method = %request.method(), route);
    let limit = service.app.limits().request_time;
    let (parts, body) = request.into_parts();
    let (body, ended) = Watched::new(body);
    let head = head(&parts);
    let request = Request::from_parts(parts, Body::new(body));
    let run = AssertUnwindSafe(tokio::time::timeout(limit, next.run(request))).catch_unwind();
    let answer = async {
        if let Err(problem) = head {
            return problem.into_response();
        }
        match run.await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => {
                tracing::error!("the request took longer than {limit:?} and was given up");
                Problem::too_long().into_response()
            }
            Err(panic) => {
                tracing::error!(panic = message(&*panic), "the request's handler panicked");
                Problem::internal().into_response()
            }
        }
    };
    let mut response = documented(answer.instrument(span).await, route);
    response.headers_mut().insert(REQUEST_ID, id);
    if !ended.load(Ordering::Relaxed) {
        // What is left of the body would be taken for the next request: the client must not send one here.
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Whether the head is within its limits. What lies far above them, the server under this one refuses without a document.
fn head(parts: &Parts) -> Result<(), Problem> {
    let uri = parts
        .uri
        .path_and_query()
        .map_or(0, |uri| uri.as_str().len());
    if uri > URI {
        let detail = format!("path and query string may have {URI} bytes together");
        return Err(Problem::new(Code::UriTooLong, detail));
    }
    let headers = &parts.headers;
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if headers.len() > HEADERS || bytes > HEADER_BYTES {
        let detail = format!("there may be {HEADERS} headers, of {HEADER_BYTES} bytes together");
        return Err(Problem::new(Code::HeadersTooLarge, detail));
    }
    Ok(())
}

/// The client's id, or a fresh one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let sane = |id: &&HeaderValue| {
        id.len() <= LONGEST && !id.is_empty() && id.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    headers
        .get(REQUEST_ID)
        .filter(sane)
        .cloned()
        .unwrap_or_else(|| {
            let id = Uuid::new_v4().to_string();
            HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("none"))
        })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it said nothing")
}

/// Gives the router's own refusal of a method a document too. The router adds the header that names the methods later.
fn documented(response: Response, route: &str) -> Response {
    let has_document = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == PROBLEM_JSON);
    if response.status() != StatusCode::METHOD_NOT_ALLOWED || has_document {
        return response;
    }
    let here = ROUTES.iter().filter(|known| known.path == route);
    let methods: Vec<&str> = here.map(|known| known.method).collect();
    let detail = format!("this path takes {}", methods.join(", "));
    Problem::new(Code::MethodNotAllowed, detail).into_response()
}

/// Answers where no route is.
pub(super) async fn no_such_route() -> Problem {
    Problem::new(Code::NoSuchRoute, "docs/HTTP.md lists the paths")
}

/// The unit of work that a request's headers decide.
impl FromRequestParts<Service> for Unit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let key = RequestKey {
            tenant: said(&parts.headers, &TENANT)?,
            session: said(&parts.headers, &SESSION)?,
        };
        Ok(service.app.unit(&key))
    }
}

/// A header's value; two of them would leave open which one counts.
fn said(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Problem> {
    let wrong = |why: &str| Problem::new(Code::InvalidHeader, why).with_field(name.as_str());
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(wrong("the header is there more than once"));
    }
    match value.to_str() {
        Ok(text) if !text.is_empty() && text.len() <= LONGEST => Ok(Some(text.to_owned())),
        _ => Err(wrong(
            "a header of 1 to 200 visible ASCII characters is wanted",
        )),
    }
}

/// The id in a request's path.
#[derive(Debug)]
pub(super) struct Id(pub(super) Uuid);

impl FromRequestParts<Service> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let wrong = || {
            Problem::new(
                Code::InvalidPath,
                "a UUID is wanted, as in 67e55044-10b1-426f-9247-bb680e5fe0c8",
            )
            .with_field("id")
        };
        let Path(text) = Path::<String>::from_request_parts(parts, service)
            .await
            .map_err(|_| wrong())?;
        Uuid::try_parse(&text).map(Self).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bridge;
    use crate::app::{App, Limits};
    use crate::http::admin::Access;
    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::{MethodRouter, get, post};
    use std::sync::Arc;
    use std::time::Duration;
    use tower::ServiceExt;

    /// What a handler's answer becomes behind the guard.
    async fn guarded(handler: MethodRouter<Service>) -> (u16, String, bool) {
        let limits = Limits {
            request_time: Duration::from_millis(20),
            ..Limits::default()
        };
        let bridge = Bridge::builder("postgres://nobody@127.0.0.1:1/none")
            .build()
            .unwrap();
        let app = Arc::new(App::new(bridge, Box::new(String::new)).with_limits(limits));
        let access = Arc::new(Access::new("127.0.0.1:1".parse().unwrap(), None).unwrap());
        let service = Service { app, access };
        let layer = from_fn_with_state(service.clone(), guard);
        let router = Router::new()
            .route("/", handler)
            .layer(layer)
            .with_state(service);
        let response = router
            .oneshot(Request::new(Body::from("unread")))
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1000).await.unwrap();
        let code = serde_json::from_slice::<serde_json::Value>(&body)
            .map_or_else(|_| String::new(), |problem| problem["code"].to_string());
        assert_eq!(parts.headers[CONNECTION], "close");
        (
            parts.status.as_u16(),
            code,
            parts.headers.contains_key(REQUEST_ID),
        )
    }

    async fn panics() {
        panic!("on purpose");
    }

    #[tokio::test]
    async fn whatever_a_handler_does_there_is_an_answer() {
        assert_eq!(
            guarded(get(async || "well")).await,
            (200, String::new(), true)
        );
        assert_eq!(
            guarded(get(panics)).await,
            (500, "\"internal\"".into(), true)
        );
        assert_eq!(
            guarded(get(std::future::pending::<()>)).await,
            (504, "\"timeout\"".into(), true)
        );
        assert_eq!(
            guarded(post(panics)).await,
            (405, "\"method_not_allowed\"".into(), true)
        );
    }

    fn headers(name: &HeaderName, values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_sane_request_id_is_kept() {
        assert_eq!(request_id(&headers(&REQUEST_ID, &[b"abc-1"])), "abc-1");
        for bad in [&b""[..], b"a b", b"\xe9", "x".repeat(201).as_bytes()] {
            let made = request_id(&headers(&REQUEST_ID, &[bad]));
            assert!(
                made.to_str().is_ok_and(|id| Uuid::try_parse(id).is_ok()),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_key_header_is_taken_or_refused() {
        let said = |values: &[&[u8]]| {
            said(&headers(&TENANT, values), &TENANT).map_err(|problem| problem.code())
        };
        assert_eq!(said(&[]), Ok(None));
        assert_eq!(said(&[b"acme"]), Ok(Some("acme".into())));
        for bad in [
            &[&b""[..]][..],
            &[b"\xc3\xa9"],
            &[b"a", b"a"],
            &["x".repeat(201).as_bytes()],
        ] {
            assert_eq!(said(bad), Err(Code::InvalidHeader));
        }
    }

    #[test]
    fn a_panic_s_message_is_found() {
        for (panic, says) in [
            (std::panic::catch_unwind(|| panic!("one")), "one"),
            (std::panic::catch_unwind(|| panic!("{}", 2)), "2"),
            (
                std::panic::catch_unwind(|| std::panic::panic_any(3)),
                "it said nothing",
            ),
        ] {
            assert_eq!(message(&*panic.unwrap_err()), says);
        }
    }
}
