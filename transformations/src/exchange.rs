//! The life of one request and its response.
//!
//! Opened by the host for each request, on the worker that serves it, and told of everything that
//! happens: headers, pieces of bodies, trailers, the end. It answers what the host is to do with that
//! piece, and does no input or output of its own. What HTTP says about messages is decided here:
//!
//! - nothing to do in a direction: every piece of it passes;
//! - no template reads or writes the body: transformed with the headers, nothing is held;
//! - otherwise headers and body are held, and the piece that ends the message transforms it.
//!
//! A response whose body is a stream of events is never held: its headers are transformed when they
//! come, and its events one by one, if there are rules for them. An event that fails for good ends such
//! a response in the middle.
//!
//! Upgrades (CONNECT, WebSocket and others) have no end to wait for: both directions are transformed
//! with their headers, without a body. A response that must not have a body (to HEAD, 204, 205, 304) is
//! not given one, and loses the one that it has if a rule makes it such a response: the bytes would be
//! taken for the next response on the connection. An answer that comes while the request is held is not
//! from upstream; that request is not transformed any more.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::ai::AiExchange;
use crate::config::OnError;
use crate::direction::Direction;
use crate::error::{Failure, FieldId, StageName, TransformErrorKind};
use crate::message::{HeaderSnapshot, Reads, Vars};
use crate::needs::DirectionNeeds;
use crate::ops::TransformationOps;
use crate::program::{Program, Stages, Transforms};
use crate::stages::events::{EventStream, Opened};
use crate::stages::reply::{self, OwnReply};
use crate::stages::vars;
use crate::stages::{self, Applied, BodyAccess, BodyChange, Captured};

mod ai;
mod answer;
mod method;

pub use answer::{Answer, Next, Reply};
use method::Method;

/// The state of one exchange.
#[derive(Debug)]
pub struct Exchange {
    program: Arc<Program>,
    /// The first hook was there.
    begun: bool,
    /// What response templates read of the request, as the client sent it.
    captured: Option<HeaderSnapshot>,
    /// When the request came, in nanoseconds since 1970, if anything reads it.
    started: Option<i64>,
    method: Method,
    request: Flow,
    response: Flow,
    /// The variables of the configuration, once something has read one.
    vars: OnceCell<Arc<Vars>>,
    /// Which transforms apply.
    chosen: [Chosen; 2],
    /// The answer came while the request was held, so it is not from upstream.
    request_was_overtaken: bool,
    /// What has come of a message that is kept here.
    kept: Vec<u8>,
    /// What is known of it as LLM traffic, if that is asked.
    ai: Option<Box<AiExchange>>,
    /// The events of the response, if they are to be transformed.
    events: Option<Box<EventStream>>,
    /// What is to be sent for a piece of them; kept for its memory.
    out: Vec<u8>,
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

impl Chosen {
    /// What is known without a message.
    #[inline]
    fn of(transforms: &Transforms) -> Chosen {
        match &*transforms.all {
            [] => Chosen::Nothing,
            [first, ..] if first.when.is_some() => Chosen::Undecided,
            [first, ..] if !first.needs.has_work() => Chosen::Nothing,
            _ => Chosen::This(0),
        }
    }
}

/// How the message of one direction passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Flow {
    /// Piece by piece, as it comes.
    #[default]
    Passing,
    /// All of it waits for its end, with the host.
    Held,
    /// The same, in memory of our own, of which there may be so many bytes.
    Kept(u64),
    /// The body is of our own making, and may not fit.
    Written,
    /// The message must not have a body any more: what comes of it is dropped.
    Dropping,
}

/// What ended a message that is being transformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Its head or its body.
    Message,
    /// Trailers, which HTTP/1.1 can only send behind a body without a length.
    Trailers,
}

impl Program {
    /// The state of one exchange. Cannot fail, allocates nothing.
    pub fn open(self: &Arc<Self>) -> Exchange {
        Exchange {
            chosen: [Chosen::of(&self.request), Chosen::of(&self.response)],
            program: Arc::clone(self),
            vars: OnceCell::new(),
            begun: false,
            captured: None,
            started: None,
            method: Method::Other,
            request: Flow::Passing,
            response: Flow::Passing,
            request_was_overtaken: false,
            kept: Vec::new(),
            ai: None,
            events: None,
            out: Vec::new(),
        }
    }
}

impl Exchange {
    /// The program that this exchange runs.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The headers of the request have come, as the client sent them.
    pub fn on_request_headers(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
    ) -> Answer {
        self.begin(ops);
        if let ([Chosen::Nothing, _], None) = (&self.chosen, &self.ai) {
            return Answer::pass();
        }
        let mut noted = match self.choose(Direction::Request, ops) {
            Ok(noted) => noted,
            Err(failure) => return self.refuse(failure),
        };
        match self.reply_at_once(ops, &mut noted) {
            Ok(None) => {}
            Ok(Some(reply)) => return self.reply(reply).with(noted),
            Err(failure) if self.skips(Direction::Request) => {
                noted.push(failure);
                let [request, _] = &mut self.chosen;
                *request = Chosen::Nothing;
            }
            Err(failure) => return self.refuse(failure).with(noted),
        }
        let needs = self.needs(Direction::Request);
        let is_open = !end_of_stream && self.method != Method::Upgrade;
        let answer = if !needs.has_work() && self.ai.is_none() {
            Answer::pass()
        } else if is_open && let Some(limit) = self.ai_holds_request(ops) {
            self.request = Flow::Kept(limit.max(needs.max_body_bytes.unwrap_or_default()));
            Answer::hold()
        } else if is_open && needs.buffers() {
            self.hold(Direction::Request, ops)
        } else {
            self.transform_request(ops, End::Message, end_of_stream)
        };
        answer.with(noted)
    }

    /// A piece of the request's body has come.
    pub fn on_request_body(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
    ) -> Answer {
        self.on_body(Direction::Request, ops, end_of_stream)
    }

    /// The request has ended with trailers.
    pub fn on_request_trailers(&mut self, ops: &mut (impl TransformationOps + ?Sized)) -> Answer {
        self.on_trailers(Direction::Request, ops)
    }

    /// The headers of a response have come, from upstream or from whoever answers in its place.
    pub fn on_response_headers(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
    ) -> Answer {
        if self.ai_has_refused() {
            return Answer::pass();
        }
        let read = self.ai_response_headers(ops, end_of_stream);
        self.response_headers(ops, end_of_stream).after(read)
    }

    fn response_headers(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
    ) -> Answer {
        // Somebody may have answered before the request came here.
        self.begin(ops);
        if let Flow::Held | Flow::Kept(_) = self.request {
            // It will not be transformed any more: it has its answer.
            self.request_was_overtaken = self.request == Flow::Held;
            self.request = Flow::Passing;
            self.kept = Vec::new();
        }
        if let [_, Chosen::Nothing] = self.chosen {
            return Answer::pass();
        }
        let mut noted = match self.choose(Direction::Response, ops) {
            Ok(noted) => noted,
            Err(failure) => return self.refuse(failure),
        };
        let needs = self.needs(Direction::Response);
        if !needs.has_work() {
            return Answer::pass().with(noted);
        }
        let (holds, minds_events) = (needs.buffers(), needs.minds_events());
        // A tunnel that the request need not have asked for here.
        if holds && method::switches_protocols(ops) {
            self.method = Method::Upgrade;
        }
        let mut access = BodyAccess::Whole;
        if minds_events && !end_of_stream {
            match self.open_events(ops) {
                Ok(Opened::NotAStream) => {}
                Ok(Opened::PassingBy) => access = BodyAccess::Stream,
                Ok(Opened::Unreadable(failure)) => {
                    access = BodyAccess::Stream;
                    noted.push(failure);
                }
                Ok(Opened::Stream(events)) => {
                    access = BodyAccess::Stream;
                    self.events = Some(events);
                }
                Err(failure) => return self.refuse(failure),
            }
        }
        if access == BodyAccess::Whole && holds && !end_of_stream && self.method != Method::Upgrade
        {
            return self.hold(Direction::Response, ops).with(noted);
        }
        let access = match access {
            BodyAccess::Stream => access,
            _ => self.method.response_access(),
        };
        let answer = self.transform_with(Direction::Response, ops, End::Message, access);
        if matches!(answer.next, Next::Reply(_)) {
            self.events = None;
        }
        if self.events.is_some() {
            // How long the events become shows when they have come.
            ops.remove_response_header("content-length");
        }
        if self.events.as_ref().is_some_and(|events| events.decodes()) {
            ops.remove_response_header("content-encoding");
        }
        answer.with(noted)
    }

    /// A piece of the response's body has come.
    pub fn on_response_body(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
    ) -> Answer {
        if self.ai_has_refused() {
            return Answer::pass();
        }
        let read = self.ai_response_body(ops, end_of_stream);
        let answer = match self.events {
            Some(_) => self.on_events(ops, end_of_stream),
            None => self.on_body(Direction::Response, ops, end_of_stream),
        };
        answer.after(read)
    }

    /// The response has ended with trailers.
    pub fn on_response_trailers(&mut self, ops: &mut (impl TransformationOps + ?Sized)) -> Answer {
        if self.ai_has_refused() {
            return Answer::pass();
        }
        let (rest, mut read) = self.ai_response_trailers(ops).unzip();
        let rest = rest.unwrap_or_default();
        let answer = match self.events {
            Some(_) => self.on_end_of_events(ops, &rest),
            None => {
                let is_sent = rest.is_empty() || ops.append_response_body(&rest);
                if let Some(read) = &mut read {
                    read.refused += u32::from(!is_sent);
                }
                self.on_trailers(Direction::Response, ops)
            }
        };
        answer.after(read)
    }

    /// The exchange is over, completed or not. Answers the failure that ended it, if it was the size of a
    /// body that was held or written here.
    pub fn on_complete(&mut self, ops: &mut (impl TransformationOps + ?Sized)) -> Option<Failure> {
        self.ai_complete(ops);
        let request_was_held = self.request == Flow::Held || self.request_was_overtaken;
        let direction = if self.response == Flow::Held {
            ops.held_too_much(Direction::Response)
                .then_some(Direction::Response)
        } else if request_was_held {
            ops.held_too_much(Direction::Request)
                .then_some(Direction::Request)
        } else {
            let flows = [
                (Direction::Request, self.request),
                (Direction::Response, self.response),
            ];
            let mut written = flows.into_iter().filter(|(_, flow)| *flow == Flow::Written);
            let found = written.find(|(direction, _)| ops.wrote_too_much(*direction));
            found.map(|(direction, _)| direction)
        }?;
        let kind = TransformErrorKind::BodyTooLarge;
        let stages = self.stages(direction);
        let field = stages.map_or(FieldId::NONE, |stages| stages.body_field);
        Some(Failure::new(
            kind.into(),
            StageName::Transform,
            direction,
            field,
        ))
    }

    /// The first hook of the exchange: remembers what the response will want to know of the request.
    fn begin(&mut self, ops: &(impl TransformationOps + ?Sized)) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        if self.program.ai.is_some() {
            self.ai = Some(Box::new(AiExchange::new(ops.unix_nanoseconds())));
        }
        let needs = self.program.needs();
        if needs.captures_request_headers {
            let names = &self.program.captured;
            if !names.is_empty() {
                self.captured = Some(HeaderSnapshot::take(ops, Direction::Request, names));
            }
            if self.program.reads_start {
                self.started = Some(ops.unix_nanoseconds());
            }
        }
        if needs.request.buffers() || needs.response.buffers() {
            self.method = Method::of_request(ops);
        }
    }

    /// Decides which transform applies to a message, by its headers as they came: here, and nowhere else.
    /// Answers what failed and counted as false. Costs nothing where there are no conditions.
    #[inline]
    fn choose(
        &mut self,
        direction: Direction,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> Result<Vec<Failure>, Failure> {
        match self.chosen.get(direction as usize) {
            Some(Chosen::Undecided) => self.choose_by_conditions(direction, ops),
            _ => Ok(Vec::new()),
        }
    }

    fn choose_by_conditions(
        &mut self,
        direction: Direction,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> Result<Vec<Failure>, Failure> {
        let transforms = self.program.of(direction);
        self.render_vars(&transforms.conditions.reads, ops);
        let (transform, failures) =
            stages::choose(&self.program, transforms, self.remembered(), ops)?;
        if let Some(chosen) = self.chosen.get_mut(direction as usize) {
            *chosen = transform.map_or(Chosen::Nothing, Chosen::This);
        }
        Ok(failures)
    }

    /// The answer in place of the upstream, if it does not take the body to decide that there is one.
    fn reply_at_once(
        &self,
        ops: &mut (impl TransformationOps + ?Sized),
        noted: &mut Vec<Failure>,
    ) -> Result<Option<OwnReply>, Failure> {
        let stages = self.stages(Direction::Request);
        let Some(stages) = stages.filter(|it| it.replies_at_once) else {
            return Ok(None);
        };
        for compiled in stages.templates() {
            let rule = compiled.reply.as_ref().filter(|rule| !rule.reads_body);
            let Some(rule) = rule else { continue };
            self.render_vars(&compiled.reads, ops);
            let (reply, failures) =
                reply::decide(&self.program, compiled, rule, self.remembered(), ops)?;
            noted.extend(failures);
            if reply.is_some() {
                return Ok(reply);
            }
        }
        Ok(None)
    }

    /// Whether a message whose transform fails passes as it came.
    fn skips(&self, direction: Direction) -> bool {
        let stages = self.stages(direction);
        stages.is_some_and(|stages| stages.on_error == OnError::Skip)
    }

    /// What happens to the messages of a direction, as far as that is decided.
    fn stages(&self, direction: Direction) -> Option<&Stages> {
        match self.chosen.get(direction as usize) {
            Some(Chosen::This(number)) => self.program.of(direction).all.get(*number),
            _ => None,
        }
    }

    /// What the transform of a direction reads and writes; nothing while it is not decided which applies.
    pub fn needs(&self, direction: Direction) -> &DirectionNeeds {
        let stages = self.stages(direction);
        stages.map_or(&DirectionNeeds::NONE, |stages| &stages.needs)
    }

    fn remembered(&self) -> Captured<'_> {
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
        let names = &self.program.vars.names;
        let vars = self.vars.get_or_init(|| Arc::new(Vars::new(names)));
        vars::render(
            &self.program,
            vars,
            &reads.vars,
            self.captured.as_ref(),
            ops,
        );
    }

    fn open_events(&self, ops: &(impl TransformationOps + ?Sized)) -> Result<Opened, Failure> {
        let [_, Chosen::This(transform)] = self.chosen else {
            return Ok(Opened::NotAStream);
        };
        if let Some(rules) = self.program.events(transform) {
            self.render_vars(&rules.reads, ops);
        }
        let (captured, vars) = (self.captured.as_ref(), self.vars.get());
        EventStream::open(&self.program, transform, captured, vars, ops)
    }

    fn flow(&mut self, direction: Direction) -> &mut Flow {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    fn hold(
        &mut self,
        direction: Direction,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> Answer {
        let wanted = self.needs(direction).max_body_bytes;
        *self.flow(direction) = match ops.hold_at_most(wanted) {
            Some(limit) => Flow::Kept(limit),
            None => Flow::Held,
        };
        Answer::hold()
    }

    /// Takes what came of a body into memory of our own: here, and nowhere else. Answers an error if it
    /// does not fit, or the host does not let go of it; then nothing is kept any more.
    fn keep(
        &mut self,
        direction: Direction,
        limit: u64,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> Result<(), Failure> {
        let room = usize::try_from(limit).unwrap_or(usize::MAX);
        let kept = &mut self.kept;
        let mut length = 0;
        let mut fits = true;
        ops.for_each_received(direction, &mut |chunk| {
            length += chunk.len();
            fits &= kept.len().saturating_add(chunk.len()) <= room;
            if fits {
                kept.extend_from_slice(chunk);
            }
        });
        let kind = match fits {
            false => TransformErrorKind::BodyTooLarge,
            true if length == 0 || ops.replace_received(direction, Some(length), b"") => {
                return Ok(());
            }
            true => TransformErrorKind::RefusedByHost,
        };
        self.kept = Vec::new();
        *self.flow(direction) = Flow::Passing;
        let stages = self.stages(direction);
        let field = stages.map_or(FieldId::NONE, |stages| stages.limit_field);
        Err(Failure::new(
            kind.into(),
            StageName::Transform,
            direction,
            field,
        ))
    }

    fn on_body(
        &mut self,
        direction: Direction,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
    ) -> Answer {
        match *self.flow(direction) {
            Flow::Passing | Flow::Written => Answer::pass(),
            Flow::Held if end_of_stream => self.end_held(direction, ops, End::Message),
            Flow::Held => Answer::hold(),
            Flow::Kept(limit) => match self.keep(direction, limit, ops) {
                Err(failure) => self.refuse_kept(direction, failure, ops),
                Ok(()) if end_of_stream => self.end_held(direction, ops, End::Message),
                Ok(()) => Answer::of(Next::Drop),
            },
            Flow::Dropping => match ops.replace_received(direction, None, b"") {
                true => Answer::pass(),
                false => Answer::of(Next::Drop),
            },
        }
    }

    fn on_trailers(
        &mut self,
        direction: Direction,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> Answer {
        match *self.flow(direction) {
            Flow::Held | Flow::Kept(_) => self.end_held(direction, ops, End::Trailers),
            _ => Answer::pass(),
        }
    }

    fn transform(
        &mut self,
        direction: Direction,
        ops: &mut (impl TransformationOps + ?Sized),
        end: End,
    ) -> Answer {
        let access = match direction {
            Direction::Request => self.method.request_access(),
            Direction::Response => self.method.response_access(),
        };
        self.transform_with(direction, ops, end, access)
    }

    /// Runs the stages for whole messages.
    fn transform_with(
        &mut self,
        direction: Direction,
        ops: &mut (impl TransformationOps + ?Sized),
        end: End,
        access: BodyAccess,
    ) -> Answer {
        let before = std::mem::replace(self.flow(direction), Flow::Passing);
        let kept = std::mem::take(&mut self.kept);
        let Some(stages) = self.stages(direction) else {
            return Answer::pass();
        };
        for compiled in stages.templates() {
            self.render_vars(&compiled.reads, ops);
        }
        let remembered = self.remembered();
        let program = &self.program;
        let mut answer = Answer::pass();
        let applied = &mut answer.applied;
        let ran = match before {
            Flow::Kept(_) => {
                stages::run_kept(program, stages, remembered, ops, access, kept, applied)
            }
            _ => stages::run(program, stages, remembered, ops, access, applied),
        };
        match ran {
            Ok(None) => {}
            Ok(Some(reply)) => {
                answer.next = self.reply(*reply).next;
                return answer;
            }
            Err(failure) => return self.refuse(failure),
        }
        applied.transformed = true;
        if end == End::Trailers && applied.body != BodyChange::Unchanged {
            match direction {
                Direction::Request => ops.remove_request_header("content-length"),
                Direction::Response => ops.remove_response_header("content-length"),
            };
        }
        *self.flow(direction) = match (applied.body, direction) {
            (BodyChange::Replaced, Direction::Request) => Flow::Written,
            // A status of 500 would be taken for that of a body which does not fit.
            (BodyChange::Replaced, Direction::Response) if !method::has_status(ops, b"500") => {
                Flow::Written
            }
            (BodyChange::Forbidden, _) => {
                self.events = None;
                Flow::Dropping
            }
            _ => Flow::Passing,
        };
        answer
    }

    /// Transforms the events of a chunk.
    fn on_events(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
    ) -> Answer {
        let Some(events) = &mut self.events else {
            return Answer::pass();
        };
        let out = &mut self.out;
        out.clear();
        let (mut length, mut same) = (0, true);
        let mut outcome = Ok(Applied::default());
        ops.for_each_received(Direction::Response, &mut |chunk| {
            if let Ok(applied) = &mut outcome {
                let start = out.len();
                match events.push(chunk, out) {
                    Ok(step) => step.add_to(applied),
                    Err(failure) => outcome = Err(failure),
                }
                same &= out.get(start..) == Some(chunk);
                length += chunk.len();
            }
        });
        if end_of_stream && let Ok(applied) = &mut outcome {
            let start = out.len();
            match events.finish(out) {
                Ok(step) => step.add_to(applied),
                Err(failure) => outcome = Err(failure),
            }
            same &= out.len() == start;
        }
        match outcome {
            Ok(mut applied) => {
                if !same && !ops.replace_received(Direction::Response, Some(length), out) {
                    applied.refused = 1;
                }
                Answer {
                    next: Next::Pass,
                    applied,
                }
            }
            Err(failure) => self.end_events(failure),
        }
    }

    /// Sends what is left of the events when trailers end the body.
    fn on_end_of_events(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        rest: &[u8],
    ) -> Answer {
        let Some(events) = &mut self.events else {
            return Answer::pass();
        };
        self.out.clear();
        let mut applied = Applied::default();
        let pushed = events.push(rest, &mut self.out);
        let pushed = pushed.map(|step| step.add_to(&mut applied));
        match pushed.and_then(|()| events.finish(&mut self.out)) {
            Ok(step) => {
                step.add_to(&mut applied);
                if !self.out.is_empty() && !ops.append_response_body(&self.out) {
                    applied.refused = 1;
                }
                Answer {
                    next: Next::Pass,
                    applied,
                }
            }
            Err(failure) => self.end_events(failure),
        }
    }

    fn end_events(&mut self, failure: Failure) -> Answer {
        self.events = None;
        self.refuse(failure)
    }

    fn reply(&self, reply: OwnReply) -> Answer {
        Answer::of(Next::Reply(Reply::own(&self.program, reply)))
    }

    fn refuse(&self, failure: Failure) -> Answer {
        Answer::of(Next::Reply(Reply::to_failure(&self.program, failure)))
    }
}
