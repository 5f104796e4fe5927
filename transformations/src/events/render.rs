//! Renders the templates of event rules.
//!
//! To a template an event is a small message: its data is the body, and fields of JSON data are
//! variables. Beside these it sees the event itself, as `event`, which no JSON key can shadow.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use super::select::Subject;
use crate::direction::Direction;
use crate::error::{Cause, TransformErrorKind};
use crate::message::EVENT;
use crate::message::{BodyText, HeaderSnapshot, HostAnswers, Message};
use crate::program::{Program, TemplateField};
use crate::template::{JsonPart, Template};
use crate::value::{budget, print};

/// What the templates of one stream see, whatever the event.
#[derive(Debug)]
pub(super) struct Renderer {
    request: Arc<HeaderSnapshot>,
    response: Arc<HeaderSnapshot>,
    host: HostAnswers,
}

impl Renderer {
    pub(super) fn new(
        request: HeaderSnapshot,
        response: HeaderSnapshot,
        host: HostAnswers,
    ) -> Renderer {
        Renderer {
            request: Arc::new(request),
            response: Arc::new(response),
            host,
        }
    }

    /// Appends what a template renders to; without a subject there is no event to be seen.
    pub(super) fn render(
        &self,
        program: &Program,
        value: &TemplateField,
        subject: Option<&Subject<'_>>,
        out: &mut String,
    ) -> Result<(), Cause> {
        self.template(program, &value.template, subject, out)?;
        if out.len() > program.output_bytes {
            // Literal text in loops was not paid for.
            return Err(TransformErrorKind::TooMuchOutput.into());
        }
        Ok(())
    }

    fn template(
        &self,
        program: &Program,
        template: &Template,
        subject: Option<&Subject<'_>>,
        out: &mut String,
    ) -> Result<(), Cause> {
        match (template, &program.engine) {
            (Template::Constant(text), _) => out.push_str(text),
            (Template::Json(parts), _) => {
                for part in parts {
                    match part {
                        JsonPart::Text(text) => out.push_str(text),
                        JsonPart::String(template) => {
                            let mut text = String::new();
                            self.template(program, template, subject, &mut text)?;
                            print::string(out, &text).map_err(|_| TransformErrorKind::Render)?;
                        }
                    }
                }
            }
            (Template::Engine(index), Some(engine)) => {
                let root = self.root(program, subject);
                budget::open(program.output_bytes);
                // An event is short.
                engine.render(*index, root, 0, out)?;
            }
            // Templates of events are compiled to no segments, and those of an engine come with it.
            (Template::Segments(_) | Template::Engine(_), _) => {
                return Err(TransformErrorKind::Render.into());
            }
        }
        Ok(())
    }

    /// What the engine sees.
    fn root(&self, program: &Program, subject: Option<&Subject<'_>>) -> Value {
        let reads = program.events.as_ref().map(|rules| &rules.reads);
        let json = reads.is_some_and(|reads| reads.document || reads.variables);
        let document = subject
            .filter(|_| json)
            .and_then(Subject::document)
            .cloned();
        let body = match (subject, &document) {
            // A document is its own text.
            (Some(subject), None) => BodyText::new(subject.data.to_vec()),
            _ => BodyText::default(),
        };
        let message = Message::new(
            Direction::Response,
            self.request.clone(),
            Some(self.response.clone()),
            body,
            document.ok_or(TransformErrorKind::UndeclaredVariable),
            self.host.clone(),
        );
        let fields = subject.map(|subject| Fields {
            name: subject.name().map(Value::from).unwrap_or_default(),
            id: subject.event.id().map(Value::from).unwrap_or_default(),
        });
        Value::from_object(Root {
            message: Arc::new(message),
            fields,
        })
    }
}

/// The engine's root context.
#[derive(Debug)]
struct Root {
    message: Arc<Message>,
    fields: Option<Fields>,
}

#[derive(Clone, Debug)]
struct Fields {
    name: Value,
    id: Value,
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match (key, &self.fields) {
            (EVENT, Some(_)) => Some(Value::from_object(EventValue(self.clone()))),
            (EVENT, None) => None,
            _ => self.message.get_value_by_str(key),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

/// `event` in a template.
#[derive(Debug)]
struct EventValue(Arc<Root>);

impl Object for EventValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let fields = self.0.fields.as_ref()?;
        match key.as_str()? {
            "name" => Some(fields.name.clone()),
            "id" => Some(fields.id.clone()),
            "data" => Some(self.0.message.body().unwrap_or_else(Value::from)),
            "json" => Some(self.0.message.document()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}
