//! The origin of the tests: an HTTP/1.1 server that records every request as it came and answers
//! from a script.
//!
//! Started by [`crate::lab::Lab`] or a test; one thread for each connection, all on 127.0.0.1. An
//! unscripted path is answered 200 with the body `ok`, so that tests of the request path need no
//! script.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::record::{Received, Record};
use crate::wire::{Body, Framing, Headers, Incoming, read_request, send_body, send_head};

/// What the origin answers.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Headers,
    body: Body,
    before_body: bool,
    tunnel: bool,
}

impl Reply {
    /// An answer with `status` and no body.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Headers::default(),
            body: Body::none(),
            before_body: false,
            tunnel: false,
        }
    }

    /// 200 with a JSON document.
    pub fn json(document: &Value) -> Self {
        Self::new(200)
            .header("content-type", "application/json")
            .body(document.to_string())
    }

    /// 200 with server-sent events, one chunk each, `pause` apart.
    pub fn events(events: &[&str], pause: Duration) -> Self {
        let reply = Self::new(200).header("content-type", "text/event-stream");
        reply.stream(Body::events(events, pause))
    }

    /// 101, then every byte comes back: a WebSocket server as far as a proxy can tell.
    pub fn echo_tunnel() -> Self {
        Self::upgrade("websocket")
    }

    /// 101 to an upgrade to any protocol, then every byte comes back.
    pub fn upgrade(protocol: &str) -> Self {
        let reply = Self::new(101)
            .header("connection", "upgrade")
            .header("upgrade", protocol);
        Self {
            tunnel: true,
            ..reply
        }
    }

    /// 200 to a CONNECT, then every byte comes back. Script it for the authority asked for.
    pub fn connect_tunnel() -> Self {
        Self {
            tunnel: true,
            ..Self::new(200)
        }
    }

    /// Adds a header line; a second one of the same name is a second line.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push(name, value.as_ref());
        self
    }

    /// Sets a body with `content-length`.
    #[must_use]
    pub fn body(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stream(Body::whole(bytes))
    }

    /// Sets a scripted body: chunks, pauses, trailers, a broken end.
    #[must_use]
    pub fn stream(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Answers as soon as the head of the request is there, before its body is read.
    #[must_use]
    pub fn before_body(mut self) -> Self {
        self.before_body = true;
        self
    }
}

#[derive(Default)]
struct Shared {
    record: Record<Reply>,
    stopped: AtomicBool,
}

/// A running origin; stops accepting when dropped.
pub struct Origin {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Origin {
    /// Starts an origin on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if accepting.stopped.load(Ordering::Acquire) {
                    return;
                }
                let shared = Arc::clone(&accepting);
                // A broken connection is the peer's affair; what was received is on record.
                thread::spawn(move || drop(serve(stream, &shared)));
            }
        });
        Ok(Self { address, shared })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests for `path` (without query) with `reply`, from now on.
    pub fn answer(&self, path: &str, reply: Reply) {
        self.answer_with(path, move |_| reply.clone());
    }

    /// Answers requests for `path` (without query) with what `script` makes of them, from now on.
    pub fn answer_with(&self, path: &str, script: impl Fn(&Received) -> Reply + Send + 'static) {
        self.shared.record.answer_with(path, script);
    }

    /// All requests so far, in the order they were complete.
    pub fn received(&self) -> Vec<Received> {
        self.shared.record.received()
    }

    /// The request that was complete last; waits a little for one.
    ///
    /// # Panics
    /// When none comes within five seconds.
    pub fn last(&self) -> Received {
        self.shared.record.last(Duration::from_secs(5))
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.shared.record.forget();
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        // Wakes the accepting thread, which then sees the flag.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writing = stream.try_clone()?;
    let mut incoming = Incoming::new(stream);
    while let Some((method, path, headers, mut framing)) = read_request(&mut incoming)? {
        let mut received = Received {
            method,
            path,
            headers,
            body: Vec::new(),
            trailers: Headers::default(),
            pieces: Vec::new(),
            cut: false,
        };
        let early = shared
            .record
            .reply(&received)
            .filter(|reply| reply.before_body);
        // What answers HEAD ends with its headers; more would be taken for the next answer.
        let head_only = received.method == "HEAD";
        if let Some(reply) = &early {
            send(&mut writing, reply, head_only)?;
        }
        read_body(&mut incoming, &mut framing, &mut received);
        let cut = received.cut;
        let reply = early.is_none().then(|| shared.record.reply(&received));
        shared.record.push(received);
        if cut {
            return Ok(());
        }
        let Some(reply) = reply else { continue };
        let reply = reply.unwrap_or_else(|| Reply::new(200).body("ok"));
        send(&mut writing, &reply, head_only)?;
        if reply.tunnel {
            return echo(incoming, writing);
        }
        if reply.body.is_cut() {
            return writing.shutdown(std::net::Shutdown::Both);
        }
    }
    Ok(())
}

fn read_body(incoming: &mut Incoming<TcpStream>, framing: &mut Framing, received: &mut Received) {
    loop {
        match incoming.piece(framing) {
            Ok(Some((at, piece))) => {
                received.body.extend_from_slice(&piece);
                received.pieces.push((at, piece));
            }
            Ok(None) => break,
            Err(_) => {
                received.cut = true;
                break;
            }
        }
    }
    received.trailers = incoming.take_trailers();
}

fn send(to: &mut TcpStream, reply: &Reply, head_only: bool) -> io::Result<()> {
    let line = format!("HTTP/1.1 {} Scripted", reply.status);
    let may_have_body = !reply.tunnel && reply.status >= 200 && !matches!(reply.status, 204 | 304);
    send_head(to, &line, &reply.headers, &reply.body, may_have_body)?;
    if head_only {
        return Ok(());
    }
    send_body(to, &reply.body)
}

fn echo(incoming: Incoming<TcpStream>, mut to: TcpStream) -> io::Result<()> {
    let (rest, mut from) = incoming.into_rest();
    to.write_all(&rest)?;
    let mut piece = [0_u8; 4096];
    loop {
        let count = from.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(&piece[..count])?;
    }
}
