//! The stage of templates: renders all values of one direction, from the message as it was, before
//! anything changes.

use std::borrow::Cow;

mod lines;
pub(crate) mod reply;

use super::commands::Captured;
use super::edits::{Edits, Made};
use super::framing;
use super::view::MessageView;
use super::{BodyAccess, note};
use crate::config::OnError;
use crate::direction::Direction;
use crate::error::{Cause, Failure, FieldId, StageName, TransformErrorKind};
use crate::http;
use crate::observer::Step;
use crate::on_error::Place;
use crate::ops::TransformationOps;
use crate::program::{
    Action, BodyRule, DirectionProgram, PatchRule, Program, RenderedPatch, Rule, TemplateField,
    When,
};
use crate::template::render::{Renderer, View};
use formats::json::Document;
use formats::json::patch::Edited;
use reply::OwnReply;

/// What was read of the body.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// The parsed body.
    pub(super) document: Option<Document>,
    /// How long the body is, if it was read; unless it is empty, it is not compressed then.
    pub(super) read_bytes: Option<usize>,
    /// It was compressed, and what was read of it is not.
    pub(super) was_decoded: bool,
    /// What the patch is to do, unless it is left out.
    patch: Option<RenderedPatch>,
}

impl Parsed {
    /// The edited body, if the configuration edits it. Nothing is copied yet.
    pub(super) fn edit<'a>(
        &'a self,
        compiled: &'a DirectionProgram,
        room: usize,
    ) -> Result<Option<Edited<'a>>, Failure> {
        let (Some(BodyRule::Patch(rule)), Some(document), Some(values)) =
            (&compiled.body, &self.document, &self.patch)
        else {
            return Ok(None);
        };
        match rule.apply(document, values, room) {
            Ok(edited) => Ok(Some(edited)),
            Err((cause, field)) => Err(Failure::new(
                cause,
                StageName::Transform,
                compiled.direction,
                field,
            )),
        }
    }
}

/// What rendering comes to, written where it is to lie.
pub(super) struct Outcome<'a> {
    /// The values; empty before.
    pub(super) edits: &'a mut Edits,
    /// What failed and is left out, the first of each kind.
    pub(super) failures: &'a mut Vec<Failure>,
    /// What was read of the body.
    pub(super) parsed: &'a mut Parsed,
}

/// Renders the body first, then every rule in order. Answers a reply, if the request is to be answered
/// with that; then nothing else was rendered.
///
/// # Errors
/// What failed, if `onError` does not leave it out.
pub(super) fn edit<O: TransformationOps + ?Sized>(
    program: &Program,
    compiled: &DirectionProgram,
    captured: Captured<'_>,
    ops: &mut O,
    body: BodyAccess,
    outcome: Outcome<'_>,
) -> Result<Option<Box<OwnReply>>, Failure> {
    let view = MessageView::new(compiled, captured, ops, body);
    let mut render = Render::new(program, compiled, view, outcome.edits, outcome.failures);
    let reply = render.all(body, &mut outcome.parsed.patch)?;
    let view = &mut render.templates.view;
    view.tell_of_body();
    outcome.parsed.document = view.document.take();
    outcome.parsed.read_bytes = view.read_bytes;
    outcome.parsed.was_decoded = view.was_decoded;
    Ok(reply)
}

struct Render<'a, O: ?Sized> {
    compiled: &'a DirectionProgram,
    templates: Renderer<'a, MessageView<'a, O>>,
    edits: &'a mut Edits,
    failures: &'a mut Vec<Failure>,
}

impl<'a, O: TransformationOps + ?Sized> Render<'a, O> {
    #[inline]
    fn new(
        program: &'a Program,
        compiled: &'a DirectionProgram,
        view: MessageView<'a, O>,
        edits: &'a mut Edits,
        failures: &'a mut Vec<Failure>,
    ) -> Self {
        let engine = program.engine.as_ref();
        Render {
            compiled,
            templates: Renderer::new(engine, compiled.on_error, program.output_bytes, view),
            edits,
            failures,
        }
    }

    /// Renders everything, and into `patch` what a patch is to do; answers the reply, if there is one.
    #[inline]
    fn all(
        &mut self,
        body: BodyAccess,
        patch: &mut Option<RenderedPatch>,
    ) -> Result<Option<Box<OwnReply>>, Failure> {
        let compiled = self.compiled;
        if let Err(cause) = self.templates.view.read() {
            self.without_body(cause)?;
        }
        // Others were decided when there were only headers.
        let reply = compiled.reply.as_ref().filter(|reply| reply.reads_body);
        if let Some(rule) = reply
            && let Some(reply) = self.reply(rule)?
        {
            return Ok(Some(Box::new(reply)));
        }
        match &compiled.body {
            None => {}
            Some(BodyRule::Template(value)) => match body {
                BodyAccess::Whole => {
                    let made = self.value(value, Place::Body, check_nothing)?;
                    self.edits.body = made.unwrap_or_default();
                }
                BodyAccess::Stream => {
                    let streamed = TransformErrorKind::StreamedBody;
                    self.failed(streamed.into(), value.field, Place::Body)?;
                }
                BodyAccess::HeadersOnly | BodyAccess::Absent => {}
            },
            Some(BodyRule::Patch(rule)) => *patch = self.patch(rule)?,
        }
        for rule in &compiled.rules {
            let made = self.rule(rule)?;
            self.edits.rules.push(made);
        }
        Ok(None)
    }

    fn rule(&mut self, rule: &Rule) -> Result<Made, Failure> {
        let host = &self.templates.view.host;
        if framing::keeps(host, &rule.action) {
            return Ok(Made::Nothing);
        }
        if let Some(when) = &rule.when
            && !self.applies(when)?
        {
            return Ok(Made::Nothing);
        }
        let host = &self.templates.view.host;
        let direction = self.compiled.direction;
        let no_tunnel = framing::refuses_tunnel(host, &rule.action);
        let check =
            |text: &mut String, start: usize| check(rule, direction, no_tunnel, text, start);
        if let Action::Edit { name } = &rule.action {
            let lines = self.lines(rule, name, check)?;
            return Ok(lines.map_or(Made::Nothing, Made::Lines));
        }
        let made = self.value(&rule.value, Place::Value, check)?;
        Ok(made.unwrap_or(Made::EMPTY))
    }

    /// Goes on without a body that can be read. By `auto` that is a failure where something misses it,
    /// else at once.
    fn without_body(&mut self, cause: Cause) -> Result<(), Failure> {
        if self.compiled.on_error == OnError::Auto {
            return Ok(());
        }
        self.failed(cause, self.compiled.body_field, Place::Body)
    }

    /// What a patch is to do; `None` if there is nothing to patch.
    fn patch(&mut self, rule: &PatchRule) -> Result<Option<RenderedPatch>, Failure> {
        let view = &self.templates.view;
        if view.document.is_none() {
            // There is nothing wrong with no body at all.
            if view.absent().kind != TransformErrorKind::UndeclaredVariable {
                let absent = view.absent().clone();
                self.failed(absent, self.compiled.body_field, Place::Body)?;
            }
            return Ok(None);
        }
        match rule.render(&mut self.templates) {
            Ok(values) => Ok(Some(values)),
            Err((cause, field)) => {
                self.failed(cause, field, Place::Body)?;
                Ok(None)
            }
        }
    }

    /// Notes a failure of what is left out, or answers it.
    fn failed(&mut self, cause: Cause, field: FieldId, place: Place) -> Result<(), Failure> {
        let failure = Failure::new(cause, StageName::Transform, self.compiled.direction, field);
        let error = failure.error();
        if !self.compiled.on_error.leaves_out(error, place) {
            return Err(failure);
        }
        // Whoever has rules for events knows that those for whole bodies are not for streams.
        if error.kind() != TransformErrorKind::StreamedBody || !self.compiled.beside_events {
            note(self.failures, failure);
        }
        Ok(())
    }

    /// Whether a rule applies, by its condition; not if that fails, which is noted.
    fn applies(&mut self, when: &When) -> Result<bool, Failure> {
        match self
            .templates
            .holds(when.field, &when.test, &mut self.edits.text)
        {
            Ok(holds) => Ok(holds),
            Err(cause) => {
                self.failed(cause, when.field, Place::Value)?;
                Ok(false)
            }
        }
    }

    /// Renders one value; none if it failed and is left out.
    fn value(
        &mut self,
        value: &TemplateField,
        place: Place,
        check: impl FnOnce(&mut String, usize) -> Result<(), TransformErrorKind>,
    ) -> Result<Option<Made>, Failure> {
        let text = &mut self.edits.text;
        let start = text.len();
        let constant = value.template.constant();
        if let (Some(text), Some(observer)) = (constant, self.templates.view.observer()) {
            observer.tell(Step::Constant {
                field: value.field,
                text: text.to_owned(),
            });
        }
        let is_constant = constant.is_some();
        let rendered = match is_constant {
            true => Ok(()),
            false => self
                .templates
                .render(value.field, &value.template, place, text),
        };
        match rendered.and_then(|()| Ok(check(text, start)?)) {
            Ok(()) if is_constant => Ok(Some(Made::Constant)),
            Ok(()) => Ok(Some(Made::Text(start..text.len()))),
            Err(cause) => {
                text.truncate(start);
                self.failed(cause, value.field, place)?;
                Ok(None)
            }
        }
    }
}

fn check_nothing(_: &mut String, _: usize) -> Result<(), TransformErrorKind> {
    Ok(())
}

/// Makes a header value safe to send, and checks values that must have a form.
fn check(
    rule: &Rule,
    direction: Direction,
    no_tunnel: bool,
    text: &mut String,
    start: usize,
) -> Result<(), TransformErrorKind> {
    let name = match &rule.action {
        Action::Edit { name }
        | Action::Set { name }
        | Action::Add { name }
        | Action::Remove { name } => name,
        Action::RemoveAll { .. } => return Ok(()),
        Action::Metadata { value, .. } => {
            let constant = rule.value.template.constant();
            let text = constant.unwrap_or_else(|| text.get(start..).unwrap_or_default());
            return value
                .read(text)
                .map(drop)
                .ok_or(TransformErrorKind::InvalidMetadataValue);
        }
    };
    if let Some(value) = text.get(start..) {
        let clean = http::clean(value);
        // It never grows, and without another text it is a part of the value.
        if matches!(clean, Cow::Owned(_)) || clean.len() != value.len() {
            let clean = clean.into_owned();
            text.truncate(start);
            text.push_str(&clean);
        }
    }
    let constant = rule.value.template.constant();
    let value = constant.unwrap_or_else(|| text.get(start..).unwrap_or_default());
    let opens_tunnel = no_tunnel && value.starts_with('2');
    if value.is_empty() || !opens_tunnel && http::expected(name, direction, value).is_none() {
        Ok(())
    } else {
        Err(TransformErrorKind::InvalidHeaderValue)
    }
}
