//! Requests of which only the model matters, and those that are refused before they have ended.
//!
//! The first go on with the byte that completes the model, and are looked at to their end. The others are
//! answered when they have ended: most clients do not read an answer before they have written. What comes of
//! them is dropped, but not without end. On the worker of the exchange.

use super::bodies::Flow;
use super::route::Hook;
use super::{Answer, Exchange, ExchangeOps, Method, Next, Reply};
use crate::ai::Refused;
use crate::applied::Applied;
use crate::direction::Direction;
use crate::error::TransformErrorKind;

impl Exchange {
    /// A piece of a body has come whose model is not known.
    pub(super) fn on_scanned(
        &mut self,
        limit: u64,
        ops: &mut (impl ExchangeOps + ?Sized),
        end_of_stream: bool,
    ) -> Answer {
        // A piece may be longer: the limit is for what has to be kept of it.
        if let Err(failure) = self.keep(Direction::Request, u64::MAX, ops) {
            let answer = self.refuse_kept(Direction::Request, failure, ops);
            return self.owe(answer, end_of_stream);
        }
        self.on_scanned_piece(limit, ops, Hook::Body { end_of_stream })
    }

    /// The same, of what is kept of it.
    pub(super) fn on_scanned_piece(
        &mut self,
        limit: u64,
        ops: &mut (impl ExchangeOps + ?Sized),
        hook: Hook,
    ) -> Answer {
        let (Some(program), Some(ai)) = (&self.program.ai, &mut self.ai) else {
            return Answer::pass();
        };
        let ends = hook.is_last();
        let piece = self.kept.get(ai.scanned..).unwrap_or_default();
        ai.scanned = self.kept.len();
        if self.kept.is_empty() && ends {
            return self.transform_request(ops, hook);
        }
        let scanned = ai.scan(program, piece, ends, ops);
        let model = ai.scanned_model();
        let needed = model.map_or(self.kept.len(), |model| model.range.end);
        match scanned {
            Ok(_) if u64::try_from(needed).is_ok_and(|needed| needed > limit) => {
                let failure =
                    self.cannot_keep(Direction::Request, TransformErrorKind::BodyTooLarge);
                let answer = self.refuse_kept(Direction::Request, failure, ops);
                self.owe(answer, ends)
            }
            Ok(true) => self.transform_request(ops, hook),
            Ok(false) => Answer::of(Next::Drop),
            Err(refused) => {
                self.kept = Vec::new();
                self.owe(refusal(*refused), ends)
            }
        }
    }

    /// A piece of a body has come whose beginning has gone on.
    pub(super) fn on_watched(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
        end_of_stream: bool,
    ) -> Answer {
        let piece = &mut self.kept;
        piece.clear();
        ops.for_each_received(Direction::Request, &mut |chunk| {
            piece.extend_from_slice(chunk)
        });
        let piece = std::mem::take(&mut self.kept);
        let answer = self.watch(&piece, ops, end_of_stream);
        self.kept = piece;
        answer
    }

    pub(super) fn watch(
        &mut self,
        piece: &[u8],
        ops: &mut (impl ExchangeOps + ?Sized),
        ends: bool,
    ) -> Answer {
        let (Some(program), Some(ai)) = (&self.program.ai, &mut self.ai) else {
            return Answer::pass();
        };
        match ai.scan(program, piece, ends, ops) {
            Ok(_) => Answer::pass(),
            // Nothing is to be gained by waiting: what the upstream has of it must not become whole.
            Err(refused) => refusal(*refused),
        }
    }

    /// Answers a request when it has ended, if more of it is to come.
    pub(super) fn owe(&mut self, answer: Answer, has_ended: bool) -> Answer {
        let (Some(program), Some(ai)) = (&self.program.ai, &mut self.ai) else {
            return answer;
        };
        match answer {
            Answer {
                next: Next::Reply(reply),
                applied,
            } if !has_ended => {
                ai.owed = Some(reply);
                self.request = Flow::Swallowed(program.body_bytes());
                Answer::of(Next::Drop).and(applied)
            }
            answer => answer,
        }
    }

    /// Whether the client may wait for an answer before it ends its request: in a tunnel, and in a call of
    /// gRPC.
    pub(super) fn may_have_no_end(&self, ops: &(impl ExchangeOps + ?Sized)) -> bool {
        let mut calls_grpc = false;
        ops.for_each_request_header_value("content-type", &mut |value| {
            calls_grpc |= value.starts_with(b"application/grpc");
        });
        calls_grpc || self.method == Method::Upgrade
    }

    /// A piece of a body has come that nobody wants.
    pub(super) fn on_swallowed(
        &mut self,
        most: u64,
        ops: &mut (impl ExchangeOps + ?Sized),
        end_of_stream: bool,
    ) -> Answer {
        let mut length = 0;
        ops.for_each_received(Direction::Request, &mut |chunk| length += chunk.len());
        let left = most.checked_sub(u64::try_from(length).unwrap_or(u64::MAX));
        let is_gone = length == 0 || ops.replace_received(Direction::Request, Some(length), b"");
        match left {
            Some(left) if !end_of_stream && is_gone => {
                self.request = Flow::Swallowed(left);
                Answer::of(Next::Drop)
            }
            _ => self.pay(),
        }
    }

    /// Gives the answer that waits for the end of its request.
    pub(super) fn pay(&mut self) -> Answer {
        self.request = Flow::Passing;
        match self.ai.as_mut().and_then(|ai| ai.owed.take()) {
            Some(reply) => Answer::of(Next::Reply(reply)),
            None => Answer::pass(),
        }
    }
}

/// The answer to a request that is refused.
pub(super) fn refusal((refused, applied): (Refused, Applied)) -> Answer {
    Answer::of(Next::Reply(Reply::refused(refused))).and(applied)
}
