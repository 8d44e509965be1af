//! What a test can do to a server of its own, and what a start does about an earlier run's rest.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use pontoon::embedded::{Embedded, EmbeddedError};

use super::{eventually, lives};
use crate::support::{execute, own_server};

#[test]
fn a_killed_server_recovers_what_was_committed() {
    let mut server = own_server(Embedded::options().ephemeral().fsync(true).tcp());
    let (url, tcp_url, killed) = (
        server.url("postgres"),
        server.tcp_url("postgres"),
        server.pid(),
    );
    execute(
        &url,
        &["CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (42)"],
    );
    server.kill().unwrap();
    assert!(!server.is_running() && !lives(killed));
    server.restart().unwrap();
    assert_ne!(server.pid(), killed);
    assert_eq!(
        (server.url("postgres"), server.tcp_url("postgres")),
        (url.clone(), tcp_url),
        "the URLs stay"
    );
    assert_eq!(execute(&url, &["SELECT n FROM kept"]), ["42"]);
}

#[test]
fn a_running_server_restarts_on_its_data() {
    let mut server = own_server(Embedded::options().ephemeral());
    let before = server.pid();
    execute(&server.url("postgres"), &["CREATE TABLE kept (n int)"]);
    server.restart().unwrap();
    assert_ne!(server.pid(), before);
    assert_eq!(
        execute(&server.url("postgres"), &["SELECT count(*) FROM kept"]),
        ["0"]
    );
}

#[test]
fn an_open_transaction_does_not_delay_a_stop() {
    let server = own_server(Embedded::options().ephemeral());
    let url = server.url("postgres");
    let session = std::thread::spawn(move || {
        std::panic::catch_unwind(|| execute(&url, &["SELECT pg_sleep(600)"])).is_err()
    });
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep(600)%' AND pid <> pg_backend_pid()";
    eventually("the session is there", || {
        execute(&server.url("postgres"), &[busy]) == ["1"]
    });
    server.stop().unwrap();
    assert!(session.join().unwrap(), "the session was ended");
}

#[tokio::test]
async fn a_frozen_server_answers_nothing_until_it_thaws() {
    let server = own_server(Embedded::options().ephemeral());
    let (client, connection) =
        tokio_postgres::connect(&server.url("postgres"), tokio_postgres::NoTls)
            .await
            .unwrap();
    let driving = tokio::spawn(connection);
    server.freeze();
    let mut answer = Box::pin(client.simple_query("SELECT 1"));
    assert!(
        tokio::time::timeout(Duration::from_millis(300), &mut answer)
            .await
            .is_err(),
        "an open session hangs"
    );
    server.thaw();
    answer.await.unwrap();
    drop(client);
    driving.await.unwrap().unwrap();
}

#[test]
fn a_frozen_server_can_be_stopped() {
    let server = own_server(Embedded::options().ephemeral());
    let (pid, folder) = (server.pid(), server.folder().to_owned());
    server.freeze();
    server.stop().unwrap();
    assert!(!lives(pid) && !folder.exists());
}

#[test]
fn a_pid_file_of_another_process_does_not_stop_a_start() {
    let mut server = own_server(Embedded::options().ephemeral());
    execute(&server.url("postgres"), &["CREATE TABLE kept (n int)"]);
    server.kill().unwrap();
    let cluster = cluster_of(&server);
    let file = cluster.join("postmaster.pid");
    let text = std::fs::read_to_string(&file).unwrap();
    let rest = text.split_once('\n').unwrap().1;
    // The number was given to somebody else: a process that lives as long as this test.
    let mut other = Command::new("sleep")
        .arg("600")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::fs::write(&file, format!("{}\n{rest}", other.id())).unwrap();
    let restarted = server.restart();
    let untouched = lives(other.id());
    other.kill().unwrap();
    other.wait().unwrap();
    restarted.unwrap();
    assert_eq!(
        execute(&server.url("postgres"), &["SELECT count(*) FROM kept"]),
        ["0"]
    );
    assert!(untouched, "the other process goes on");
}

/// The cluster's folder of a server that does not run.
fn cluster_of(server: &Embedded) -> PathBuf {
    server.log().with_extension("")
}

#[test]
fn a_server_that_ended_by_itself_is_noticed() {
    let mut server = own_server(Embedded::options().ephemeral());
    let pid = i32::try_from(server.pid())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    eventually("the end is seen", || !server.is_running());
    let error = server.stop().unwrap_err();
    assert!(matches!(error, EmbeddedError::Stop { .. }), "{error}");
    assert!(
        error.to_string().contains("database system is shut down"),
        "the log's end is shown: {error}"
    );
}

#[test]
fn a_failed_start_shows_the_end_of_the_log() {
    let error = Embedded::options()
        .ephemeral()
        .settings([("work_mem", "much")])
        .start()
        .unwrap_err();
    assert!(matches!(error, EmbeddedError::Start { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("invalid value for parameter \"work_mem\""),
        "{error}"
    );
}

#[test]
fn a_start_that_takes_too_long_leaves_no_server() {
    let error = Embedded::options()
        .ephemeral()
        .start_timeout(Duration::ZERO)
        .start()
        .unwrap_err();
    let EmbeddedError::StartTimeout { folder, .. } = &error else {
        panic!("{error}")
    };
    assert!(!folder.exists(), "the temporary folder is removed");
}
