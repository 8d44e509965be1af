//! The binary: parse, run, tell the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    pontoon::cli::run(std::env::args_os()).into()
}
