//! The body of a message: held by the host, kept in memory of our own, or dropped, until the message ends
//! and is transformed.
//!
//! Called from the hooks of an exchange, on its worker.

use super::route::Hook;
use super::{Answer, Exchange, ExchangeOps, Next, method};
use crate::ai::AiProgram;
use crate::applied::BodyChange;
use crate::direction::Direction;
use crate::error::{Failure, FieldId, StageName, TransformErrorKind};
use crate::observer::Step;
use crate::stages::{self, BodyAccess};

/// How the message of one direction passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Flow {
    /// Piece by piece, as it comes.
    #[default]
    Passing,
    /// All of it waits for its end, with the host.
    Held,
    /// The same, in memory of our own, of which there may be so many bytes.
    Kept(u64),
    /// The same as far as its model, which alone matters.
    Scanned(u64),
    /// It has gone on up to its model, and what comes is looked at as it passes.
    Watched,
    /// It is refused, and what comes of it is dropped, so many bytes at most, until it has ended.
    Swallowed(u64),
    /// The body is of our own making, and may not fit.
    Written,
    /// The message must not have a body any more: what comes of it is dropped.
    Dropping,
}

/// What ended a message that is being transformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Its head or its body.
    Message,
    /// Trailers, which HTTP/1.1 can only send behind a body without a length.
    Trailers,
}

impl Exchange {
    pub(super) fn flow(&mut self, direction: Direction) -> &mut Flow {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    pub(super) fn hold(
        &mut self,
        direction: Direction,
        ops: &mut (impl ExchangeOps + ?Sized),
    ) -> Answer {
        let wanted = self.needs(direction).max_body_bytes;
        *self.flow(direction) = match ops.hold_at_most(wanted) {
            Some(limit) => Flow::Kept(limit),
            None => Flow::Held,
        };
        self.tell_held(direction);
        Answer::hold()
    }

    /// Tells whoever looks on why a message waits.
    pub(super) fn tell_held(&self, direction: Direction) {
        let Some(observer) = &self.observer else {
            return;
        };
        let fields = self.stages(direction).map_or(&[][..], |it| &it.held_for);
        let ai = self.program.ai.as_ref();
        let ai = ai.filter(|_| direction == Direction::Request);
        observer.tell(Step::Held {
            direction,
            fields: fields.to_vec(),
            stages: ai.map(AiProgram::stages).unwrap_or_default(),
        });
    }

    /// Takes what came of a body into memory of our own: here, and nowhere else. Answers an error if it
    /// does not fit, or the host does not let go of it; then nothing is kept any more.
    pub(super) fn keep(
        &mut self,
        direction: Direction,
        limit: u64,
        ops: &mut (impl ExchangeOps + ?Sized),
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
        Err(self.cannot_keep(direction, kind))
    }

    /// The same with a whole body that is in memory already.
    pub(super) fn keep_whole(
        &mut self,
        direction: Direction,
        limit: u64,
        body: Vec<u8>,
    ) -> Result<(), Failure> {
        if u64::try_from(body.len()).is_ok_and(|length| length <= limit) {
            self.kept = body;
            return Ok(());
        }
        Err(self.cannot_keep(direction, TransformErrorKind::BodyTooLarge))
    }

    pub(super) fn cannot_keep(
        &mut self,
        direction: Direction,
        kind: TransformErrorKind,
    ) -> Failure {
        self.kept = Vec::new();
        *self.flow(direction) = Flow::Passing;
        let stages = self.stages(direction);
        let field = stages.map_or(FieldId::NONE, |stages| stages.limit_field);
        Failure::new(kind.into(), StageName::Transform, direction, field)
    }

    pub(super) fn on_body(
        &mut self,
        direction: Direction,
        ops: &mut (impl ExchangeOps + ?Sized),
        end_of_stream: bool,
    ) -> Answer {
        match *self.flow(direction) {
            Flow::Passing | Flow::Written => Answer::pass(),
            Flow::Held if end_of_stream => self.end_held(direction, ops, End::Message),
            Flow::Held => Answer::hold(),
            Flow::Kept(limit) => match self.keep(direction, limit, ops) {
                Err(failure) => {
                    let answer = self.refuse_kept(direction, failure, ops);
                    self.owe(answer, end_of_stream)
                }
                Ok(()) if end_of_stream => self.end_held(direction, ops, End::Message),
                Ok(()) => Answer::of(Next::Drop),
            },
            Flow::Scanned(limit) => self.on_scanned(limit, ops, end_of_stream),
            Flow::Watched => self.on_watched(ops, end_of_stream),
            Flow::Swallowed(most) => self.on_swallowed(most, ops, end_of_stream),
            Flow::Dropping => match ops.replace_received(direction, None, b"") {
                true => Answer::pass(),
                false => Answer::of(Next::Drop),
            },
        }
    }

    pub(super) fn on_trailers(
        &mut self,
        direction: Direction,
        ops: &mut (impl ExchangeOps + ?Sized),
    ) -> Answer {
        match *self.flow(direction) {
            Flow::Held | Flow::Kept(_) => self.end_held(direction, ops, End::Trailers),
            Flow::Scanned(limit) => self.on_scanned_piece(limit, ops, Hook::Trailers),
            Flow::Watched => self.watch(b"", ops, true),
            Flow::Swallowed(_) => self.pay(),
            _ => Answer::pass(),
        }
    }

    pub(super) fn transform(
        &mut self,
        direction: Direction,
        ops: &mut (impl ExchangeOps + ?Sized),
        end: End,
    ) -> Answer {
        let access = match direction {
            Direction::Request => self.method.request_access(),
            Direction::Response => self.method.response_access(),
        };
        self.transform_with(direction, ops, end, access)
    }

    /// Runs the stages for whole messages.
    pub(super) fn transform_with(
        &mut self,
        direction: Direction,
        ops: &mut (impl ExchangeOps + ?Sized),
        end: End,
        access: BodyAccess,
    ) -> Answer {
        let before = std::mem::replace(self.flow(direction), Flow::Passing);
        let kept = std::mem::take(&mut self.kept);
        let Some(stages) = self.stages(direction) else {
            return Answer::pass();
        };
        if !self.program.vars.names.is_empty() {
            for compiled in stages.templates() {
                self.render_vars(&compiled.reads, ops);
            }
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
}
