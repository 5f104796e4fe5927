//! A streamed response on its way through the filter: each chunk is taken out, read event by event,
//! and replaced by what the rules of `response.stream` make of it. Nothing is buffered by Envoy; an
//! unfinished event waits in the library's decoder.
//!
//! Called on the stream's worker from the response body and trailers hooks.

use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, HttpMessage};
use transformations::{EventStream, Failure, Streamed};

/// The events of one response.
pub(super) struct Streaming {
    events: Box<EventStream>,
    /// What is to be sent for a chunk; kept for its memory.
    out: Vec<u8>,
}

/// What happened to a chunk.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// Failures that the configuration lets pass.
    pub(super) failed: u32,
    /// The first of them.
    pub(super) failure: Option<Failure>,
    /// Envoy did not take what it was given.
    pub(super) refused: bool,
}

impl Passed {
    fn add(&mut self, step: Streamed) {
        self.failed = self.failed.saturating_add(step.failed);
        self.failure = self.failure.take().or(step.failure);
    }
}

impl Streaming {
    pub(super) fn new(events: Box<EventStream>) -> Self {
        Self {
            events,
            out: Vec::new(),
        }
    }

    /// Replaces the received chunk. Only that: what Envoy shows as buffered may be held by another
    /// filter, and was here before.
    ///
    /// # Errors
    /// If an event fails for good: the response cannot be completed. The chunk is as it was.
    pub(super) fn on_body<EHF: EnvoyHttpFilter>(
        &mut self,
        envoy: &mut EHF,
        end_of_stream: bool,
    ) -> Result<Passed, Failure> {
        let received = HttpMessage::Response.received();
        let mut passed = Passed::default();
        let (mut length, mut same) = (0, true);
        self.out.clear();
        for chunk in envoy.body_chunks_mut(received).unwrap_or_default() {
            let chunk = chunk.as_slice();
            let start = self.out.len();
            passed.add(self.events.push(chunk, &mut self.out)?);
            same &= self.out.get(start..) == Some(chunk);
            length += chunk.len();
        }
        if end_of_stream {
            let start = self.out.len();
            passed.add(self.events.finish(&mut self.out)?);
            same &= self.out.len() == start;
        }
        if !same {
            let drained = length == 0 || envoy.drain_body(received, length);
            passed.refused =
                !(drained && (self.out.is_empty() || envoy.append_body(received, &self.out)));
        }
        Ok(passed)
    }

    /// Sends what is left when trailers end the body. There is no received chunk any more: what is
    /// appended to the buffered body goes out before the trailers.
    ///
    /// # Errors
    /// As [`on_body`](Self::on_body).
    pub(super) fn on_trailers<EHF: EnvoyHttpFilter>(
        &mut self,
        envoy: &mut EHF,
    ) -> Result<Passed, Failure> {
        let mut passed = Passed::default();
        self.out.clear();
        passed.add(self.events.finish(&mut self.out)?);
        let buffered = HttpMessage::Response.buffered();
        passed.refused = !self.out.is_empty() && !envoy.append_body(buffered, &self.out);
        Ok(passed)
    }
}
