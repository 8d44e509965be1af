//! What each command gets: the options of every command, the printer, and the settings once they are asked for.

use super::exit::{Exit, Failure, Outcome};
use super::print::Printer;
use super::{Globals, logging};
use crate::config::{Arguments, ProcessEnv, Settings};
use std::future::Future;
use std::sync::OnceLock;
use tokio::runtime::{Builder, Runtime};

/// The surroundings of one command.
#[derive(Debug)]
pub(super) struct Context {
    globals: Globals,
    printer: Printer,
    /// The settings that the command goes by, once it has asked for them.
    settings: OnceLock<Settings>,
}

impl Context {
    pub(super) fn new(globals: Globals) -> Self {
        let printer = Printer::new(&globals);
        Self {
            globals,
            printer,
            settings: OnceLock::new(),
        }
    }

    pub(super) fn printer(&self) -> &Printer {
        &self.printer
    }

    /// The settings from all layers. Nothing reads them before the command does, so that `completions` needs none.
    pub(super) fn settings(&self) -> Outcome<Settings> {
        self.settings_with(|_| {})
    }

    /// The settings, with what only this command's arguments can say.
    pub(super) fn settings_with(&self, more: impl FnOnce(&mut Arguments)) -> Outcome<Settings> {
        let mut arguments = self.arguments();
        more(&mut arguments);
        let settings = Settings::load(&ProcessEnv::of_process()?, &arguments)?;
        for warning in &settings.warnings {
            self.printer.warn(warning);
        }
        // A command that asks again gets the same.
        let _asked_before = self.settings.set(settings.clone());
        Ok(settings)
    }

    /// Tells on stderr why the command failed, and gives the exit code.
    pub(super) fn tell(&self, failure: Failure) -> Exit {
        let failure = match self.settings.get() {
            Some(settings) => failure.located(settings),
            None => failure,
        };
        failure.tell(&self.printer)
    }

    /// The settings as far as an instance is reached by them, where the rest is wrong: a mistake must not keep an operator from asking or
    /// telling it.
    pub(super) fn settings_to_reach(&self) -> Outcome<Settings> {
        let wrong = match self.settings() {
            Ok(settings) => return Ok(settings),
            Err(wrong) => wrong,
        };
        let reach = Settings::to_reach(&ProcessEnv::of_process()?, &self.arguments());
        if reach.is_ok() {
            self.printer
                .warn("the configuration is wrong, and left aside:");
            wrong.tell(&self.printer);
        }
        Ok(reach?)
    }

    fn arguments(&self) -> Arguments {
        let Globals {
            config,
            env,
            database_url,
            ..
        } = &self.globals;
        Arguments {
            config: config.clone(),
            environment: env.clone(),
            database_url: database_url.clone(),
            ..Arguments::default()
        }
    }

    /// Starts the log of a command that does its work and ends: what is wrong, unless more is asked for.
    pub(super) fn start_log(&self) {
        logging::start(logging::Level::Errors, &self.globals, &self.printer);
    }

    /// Starts the log of a program that runs for long.
    pub(super) fn start_service_log(&self) {
        logging::start(logging::Level::Events, &self.globals, &self.printer);
    }

    /// Runs async work to its end, with the log started.
    pub(super) fn block_on<T>(&self, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        self.start_log();
        runtime()?.block_on(work)
    }
}

/// The executor of this process.
pub(super) fn runtime() -> Outcome<Runtime> {
    let built = Builder::new_multi_thread()
        .enable_all()
        .thread_name("pontoon-worker")
        .build();
    built.map_err(|error| Failure::System("no threads for the executor".into(), error))
}
