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
//! a response in the middle. What the AI half holds of a response comes to the templates as if it came
//! when it goes on.
//!
//! Upgrades (CONNECT, WebSocket and others) have no end to wait for: both directions are transformed
//! with their headers, without a body. A response that must not have a body (to HEAD, 204, 205, 304) is
//! not given one, and loses the one that it has if a rule makes it such a response: the bytes would be
//! taken for the next response on the connection. An answer that comes while the request is held is not
//! from upstream; that request is not transformed any more.

use std::cell::OnceCell;
use std::sync::Arc;

use llm::facts::Facts;

use crate::direction::Direction;
use crate::error::{Failure, FieldId, StageName, TransformErrorKind};
use crate::message::{HeaderSnapshot, Vars};
use crate::observer::Observer;
use crate::program::Program;
use crate::stages::events::{EventStream, Opened};
use crate::stages::reply::OwnReply;
use crate::stages::{BodyAccess, Outdated};

mod ai;
mod answer;
mod bodies;
mod choose;
mod events;
mod method;
mod ops;
mod passage;
mod route;
mod scan;
mod traffic;

pub use answer::{Answer, Next, Reply};
use bodies::{End, Flow};
use choose::Chosen;
use method::Method;
pub use ops::ExchangeOps;
use route::Hook;
use traffic::AiTraffic;

/// The state of one exchange.
#[derive(Debug)]
pub struct Exchange {
    program: Arc<Program>,
    /// The first hook was there.
    begun: bool,
    /// What response templates read of the request, as the client sent it.
    captured: Option<HeaderSnapshot>,
    /// When the request came, in nanoseconds since 1970, if anything reads it, or it is known anyway.
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
    ai: Option<Box<AiTraffic>>,
    /// The events of the response, if they are to be transformed.
    events: Option<Box<EventStream>>,
    /// What is to be sent for a piece of them; kept for its memory.
    out: Vec<u8>,
    /// Whoever looks on: nobody, in a filter.
    observer: Option<Observer>,
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
            observer: None,
        }
    }

    /// As [`open`](Self::open), for an exchange that somebody looks on at.
    pub fn open_observed(self: &Arc<Self>, observer: Observer) -> Exchange {
        Exchange {
            observer: Some(observer),
            ..self.open()
        }
    }
}

impl Exchange {
    /// The program that this exchange runs.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Whoever looks on.
    pub fn observer(&self) -> Option<&Observer> {
        self.observer.as_ref()
    }

    /// What is known by now of the exchange as LLM traffic, if it is asked.
    pub fn facts(&self) -> Option<&Facts> {
        self.ai.as_ref().map(|ai| ai.facts())
    }

    /// Which transform of a direction applies, as its number from 0, once its headers have come; none if
    /// none does. For whoever explains what became of a message.
    pub fn chosen(&self, direction: Direction) -> Option<usize> {
        match self.chosen.get(direction as usize) {
            Some(Chosen::This(number)) => Some(*number),
            _ => None,
        }
    }

    /// The headers of the request have come, as the client sent them.
    pub fn on_request_headers(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
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
        } else if is_open && let Some(flow) = self.ai_holds_request(ops) {
            self.request = flow;
            self.tell_held(Direction::Request);
            Answer::hold()
        } else if is_open && needs.buffers() {
            self.hold(Direction::Request, ops)
        } else {
            self.transform_request(ops, Hook::Headers { end_of_stream })
        };
        answer.with(noted)
    }

    /// A piece of the request's body has come.
    pub fn on_request_body(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
        end_of_stream: bool,
    ) -> Answer {
        self.on_body(Direction::Request, ops, end_of_stream)
    }

    /// The request has ended with trailers.
    pub fn on_request_trailers(&mut self, ops: &mut (impl ExchangeOps + ?Sized)) -> Answer {
        self.on_trailers(Direction::Request, ops)
    }

    /// The headers of a response have come, from upstream or from whoever answers in its place.
    pub fn on_response_headers(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
        end_of_stream: bool,
    ) -> Answer {
        if self.ai_has_refused() {
            return Answer::pass();
        }
        match self.ai_response_headers(ops, end_of_stream) {
            Some(passed) => self.on_passed_headers(ops, end_of_stream, passed),
            None => self.response_headers(ops, end_of_stream),
        }
    }

    fn response_headers(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
        end_of_stream: bool,
    ) -> Answer {
        // Somebody may have answered before the request came here.
        self.begin(ops);
        if let Flow::Held | Flow::Kept(_) | Flow::Scanned(_) = self.request {
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
        if (holds || minds_events) && method::switches_protocols(ops) {
            self.method = Method::Upgrade;
        }
        let is_tunnel = self.method == Method::Upgrade;
        // What would become of the events of the response to GET.
        let is_described = minds_events && end_of_stream && self.method == Method::Head;
        let mut access = BodyAccess::Whole;
        if is_described {
            if let Ok(Opened::Stream(events)) = self.open_events(ops) {
                self.events = Some(events);
            }
        } else if minds_events && !end_of_stream && !is_tunnel {
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
        if access == BodyAccess::Whole && holds && !end_of_stream && !is_tunnel {
            return self.hold(Direction::Response, ops).with(noted);
        }
        let access = match access {
            BodyAccess::Stream => access,
            _ => self.method.response_access(),
        };
        let outdated = match self.events {
            Some(_) => Outdated::of_response(ops),
            None => Outdated::default(),
        };
        let answer = self.transform_with(Direction::Response, ops, End::Message, access);
        if matches!(answer.next, Next::Reply(_)) {
            self.events = None;
        }
        if self.events.is_some() {
            // What the events become shows when they have come.
            ops.remove_response_header("content-length");
            outdated.remove(ops);
        }
        if self.events.as_ref().is_some_and(|events| events.decodes()) {
            ops.remove_response_header("content-encoding");
        }
        if is_described {
            self.events = None;
        }
        answer.with(noted)
    }

    /// A piece of the response's body has come.
    pub fn on_response_body(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
        end_of_stream: bool,
    ) -> Answer {
        if self.has_ended_response() {
            return self.on_body_behind_the_end(ops);
        }
        if self.ai_has_refused() {
            return Answer::pass();
        }
        match self.ai_response_body(ops, end_of_stream) {
            Some(passed) => self.on_passed_body(ops, end_of_stream, passed),
            None => self.response_piece(ops, end_of_stream),
        }
    }

    /// The response has ended with trailers.
    pub fn on_response_trailers(&mut self, ops: &mut (impl ExchangeOps + ?Sized)) -> Answer {
        if self.has_ended_response() {
            return Answer::of(Next::Drop);
        }
        if self.ai_has_refused() {
            return Answer::pass();
        }
        match self.ai_response_trailers(ops) {
            Some(passed) => self.on_passed_trailers(ops, passed),
            None if self.events.is_some() => self.on_end_of_events(ops, b""),
            None => self.on_trailers(Direction::Response, ops),
        }
    }

    /// The exchange is over, completed or not. Answers the failure that ended it, if it was the size of a
    /// body that was held or written here.
    pub fn on_complete(&mut self, ops: &mut (impl ExchangeOps + ?Sized)) -> Option<Failure> {
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
    fn begin(&mut self, ops: &(impl ExchangeOps + ?Sized)) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        if self.program.ai.is_some() && self.ai.is_none() {
            let began = ops.unix_nanoseconds();
            self.ai = Some(AiTraffic::new(began, self.observer.clone()));
        }
        let needs = self.program.needs();
        if needs.captures_request_headers {
            let names = &self.program.captured;
            if !names.is_empty() {
                self.captured = Some(HeaderSnapshot::take(ops, Direction::Request, names));
            }
            if self.program.reads_start {
                self.started.get_or_insert_with(|| ops.unix_nanoseconds());
            }
        }
        let response = &needs.response;
        if needs.request.buffers() || response.buffers() || response.minds_events() {
            self.method = Method::of_request(ops);
        }
    }

    fn reply(&self, reply: OwnReply) -> Answer {
        Answer::of(Next::Reply(Reply::own(&self.program, reply)))
    }

    fn refuse(&self, failure: Failure) -> Answer {
        Answer::of(Next::Reply(Reply::to_failure(&self.program, failure)))
    }
}
