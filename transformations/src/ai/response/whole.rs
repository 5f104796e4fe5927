//! A response that is no stream of events: a copy of it is read at its end, or all of it waits to be
//! rewritten. On the worker of the exchange.

use std::borrow::Cow;

use formats::coding;
use llm::place::Edits;
use llm::usage::Ending;

use super::events::Extent;
use super::reading::{HeldReading, forget_bytes};
use super::{Passage, Reading, Unseen};
use crate::ai::{AiExchange, AiProgram};
use crate::applied::{Applied, BodyChange};
use crate::direction::Direction;
use crate::ops::TransformationOps;

impl AiExchange {
    /// Copies a piece that passes by.
    pub(super) fn copy(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
    ) {
        if let Reading::Whole(copied) = &mut self.reading {
            let before = copied.body.len();
            let (fits, length) = AiExchange::take(&mut copied.body, program.body_limit(), ops);
            if !fits {
                self.reading = Reading::Unreadable;
                self.pass_unread(before + length);
            }
        }
    }

    /// Takes a piece away from the host.
    pub(super) fn hold(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
    ) -> (Applied, Passage) {
        let Reading::Held(held) = &mut self.reading else {
            return (Applied::default(), Passage::On);
        };
        let before = held.body.len();
        let (fits, length) = AiExchange::take(&mut held.body, program.body_limit(), ops);
        if !fits && self.must_see() {
            return self.no_body(program, Unseen::TOO_LARGE, ops);
        }
        let Reading::Held(held) = &mut self.reading else {
            return (Applied::default(), Passage::On);
        };
        if !fits {
            held.body.truncate(before);
            ops.for_each_received(Direction::Response, &mut |chunk| {
                held.body.extend_from_slice(chunk);
            });
        }
        if length > 0 && !ops.replace_received(Direction::Response, Some(length), b"") {
            return self.no_body(program, Unseen::NOT_WRITTEN, ops);
        }
        if !fits {
            return self.let_go(program, ops, end_of_stream);
        }
        match end_of_stream {
            true => self.end_held(program, ops),
            false => (Applied::default(), Passage::Waits),
        }
    }

    /// Lets a response go on as it came, since it is too large to be looked at.
    fn let_go(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
    ) -> (Applied, Passage) {
        let mut applied = Applied::default();
        let body = match std::mem::replace(&mut self.reading, Reading::Unreadable) {
            Reading::Held(held) => held.body,
            _ => Vec::new(),
        };
        self.pass_unread(body.len());
        if end_of_stream {
            self.finish(program, Ending::Whole, ops, &mut applied);
        }
        (applied, Passage::Released(body))
    }

    /// The body is whole.
    pub(super) fn end_held(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> (Applied, Passage) {
        let Reading::Held(held) = std::mem::take(&mut self.reading) else {
            return (Applied::default(), Passage::On);
        };
        let HeldReading {
            coding,
            body,
            tells,
        } = *held;
        let now = ops.unix_nanoseconds();
        // A body that stays goes on in the coding that it came in.
        let is_decoded = coding.is_some() && self.rewrites();
        let made = match decoded(coding, &body) {
            Ok(text) => self.rewrite(&text, now).map(|made| {
                // What has changed, or has lost its coding, is another body.
                made.or_else(|| is_decoded.then(|| text.into_owned()))
            }),
            Err(unseen) => {
                self.pass_unread(body.len());
                Err(unseen)
            }
        };
        let made = match made {
            Err(unseen) if self.must_see() => return self.no_body(program, unseen, ops),
            Err(_) => None,
            Ok(made) => made,
        };
        let mut applied = Applied::default();
        if let Some(made) = &made {
            applied.body = BodyChange::Replaced;
            applied.headers = true;
            describe(made.len(), is_decoded, ops, &mut applied);
        }
        self.finish(program, Ending::Whole, ops, &mut applied);
        if tells {
            program.headers.write(&self.facts, ops, &mut applied);
        }
        (applied, Passage::Released(made.unwrap_or(body)))
    }

    /// Reads a whole body and rewrites it; none if it stays.
    fn rewrite(&mut self, body: &[u8], now: i64) -> Result<Option<Vec<u8>>, Unseen> {
        if body.is_empty() {
            return Ok(None);
        }
        let text = std::str::from_utf8(body).map_err(|_| Unseen::NO_TEXT)?;
        let is_read = self.see(text, Extent::Body, now);
        let Some(rewriting) = &mut self.rewriting else {
            return Ok(None);
        };
        if !is_read {
            return Ok(rewriting.plain(text).map(String::into_bytes));
        }
        let mut edits = Edits::new();
        // All texts of a body end in it, so that nothing stands before it.
        rewriting.read(&self.view, text, &mut edits, &mut Vec::new())?;
        if let Some(observer) = &self.observer {
            observer.stage("mask", edits.len(), 0);
        }
        Ok((!edits.is_empty()).then(|| edits.write(text).into_bytes()))
    }

    fn no_body(
        &mut self,
        program: &AiProgram,
        unseen: Unseen,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> (Applied, Passage) {
        let mut applied = Applied::default();
        let refused = self.refuse_response(program, unseen, ops, &mut applied);
        (applied, Passage::Refused(refused))
    }
}

/// A body without its coding.
pub(super) fn decoded(
    coding: Option<coding::Decoder>,
    body: &[u8],
) -> Result<Cow<'_, [u8]>, Unseen> {
    let Some(mut coding) = coding else {
        return Ok(Cow::Borrowed(body));
    };
    let mut text = Vec::new();
    let pushed = coding.push(body, &mut text);
    match pushed.and_then(|()| coding.finish()) {
        Ok(()) => Ok(Cow::Owned(text)),
        Err(_) => Err(Unseen::CODING),
    }
}

/// Says of the response that its body has another `length` now, and no coding if it had one.
fn describe(
    length: usize,
    is_decoded: bool,
    ops: &mut (impl TransformationOps + ?Sized),
    applied: &mut Applied,
) {
    let mut has_length = false;
    ops.for_each_response_header_value("content-length", &mut |_| has_length = true);
    if has_length {
        let mut digits = itoa::Buffer::new();
        let length = digits.format(length).as_bytes();
        applied.refused += u32::from(!ops.set_response_header("content-length", length));
    }
    if is_decoded {
        ops.remove_response_header("content-encoding");
    }
    forget_bytes(ops);
}
