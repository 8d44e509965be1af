//! The command line: what an operator types, one file a command.
//!
//! In reading order: this file parses, `context` is what each command gets, `print` is the one printer, `exit` the one table from
//! failure to title, advice and exit code. `serve` is the composition root: it alone builds the whole program.
//!
//! Adding a command: its file with a struct of arguments and a `run`, its arm in `Command` and in `Command::run`. Help, completions,
//! man pages and `docs/CLI.md` follow from the struct; `UPDATE_DOCS=1 cargo test --features server cli` writes the last.

mod admin;
mod bench;
mod check;
mod completions;
mod context;
mod convert;
mod database;
mod diff;
mod document;
mod exit;
mod explain;
mod finding;
mod grid;
mod hazards;
mod logging;
mod man;
mod migrate;
mod place;
mod print;
mod query;
mod rollback;
mod serve;
mod sources;
mod statements;
mod status;
mod values;

pub use document::reference;
pub use exit::Exit;

use clap::{Args, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use context::Context;
use exit::Outcome;
use std::ffi::OsString;
use std::path::PathBuf;

/// Carries a service's Postgres storage from a blocking driver to an async one, one unit of work at a time, and takes it back in a
/// millisecond
#[derive(Debug, Parser)]
#[command(
    name = "pontoon",
    version,
    propagate_version = false,
    max_term_width = 100
)]
#[command(after_help = "Environment, exit codes and JSON shapes: docs/CLI.md")]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
struct Globals {
    /// The file that holds the plan and the limits [env: `PONTOON_CONFIG`] [default: flags.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Which environment of that file holds [env: `PONTOON_ENV`] [default: local]
    #[arg(long, global = true, value_name = "NAME")]
    env: Option<String>,
    /// Where the database is [env: `DATABASE_URL`]
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Prints JSON instead of text
    #[arg(long, global = true)]
    json: bool,
    /// Prints no notes and no progress: data and errors alone
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Logs more; twice: everything. `RUST_LOG` outranks it
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// When to colour; `auto`: on a terminal, unless `NO_COLOR` is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: When,
}

/// When output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Migrate(migrate::Migrate),
    Convert(convert::Convert),
    Hazards(hazards::Hazards),
    Check(check::Check),
    Diff(diff::Diff),
    Status(status::Status),
    Explain(explain::Explain),
    Rollback(rollback::Rollback),
    Query(query::RunQuery),
    Bench(bench::Bench),
    Completions(completions::Completions),
    #[command(hide = true)]
    Man(man::Man),
}

impl Command {
    fn run(self, context: &Context) -> Outcome<Exit> {
        match self {
            Self::Serve(command) => command.run(context),
            Self::Migrate(command) => command.run(context),
            Self::Convert(command) => command.run(context),
            Self::Hazards(command) => command.run(context),
            Self::Check(command) => command.run(context),
            Self::Diff(command) => command.run(context),
            Self::Status(command) => command.run(context),
            Self::Explain(command) => command.run(context),
            Self::Rollback(command) => command.run(context),
            Self::Query(command) => command.run(context),
            Self::Bench(command) => command.run(context),
            Self::Completions(command) => command.run(context),
            Self::Man(command) => command.run(context),
        }
    }
}

/// Parses the arguments, the program's name first, and runs the command that they name. Whatever fails is told on stderr.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parsed = command()
        .color(asked_color(&arguments))
        .try_get_matches_from(arguments);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let context = Context::new(cli.globals);
    cli.command
        .run(&context)
        .unwrap_or_else(|failure| context.tell(failure))
}

/// The definition that help, completions, man pages and the reference are made from.
fn command() -> clap::Command {
    Cli::command()
}

/// Prints what clap has to say: help and version on stdout, what is wrong on stderr.
fn usage(error: &clap::Error) -> Exit {
    // A reader that has gone needs no help.
    let _ = error.print();
    if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    }
}

/// What `--color` says: clap must know before it parses, because its own errors are coloured.
fn asked_color(arguments: &[OsString]) -> ColorChoice {
    let words: Vec<_> = arguments
        .iter()
        .map(|argument| argument.to_string_lossy())
        .collect();
    let after = words
        .iter()
        .position(|word| word == "--color")
        .and_then(|at| words.get(at + 1));
    let joined = words.iter().find_map(|word| word.strip_prefix("--color="));
    match after.map(AsRef::as_ref).or(joined) {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn the_colour_is_known_before_anything_is_parsed() {
        let asked =
            |words: &[&str]| asked_color(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(
            asked(&["pontoon", "nonsense", "--color", "never"]),
            ColorChoice::Never
        );
        assert_eq!(asked(&["pontoon", "--color=always"]), ColorChoice::Always);
        assert_eq!(asked(&["pontoon", "--color"]), ColorChoice::Auto);
    }

    #[test]
    fn what_is_no_command_is_usage() {
        assert_eq!(run(["pontoon", "stats"].map(OsString::from)), Exit::Usage);
        assert_eq!(run(["pontoon", "flag"].map(OsString::from)), Exit::Usage);
    }
}
