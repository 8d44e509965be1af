//! `pontoon completions`: the shell's completions, from the same definitions as the help.

use super::context::Context;
use super::exit::{Exit, Outcome};
use clap::Args;
use clap_complete::Shell;

/// Prints the completions for a shell
///
/// For bash: `pontoon completions bash > ~/.local/share/bash-completion/completions/pontoon`
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, context: &Context) -> Outcome<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "pontoon", &mut script);
        context.printer().data(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}
