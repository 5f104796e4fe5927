//! An origin that speaks as a model does: any request gets one fixed stream of events, at a fixed pace.
//!
//! Runs in this program, one thread for each connection that Envoy keeps; lives until the row is done.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::sink::read_request;

/// What is said, and how.
pub(crate) struct Speech {
    /// What is written at once; each goes as one chunk.
    pub(crate) writes: Vec<String>,
    /// Between two writes.
    pub(crate) pause: Duration,
    /// Whether the stream ends; else it waits, as a model does that thinks, until the connection is closed.
    pub(crate) ends: bool,
}

impl Speech {
    /// The events `events`, `together` in one write.
    pub(crate) fn of(events: &[String], together: usize, pause: Duration) -> Self {
        let writes = events.chunks(together.max(1)).map(|write| write.concat());
        Self {
            writes: writes.collect(),
            pause,
            ends: true,
        }
    }
}

/// Where the model is.
pub(crate) struct Speaker {
    address: SocketAddr,
}

impl Speaker {
    /// Answers every request with `speech` from now on, until the program ends.
    pub(crate) fn start(speech: Speech) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
        let address = listener.local_addr()?;
        let speech = Arc::new(speech);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let speech = Arc::clone(&speech);
                // Thousands may be open at once, and none needs much.
                let small = thread::Builder::new().stack_size(64 << 10);
                // A connection that breaks off is the peer's affair.
                drop(small.spawn(move || serve(stream, &speech)));
            }
        });
        Ok(Self { address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

fn serve(mut stream: TcpStream, speech: &Speech) -> io::Result<()> {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
        transfer-encoding: chunked\r\n\r\n";
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    let mut piece = vec![0_u8; 4096];
    loop {
        read_request(&mut stream, &mut buffer, &mut piece)?;
        for (index, text) in speech.writes.iter().enumerate() {
            let mut write = Vec::with_capacity(text.len() + HEAD.len() + 32);
            match index {
                0 => write.extend_from_slice(HEAD),
                _ => thread::sleep(speech.pause),
            }
            write!(write, "{:x}\r\n{text}\r\n", text.len())?;
            if speech.ends && index + 1 == speech.writes.len() {
                write.extend_from_slice(b"0\r\n\r\n");
            }
            stream.write_all(&write)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustformations_tests::Request;

    #[test]
    fn events_come_together_as_told_and_the_stream_ends() {
        let events: Vec<String> = (0..5).map(|it| format!("data: {it}\n\n")).collect();
        let speaker = Speaker::start(Speech::of(&events, 2, Duration::from_millis(20))).unwrap();
        let answer = Request::new(speaker.address(), "POST", "/")
            .body("{}")
            .send();
        assert_eq!(answer.text(), events.concat());
        assert_eq!(answer.pieces.len(), 3);
        assert!(!answer.cut);
    }
}
