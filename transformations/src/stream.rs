//! One stream: what was captured of its request, and the transforms of its two directions.
//!
//! Opened by the filter for each request, on the worker that serves it. The filter owns buffering
//! and local replies; this decides what the message becomes. Everything is rendered before
//! anything is applied, so that a failure leaves the message as it came.

use std::sync::{Arc, OnceLock};

use crate::config::OnError;
use crate::direction::Direction;
use crate::error::Failure;
use crate::events::{EventStream, OpenedEvents};
use crate::message::{HeaderSnapshot, Reads, Vars};
use crate::needs::DirectionNeeds;
use crate::on_error::Place;
use crate::ops::TransformationOps;
use crate::program::{DirectionProgram, Program, Transforms};

mod apply;
mod choose;
mod commands;
mod framing;
mod host;
mod render;
mod reply;
mod scratch;
mod vars;
mod view;

use commands::Captured;
use host::DirectionHost;

pub use reply::Reply;

/// The state of one stream.
#[derive(Debug)]
pub struct Stream {
    program: Arc<Program>,
    /// What response templates read of the request, as the client sent it.
    captured: Option<HeaderSnapshot>,
    /// When the request came, in nanoseconds since 1970, if anything reads it.
    started: Option<i64>,
    request: Chosen,
    response: Chosen,
    /// Whether to answer in place of the upstream was decided by the headers.
    reply_is_decided: bool,
    /// The variables of the configuration, once something has read one.
    vars: OnceLock<Arc<Vars>>,
}

/// Which transform of a direction applies.
#[derive(Clone, Copy, Debug)]
enum Chosen {
    /// Its headers have to be asked.
    Undecided,
    Nothing,
    /// The one of this number.
    This(usize),
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
    /// The request is to be answered with this, and nothing was applied.
    pub reply: Option<Reply>,
    /// What failed and was left out, the first of each kind: to be logged and counted.
    pub failures: Vec<Failure>,
}

/// What is known of a message when its headers are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// The request is to be answered with this, without waiting for its body.
    pub reply: Option<Reply>,
    /// What failed and was left out, the first of each kind: to be logged and counted.
    pub failures: Vec<Failure>,
}

impl Chosen {
    /// What is known without a message.
    fn of(transforms: &Transforms) -> Chosen {
        match &*transforms.all {
            [] => Chosen::Nothing,
            [first, ..] if first.when.is_none() => Chosen::This(0),
            _ => Chosen::Undecided,
        }
    }
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
            captured: None,
            started: None,
            request: Chosen::of(&program.request),
            response: Chosen::of(&program.response),
            reply_is_decided: false,
            vars: OnceLock::new(),
            program,
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

    /// Decides which transform applies to a message, by its headers as they came, and whether to answer a
    /// request at once. To be called in the
    /// headers hook, before [`needs`](Self::needs) are known; the message of a host that did not ask is
    /// decided about when it is transformed. Costs nothing where there are no conditions.
    ///
    /// # Errors
    /// If a condition fails and `onError` does not let the message pass: the host should answer with the
    /// error's status.
    pub fn choose(
        &mut self,
        direction: Direction,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> Result<Decision, Failure> {
        let mut decision = Decision::default();
        if matches!(self.chosen(direction), Chosen::Undecided) {
            decision.failures = self.decide(direction, ops)?;
        }
        if direction == Direction::Request && !self.reply_is_decided {
            self.reply_is_decided = true;
            self.decide_reply(ops, &mut decision)?;
        }
        Ok(decision)
    }

    fn decide_reply(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        decision: &mut Decision,
    ) -> Result<(), Failure> {
        let Some((_, compiled)) = self.transform_of(Direction::Request) else {
            return Ok(());
        };
        let Some(rule) = compiled.reply.as_ref().filter(|rule| !rule.reads_body) else {
            return Ok(());
        };
        self.render_vars(&compiled.reads, ops);
        let decided = scratch::with(|scratch| {
            let text = &mut scratch.text;
            reply::decide(&self.program, compiled, rule, self.kept(), ops, text)
        });
        match decided {
            Ok((reply, failures)) => {
                decision.reply = reply;
                decision.failures.extend(failures);
                Ok(())
            }
            Err(failure) if compiled.on_error == OnError::Skip => {
                decision.failures.push(failure);
                self.request = Chosen::Nothing;
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    fn decide(
        &mut self,
        direction: Direction,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> Result<Vec<Failure>, Failure> {
        let transforms = self.program.of(direction);
        self.render_vars(&transforms.conditions.reads, ops);
        let (transform, failures) = scratch::with(|scratch| {
            choose::transform(
                &self.program,
                transforms,
                self.kept(),
                ops,
                &mut scratch.text,
            )
        })?;
        let chosen = transform.map_or(Chosen::Nothing, Chosen::This);
        match direction {
            Direction::Request => self.request = chosen,
            Direction::Response => self.response = chosen,
        }
        Ok(failures)
    }

    /// What the chosen transform of a direction reads and writes; nothing while that is open.
    pub fn needs(&self, direction: Direction) -> &DirectionNeeds {
        let chosen = self.transform_of(direction);
        chosen.map_or(&DirectionNeeds::NONE, |(_, compiled)| &compiled.needs)
    }

    fn chosen(&self, direction: Direction) -> Chosen {
        match direction {
            Direction::Request => self.request,
            Direction::Response => self.response,
        }
    }

    /// The chosen transform of a direction, and its number.
    fn transform_of(&self, direction: Direction) -> Option<(usize, &DirectionProgram)> {
        let Chosen::This(number) = self.chosen(direction) else {
            return None;
        };
        let compiled = self.program.of(direction).all.get(number)?;
        Some((number, compiled))
    }

    fn kept(&self) -> Captured<'_> {
        Captured {
            headers: self.captured.as_ref(),
            started: self.started,
            vars: self.vars.get(),
        }
    }

    /// Renders the variables that are about to be read for the first time.
    fn render_vars(&self, reads: &Reads, ops: &(impl TransformationOps + ?Sized)) {
        if reads.vars.is_empty() {
            return;
        }
        let program = &*self.program;
        let vars = self
            .vars
            .get_or_init(|| Arc::new(Vars::new(&program.vars.names)));
        vars::render(program, vars, &reads.vars, self.captured.as_ref(), ops);
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
        match self.transform_of(Direction::Response) {
            Some((number, compiled)) => {
                if let Some(events) = &compiled.events {
                    self.render_vars(&events.reads, ops);
                }
                let (captured, vars) = (self.captured.as_ref(), self.vars.get());
                EventStream::open(&self.program, number, captured, vars, ops)
            }
            None => Ok(OpenedEvents::NotAStream),
        }
    }

    fn transform(
        &mut self,
        direction: Direction,
        ops: &mut (impl TransformationOps + ?Sized),
        body: BodyAccess,
    ) -> Result<Applied, Failure> {
        let decision = self.choose(direction, ops)?;
        let noted = decision.failures;
        if decision.reply.is_some() {
            return Ok(Applied {
                reply: decision.reply,
                failures: noted,
                ..Applied::default()
            });
        }
        let chosen = self.transform_of(direction);
        let Some((_, compiled)) = chosen.filter(|(_, compiled)| compiled.has_rules()) else {
            return Ok(Applied {
                failures: noted,
                ..Applied::default()
            });
        };
        self.render_vars(&compiled.reads, ops);
        let body = framing::access(
            compiled,
            &compiled.needs,
            &DirectionHost {
                ops: &mut *ops,
                direction,
            },
            body,
        );
        scratch::with(|scratch| {
            let captured = self.kept();
            let rendered = render::all(&self.program, compiled, captured, ops, body, scratch);
            let mut outcome = match rendered {
                Ok(outcome) => outcome,
                Err(failure) => return go_over(compiled, failure),
            };
            let mut failures = noted;
            for failure in std::mem::take(&mut outcome.failures) {
                note(&mut failures, failure);
            }
            if outcome.reply.is_some() {
                return Ok(Applied {
                    reply: outcome.reply,
                    failures,
                    ..Applied::default()
                });
            }
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
