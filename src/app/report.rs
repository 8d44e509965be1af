//! What the program tells of itself: the documents of `/health`, `/ready`, `/stats` and the operator's API.

use crate::backend::{BudgetStatus, PoolStatus};
use crate::bridge::SideStatus;
use crate::flags::{Reading, Stage};
use crate::metrics::Percentiles;
use serde::Serialize;
use std::collections::BTreeMap;

/// Which backends answer.
#[derive(Debug, Clone, Serialize)]
pub struct Health {
    /// `ok`; `degraded` where one backend does not answer, or has no connection free to be asked on; `down` where none answers and none
    /// is busy.
    pub status: &'static str,
    /// The program.
    pub service: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Each backend's pool.
    pub pool_status: BTreeMap<&'static str, PoolHealth>,
}

/// A pool, and whether its server answers.
#[derive(Debug, Clone, Serialize)]
pub struct PoolHealth {
    /// Whether it answers.
    pub status: PoolWord,
    /// Its figures before it was asked.
    #[serde(flatten)]
    pub pool: PoolStatus,
}

/// Whether a pool's server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolWord {
    /// It does.
    Active,
    /// Every connection is in use, so that it could not be asked.
    Busy,
    /// It does not.
    Inactive,
    /// It was closed on purpose.
    Closed,
}

/// Whether requests may be sent here.
#[derive(Debug, Clone, Serialize)]
pub struct Readiness {
    /// Whether every check is well.
    pub ready: bool,
    /// What was checked.
    pub checks: Vec<Check>,
}

/// One condition of readiness.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// Whether it is well.
    pub ok: bool,
    /// What was found.
    pub detail: String,
}

/// How much runs on async, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Percent {
    /// What the flag gives.
    pub nominal: f64,
    /// How many of the units of work since the start ran there; `None` where there was none.
    pub actual: Option<f64>,
}

/// What both backends have done and hold.
#[derive(Debug, Clone, Serialize)]
pub struct Stats {
    /// The stage in force.
    pub stage: Stage,
    /// How much runs on async.
    pub percent: Percent,
    /// The flag's revision.
    pub revision: u64,
    /// Each backend.
    pub backends: BTreeMap<&'static str, SideStatus>,
    /// The permits that both share.
    pub permits: BudgetStatus,
    /// How late the executor's timers are.
    pub executor_stall: Percentiles,
}

/// Where the rollout stands.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The stage in force.
    pub stage: Stage,
    /// How much runs on async.
    pub percent: Percent,
    /// How many units of work had no key, and were blocking because not everybody was async.
    pub keyless: u64,
    /// The flag's revision.
    pub revision: u64,
    /// The environment of flags.toml that holds.
    pub environment: String,
    /// What each source says.
    pub sources: Vec<Reading>,
    /// What is wrong with a source while the flag goes by what it said before.
    pub alarms: Vec<String>,
    /// Each backend.
    pub backends: BTreeMap<&'static str, SideStatus>,
    /// The processes that share the flag.
    pub instances: Instances,
}

/// The processes that share the flag, and how many have applied this revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Instances {
    /// How many have applied it.
    pub applied: usize,
    /// How many there are.
    pub total: usize,
    /// Those that have not said so.
    pub silent: Vec<String>,
}

impl Instances {
    /// A process that shares its flag with nobody.
    pub(super) fn alone() -> Self {
        Self {
            applied: 1,
            total: 1,
            silent: Vec::new(),
        }
    }
}

/// A rollback that has happened.
#[derive(Debug, Clone, Serialize)]
pub struct RolledBack {
    /// The revision since which everything new is blocking.
    pub revision: u64,
    /// How long the swap took.
    pub took_ms: f64,
    /// How many processes have applied it.
    pub acknowledged: usize,
    /// How many processes there are.
    pub total: usize,
    /// The processes that have not said so.
    pub silent: Vec<String>,
    /// The kill file that this process writes, and goes by until somebody removes it.
    pub kill_file: Option<String>,
}
