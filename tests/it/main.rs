//! The integration tests: one binary, one file a concern. Each test has a database of its own from `support`.

mod support; // One server a binary, one database a test: everything here starts from it.

mod conformance;
mod embedded; // The private server: its life, its folder, its end with the parent. // What every backend owes its callers: one list of cases, run for each.
