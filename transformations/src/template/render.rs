//! Renders compiled templates, of whole messages and of events alike.
//!
//! Used on the stream's worker by whoever has a view of a message: the rules of a direction, and those
//! of the events of a stream. A renderer lives as long as its account: the templates of one direction,
//! or of one event, pay from one budget. A template that fails may leave a part of its text behind.

use std::sync::Arc;

mod condition;

use llm::facts::Facts;
use minijinja::Value;

use super::commands::Command;
use super::engine::Engine;
use super::segments::Step;
use super::{JsonPart, Segment, Template};
use crate::config::OnError;
use crate::direction::Direction;
use crate::error::{Cause, FieldId, TransformErrorKind};
use crate::message::{EventField, Message, Private, Vars, WithLine, fact_value};
use crate::observer::Observer;
use crate::on_error::Place;
use crate::value::budget;
use crate::value::print::{self, Layout};
use formats::json::{Document, Node};

/// A message as templates see it.
pub(crate) trait View {
    /// Which message it is.
    fn direction(&self) -> Direction;

    /// Appends the joined values of a header.
    fn header(&self, direction: Direction, name: &str, out: &mut String);

    /// Appends the value of a command operator.
    fn command(&self, command: &Command, out: &mut String);

    /// Appends a field of the event that the message is, other than its JSON.
    ///
    /// # Errors
    /// If it is no text.
    fn event(&self, field: EventField, out: &mut String) -> Result<(), TransformErrorKind>;

    /// The variables of the configuration, once something has read one.
    fn vars(&self) -> Option<&Vars>;

    /// What is known of the exchange as LLM traffic, if anything is.
    fn facts(&self) -> Option<&Facts> {
        None
    }

    /// The parsed body. To templates `null` is none.
    fn document(&self) -> Option<&Document>;

    /// Why there is no document, if there is none.
    fn absent(&self) -> &Cause;

    /// How long the body is that templates read, as far as they did: a long one earns them fuel.
    fn read_bytes(&self) -> usize;

    /// The engine's view, made for the first template that needs it, with what it finds under
    /// private names.
    fn message(&mut self, private: &Private) -> Arc<Message>;

    /// Whoever is told what templates come to.
    fn observer(&self) -> Option<&Observer> {
        None
    }
}

/// Renders the templates that share an account.
pub(crate) struct Renderer<'p, V> {
    engine: Option<&'p Engine>,
    on_error: OnError,
    pub(crate) view: V,
    /// The line of a header that a template makes a new one of.
    pub(crate) line: Option<Arc<str>>,
    output_bytes: usize,
    /// Bytes that may still be produced.
    left: usize,
    /// A template read the whole document without asking whether there is one, and there is none.
    missed: bool,
    /// What the template at hand took of the engine's fuel, if somebody is told.
    fuel: u64,
}

impl<'p, V: View> Renderer<'p, V> {
    /// A renderer whose templates may produce `output_bytes` together.
    #[inline]
    pub(crate) fn new(
        engine: Option<&'p Engine>,
        on_error: OnError,
        output_bytes: usize,
        view: V,
    ) -> Renderer<'p, V> {
        Renderer {
            engine,
            on_error,
            view,
            line: None,
            output_bytes,
            left: output_bytes,
            missed: false,
            fuel: 0,
        }
    }

    /// What the templates may produce together.
    pub(crate) fn output_bytes(&self) -> usize {
        self.output_bytes
    }

    /// Appends what the template of a field renders to. A constant costs nothing: it is the configuration's own.
    ///
    /// # Errors
    /// Why it failed.
    pub(crate) fn render(
        &mut self,
        field: FieldId,
        template: &Template,
        place: Place,
        out: &mut String,
    ) -> Result<(), Cause> {
        let start = out.len();
        let result = self.rendered(template, place, out);
        if let Some(observer) = self.view.observer() {
            let text = out.get(start..).unwrap_or_default();
            observer.rendered(field, text, &result, std::mem::take(&mut self.fuel));
        }
        result
    }

    fn rendered(
        &mut self,
        template: &Template,
        place: Place,
        out: &mut String,
    ) -> Result<(), Cause> {
        self.missed = false;
        match self.template(template, out) {
            Ok(()) if !self.missed => Ok(()),
            // Better the body that came than one with holes where its fields should be.
            Ok(()) if place == Place::Body && self.would_lose_body() => {
                Err(self.view.absent().clone())
            }
            result => self.told_of_absence(result, self.missed),
        }
    }

    /// A result in which a failure for want of JSON says why there is none.
    fn told_of_absence<T>(&self, result: Result<T, Cause>, missed: bool) -> Result<T, Cause> {
        let absent = self.view.absent();
        match result {
            // A template that computes with a document that is not there fails for want of it.
            Err(cause) if missed && cause.kind == TransformErrorKind::Render => Err(absent.clone()),
            Err(cause) if cause.kind == absent.kind => Err(absent.clone()),
            result => result,
        }
    }

    /// Whether a body made of what is not there would take the place of one that is. A request without
    /// a body has none to lose; what answers without JSON keeps what it has.
    fn would_lose_body(&self) -> bool {
        let has_none = self.view.direction() == Direction::Request
            && self.view.absent().kind == TransformErrorKind::UndeclaredVariable;
        self.on_error == OnError::Auto && !has_none
    }

    fn template(&mut self, template: &Template, out: &mut String) -> Result<(), Cause> {
        match template {
            Template::Constant(text) => {
                out.push_str(text);
                Ok(())
            }
            Template::Segments(segments) => {
                let start = out.len();
                for segment in segments {
                    self.segment(segment, out)?;
                }
                self.pay(out.len() - start)
            }
            Template::Engine(index) => {
                let engine = self.engine.ok_or(TransformErrorKind::Render)?;
                let message = self.view.message(engine.private());
                let start = out.len();
                budget::open(self.left);
                let root = match &self.line {
                    None => Value::from_dyn_object(message.clone()),
                    Some(line) => Value::from_object(WithLine::new(message.clone(), line.clone())),
                };
                let fuel = self.view.observer().is_some().then_some(&mut self.fuel);
                let rendered = engine.render(*index, root, self.view.read_bytes(), fuel, out);
                self.missed |= message.take_missed();
                rendered?;
                let left = budget::left();
                // Literal text in loops was not paid for.
                self.pay(out.len() - start)?;
                self.left = self.left.min(left);
                Ok(())
            }
            Template::Json(parts) => {
                for part in parts {
                    match part {
                        JsonPart::Text(text) => out.push_str(text),
                        JsonPart::String(template) => self.json_string(template, out)?,
                    }
                }
                Ok(())
            }
        }
    }

    /// Appends what a template renders to as a JSON string.
    fn json_string(&mut self, template: &Template, out: &mut String) -> Result<(), Cause> {
        out.push('"');
        let start = out.len();
        self.template(template, out)?;
        let rendered = out.len();
        print::escape_from(out, start);
        // Escaped text is longer.
        self.pay(out.len() - rendered)?;
        out.push('"');
        Ok(())
    }

    fn pay(&mut self, bytes: usize) -> Result<(), Cause> {
        self.left = self
            .left
            .checked_sub(bytes)
            .ok_or(TransformErrorKind::TooMuchOutput)?;
        Ok(())
    }

    fn segment(&mut self, segment: &Segment, out: &mut String) -> Result<(), Cause> {
        match segment {
            Segment::Literal(text) => out.push_str(text),
            Segment::Header {
                direction,
                name,
                part,
            } => {
                let start = out.len();
                self.view.header(*direction, name, out);
                part.cut(out, start);
            }
            Segment::Json { steps, bare } => match self.view.document() {
                Some(document) => match follow(document.root(), steps)? {
                    Some(Found::Node(node)) => json(&node, out)?,
                    Some(Found::Character(text)) => out.push(text),
                    None => {}
                },
                None if *bare => return Err(self.view.absent().clone()),
                None => self.missed = true,
            },
            Segment::Var(number) => {
                if let Some(vars) = self.view.vars() {
                    out.push_str(vars.text(*number)?);
                }
            }
            Segment::Fact(fact) => {
                let facts = self.view.facts();
                if let Some(value) = facts.and_then(|facts| fact_value(*fact, facts)) {
                    print::value(out, &value).map_err(|_| TransformErrorKind::Render)?;
                }
            }
            Segment::Line => out.push_str(self.line.as_deref().unwrap_or_default()),
            Segment::Event(field) => self.view.event(*field, out)?,
            Segment::Command(command) => self.view.command(command, out),
        }
        Ok(())
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
