//! The stage of templates: renders all values of one direction, from the message as it was, before
//! anything changes.

use std::borrow::Cow;

mod lines;
pub(crate) mod reply;

use super::commands::Captured;
use super::edits::{Change, Edits, HeaderEdit, MetadataEdit, Text};
use super::framing;
use super::view::MessageView;
use super::{BodyAccess, note};
use crate::config::OnError;
use crate::direction::Direction;
use crate::error::{Cause, Failure, FieldId, StageName, TransformErrorKind};
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
use reply::OwnReply;

/// What rendering comes to.
#[derive(Debug)]
pub(super) struct Outcome {
    /// What failed and is left out, the first of each kind.
    pub(super) failures: Vec<Failure>,
    /// The answer in place of one from the upstream: then nothing else was rendered.
    pub(super) reply: Option<Box<OwnReply>>,
    pub(super) parsed: Parsed,
}

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

/// Renders the body first, then every rule in order, into `edits`, which are empty.
///
/// # Errors
/// What failed, if `onError` does not leave it out.
#[inline]
pub(super) fn edit<'p, O: TransformationOps + ?Sized>(
    program: &'p Program,
    compiled: &'p DirectionProgram,
    captured: Captured<'_>,
    ops: &mut O,
    body: BodyAccess,
    edits: &mut Edits<'p>,
) -> Result<Outcome, Failure> {
    let view = MessageView::new(compiled, captured, ops, body);
    let mut render = Render::new(program, compiled, view, edits);
    let (reply, patch) = render.all(body)?;
    Ok(Outcome {
        failures: render.failures,
        reply,
        parsed: Parsed {
            document: render.templates.view.document,
            read_bytes: render.templates.view.read_bytes,
            was_decoded: render.templates.view.was_decoded,
            patch,
        },
    })
}

struct Render<'p, 'a, O: ?Sized> {
    compiled: &'p DirectionProgram,
    templates: Renderer<'p, MessageView<'a, O>>,
    edits: &'a mut Edits<'p>,
    failures: Vec<Failure>,
}

impl<'p, 'a, O: TransformationOps + ?Sized> Render<'p, 'a, O> {
    #[inline]
    fn new(
        program: &'p Program,
        compiled: &'p DirectionProgram,
        view: MessageView<'a, O>,
        edits: &'a mut Edits<'p>,
    ) -> Self {
        let engine = program.engine.as_ref();
        edits.has_body_rule = compiled.body.is_some();
        edits.reroutes = compiled.always_reroutes;
        Render {
            compiled,
            templates: Renderer::new(engine, compiled.on_error, program.output_bytes, view),
            edits,
            failures: Vec::new(),
        }
    }

    /// Renders everything; answers the reply, if there is one, or what a patch is to do.
    fn all(
        &mut self,
        body: BodyAccess,
    ) -> Result<(Option<Box<OwnReply>>, Option<RenderedPatch>), Failure> {
        let compiled = self.compiled;
        if let Err(cause) = self.templates.view.read() {
            self.without_body(cause)?;
        }
        // Others were decided when there were only headers.
        let reply = compiled.reply.as_ref().filter(|reply| reply.reads_body);
        if let Some(rule) = reply
            && let Some(reply) = self.reply(rule)?
        {
            return Ok((Some(Box::new(reply)), None));
        }
        let mut patch = None;
        match &compiled.body {
            None => {}
            Some(BodyRule::Template(value)) => match body {
                BodyAccess::Whole => {
                    self.edits.body = self.value(value, Place::Body, check_nothing)?;
                }
                BodyAccess::Stream => {
                    let streamed = TransformErrorKind::StreamedBody;
                    self.failed(streamed.into(), value.field, Place::Body)?;
                }
                BodyAccess::HeadersOnly | BodyAccess::Absent => {}
            },
            Some(BodyRule::Patch(rule)) => patch = self.patch(rule)?,
        }
        for rule in &compiled.rules {
            self.rule(rule)?;
        }
        Ok((None, patch))
    }

    fn rule(&mut self, rule: &'p Rule) -> Result<(), Failure> {
        let host = &self.templates.view.host;
        if framing::keeps(host, &rule.action) {
            return Ok(());
        }
        if let Some(when) = &rule.when
            && !self.applies(when)?
        {
            return Ok(());
        }
        let host = &self.templates.view.host;
        let direction = self.compiled.direction;
        let no_tunnel = framing::refuses_tunnel(host, &rule.action);
        let check =
            |text: &mut String, start: usize| check(rule, direction, no_tunnel, text, start);
        if let Action::Edit { name } = &rule.action {
            if let Some(lines) = self.lines(rule, name, check)? {
                self.edits.headers.push(HeaderEdit {
                    change: Change::Lines(lines),
                    name,
                    value: Text::Constant(""),
                    reroutes: rule.reroutes,
                });
            }
            return Ok(());
        }
        // A value that failed and is left out is an empty one.
        let value = self.value(&rule.value, Place::Value, check)?;
        let value = value.unwrap_or(Text::Constant(""));
        let (change, name) = match &rule.action {
            Action::Set { name } => (Change::Set, &**name),
            Action::Add { name } => (Change::Add, &**name),
            Action::Remove { name } => (Change::Remove, &**name),
            Action::RemoveAll { names, routing } => (Change::RemoveAll { names, routing }, ""),
            // Its lines are edits of their own.
            Action::Edit { .. } => return Ok(()),
            Action::Metadata {
                namespace,
                key,
                value: of,
            } => {
                self.edits.metadata.push(MetadataEdit {
                    namespace,
                    key,
                    of: *of,
                    value,
                });
                return Ok(());
            }
        };
        self.edits.headers.push(HeaderEdit {
            change,
            name,
            value,
            reroutes: rule.reroutes,
        });
        Ok(())
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
            note(&mut self.failures, failure);
        }
        Ok(())
    }

    /// Whether a rule applies, by its condition; not if that fails, which is noted.
    fn applies(&mut self, when: &When) -> Result<bool, Failure> {
        match self.templates.holds(&when.test, &mut self.edits.text) {
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
        value: &'p TemplateField,
        place: Place,
        check: impl FnOnce(&mut String, usize) -> Result<(), TransformErrorKind>,
    ) -> Result<Option<Text<'p>>, Failure> {
        let text = &mut self.edits.text;
        let start = text.len();
        let constant = match &value.template {
            Template::Constant(constant) => Some(&**constant),
            _ => None,
        };
        let rendered = match constant {
            Some(_) => Ok(()),
            None => self.templates.render(&value.template, place, text),
        };
        match rendered.and_then(|()| Ok(check(text, start)?)) {
            Ok(()) => Ok(Some(match constant {
                Some(constant) => Text::Constant(constant),
                None => Text::Rendered(start..text.len()),
            })),
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
        // It never grows, and without another text it is a part of the value.
        if matches!(clean, Cow::Owned(_)) || clean.len() != value.len() {
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
