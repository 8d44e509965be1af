//! The list of routes.

use super::error::Code;
use super::memory::{KIND, LONGEST_PAGE, METADATA, PAGE, SEARCH, TAG, TAGS, TITLE};
use super::{Service, admin, health, memory};
use axum::routing::{MethodRouter, delete, get, post, put};

/// A route: what it does, what it takes, and how it can fail.
#[derive(Debug)]
pub struct Route {
    /// The method. A `GET` answers `HEAD` too.
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// What it does.
    pub what: &'static str,
    /// What its query string, or its body's object, may hold.
    pub takes: &'static [Field],
    /// An answer that is well, by example.
    pub answers: &'static str,
    /// How it can fail beside what every route can.
    pub errors: &'static [Code],
    pub(super) handler: fn() -> MethodRouter<Service>,
}

/// A field of a body, or a parameter of a query string.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub kind: &'static str,
    /// What it means.
    pub what: &'static str,
}

/// How every route can fail.
pub(super) const COMMON: &[Code] = &[
    Code::MethodNotAllowed,
    Code::UriTooLong,
    Code::HeadersTooLarge,
    Code::Internal,
    Code::Timeout,
];

/// How a route that takes a JSON body can fail.
macro_rules! with_body {
    ($($more:ident),* $(,)?) => {
        &[
            Code::InvalidJson, Code::InvalidBody, Code::InvalidValue, Code::SlowRequest, Code::BodyTooLarge,
            Code::UnsupportedMediaType, $(Code::$more),*
        ]
    };
}

const fn field(name: &'static str, kind: &'static str, what: &'static str) -> Field {
    Field { name, kind, what }
}

const LIMIT: Field = field(
    "limit",
    "1 to 100",
    "How many memories at most; 20 where it is left out",
);

const LIST: &[Field] = &[
    LIMIT,
    field(
        "cursor",
        "text",
        "Where to go on: `next_cursor` of the page before",
    ),
    field("kind", "text", "Only memories of this kind"),
    field("tag", "text", "Only memories with this tag"),
];

const CREATE: &[Field] = &[
    field("content", "text, required", "The text"),
    field(
        "title",
        "text, up to 500 characters",
        "The title; the first 100 characters of the content where it is left out",
    ),
    field(
        "kind",
        "text, up to 50 characters",
        "What sort of memory it is; `general` where it is left out",
    ),
    field(
        "source",
        "text, up to 50 characters",
        "Who says so. Kept as `source` in the metadata, and gives the kind where none is given: `chatgpt`, `claude`, else `conversation`",
    ),
    field(
        "tags",
        "up to 64 texts, each up to 100 characters",
        "Words to find it by",
    ),
    field(
        "metadata",
        "object, up to 64 KiB",
        "What else is to be kept with it",
    ),
    field(
        "id",
        "UUID",
        "Its id. A request that is repeated with an id stores nothing twice: it is a `conflict`",
    ),
];

const UPDATE: &[Field] = &[
    field("content", "text", "A new text; the title stays as it is"),
    field("title", "text, up to 500 characters", "A new title"),
    field("kind", "text, up to 50 characters", "A new kind"),
    field(
        "tags",
        "up to 64 texts, each up to 100 characters",
        "The new tags, in place of all before",
    ),
    field(
        "metadata",
        "object, up to 64 KiB",
        "The new metadata, in place of all before",
    ),
];

const SEARCHES: &[Field] = &[
    field(
        "q",
        "text, required, up to 1000 characters",
        "What to find: words, `\"a phrase\"`, `or`, `-not`. The best match comes first; where the matches fill no page, memories follow that have the text as it stands in title or content, or as a tag",
    ),
    LIMIT,
];

// The numbers in the texts above are these.
const _: () = assert!(
    KIND == 50
        && TITLE == 500
        && TAG == 100
        && TAGS == 64
        && METADATA == 64 << 10
        && SEARCH == 1000
        && PAGE == 20
        && LONGEST_PAGE == 100
);

const MEMORIES: &str = r#"{"count": 1, "memories": [{"id": "…", "content": "the first 200 characters", "truncated": true, …}], "next_cursor": null}"#;

/// Every route.
pub const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/memory",
        what: "Stores a memory. The answer is `201`, and its `Location` is the memory's path",
        takes: CREATE,
        answers: r#"{"success": true, "memory_id": "…", "message": "Memory stored"}"#,
        errors: with_body![
            InvalidHeader,
            Conflict,
            RefusedValue,
            OutcomeUnknown,
            Busy,
            Unavailable
        ],
        handler: || post(memory::create),
    },
    Route {
        method: "GET",
        path: "/memory",
        what: "The same as `GET /memories`",
        takes: LIST,
        answers: MEMORIES,
        errors: &[
            Code::InvalidQuery,
            Code::InvalidHeader,
            Code::Busy,
            Code::Unavailable,
        ],
        handler: || get(memory::list),
    },
    Route {
        method: "GET",
        path: "/memories",
        what: "Lists memories, newest first. `next_cursor` is `null` on the last page; a cursor stays good when memories come and go",
        takes: LIST,
        answers: MEMORIES,
        errors: &[
            Code::InvalidQuery,
            Code::InvalidHeader,
            Code::Busy,
            Code::Unavailable,
        ],
        handler: || get(memory::list),
    },
    Route {
        method: "GET",
        path: "/search",
        what: "Finds memories by their words",
        takes: SEARCHES,
        answers: r#"{"query": "…", "count": 1, "memories": [{"id": "…", "content": "the first 200 characters", "truncated": true, …}]}"#,
        errors: &[
            Code::InvalidQuery,
            Code::InvalidHeader,
            Code::Busy,
            Code::Unavailable,
        ],
        handler: || get(memory::search),
    },
    Route {
        method: "GET",
        path: "/memory/{id}",
        what: "Reads one memory, whole",
        takes: &[],
        answers: r#"{"id": "…", "project_id": null, "title": "…", "content": "…", "truncated": false, "kind": "general", "tags": [], "metadata": {}, "created_at": "2026-01-31T12:00:00.123456Z", "updated_at": "2026-01-31T12:00:00.123456Z"}"#,
        errors: &[
            Code::InvalidPath,
            Code::InvalidHeader,
            Code::NotFound,
            Code::Busy,
            Code::Unavailable,
        ],
        handler: || get(memory::get),
    },
    Route {
        method: "PUT",
        path: "/memory/{id}",
        what: "Changes what the body gives, and leaves the rest. `null` counts as not given",
        takes: UPDATE,
        answers: r#"{"success": true, "memory_id": "…", "message": "Memory updated"}"#,
        errors: with_body![
            InvalidPath,
            InvalidHeader,
            NotFound,
            RefusedValue,
            OutcomeUnknown,
            Busy,
            Unavailable
        ],
        handler: || put(memory::update),
    },
    Route {
        method: "DELETE",
        path: "/memory/{id}",
        what: "Deletes a memory",
        takes: &[],
        answers: r#"{"success": true, "memory_id": "…", "message": "Memory deleted"}"#,
        errors: &[
            Code::InvalidPath,
            Code::InvalidHeader,
            Code::NotFound,
            Code::OutcomeUnknown,
            Code::Busy,
            Code::Unavailable,
        ],
        handler: || delete(memory::delete),
    },
    Route {
        method: "GET",
        path: "/health",
        what: "Whether the program lives: `status` is `ok`; `degraded` where one backend does not answer (`inactive`), or has all its connections in use (`busy`); `down` with status `503` where none answers and none is busy",
        takes: &[],
        answers: r#"{"status": "ok", "service": "pontoon", "version": "…", "pool_status": {"async": {"status": "active", "size": 1, "idle": 1, "in_use": 0, "waiting": 0, "max": 20}, "blocking": {…}}}"#,
        errors: &[],
        handler: || get(health::health),
    },
    Route {
        method: "GET",
        path: "/ready",
        what: "Whether requests may be sent here; status `503` where not, also while every connection is in use",
        takes: &[],
        answers: r#"{"ready": true, "checks": [{"name": "schema", "ok": true, "detail": "migrations: 1 applied, 0 missing"}]}"#,
        errors: &[],
        handler: || get(health::ready),
    },
    Route {
        method: "GET",
        path: "/stats",
        what: "What both backends have done and hold, in this process",
        takes: &[],
        answers: r#"{"stage": "off", "percent": {"nominal": 0.0, "actual": 0.0}, "revision": 0, "backends": {"async": {"pool": {…}, "keep_alive": {"rounds": 4, "alive": 2}, "calls": 0, "errors": 0, …}, "blocking": {…}}, "permits": {"total": 20, "in_use": 1, "waiting": 0, "open": 3, "waits": 0, "waited_ms": 0}, "executor_stall": {…}}"#,
        errors: &[],
        handler: || get(health::stats),
    },
    Route {
        method: "GET",
        path: "/metrics",
        what: "The metrics, in Prometheus' text form",
        takes: &[],
        answers: "# HELP …",
        errors: &[],
        handler: || get(health::metrics),
    },
    Route {
        method: "POST",
        path: "/admin/rollback",
        what: "Sends every unit of work that begins from now on to blocking. Waits for nothing",
        takes: &[
            field(
                "reason",
                "a line, required, up to 500 characters",
                "Why, for the audit",
            ),
            field(
                "who",
                "a line, up to 500 characters",
                "Who asks, for the audit, which also has the address that the request came from",
            ),
        ],
        answers: r#"{"revision": 7, "took_ms": 0.01, "acknowledged": 1, "total": 1, "silent": [], "kill_file": "/var/lib/pontoon/rollback"}"#,
        errors: with_body![Unauthorized, ForeignHost],
        handler: || post(admin::rollback),
    },
    Route {
        method: "GET",
        path: "/admin/status",
        what: "Where the rollout stands, and which source holds it there",
        takes: &[],
        answers: r#"{"stage": "off", "percent": {"nominal": 0.0, "actual": 0.0}, "keyless": 0, "revision": 0, "environment": "local", "sources": [{"name": "…", "cap": "…", "detail": "…"}], "alarms": [], "backends": {…}, "instances": {"applied": 1, "total": 1, "silent": []}}"#,
        errors: &[Code::Unauthorized, Code::ForeignHost],
        handler: || get(admin::status),
    },
    Route {
        method: "GET",
        path: "/admin/explain",
        what: "Why a unit of work of a tenant or session runs where it does",
        takes: &[field(
            "key",
            "text, required, up to 500 characters",
            "The tenant or the session",
        )],
        answers: r#"{"revision": 0, "bucket": 1234, "sources": […], "outcome": {…}, "backend": "blocking", "reason": "stage", "alarms": []}"#,
        errors: &[Code::InvalidQuery, Code::Unauthorized, Code::ForeignHost],
        handler: || get(admin::explain),
    },
];
