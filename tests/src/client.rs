//! The client of the tests: sends exactly the lines and pieces it is told to, and reports exactly what
//! came back and when.
//!
//! Called by tests on their own thread; the request is written by a second one, so that an answer
//! which starts before the request has ended is seen. One connection for each request, unless a test
//! holds a [`Connection`]. Gives up after [`PATIENCE`].

use std::io::{self, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::wire::{Body, Framing, Headers, Incoming, read_response, send_body, send_head};

/// How long the client waits for the next byte.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A request to send; nothing is added to it but `host` and the framing of its body.
#[derive(Clone, Debug)]
pub struct Request {
    to: SocketAddr,
    method: String,
    path: String,
    headers: Headers,
    body: Body,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header lines in order.
    pub headers: Headers,
    /// The body, dechunked.
    pub body: Vec<u8>,
    /// Trailer lines in order.
    pub trailers: Headers,
    /// The body as it arrived: time since the request was begun, and the piece.
    pub pieces: Vec<(Duration, Vec<u8>)>,
    /// Whether the connection broke off before the body had ended.
    pub cut: bool,
}

impl Request {
    /// A request to `to`, with no header but `host: lab.test`.
    pub fn new(to: SocketAddr, method: &str, path: &str) -> Self {
        let mut headers = Headers::default();
        headers.push("host", "lab.test");
        Self {
            to,
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            body: Body::none(),
        }
    }

    /// Adds a header line; a second one of the same name is a second line. `host` replaces.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if name.eq_ignore_ascii_case("host") {
            self.headers.0.retain(|(line, _)| line != "host");
        }
        self.headers.push(name, value.as_ref());
        self
    }

    /// Sets a body with `content-length`.
    #[must_use]
    pub fn body(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stream(Body::whole(bytes))
    }

    /// Sets a JSON body with its content type.
    #[must_use]
    pub fn json(self, document: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(document.to_string())
    }

    /// Sets a scripted body: chunks, pauses, trailers.
    #[must_use]
    pub fn stream(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Sends the request and reads the whole answer.
    ///
    /// # Panics
    /// When there is no answer: the test fails here with the reason.
    pub fn send(self) -> Answer {
        let line = format!("{} {}", self.method, self.path);
        match self.try_send() {
            Ok(answer) => answer,
            Err(error) => panic!("{line} got no answer: {error:#}"),
        }
    }

    /// As [`Request::send`] for requests that may rightly get no answer.
    ///
    /// # Errors
    /// When the connection fails, ends before a head, or is silent for [`PATIENCE`].
    pub fn try_send(self) -> Result<Answer> {
        self.begin()?.finish()
    }

    /// Sends the request and returns at the head of the answer, while the body is still to come.
    ///
    /// # Errors
    /// As [`Request::try_send`].
    pub fn begin(self) -> Result<Exchange> {
        let began = Instant::now();
        let stream = connect(self.to)?;
        let to_head = self.method == "HEAD";
        let mut writing = stream.try_clone()?;
        thread::spawn(move || {
            // A peer that answers early and closes makes this fail; the answer tells the story.
            if self.write(&mut writing).is_err() || self.body.is_cut() {
                let _ = writing.shutdown(Shutdown::Write);
            }
        });
        let mut incoming = Incoming::new(stream);
        let (status, headers, framing) =
            read_response(&mut incoming, to_head).context("no answer came")?;
        Ok(Exchange {
            began,
            status,
            headers,
            framing,
            incoming,
        })
    }

    fn write(&self, to: &mut TcpStream) -> io::Result<()> {
        let line = format!("{} {} HTTP/1.1", self.method, self.path);
        send_head(to, &line, &self.headers, &self.body, false)?;
        send_body(to, &self.body)
    }
}

fn connect(to: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, PATIENCE)
        .with_context(|| format!("cannot connect to {to}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// A connection that is kept for several requests.
pub struct Connection {
    writing: TcpStream,
    incoming: Incoming<TcpStream>,
}

impl Connection {
    /// Connects to `to`.
    ///
    /// # Errors
    /// When nothing listens there.
    pub fn open(to: SocketAddr) -> Result<Self> {
        let stream = connect(to)?;
        Ok(Self {
            writing: stream.try_clone()?,
            incoming: Incoming::new(stream),
        })
    }

    /// Sends all `requests` at once, then reads their answers in order. One request is a turn of a
    /// kept connection, several are a pipeline; they should fit into what the peer reads unasked.
    ///
    /// # Errors
    /// When an answer is missing, breaks off, or does not come within [`PATIENCE`].
    pub fn send(&mut self, requests: &[Request]) -> Result<Vec<Answer>> {
        let began = Instant::now();
        for request in requests {
            request
                .write(&mut self.writing)
                .context("the request cannot be written")?;
        }
        requests
            .iter()
            .map(|request| self.read_answer(began, request.method == "HEAD"))
            .collect()
    }

    fn read_answer(&mut self, began: Instant, to_head: bool) -> Result<Answer> {
        let (status, headers, mut framing) =
            read_response(&mut self.incoming, to_head).context("no answer came")?;
        let mut pieces = Vec::new();
        while let Some((at, piece)) = self.incoming.piece(&mut framing).context("a cut answer")? {
            pieces.push((at.duration_since(began), piece));
        }
        Ok(Answer {
            status,
            headers,
            body: joined(&pieces),
            trailers: self.incoming.take_trailers(),
            pieces,
            cut: false,
        })
    }
}

fn joined(pieces: &[(Duration, Vec<u8>)]) -> Vec<u8> {
    pieces
        .iter()
        .flat_map(|(_, piece)| piece.iter().copied())
        .collect()
}

/// An answer whose head has come and whose body is coming.
pub struct Exchange {
    began: Instant,
    /// The status code.
    pub status: u16,
    /// Header lines in order.
    pub headers: Headers,
    framing: Framing,
    incoming: Incoming<TcpStream>,
}

impl Exchange {
    /// The next piece of the body as the peer sent it, `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks off or is silent for [`PATIENCE`].
    pub fn next_piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(self
            .incoming
            .piece(&mut self.framing)?
            .map(|(_, piece)| piece))
    }

    /// Reads the rest.
    ///
    /// # Errors
    /// When the peer is silent for [`PATIENCE`]. A connection that breaks off is no error but
    /// [`Answer::cut`].
    pub fn finish(mut self) -> Result<Answer> {
        let mut pieces = Vec::new();
        let cut = loop {
            match self.incoming.piece(&mut self.framing) {
                Ok(Some((at, piece))) => pieces.push((at.duration_since(self.began), piece)),
                Ok(None) => break false,
                Err(error) if is_timeout(&error) => {
                    return Err(error).context("the answer stopped half way");
                }
                Err(_) => break true,
            }
        };
        Ok(Answer {
            status: self.status,
            headers: self.headers,
            body: pieces
                .iter()
                .flat_map(|(_, piece)| piece.iter().copied())
                .collect(),
            trailers: self.incoming.take_trailers(),
            pieces,
            cut,
        })
    }

    /// After a 101 or a CONNECT: the connection, both ways.
    pub fn into_tunnel(self) -> Tunnel {
        let (rest, stream) = self.incoming.into_rest();
        Tunnel { rest, stream }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// An upgraded connection.
pub struct Tunnel {
    rest: Vec<u8>,
    stream: TcpStream,
}

impl Tunnel {
    /// Sends `bytes` and reads as many back as `bytes` is long: what an echo answers.
    ///
    /// # Errors
    /// When the peer closes or is silent for [`PATIENCE`].
    pub fn echo(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.write_all(bytes)?;
        while self.rest.len() < bytes.len() {
            let mut piece = [0_u8; 4096];
            let count = io::Read::read(&mut self.stream, &mut piece)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.rest.extend_from_slice(&piece[..count]);
        }
        Ok(self.rest.drain(..bytes.len()).collect())
    }
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none: the test fails here and shows the body.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    /// The first value of header `name`, or `""`: for comparisons.
    pub fn header(&self, name: &str) -> String {
        self.headers.value(name).unwrap_or_default()
    }
}
