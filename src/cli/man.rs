//! `pontoon man`: the man pages, from the same definitions as the help.

use super::context::Context;
use super::exit::{Exit, Failure, Outcome};
use clap::Args;
use clap_mangen::Man as Page;
use std::fs;
use std::path::PathBuf;

/// Prints the man page, or writes that of each command into a folder
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Where to write `pontoon.1`, `pontoon-serve.1` and the others
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(self, context: &Context) -> Outcome<Exit> {
        let mut command = super::command();
        command.build();
        let Some(folder) = self.folder else {
            let mut page = Vec::new();
            Page::new(command)
                .render(&mut page)
                .map_err(Failure::Output)?;
            context.printer().data(&String::from_utf8_lossy(&page))?;
            return Ok(Exit::Done);
        };
        let wrong = |error| {
            Failure::System(
                format!("cannot write man pages to {}", folder.display()),
                error,
            )
        };
        fs::create_dir_all(&folder)
            .and_then(|()| clap_mangen::generate_to(command, &folder))
            .map_err(wrong)?;
        context
            .printer()
            .note(&format!("man pages are in {}", folder.display()));
        Ok(Exit::Done)
    }
}
