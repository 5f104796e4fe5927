//! Renders all values of one direction, from the message as it was, before anything changes.

use std::sync::Arc;

use minijinja::Value;

use super::commands::{self, Captured};
use super::framing;
use super::host::DirectionHost;
use super::scratch::{Rendered, Scratch};
use super::{BodyAccess, note};
use crate::config::OnError;
use crate::direction::Direction;
use crate::error::{Cause, Failure, FieldId, TransformErrorKind};
use crate::http;
use crate::message::{
    BodyText, HeaderSnapshot, HostAnswers, Message, append_header, is_compressed,
};
use crate::metadata;
use crate::on_error::Place;
use crate::ops::TransformationOps;
use crate::program::{Action, BodyRule, DirectionProgram, PatchRule, Program, Rule, TemplateField};
use crate::template::commands::Command;
use crate::template::segments::Step;
use crate::template::{JsonPart, Segment, Template};
use crate::value::budget;
use crate::value::print::{self, Layout};
use formats::json::patch::Edited;
use formats::json::{Document, Kind, Node};

/// What rendering leaves beside the texts in the scratch.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// What failed and is left out, the first of each kind.
    pub(super) failures: Vec<Failure>,
    /// The parsed body.
    pub(super) document: Option<Document>,
    /// How long the body is, if it was read; unless it is empty, it is not compressed then.
    pub(super) read_bytes: Option<usize>,
    /// The values of the patch, unless it is left out.
    pub(super) patch_values: Option<Vec<String>>,
}

impl Outcome {
    /// The edited body, if the configuration edits it. Nothing is copied yet.
    pub(super) fn edit<'a>(
        &'a self,
        compiled: &'a DirectionProgram,
        room: usize,
    ) -> Result<Option<Edited<'a>>, Failure> {
        let (Some(BodyRule::Patch(rule)), Some(document), Some(values)) =
            (&compiled.body, &self.document, &self.patch_values)
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
    let absent = match body {
        BodyAccess::Stream => TransformErrorKind::StreamedBody,
        _ => TransformErrorKind::UndeclaredVariable,
    };
    let mut render = Render {
        program,
        compiled,
        captured,
        host: DirectionHost {
            ops,
            direction: compiled.direction,
        },
        readable: whole,
        document: None,
        absent: absent.into(),
        missed: false,
        message: None,
        read_bytes: None,
        left: program.output_bytes,
        failures: Vec::new(),
    };
    render.check_encoding()?;
    render.parse()?;
    let mut patch_values = None;
    match &compiled.body {
        None => {}
        Some(BodyRule::Template(value)) if whole => {
            render.field(value, Place::Body, scratch, check_nothing)?;
        }
        Some(BodyRule::Template(value)) => {
            if body == BodyAccess::Stream {
                render.failed(absent.into(), value.field, Place::Body)?;
            }
            scratch.push(Rendered::Failed);
        }
        Some(BodyRule::Patch(rule)) => patch_values = render.patch_values(rule)?,
    }
    for rule in &compiled.rules {
        if framing::keeps(&render.host, &rule.action) {
            scratch.push(Rendered::Skipped);
            continue;
        }
        let direction = compiled.direction;
        let no_tunnel = framing::refuses_tunnel(&render.host, &rule.action);
        let check =
            |text: &mut String, start: usize| check(rule, direction, no_tunnel, text, start);
        render.field(&rule.value, Place::Value, scratch, check)?;
    }
    Ok(Outcome {
        failures: render.failures,
        document: render.document,
        read_bytes: render.read_bytes,
        patch_values,
    })
}

struct Render<'a, O: ?Sized> {
    program: &'a Program,
    compiled: &'a DirectionProgram,
    captured: Captured<'a>,
    host: DirectionHost<'a, O>,
    /// The body is at hand, and not compressed.
    readable: bool,
    document: Option<Document>,
    /// Why there is no document, if there is none.
    absent: Cause,
    /// A template read the whole document without asking whether there is one, and there is none.
    missed: bool,
    /// The engine's view of the message, made for the first template that needs it.
    message: Option<Arc<Message>>,
    /// How long the body is, once it was read.
    read_bytes: Option<usize>,
    /// Bytes that may still be produced.
    left: usize,
    failures: Vec<Failure>,
}

impl<O: TransformationOps + ?Sized> Render<'_, O> {
    /// Compressed bytes are neither text nor JSON: a body that is to be read must not be.
    fn check_encoding(&mut self) -> Result<(), Failure> {
        if !self.readable || !self.compiled.reads_body() {
            return Ok(());
        }
        let direction = self.compiled.direction;
        if !is_compressed(&*self.host.ops, direction) || self.host.body_length() == 0 {
            return Ok(());
        }
        self.unreadable(TransformErrorKind::CompressedBody.into())
    }

    /// Parses the body if a template reads it as JSON, or a patch edits it. An empty body is no
    /// JSON.
    fn parse(&mut self) -> Result<(), Failure> {
        let reads = &self.compiled.reads;
        let patches = self.compiled.patches();
        let wanted = self.compiled.as_json && (reads.document || reads.variables || patches);
        if !wanted || !self.readable {
            return Ok(());
        }
        match self.host.parse_json() {
            Ok(document) => {
                self.read_bytes = Some(document.as_ref().map_or(0, |it| it.text().len()));
                self.document = document;
                Ok(())
            }
            Err(error) => self.without_json(Cause::because(TransformErrorKind::InvalidJson, error)),
        }
    }

    /// Goes on without a body that can be read.
    fn unreadable(&mut self, cause: Cause) -> Result<(), Failure> {
        self.readable = false;
        self.without_json(cause)
    }

    /// Goes on without a document. By `auto` that is a failure where something misses it, else at
    /// once.
    fn without_json(&mut self, cause: Cause) -> Result<(), Failure> {
        self.absent = cause.clone();
        if self.compiled.on_error == OnError::Auto {
            return Ok(());
        }
        self.failed(cause, self.compiled.body_field, Place::Body)
    }

    /// The parsed body as templates see it: to them `null` is no JSON.
    fn json(&self) -> Option<&Document> {
        let document = self.document.as_ref()?;
        (document.root().kind() != Kind::Null).then_some(document)
    }

    /// The values of a patch as JSON text; `None` if there is nothing to patch.
    fn patch_values(&mut self, rule: &PatchRule) -> Result<Option<Vec<String>>, Failure> {
        if self.document.is_none() {
            // There is nothing wrong with no body at all.
            if self.absent.kind != TransformErrorKind::UndeclaredVariable {
                self.failed(self.absent.clone(), self.compiled.body_field, Place::Body)?;
            }
            return Ok(None);
        }
        let mut values = Vec::with_capacity(rule.values.len());
        for value in &rule.values {
            let mut text = String::new();
            if let Err(cause) = self.value(value, Place::Body, &mut text) {
                self.failed(cause, value.field, Place::Body)?;
                return Ok(None);
            }
            values.push(text);
        }
        Ok(Some(values))
    }

    /// Notes a failure of what is left out, or answers it.
    fn failed(&mut self, cause: Cause, field: FieldId, place: Place) -> Result<(), Failure> {
        let failure = Failure::new(cause, self.compiled.direction, field);
        let error = failure.error();
        if !self.compiled.on_error.leaves_out(error, place) {
            return Err(failure);
        }
        // Whoever has rules for events knows that those for whole bodies are not for streams.
        if error.kind() != TransformErrorKind::StreamedBody || self.program.events.is_none() {
            note(&mut self.failures, failure);
        }
        Ok(())
    }

    fn field(
        &mut self,
        value: &TemplateField,
        place: Place,
        scratch: &mut Scratch,
        check: impl FnOnce(&mut String, usize) -> Result<(), TransformErrorKind>,
    ) -> Result<(), Failure> {
        let start = scratch.text.len();
        let result = self
            .value(value, place, &mut scratch.text)
            .and_then(|()| Ok(check(&mut scratch.text, start)?));
        match result {
            Ok(()) if matches!(value.template, Template::Constant(_)) => {
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

    fn value(
        &mut self,
        value: &TemplateField,
        place: Place,
        out: &mut String,
    ) -> Result<(), Cause> {
        self.missed = false;
        let result = self.template(&value.template, out);
        let missed = std::mem::take(&mut self.missed);
        match result {
            // A template that computes with a document that is not there fails for want of it.
            Err(cause) if missed && cause.kind == TransformErrorKind::Render => {
                Err(self.absent.clone())
            }
            Err(cause) if cause.kind == self.absent.kind => Err(self.absent.clone()),
            // Better the body that came than one with holes where its fields should be.
            Ok(()) if missed && place == Place::Body && self.would_lose_body() => {
                Err(self.absent.clone())
            }
            result => result,
        }
    }

    /// Whether a body made of what is not there would take the place of one that is. A request without
    /// a body has none to lose; what answers without JSON keeps what it has.
    fn would_lose_body(&self) -> bool {
        let has_none = self.compiled.direction == Direction::Request
            && self.absent.kind == TransformErrorKind::UndeclaredVariable;
        self.compiled.on_error == OnError::Auto && !has_none
    }

    fn template(&mut self, template: &Template, out: &mut String) -> Result<(), Cause> {
        match template {
            Template::Constant(_) => Ok(()),
            Template::Segments(segments) => {
                let start = out.len();
                for segment in segments {
                    self.segment(segment, out)?;
                }
                self.left = self
                    .left
                    .checked_sub(out.len() - start)
                    .ok_or(TransformErrorKind::TooMuchOutput)?;
                Ok(())
            }
            Template::Engine(index) => {
                let Some(engine) = &self.program.engine else {
                    return Err(TransformErrorKind::Render.into());
                };
                let message = self.message();
                let start = out.len();
                budget::open(self.left);
                let root = Value::from_dyn_object(message.clone());
                let rendered =
                    engine.render(*index, root, self.read_bytes.unwrap_or_default(), out);
                self.missed |= message.take_missed();
                rendered?;
                self.left = budget::left();
                // Literal text in loops was not paid for.
                if out.len() - start > self.program.output_bytes {
                    return Err(TransformErrorKind::TooMuchOutput.into());
                }
                Ok(())
            }
            Template::Json(parts) => {
                for part in parts {
                    match part {
                        JsonPart::Text(text) => out.push_str(text),
                        JsonPart::String(template) => {
                            out.push('"');
                            let start = out.len();
                            self.template(template, out)?;
                            print::escape_from(out, start);
                            out.push('"');
                        }
                    }
                }
                Ok(())
            }
        }
    }

    fn segment(&mut self, segment: &Segment, out: &mut String) -> Result<(), Cause> {
        match segment {
            Segment::Literal(text) => out.push_str(text),
            Segment::Header {
                direction,
                name,
                part,
            } => {
                if *direction != self.compiled.direction {
                    let headers = self.captured.headers;
                    let value = headers.and_then(|headers| headers.get(name));
                    out.push_str(part.of(value.unwrap_or_default()));
                    return Ok(());
                }
                let start = out.len();
                append_header(&*self.host.ops, *direction, name, out);
                part.cut(out, start);
            }
            Segment::Json { steps, bare } => match self.json() {
                Some(document) => match follow(document.root(), steps)? {
                    Some(Found::Node(node)) => json(&node, out)?,
                    Some(Found::Character(text)) => out.push(text),
                    None => {}
                },
                None if *bare => return Err(self.absent.clone()),
                None => self.missed = true,
            },
            Segment::Command(command) => self.command(command, out),
        }
        Ok(())
    }

    fn command(&self, command: &Command, out: &mut String) {
        let direction = self.compiled.direction;
        commands::append(command, &*self.host.ops, direction, self.captured, out);
    }

    fn message(&mut self) -> Arc<Message> {
        if let Some(message) = &self.message {
            return Arc::clone(message);
        }
        let here = self.compiled.direction;
        let names = self.compiled.header_names(here);
        let own = Arc::new(HeaderSnapshot::take(&*self.host.ops, here, names));
        let (request, response) = match here {
            Direction::Request => (own, None),
            Direction::Response => (
                Arc::new(self.captured.headers.cloned().unwrap_or_default()),
                Some(own),
            ),
        };
        let document = self.json().cloned().ok_or(self.absent.kind);
        let body = self.body_text();
        let host = self.host_answers();
        let message = Message::new(here, request, response, body, document, host);
        let message = Arc::new(message);
        self.message = Some(Arc::clone(&message));
        message
    }

    /// The body as templates read it beside a document, which is its own text.
    fn body_text(&mut self) -> BodyText {
        if !self.compiled.reads.body || self.json().is_some() {
            return BodyText::default();
        }
        if self.readable {
            let bytes = self.host.body();
            self.read_bytes = Some(bytes.len());
            return BodyText::new(bytes);
        }
        match self.absent.kind {
            kind @ (TransformErrorKind::CompressedBody | TransformErrorKind::StreamedBody) => {
                BodyText::unreadable(kind)
            }
            _ => BodyText::default(),
        }
    }
}

/// Prints a value as the engine does.
fn json(node: &Node, out: &mut String) -> Result<(), TransformErrorKind> {
    match node.as_str() {
        Some(text) => {
            out.push_str(&text);
            Ok(())
        }
        None => print::node(out, node, Layout::Spaced).map_err(|_| TransformErrorKind::Render),
    }
}

/// What a path into a document leads to.
enum Found {
    Node(Node),
    /// A string was indexed, as templates may.
    Character(char),
}

fn follow(root: Node, steps: &[Step]) -> Result<Option<Found>, TransformErrorKind> {
    let mut at = Found::Node(root);
    for step in steps {
        let next = match (at, step) {
            (Found::Node(node), _) if node.is_too_deep() => {
                return Err(TransformErrorKind::JsonTooDeep);
            }
            (Found::Node(node), Step::Key(key)) => node.get(key).map(Found::Node),
            (Found::Node(node), Step::Index(index)) => match node.as_str() {
                Some(text) => text.chars().nth(*index).map(Found::Character),
                None => node.index(*index).map(Found::Node),
            },
            // A character is a string of one.
            (Found::Character(text), Step::Index(0)) => Some(Found::Character(text)),
            (Found::Character(_), _) => None,
        };
        match next {
            Some(next) => at = next,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

impl<O: TransformationOps + ?Sized> Render<'_, O> {
    /// Asks the host for what the templates of this direction read.
    fn host_answers(&self) -> HostAnswers {
        let value_of = |command: &Command| {
            let mut text = String::new();
            self.command(command, &mut text);
            Value::from(text)
        };
        HostAnswers {
            commands: self.compiled.commands.iter().map(value_of).collect(),
            ..HostAnswers::ask(&*self.host.ops, &self.compiled.reads)
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
        Action::Set { name } | Action::Add { name } | Action::Remove { name } => name,
        Action::Metadata { kind, .. } => {
            let value = match &rule.value.template {
                Template::Constant(text) => text,
                _ => text.get(start..).unwrap_or_default(),
            };
            return metadata::to_value(*kind, value)
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
