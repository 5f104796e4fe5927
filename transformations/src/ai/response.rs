//! The response, before the templates: what it took and who answered. Pieces are read as they pass; only
//! an event whose usage the client did not ask for is changed.

use std::time::Duration;

use formats::events::{Decoder, Event, Format, Frame};
use llm::facts::Cost;
use llm::place::Edits;
use llm::price::{self, Prices};
use llm::usage::{Ending, Hidden, Meter, hide};

use super::{AiExchange, AiProgram, Reading};
use crate::direction::Direction;
use crate::message::{append_header, is_compressed};
use crate::ops::TransformationOps;
use crate::stages::Applied;

impl AiExchange {
    /// The headers of the response have come.
    pub(crate) fn on_response_headers(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
    ) -> Applied {
        let mut applied = Applied::default();
        let is_read = self.meter.is_some();
        if self.is_over || !is_read && program.headers.is_empty() {
            return applied;
        }
        let (reading, format) = reading(program, ops);
        let is_whole = matches!(reading, Reading::Whole(_)) && format.is_none();
        if is_whole && !program.headers.waits() {
            program.headers.write(&self.facts, ops, &mut applied);
        }
        if !is_read {
            return applied;
        }
        self.reading = reading;
        self.waits = is_whole && program.headers.waits();
        if let Reading::Events(_) = self.reading {
            self.facts.stream = Some(true);
            if self.hides_usage {
                // How long it becomes shows when it has come.
                applied.headers = true;
                ops.remove_response_header("content-length");
            }
        }
        if end_of_stream {
            self.finish(program, Ending::Whole, ops, &mut applied);
        }
        applied
    }

    /// A piece of the response's body has come.
    ///
    /// # Cost
    /// A search for the ends of events and a pass over each; or a copy, and one pass at the end.
    pub(crate) fn on_response_body(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
    ) -> Applied {
        let mut applied = Applied::default();
        match &mut self.reading {
            Reading::Nothing => return applied,
            Reading::Refused | Reading::Unreadable => {}
            Reading::Whole(body) => {
                let (most, waits) = (program.body_limit(), self.waits);
                let mut fits = true;
                ops.for_each_received(Direction::Response, &mut |chunk| {
                    fits &= body.len().saturating_add(chunk.len()) <= most;
                    if fits || waits {
                        body.extend_from_slice(chunk);
                    }
                });
                if !fits {
                    let body = std::mem::take(body);
                    self.read = std::mem::take(&mut self.waits).then_some(body);
                    self.reading = Reading::Unreadable;
                }
            }
            Reading::Events(_) => self.on_events(ops, end_of_stream, &mut applied),
        }
        if end_of_stream {
            self.finish(program, Ending::Whole, ops, &mut applied);
        }
        applied
    }

    /// The response has ended with trailers. Answers what is left to be sent before them.
    pub(crate) fn on_response_trailers(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> (Vec<u8>, Applied) {
        let (mut out, mut applied) = (Vec::new(), Applied::default());
        if let Reading::Nothing = self.reading {
            return (out, applied);
        }
        self.end_events(ops, &mut out);
        if !self.hides_usage {
            // It has passed by.
            out.clear();
        }
        self.finish(program, Ending::Whole, ops, &mut applied);
        (out, applied)
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

    /// Whether the head of the response waits for what its body says. The body is here then.
    pub(crate) fn waits(&self) -> bool {
        self.waits
    }

    /// The head of the response does not wait.
    pub(crate) fn let_pass(&mut self) {
        self.waits = false;
    }

    /// What has come of a body whose head waits no longer.
    pub(crate) fn take_read(&mut self) -> Option<Vec<u8>> {
        self.read.take()
    }

    fn on_events(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
        applied: &mut Applied,
    ) {
        let Reading::Events(mut decoder) = std::mem::take(&mut self.reading) else {
            return;
        };
        let now = ops.unix_nanoseconds();
        let (mut out, mut length, mut same) = (Vec::new(), 0, true);
        ops.for_each_received(Direction::Response, &mut |chunk| {
            let start = out.len();
            let mut rest = chunk;
            while let Some(frame) = decoder.next(&mut rest) {
                self.frame(frame, now, &mut out);
            }
            same &= out.get(start..) == Some(chunk);
            length += chunk.len();
        });
        self.reading = Reading::Events(decoder);
        if end_of_stream {
            let start = out.len();
            self.end_events(ops, &mut out);
            same &= out.len() == start;
        }
        let is_written = !self.hides_usage
            || same
            || ops.replace_received(Direction::Response, Some(length), &out);
        applied.refused += u32::from(!is_written);
    }

    fn end_events(&mut self, ops: &(impl TransformationOps + ?Sized), out: &mut Vec<u8>) {
        let now = ops.unix_nanoseconds();
        self.reading = match std::mem::take(&mut self.reading) {
            Reading::Events(mut decoder) => {
                if let Some(frame) = decoder.finish() {
                    self.frame(frame, now, out);
                }
                Reading::Events(decoder)
            }
            // What was read of it until now is all of it.
            other => other,
        };
    }

    /// Reads a frame, and appends what is to be sent in its place if usage is hidden.
    fn frame(&mut self, frame: Frame<'_>, now: i64, out: &mut Vec<u8>) {
        let event = match frame {
            Frame::Event(event) | Frame::Tail(event) => event,
            Frame::Oversized(bytes) => {
                if self.hides_usage {
                    out.extend_from_slice(bytes);
                }
                return;
            }
        };
        let data = event.data();
        let data = data.as_deref().and_then(|it| std::str::from_utf8(it).ok());
        let is_read = data.is_some_and(|data| self.see(data, Extent::Event, now));
        if !self.hides_usage {
            return;
        }
        match data.filter(|_| is_read) {
            Some(data) => self.hide(event, data, out),
            None => out.extend_from_slice(event.raw()),
        }
    }

    /// Takes from an event what the client did not ask for.
    fn hide(&self, event: Event<'_>, data: &str, out: &mut Vec<u8>) {
        let mut edits = Edits::new();
        match hide(&self.view, data, &mut edits) {
            Hidden::Nothing => out.extend_from_slice(event.raw()),
            Hidden::Entry => event.write_with_data(edits.write(data).as_bytes(), out),
            // The mark belongs to the stream.
            Hidden::Event => out.extend_from_slice(event.mark()),
        }
    }

    /// Reads a body or the data of an event. False if it is not JSON.
    fn see(&mut self, data: &str, extent: Extent, now: i64) -> bool {
        let (Some(meter), Some(dialect)) = (&mut self.meter, self.facts.dialect) else {
            return false;
        };
        let read = match extent {
            Extent::Event => self.view.read_event(dialect, data),
            Extent::Body => self.view.read_body(dialect, data),
        };
        if read.is_err() {
            return false;
        }
        if meter.see(&self.view, data) {
            self.first_output = Some(now);
        }
        true
    }

    /// Says what the exchange took, and publishes it. Does so once.
    fn finish(
        &mut self,
        program: &AiProgram,
        ending: Ending,
        ops: &mut (impl TransformationOps + ?Sized),
        applied: &mut Applied,
    ) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let now = ops.unix_nanoseconds();
        let reading = std::mem::take(&mut self.reading);
        if let (Reading::Whole(body), Ending::Whole) = (&reading, ending)
            && let Ok(text) = std::str::from_utf8(body)
        {
            self.see(text, Extent::Body, now);
        }
        let ending = match &reading {
            Reading::Refused => Ending::Refused,
            _ => ending,
        };
        let is_stream = matches!(reading, Reading::Events(_));
        if let Some(meter) = self.meter.take() {
            self.account(program, &meter, ending);
        }
        if let Some(first) = self.first_output {
            self.facts.time_to_first_token = Some(between(self.began, first));
            self.facts.generation_time = is_stream.then(|| between(first, now));
        }
        self.publish_all(program, ops, applied);
        if std::mem::take(&mut self.waits)
            && let (Reading::Whole(body), Ending::Whole) = (reading, ending)
        {
            program.headers.write(&self.facts, ops, applied);
            self.read = Some(body);
        }
    }

    fn account(&mut self, program: &AiProgram, meter: &Meter, ending: Ending) {
        let facts = &mut self.facts;
        let metered = meter.metered(ending, self.input_bytes);
        facts.metered = Some(metered);
        facts.response_model = meter.model().map(str::to_owned);
        facts.finish_reason = meter.finish_reason().map(str::to_owned);
        facts.cost = program.prices.as_ref().map(|prices| {
            let cost = |model: &Option<String>| {
                let tables: [&Prices; 1] = [prices];
                price::cost(&tables, model.as_deref(), metered.usage.as_ref())
            };
            // A path may name a deployment that nobody else knows.
            match cost(&facts.model) {
                Cost::UnknownModel => cost(&facts.response_model),
                known => known,
            }
        });
    }
}

/// What is read.
#[derive(Clone, Copy)]
enum Extent {
    Event,
    Body,
}

/// How a response with these headers is to be read, and what it is a stream of.
fn reading(
    program: &AiProgram,
    ops: &(impl TransformationOps + ?Sized),
) -> (Reading, Option<Format>) {
    let mut is_success = false;
    ops.for_each_response_header_value(":status", &mut |status| {
        is_success = status.first() == Some(&b'2');
    });
    if !is_success {
        return (Reading::Refused, None);
    }
    if is_compressed(ops, Direction::Response) {
        return (Reading::Unreadable, None);
    }
    let mut content_type = String::new();
    append_header(ops, Direction::Response, "content-type", &mut content_type);
    let format = Format::of(&content_type);
    let reading = match format {
        Some(Format::Sse) => {
            Reading::Events(Box::new(Decoder::new(Format::Sse, program.body_limit())))
        }
        _ => Reading::Whole(Vec::new()),
    };
    (reading, format)
}

/// From one moment to a later one; clocks that were set back in between give nothing.
fn between(start: i64, end: i64) -> Duration {
    Duration::from_nanos(u64::try_from(end.saturating_sub(start)).unwrap_or_default())
}
