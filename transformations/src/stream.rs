//! One stream: what was captured of its request, and the transforms of its two directions.
//!
//! Opened by the filter for each request, on the worker that serves it. The filter owns buffering
//! and local replies; this decides what the message becomes. Everything is rendered before
//! anything is applied, so that a failure leaves the message as it came.

use std::sync::Arc;

use crate::error::TransformError;
use crate::message::HeaderSnapshot;
use crate::ops::TransformationOps;
use crate::program::Program;
use crate::template::Phase;

mod apply;
mod render;
mod scratch;
mod side;

pub(crate) use apply::clean;

/// The state of one stream.
#[derive(Debug)]
pub struct Stream {
    program: Arc<Program>,
    /// What response templates read of the request, as the client sent it.
    captured: Option<HeaderSnapshot>,
}

/// What of the body is at hand when a transform runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyAccess {
    /// The body, which may be empty, is complete.
    Whole,
    /// The body passes by unbuffered (a WebSocket, CONNECT). The body template is ignored, `body()`
    /// and `context()` are empty, and templates that read JSON variables fail with a 400.
    HeadersOnly,
}

/// What became of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyChange {
    /// It is as it was.
    #[default]
    Unchanged,
    /// It was replaced, and `content-length` set.
    Replaced,
    /// It was emptied, `content-length` set to 0 and `content-type` removed.
    Emptied,
}

/// What a transform did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// Headers were written.
    pub headers: bool,
    /// What became of the body.
    pub body: BodyChange,
    /// Dynamic metadata was written.
    pub metadata: bool,
    /// A header that routes match on by nature was written.
    pub routes: bool,
    /// Writes that the host refused.
    pub refused: u32,
    /// The first failure that `onError` told to skip or continue over: to be logged and counted.
    pub error: Option<TransformError>,
}

impl Stream {
    pub(crate) fn new(program: Arc<Program>) -> Stream {
        Stream {
            program,
            captured: None,
        }
    }

    /// The program this stream runs.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Remembers what response templates read of the request. To be called with the request
    /// headers as the client sent them; does nothing, and allocates nothing, unless
    /// [`Needs::captures_request_headers`](crate::Needs::captures_request_headers).
    pub fn on_request_headers(&mut self, ops: &(impl TransformationOps + ?Sized)) {
        if !self.program.captured.is_empty() && self.captured.is_none() {
            let names = &self.program.captured;
            self.captured = Some(HeaderSnapshot::take(ops, Phase::Request, names));
        }
    }

    /// Transforms the request.
    ///
    /// # Errors
    /// If a template fails and `onError` is `fail`: the host should answer with the error's status.
    /// Nothing was applied then.
    pub fn transform_request(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        body: BodyAccess,
    ) -> Result<Applied, TransformError> {
        self.transform(Phase::Request, ops, body)
    }

    /// Transforms the response.
    ///
    /// # Errors
    /// As [`transform_request`](Self::transform_request).
    pub fn transform_response(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        body: BodyAccess,
    ) -> Result<Applied, TransformError> {
        self.transform(Phase::Response, ops, body)
    }

    fn transform(
        &self,
        phase: Phase,
        ops: &mut (impl TransformationOps + ?Sized),
        body: BodyAccess,
    ) -> Result<Applied, TransformError> {
        let half = self.program.half(phase);
        if half.rules.is_empty() && half.body.is_none() {
            return Ok(Applied::default());
        }
        scratch::with(|scratch| {
            let rendered = render::half(
                &self.program,
                half,
                self.captured.as_ref(),
                ops,
                body,
                scratch,
            );
            match rendered {
                Ok(error) => {
                    let mut applied = apply::half(half, ops, body, scratch);
                    applied.error = error;
                    Ok(applied)
                }
                Err(error) if half.on_error == crate::config::OnError::Skip => Ok(Applied {
                    error: Some(error),
                    ..Applied::default()
                }),
                Err(error) => Err(error),
            }
        })
    }
}

#[cfg(test)]
mod tests;
