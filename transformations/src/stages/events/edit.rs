//! Applies rules to the pieces of one stream.
//!
//! Writes into the output as it goes and cuts it back where an event fails, so that an event is
//! either sent as its rule says or as `onError` says, never in part.

use std::sync::Arc;

use super::Passed;
use super::select::Subject;
use super::view::{EventView, Surroundings};
use crate::direction::Direction;
use crate::error::{Cause, Failure, FieldId, StageName, TransformErrorKind};
use crate::on_error::Place;
use crate::program::{Edit, EventProgram, EventRule, EventTemplate, NewEvent, PatchRule, Program};
use crate::template::Template;
use crate::template::render::Renderer;
use formats::coding::CodingError;
use formats::events::{Format, Frame};

/// The templates of one event.
type Templates<'a> = Renderer<'a, EventView<'a>>;

/// What of a stream is not in its decoder.
#[derive(Debug)]
pub(super) struct Editor {
    program: Arc<Program>,
    /// The transform of responses whose rules apply.
    transform: usize,
    surroundings: Surroundings,
    state: State,
}

/// Where in the stream the editor is.
#[derive(Debug)]
struct State {
    format: Format,
    /// The last byte that was sent, if it does not end an event.
    open: Option<u8>,
    /// Inside an event that is too large.
    oversized: bool,
    /// What ended the stream for good.
    stopped: Option<Failure>,
    report: Passed,
    /// What templates are rendered into; kept for its memory.
    text: String,
}

impl Editor {
    pub(super) fn new(
        program: Arc<Program>,
        transform: usize,
        format: Format,
        surroundings: Surroundings,
    ) -> Editor {
        Editor {
            program,
            transform,
            surroundings,
            state: State {
                format,
                open: None,
                oversized: false,
                stopped: None,
                report: Passed::default(),
                text: String::new(),
            },
        }
    }

    /// What happened since the last report.
    pub(super) fn report(&mut self) -> Result<Passed, Failure> {
        let report = std::mem::take(&mut self.state.report);
        self.state.stopped.clone().map_or(Ok(report), Err)
    }

    /// Ends the stream for good: what comes of it cannot be decoded, and the client was promised what is.
    pub(super) fn stop(&mut self, error: CodingError) {
        let Some(rules) = self.program.events(self.transform) else {
            return;
        };
        let cause = Cause::because(TransformErrorKind::CompressedStream, error);
        let failure = failure(cause, rules.field);
        self.state.stopped.get_or_insert(failure);
    }

    pub(super) fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<u8>) {
        let Some(rules) = self.program.events(self.transform) else {
            return;
        };
        let state = &mut self.state;
        if state.stopped.is_some() {
            return;
        }
        let event = match frame {
            Frame::Event(event) => {
                state.open = None;
                event
            }
            Frame::Tail(event) => {
                state.open = event.raw().last().copied();
                event
            }
            Frame::Oversized(bytes) => return state.oversized(rules, bytes, out),
        };
        state.oversized = false;
        let selected =
            Subject::new(event).and_then(|subject| Some((rules.rule_for(&subject)?, subject)));
        match &selected {
            Some(((number, rule), subject)) => {
                self.surroundings.tell_of_rule(*number);
                let mut templates =
                    templates(&self.program, rules, &self.surroundings, Some(subject));
                state.event(rules, rule, subject, &mut templates, out);
            }
            None => out.extend_from_slice(event.raw()),
        }
    }

    /// Sends what the configuration adds at the end.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        let Some(rules) = self.program.events(self.transform) else {
            return;
        };
        if self.state.stopped.is_some() {
            return;
        }
        let start = out.len();
        let mut templates = templates(&self.program, rules, &self.surroundings, None);
        let added = self
            .state
            .new_events(rules, &rules.at_end, &mut templates, out);
        if let Err(error) = added {
            out.truncate(start);
            self.state.failed(rules, error);
        }
    }
}

/// The templates of one event, or of the end: they share one budget.
fn templates<'a>(
    program: &'a Program,
    rules: &EventProgram,
    surroundings: &'a Surroundings,
    subject: Option<&'a Subject<'a>>,
) -> Templates<'a> {
    let reads_json = rules.reads.document || rules.reads.variables;
    let view = EventView::new(surroundings, subject, reads_json);
    Renderer::new(
        program.engine.as_ref(),
        rules.on_error,
        program.output_bytes,
        view,
    )
}

impl State {
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

    fn event(
        &mut self,
        rules: &EventProgram,
        rule: &EventRule,
        subject: &Subject<'_>,
        templates: &mut Templates<'_>,
        out: &mut Vec<u8>,
    ) {
        let start = out.len();
        let open = self.open;
        match self.apply(rules, rule, subject, templates, out) {
            Ok(()) => self.report.changed = self.report.changed.saturating_add(1),
            Err(error) => {
                out.truncate(start);
                if self.failed(rules, error) {
                    out.extend_from_slice(subject.event.raw());
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
        templates: &mut Templates<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        // A tail ends nothing before it is sent itself.
        let open = self.open.take();
        // The mark belongs to the stream: it stays in front, whatever comes first.
        let mark = subject.event.mark();
        out.extend_from_slice(mark);
        self.new_events(rules, &rule.before, templates, out)?;
        let start = out.len();
        self.edit(rules, rule, subject, templates, out)?;
        if out.len() > start {
            self.open = open.and_then(|_| out.last().copied());
        }
        if out
            .get(start..)
            .is_some_and(|event| event.starts_with(mark))
        {
            out.drain(start..start + mark.len());
        }
        self.new_events(rules, &rule.after, templates, out)
    }

    fn edit(
        &mut self,
        rules: &EventProgram,
        rule: &EventRule,
        subject: &Subject<'_>,
        templates: &mut Templates<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let event = &subject.event;
        let edited = match &rule.edit {
            Edit::Drop => Ok(()),
            Edit::Keep => {
                out.extend_from_slice(event.raw());
                Ok(())
            }
            Edit::Data(template) => {
                render(template, templates, &mut self.text).map(|data| match data {
                    "" => {}
                    data => event.write_with_data(data.as_bytes(), out),
                })
            }
            Edit::Patch(patch) => {
                patched(patch, subject, templates).map(|data| event.write_with_data(&data, out))
            }
        };
        if let Err(error) = edited {
            self.gone_over(rules, error)?;
            out.extend_from_slice(event.raw());
        }
        Ok(())
    }

    fn new_events(
        &mut self,
        rules: &EventProgram,
        events: &[NewEvent],
        templates: &mut Templates<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        for event in events {
            match render(&event.data, templates, &mut self.text) {
                Ok("") => {}
                Ok(data) => {
                    if let Some(last) = self.open.take() {
                        self.format.separate(last, out);
                    }
                    let name = event.name.as_deref();
                    self.format.write(name, data.as_bytes(), out);
                }
                Err(error) => self.gone_over(rules, error)?,
            }
        }
        Ok(())
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

/// What a template renders to; `text` is for those that are not constant.
fn render<'t>(
    template: &'t EventTemplate,
    templates: &mut Templates<'_>,
    text: &'t mut String,
) -> Result<&'t str, Failure> {
    let value = &template.value;
    if let Template::Constant(constant) = &value.template {
        return Ok(constant);
    }
    text.clear();
    match templates.render(value.field, &value.template, Place::Body, text) {
        Ok(()) => Ok(text),
        Err(cause) => Err(failure(cause, value.field)),
    }
}

fn patched(
    rule: &PatchRule,
    subject: &Subject<'_>,
    templates: &mut Templates<'_>,
) -> Result<Vec<u8>, Failure> {
    let Some(document) = subject.document() else {
        // Rules with a patch select JSON only.
        return Ok(subject.data.to_vec());
    };
    let failed = |(cause, field)| failure(cause, field);
    let values = rule.render(templates).map_err(failed)?;
    // What values took of the budget is not taken again by the document that holds them.
    let edited = rule.apply(document, &values, templates.output_bytes());
    Ok(edited.map_err(failed)?.to_vec())
}

fn failure(cause: Cause, field: FieldId) -> Failure {
    Failure::new(cause, StageName::Events, Direction::Response, field)
}

impl EventProgram {
    /// The first rule that selects the event, with its number.
    fn rule_for(&self, subject: &Subject<'_>) -> Option<(usize, &EventRule)> {
        let mut rules = self.rules.iter().enumerate();
        rules.find(|(_, rule)| rule.selects(subject))
    }
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
