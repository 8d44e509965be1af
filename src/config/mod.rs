//! Typed settings, validated once: what flags.toml says, and what the program is told from outside.
//!
//! - [`FlagsFile`] is flags.toml: the plan and the limits of the migration. Every one of its keys is in [`KEYS`].
//! - [`Settings`] is what the program goes by, put together from four layers: defaults < flags.toml < environment < arguments. Every variable
//!   is in [`VARIABLES`].
//!
//! `docs/FLAGS.md` is made from both tables. The structs know nothing of files: reading them, with the line of each error, is built with the
//! feature `server`.
//!
//! Adding a key: its field in the struct of its section, its bounds in that struct's `check`, its line in [`KEYS`]. Adding a variable: its
//! field in [`Settings`], its line in [`VARIABLES`]. Then `UPDATE_DOCS=1 cargo test --features server reference`.

mod duration;
mod fault;
mod file;
mod keys;
mod limits;
#[cfg(feature = "server")]
mod load;
mod plan;
#[cfg(feature = "server")]
mod read;
#[cfg(feature = "server")]
mod reference;
mod secret;
mod settings;
mod shadow;
mod stage;
mod switch;
mod triggers;
mod variables;

pub use duration::{parse_duration, show_duration};
pub use fault::Fault;
pub use file::{Environment, Evidence, FlagsFile, KeyHash, KeyPart, Migration};
pub use keys::{KEYS, Key};
pub use limits::{Budget, Session, Timeouts};
#[cfg(feature = "server")]
pub use load::{Arguments, ProcessEnv};
pub use plan::{Plan, Step};
#[cfg(feature = "server")]
pub(crate) use read::nearest;
#[cfg(feature = "server")]
pub use read::read_flags_file;
#[cfg(feature = "server")]
pub use reference::reference;
pub use secret::{DatabaseUrl, Secret};
pub use settings::Settings;
pub use shadow::{Confirm, Date, Ignore, Rule, Shadow};
pub use stage::{Share, Stage};
pub use switch::Switch;
pub use triggers::{
    Action, BudgetUsed, Connection, Detector, Errors, ExecutorStall, Mismatch, RelativeP95,
    SessionPersistence, Slow, Triggers,
};
pub use variables::{VARIABLES, Variable};
