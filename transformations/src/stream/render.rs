//! Renders all values of one direction, from the message as it was, before anything changes.

use std::sync::Arc;

use minijinja::Value;

use super::BodyAccess;
use super::apply::clean;
use super::scratch::{Rendered, Scratch};
use super::side::Side;
use crate::config::OnError;
use crate::error::{FieldId, TransformError, TransformErrorKind};
use crate::json::{Document, Kind, Node};
use crate::message::{BodyText, HeaderSnapshot, Message, append_header, to_value};
use crate::ops::TransformationOps;
use crate::program::{Action, Half, Program, Rule};
use crate::template::segments::Step;
use crate::template::{Phase, Segment, Template, budget, print};

/// Renders the body first, then every rule in order, into `scratch`.
///
/// Answers the first failure that `onError: continue` goes over.
pub(super) fn half<O: TransformationOps + ?Sized>(
    program: &Program,
    half: &Half,
    captured: Option<&HeaderSnapshot>,
    ops: &mut O,
    body: BodyAccess,
    scratch: &mut Scratch,
) -> Result<Option<TransformError>, TransformError> {
    let whole = body == BodyAccess::Whole && !half.headers_only;
    let mut render = Render {
        program,
        half,
        captured,
        side: Side {
            ops,
            phase: half.phase,
        },
        whole,
        document: None,
        message: None,
        left: program.output_bytes,
        first_error: None,
    };
    render.parse()?;
    if let Some(rule) = &half.body {
        if whole {
            render.field(
                &rule.template,
                rule.variables,
                rule.field,
                scratch,
                check_nothing,
            )?;
        } else {
            scratch.push(Rendered::Failed);
        }
    }
    for rule in &half.rules {
        let check = |text: &mut String, start: usize| check(rule, text, start);
        render.field(&rule.template, rule.variables, rule.field, scratch, check)?;
    }
    Ok(render.first_error)
}

struct Render<'a, O: ?Sized> {
    program: &'a Program,
    half: &'a Half,
    captured: Option<&'a HeaderSnapshot>,
    side: Side<'a, O>,
    whole: bool,
    document: Option<Document>,
    /// The engine's view of the message, made for the first template that needs it.
    message: Option<Value>,
    /// Bytes that may still be produced.
    left: usize,
    first_error: Option<TransformError>,
}

impl<O: TransformationOps + ?Sized> Render<'_, O> {
    /// Parses the body if a template reads it as JSON. An empty body and `null` count as no JSON.
    fn parse(&mut self) -> Result<(), TransformError> {
        let reads = &self.half.reads;
        let wanted = self.half.as_json && (reads.document || reads.variables);
        if !wanted || !self.whole || self.side.body_length() == 0 {
            return Ok(());
        }
        match self.side.parse_json() {
            Ok(document) => {
                self.document = Some(document).filter(|it| it.root().kind() != Kind::Null);
                Ok(())
            }
            Err(_) => self.failed(TransformErrorKind::InvalidJson, self.half.body_field),
        }
    }

    /// Notes a failure to go over, or answers it.
    fn failed(&mut self, kind: TransformErrorKind, field: FieldId) -> Result<(), TransformError> {
        let error = TransformError::new(kind, field);
        if self.half.on_error == OnError::Continue {
            self.first_error.get_or_insert(error);
            return Ok(());
        }
        Err(error)
    }

    fn field(
        &mut self,
        template: &Template,
        variables: bool,
        field: FieldId,
        scratch: &mut Scratch,
        check: impl FnOnce(&mut String, usize) -> Result<(), TransformErrorKind>,
    ) -> Result<(), TransformError> {
        let start = scratch.text.len();
        let result = if variables && self.document.is_none() {
            Err(TransformErrorKind::UndeclaredVariable)
        } else {
            self.template(template, &mut scratch.text)
                .and_then(|()| check(&mut scratch.text, start))
        };
        match result {
            Ok(()) if matches!(template, Template::Constant(_)) => {
                scratch.push(Rendered::Constant);
                Ok(())
            }
            Ok(()) => {
                scratch.push(Rendered::Text(start, scratch.text.len()));
                Ok(())
            }
            Err(kind) => {
                scratch.text.truncate(start);
                scratch.push(Rendered::Failed);
                self.failed(kind, field)
            }
        }
    }

    fn template(
        &mut self,
        template: &Template,
        out: &mut String,
    ) -> Result<(), TransformErrorKind> {
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
                    return Err(TransformErrorKind::Render);
                };
                let root = self.message();
                let start = out.len();
                budget::open(self.left);
                engine.render(*index, root, out)?;
                self.left = budget::left();
                // Literal text in loops was not paid for.
                if out.len() - start > self.program.output_bytes {
                    return Err(TransformErrorKind::TooMuchOutput);
                }
                Ok(())
            }
        }
    }

    fn segment(&self, segment: &Segment, out: &mut String) -> Result<(), TransformErrorKind> {
        match segment {
            Segment::Literal(text) => out.push_str(text),
            Segment::Header { phase, name, part } => {
                if *phase != self.half.phase {
                    let value = self.captured.and_then(|headers| headers.get(name));
                    out.push_str(part.of(value.unwrap_or_default()));
                    return Ok(());
                }
                let start = out.len();
                append_header(&*self.side.ops, *phase, name, out);
                part.cut(out, start);
            }
            Segment::Json(steps) => {
                let root = self.document.as_ref().map(Document::root);
                match root.and_then(|root| follow(root, steps)) {
                    Some(Found::Node(node)) => match node.as_str() {
                        Some(text) => out.push_str(&text),
                        None => print::value(out, &to_value(node))
                            .map_err(|_| TransformErrorKind::Render)?,
                    },
                    Some(Found::Character(text)) => out.push(text),
                    None => {}
                }
            }
        }
        Ok(())
    }

    fn message(&mut self) -> Value {
        if let Some(message) = &self.message {
            return message.clone();
        }
        let here = self.half.phase;
        let names = self.half.header_names(here);
        let own = Arc::new(HeaderSnapshot::take(&*self.side.ops, here, names));
        let (request, response) = match here {
            Phase::Request => (own, None),
            Phase::Response => (
                Arc::new(self.captured.cloned().unwrap_or_default()),
                Some(own),
            ),
        };
        let body = if self.half.reads.body && self.whole && self.document.is_none() {
            BodyText::new(self.side.body())
        } else {
            BodyText::default()
        };
        let message = Message::new(here, request, response, body, self.document.clone());
        let value = Value::from_object(message);
        self.message = Some(value.clone());
        value
    }
}

/// What a path into a document leads to.
enum Found {
    Node(Node),
    /// A string was indexed, as templates may.
    Character(char),
}

fn follow(root: Node, steps: &[Step]) -> Option<Found> {
    steps
        .iter()
        .try_fold(Found::Node(root), |at, step| match (at, step) {
            (Found::Node(node), Step::Key(key)) => node.get(key).map(Found::Node),
            (Found::Node(node), Step::Index(index)) => match node.as_str() {
                Some(text) => text.chars().nth(*index).map(Found::Character),
                None => node.index(*index).map(Found::Node),
            },
            // A character is a string of one.
            (Found::Character(text), Step::Index(0)) => Some(Found::Character(text)),
            (Found::Character(_), _) => None,
        })
}

fn check_nothing(_: &mut String, _: usize) -> Result<(), TransformErrorKind> {
    Ok(())
}

/// Makes a header value safe to send, and checks values that must have a form.
fn check(rule: &Rule, text: &mut String, start: usize) -> Result<(), TransformErrorKind> {
    let name = match &rule.action {
        Action::Set { name } | Action::Add { name } | Action::Remove { name } => name,
        Action::Metadata { kind, .. } => {
            let value = match &rule.template {
                Template::Constant(text) => text,
                _ => text.get(start..).unwrap_or_default(),
            };
            return super::apply::metadata_value(*kind, value)
                .map(drop)
                .ok_or(TransformErrorKind::InvalidMetadataValue);
        }
    };
    if let Some(value) = text.get(start..)
        && let std::borrow::Cow::Owned(clean) = clean(value)
    {
        text.truncate(start);
        text.push_str(&clean);
    }
    if !name.starts_with(':') {
        return Ok(());
    }
    let value = match &rule.template {
        Template::Constant(text) => text,
        _ => text.get(start..).unwrap_or_default(),
    };
    if super::apply::is_pseudo_value(name, value) {
        Ok(())
    } else {
        Err(TransformErrorKind::InvalidHeaderValue)
    }
}
