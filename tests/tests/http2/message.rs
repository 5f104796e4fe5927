//! A message of an HTTP/2 stream: what one side sends, as a script, and how the other side reads it.
//!
//! Scripts are made by tests and played on the runtime of the client or of the origin, one frame for
//! each step. A message without steps and trailers ends with its head.

use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue};
use rustformations_tests::Headers;
use tokio::sync::watch;

/// A point in a script that is not passed until the test opens it.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    pub(crate) fn open(&self) {
        self.0.send_replace(true);
    }

    async fn pass(&self) {
        // Fails when the sender is gone, and this is one.
        let _ = self.0.subscribe().wait_for(|is_open| *is_open).await;
    }
}

#[derive(Clone, Debug)]
enum Step {
    Piece(Bytes),
    Wait(Gate),
    Reset,
}

/// A message to send.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    head: Headers,
    steps: Vec<Step>,
    trailers: Headers,
}

impl Message {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a header line. There is no `content-length` unless it is added here.
    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push(name, value);
        self
    }

    /// Adds a piece of the body.
    #[must_use]
    pub(crate) fn piece(mut self, bytes: impl Into<Bytes>) -> Self {
        self.steps.push(Step::Piece(bytes.into()));
        self
    }

    /// Waits here until `gate` is open.
    #[must_use]
    pub(crate) fn wait(mut self, gate: &Gate) -> Self {
        self.steps.push(Step::Wait(gate.clone()));
        self
    }

    /// Adds a line to the trailers, which end the message.
    #[must_use]
    pub(crate) fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.push(name, value);
        self
    }

    /// Ends the stream by a reset, `CANCEL`.
    #[must_use]
    pub(crate) fn reset(mut self) -> Self {
        self.steps.push(Step::Reset);
        self
    }

    /// The header lines, for the head of a request or response.
    pub(crate) fn head(&self) -> Result<HeaderMap> {
        to_map(&self.head)
    }

    pub(crate) fn ends_with_head(&self) -> bool {
        self.steps.is_empty() && self.trailers.0.is_empty()
    }

    /// Sends everything after the head.
    pub(crate) async fn play(self, to: &mut SendStream<Bytes>) -> Result<()> {
        if self.ends_with_head() {
            return Ok(());
        }
        let last = self.steps.len().saturating_sub(1);
        let mut has_ended = false;
        for (index, step) in self.steps.into_iter().enumerate() {
            match step {
                Step::Piece(bytes) => {
                    has_ended = index == last && self.trailers.0.is_empty();
                    to.send_data(bytes, has_ended)?;
                }
                Step::Wait(gate) => gate.pass().await,
                Step::Reset => {
                    to.send_reset(Reason::CANCEL);
                    return Ok(());
                }
            }
        }
        if !self.trailers.0.is_empty() {
            to.send_trailers(to_map(&self.trailers)?)?;
        } else if !has_ended {
            to.send_data(Bytes::new(), true)?;
        }
        Ok(())
    }
}

/// The next piece of a body, `None` at its end; makes room for as many bytes again.
pub(crate) async fn next_piece(body: &mut RecvStream) -> Option<Result<Bytes, h2::Error>> {
    let piece = body.data().await?;
    if let Ok(bytes) = &piece {
        // Fails only after the stream has ended, when there is no room to make.
        let _ = body.flow_control().release_capacity(bytes.len());
    }
    Some(piece)
}

fn to_map(headers: &Headers) -> Result<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in &headers.0 {
        map.append(
            HeaderName::from_bytes(name.as_bytes())?,
            HeaderValue::from_bytes(value)?,
        );
    }
    Ok(map)
}

pub(crate) fn from_map(map: &HeaderMap) -> Headers {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    Headers(map.iter().map(line).collect())
}
