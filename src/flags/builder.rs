//! Puts a flag together from its sources.

use super::snapshot::{Inputs, Snapshot};
use super::source::env::Variable;
use super::source::kill_file::{self, KillFile};
use super::source::program::{self, Program};
use super::source::{Reading, Source};
use super::{Cohort, Flags, Inner, Stage, revisions};
use crate::config::{Migration, Switch};
use crate::error::Result;
use arc_swap::ArcSwap;
use std::path::PathBuf;
use std::sync::Arc;

/// The sources of a flag. Without any, everything is blocking.
#[derive(Debug, Default)]
pub struct Builder {
    variable: Switch,
    kill_file: Option<PathBuf>,
    #[cfg(feature = "server")]
    file: Option<super::source::file::File>,
    stage: Option<Stage>,
    migration: Migration,
}

type Sources = Vec<(&'static str, Box<dyn Source>)>;

impl Builder {
    /// The value of `USE_ASYNC_DB`.
    pub fn use_async_db(mut self, value: Switch) -> Self {
        self.variable = value;
        self
    }

    /// The path of the kill file. While there is a file, everything is blocking; a rollback writes it.
    pub fn kill_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.kill_file = Some(path.into());
        self
    }

    /// The path of flags.toml, and the environment whose limits hold. A file that is not there is fine unless `required`.
    #[cfg(feature = "server")]
    pub fn file(
        mut self,
        path: impl Into<PathBuf>,
        environment: impl Into<String>,
        required: bool,
    ) -> Self {
        self.file = Some(super::source::file::File {
            path: path.into(),
            environment: environment.into(),
            required,
        });
        self
    }

    /// The stage that the program itself asks for; [`Flags::set_stage`] moves it.
    pub fn stage(mut self, stage: Stage) -> Self {
        self.stage = Some(stage);
        self
    }

    /// What the cohort is drawn from, where no file says so.
    pub fn migration(mut self, migration: Migration) -> Self {
        self.migration = migration;
        self
    }

    /// The sources that the program's settings name.
    #[cfg(feature = "server")]
    pub fn settings(self, settings: &crate::config::Settings) -> Self {
        self.use_async_db(settings.use_async_db)
            .kill_file(settings.kill_file())
            .file(
                &settings.config,
                &settings.environment,
                settings.config_is_named,
            )
    }

    /// Looks at every source and makes the flag. [`Flags::watch`] keeps it up to date.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with the file and the line where a source is wrong.
    pub fn build(self) -> Result<Flags> {
        let sources = self.sources();
        let readings = sources
            .iter()
            .map(|(_, source)| source.first())
            .collect::<Result<Vec<_>>>()?;
        Ok(self.assemble(sources, readings))
    }

    /// The flag of a program that has no files, which nothing can be wrong with.
    pub(super) fn without_files(self) -> Flags {
        let stage = self.stage.unwrap_or(Stage::Off);
        self.assemble(Vec::new(), vec![program::reading(stage)])
    }

    /// The sources. Of those that ask for a stage, the first sets the base.
    fn sources(&self) -> Sources {
        let mut sources = Sources::new();
        if let Some(path) = &self.kill_file {
            sources.push((kill_file::NAME, Box::new(KillFile(path.clone()))));
        }
        if let Some(stage) = self.stage {
            sources.push((program::NAME, Box::new(Program(stage))));
        }
        #[cfg(feature = "server")]
        if let Some(file) = &self.file {
            sources.push((super::source::file::NAME, Box::new(file.clone())));
        }
        sources.push((super::source::env::NAME, Box::new(Variable(self.variable))));
        sources
    }

    fn assemble(self, sources: Sources, readings: Vec<Reading>) -> Flags {
        #[cfg(feature = "server")]
        let folders = self.folders();
        let inputs = Inputs::new(readings, Cohort::new(&self.migration)).with_first_cohort();
        Flags(Arc::new(Inner {
            current: ArcSwap::from_pointee(Snapshot::new(1, inputs)),
            keyless: super::Apart::default(),
            sources,
            kill_file: self.kill_file,
            #[cfg(feature = "server")]
            folders,
            looking: super::Mutex::default(),
            writing: super::Mutex::default(),
            writes: super::AtomicU64::default(),
            rollbacks: super::AtomicU64::default(),
            revision: revisions::Sender::new(1),
        }))
    }

    #[cfg(feature = "server")]
    fn folders(&self) -> Vec<PathBuf> {
        let paths = self
            .kill_file
            .iter()
            .chain(self.file.as_ref().map(|file| &file.path));
        let folder = |path: &PathBuf| match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let mut folders: Vec<_> = paths.map(folder).collect();
        folders.sort();
        folders.dedup();
        folders
    }
}
