//! Accepts connections, serves them, and drains them at the shutdown.

use super::admin::Access;
use super::{Service, router};
use crate::app::{App, Limits};
use crate::error::{Error, ErrorKind, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

/// How long accepting rests when the process has no file descriptor left.
const REST: Duration = Duration::from_millis(50);

/// More headers than this the HTTP library refuses itself, before there is a request.
pub(super) const MOST_HEADERS: usize = 1000;

/// The client's address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Serves the HTTP API on `listener` until `shutdown` is done. Then it accepts nothing more, lets the requests that run finish for
/// [`Limits::drain_time`], gives up what is left, and returns.
///
/// # Errors
/// [`ErrorKind::Config`] when the listener can be reached from other machines and the app has no admin token: nothing is accepted then.
///
/// # Cancel safety
/// Every connection is closed at once.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<()> {
    let address = listener.local_addr().map_err(|error| {
        Error::new(ErrorKind::Config, "the listener has no address").with_source(error)
    })?;
    let limits = app.limits();
    let access = Arc::new(Access::new(address, app.admin_token())?);
    let router = router(Service { app, access });
    let mut connections = JoinSet::new();
    let (stop, stopped) = watch::channel(());
    let mut shutdown = pin!(shutdown);
    tracing::info!(%address, "listening on http://{address}");
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, Peer(peer), router.clone(), limits, stopped.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(REST).await;
                }
            },
        }
    }
    drop(listener);
    drop((stop, stopped));
    drain(connections, limits.drain_time).await;
    Ok(())
}

async fn drain(mut connections: JoinSet<()>, limit: Duration) {
    let finish = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limit, finish).await.is_err() {
        tracing::warn!(
            left = connections.len(),
            "connections still busy after {limit:?} are given up"
        );
        connections.shutdown().await;
    }
}

/// Serves one connection until its client or the shutdown ends it.
async fn connection(
    stream: TcpStream,
    peer: Peer,
    router: Router,
    limits: Limits,
    mut stopped: watch::Receiver<()>,
) {
    // An answer in two writes would wait for the client's delayed acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request)
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // More than is taken: what it refuses itself has neither a document nor an id.
        .max_headers(MOST_HEADERS)
        .header_read_timeout(limits.idle_time);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        // The sender is dropped to say so.
        _ = stopped.changed() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
