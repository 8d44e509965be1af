//! Puts the settings together: defaults < flags.toml < environment < arguments.

use super::fault::Fault;
use super::file::FlagsFile;
use super::read::{line_of, nearest, read_flags_file};
use super::settings::{Origins, Settings};
use super::variables::{VARIABLES, Variable, is_service_address};
use crate::error::{Error, ErrorKind, Result};
use config::{Config, ConfigError, FileFormat, Map, Source, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs, io};

/// The environment as the program goes by it: read from the process in one place, or made up by a test.
#[derive(Debug, Clone, Default)]
pub struct ProcessEnv(BTreeMap<String, String>);

/// What the command line can set. What is `None` is left to the other layers.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Arguments {
    /// `--config FILE`
    pub config: Option<PathBuf>,
    /// `--env NAME`
    pub environment: Option<String>,
    /// `--database-url URL`
    pub database_url: Option<String>,
    /// `--listen ADDR`
    pub listen: Option<String>,
    /// `--data-dir DIR`
    pub data_dir: Option<PathBuf>,
}

impl ProcessEnv {
    /// The process's environment. A value that is no text is left out, unless it belongs to a variable that the program reads.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a variable of the program whose value is no text.
    pub fn of_process() -> Result<Self> {
        let mut variables = BTreeMap::new();
        for (name, value) in env::vars_os() {
            let Ok(name) = name.into_string() else {
                continue;
            };
            match value.into_string() {
                Ok(value) => drop(variables.insert(name, value)),
                Err(_) if VARIABLES.iter().any(|known| known.name == name) => {
                    return Err(Error::new(
                        ErrorKind::Config,
                        format!("the value of {name} is not UTF-8"),
                    ));
                }
                Err(_) => {}
            }
        }
        Ok(Self(variables))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The folder for data that stays, by the platform's custom.
    fn data_dir(&self) -> Option<PathBuf> {
        let absolute = |name| {
            self.get(name)
                .map(Path::new)
                .filter(|path| path.is_absolute())
        };
        let folder = absolute("XDG_DATA_HOME").map(Path::to_owned);
        let folder = folder.or_else(|| Some(absolute("HOME")?.join(".local/share")));
        folder.map(|folder| folder.join("pontoon"))
    }

    /// Variables that look like the program's and are not.
    fn warnings(&self) -> Vec<String> {
        let known = || VARIABLES.iter().map(|variable| variable.name);
        let looks_ours = |name: &&String| name.starts_with("PONTOON_") && !is_service_address(name);
        let unknown = self
            .0
            .keys()
            .filter(looks_ours)
            .filter(|name| !known().any(|known| known == *name));
        unknown
            .map(|name| match nearest(name, known()) {
                Some(near) => format!(
                    "the variable {name} is not known and does nothing; did you mean {near}?"
                ),
                None => format!("the variable {name} is not known and does nothing"),
            })
            .collect()
    }
}

impl FromIterator<(String, String)> for ProcessEnv {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl Settings {
    /// Reads the settings from all layers and validates them. No other place reads the environment.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: what is wrong, and where it was set: the file and line, the variable, or the option.
    pub fn load(environment: &ProcessEnv, arguments: &Arguments) -> Result<Self> {
        let layers = [variables(environment), arguments.layer()];
        let is_named = |key| layers.iter().any(|layer| layer.values.contains_key(key));
        let named = is_named("config");
        // The first pass tells where the file is and which environment holds; the second puts the file beneath.
        let first = build(&FlagsFile::default(), environment, &layers)?;
        let file = read_file(&first.config, named)?;
        let (read, written) = file.clone().unwrap_or_default();
        let mut settings = build(&read, environment, &layers)?;
        if file.is_some() {
            in_file(
                &settings.config,
                read.environment(&settings.environment).map(|_| ()),
            )?;
        }
        settings.config_is_named = named;
        settings.data_dir_is_named = is_named("data_dir");
        settings.file = Arc::new(read);
        settings.warnings = environment.warnings();
        settings.origins = Origins(origins(&settings.config, &written, layers));
        settings.refuse_faults()?;
        Ok(settings)
    }

    /// As [`Settings::validate`], with the place of each value that is wrong.
    fn refuse_faults(&self) -> Result<()> {
        let faults = self.faults().found();
        if faults.is_empty() {
            return Ok(());
        }
        let lines: Vec<_> = faults.iter().map(|fault| self.located(fault)).collect();
        Err(Error::new(ErrorKind::Config, lines.join("\n")))
    }

    fn located(&self, fault: &Fault) -> String {
        let against = HELD_AGAINST.iter().find(|(key, _)| *key == fault.path);
        let keys = std::iter::once(&*fault.path).chain(against.map(|(_, other)| *other));
        let places: Vec<_> = keys.filter_map(|key| self.origin(key)).collect();
        let told = format!("{}: {}", fault.path, fault.message);
        if places.is_empty() {
            told
        } else {
            format!("{}: {told}", places.join(" and "))
        }
    }

    /// What reaches an instance and names the kill file, as the environment and the arguments say it: for a rollback, which a mistake in
    /// flags.toml or in any other variable must not hold up, and for whoever asks an instance what is wrong.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for one of those values that cannot be read: the variable, or the option.
    pub fn to_reach(environment: &ProcessEnv, arguments: &Arguments) -> Result<Self> {
        const NEEDED: [&str; 4] = ["kill_file", "data_dir", "listen", "admin_token"];
        let mut layers = [variables(environment), arguments.layer()];
        for layer in &mut layers {
            layer.values.retain(|key, _| NEEDED.contains(key));
        }
        build(&FlagsFile::default(), environment, &layers)
    }
}

/// Values that are right or wrong only beside another one: either may have been set.
const HELD_AGAINST: [(&str, &str); 2] = [
    ("budget.blocking_floor", "budget.total"),
    ("timeouts.answer", "session.statement_timeout"),
];

/// Where each value that somebody set was set, the last layer's word.
fn origins(path: &Path, written: &str, layers: [Layer; 2]) -> BTreeMap<&'static str, String> {
    let keys = VARIABLES.iter().map(|variable| variable.key);
    let of_file = keys.filter_map(|key| {
        let line = line_of(written, key)?;
        Some((key, format!("{}:{line}", path.display())))
    });
    let of_layers = layers
        .into_iter()
        .flat_map(|layer| layer.values)
        .map(|(key, (origin, _))| (key, origin));
    of_file.chain(of_layers).collect()
}

/// Says which file an error is about.
fn in_file(path: &Path, result: Result<()>) -> Result<()> {
    result.map_err(|error| {
        let hint = error.hint().unwrap_or_default().to_owned();
        Error::new(
            error.kind(),
            format!("{}: {}", path.display(), error.message()),
        )
        .with_hint(hint)
    })
}

/// What the file says, and its text.
fn read_file(path: &Path, named: bool) -> Result<Option<(FlagsFile, String)>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some((read_flags_file(path, &text)?, text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !named => Ok(None),
        Err(error) => Err(Error::new(
            ErrorKind::Config,
            format!("cannot read {}: {error}", path.display()),
        )
        .with_hint("PONTOON_CONFIG and --config name the file that holds the plan and the limits")
        .with_source(error)),
    }
}

fn build(file: &FlagsFile, environment: &ProcessEnv, layers: &[Layer]) -> Result<Settings> {
    let sections = serde_json::json!({ "budget": file.budget, "session": file.session });
    let sections = toml::to_string(&sections)
        .map_err(|error| Error::new(ErrorKind::Config, error.to_string()))?;
    let mut builder =
        Config::builder().add_source(config::File::from_str(&sections, FileFormat::Toml));
    if let Some(folder) = environment.data_dir() {
        builder = builder
            .set_default("data_dir", folder.to_string_lossy().into_owned())
            .map_err(|error| wrong(&error))?;
    }
    for layer in layers {
        builder = builder.add_source(layer.clone());
    }
    let built = builder.build().and_then(Config::try_deserialize);
    built.map_err(|error| wrong(&error))
}

/// What the crate says of a wrong value, in one line that names where it was set.
fn wrong(error: &ConfigError) -> Error {
    let (origin, key, what) = parts(error);
    let place = origin
        .or_else(|| key.as_deref().and_then(variable_for))
        .or(key);
    let place = place.map_or_else(String::new, |place| format!("{place}: "));
    Error::new(ErrorKind::Config, format!("{place}{what}"))
}

fn variable_for(key: &str) -> Option<String> {
    let variable = VARIABLES.iter().find(|variable| variable.key == key)?;
    Some(variable.name.to_owned())
}

/// Where a wrong value was set, its key, and what is wrong with it.
fn parts(error: &ConfigError) -> (Option<String>, Option<String>, String) {
    match error {
        ConfigError::Type {
            origin,
            unexpected,
            expected,
            key,
        } => (
            origin.clone(),
            key.clone(),
            format!("{unexpected} is not {expected}"),
        ),
        ConfigError::At { error, origin, key } => {
            let (inner_origin, inner_key, what) = parts(error);
            (
                inner_origin.or_else(|| origin.clone()),
                inner_key.or_else(|| key.clone()),
                what,
            )
        }
        other => (None, None, other.to_string()),
    }
}

/// A layer whose values know where they were set.
#[derive(Debug, Clone)]
struct Layer {
    values: BTreeMap<&'static str, (String, String)>,
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let value = |(key, (origin, text)): (&&'static str, &(String, String))| {
            ((*key).to_owned(), Value::new(Some(origin), text.clone()))
        };
        Ok(self.values.iter().map(value).collect())
    }
}

fn variables(environment: &ProcessEnv) -> Layer {
    let given = |variable: &Variable| {
        let text = environment.get(variable.name)?;
        Some((variable.key, (variable.name.to_owned(), text.to_owned())))
    };
    Layer {
        values: VARIABLES.iter().filter_map(given).collect(),
    }
}

impl Arguments {
    fn layer(&self) -> Layer {
        let path = |path: &Option<PathBuf>| {
            path.as_ref()
                .map(|path| path.to_string_lossy().into_owned())
        };
        let given = [
            ("config", "--config", path(&self.config)),
            ("environment", "--env", self.environment.clone()),
            ("database_url", "--database-url", self.database_url.clone()),
            ("listen", "--listen", self.listen.clone()),
            ("data_dir", "--data-dir", path(&self.data_dir)),
        ];
        let value = |(key, option, text): (&'static str, &str, Option<String>)| {
            Some((key, (option.to_owned(), text?)))
        };
        Layer {
            values: given.into_iter().filter_map(value).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
