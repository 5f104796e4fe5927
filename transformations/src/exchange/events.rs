//! The events of a streamed response: each chunk is taken out, and what the rules make of its events goes
//! on in its place.
//!
//! Called from the response hooks of an exchange, on its worker.

use super::choose::Chosen;
use super::{Answer, Exchange, ExchangeOps, Next};
use crate::applied::Applied;
use crate::direction::Direction;
use crate::error::Failure;
use crate::stages::events::{EventStream, Opened};

impl Exchange {
    pub(super) fn open_events(&self, ops: &(impl ExchangeOps + ?Sized)) -> Result<Opened, Failure> {
        let [_, Chosen::This(transform)] = self.chosen else {
            return Ok(Opened::NotAStream);
        };
        if let Some(rules) = self.program.events(transform) {
            self.render_vars(&rules.reads, ops);
        }
        let (captured, vars) = (self.captured.as_ref(), self.vars.get());
        let observer = self.observer.as_ref();
        EventStream::open(&self.program, transform, captured, vars, observer, ops)
    }

    /// Transforms the events of a chunk.
    pub(super) fn on_events(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
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
    pub(super) fn on_end_of_events(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
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

    pub(super) fn end_events(&mut self, failure: Failure) -> Answer {
        self.events = None;
        self.refuse(failure)
    }
}
