//! Writes `docs/HTTP.md`.

use super::error::Code;
use super::request::{HEADER_BYTES, HEADERS, URI};
use super::routes::{COMMON, Field, ROUTES, Route};
use super::serve::MOST_HEADERS;
use std::fmt::Write;

const INTRODUCTION: &str = "# The HTTP API

This page is written from the list of routes that the server is built from: `UPDATE_DOCS=1 cargo test --features server http_page`.

- Bodies are JSON, in UTF-8, at most 1 MiB, declared as `content-type: application/json`. Fields that are not listed here are refused.
- Times are RFC 3339 in UTC. Every list has a fixed order.
- Every answer has `X-Request-Id`: the request's own, where it is 1 to 200 visible ASCII characters, else a new one. The log has it too.
- `X-Pontoon-Tenant` and `X-Pontoon-Session`, 1 to 200 visible ASCII characters, say whom a request is for. The flag goes by them: a tenant
  stays on one backend.
- A `GET` answers `HEAD` too.
- `/admin/…` needs `Authorization: Bearer` and the token of `PONTOON_ADMIN_TOKEN`. Where the server listens on the loopback alone and has no
  token, none is needed, and the request has to name the host `127.0.0.1`, `[::1]` or `localhost`.
";

const FAILURES: &str = "
## When a request fails

The answer is a problem document (RFC 9457, `application/problem+json`). Programs go by `code`, which stays the same; `detail` is for people.
`field` names what is wrong in the body, the query string, the path or the headers. `wait` names the wait that ran out: `permit` or `pool`, every
connection was in use; `connection`, none could be opened in time; `answer`, the database was asked and did not answer. `Retry-After` is there where nothing was done and the same
request may work in a moment. A document holds no SQL.

```json
{\"type\": \"urn:pontoon:problem:invalid_value\", \"title\": \"A value is out of its bounds\", \"status\": 400, \"detail\": \"it is empty\", \"code\": \"invalid_value\", \"field\": \"title\"}
```

| code | status | means |
|---|---|---|
";

/// What never becomes a request, and so has no route and no guard.
const BARE: &str = "
A path with its query string may have 16 KiB, the headers 64 KiB, and there may be 100 of them: beyond that there is a problem document too.
Only what cannot be read as a request at all is answered without one, and without `X-Request-Id`: a malformed request line or header with
status 400, a path of more than 64 KiB with 414, more than 1000 headers or a head of more than 400 KiB with 431. The connection is closed
then.
";

// The numbers in the text above are these.
const _: () =
    assert!(URI == 16 << 10 && HEADER_BYTES == 64 << 10 && HEADERS == 100 && MOST_HEADERS == 1000);

/// The text of `docs/HTTP.md`.
pub fn document() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str("\n| route | what it does |\n|---|---|\n");
    for Route {
        method, path, what, ..
    } in ROUTES
    {
        line(&mut page, format_args!("| `{method} {path}` | {what} |"));
    }
    for route in ROUTES {
        section(&mut page, route);
    }
    page.push_str(FAILURES);
    for code in Code::ALL {
        line(
            &mut page,
            format_args!(
                "| `{}` | {} | {} |",
                code.as_str(),
                code.status().as_u16(),
                code.title()
            ),
        );
    }
    line(
        &mut page,
        format_args!(
            "\nEvery route can fail with {}; a path without a route with {}.",
            words(COMMON),
            words(&[Code::NoSuchRoute])
        ),
    );
    page.push_str(BARE);
    page
}

fn section(page: &mut String, route: &Route) {
    line(
        page,
        format_args!("\n## {} {}\n\n{}.\n", route.method, route.path, route.what),
    );
    if !route.takes.is_empty() {
        let place = if matches!(route.method, "GET" | "DELETE") {
            "parameter"
        } else {
            "field"
        };
        line(
            page,
            format_args!("| {place} | is | means |\n|---|---|---|"),
        );
        for Field { name, kind, what } in route.takes {
            line(page, format_args!("| `{name}` | {kind} | {what} |"));
        }
        page.push('\n');
    }
    line(page, format_args!("```text\n{}\n```", route.answers));
    if !route.errors.is_empty() {
        line(page, format_args!("\nFails with {}.", words(route.errors)));
    }
}

fn words(codes: &[Code]) -> String {
    let words: Vec<String> = codes
        .iter()
        .map(|code| format!("`{}`", code.as_str()))
        .collect();
    words.join(", ")
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a text cannot fail.
    let _infallible = writeln!(page, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn http_page_is_what_the_routes_say() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/HTTP.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, document()).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == document(),
            "docs/HTTP.md is stale: UPDATE_DOCS=1 cargo test --features server http_page"
        );
    }
}
