//! The integration tests: one binary, one file a concern. Each test has a database of its own from `support`.

mod support; // One server a binary, one database a test: everything here starts from it.

mod embedded; // The private server: its life, its folder, its end with the parent.
mod http_server; // The HTTP server under every route: ids, limits, health, the operator, the shutdown.
mod memories; // The store of memories, on each backend.
mod memory_api; // The HTTP API over that store: what it answers, and what it refuses.
mod migrate; // The schema: the same by either backend, by many at once, and none but this build's.
mod smoke;
