//! Peers that take a connection and say nothing: a proxy whose server is gone, or something that is no PostgreSQL.

use crate::support::{Database, eventually, on_each_backend, open, query, refused};
use futures_util::future::join_all;
use pontoon::backend::{BackendKind, Budget, Settings};
use pontoon::error::Wait;
use pontoon::sql::Params;
use pontoon::{ErrorKind, Result};
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tokio::time::timeout;

on_each_backend!(
    opening_at_a_silent_peer_ends,
    opening_at_a_silent_peer_that_was_asked_for_tls_ends,
    a_caller_that_waits_has_one_connection_opened,
);

/// A proxy before a server: it forwards, or takes connections and keeps silent on them for good.
struct Proxy {
    silent: Arc<AtomicBool>,
    taken: Arc<AtomicUsize>,
}

impl Proxy {
    /// A proxy before the database's server, and the database's URL through it.
    fn before(database: &Database, mode: &str) -> (Self, String) {
        let mut url = url::Url::parse(&database.tcp_url).unwrap();
        let server = url.port().expect("it names its port");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (silent, taken) = (
            Arc::new(AtomicBool::new(true)),
            Arc::new(AtomicUsize::new(0)),
        );
        let (quiet, count) = (Arc::clone(&silent), Arc::clone(&taken));
        drop(thread::spawn(move || {
            let kept = Mutex::new(Vec::new());
            for client in listener.incoming().map_while(io::Result::ok) {
                count.fetch_add(1, Ordering::Relaxed);
                if quiet.load(Ordering::Relaxed) {
                    kept.lock().unwrap().push(client);
                } else if let Ok(server) = TcpStream::connect(("127.0.0.1", server)) {
                    forward(&client, &server);
                    forward(&server, &client);
                }
            }
        }));
        url.set_port(Some(port)).unwrap();
        url.set_query(Some(mode));
        (Self { silent, taken }, url.into())
    }
}

/// Copies what comes from one side to the other until either ends.
fn forward(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    drop(thread::spawn(move || {
        let _ended = io::copy(&mut from, &mut to);
        let _closed = to.shutdown(Shutdown::Both);
    }));
}

async fn opening_at_a_silent_peer_ends(kind: BackendKind) -> Result<()> {
    ends(kind, "sslmode=disable").await
}

async fn opening_at_a_silent_peer_that_was_asked_for_tls_ends(kind: BackendKind) -> Result<()> {
    ends(kind, "sslmode=prefer").await
}

async fn ends(kind: BackendKind, mode: &str) -> Result<()> {
    const TOTAL: usize = 4;
    let database = Database::create();
    let (proxy, url) = Proxy::before(&database, mode);
    let mut settings = Settings::default();
    settings.open_timeout = Duration::from_millis(500);
    settings.acquire_timeout = Duration::from_millis(2300);
    let budget = Budget::new(TOTAL);
    let backend = open(kind, &url, settings, &budget);
    let one = query("SELECT 1");
    let calls = join_all((0..TOTAL).map(|_| backend.execute(&one, Params::none())));
    let ended = timeout(Duration::from_secs(10), calls).await;
    for result in ended.expect("no call waits for the peer") {
        let error = refused(result);
        assert_eq!(error.kind(), ErrorKind::Timeout(Wait::Open), "{error:?}");
    }
    eventually("every slot comes back", || {
        (budget.in_use(), budget.open()) == (0, 0)
    })
    .await;
    assert!(proxy.taken.load(Ordering::Relaxed) > 0);
    // The peer keeps what it took. What is opened from now on reaches the server.
    proxy.silent.store(false, Ordering::Relaxed);
    for result in join_all((0..3 * TOTAL).map(|_| backend.execute(&one, Params::none()))).await {
        result?;
    }
    assert!((1..=TOTAL).contains(&budget.open()));
    let closed = timeout(Duration::from_secs(10), backend.close()).await;
    closed.expect("closing waits for no peer");
    assert_eq!((budget.in_use(), budget.open()), (0, 0));
    Ok(())
}

async fn a_caller_that_waits_has_one_connection_opened(kind: BackendKind) -> Result<()> {
    let database = Database::create();
    let (proxy, url) = Proxy::before(&database, "sslmode=disable");
    let mut settings = Settings::default();
    settings.open_timeout = Duration::from_secs(3);
    settings.acquire_timeout = Duration::from_millis(1500);
    let budget = Budget::new(6);
    let backend = open(kind, &url, settings, &budget);
    let error = refused(backend.ping().await);
    assert_eq!(error.kind(), ErrorKind::Timeout(Wait::Open), "{error:?}");
    assert_eq!(proxy.taken.load(Ordering::Relaxed), 1);
    // Who left is not waited for: the one that follows has its own opened, and no more.
    eventually("the slot comes back", || budget.open() == 0).await;
    proxy.silent.store(false, Ordering::Relaxed);
    for _ in 0..3 {
        backend.ping().await?;
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    // One more may have been asked for in the moment in which the second came.
    let taken = proxy.taken.load(Ordering::Relaxed);
    assert!((2..=3).contains(&taken), "{taken} connections");
    assert_eq!(budget.open(), taken - 1);
    backend.close().await;
    Ok(())
}
