//! The program's settings, validated.

use super::fault::Faults;
use super::file::FlagsFile;
use super::limits::{Budget, Session, Timeouts};
use super::secret::{DatabaseUrl, Secret};
use super::switch::Switch;
use crate::error::Result;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

/// A cache makes room for all of them when a connection is opened.
const MOST_STATEMENTS: u32 = 65_536;

/// Everything that the program is told from outside. Showing it shows no secret.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// Where the database is; `None`: the program brings its own.
    pub database_url: Option<DatabaseUrl>,
    /// A way to the database past a transaction pooler, for migrations; `None`: as `database_url`.
    pub direct_database_url: Option<DatabaseUrl>,
    /// The value of `USE_ASYNC_DB`.
    pub use_async_db: Switch,
    /// Which environment of flags.toml holds.
    pub environment: String,
    /// The path of flags.toml.
    pub config: PathBuf,
    /// Whether somebody named that path. Then the file must be there.
    #[serde(skip)]
    pub config_is_named: bool,
    /// The path of the kill file; `None`: [`Settings::kill_file`] puts it into the data folder.
    pub(super) kill_file: Option<PathBuf>,
    /// Where the private server and the kill file live.
    pub data_dir: PathBuf,
    /// Whether somebody named that folder; else the private PostgreSQL looks for one that its user can enter.
    #[serde(skip)]
    pub data_dir_is_named: bool,
    /// The address that the server listens on.
    pub listen: SocketAddr,
    /// The operator's token for the admin API.
    pub admin_token: Option<Secret>,
    /// Whether a pooler that gives out connections per transaction stands before the database.
    pub transaction_pooler: bool,
    /// How many prepared statements each connection keeps.
    pub statement_cache: u32,
    /// The name that the server shows for the connections.
    pub application_name: String,
    /// The connections that both backends share.
    pub budget: Budget,
    /// What is set on each connection.
    pub session: Session,
    /// How long the program waits.
    pub timeouts: Timeouts,
    /// flags.toml as it was at the start; the defaults where there is none.
    #[serde(skip)]
    pub file: Arc<FlagsFile>,
    /// What is odd and yet no error, for the log.
    #[serde(skip)]
    pub warnings: Vec<String>,
    /// Where what is not left to its default was set.
    #[serde(skip)]
    pub(super) origins: Origins,
}

/// Where each value was set, by its key. It makes no settings differ that say the same.
#[derive(Clone, Default)]
pub(super) struct Origins(pub(super) BTreeMap<&'static str, String>);

impl PartialEq for Origins {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            database_url: None,
            direct_database_url: None,
            use_async_db: Switch::Auto,
            environment: "local".into(),
            config: PathBuf::from("flags.toml"),
            config_is_named: false,
            kill_file: None,
            data_dir: PathBuf::from("pontoon-data"),
            data_dir_is_named: false,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            admin_token: None,
            transaction_pooler: false,
            statement_cache: 256,
            application_name: "pontoon".into(),
            budget: Budget::default(),
            session: Session::default(),
            timeouts: Timeouts::default(),
            file: Arc::default(),
            warnings: Vec::new(),
            origins: Origins::default(),
        }
    }
}

impl Settings {
    /// The path of the kill file.
    pub fn kill_file(&self) -> PathBuf {
        let kill_file = self.kill_file.clone();
        kill_file.unwrap_or_else(|| self.data_dir.join("rollback"))
    }

    /// The URL for what a transaction pooler cannot carry: migrations.
    pub fn direct_url(&self) -> Option<&DatabaseUrl> {
        self.direct_database_url
            .as_ref()
            .or(self.database_url.as_ref())
    }

    /// Where the value of a key such as `session.timezone` was set: the variable, the option, or the file and line. `None` where nobody set
    /// it, and where the settings were not loaded.
    pub fn origin(&self, key: &str) -> Option<&str> {
        self.origins.0.get(key).map(String::as_str)
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with one line for each value that is wrong.
    pub fn validate(&self) -> Result<()> {
        self.faults().into_result()
    }

    pub(super) fn faults(&self) -> Faults {
        let mut faults = Faults::default();
        faults.text(&self.environment, "environment");
        faults.text(&self.application_name, "application_name");
        // Postgres cuts longer names, and the backend's word is appended.
        faults.check(
            self.application_name.len() <= 48,
            "application_name",
            "it is longer than 48 bytes",
        );
        faults.check(
            self.statement_cache <= MOST_STATEMENTS,
            "statement_cache",
            format!("no connection keeps more than {MOST_STATEMENTS} statements"),
        );
        let token = self.admin_token.as_ref().map_or("unset", Secret::expose);
        faults.check(
            !token.trim().is_empty(),
            "admin_token",
            "an empty token protects nothing; leave it unset",
        );
        self.budget.check(&mut faults);
        self.session.check(&mut faults);
        self.timeouts.check(&self.session, &mut faults);
        faults
    }
}
