//! What every edge of the program works with: the stores of a unit of work, and what the operator may ask and do. No framework's types.
//!
//! Adding a store: a method of [`Unit`] that lends it the unit's backend.

mod report;

pub use crate::flags::Explanation;
pub use crate::store::memories::{Change, Cursor, Listed, Memories, Memory, NewMemory, Page};

pub use report::{
    Check, Health, Instances, Percent, PoolHealth, PoolWord, Readiness, RolledBack, Stats, Status,
};

use crate::backend::{BackendKind, StorageBackend, migrate};
use crate::bridge::{Bridge, SideStatus};
use crate::error::{Error, ErrorKind, Wait};
use crate::flags::Key;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a look at a backend waits for its answer: who asks for the program's health wants to know soon.
const LOOK: Duration = Duration::from_secs(2);

/// Why a look got no answer where the server was not asked.
const ALL_IN_USE: &str = "every connection is in use";

/// The program that serves: shared by every edge and every request.
pub struct App {
    bridge: Bridge,
    environment: String,
    limits: Limits,
    admin_token: Option<String>,
    render: Render,
    units: Units,
}

/// How many units of work ran on each backend since the start.
#[derive(Debug, Default)]
struct Units {
    blocking: AtomicU64,
    asynchronous: AtomicU64,
}

/// Writes the metrics in Prometheus' text form.
pub type Render = Box<dyn Fn() -> String + Send + Sync>;

/// What a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest body, in bytes.
    pub body: usize,
    /// How long a client may take to send its body.
    pub body_time: Duration,
    /// How long a request may take in all. It lies above the backends' answer timeout, whose error says more.
    pub request_time: Duration,
    /// How long a connection may be idle, or take to send the head of a request.
    pub idle_time: Duration,
    /// How long requests that run at the shutdown may go on.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1 << 20,
            body_time: Duration::from_secs(10),
            request_time: Duration::from_secs(40),
            idle_time: Duration::from_mins(1),
            drain_time: Duration::from_secs(10),
        }
    }
}

/// Whom a request is for, as far as it says: what its unit of work is decided by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestKey {
    /// The tenant.
    pub tenant: Option<String>,
    /// The session.
    pub session: Option<String>,
}

/// A unit of work: decided once, and all its stores on the same backend.
#[derive(Debug, Clone)]
pub struct Unit {
    backend: Arc<dyn StorageBackend>,
}

impl Unit {
    /// The memories.
    pub fn memories(&self) -> Memories<'_> {
        Memories::new(&*self.backend)
    }
}

impl App {
    /// A program over this bridge, whose metrics `render` writes.
    pub fn new(bridge: Bridge, render: Render) -> Self {
        Self {
            bridge,
            environment: "local".into(),
            limits: Limits::default(),
            admin_token: None,
            render,
            units: Units::default(),
        }
    }

    /// The same with other limits.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same in another environment of flags.toml than `local`.
    pub fn with_environment(mut self, name: impl Into<String>) -> Self {
        self.environment = name.into();
        self
    }

    /// The same, whose operator shows a token.
    pub fn with_admin_token(mut self, token: Option<String>) -> Self {
        self.admin_token = token;
        self
    }

    /// What a request may take.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The token that the operator shows; `None` where none is needed.
    pub fn admin_token(&self) -> Option<&str> {
        self.admin_token.as_deref()
    }

    /// Begins a unit of work: the only place where a request gets its backend.
    pub fn unit(&self, key: &RequestKey) -> Unit {
        let key = Key::new(key.tenant.as_deref(), key.session.as_deref());
        let unit = self.bridge.unit(Some(&key));
        let count = match unit.kind() {
            BackendKind::Blocking => &self.units.blocking,
            BackendKind::Async => &self.units.asynchronous,
        };
        count.fetch_add(1, Ordering::Relaxed);
        Unit {
            backend: Arc::new(unit),
        }
    }

    /// The metrics, in Prometheus' text form.
    pub fn metrics(&self) -> String {
        (self.render)()
    }

    /// Which backends answer.
    ///
    /// # Cancel safety
    /// Nothing has taken effect.
    pub async fn health(&self) -> Health {
        // At once, so that two that are silent cost one wait.
        let looks = self.backends().map(async |backend| {
            let pool = backend.pool_status();
            let status = look(&*backend).await;
            (backend.kind().as_str(), PoolHealth { status, pool })
        });
        let pools: BTreeMap<_, _> = join_all(looks).await.into_iter().collect();
        let any = |wanted| pools.values().any(|pool| pool.status == wanted);
        // A restart, which is what follows on `down`, would help nobody whose connections are all in use.
        let status = match (any(PoolWord::Active), any(PoolWord::Busy)) {
            (false, false) => "down",
            (true, false) if !any(PoolWord::Inactive) => "ok",
            _ => "degraded",
        };
        Health {
            status,
            service: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            pool_status: pools,
        }
    }

    /// Whether requests may be sent here: the schema is complete, and the backend that serves now answers.
    ///
    /// # Cancel safety
    /// Nothing has taken effect.
    pub async fn ready(&self) -> Readiness {
        let serving = self.bridge.serving();
        let mut asked = Box::pin(migrate::check(&*serving));
        let schema = tokio::time::timeout(LOOK, &mut asked).await;
        let check = match schema {
            Ok(Ok(report)) => Check {
                name: "schema",
                ok: report.is_complete(),
                detail: format!(
                    "migrations: {} applied, {} missing",
                    report.present.len(),
                    report.pending.len()
                ),
            },
            Ok(Err(error)) => {
                tracing::warn!(%error, "not ready: the schema could not be checked");
                Check {
                    name: "schema",
                    ok: false,
                    detail: unready(&error).to_owned(),
                }
            }
            Err(_) => Check {
                name: "schema",
                ok: false,
                detail: if waits_for_others(&*serving) {
                    ALL_IN_USE.to_owned()
                } else {
                    format!("no answer within {LOOK:?}")
                },
            },
        };
        let checks = vec![check];
        Readiness {
            ready: checks.iter().all(|check| check.ok),
            checks,
        }
    }

    /// What both backends have done and hold.
    pub fn stats(&self) -> Stats {
        let snapshot = self.bridge.flags().snapshot();
        Stats {
            stage: snapshot.stage(),
            percent: self.percent(),
            revision: snapshot.revision(),
            backends: self.sides(),
            permits: self.bridge.permits(),
            executor_stall: self.bridge.stall().percentiles(),
        }
    }

    /// Where the rollout stands, and which source holds it there.
    pub fn status(&self) -> Status {
        let snapshot = self.bridge.flags().snapshot();
        Status {
            stage: snapshot.stage(),
            percent: self.percent(),
            keyless: self.bridge.flags().keyless(),
            revision: snapshot.revision(),
            environment: self.environment.clone(),
            sources: snapshot.sources(),
            alarms: snapshot.alarms(),
            backends: self.sides(),
            instances: Instances::alone(),
        }
    }

    /// Why a unit of work of this tenant or session runs where it does.
    pub fn explain(&self, key: &str) -> Explanation {
        // Whichever part the plan goes by, the operator names its value.
        self.bridge
            .flags()
            .explain(Some(&Key::new(Some(key), Some(key))))
    }

    /// Sends every unit of work that begins from now on to blocking. It cannot be refused and waits for nothing.
    pub fn rollback(&self, reason: &str, who: &str) -> RolledBack {
        let began = Instant::now();
        let rollback = self.bridge.flags().rollback(reason, who);
        let took_ms = began.elapsed().as_secs_f64() * 1e3;
        tracing::warn!(
            revision = rollback.revision,
            took_ms,
            reason,
            who,
            "rolled back"
        );
        RolledBack {
            revision: rollback.revision,
            took_ms,
            acknowledged: 1,
            total: 1,
            silent: Vec::new(),
            kill_file: self
                .bridge
                .flags()
                .kill_file()
                .map(|path| path.display().to_string()),
        }
    }

    fn backends(&self) -> impl Iterator<Item = Arc<dyn StorageBackend>> {
        BackendKind::ALL
            .into_iter()
            .filter_map(|kind| self.bridge.backend(kind))
    }

    fn sides(&self) -> BTreeMap<&'static str, SideStatus> {
        let sides = self.bridge.status();
        sides.map(|(kind, side)| (kind.as_str(), side)).collect()
    }

    fn percent(&self) -> Percent {
        let share = self.bridge.flags().snapshot().share();
        let blocking = self.units.blocking.load(Ordering::Relaxed);
        let asynchronous = self.units.asynchronous.load(Ordering::Relaxed);
        Percent {
            nominal: f64::from(share.as_basis_points()) / 100.0,
            actual: ratio(asynchronous, asynchronous + blocking),
        }
    }
}

async fn look(backend: &dyn StorageBackend) -> PoolWord {
    // It keeps its place in the line until that was looked at.
    let mut ping = backend.ping();
    match tokio::time::timeout(LOOK, &mut ping).await {
        Ok(Ok(())) => PoolWord::Active,
        Ok(Err(error)) if error.kind() == ErrorKind::Closed => PoolWord::Closed,
        Ok(Err(error)) if is_busy(&error) => PoolWord::Busy,
        Err(_) if waits_for_others(backend) => PoolWord::Busy,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the {} backend does not answer", backend.kind());
            PoolWord::Inactive
        }
        Err(_) => {
            tracing::warn!(
                "the {} backend did not answer within {LOOK:?}",
                backend.kind()
            );
            PoolWord::Inactive
        }
    }
}

/// Whether the wait was for other callers, and not for the server.
fn is_busy(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Timeout(Wait::Permit | Wait::Pool))
}

/// Whether somebody still waits for a connection that others use.
fn waits_for_others(backend: &dyn StorageBackend) -> bool {
    backend.pool_status().waiting > 0
}

/// What a client may know of why the schema could not be checked.
fn unready(error: &Error) -> &'static str {
    match error.kind() {
        _ if is_busy(error) => ALL_IN_USE,
        ErrorKind::Schema => "the schema is not one that this build knows",
        _ => "the database does not answer",
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    let basis_points = part.saturating_mul(10_000).checked_div(whole)?;
    u32::try_from(basis_points)
        .ok()
        .map(|points| f64::from(points) / 100.0)
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("bridge", &self.bridge)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
