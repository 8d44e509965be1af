//! The private server as its callers see it: where it listens, what it keeps, how it ends.

mod faults; // Kill, freeze, crash, a stale pid file, a failed start.
mod folder; // What the data folder keeps, and who may use it.
mod parent; // The server's end with the process that started it.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};
use std::{fs, thread};

use pontoon::embedded::Embedded;

use crate::support::{Database, execute, own_server};

/// Waits for something that nothing announces. The limit is far above what a slow machine needs.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < end, "never came true: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a process runs; one that has ended and was not collected does not.
fn lives(pid: u32) -> bool {
    let output = std::process::Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output()
        .unwrap();
    let state = String::from_utf8(output.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

#[test]
fn a_database_is_reached_over_the_socket_and_over_tcp() {
    let database = Database::create();
    let over_socket = execute(
        &database.url,
        &["SELECT coalesce(host(inet_server_addr()), 'socket')"],
    );
    let over_tcp = execute(
        &database.tcp_url,
        &["SELECT coalesce(host(inet_server_addr()), 'socket')"],
    );
    assert_eq!(
        (over_socket, over_tcp),
        (
            vec![String::from("socket")],
            vec![String::from("127.0.0.1")]
        )
    );
}

#[cfg(feature = "blocking")]
#[test]
fn the_blocking_driver_takes_the_url() {
    let database = Database::create();
    let mut client = postgres::Client::connect(&database.url, postgres::NoTls).unwrap();
    let name: String = client
        .query_one("SELECT current_database()::text", &[])
        .unwrap()
        .get(0);
    assert!(
        database.url.starts_with(&format!("postgres:///{name}?")),
        "{name} is not in {}",
        database.url
    );
}

#[cfg(feature = "async")]
#[tokio::test]
async fn the_async_driver_takes_the_url() {
    use sqlx::Connection;

    let database = Database::create();
    let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
    let name: String = sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(
        database.url.starts_with(&format!("postgres:///{name}?")),
        "{name} is not in {}",
        database.url
    );
    connection.close().await.unwrap();
}

#[test]
fn each_test_has_a_database_of_its_own() {
    let databases: Vec<Database> = (0..4).map(|_| Database::create()).collect();
    let urls: HashSet<&str> = databases
        .iter()
        .map(|database| database.url.as_str())
        .collect();
    assert_eq!(urls.len(), 4);
    for database in &databases {
        execute(&database.url, &["CREATE TABLE mine ()"]);
    }
}

#[test]
fn a_dropped_database_is_gone_even_with_an_open_session() {
    let database = Database::create();
    let url = database.url.clone();
    let session = thread::spawn(move || {
        let sleep = || execute(&url, &["SELECT pg_sleep(600)"]);
        std::panic::catch_unwind(sleep).is_err()
    });
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%sleep(600)%' AND pid <> pg_backend_pid()";
    eventually("the session is there", || {
        execute(&database.url, &[others]) == ["1"]
    });
    drop(database);
    assert!(session.join().unwrap(), "the session was ended");
}

#[test]
fn the_server_listens_on_no_port_unless_asked() {
    let server = own_server(Embedded::options().ephemeral());
    assert_eq!(server.tcp_url("postgres"), None);
    assert_eq!(
        execute(&server.url("postgres"), &["SHOW listen_addresses"]),
        [""]
    );
    let socket = execute(&server.url("postgres"), &["SHOW unix_socket_directories"]).remove(0);
    let mode = fs::metadata(socket.trim_matches('"')).unwrap().mode();
    assert_eq!(
        mode & 0o777,
        0o700,
        "only the server's user enters the socket's folder"
    );
}

#[test]
fn the_settings_are_the_launchers_and_then_the_callers() {
    let options = Embedded::options()
        .ephemeral()
        .max_connections(17)
        .settings([("work_mem", "5MB")]);
    let server = own_server(options);
    let expected = [
        ("timezone", "UTC"),
        ("jit", "off"),
        ("dynamic_shared_memory_type", "mmap"),
        ("fsync", "off"),
        ("max_connections", "17"),
        ("work_mem", "5MB"),
        ("server_encoding", "UTF8"),
        ("lc_messages", "C"),
    ];
    for (name, value) in expected {
        assert_eq!(
            execute(&server.url("postgres"), &[&format!("SHOW {name}")]),
            [value],
            "{name}"
        );
    }
}

#[test]
fn the_server_has_its_own_process_group_and_is_never_root() {
    let server = own_server(Embedded::options().ephemeral());
    let pid = i32::try_from(server.pid())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    let group = rustix::process::getpgid(pid).unwrap();
    assert_ne!(
        group,
        rustix::process::getpgrp(),
        "Ctrl-C must not reach the server"
    );
    let owner = fs::metadata(server.folder()).unwrap().uid();
    assert_ne!(owner, 0);
}

#[test]
fn a_database_name_with_odd_letters_keeps_its_name() {
    let server = own_server(Embedded::options().ephemeral().tcp());
    execute(
        &server.url("postgres"),
        &["CREATE DATABASE \"odd & 100% é\""],
    );
    for url in [
        server.url("odd & 100% é"),
        server.tcp_url("odd & 100% é").unwrap(),
    ] {
        assert_eq!(
            execute(&url, &["SELECT current_database()"]),
            ["odd & 100% é"],
            "{url}"
        );
    }
}

#[tokio::test]
async fn a_server_starts_and_stops_from_async_code() {
    let server = Embedded::options().ephemeral().start_async().await.unwrap();
    let (pid, folder) = (server.pid(), server.folder().to_owned());
    assert!(lives(pid));
    server.stop_async().await.unwrap();
    assert!(
        !lives(pid) && !folder.exists(),
        "the process and the folder are gone"
    );
}

#[tokio::test]
async fn a_start_that_nobody_awaits_leaves_no_server() {
    let folder = tempfile::Builder::new()
        .permissions(open_to_all())
        .tempdir()
        .unwrap();
    let options = Embedded::options()
        .data_dir(Some(folder.path().to_owned()))
        .fsync(false);
    let start = options.clone().start_async();
    assert!(
        tokio::time::timeout(Duration::from_millis(1), start)
            .await
            .is_err(),
        "a first start takes longer"
    );
    // The folder is free again once the abandoned server has ended.
    eventually("the folder is free", || options.clone().start().is_ok());
}

/// A folder that the server's user can enter, also when the tests run as root.
fn open_to_all() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o755)
}
