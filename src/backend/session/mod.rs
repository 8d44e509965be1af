//! One URL, one set of session settings and TLS for both drivers, and the report of what still differs.
//!
//! A driver swap loses what the old driver took from the URL, the environment or its own start-up packet: TLS first of all. So the text is
//! read here, once, and each driver is given every value explicitly: nothing that only one of them knows is taken, and no variable or
//! default reaches one alone.
//!
//! What the text may say, and what fills in what it leaves out, is libpq's: `PGHOST`, `PGHOSTADDR`, `PGPORT`, `PGUSER`, `PGPASSWORD`,
//! `PGDATABASE`, `PGAPPNAME`, `PGOPTIONS`, `PGCONNECT_TIMEOUT`, `PGSSLMODE`, `PGSSLROOTCERT`, `PGSSLCERT`, `PGSSLKEY`, and the password file
//! that `PGPASSFILE` names or `~/.pgpass`. Known differences to libpq, the same on both drivers:
//! - `options` and `PGOPTIONS` both count, the former last;
//! - with `sslmode=prefer` a server that offers TLS must then speak it, there is no second try without, and its certificate is not looked
//!   at, even where `sslrootcert` is given;
//! - `verify-ca` and `verify-full` trust Mozilla's roots besides `sslrootcert`, and `sslrootcert=system` means these;
//! - `hostaddr` beside `host` takes the name's place in TLS, so that it is refused with `verify-full`;
//! - no certificate is read from `~/.postgresql`; SCRAM is not bound to the TLS channel, because sqlx cannot.
//!
//! A peer that dies without a word: the blocking driver's sockets are probed by the kernel after 30 s of silence, three times, and data
//! that stays unacknowledged for 60 s breaks the connection. sqlx offers no way to set a socket's options, so there the answer timeout and
//! the test before reuse are what notices.
//!
//! Behind a pooler that gives out server connections per transaction (`PgBouncer`) `options` is refused, no setting outlives a transaction
//! but those that the pooler keeps for each client, and the others are set in each transaction.
//!
//! Adding a parameter: a line in `parameters.rs`, and what its value says in `values.rs`, what the drivers get in `drivers.rs`.

#[cfg(any(feature = "blocking", feature = "async"))]
mod drivers;
mod parameters;
mod parity;
mod passfile;
#[cfg(any(feature = "blocking", feature = "async"))]
mod setup;
mod target;
#[cfg(any(feature = "blocking", feature = "async"))]
mod tls;
mod url;
mod values;

pub use parity::{Difference, parity};
#[cfg(any(feature = "blocking", feature = "async"))]
pub(crate) use setup::{setup_sql, transaction_sql};
pub use target::Target;
#[cfg(feature = "blocking")]
pub(crate) use tls::Tls;
#[cfg(any(feature = "blocking", feature = "async"))]
pub(crate) use tls::refused_tls;
