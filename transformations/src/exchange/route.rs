//! The route of a request that is chosen again because the model is known now: what a client says of its
//! model must not choose the rules that it passes.
//!
//! Once an exchange at most, in the hook in which all of the request has come that is held, before anything of
//! it has gone on. If the route has another program then, that one is opened instead, and sees the request as the
//! client sent it, but for the model's header, which tells what routes went by. On the worker of the
//! exchange.

use std::sync::Arc;

use super::bodies::{End, Flow};
use super::traffic::AiTraffic;
use super::{Answer, Exchange, ExchangeOps, Next};
use crate::direction::Direction;
use crate::program::Program;

/// What the client sent and the templates may change, copied before they do.
#[derive(Debug, Default)]
pub(super) struct Sent {
    head: Option<Lines>,
    body: Option<Vec<u8>>,
}

/// The lines of a head, in order.
type Lines = Vec<(Vec<u8>, Vec<u8>)>;

impl Exchange {
    /// Copies what could not be read any more once the templates of the request have run; nothing if no
    /// other route can come of it.
    pub(super) fn copy_sent(&self, ops: &mut (impl ExchangeOps + ?Sized)) -> Sent {
        let tells_routes = self.program.ai.as_ref().is_some_and(|ai| ai.tells_routes());
        if !tells_routes || self.is_settled() {
            return Sent::default();
        }
        let needs = self.needs(Direction::Request);
        let body = match self.request {
            Flow::Kept(_) if needs.writes.body => Some(self.kept.clone()),
            Flow::Held if needs.writes.body => Some(ops.get_request_body()),
            _ => None,
        };
        Sent {
            head: needs.has_work().then(|| lines(ops)),
            body,
        }
    }

    /// Has the route chosen again. Answers the program that it has now, if that is another one. A host that
    /// cannot say is told by `reroute`.
    pub(super) fn choose_route(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
        reroute: &mut bool,
    ) -> Option<Arc<Program>> {
        if self.is_settled() {
            // It is the route of a program that has let the request pass.
            return None;
        }
        match ops.choose_route() {
            Some(program) => (!Arc::ptr_eq(&program, &self.program)).then_some(program),
            None => {
                *reroute = true;
                None
            }
        }
    }

    /// Opens another program in the place of this one, on the request as the client sent it. `body` is as
    /// this one got it, and not with the host any more.
    pub(super) fn reopen(
        &mut self,
        program: &Arc<Program>,
        sent: Sent,
        body: Vec<u8>,
        ops: &mut (impl ExchangeOps + ?Sized),
        hook: Hook,
    ) -> Answer {
        sent.put_back_head(self.model_header(), ops);
        let began = self.ai.as_ref().map(|ai| ai.began());
        let (out, observer) = (std::mem::take(&mut self.out), self.observer.take());
        *self = program.open();
        (self.started, self.out, self.observer) = (began, out, observer);
        if program.ai.is_some() {
            self.ai = began.map(|began| AiTraffic::settled(began, self.observer.clone()));
        }
        let body = sent.body.unwrap_or(body);
        if let Hook::Headers { end_of_stream } = hook {
            return self.on_request_headers(ops, end_of_stream);
        }
        let opened = self.on_request_headers(ops, false);
        if let Next::Reply(_) = opened.next {
            return opened;
        }
        let mut earlier = opened.applied;
        let kept = match self.request {
            Flow::Kept(limit) | Flow::Scanned(limit) => {
                self.keep_whole(Direction::Request, limit, body)
            }
            Flow::Swallowed(_) => Ok(()),
            _ => {
                ops.expect_body(Direction::Request, body.len());
                let is_given = body.is_empty() || ops.append_request_body(&body);
                earlier.refused += u32::from(!is_given);
                Ok(())
            }
        };
        let answer = match (kept, hook) {
            (Err(failure), _) => {
                let answer = self.refuse_kept(Direction::Request, failure, ops);
                self.owe(answer, hook.is_last())
            }
            (Ok(()), Hook::Trailers) => self.on_request_trailers(ops),
            (Ok(()), _) => self.on_request_body(ops, hook.is_last()),
        };
        answer.after(Some(earlier))
    }

    /// Whether this is the program of a route that was chosen again.
    fn is_settled(&self) -> bool {
        self.ai.as_ref().is_some_and(|ai| ai.is_settled)
    }

    fn model_header(&self) -> &str {
        let ai = self.program.ai.as_ref();
        ai.map_or("", |ai| ai.model_header())
    }
}

/// The hook in which a request is transformed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hook {
    Headers { end_of_stream: bool },
    Body { end_of_stream: bool },
    Trailers,
}

impl Hook {
    /// The hook in which a message of which everything is held is transformed.
    pub(super) fn of(end: End) -> Hook {
        match end {
            End::Message => Hook::Body {
                end_of_stream: true,
            },
            End::Trailers => Hook::Trailers,
        }
    }

    /// Nothing of the request comes behind it.
    pub(super) fn is_last(self) -> bool {
        match self {
            Hook::Headers { end_of_stream } | Hook::Body { end_of_stream } => end_of_stream,
            Hook::Trailers => true,
        }
    }

    pub(super) fn end(self) -> End {
        match self {
            Hook::Trailers => End::Trailers,
            Hook::Headers { .. } | Hook::Body { .. } => End::Message,
        }
    }
}

impl Sent {
    /// Puts the head back as it was, but for the header of this name.
    fn put_back_head(&self, except: &str, ops: &mut (impl ExchangeOps + ?Sized)) {
        let Some(sent) = &self.head else { return };
        let now = lines(ops);
        let mut done: Vec<&[u8]> = vec![except.as_bytes()];
        for (name, _) in sent.iter().chain(&now) {
            if done.iter().any(|it| it.eq_ignore_ascii_case(name)) {
                continue;
            }
            done.push(name);
            let was = values(sent, name);
            if was == values(&now, name) {
                continue;
            }
            // A name that came from the host and is no text was not written here.
            if let Ok(name) = std::str::from_utf8(name) {
                put_back(name, &was, ops);
            }
        }
    }
}

fn put_back(name: &str, values: &[&[u8]], ops: &mut (impl ExchangeOps + ?Sized)) {
    let Some((first, others)) = values.split_first() else {
        ops.remove_request_header(name);
        return;
    };
    ops.set_request_header(name, first);
    let mut all_added = true;
    for value in others {
        all_added = all_added && ops.add_request_header(name, value);
    }
    if !all_added {
        // What a host without lines of one name can hold.
        let between: &[u8] = if name == "cookie" { b"; " } else { b", " };
        ops.set_request_header(name, &values.join(between));
    }
}

fn lines(ops: &(impl ExchangeOps + ?Sized)) -> Lines {
    let mut lines = Lines::new();
    ops.for_each_request_header(&mut |name, value| lines.push((name.to_vec(), value.to_vec())));
    lines
}

fn values<'l>(lines: &'l Lines, name: &[u8]) -> Vec<&'l [u8]> {
    let named = lines.iter().filter(|(it, _)| it.eq_ignore_ascii_case(name));
    named.map(|(_, value)| &**value).collect()
}
