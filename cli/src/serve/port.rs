//! A port of 127.0.0.1: listened on, or kept for Envoy.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context, Result, bail};
use tokio::net::TcpSocket;

/// The port without `--port`.
const PORT: u16 = 10000;

/// Listens on the port that is asked for, if nobody else does.
///
/// # Errors
/// If somebody does.
pub(super) fn listen(port: Option<u16>) -> Result<TcpListener> {
    let port = port.unwrap_or(PORT);
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(listener) => Ok(listener),
        Err(error) => {
            bail!("port {port} cannot be used ({error}); choose another with --port, or 0 for any")
        }
    }
}

/// A port that is kept for Envoy, before it runs and while it starts anew. Envoy listens on it beside this socket,
/// which never listens and so gets no connections.
#[derive(Debug)]
pub(super) struct Reserved {
    address: SocketAddr,
    _socket: TcpSocket,
}

impl Reserved {
    /// Keeps the port that is asked for.
    ///
    /// # Errors
    /// If somebody listens on it.
    pub(super) fn new(port: Option<u16>) -> Result<Reserved> {
        // Whoever shares it with us would share it with anybody else: asked without sharing first.
        let address = listen(port)?.local_addr()?;
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseport(true)?;
        let bound = socket.bind(address);
        bound.with_context(|| format!("port {} cannot be kept", address.port()))?;
        Ok(Reserved {
            address,
            _socket: socket,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}
