//! `PgBouncer` in transaction mode, which gives a server's session to another client after each transaction.

use crate::support::{
    Database, eventually, execute, on_each_backend, open, query, refused, sessions,
};
use futures_util::StreamExt;
use futures_util::future::{join_all, try_join_all};
use pontoon::backend::{
    BackendKind, Budget, Settings, StorageBackend, StorageBackendExt, TransactionOptions,
};
use pontoon::sql::Params;
use pontoon::{ErrorKind, Result, params};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

on_each_backend!(
    settings_hold_in_each_call,
    many_clients_share_few_sessions,
    errors_leave_nothing_behind,
    calls_given_up_leave_nothing_behind,
    own_types_are_known_on_every_session,
);

/// A `PgBouncer` before a test's database; it ends with the value.
struct Bouncer {
    process: Child,
    port: u16,
    database: Database,
    _folder: TempDir,
}

/// The sessions that all clients share.
const SESSIONS: usize = 2;

impl Bouncer {
    async fn start() -> Self {
        Self::with(SESSIONS).await
    }

    async fn with(sessions: usize) -> Self {
        let database = Database::create();
        let server = tokio_postgres_address(&database.tcp_url);
        let folder = tempfile::tempdir().unwrap();
        let everybody = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(folder.path(), everybody).unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let (users, settings) = (
            folder.path().join("users.txt"),
            folder.path().join("pgbouncer.ini"),
        );
        std::fs::write(&users, "\"postgres\" \"\"\n").unwrap();
        std::fs::write(
            &settings,
            format!(
                "[databases]\npooled = {server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
                 auth_type = any\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = {sessions}\nlogfile = {}\n",
                users.display(),
                folder.path().join("pgbouncer.log").display(),
            ),
        )
        .unwrap();
        let process = Command::new("pgbouncer")
            .args(["--quiet", "--user", "postgres"])
            .arg(&settings)
            .env(
                "PATH",
                format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("no pgbouncer: {error}; install it with: apt-get install pgbouncer")
            });
        let bouncer = Self {
            process,
            port,
            database,
            _folder: folder,
        };
        eventually("pgbouncer listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .await;
        bouncer
    }

    fn open(
        &self,
        kind: BackendKind,
        statement_timeout: Duration,
    ) -> (Arc<dyn StorageBackend>, Arc<Budget>) {
        let mut settings = Settings::default();
        settings.session.transaction_pooler = true;
        settings.session.statement_timeout = statement_timeout;
        let budget = Budget::new(8);
        let url = format!("postgres://postgres@127.0.0.1:{}/pooled", self.port);
        (open(kind, &url, settings, &budget), budget)
    }

    fn beside(&self, statements: &[&str]) -> Vec<String> {
        execute(&self.database.url, statements)
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// The address as a connection string of libpq has it.
fn tokio_postgres_address(url: &str) -> String {
    let config: tokio_postgres::Config = url.parse().unwrap();
    let name = config.get_dbname().expect("the URL names a database");
    format!(
        "host=127.0.0.1 port={} dbname={name} user=postgres",
        config.get_ports()[0]
    )
}

async fn settings_hold_in_each_call(kind: BackendKind) -> Result<()> {
    let bouncer = Bouncer::start().await;
    // Two clients with settings of their own take turns on the same sessions.
    let clients = [7, 9].map(|seconds| (seconds, bouncer.open(kind, Duration::from_secs(seconds))));
    for _ in 0..10 {
        for (seconds, (backend, _)) in &clients {
            let show = query(
                "SELECT current_setting('statement_timeout') AS t, current_setting('TimeZone') AS z, current_setting('extra_float_digits') AS f",
            );
            let row = backend.fetch_one(&show, Params::none()).await?;
            assert_eq!(row.get::<String>("t")?, format!("{seconds}s"));
            assert_eq!(
                (
                    row.get::<String>("z")?.as_str(),
                    row.get::<String>("f")?.as_str()
                ),
                ("UTC", "1")
            );
            let mut transaction = backend.begin(TransactionOptions::default()).await?;
            let row = transaction
                .fetch_optional(&show, Params::none())
                .await?
                .expect("a row");
            assert_eq!(row.get::<String>("t")?, format!("{seconds}s"));
            transaction.commit().await?;
            let mut rows = backend.fetch(&show, Params::none()).await?;
            assert_eq!(
                rows.next().await.expect("a row")?.get::<String>("t")?,
                format!("{seconds}s")
            );
            assert!(rows.next().await.is_none());
        }
    }
    for (_, (backend, _)) in clients {
        backend.close().await;
    }
    Ok(())
}

async fn many_clients_share_few_sessions(kind: BackendKind) -> Result<()> {
    let bouncer = Bouncer::start().await;
    bouncer.beside(&[
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "CREATE TABLE t (id int PRIMARY KEY, m mood)",
    ]);
    let clients: Vec<_> = (0..3)
        .map(|_| bouncer.open(kind, Duration::from_secs(20)))
        .collect();
    let calls = (0..200_i32).map(|n| {
        let backend = Arc::clone(&clients[usize::try_from(n).unwrap() % clients.len()].0);
        tokio::spawn(async move {
            let insert = query("INSERT INTO t VALUES ($1, $2)");
            match n % 4 {
                0 => backend.execute(&insert, params![n, "ok"]).await.map(drop),
                1 => {
                    let mut transaction = backend.begin(TransactionOptions::default()).await?;
                    transaction.execute(&insert, params![n, "sad"]).await?;
                    let own = query("SELECT m FROM t WHERE id = $1");
                    let row = transaction
                        .fetch_optional(&own, params![n])
                        .await?
                        .expect("a row");
                    assert_eq!(row.get::<String>("m")?, "sad");
                    transaction.commit().await
                }
                2 => {
                    let rows = backend
                        .fetch(&query("SELECT generate_series(1, $1) AS g"), params![n])
                        .await?;
                    assert_eq!(rows.count().await, usize::try_from(n).unwrap());
                    Ok(())
                }
                _ => {
                    let row = backend
                        .fetch_one(&query("SELECT $1::int8 + 1 AS next"), params![n])
                        .await?;
                    assert_eq!(row.get::<i64>("next")?, i64::from(n) + 1);
                    Ok(())
                }
            }
        })
    });
    for result in join_all(calls).await {
        result.unwrap()?;
    }
    assert_eq!(bouncer.beside(&["SELECT count(*) FROM t"]), ["100"]);
    // The sessions of this test itself end a moment after their goodbye.
    eventually("all went through few sessions", || {
        sessions(&bouncer.database.url, "true") <= SESSIONS
    })
    .await;
    for (backend, _) in clients {
        backend.close().await;
    }
    Ok(())
}

async fn errors_leave_nothing_behind(kind: BackendKind) -> Result<()> {
    let bouncer = Bouncer::start().await;
    bouncer.beside(&[
        "CREATE TABLE t (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)",
        "INSERT INTO t VALUES (1)",
    ]);
    let (backend, budget) = bouncer.open(kind, Duration::from_secs(20));
    for _ in 0..10 {
        for (sql, sqlstate) in [
            ("SELECT 1/0", "22012"),
            ("SELECT nope", "42703"),
            ("INSERT INTO t VALUES (1)", "23505"),
            ("SELECT 1/(3 - g) FROM generate_series(1, 3) g", "22012"),
        ] {
            let error = refused(backend.execute(&query(sql), Params::none()).await);
            assert_eq!(
                (error.kind(), error.sqlstate()),
                (ErrorKind::Database, Some(sqlstate)),
                "{sql}"
            );
            let ended = match backend.fetch(&query(sql), Params::none()).await {
                Ok(rows) => rows
                    .filter_map(|row| std::future::ready(row.err()))
                    .next()
                    .await
                    .expect("an error"),
                Err(error) => error,
            };
            assert_eq!(ended.sqlstate(), Some(sqlstate), "{sql}");
        }
        let error = refused(
            backend
                .execute(&query("SELECT $1::int2"), params![70_000])
                .await,
        );
        assert_eq!(error.kind(), ErrorKind::Bind);
        let mut transaction = backend.begin(TransactionOptions::default()).await?;
        refused(
            transaction
                .execute(&query("SELECT 1/0"), Params::none())
                .await,
        );
        assert_eq!(
            refused(transaction.commit().await).sqlstate(),
            Some("25P02")
        );
        drop(backend.begin(TransactionOptions::default()).await?);
    }
    eventually("every permit comes back", || budget.in_use() == 0).await;
    let one = query("SELECT 1");
    try_join_all((0..20).map(|_| backend.execute(&one, Params::none()))).await?;
    assert_eq!(bouncer.beside(&["SELECT count(*) FROM t"]), ["1"]);
    backend.close().await;
    Ok(())
}

async fn calls_given_up_leave_nothing_behind(kind: BackendKind) -> Result<()> {
    let bouncer = Bouncer::start().await;
    let (backend, budget) = bouncer.open(kind, Duration::from_secs(20));
    for micros in (0..4000).step_by(100) {
        let slow = query("SELECT pg_sleep(0.002)");
        let call = backend.execute(&slow, Params::none());
        let _given_up_or_not = tokio::time::timeout(Duration::from_micros(micros), call).await;
    }
    eventually("every permit comes back", || budget.in_use() == 0).await;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in tr%'";
    eventually("no transaction stays open", || {
        bouncer.beside(&[open]) == ["0"]
    })
    .await;
    for _ in 0..20 {
        backend.ping().await?;
        assert_eq!(
            backend
                .describe(&query("SELECT $1::int8"))
                .await?
                .parameters,
            ["int8"]
        );
    }
    backend.close().await;
    Ok(())
}

/// Drivers prepare statements of their own to look a type up: none may be missed, or found, on another session.
async fn own_types_are_known_on_every_session(kind: BackendKind) -> Result<()> {
    let bouncer = Bouncer::start().await;
    for n in 0..6 {
        bouncer.beside(&[&format!("CREATE TYPE mood_{n} AS ENUM ('sad', 'ok')")]);
    }
    let (backend, _) = bouncer.open(kind, Duration::from_secs(20));
    let (other, _) = bouncer.open(kind, Duration::from_secs(20));
    for n in 0..6 {
        let own = query(&format!(
            "SELECT $1::mood_{n} AS m, (SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 's%') AS c"
        ));
        // Takes a session away in every other round, so that the next call finds another.
        let held = if n % 2 == 0 {
            Some(other.begin(TransactionOptions::default()).await?)
        } else {
            None
        };
        let row = backend.fetch_one(&own, params!["ok"]).await?;
        assert_eq!(row.get::<String>("m")?, "ok");
        drop(held);
        eventually("the other session is free", || {
            bouncer.beside(&["SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in tr%' AND datname = current_database()"]) == ["0"]
        })
        .await;
    }
    let left = query(
        "SELECT name FROM pg_prepared_statements WHERE statement NOT LIKE '%pg_prepared_statements%'",
    );
    for _ in 0..4 {
        assert!(
            other.fetch_all(&left, Params::none()).await?.is_empty(),
            "a statement was left on a session"
        );
    }
    backend.close().await;
    other.close().await;
    Ok(())
}

#[cfg(feature = "server")]
#[tokio::test(flavor = "multi_thread")]
async fn the_commands_work_behind_it() {
    // `diff` keeps a snapshot, runs a transaction, and asks for types beside it.
    let bouncer = Bouncer::with(3).await;
    bouncer.beside(&[
        "CREATE TABLE item (id int PRIMARY KEY, note text)",
        "INSERT INTO item VALUES (1, 'one')",
    ]);
    let folder = tempfile::tempdir().unwrap();
    let file = "-- name: read\nSELECT note FROM item WHERE id = %(id)s;\n\
                -- name: write\nUPDATE item SET note = 'two' WHERE id = %(id)s;\n\
                -- name: again\nSELECT note FROM item WHERE id = %(id)s;\n";
    std::fs::write(folder.path().join("item.sql"), file).unwrap();
    let run = |arguments: &[&str]| {
        let url = format!("postgres://postgres@127.0.0.1:{}/pooled", bouncer.port);
        let ran = Command::new(env!("CARGO_BIN_EXE_pontoon"))
            .args(arguments)
            .current_dir(folder.path())
            .env("DATABASE_URL", url)
            .env("PONTOON_TRANSACTION_POOLER", "true")
            .env("PONTOON_KILL_FILE", folder.path().join("rollback"))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(
            ran.status.code(),
            Some(0),
            "{arguments:?}: {told}{}",
            String::from_utf8_lossy(&ran.stdout)
        );
        String::from_utf8(ran.stdout).unwrap()
    };
    let same = run(&["diff", "item.sql", "--rollback", "-p", "id=1"]);
    assert!(same.contains("3 the same"), "{same}");
    for backend in ["blocking", "async"] {
        let read = ["query", "--backend", backend, "--csv"];
        let note = run(&[
            &read[..],
            &["SELECT note FROM item WHERE id = %s", "-p", "1"],
        ]
        .concat());
        assert_eq!(note, "note\none\n", "nothing of it stayed");
    }
    let checked = run(&["check", "--sql", "."]);
    assert!(checked.starts_with("0 findings"), "{checked}");
}

/// A way to the server that breaks where it is asked to roll back; gives its port.
fn breaks_at_rollback(server: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(std::thread::spawn(move || {
        for client in listener.incoming().map_while(std::io::Result::ok) {
            let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            drop(std::thread::spawn(move || {
                let mut asked = [0; 4096];
                while let Ok(length @ 1..) = from.read(&mut asked) {
                    let asked = &asked[..length];
                    if asked.windows(8).any(|word| word == b"ROLLBACK") {
                        break;
                    }
                    to.write_all(asked).unwrap();
                }
                let _closed = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
            }));
            let (mut from, mut to) = (server, client);
            drop(std::thread::spawn(move || {
                std::io::copy(&mut from, &mut to)
            }));
        }
    }));
    port
}

#[tokio::test]
async fn a_statement_tells_its_own_error_where_the_rollback_fails() -> Result<()> {
    let database = Database::create();
    execute(&database.url, &["CREATE SEQUENCE s"]);
    let mut url = url::Url::parse(&database.tcp_url).unwrap();
    let port = breaks_at_rollback(url.port().expect("it names its port"));
    url.set_port(Some(port)).unwrap();
    url.set_query(Some("sslmode=disable"));
    let mut settings = Settings::default();
    settings.session.transaction_pooler = true;
    let budget = Budget::new(2);
    let backend = open(BackendKind::Blocking, url.as_str(), settings, &budget);
    let fails = query("SELECT 1 / (nextval('s') - nextval('s') + 1)");
    let error = refused(backend.execute(&fails, Params::none()).await);
    assert_eq!(error.sqlstate(), Some("22012"), "{error:?}");
    assert_eq!(
        execute(&database.url, &["SELECT last_value FROM s"]),
        ["2"],
        "it ran once"
    );
    backend.ping().await?;
    backend.close().await;
    assert_eq!((budget.in_use(), budget.open()), (0, 0));
    Ok(())
}
