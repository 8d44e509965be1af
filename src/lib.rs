//! Pontoon carries a service's Postgres storage from a blocking driver to an async one, one unit of work at a time, and takes it back in a
//! millisecond.
//!
//! A [`Bridge`] holds two backends on one database, `postgres` behind `r2d2` and `sqlx`, and a flag that says which of them the next unit of
//! work runs on. Both give the same rows, counts and errors, so that code which is written against [`StorageBackend`](backend::StorageBackend)
//! does not know where it runs.
//!
//! # From the builder to a query
//!
//! ```no_run
//! use pontoon::backend::{StorageBackend, StorageBackendExt, TransactionOptions};
//! use pontoon::flags::Key;
//! use pontoon::{Bridge, Flags, Result, params, sql::Query};
//! use futures_util::TryStreamExt;
//!
//! # async fn run() -> Result<()> {
//! // One budget of connections, one set of settings, both drivers; no connection is opened yet.
//! let bridge = Bridge::builder("postgres://app@localhost/shop").budget(20).flags(Flags::in_memory(25)).build()?;
//!
//! // A unit of work is decided once and stays where it is: here by the tenant, of whom a quarter is async.
//! let unit = bridge.unit(Some(&Key::tenant("acme")));
//!
//! // A query has a name, for errors and metrics, and is translated to `$1` once.
//! let count = Query::new("orders/count", "SELECT count(*) AS n FROM orders WHERE customer = %(customer)s")?;
//! let row = unit.fetch_one(&count, params! { "customer" => "ada" }).await?;
//! println!("{} orders, by the {} backend", row.get::<i64>("n")?, unit.kind());
//!
//! // A transaction: dropping it rolls back.
//! let add = Query::new("orders/add", "INSERT INTO orders (customer, total) VALUES (%s, %s)")?;
//! let mut transaction = unit.begin(TransactionOptions::named("two orders")).await?;
//! transaction.execute(&add, params!["ada", 12]).await?;
//! transaction.execute(&add, params!["ada", 30]).await?;
//! transaction.commit().await?;
//!
//! // A stream: a slow reader slows the server down, not this process's memory up.
//! let all = Query::new("orders/all", "SELECT customer FROM orders ORDER BY customer")?;
//! let mut rows = unit.fetch(&all, params![]).await?;
//! while let Some(row) = rows.try_next().await? {
//!     println!("{}", row.get::<String>("customer")?);
//! }
//!
//! // Everybody to async, and everybody back: the next unit of work goes by it.
//! bridge.flags().set_percent(100);
//! bridge.flags().rollback("too many errors", "ada");
//! bridge.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! A service that has a pool hands it in, and keeps it: [`R2d2Backend::from_pool`](backend::R2d2Backend::from_pool) and
//! [`Builder::with_backend`](bridge::Builder::with_backend). The files of `examples/` go that way in three small steps.
//!
//! # Rooms, in reading order
//!
//! | room | what is in it |
//! |---|---|
//! | [`error`] | the one [`Error`], and what each [`ErrorKind`] means |
//! | [`sql`] | [`Query`](sql::Query), [`Value`](sql::Value), [`Row`](sql::Row), the catalog, the translator |
//! | [`backend`] | the seam and its contract, both implementations, settings, the shared budget, the migrations |
//! | [`config`] | flags.toml, variables and arguments |
//! | [`flags`] | [`Flags`]: the sources, the cohort, the rollback |
//! | [`metrics`] | every metric, in one list |
//! | [`bridge`] | [`Bridge`] and its [`Unit`](bridge::Unit) |
//! | [`store`] | the memory server's domain operations, as an example of a store |
//! | `app` | what every edge works with; with the feature `server`, as all that follows |
//! | `http` | the routes |
//! | `embedded` | a private PostgreSQL |
//! | `cli` | the commands |
//!
//! A room uses those that `docs/ARCHITECTURE.md` gives it, and no other; a test reads that table. Drivers are named under [`backend`] only.
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `blocking` | yes | the backend over `postgres` and `r2d2`; a build without it contains neither |
//! | `async` | yes | the backend over `sqlx`; a build without it does not contain it |
//! | `convert` | no | `sql::source`: finds SQL in Python sources and `.sql` files, and writes it back |
//! | `server` | no | `convert`, and the program: command line, HTTP, the private PostgreSQL, and flags.toml as a source of the flag |
//!
//! # Words
//!
//! | word | means |
//! |---|---|
//! | backend | an implementation of [`StorageBackend`](backend::StorageBackend): "blocking" or "async". Postgres' own are server processes |
//! | bridge | the backend that holds both and decides |
//! | unit of work | what is decided once and stays on one backend: a request, a session's step, a transaction |
//! | key | the tenant or session that a unit of work is for: what the cohort is drawn by |
//! | cohort | the keys whose bucket lies below the share |
//! | stage | how far the flag goes: `off`, `shadow`, `canary`, `full`, `complete`; a rollback lands on `rolled_back` |
//! | query | named SQL text with its parameters, translated once; a *statement* is what the driver prepares of it |
//! | budget | the connections that both backends may use together |
//! | control, candidate | in a comparison: the backend that serves, and the one that is tried |

#[cfg(feature = "server")]
pub mod app;
pub mod backend;
pub mod bridge;
#[cfg(feature = "server")]
pub mod cli;
pub mod config;
#[cfg(feature = "server")]
pub mod embedded;
pub mod error;
pub mod flags;
#[cfg(feature = "server")]
pub mod http;
pub mod metrics;
pub mod sql;
pub mod store;

pub use bridge::Bridge;
pub use error::{Error, ErrorKind, Result};
pub use flags::Flags;

/// The code of the front page compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct FrontPage;
