//! The integration tests: one binary, one file a concern. Each test has a database of its own from `support`.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails the test as the test itself would"
)]

mod support; // One server a binary, one database a test: everything here starts from it.

mod architecture; // docs/ARCHITECTURE.md: the rooms, who uses whom, and the invariants, read over the sources.
mod cli; // The real binary: each command, exit codes, JSON, what goes to stdout and stderr, signals.
mod conformance; // What every backend owes its callers: one list of cases, run for each.
mod convert; // `pontoon convert` and `pontoon hazards`: texts, files, trees, formats, exit codes.
mod embedded; // The private server: its life, its folder, its end with the parent.
mod examples; // examples/: each step of the move runs, and goes on where the step before left off.
mod faults; // What goes wrong around a backend: callers that give up, servers that fail, poolers, too little of everything.
mod flips; // Exactly once: the flag flips under load while server processes are killed.
mod handed; // Backends on a pool that the service owns and goes on using.
mod hazards; // The converter's hazards: what each says of PostgreSQL is what PostgreSQL answers, and its rewrite runs.
mod http_server; // The HTTP server under every route: ids, limits, health, the operator, the shutdown.
mod manual; // docs/OPERATIONS.md and docs/CONTRIBUTING.md: their tables are those of the code.
mod memories; // The store of memories, on each backend.
mod memory_api; // The HTTP API over that store: what it answers, and what it refuses.
mod migrate; // The schema: the same by either backend, by many at once, and none but this build's.
mod parity; // What must not differ between backends: values, text, errors.
mod session; // What the server sees of a session: settings, start-up values, the parity report.
mod tls; // Each sslmode, root and client certificate against servers that are right, wrong or without TLS.
mod tour; // README.md: its commands, run as a reader types them, print what it says.
mod translator; // Any text through the translator: what must hold for each.
