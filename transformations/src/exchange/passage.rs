//! From what the AI half lets pass of a response to the templates behind it.
//!
//! A response that waited in the AI half comes to the templates when it goes on, as if it came then: its
//! headers, and what there is of its body. Called from the response hooks of an exchange, on its worker.

use super::{Answer, End, Exchange, ExchangeOps, Flow, Next, Reply};
use crate::ai::Passage;
use crate::applied::Applied;
use crate::direction::Direction;
use crate::error::{Failure, FieldId, StageName, TransformErrorKind};

impl Exchange {
    /// The headers of the response have come, and passed the AI half.
    pub(super) fn on_passed_headers(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
        end_of_stream: bool,
        (read, passage): (Applied, Passage),
    ) -> Answer {
        match passage {
            Passage::Waits => Answer::hold().and(read),
            Passage::Refused(refused) => Answer::of(Next::Reply(Reply::refused(refused))).and(read),
            _ => self.response_headers(ops, end_of_stream).after(Some(read)),
        }
    }

    /// A piece of the response's body has come, and passed the AI half.
    pub(super) fn on_passed_body(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
        end_of_stream: bool,
        (read, passage): (Applied, Passage),
    ) -> Answer {
        let answer = match passage {
            Passage::On => self.response_piece(ops, end_of_stream),
            Passage::Waits => Answer::of(Next::Drop),
            Passage::Released(body) => self.release(ops, end_of_stream, &body),
            Passage::Refused(refused) => Answer::of(Next::Reply(Reply::refused(refused))),
            Passage::Last => self.end_stream(ops),
        };
        answer.after(Some(read))
    }

    /// The response has ended with trailers, and passed the AI half; `rest` is left of its events.
    pub(super) fn on_passed_trailers(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
        (rest, mut read, passage): (Vec<u8>, Applied, Passage),
    ) -> Answer {
        let answer = match passage {
            Passage::Refused(refused) => Answer::of(Next::Reply(Reply::refused(refused))),
            Passage::Released(body) => self.release_before_trailers(ops, body),
            _ if self.events.is_some() => self.on_end_of_events(ops, &rest),
            _ => {
                let is_sent = rest.is_empty() || ops.append_response_body(&rest);
                read.refused += u32::from(!is_sent);
                self.on_trailers(Direction::Response, ops)
            }
        };
        answer.after(Some(read))
    }

    /// Passes a piece of the body to the templates.
    pub(super) fn response_piece(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
        end_of_stream: bool,
    ) -> Answer {
        match self.events {
            Some(_) => self.on_events(ops, end_of_stream),
            None => self.on_body(Direction::Response, ops, end_of_stream),
        }
    }

    /// Whether the response was ended here, before the upstream ended it. What comes of it is not for anybody.
    pub fn has_ended_response(&self) -> bool {
        self.ai.as_ref().is_some_and(|ai| ai.last.is_some())
    }

    /// What came after the stream was ended here: our own bytes, on hosts that show them to us again, or
    /// what the upstream still sends.
    pub(super) fn on_body_behind_the_end(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
    ) -> Answer {
        let mut received = Vec::new();
        ops.for_each_received(Direction::Response, &mut |chunk| {
            received.extend_from_slice(chunk);
        });
        if let Some(last) = self.ai.as_mut().and_then(|ai| ai.last.as_mut())
            && *last == received
        {
            *last = Vec::new();
            return Answer::pass();
        }
        ops.replace_received(Direction::Response, Some(received.len()), b"");
        Answer::of(Next::Drop)
    }

    fn release(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
        end_of_stream: bool,
        body: &[u8],
    ) -> Answer {
        let first = self.response_headers(ops, false);
        if let Next::Reply(_) = first.next {
            return first;
        }
        ops.expect_body(Direction::Response, body.len());
        if !ops.replace_received(Direction::Response, Some(0), body) {
            return self
                .refuse(self.refused_by_host())
                .after(Some(first.applied));
        }
        let second = self.response_piece(ops, end_of_stream);
        second.after(Some(first.applied))
    }

    fn release_before_trailers(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
        body: Vec<u8>,
    ) -> Answer {
        let first = self.response_headers(ops, false);
        if let Next::Reply(_) = first.next {
            return first;
        }
        let second = match (self.response, &self.events) {
            (_, Some(_)) => self.on_end_of_events(ops, &body),
            (Flow::Kept(limit), _) if body.len() as u64 > limit => {
                let kind = TransformErrorKind::BodyTooLarge;
                self.refuse(self.failure(kind))
            }
            (Flow::Kept(_), _) => {
                self.kept = body;
                self.end_held(Direction::Response, ops, End::Trailers)
            }
            (Flow::Dropping, _) => Answer::pass(),
            _ => {
                ops.expect_body(Direction::Response, body.len());
                match body.is_empty() || ops.append_response_body(&body) {
                    true => self.on_trailers(Direction::Response, ops),
                    false => self.refuse(self.refused_by_host()),
                }
            }
        };
        second.after(Some(first.applied))
    }

    /// Ends the stream with what has been put in the place of this piece.
    fn end_stream(&mut self, ops: &mut (impl ExchangeOps + ?Sized)) -> Answer {
        let Answer { next, applied } = self.response_piece(ops, true);
        if let Next::Reply(_) = next {
            return Answer { next, applied };
        }
        let mut last = Vec::new();
        ops.for_each_received(Direction::Response, &mut |chunk| {
            last.extend_from_slice(chunk)
        });
        // The host drops the piece anyway.
        ops.replace_received(Direction::Response, Some(last.len()), b"");
        self.events = None;
        if let Some(ai) = &mut self.ai {
            ai.last = Some(last.clone());
        }
        let next = Next::End(last);
        Answer { next, applied }
    }

    fn refused_by_host(&self) -> Failure {
        self.failure(TransformErrorKind::RefusedByHost)
    }

    fn failure(&self, kind: TransformErrorKind) -> Failure {
        let stages = self.stages(Direction::Response);
        let field = stages.map_or(FieldId::NONE, |stages| stages.limit_field);
        Failure::new(
            kind.into(),
            StageName::Transform,
            Direction::Response,
            field,
        )
    }
}
