//! `serve`: what it refuses, its private server, and how it ends.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use pontoon::embedded::Embedded;
use rustix::process::{Pid, Signal, kill_process};

use super::{Place, Service, eventually, folder_of};
use crate::support::{Database, execute, own_server};

/// Holds a lock on the memories until it is dropped, so that a request for them hangs.
struct Lock {
    release: Option<mpsc::Sender<()>>,
    holder: Option<thread::JoinHandle<()>>,
}

impl Lock {
    fn take(url: &str) -> Self {
        let (release, released) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        let url = url.to_owned();
        let holder = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
                    .await
                    .unwrap();
                let driving = tokio::spawn(connection);
                client
                    .batch_execute("BEGIN; LOCK TABLE memories IN ACCESS EXCLUSIVE MODE")
                    .await
                    .unwrap();
                tell.send(()).unwrap();
                tokio::task::yield_now().await;
                while released.try_recv() == Err(mpsc::TryRecvError::Empty) {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
                client.batch_execute("COMMIT").await.unwrap();
                drop(client);
                driving.await.unwrap().unwrap();
            });
        });
        told.recv().unwrap();
        Self {
            release: Some(release),
            holder: Some(holder),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        drop(self.release.take());
        drop(self.holder.take().unwrap().join());
    }
}

/// A request that hangs on the lock, and its status once it is answered; 0 where it was cut off.
fn hanging_request(service: &Service, database: &Database) -> thread::JoinHandle<u16> {
    let url = format!("{}/memory", service.url());
    let request = thread::spawn(move || {
        let body = serde_json::json!({ "content": "kept over the shutdown" });
        let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
        agent
            .post(url)
            .send_json(&body)
            .map_or(0, |answer| answer.status().as_u16())
    });
    eventually("the request waits for the lock", || {
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        execute(&database.url, &[waits]) == ["1"]
    });
    request
}

#[test]
fn a_request_under_way_is_finished_after_a_signal() {
    let database = Database::create();
    let place = Place::on(&database);
    for signal in [Signal::TERM, Signal::INT] {
        let service = place.serve(&[]);
        let lock = Lock::take(&database.url);
        let request = hanging_request(&service, &database);
        service.signal(signal);
        let address = service.url().strip_prefix("http://").unwrap().to_owned();
        eventually("no connection is accepted", || {
            TcpStream::connect(&address).is_err()
        });
        drop(lock);
        assert_eq!(request.join().unwrap(), 201);
        let ran = service.end();
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran:?}");
    }
    let pools = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pontoon%' AND datname = current_database()";
    eventually("the pools are closed", || {
        execute(&database.url, &[pools]) == ["0"]
    });
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let database = Database::create();
    let place = Place::on(&database);
    let service = place.serve(&[]);
    let lock = Lock::take(&database.url);
    let request = hanging_request(&service, &database);
    service.signal(Signal::INT);
    let address = service.url().strip_prefix("http://").unwrap().to_owned();
    eventually("no connection is accepted", || {
        TcpStream::connect(&address).is_err()
    });
    service.signal(Signal::INT);
    assert_eq!(service.end().code, 130);
    assert_eq!(request.join().unwrap(), 0);
    drop(lock);
}

#[test]
fn a_frozen_database_does_not_keep_it_from_ending() {
    let server = own_server(Embedded::options().ephemeral().max_connections(40));
    let place = Place::new()
        .with("DATABASE_URL", &server.url("postgres"))
        // Else the call would be given up by itself, if not soon.
        .with("PONTOON_SESSION_STATEMENT_TIMEOUT", "10m")
        .with("PONTOON_ANSWER_TIMEOUT", "11m")
        // What the program itself does with its one connection may have the request open another.
        .with("PONTOON_ACQUIRE_TIMEOUT", "11m");
    let service = place.serve(&[]);
    assert_eq!(service.get("/memories").0, 200);
    server.freeze();
    let url = format!("{}/memories", service.url());
    let request = thread::spawn(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
        agent.get(url).call().is_ok()
    });
    eventually("the request waits for the server", || {
        service.status()["backends"]["blocking"]["in_flight"] == 1
    });
    service.signal(Signal::TERM);
    let ran = service.end_within(Duration::from_mins(1));
    ran.ends(
        0,
        &[
            "given up",
            "the pool of the blocking backend could not be closed in 5s",
        ],
    );
    assert!(!request.join().unwrap(), "nobody could answer");
    server.thaw();
    eventually("the sessions end with the process", || {
        let sessions =
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pontoon%'";
        execute(&server.url("postgres"), &[sessions]) == ["0"]
    });
}

#[test]
fn without_a_database_it_brings_its_own_which_ends_with_it() {
    let place = Place::new();
    let service = place.serve(&["--ephemeral"]);
    let url = service.ready["database"].as_str().unwrap().to_owned();
    assert_eq!(service.get("/ready").0, 200);
    let folder = folder_of(&url);
    assert!(folder.exists());
    service.signal(Signal::TERM);
    let ran = service.end();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        !folder.exists(),
        "the private server is stopped before the program ends"
    );
}

#[test]
fn a_killed_service_takes_its_private_server_with_it() {
    let place = Place::new();
    let service = place.serve(&["--ephemeral"]);
    let folder = folder_of(service.ready["database"].as_str().unwrap());
    let lives = || {
        let listed = Command::new("ps").args(["-eo", "args"]).output().unwrap();
        String::from_utf8_lossy(&listed.stdout).contains(folder.to_str().unwrap())
    };
    assert!(lives());
    service.signal(Signal::KILL);
    assert_eq!(service.end().code, -1);
    eventually("the private server is gone", || {
        !lives() && !folder.exists()
    });
}

/// The private server's own folder, and the id of its first process.
fn private_server(service: &Service) -> (PathBuf, u32) {
    let folder = folder_of(service.ready["database"].as_str().unwrap());
    let entries = folder.read_dir().unwrap();
    let cluster = entries
        .map(|entry| entry.unwrap().path())
        .find(|path| path.join("PG_VERSION").exists())
        .unwrap();
    let pid = first_process(&cluster).unwrap();
    (cluster, pid)
}

/// The id in a cluster's pid file; a server that starts may not have written it yet.
fn first_process(cluster: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}

fn kill(pid: u32) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

fn store(service: &Service, content: &str) {
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    agent
        .post(format!("{}/memory", service.url()))
        .send_json(serde_json::json!({ "content": content }))
        .unwrap();
}

#[test]
fn a_private_server_that_is_killed_is_started_again() {
    let service = Place::new().serve(&["--ephemeral"]);
    store(&service, "outlives the server");
    let (cluster, mut pid) = private_server(&service);
    for _ in 0..2 {
        kill(pid);
        eventually("another one runs", || {
            first_process(&cluster).is_some_and(|now| now != pid)
        });
        pid = first_process(&cluster).unwrap();
        eventually("the service goes on", || {
            service.get("/ready").0 == 200 && service.get("/memories").0 == 200
        });
    }
    assert!(service.get("/memories").1.contains("outlives the server"));
    store(&service, "stored by the new one");
    service.signal(Signal::TERM);
    service.end().ends(
        0,
        &[
            "the private PostgreSQL (pid",
            "has ended by itself, and is started again;",
            "has ended by itself, and is started again after 1s;",
            "takes connections again",
        ],
    );
}

#[test]
fn a_private_server_that_does_not_start_again_is_tried_anew() {
    let service = Place::new().serve(&["--ephemeral"]);
    let (cluster, pid) = private_server(&service);
    let (needed, away) = (cluster.join("global"), cluster.join("global.away"));
    std::fs::rename(&needed, &away).unwrap();
    kill(pid);
    eventually("it was tried more than once", || {
        service.log().matches("could not be started again").count() > 1
    });
    assert_eq!(service.get("/ready").0, 503);
    let log = service.log();
    assert!(log.contains("is tried anew after 2s"), "{log}");
    let file = cluster.with_extension("log");
    assert!(log.contains(file.to_str().unwrap()), "{log}");
    std::fs::rename(&away, &needed).unwrap();
    eventually("the service goes on", || service.get("/ready").0 == 200);
    service.signal(Signal::TERM);
    service.end().ends(0, &["takes connections again"]);
}

#[test]
fn data_in_a_named_folder_is_there_the_next_time() {
    let place = Place::new();
    let folder = tempfile::Builder::new()
        .prefix("pontoon-data-")
        .tempdir()
        .unwrap();
    open_to_all(folder.path());
    let data = folder.path().join("data");
    for expected in [0, 1] {
        let service = place.serve(&["--data-dir", data.to_str().unwrap()]);
        let listed: serde_json::Value = serde_json::from_str(&service.get("/memories").1).unwrap();
        assert_eq!(listed["count"], expected);
        store(&service, "stays");
        service.signal(Signal::TERM);
        assert_eq!(service.end().code, 0);
    }
}

/// Where the tests run as root, the private server runs as another user, who must get in.
fn open_to_all(folder: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).unwrap();
}

#[test]
fn a_database_that_does_not_come_is_waited_for_and_then_told() {
    let place = Place::new().with("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/db");
    let ran = place.run(&["serve", "--listen", "127.0.0.1:0", "--wait", "1s"]);
    ran.ends(
        5,
        &[
            "waiting up to 1s for the database",
            "could not be reached",
            "hint: ",
        ],
    );
    assert!(
        !ran.err.contains("hunter2") && ran.out.is_empty(),
        "{ran:?}"
    );
    place.run(&["serve", "--wait", "soon"]).ends(2, &["--wait"]);
}

#[test]
fn a_server_without_tls_is_not_waited_for() {
    let database = Database::create();
    let url = format!("{}?sslmode=require", database.tcp_url);
    assert!(!database.tcp_url.contains('?'));
    let place = Place::new().with("DATABASE_URL", &url);
    let began = Instant::now();
    let ran = place.run(&["serve", "--listen", "127.0.0.1:0", "--wait", "2m"]);
    ran.ends(5, &["TLS"]);
    assert!(began.elapsed() < Duration::from_mins(1), "{ran:?}");
}

#[test]
fn an_address_that_is_taken_is_told_at_once() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let place = Place::new().with("DATABASE_URL", "postgres://me@127.0.0.1:1/db");
    place
        .run(&["serve", "--listen", &address])
        .ends(6, &[&address, "in use by another process", "--listen"]);
}

#[test]
fn an_admin_api_that_others_can_reach_needs_a_token() {
    let database = Database::create();
    let place = Place::on(&database);
    let ran = place.run(&["serve", "--listen", "0.0.0.0:0"]);
    ran.ends(6, &["0.0.0.0:0", "PONTOON_ADMIN_TOKEN"]);
    let place = Place::on(&database).with("PONTOON_ADMIN_TOKEN", "a long secret");
    let service = place.serve(&[]);
    assert_eq!(service.get("/admin/status").0, 401);
    place.run(&["status", "--url", service.url()]).ends(0, &[]);
    let wrong = Place::on(&database).with("PONTOON_ADMIN_TOKEN", "another");
    wrong
        .run(&["status", "--url", service.url()])
        .ends(6, &["refused the token"]);
    let ran = {
        service.signal(Signal::TERM);
        service.end()
    };
    assert!(!ran.err.contains("a long secret"), "{ran:?}");
}

#[test]
fn what_was_counted_is_in_the_metrics() {
    let database = Database::create();
    let service = Place::on(&database).serve(&[]);
    assert_eq!(service.get("/ready").0, 200);
    assert_eq!(
        service.status()["keyless"],
        0,
        "the program's own questions are no units of work"
    );
    assert_eq!(service.get("/memories").0, 200);
    eventually("the gauges are set", || {
        let metrics = service.get("/metrics").1;
        metrics.contains("pontoon_pool_connections{backend=\"async\",state=\"idle\"}")
            && metrics.contains("pontoon_keyless_total{backend=\"bridge\"} 1\n")
    });
    let metrics = service.get("/metrics").1;
    let counted = metrics
        .lines()
        .find(|line| line.starts_with("pontoon_calls_total{backend=\"blocking\"}"))
        .unwrap();
    assert!(!counted.ends_with(" 0"), "{counted}");
    for name in [
        "pontoon_call_seconds_bucket{backend=\"blocking\",le=\"0.001\"}",
        "pontoon_executor_stall_seconds",
        "# HELP pontoon_in_flight",
    ] {
        assert!(metrics.contains(name), "{name} is not in {metrics}");
    }
}

#[test]
fn an_ephemeral_server_beside_a_database_is_refused() {
    let place = Place::new().with("DATABASE_URL", "postgres://me@127.0.0.1:1/db");
    place
        .run(&["serve", "--ephemeral"])
        .ends(2, &["--ephemeral"]);
}
