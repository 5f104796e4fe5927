//! A cheap origin: takes any request and gives one fixed answer.
//!
//! Runs in this program, one thread for each connection that Envoy keeps; lives until the row is done.

use std::io::{self, Read, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use anyhow::{Context as _, Result};

pub(crate) struct Sink {
    address: SocketAddr,
}

impl Sink {
    /// Answers every request with `body` from now on, until the program ends.
    pub(crate) fn start(body: String) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
        let address = listener.local_addr()?;
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let answer: Arc<[u8]> = [head.into_bytes(), body.into_bytes()].concat().into();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = Arc::clone(&answer);
                thread::spawn(move || serve(stream, &answer));
            }
        });
        Ok(Self { address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Reads requests and answers each once it has ended; a connection that breaks off ends the thread.
fn serve(mut stream: TcpStream, answer: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    let mut piece = vec![0_u8; 256 * 1024];
    loop {
        read_request(&mut stream, &mut buffer, &mut piece)?;
        stream.write_all(answer)?;
    }
}

/// Takes one request from `stream`, of which `buffer` holds what has come too early and `piece` is room to
/// read into. Envoy writes well-formed messages, so only the two ways it frames a body are understood.
pub(crate) fn read_request(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    piece: &mut [u8],
) -> io::Result<()> {
    let head = loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            break end + 4;
        }
        fill(stream, buffer, piece)?;
    };
    let mut end = head;
    match stated_length(&buffer[..head]) {
        Some(length) => {
            end += length;
            while buffer.len() < end {
                fill(stream, buffer, piece)?;
            }
        }
        None => loop {
            // Payloads of the rows are JSON text, in which the last chunk cannot occur.
            if let Some(last) = find(&buffer[head - 2..], b"\r\n0\r\n\r\n") {
                end += last + 5;
                break;
            }
            fill(stream, buffer, piece)?;
        },
    }
    buffer.drain(..end);
    Ok(())
}

fn fill(from: &mut impl Read, buffer: &mut Vec<u8>, piece: &mut [u8]) -> io::Result<()> {
    match from.read(piece)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        count => {
            buffer.extend_from_slice(&piece[..count]);
            Ok(())
        }
    }
}

/// The body's length, 0 without a body, `None` for chunks.
fn stated_length(head: &[u8]) -> Option<usize> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    if head.contains("\r\ntransfer-encoding: chunked") {
        return None;
    }
    let length = head
        .split_once("\r\ncontent-length:")
        .and_then(|(_, rest)| {
            rest.lines()
                .next()
                .and_then(|line| line.trim().parse().ok())
        });
    Some(length.unwrap_or(0))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustformations_tests::{Body, Request};

    #[test]
    fn every_framing_of_a_request_gets_the_one_answer() {
        let sink = Sink::start("fixed".to_owned()).unwrap();
        let ask = |method| Request::new(sink.address(), method, "/");
        assert_eq!(ask("GET").send().text(), "fixed");
        assert_eq!(ask("POST").body("{}").send().text(), "fixed");
        let chunks = Body::chunked().piece("{\"a\"").piece(":1}");
        assert_eq!(ask("POST").stream(chunks).send().text(), "fixed");
    }
}
