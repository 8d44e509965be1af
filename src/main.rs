//! The binary: parse, run, tell the exit code.

fn main() {}
