//! One stream: what was captured of its request, and the transforms of its two directions.
//!
//! Opened by the filter for each request, on the worker that serves it. The filter owns buffering
//! and local replies; this decides what the message becomes. Everything is rendered before
//! anything is applied, so that a failure leaves the message as it came.

use std::sync::Arc;

use crate::config::OnError;
use crate::direction::Direction;
use crate::error::Failure;
use crate::events::{EventStream, OpenedEvents};
use crate::message::HeaderSnapshot;
use crate::on_error::Place;
use crate::ops::TransformationOps;
use crate::program::{DirectionProgram, Program};

mod apply;
mod commands;
mod framing;
mod host;
mod render;
mod scratch;
mod view;

use commands::Captured;
use host::DirectionHost;

/// The state of one stream.
#[derive(Debug)]
pub struct Stream {
    program: Arc<Program>,
    /// What response templates read of the request, as the client sent it.
    captured: Option<HeaderSnapshot>,
    /// When the request came, in nanoseconds since 1970, if anything reads it.
    started: Option<i64>,
}

/// What of the body is at hand when a transform runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyAccess {
    /// The body, which may be empty, is complete if the program reads or writes it. A response whose
    /// status allows none is not given one.
    Whole,
    /// The body passes by unbuffered (a WebSocket, CONNECT), or there cannot be one. The body
    /// template is ignored, `body()` and `context()` are empty, and there are no JSON variables.
    HeadersOnly,
    /// There is no body and never will be, as in the response to HEAD. What the headers say of one is
    /// about that of the response to GET; it goes if there is a rule for the body. Templates see as
    /// much as with [`HeadersOnly`](Self::HeadersOnly).
    Absent,
    /// The body is a stream of events, which pass one by one. What reads or writes the body as a
    /// whole is left out, whatever `onError` says.
    Stream,
}

/// What became of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyChange {
    /// It is as it was.
    #[default]
    Unchanged,
    /// It was replaced, and `content-length` set, unless it came without one.
    Replaced,
    /// It was emptied, `content-length` set to 0 and `content-type` removed.
    Emptied,
    /// A rule set a status that allows no body: it was emptied, and whatever is still to come of it
    /// must be dropped. `content-length`, `transfer-encoding` and `content-type` were removed.
    Forbidden,
}

/// What a transform did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// Headers were written.
    pub headers: bool,
    /// What became of the body.
    pub body: BodyChange,
    /// Dynamic metadata was written.
    pub metadata: bool,
    /// The request's route is to be chosen again: what routes match on has changed, or the
    /// configuration says so. The program of the stream stays the same.
    pub reroute: bool,
    /// Writes that the host refused.
    pub refused: u32,
    /// What failed and was left out, the first of each kind: to be logged and counted.
    pub failures: Vec<Failure>,
}

impl Program {
    /// The state of one stream. Cannot fail, allocates nothing.
    pub fn open(self: &Arc<Self>) -> Stream {
        Stream::new(Arc::clone(self))
    }
}

impl Stream {
    pub(crate) fn new(program: Arc<Program>) -> Stream {
        Stream {
            program,
            captured: None,
            started: None,
        }
    }

    /// The program this stream runs.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Remembers what response templates read of the request, and when it came. To be called with the request
    /// headers as the client sent them; does nothing, and allocates nothing, unless
    /// [`Needs::captures_request_headers`](crate::Needs::captures_request_headers).
    pub fn on_request_headers(&mut self, ops: &(impl TransformationOps + ?Sized)) {
        if !self.program.captured.is_empty() && self.captured.is_none() {
            let names = &self.program.captured;
            self.captured = Some(HeaderSnapshot::take(ops, Direction::Request, names));
        }
        if self.program.reads_start {
            self.started.get_or_insert_with(|| ops.unix_nanoseconds());
        }
    }

    /// Transforms the request.
    ///
    /// # Errors
    /// If something fails and `onError` does not let the message pass: the host should answer with the
    /// error's status. Nothing was applied then.
    pub fn transform_request(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        body: BodyAccess,
    ) -> Result<Applied, Failure> {
        self.transform(Direction::Request, ops, body)
    }

    /// Transforms the response.
    ///
    /// # Errors
    /// As [`transform_request`](Self::transform_request).
    pub fn transform_response(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        body: BodyAccess,
    ) -> Result<Applied, Failure> {
        self.transform(Direction::Response, ops, body)
    }

    /// Decides whether the body of this response is a stream of events, which is never held, and
    /// whether the rules of `response.stream` are for it. To be called with the response headers as they came, before
    /// [`transform_response`](Self::transform_response), if
    /// [`DirectionNeeds::streams`](crate::DirectionNeeds::streams); the response of an answer other than
    /// [`OpenedEvents::NotAStream`] is then transformed with [`BodyAccess::Stream`].
    ///
    /// # Errors
    /// If the stream is compressed, there are rules for it, and `onError` is `fail`.
    pub fn open_events(
        &self,
        ops: &(impl TransformationOps + ?Sized),
    ) -> Result<OpenedEvents, Failure> {
        EventStream::open(&self.program, self.captured.as_ref(), ops)
    }

    fn transform(
        &self,
        direction: Direction,
        ops: &mut (impl TransformationOps + ?Sized),
        body: BodyAccess,
    ) -> Result<Applied, Failure> {
        let compiled = self.program.of(direction);
        if compiled.rules.is_empty() && compiled.body.is_none() && !compiled.always_reroutes {
            return Ok(Applied::default());
        }
        let needs = match direction {
            Direction::Request => &self.program.needs().request,
            Direction::Response => &self.program.needs().response,
        };
        let body = framing::access(
            compiled,
            needs,
            &DirectionHost {
                ops: &mut *ops,
                direction,
            },
            body,
        );
        scratch::with(|scratch| {
            let captured = Captured {
                headers: self.captured.as_ref(),
                started: self.started,
            };
            let rendered = render::all(&self.program, compiled, captured, ops, body, scratch);
            let mut outcome = match rendered {
                Ok(outcome) => outcome,
                Err(failure) => return go_over(compiled, failure),
            };
            let mut failures = std::mem::take(&mut outcome.failures);
            let edited = match outcome.edit(compiled, self.program.output_bytes) {
                Ok(edited) => edited,
                Err(failure) if compiled.on_error.leaves_out(failure.error(), Place::Body) => {
                    note(&mut failures, failure);
                    None
                }
                Err(failure) => return go_over(compiled, failure),
            };
            let mut applied = apply::all(
                compiled,
                ops,
                body,
                scratch,
                edited.as_ref(),
                outcome.read_bytes,
            );
            applied.failures = failures;
            Ok(applied)
        })
    }
}

/// What a failed transform comes to: an error, or a message that passes as it came.
fn go_over(compiled: &DirectionProgram, failure: Failure) -> Result<Applied, Failure> {
    if compiled.on_error != OnError::Skip {
        return Err(failure);
    }
    Ok(Applied {
        failures: vec![failure],
        ..Applied::default()
    })
}

/// Keeps the first failure of each kind.
fn note(failures: &mut Vec<Failure>, failure: Failure) {
    let kind = |failure: &Failure| failure.error().kind();
    if !failures.iter().any(|noted| kind(noted) == kind(&failure)) {
        failures.push(failure);
    }
}

#[cfg(test)]
mod tests;
