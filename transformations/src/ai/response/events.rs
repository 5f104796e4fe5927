//! The events of a streamed response: each is read, loses the usage that its client did not ask for, and
//! has its texts rewritten. On the worker of the exchange.

use formats::events::{Event, Format, Frame};
use llm::place::Edits;
use llm::usage::{Hidden, hide};

use super::{Reading, Unseen};
use crate::ai::AiExchange;
use crate::applied::Applied;
use crate::direction::Direction;
use crate::observer::Step;
use crate::ops::TransformationOps;

/// What is read.
#[derive(Clone, Copy)]
pub(super) enum Extent {
    Event,
    Body,
}

impl AiExchange {
    /// Reads a piece of the stream, and puts in its place what is to be sent.
    ///
    /// # Errors
    /// Of an event that cannot be looked at; what is sent ends with the event that says so.
    pub(super) fn on_events(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
        applied: &mut Applied,
    ) -> Result<(), Unseen> {
        let Reading::Events(mut events) = std::mem::take(&mut self.reading) else {
            return Ok(());
        };
        let now = ops.unix_nanoseconds();
        let (mut out, mut length, mut same) = (Vec::new(), 0, true);
        let mut seen = Ok(());
        ops.for_each_received(Direction::Response, &mut |chunk| {
            length += chunk.len();
            if seen.is_err() {
                return;
            }
            let start = out.len();
            let mut rest = chunk;
            if let Some(coding) = &mut events.coding {
                events.decoded.clear();
                seen = (coding.push(chunk, &mut events.decoded)).map_err(|_| Unseen::CODING);
                rest = &events.decoded;
            }
            while seen.is_ok()
                && let Some(frame) = events.decoder.next(&mut rest)
            {
                seen = self.frame(frame, now, &mut out);
            }
            same &= out.get(start..) == Some(chunk);
        });
        self.reading = Reading::Events(events);
        if seen == Err(Unseen::CODING) && !self.changes_events() {
            // It goes on as it came.
            self.reading = Reading::Unreadable;
            self.pass_unread(length);
            return Ok(());
        }
        if end_of_stream && seen.is_ok() {
            let start = out.len();
            seen = self.end_events(ops, &mut out);
            same &= out.len() == start;
        } else if seen.is_err() {
            self.break_off(&mut out);
            same = false;
        }
        let is_written = !self.changes_events()
            || same
            || ops.replace_received(Direction::Response, Some(length), &out);
        applied.refused += u32::from(!is_written);
        match is_written || !self.rewrites() {
            true => seen,
            false => Err(Unseen::NOT_WRITTEN),
        }
    }

    /// Reads what is left when the stream ends, and appends what is to be sent then.
    pub(super) fn end_events(
        &mut self,
        ops: &(impl TransformationOps + ?Sized),
        out: &mut Vec<u8>,
    ) -> Result<(), Unseen> {
        let Reading::Events(mut events) = std::mem::take(&mut self.reading) else {
            return Ok(());
        };
        let now = ops.unix_nanoseconds();
        let coding = events.coding.as_ref().filter(|_| self.changes_events());
        let is_whole = coding.is_none_or(|coding| coding.finish().is_ok());
        let mut seen = match is_whole {
            true => Ok(()),
            false => Err(Unseen::CODING),
        };
        let mut is_cut = false;
        if seen.is_ok()
            && let Some(frame) = events.decoder.finish()
        {
            is_cut = matches!(frame, Frame::Tail(_));
            seen = self.frame(frame, now, out);
        }
        self.reading = Reading::Events(events);
        let mut rest = Vec::new();
        match (&seen, &mut self.rewriting) {
            (Ok(()), Some(rewriting)) => rewriting.finish(&mut rest),
            (Ok(()), None) => {}
            (Err(_), _) => self.break_off(&mut rest),
        }
        if let Some(observer) = &self.observer {
            observer.stage("mask", 0, rest.len());
        }
        if let Some(&last) = out.last()
            && is_cut
            && !rest.is_empty()
        {
            Format::Sse.separate(last, out);
        }
        out.append(&mut rest);
        seen
    }

    /// Reads a frame, and appends what is to be sent in its place if anything changes.
    fn frame(&mut self, frame: Frame<'_>, now: i64, out: &mut Vec<u8>) -> Result<(), Unseen> {
        let changes = self.changes_events();
        let mut pass = |bytes: &[u8]| {
            if changes {
                out.extend_from_slice(bytes);
            }
        };
        let must_see = self.rewriting.as_ref().is_some_and(|it| it.must_see());
        let event = match frame {
            Frame::Event(event) | Frame::Tail(event) => event,
            Frame::Oversized(_) if must_see => return Err(Unseen::TOO_LARGE),
            Frame::Oversized(bytes) => {
                pass(bytes);
                return Ok(());
            }
        };
        let Some(data) = event.data() else {
            pass(event.raw());
            return Ok(());
        };
        let Ok(data) = std::str::from_utf8(&data) else {
            pass(event.raw());
            return match must_see {
                true => Err(Unseen::NO_TEXT),
                false => Ok(()),
            };
        };
        if self.see(data, Extent::Event, now) {
            return self.read_event(event, data, out);
        }
        let masks_own = self.rewriting.as_ref().is_some_and(|it| it.masks_own);
        if must_see && masks_own && !data.trim_ascii().is_empty() {
            return Err(Unseen::NO_JSON);
        }
        pass(event.raw());
        Ok(())
    }

    /// Appends what is to be sent in the place of an event that was read.
    fn read_event(
        &mut self,
        event: Event<'_>,
        data: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), Unseen> {
        let changes = self.changes_events();
        let start = out.len();
        let mut edits = Edits::new();
        if let Some(rewriting) = &mut self.rewriting
            && let Err(unseen) = rewriting.read(&self.view, data, &mut edits, out)
        {
            out.truncate(start);
            edits = Edits::new();
            if rewriting.must_see() {
                return Err(unseen);
            }
        }
        if !changes {
            return Ok(());
        }
        let rewritten = edits.len();
        let hidden = match self.hides_usage {
            true => hide(&self.view, data, &mut edits),
            false => Hidden::Nothing,
        };
        if let Some(observer) = &self.observer {
            observer.stage("mask", rewritten, out.len() - start);
            let is_hidden = usize::from(hidden == Hidden::Event);
            observer.stage("usage", edits.len() - rewritten + is_hidden, 0);
            let waiting = self.rewriting.as_ref().map_or(0, |it| it.waiting());
            if waiting > 0 {
                observer.tell(Step::Waiting { bytes: waiting });
            }
        }
        match hidden {
            // The mark belongs to the stream.
            Hidden::Event => out.extend_from_slice(event.mark()),
            _ if edits.is_empty() => out.extend_from_slice(event.raw()),
            _ => event.write_with_data(edits.write(data).as_bytes(), out),
        }
        Ok(())
    }

    /// Reads a body or the data of an event. False if it is not JSON.
    pub(super) fn see(&mut self, data: &str, extent: Extent, now: i64) -> bool {
        let Some(dialect) = self.facts.dialect else {
            return false;
        };
        let read = match extent {
            Extent::Event => self.view.read_event(dialect, data),
            Extent::Body => self.view.read_body(dialect, data),
        };
        if read.is_err() {
            return false;
        }
        if let Some(meter) = &mut self.meter
            && meter.see(&self.view, data)
        {
            self.first_output = Some(now);
        }
        true
    }

    /// Appends the event that says that the stream ends here, and why.
    fn break_off(&self, out: &mut Vec<u8>) {
        if let Some(rewriting) = &self.rewriting {
            rewriting.break_off(out);
        }
    }
}
