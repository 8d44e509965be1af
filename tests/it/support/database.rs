//! A database of a test's own, and the few statements that support needs before any backend is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use pontoon::backend::{
    BackendKind, Budget, R2d2Backend, Settings, SqlxBackend, StorageBackend, Target,
};

/// A database that only one test uses; dropped with the value, with whatever sessions it still has.
#[derive(Debug)]
pub(crate) struct Database {
    /// Over the unix socket; both backends take it.
    pub(crate) url: String,
    /// The same database over TCP on the loopback.
    pub(crate) tcp_url: String,
    name: String,
}

impl Database {
    /// Copies the migrated template. Works inside and outside of a runtime; blocks for about 50 ms.
    pub(crate) fn create() -> Self {
        Self::copy_of(super::template())
    }

    /// A database that nothing was done to yet.
    pub(crate) fn empty() -> Self {
        Self::copy_of("template0")
    }

    fn copy_of(template: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = super::server();
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        execute(
            &server.url("postgres"),
            &[&format!("CREATE DATABASE {name} TEMPLATE {template}")],
        );
        let tcp_url = server
            .tcp_url(&name)
            .expect("the shared server listens on TCP");
        Self {
            url: server.url(&name),
            tcp_url,
            name,
        }
    }

    /// The backend of that kind on this database, with five connections of its own.
    pub(crate) fn backend(&self, kind: BackendKind) -> Arc<dyn StorageBackend> {
        let target = Target::parse(&self.url).unwrap();
        let (settings, budget) = (Settings::default(), Budget::new(5));
        match kind {
            BackendKind::Blocking => Arc::new(R2d2Backend::new(&target, settings, budget).unwrap()),
            BackendKind::Async => Arc::new(SqlxBackend::new(&target, settings, budget).unwrap()),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A failed test must show its own failure, not a second panic.
        if !thread::panicking() {
            execute(
                &super::server().url("postgres"),
                &[&format!("DROP DATABASE {} WITH (FORCE)", self.name)],
            );
        }
    }
}

/// Runs statements one by one, each outside of a transaction, and gives the first column of the last answer. On a
/// thread of its own: tests that run in a runtime call it too.
pub(crate) fn execute(url: &str, statements: &[&str]) -> Vec<String> {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime
            .block_on(run(url, statements))
            .unwrap_or_else(|error| panic!("{url}: {statements:?}: {error:?}"))
    };
    thread::scope(|scope| scope.spawn(run).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

async fn run(url: &str, statements: &[&str]) -> Result<Vec<String>, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    let driving = tokio::spawn(connection);
    let mut first = Vec::new();
    for statement in statements {
        first.clear();
        for message in client.simple_query(statement).await? {
            if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
                first.push(row.get(0).unwrap_or("NULL").to_owned());
            }
        }
    }
    // The server counts a session until it has read the goodbye: wait for it to be sent.
    drop(client);
    driving
        .await
        .expect("the connection's task does not panic")?;
    Ok(first)
}
