//! The response, before the templates: what it took and who answered, and what becomes of its texts.
//!
//! Pieces are read as they pass. What is to be changed of an event stream is changed event by event;
//! another body waits in memory of our own, and its headers with it, if its texts are to be rewritten.

use llm::usage::Ending;

use super::{AiExchange, AiProgram, Refused};
use crate::applied::Applied;
use crate::direction::Direction;
use crate::observer::Step;
use crate::ops::TransformationOps;

mod account;
mod events;
mod reading;
mod rewriting;
mod whole;

pub(super) use reading::Reading;
pub(super) use rewriting::Rewriting;
use rewriting::{Unseen, refusal};

/// What becomes of a piece of the response.
#[derive(Debug)]
pub(crate) enum Passage {
    /// It goes on as it is now.
    On,
    /// It waits here: nothing of it is left with the host.
    Waits,
    /// The headers have waited, and go on with this of the body.
    Released(Vec<u8>),
    /// This is answered in its place; if headers have gone before, the exchange is ended.
    Refused(Refused),
    /// It goes on, and nothing comes behind it.
    Last,
}

impl AiExchange {
    /// The headers of the response have come. Of a tunnel nothing waits for its end.
    pub(crate) fn on_response_headers(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
        is_tunnel: bool,
    ) -> (Applied, Passage) {
        let mut applied = Applied::default();
        let is_read = self.meter.is_some() || self.rewriting.is_some();
        if self.is_over || !is_read && program.headers.is_empty() {
            return (applied, Passage::On);
        }
        let head = self.head(program, ops);
        if is_read && end_of_stream {
            self.finish(program, Ending::Whole, ops, &mut applied);
        }
        let waits = is_read && !end_of_stream && program.headers.waits();
        if head.can_tell && !waits {
            program.headers.write(&self.facts, ops, &mut applied);
        }
        if end_of_stream || !is_read {
            return (applied, Passage::On);
        }
        if let Err(unseen) = self.open(program, head, is_tunnel, ops, &mut applied) {
            let refused = self.refuse_response(program, unseen, ops, &mut applied);
            return (applied, Passage::Refused(refused));
        }
        match &self.reading {
            Reading::Held(_) => {
                self.tell_held(program);
                (applied, Passage::Waits)
            }
            _ => (applied, Passage::On),
        }
    }

    /// Tells whoever looks on why the response waits.
    fn tell_held(&self, program: &AiProgram) {
        let Some(observer) = &self.observer else {
            return;
        };
        let stages = [
            ("mask", self.rewriting.is_some()),
            ("publish", program.headers.waits()),
        ];
        let waiting = stages.into_iter().filter(|(_, waits)| *waits);
        observer.tell(Step::Held {
            direction: Direction::Response,
            fields: Vec::new(),
            stages: waiting.map(|(stage, _)| stage).collect(),
        });
    }

    /// A piece of the response's body has come.
    ///
    /// # Cost
    /// A search for the ends of events and a pass over each, with a copy of those that change; or a copy,
    /// and one pass at the end.
    pub(crate) fn on_response_body(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
    ) -> (Applied, Passage) {
        let mut applied = Applied::default();
        match &mut self.reading {
            Reading::Nothing => return (applied, Passage::On),
            Reading::Unreadable => {
                let mut length = 0;
                ops.for_each_received(Direction::Response, &mut |chunk| length += chunk.len());
                self.pass_unread(length);
            }
            Reading::Whole(_) => self.copy(program, ops),
            Reading::Held(_) => return self.hold(program, ops, end_of_stream),
            Reading::Events(_) => match self.on_events(ops, end_of_stream, &mut applied) {
                Err(Unseen::NOT_WRITTEN) => {
                    let refused =
                        self.refuse_response(program, Unseen::NOT_WRITTEN, ops, &mut applied);
                    return (applied, Passage::Refused(refused));
                }
                Err(unseen) => {
                    self.refuse_response(program, unseen, ops, &mut applied);
                    return match end_of_stream {
                        true => (applied, Passage::On),
                        false => (applied, Passage::Last),
                    };
                }
                Ok(()) => {}
            },
        }
        if end_of_stream {
            self.finish(program, Ending::Whole, ops, &mut applied);
        }
        (applied, Passage::On)
    }

    /// The response has ended with trailers. Answers what is left to be sent of events before them.
    pub(crate) fn on_response_trailers(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> (Vec<u8>, Applied, Passage) {
        let (mut out, mut applied) = (Vec::new(), Applied::default());
        match self.reading {
            Reading::Nothing => return (out, applied, Passage::On),
            Reading::Held(_) => {
                let (applied, passage) = self.end_held(program, ops);
                return (out, applied, passage);
            }
            _ => {}
        }
        let ended = self.end_events(ops, &mut out);
        if !self.changes_events() {
            // It has passed by.
            out.clear();
        }
        match ended {
            Ok(()) => self.finish(program, Ending::Whole, ops, &mut applied),
            Err(unseen) => drop(self.refuse_response(program, unseen, ops, &mut applied)),
        }
        (out, applied, Passage::On)
    }

    /// The exchange is over, completed or not.
    pub(crate) fn on_complete(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> Applied {
        let mut applied = Applied::default();
        self.finish(program, Ending::Early, ops, &mut applied);
        applied
    }

    /// Takes what has come from the host, into `body` as far as that may grow. False if it has become too
    /// large.
    fn take(
        body: &mut Vec<u8>,
        most: usize,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> (bool, usize) {
        let (mut fits, mut length) = (true, 0);
        ops.for_each_received(Direction::Response, &mut |chunk| {
            length += chunk.len();
            fits &= body.len().saturating_add(chunk.len()) <= most;
            if fits {
                body.extend_from_slice(chunk);
            }
        });
        (fits, length)
    }

    /// So many bytes go on without being read.
    fn pass_unread(&mut self, length: usize) {
        if let Some(meter) = &mut self.meter {
            meter.pass(length);
        }
    }

    /// Says that the response is not passed on, and why.
    fn refuse_response(
        &mut self,
        program: &AiProgram,
        unseen: Unseen,
        ops: &mut (impl TransformationOps + ?Sized),
        applied: &mut Applied,
    ) -> Refused {
        let Unseen(reason) = unseen;
        let stage = match self.rewriting {
            Some(_) => "mask",
            // What hides usage cannot go on where it cannot read.
            None => "usage",
        };
        self.facts.refused = Some(format!("{stage}:{reason}"));
        self.finish(program, Ending::Early, ops, applied);
        let refusal = refusal();
        Refused {
            status: refusal.status,
            stage,
            body: refusal.body(self.facts.dialect),
        }
    }
}
