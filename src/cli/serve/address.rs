//! The address: taken at the start, so that a wrong one is told at once; listened on when everything behind it is ready.

use crate::cli::exit::{Failure, Outcome};
use crate::config::Settings;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpSocket};

/// How many connections wait to be accepted.
const BACKLOG: u32 = 1024;

/// An address that is this process's, on which nobody is let in yet.
#[derive(Debug)]
pub(super) struct Reserved {
    socket: TcpSocket,
    address: SocketAddr,
}

/// Others could operate the service where they reach it and need no token.
pub(super) fn refuse_open_admin(settings: &Settings) -> Outcome<()> {
    let open = settings.admin_token.is_none() && !settings.listen.ip().to_canonical().is_loopback();
    if open {
        Err(Failure::OpenAdmin(settings.listen))
    } else {
        Ok(())
    }
}

/// Takes the address.
pub(super) fn reserve(address: SocketAddr) -> Outcome<Reserved> {
    let wrong = |error| Failure::Listen(address, error);
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }
    .map_err(wrong)?;
    // Else a restart would wait for the connections of the run before.
    socket.set_reuseaddr(true).map_err(wrong)?;
    socket.bind(address).map_err(wrong)?;
    Ok(Reserved { socket, address })
}

impl Reserved {
    /// Lets connections in.
    pub(super) fn listen(self) -> Outcome<TcpListener> {
        self.socket
            .listen(BACKLOG)
            .map_err(|error| Failure::Listen(self.address, error))
    }
}
