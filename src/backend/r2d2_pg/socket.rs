//! The blocking driver's socket over TCP, with two holds on it that the driver does not give: opening it ends at a deadline, and any thread
//! can cut it while another waits in the driver for an answer.
//!
//! The driver hands the socket to its TLS connector before it sends a byte, if it is told that TLS begins at once. So it is told that, and
//! the connector does what the driver would do: it asks the server for TLS where the mode wants it, and goes on without where the mode
//! allows that. Over a unix socket the driver asks no connector, so that neither hold is there: opening waits for the server's process,
//! and a cut has no effect. That server runs on the same machine; when it ends, its sockets end with it.

use super::super::session::Tls;
use futures_util::future::BoxFuture;
use futures_util::task::AtomicWaker;
use postgres::config::{Config, Host, SslMode, SslNegotiation};
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use postgres_protocol::message::frontend;
use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How this backend's sockets are opened.
pub(super) struct Wiring {
    tls: Tls,
    mode: SslMode,
    tcp: bool,
}

impl Wiring {
    /// Has the driver leave TLS over TCP to this module.
    pub(super) fn new(config: &mut Config, tls: Tls) -> Self {
        let mode = config.get_ssl_mode();
        let tcp = config.get_hosts().iter().any(is_tcp);
        if tcp {
            config
                .ssl_mode(SslMode::Require)
                .ssl_negotiation(SslNegotiation::Direct);
        }
        Self { tls, mode, tcp }
    }

    /// Whether a request to cancel waits until it was heard. Some poolers end when whoever sent one goes before that.
    pub(super) fn waits_for_cancel(&self) -> bool {
        self.tcp
    }

    /// What the driver is given to open one socket, which the cord then belongs to.
    pub(super) fn connector(&self, cord: &Cord) -> Connector {
        Connector {
            tls: self.tls.clone(),
            mode: self.mode,
            cord: cord.clone(),
        }
    }
}

/// Whether the host is reached over TCP.
pub(super) fn is_tcp(host: &Host) -> bool {
    matches!(host, Host::Tcp(_))
}

/// A hold on one socket, from any thread.
#[derive(Clone)]
pub(super) struct Cord(Arc<State>);

struct State {
    /// Until then it must be open.
    deadline: Instant,
    /// Whether the other side closes it first.
    last: bool,
    ran_out: AtomicBool,
    open: AtomicBool,
    cut: AtomicBool,
    /// The thread that waits for the socket.
    waiting: AtomicWaker,
}

impl Cord {
    /// For a socket that has to be open within `limit`.
    pub(super) fn new(limit: Duration) -> Self {
        Self::with(limit, false)
    }

    /// For a request to cancel, which has been heard once the server closes the socket.
    pub(super) fn of_cancel(limit: Duration) -> Self {
        Self::with(limit, true)
    }

    fn with(limit: Duration, last: bool) -> Self {
        Self(Arc::new(State {
            deadline: Instant::now() + limit,
            last,
            ran_out: AtomicBool::new(false),
            open: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            waiting: AtomicWaker::new(),
        }))
    }

    /// The socket is open: from now on it may wait for as long as it takes.
    pub(super) fn opened(&self) {
        self.0.open.store(true, Ordering::Release);
    }

    /// Whether it was not open in time.
    pub(super) fn ran_out(&self) -> bool {
        self.0.ran_out.load(Ordering::Acquire)
    }

    /// Fails whatever waits for the socket, and all that comes after.
    pub(super) fn cut(&self) {
        self.0.cut.store(true, Ordering::Release);
        self.0.waiting.wake();
    }

    fn check(&self) -> io::Result<()> {
        if self.0.cut.load(Ordering::Acquire) {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "it was cut, because nobody waits for it any more",
            ));
        }
        Ok(())
    }
}

/// Opens a socket of the driver's; see the module.
#[derive(Clone)]
pub(super) struct Connector {
    tls: Tls,
    mode: SslMode,
    cord: Cord,
}

type Shaker = <Tls as MakeTlsConnect<Corded>>::TlsConnect;
type Failed = Box<dyn StdError + Send + Sync>;

impl MakeTlsConnect<postgres::Socket> for Connector {
    type Stream = Line;
    type TlsConnect = Negotiation;
    type Error = Failed;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Negotiation, Failed> {
        Ok(Negotiation {
            tls: MakeTlsConnect::<Corded>::make_tls_connect(&mut self.tls, domain)?,
            mode: self.mode,
            cord: self.cord.clone(),
        })
    }
}

/// What is agreed with the server on a socket before it is used.
pub(super) struct Negotiation {
    tls: Shaker,
    mode: SslMode,
    cord: Cord,
}

impl TlsConnect<postgres::Socket> for Negotiation {
    type Stream = Line;
    type Error = Failed;
    type Future = BoxFuture<'static, Result<Line, Failed>>;

    fn connect(self, socket: postgres::Socket) -> Self::Future {
        let deadline = self.cord.0.deadline;
        let mut socket = Corded {
            socket,
            cord: self.cord,
            timer: Some(Box::pin(sleep_until(deadline))),
        };
        let (tls, mode) = (self.tls, self.mode);
        Box::pin(async move {
            if mode == SslMode::Disable {
                return Ok(Line::Plain(socket));
            }
            let mut asked = bytes::BytesMut::new();
            frontend::ssl_request(&mut asked);
            socket.write_all(&asked).await?;
            match (socket.read_u8().await?, mode) {
                (b'S', _) => Ok(Line::Tls(Box::new(tls.connect(socket).await?))),
                // The driver's own words, which tell that waiting is of no use.
                (_, SslMode::Require) => Err("server does not support TLS".into()),
                _ => Ok(Line::Plain(socket)),
            }
        })
    }
}

/// A socket that a cord holds.
pub(super) struct Corded {
    socket: postgres::Socket,
    cord: Cord,
    /// Runs until the socket is open.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Corded {
    /// Does something with the socket, unless it was cut or is not open in time.
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut postgres::Socket>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        self.cord.check()?;
        self.in_time(cx)?;
        let done = poll(Pin::new(&mut self.socket), cx);
        if done.is_pending() {
            self.cord.0.waiting.register(cx.waker());
            // It may have been cut before the waker was there.
            self.cord.check()?;
        }
        done
    }

    fn in_time(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.timer.is_some() && self.cord.0.open.load(Ordering::Acquire) {
            self.timer = None;
        }
        let Some(timer) = &mut self.timer else {
            return Ok(());
        };
        if timer.as_mut().poll(cx).is_pending() {
            return Ok(());
        }
        self.cord.0.ran_out.store(true, Ordering::Release);
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the server did not answer in time",
        ))
    }
}

impl AsyncRead for Corded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll(cx, |socket, cx| socket.poll_read(cx, buf))
    }
}

impl AsyncWrite for Corded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(cx, |socket, cx| socket.poll_write(cx, buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut said = [0; 64];
        while self.cord.0.last {
            let mut buf = ReadBuf::new(&mut said);
            match self.as_mut().poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => {}
                Poll::Ready(_) => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        self.poll(cx, AsyncWrite::poll_shutdown)
    }
}

/// What the driver speaks through.
pub(super) enum Line {
    Plain(Corded),
    Tls(Box<<Tls as MakeTlsConnect<Corded>>::Stream>),
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl TlsStream for Line {
    fn channel_binding(&self) -> ChannelBinding {
        match self {
            Self::Plain(_) => ChannelBinding::none(),
            Self::Tls(stream) => stream.channel_binding(),
        }
    }
}
