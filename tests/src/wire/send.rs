//! Writes one message: the head at once, then the body step by step at the pace its script asks for.
//!
//! Called by the client on its sending thread and by the origin on the connection's thread.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use super::Headers;

/// A body to send, as a script: pieces, pauses between them, and how it ends.
///
/// With one piece and nothing else it goes with `content-length`; any further piece, pause or trailer
/// makes it chunked, one chunk for each piece.
#[derive(Clone, Debug, Default)]
pub struct Body {
    steps: Vec<Step>,
    trailers: Headers,
    chunked: bool,
    declared: Option<usize>,
    cut: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Piece(Vec<u8>),
    Pause(Duration),
}

impl Body {
    /// No body at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// `bytes` in one piece, announced by `content-length`.
    pub fn whole(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            steps: vec![Step::Piece(bytes.into())],
            ..Self::default()
        }
    }

    /// An empty chunked body, to which pieces, pauses and trailers are added.
    pub fn chunked() -> Self {
        Self {
            chunked: true,
            ..Self::default()
        }
    }

    /// Server-sent events: one chunk for each of `events` (the text after `data: `), `pause` apart.
    pub fn events(events: &[&str], pause: Duration) -> Self {
        events
            .iter()
            .enumerate()
            .fold(Self::chunked(), |body, (index, event)| {
                let body = if index == 0 { body } else { body.pause(pause) };
                body.piece(format!("data: {event}\n\n"))
            })
    }

    /// Adds a chunk.
    #[must_use]
    pub fn piece(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.chunked = true;
        self.steps.push(Step::Piece(bytes.into()));
        self
    }

    /// Waits before what comes next.
    #[must_use]
    pub fn pause(mut self, pause: Duration) -> Self {
        self.chunked = true;
        self.steps.push(Step::Pause(pause));
        self
    }

    /// Adds a trailer line.
    #[must_use]
    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        self.chunked = true;
        self.trailers.push(name, value);
        self
    }

    /// Announces `length` bytes whatever is sent: with a longer length than the pieces, followed by
    /// the close of the connection, a message that breaks off.
    #[must_use]
    pub fn declared(mut self, length: usize) -> Self {
        self.chunked = false;
        self.declared = Some(length);
        self.cut = true;
        self
    }

    /// Announces how long its pieces are together, in the place of chunks; called last.
    #[must_use]
    pub fn with_length(mut self) -> Self {
        self.chunked = false;
        self
    }

    /// Closes the connection where the body would have ended, without saying that it ended.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.cut = true;
        self
    }

    /// Whether it ends with trailers.
    pub fn has_trailers(&self) -> bool {
        !self.trailers.0.is_empty()
    }

    /// Whether the connection must be closed after this body.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }
}

/// Writes the start line and header lines, with the framing line that `body` needs unless the caller
/// has set one.
pub(crate) fn send_head(
    to: &mut impl Write,
    start_line: &str,
    headers: &Headers,
    body: &Body,
    empty_length: bool,
) -> io::Result<()> {
    let mut head = Vec::with_capacity(512);
    head.extend_from_slice(start_line.as_bytes());
    head.extend_from_slice(b"\r\n");
    for (name, value) in &headers.0 {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    }
    if !headers.has("content-length") && !headers.has("transfer-encoding") {
        let length: usize = body.steps.iter().map(Step::len).sum();
        if body.chunked {
            head.extend_from_slice(b"transfer-encoding: chunked\r\n");
        } else if length > 0 || body.declared.is_some() || empty_length {
            let length = body.declared.unwrap_or(length);
            head.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
        }
    }
    head.extend_from_slice(b"\r\n");
    to.write_all(&head)
}

/// Writes the body as its script says.
pub(crate) fn send_body(to: &mut impl Write, body: &Body) -> io::Result<()> {
    for step in &body.steps {
        match step {
            Step::Pause(pause) => thread::sleep(*pause),
            Step::Piece(bytes) if bytes.is_empty() => {}
            Step::Piece(bytes) if body.chunked => {
                let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
                chunk.extend_from_slice(bytes);
                chunk.extend_from_slice(b"\r\n");
                to.write_all(&chunk)?;
            }
            Step::Piece(bytes) => to.write_all(bytes)?,
        }
    }
    if body.chunked && !body.cut {
        let mut end = b"0\r\n".to_vec();
        for (name, value) in &body.trailers.0 {
            end.extend_from_slice(name.as_bytes());
            end.extend_from_slice(b": ");
            end.extend_from_slice(value);
            end.extend_from_slice(b"\r\n");
        }
        end.extend_from_slice(b"\r\n");
        to.write_all(&end)?;
    }
    to.flush()
}

impl Step {
    fn len(&self) -> usize {
        match self {
            Self::Piece(bytes) => bytes.len(),
            Self::Pause(_) => 0,
        }
    }
}
