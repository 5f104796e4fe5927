//! Reads messages: heads with their lines as sent, bodies piece by piece with the time each arrived.
//!
//! Called by the client and the origin, each on the thread that owns the connection. Anything that is
//! not HTTP/1.1 as Envoy writes it is an [`io::Error`] of kind `InvalidData`.

use std::io::{self, ErrorKind, Read};
use std::time::Instant;

use super::Headers;

const MAX_HEAD: usize = 64 * 1024;
const MAX_LINES: usize = 256;

/// How the end of a body is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Framing {
    /// There is no body.
    None,
    /// `content-length`.
    Length(u64),
    /// Chunks, then trailers.
    Chunked,
    /// Until the peer closes.
    UntilClose,
}

/// Buffered reading of one connection.
pub(crate) struct Incoming<R> {
    from: R,
    buffer: Vec<u8>,
    trailers: Headers,
    ended: bool,
}

impl<R: Read> Incoming<R> {
    pub(crate) fn new(from: R) -> Self {
        Self {
            from,
            buffer: Vec::new(),
            trailers: Headers::default(),
            ended: false,
        }
    }

    /// Takes what was read past the last message, and the connection.
    pub(crate) fn into_rest(self) -> (Vec<u8>, R) {
        (self.buffer, self.from)
    }

    /// Trailers of the body that was read last.
    pub(crate) fn take_trailers(&mut self) -> Headers {
        std::mem::take(&mut self.trailers)
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut piece = [0_u8; 64 * 1024];
        let count = self.from.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..count]);
        Ok(count)
    }

    /// The bytes of a head with its empty line; `None` when the peer closed before the first byte.
    fn head(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                return Ok(Some(self.buffer.drain(..end + 4).collect()));
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(invalid("a head of more than 64 KiB"));
            }
            if self.fill()? == 0 {
                return match self.buffer.is_empty() {
                    true => Ok(None),
                    false => Err(ErrorKind::UnexpectedEof.into()),
                };
            }
        }
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n") {
                let line = self.buffer.drain(..end + 2).take(end).collect();
                return Ok(line);
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(invalid("a line of more than 64 KiB"));
            }
            if self.fill()? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// The next piece of the body and when it arrived, `None` at its end. `framing` is updated as the
    /// body is consumed.
    pub(crate) fn piece(
        &mut self,
        framing: &mut Framing,
    ) -> io::Result<Option<(Instant, Vec<u8>)>> {
        match framing {
            Framing::None | Framing::Length(0) => Ok(None),
            Framing::Length(left) => {
                if self.buffer.is_empty() && self.fill()? == 0 {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                let count = (*left).min(self.buffer.len() as u64);
                *left -= count;
                Ok(Some((
                    Instant::now(),
                    self.buffer.drain(..count as usize).collect(),
                )))
            }
            Framing::UntilClose => {
                if self.buffer.is_empty() && (self.ended || self.fill()? == 0) {
                    self.ended = true;
                    return Ok(None);
                }
                Ok(Some((Instant::now(), std::mem::take(&mut self.buffer))))
            }
            Framing::Chunked => {
                let line = self.line()?;
                let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
                let length = std::str::from_utf8(digits)
                    .ok()
                    .and_then(|text| usize::from_str_radix(text.trim(), 16).ok())
                    .ok_or_else(|| invalid("a chunk without a length"))?;
                if length == 0 {
                    self.read_trailers()?;
                    *framing = Framing::None;
                    return Ok(None);
                }
                while self.buffer.len() < length + 2 {
                    if self.fill()? == 0 {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                let piece = self.buffer.drain(..length + 2).take(length).collect();
                Ok(Some((Instant::now(), piece)))
            }
        }
    }

    fn read_trailers(&mut self) -> io::Result<()> {
        self.trailers = Headers::default();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(());
            }
            let colon = line.iter().position(|byte| *byte == b':');
            let (name, value) = line.split_at(colon.ok_or_else(|| invalid("a bad trailer"))?);
            self.trailers
                .push(String::from_utf8_lossy(name), value[1..].trim_ascii());
        }
    }
}

/// A request's method, target, header lines and framing; `None` when the peer closed.
pub(crate) fn read_request(
    incoming: &mut Incoming<impl Read>,
) -> io::Result<Option<(String, String, Headers, Framing)>> {
    let Some(bytes) = incoming.head()? else {
        return Ok(None);
    };
    let mut lines = [httparse::EMPTY_HEADER; MAX_LINES];
    let mut request = httparse::Request::new(&mut lines);
    request.parse(&bytes).map_err(io::Error::other)?;
    let headers = to_headers(request.headers);
    let framing = match stated_framing(&headers)? {
        Framing::UntilClose => Framing::None,
        framing => framing,
    };
    let method = request.method.unwrap_or_default().to_owned();
    Ok(Some((
        method,
        request.path.unwrap_or_default().to_owned(),
        headers,
        framing,
    )))
}

/// A response's status, header lines and framing; interim (1xx) responses except 101 are skipped.
/// `to_head` says that the request was a HEAD, whose answer has no body whatever it announces.
pub(crate) fn read_response(
    incoming: &mut Incoming<impl Read>,
    to_head: bool,
) -> io::Result<(u16, Headers, Framing)> {
    loop {
        let bytes = incoming.head()?.ok_or(ErrorKind::UnexpectedEof)?;
        let mut lines = [httparse::EMPTY_HEADER; MAX_LINES];
        let mut response = httparse::Response::new(&mut lines);
        response.parse(&bytes).map_err(io::Error::other)?;
        let status = response.code.unwrap_or_default();
        if (100..200).contains(&status) && status != 101 {
            continue;
        }
        let headers = to_headers(response.headers);
        let framing = match status {
            101 | 204 | 304 => Framing::None,
            _ if to_head => Framing::None,
            _ => stated_framing(&headers)?,
        };
        return Ok((status, headers, framing));
    }
}

fn to_headers(lines: &[httparse::Header<'_>]) -> Headers {
    Headers(
        lines
            .iter()
            .map(|line| (line.name.to_owned(), line.value.to_vec()))
            .collect(),
    )
}

fn stated_framing(headers: &Headers) -> io::Result<Framing> {
    if headers
        .value("transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    {
        return Ok(Framing::Chunked);
    }
    match headers.value("content-length").map(|value| value.parse()) {
        None => Ok(Framing::UntilClose),
        Some(Ok(length)) => Ok(Framing::Length(length)),
        Some(Err(_)) => Err(invalid("a content-length that is no number")),
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}
