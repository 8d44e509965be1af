//! SQL text: where it is born and how it becomes what the server reads.

pub mod translate;
