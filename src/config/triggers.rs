//! `[triggers]` and `[detector]`: when a rollback or a pause happens by itself.

use super::duration;
use super::fault::Faults;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a trigger does when it fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Everything goes back to blocking, until an operator lifts it.
    Rollback,
    /// The stage is held.
    Pause,
}

/// The thresholds, one table a trigger. A table that is left out keeps its defaults; a key that is left out of a table does too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Triggers {
    /// Too many calls fail.
    pub errors: Errors,
    /// Too many calls are slow; calls still in flight count.
    pub slow: Slow,
    /// The connection breaks.
    pub connection: Connection,
    /// Sessions are not kept.
    pub session_persistence: SessionPersistence,
    /// The backends' answers differ.
    pub mismatch: Mismatch,
    /// Async is slower than blocking.
    pub relative_p95: RelativeP95,
    /// The async executor's threads are held up.
    pub executor_stall: ExecutorStall,
    /// The connection budget runs out.
    pub budget: BudgetUsed,
}

/// Declares one trigger's thresholds with their defaults.
macro_rules! thresholds {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

thresholds! {
    /// `errors`
    Errors {
        /// The share of failed calls above which it fires.
        over: f64 = 0.05,
        /// What it does.
        action: Action = Action::Rollback,
    }
}

thresholds! {
    /// `slow`
    Slow {
        /// The share of slow calls above which it fires.
        over: f64 = 0.05,
        /// From when on a call is slow, finished or not.
        #[serde(with = "duration")]
        longer_than: Duration = Duration::from_secs(5),
        /// What it does.
        action: Action = Action::Rollback,
    }
}

thresholds! {
    /// `connection`
    Connection {
        /// How many connection errors it takes.
        errors: u32 = 3,
        /// The time in which they fall.
        #[serde(with = "duration")]
        within: Duration = Duration::from_secs(30),
        /// The share of calls that they are at least.
        share: f64 = 0.01,
        /// What it does.
        action: Action = Action::Rollback,
    }
}

thresholds! {
    /// `session_persistence`
    SessionPersistence {
        /// How many sessions that were written could not be read.
        failures: u32 = 2,
        /// The time in which they fall.
        #[serde(with = "duration")]
        within: Duration = Duration::from_mins(1),
        /// What it does.
        action: Action = Action::Rollback,
    }
}

thresholds! {
    /// `mismatch`
    Mismatch {
        /// How many confirmed differences it takes.
        confirmed: u32 = 3,
        /// The time in which they fall.
        #[serde(with = "duration")]
        within: Duration = Duration::from_mins(10),
        /// What it does.
        action: Action = Action::Pause,
    }
}

thresholds! {
    /// `relative_p95`
    RelativeP95 {
        /// How many times the blocking backend's p95.
        factor: f64 = 2.0,
        /// How much is added to that.
        #[serde(with = "duration")]
        plus: Duration = Duration::from_millis(50),
        /// What it does.
        action: Action = Action::Pause,
    }
}

thresholds! {
    /// `executor_stall`
    ExecutorStall {
        /// The p99 of the delay with which a ready task runs.
        #[serde(with = "duration")]
        p99: Duration = Duration::from_millis(250),
        /// How long it must last.
        #[serde(with = "duration", rename = "for")]
        lasting: Duration = Duration::from_secs(10),
        /// What it does.
        action: Action = Action::Pause,
    }
}

thresholds! {
    /// `budget`
    BudgetUsed {
        /// The share of permits in use above which it fires.
        used: f64 = 0.9,
        /// What it does.
        action: Action = Action::Pause,
    }
}

thresholds! {
    /// `[detector]`: how sure a trigger must be.
    Detector {
        /// How long a condition must hold before the whole fleet is rolled back.
        #[serde(with = "duration")]
        confirm: Duration = Duration::from_secs(5),
        /// How long after a start or a raise nothing is judged.
        #[serde(with = "duration")]
        warmup: Duration = Duration::from_secs(30),
        /// How long after a rollback nothing is raised.
        #[serde(with = "duration")]
        cooldown: Duration = Duration::from_mins(30),
    }
}

impl Triggers {
    pub(crate) fn check(&self, faults: &mut Faults) {
        faults.fraction(self.errors.over, "triggers.errors.over");
        faults.fraction(self.slow.over, "triggers.slow.over");
        faults.positive(self.slow.longer_than, "triggers.slow.longer_than");
        faults.at_least_one(self.connection.errors, "triggers.connection.errors");
        faults.positive(self.connection.within, "triggers.connection.within");
        faults.fraction(self.connection.share, "triggers.connection.share");
        faults.at_least_one(
            self.session_persistence.failures,
            "triggers.session_persistence.failures",
        );
        faults.positive(
            self.session_persistence.within,
            "triggers.session_persistence.within",
        );
        faults.at_least_one(self.mismatch.confirmed, "triggers.mismatch.confirmed");
        faults.positive(self.mismatch.within, "triggers.mismatch.within");
        let factor = self.relative_p95.factor;
        faults.check(
            factor.is_finite() && factor >= 1.0,
            "triggers.relative_p95.factor",
            format!("{factor} is no factor of at least 1.0"),
        );
        faults.positive(self.executor_stall.p99, "triggers.executor_stall.p99");
        faults.positive(self.executor_stall.lasting, "triggers.executor_stall.for");
        faults.fraction(self.budget.used, "triggers.budget.used");
    }
}
