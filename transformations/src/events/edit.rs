//! Applies rules to the pieces of one stream.
//!
//! Writes into the output as it goes and cuts it back where an event fails, so that an event is
//! either sent as its rule says or as `onError` says, never in part.

use std::sync::Arc;

use super::Streamed;
use super::render::Renderer;
use super::select::Subject;
use crate::direction::Direction;
use crate::error::{Cause, Failure, FieldId, TransformErrorKind};
use crate::on_error::Place;
use crate::program::{Edit, EventProgram, EventRule, EventTemplate, NewEvent, PatchRule, Program};
use formats::events::{Event, Format, Frame};

/// What of a stream is not in its decoder.
#[derive(Debug)]
pub(super) struct Editor {
    program: Arc<Program>,
    format: Format,
    renderer: Renderer,
    /// The last byte that was sent, if it does not end an event.
    open: Option<u8>,
    /// Inside an event that is too large.
    oversized: bool,
    /// What ended the stream for good.
    stopped: Option<Failure>,
    report: Streamed,
    text: String,
}

impl Editor {
    pub(super) fn new(program: Arc<Program>, format: Format, renderer: Renderer) -> Editor {
        Editor {
            program,
            format,
            renderer,
            open: None,
            oversized: false,
            stopped: None,
            report: Streamed::default(),
            text: String::new(),
        }
    }

    /// What happened since the last report.
    pub(super) fn report(&mut self) -> Result<Streamed, Failure> {
        let report = std::mem::take(&mut self.report);
        self.stopped.clone().map_or(Ok(report), Err)
    }

    pub(super) fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<u8>) {
        let program = Arc::clone(&self.program);
        let Some(rules) = &program.events else { return };
        if self.stopped.is_some() {
            return;
        }
        match frame {
            Frame::Event(event) => {
                self.oversized = false;
                self.open = None;
                self.event(rules, event, out);
            }
            Frame::Tail(event) => {
                self.oversized = false;
                self.open = event.raw().last().copied();
                self.event(rules, event, out);
            }
            Frame::Oversized(bytes) => self.oversized(rules, bytes, out),
        }
    }

    /// Sends what the configuration adds at the end.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        let program = Arc::clone(&self.program);
        let Some(rules) = &program.events else { return };
        if self.stopped.is_some() {
            return;
        }
        let start = out.len();
        if let Err(error) = self.new_events(rules, &rules.at_end, None, out) {
            out.truncate(start);
            self.failed(rules, error);
        }
    }

    /// Lets bytes of an event pass that is too large to be read. It fails once, however many pieces
    /// it comes in.
    fn oversized(&mut self, rules: &EventProgram, bytes: &[u8], out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.oversized, true) {
            let kind = TransformErrorKind::EventTooLarge;
            if !self.failed(rules, failure(kind.into(), rules.field)) {
                return;
            }
        }
        self.open = bytes.last().copied();
        out.extend_from_slice(bytes);
    }

    fn event(&mut self, rules: &EventProgram, event: Event<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        let subject = Subject::new(event);
        let selected = subject.as_ref().and_then(|subject| {
            rules
                .rules
                .iter()
                .find(|rule| rule.selects(subject))
                .map(|rule| (rule, subject))
        });
        let Some((rule, subject)) = selected else {
            out.extend_from_slice(event.raw());
            return;
        };
        let open = self.open;
        match self.apply(rules, rule, subject, out) {
            Ok(()) => self.report.changed = self.report.changed.saturating_add(1),
            Err(error) => {
                out.truncate(start);
                if self.failed(rules, error) {
                    out.extend_from_slice(event.raw());
                    self.open = open;
                }
            }
        }
    }

    fn apply(
        &mut self,
        rules: &EventProgram,
        rule: &EventRule,
        subject: &Subject<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        // A tail ends nothing before it is sent itself.
        let open = self.open.take();
        // The mark belongs to the stream: it stays in front, whatever comes first.
        let mark = subject.event.mark();
        out.extend_from_slice(mark);
        self.new_events(rules, &rule.before, Some(subject), out)?;
        let start = out.len();
        self.edit(rules, rule, subject, out)?;
        if out.len() > start {
            self.open = open.and_then(|_| out.last().copied());
        }
        if out
            .get(start..)
            .is_some_and(|event| event.starts_with(mark))
        {
            out.drain(start..start + mark.len());
        }
        self.new_events(rules, &rule.after, Some(subject), out)
    }

    fn edit(
        &mut self,
        rules: &EventProgram,
        rule: &EventRule,
        subject: &Subject<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let event = &subject.event;
        match &rule.edit {
            Edit::Drop => {}
            Edit::Keep => out.extend_from_slice(event.raw()),
            Edit::Data(template) => match self.render(template, Some(subject)) {
                Ok(()) if self.text.is_empty() => {}
                Ok(()) => event.write_with_data(self.text.as_bytes(), out),
                Err(error) => {
                    self.gone_over(rules, error)?;
                    out.extend_from_slice(event.raw());
                }
            },
            Edit::Patch(patch) => match self.patched(patch, subject) {
                Ok(data) => event.write_with_data(&data, out),
                Err(error) => {
                    self.gone_over(rules, error)?;
                    out.extend_from_slice(event.raw());
                }
            },
        }
        Ok(())
    }

    fn new_events(
        &mut self,
        rules: &EventProgram,
        events: &[NewEvent],
        subject: Option<&Subject<'_>>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        for event in events {
            match self.render(&event.data, subject) {
                Ok(()) if self.text.is_empty() => {}
                Ok(()) => {
                    if let Some(last) = self.open.take() {
                        self.format.separate(last, out);
                    }
                    let data = self.text.as_bytes();
                    self.format.write(event.name.as_deref(), data, out);
                }
                Err(error) => self.gone_over(rules, error)?,
            }
        }
        Ok(())
    }

    fn patched(&self, rule: &PatchRule, subject: &Subject<'_>) -> Result<Vec<u8>, Failure> {
        let Some(document) = subject.document() else {
            // Rules with a patch select JSON only.
            return Ok(subject.data.to_vec());
        };
        let mut values = Vec::with_capacity(rule.values.len());
        for value in &rule.values {
            let mut text = String::new();
            let rendered = self
                .renderer
                .render(&self.program, value, Some(subject), &mut text);
            rendered.map_err(|cause| failure(cause, value.field))?;
            values.push(text);
        }
        match rule.apply(document, &values, self.program.output_bytes) {
            Ok(edited) => Ok(edited.to_vec()),
            Err((cause, field)) => Err(failure(cause, field)),
        }
    }

    /// Renders into `self.text`.
    fn render(
        &mut self,
        text: &EventTemplate,
        subject: Option<&Subject<'_>>,
    ) -> Result<(), Failure> {
        self.text.clear();
        let value = &text.value;
        let rendered = self
            .renderer
            .render(&self.program, value, subject, &mut self.text);
        rendered.map_err(|cause| failure(cause, value.field))
    }

    /// Notes the failure of a part, if the rest is to be done all the same.
    fn gone_over(&mut self, rules: &EventProgram, failure: Failure) -> Result<(), Failure> {
        if !rules.on_error.leaves_out(failure.error(), Place::Body) {
            return Err(failure);
        }
        self.note(failure);
        Ok(())
    }

    /// Notes a failure; answers whether the stream goes on.
    fn failed(&mut self, rules: &EventProgram, failure: Failure) -> bool {
        let passes = rules.on_error.lets_pass(failure.error(), Place::Body);
        if passes {
            self.note(failure);
        } else {
            self.stopped = Some(failure);
        }
        passes
    }

    fn note(&mut self, failure: Failure) {
        self.report.failed = self.report.failed.saturating_add(1);
        self.report.failure.get_or_insert(failure);
    }
}

fn failure(cause: Cause, field: FieldId) -> Failure {
    Failure::new(cause, Direction::Response, field)
}

impl EventRule {
    fn selects(&self, subject: &Subject<'_>) -> bool {
        self.name
            .as_deref()
            .is_none_or(|name| subject.name() == Some(name))
            && (!self.json || subject.document().is_some())
            && self
                .condition
                .as_ref()
                .is_none_or(|condition| condition.holds(subject))
    }
}
