//! Renders all values of one direction, from the message as it was, before anything changes.

mod lines;

use super::commands::Captured;
use super::framing;
use super::reply::Reply;
use super::scratch::{Rendered, Scratch};
use super::view::MessageView;
use super::{BodyAccess, note};
use crate::config::OnError;
use crate::direction::Direction;
use crate::error::{Cause, Failure, FieldId, TransformErrorKind};
use crate::http;
use crate::on_error::Place;
use crate::ops::TransformationOps;
use crate::program::{
    Action, BodyRule, DirectionProgram, PatchRule, Program, RenderedPatch, Rule, TemplateField,
    When,
};
use crate::template::Template;
use crate::template::render::{Renderer, View};
use formats::json::Document;
use formats::json::patch::Edited;

/// What rendering leaves beside the texts in the scratch.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// What failed and is left out, the first of each kind.
    pub(super) failures: Vec<Failure>,
    /// The answer in place of one from the upstream: then nothing else was rendered.
    pub(super) reply: Option<Reply>,
    /// The parsed body.
    pub(super) document: Option<Document>,
    /// How long the body is, if it was read; unless it is empty, it is not compressed then.
    pub(super) read_bytes: Option<usize>,
    /// What the patch is to do, unless it is left out.
    pub(super) patch: Option<RenderedPatch>,
}

impl Outcome {
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
            Err((cause, field)) => Err(Failure::new(cause, compiled.direction, field)),
        }
    }
}

/// Renders the body first, then every rule in order, into `scratch`.
pub(super) fn all<O: TransformationOps + ?Sized>(
    program: &Program,
    compiled: &DirectionProgram,
    captured: Captured<'_>,
    ops: &mut O,
    body: BodyAccess,
    scratch: &mut Scratch,
) -> Result<Outcome, Failure> {
    let whole = body == BodyAccess::Whole && !compiled.headers_only;
    let view = MessageView::new(compiled, captured, ops, body);
    let engine = program.engine.as_ref();
    let mut render = Render {
        compiled,
        templates: Renderer::new(engine, compiled.on_error, program.output_bytes, view),
        failures: Vec::new(),
    };
    if let Err(cause) = render.templates.view.read() {
        render.without_body(cause)?;
    }
    // Others were decided when there were only headers.
    let reply = compiled.reply.as_ref().filter(|reply| reply.reads_body);
    if let Some(rule) = reply
        && let Some(reply) = render.reply(rule, &mut scratch.text)?
    {
        return Ok(Outcome {
            failures: render.failures,
            reply: Some(reply),
            ..Outcome::default()
        });
    }
    let mut patch = None;
    match &compiled.body {
        None => {}
        Some(BodyRule::Template(value)) if whole => {
            render.field(value, Place::Body, scratch, check_nothing)?;
        }
        Some(BodyRule::Template(value)) => {
            if body == BodyAccess::Stream {
                let streamed = TransformErrorKind::StreamedBody;
                render.failed(streamed.into(), value.field, Place::Body)?;
            }
            scratch.push(Rendered::Failed);
        }
        Some(BodyRule::Patch(rule)) => patch = render.patch(rule)?,
    }
    for rule in &compiled.rules {
        let host = &render.templates.view.host;
        if framing::keeps(host, &rule.action) {
            scratch.push(Rendered::Skipped);
            continue;
        }
        if let Some(when) = &rule.when
            && !render.applies(when, &mut scratch.text)?
        {
            scratch.push(Rendered::Skipped);
            continue;
        }
        let host = &render.templates.view.host;
        let direction = compiled.direction;
        let no_tunnel = framing::refuses_tunnel(host, &rule.action);
        let check =
            |text: &mut String, start: usize| check(rule, direction, no_tunnel, text, start);
        match &rule.action {
            Action::Edit { name } => render.lines(rule, name, scratch, check)?,
            _ => render.field(&rule.value, Place::Value, scratch, check)?,
        }
    }
    Ok(Outcome {
        failures: render.failures,
        reply: None,
        document: render.templates.view.document,
        read_bytes: render.templates.view.read_bytes,
        patch,
    })
}

pub(super) struct Render<'a, O: ?Sized> {
    compiled: &'a DirectionProgram,
    pub(super) templates: Renderer<'a, MessageView<'a, O>>,
    pub(super) failures: Vec<Failure>,
}

impl<'a, O: TransformationOps + ?Sized> Render<'a, O> {
    /// For what is decided when there are only headers.
    pub(super) fn of_headers(
        program: &'a Program,
        compiled: &'a DirectionProgram,
        captured: Captured<'a>,
        ops: &'a mut O,
    ) -> Render<'a, O> {
        let view = MessageView::new(compiled, captured, ops, BodyAccess::HeadersOnly);
        let engine = program.engine.as_ref();
        Render {
            compiled,
            templates: Renderer::new(engine, compiled.on_error, program.output_bytes, view),
            failures: Vec::new(),
        }
    }
}

impl<O: TransformationOps + ?Sized> Render<'_, O> {
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
    pub(super) fn failed(
        &mut self,
        cause: Cause,
        field: FieldId,
        place: Place,
    ) -> Result<(), Failure> {
        let failure = Failure::new(cause, self.compiled.direction, field);
        let error = failure.error();
        if !self.compiled.on_error.leaves_out(error, place) {
            return Err(failure);
        }
        // Whoever has rules for events knows that those for whole bodies are not for streams.
        if error.kind() != TransformErrorKind::StreamedBody || self.compiled.events.is_none() {
            note(&mut self.failures, failure);
        }
        Ok(())
    }

    /// Whether a rule applies, by its condition; not if that fails, which is noted.
    pub(super) fn applies(&mut self, when: &When, text: &mut String) -> Result<bool, Failure> {
        match self.templates.holds(&when.test, text) {
            Ok(holds) => Ok(holds),
            Err(cause) => {
                self.failed(cause, when.field, Place::Value)?;
                Ok(false)
            }
        }
    }

    fn field(
        &mut self,
        value: &TemplateField,
        place: Place,
        scratch: &mut Scratch,
        check: impl FnOnce(&mut String, usize) -> Result<(), TransformErrorKind>,
    ) -> Result<(), Failure> {
        let start = scratch.text.len();
        let is_constant = matches!(value.template, Template::Constant(_));
        let rendered = match is_constant {
            true => Ok(()),
            false => self
                .templates
                .render(&value.template, place, &mut scratch.text),
        };
        match rendered.and_then(|()| Ok(check(&mut scratch.text, start)?)) {
            Ok(()) if is_constant => {
                scratch.push(Rendered::Constant);
                Ok(())
            }
            Ok(()) => {
                scratch.push(Rendered::Text(start, scratch.text.len()));
                Ok(())
            }
            Err(cause) => {
                scratch.text.truncate(start);
                scratch.push(Rendered::Failed);
                self.failed(cause, value.field, place)
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
            let text = match &rule.value.template {
                Template::Constant(text) => text,
                _ => text.get(start..).unwrap_or_default(),
            };
            return value
                .read(text)
                .map(drop)
                .ok_or(TransformErrorKind::InvalidMetadataValue);
        }
    };
    if let Some(value) = text.get(start..) {
        let clean = http::clean(value);
        if clean != value {
            let clean = clean.into_owned();
            text.truncate(start);
            text.push_str(&clean);
        }
    }
    let value = match &rule.value.template {
        Template::Constant(text) => text,
        _ => text.get(start..).unwrap_or_default(),
    };
    let opens_tunnel = no_tunnel && value.starts_with('2');
    if value.is_empty() || !opens_tunnel && http::expected(name, direction, value).is_none() {
        Ok(())
    } else {
        Err(TransformErrorKind::InvalidHeaderValue)
    }
}
