//! The tests' PostgreSQL: one server for the binary, one database a test, made from a migrated template.
//!
//! A test that kills the server, freezes it or uses up its sessions takes its [`own_server`].

mod alone;
mod backends;
mod database;
mod handed;
pub(crate) mod http;

use std::sync::OnceLock;
use std::thread;

use pontoon::backend::{Budget, Settings, SqlxBackend, StorageBackend, Target};
use pontoon::embedded::{Embedded, Options};
use tokio::runtime::Builder;

pub(crate) use alone::{Heartbeat, alone, elsewhere, peak_memory, threads};
pub(crate) use backends::{
    Bench, Open, TOTAL, blocking, bridge_on_async, bridge_on_blocking, eventually, on,
    on_each_backend, open, query, refused, sessions, sqlx,
};
pub(crate) use database::{Database, execute};
pub(crate) use handed::{blocking_on_a_service_pool, r2d2_pool, sqlx_on_a_service_pool, sqlx_pool};

/// The server that all tests of this binary share. It ends with the process: a static is not dropped, but the server's
/// watchdog sees the process end and removes the folder too.
pub(crate) fn server() -> &'static Embedded {
    static SERVER: OnceLock<Embedded> = OnceLock::new();
    // Many tests at once, each with two pools.
    SERVER.get_or_init(|| own_server(Embedded::options().ephemeral().tcp().max_connections(300)))
}

/// A server of the test's own, stopped when it is dropped.
pub(crate) fn own_server(options: Options) -> Embedded {
    options
        .start()
        .unwrap_or_else(|error| panic!("the tests need a PostgreSQL server: {error}"))
}

/// The name of the database that every test's database is copied from, made on first use.
pub(crate) fn template() -> &'static str {
    const NAME: &str = "pontoon_template";
    static TEMPLATE: OnceLock<()> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        execute(
            &server().url("postgres"),
            &[&format!("CREATE DATABASE {NAME}")],
        );
        migrate(&server().url(NAME));
    });
    NAME
}

/// Brings the template to the newest schema. The place where migrations are applied; every session on the template must
/// be closed on return, or it cannot be copied.
fn migrate(url: &str) {
    let run = || {
        let target = Target::parse(url)?;
        let backend = SqlxBackend::new(&target, Settings::default(), Budget::new(1))?;
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            pontoon::backend::migrate::migrate(&backend).await?;
            backend.close().await;
            Ok::<(), pontoon::Error>(())
        })
    };
    // On a thread of its own: tests that run in a runtime call it too.
    thread::scope(|scope| scope.spawn(run).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        .unwrap_or_else(|error| panic!("the template could not be migrated: {error:?}"));
}
