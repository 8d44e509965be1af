//! `docs/CLI.md`: made from the definitions of the command line, the exit codes and the variables.

use super::{Exit, command};
use crate::config::VARIABLES;
use std::fmt::Write;

/// The width that help is written for.
const WIDTH: usize = 100;

/// The reference of all commands, as Markdown.
pub fn reference() -> String {
    let mut text = String::from(
        "# The command line\n\n\
         Made from the code by `UPDATE_DOCS=1 cargo test --features server cli`; a test fails where it is stale.\n\n\
         Data goes to stdout, everything else to stderr. `--json` prints one JSON document, or one a line where a command streams. Progress\n\
         and colour are for terminals alone. `pontoon completions SHELL` prints a shell's completions, `pontoon man DIR` writes man pages.\n\n",
    );
    exits(&mut text);
    variables(&mut text);
    let mut root = command().term_width(WIDTH).disable_help_subcommand(true);
    root.build();
    text.push_str("\n## Commands\n");
    help(&mut text, "pontoon", &mut root.clone());
    for command in root
        .get_subcommands_mut()
        .filter(|command| !command.is_hide_set())
    {
        help(
            &mut text,
            &format!("pontoon {}", command.get_name()),
            &mut command.clone(),
        );
    }
    text
}

fn exits(text: &mut String) {
    text.push_str("## Exit codes\n\n| code | means |\n|---|---|\n");
    for exit in Exit::ALL {
        // Writing to a text does not fail.
        let _ = writeln!(text, "| {} | {} |", exit.code(), exit.meaning());
    }
    text.push_str("\n`serve` that is interrupted a second time ends at once, with 130.\n");
}

fn variables(text: &mut String) {
    text.push_str("\n## Environment\n\nAn option outranks its variable, a variable outranks flags.toml. More on each: FLAGS.md.\n\n");
    text.push_str("| variable | default | meaning |\n|---|---|---|\n");
    for variable in VARIABLES {
        let cells = [variable.default, variable.what].map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(
            text,
            "| `{}` | {} | {} |",
            variable.name, cells[0], cells[1]
        );
    }
    let _ = writeln!(
        text,
        "| `RUST_LOG` | by -q and -v | what is logged, in the syntax of the crate `tracing-subscriber` |"
    );
    let _ = writeln!(
        text,
        "| `NO_COLOR` | unset | anything: no colour, unless `--color always` asks for it |"
    );
}

fn help(text: &mut String, name: &str, command: &mut clap::Command) {
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(
        text,
        "\n### {name}\n\n```text\n{}\n```\n",
        lines.join("\n").trim_end()
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::{env, fs};

    #[test]
    fn the_reference_in_docs_is_the_code_s() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CLI.md");
        if env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, reference()).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == reference(),
            "docs/CLI.md is stale: run UPDATE_DOCS=1 cargo test --features server cli"
        );
    }
}
