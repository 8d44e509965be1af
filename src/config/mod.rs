//! Typed settings.

mod duration;
mod fault;
mod file;
mod keys;
mod limits;
mod plan;
#[cfg(feature = "server")]
mod read;
mod shadow;
mod stage;
mod switch;
mod triggers;

pub use duration::{parse_duration, show_duration};
pub use fault::Fault;
pub use file::{Environment, Evidence, FlagsFile, KeyHash, KeyPart, Migration};
pub use keys::{KEYS, Key};
pub use limits::{Budget, Session, Timeouts};
pub use plan::{Plan, Step};
#[cfg(feature = "server")]
pub use read::read_flags_file;
pub use shadow::{Confirm, Date, Ignore, Rule, Shadow};
pub use stage::{Share, Stage};
pub use switch::Switch;
pub use triggers::{
    Action, BudgetUsed, Connection, Detector, Errors, ExecutorStall, Mismatch, RelativeP95,
    SessionPersistence, Slow, Triggers,
};
