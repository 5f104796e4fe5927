//! An event as its templates see it: a small message whose data is the body.
//!
//! Nothing here calls the host, which may be gone or elsewhere when an event comes: what templates read
//! beside the event was copied when the stream was opened.

use std::sync::Arc;

use minijinja::Value;

use super::select::Subject;
use crate::direction::Direction;
use crate::error::{Cause, TransformErrorKind};
use crate::message::{
    BodyText, EventField, EventFields, HeaderSnapshot, HostAnswers, Message, Private, Vars,
};
use crate::observer::{Observer, Step};
use crate::template::commands::Command;
use crate::template::render::View;
use formats::json::{Document, Kind};

/// What the templates of one stream see, whatever the event.
#[derive(Debug)]
pub(super) struct Surroundings {
    request: Arc<HeaderSnapshot>,
    response: Arc<HeaderSnapshot>,
    host: HostAnswers,
    vars: Option<Arc<Vars>>,
    observer: Option<Observer>,
    /// There is no other reason why the data of an event is no document.
    absent: Cause,
}

impl Surroundings {
    pub(super) fn new(
        request: HeaderSnapshot,
        response: HeaderSnapshot,
        host: HostAnswers,
        vars: Option<Arc<Vars>>,
        observer: Option<Observer>,
    ) -> Surroundings {
        Surroundings {
            request: Arc::new(request),
            response: Arc::new(response),
            host,
            vars,
            observer,
            absent: TransformErrorKind::UndeclaredVariable.into(),
        }
    }

    /// Tells whoever looks on which rule is applied.
    pub(super) fn tell_of_rule(&self, rule: usize) {
        if let Some(observer) = &self.observer {
            observer.tell(Step::EventRule { rule });
        }
    }
}

/// One event, or with no subject the end of the stream.
pub(super) struct EventView<'a> {
    surroundings: &'a Surroundings,
    subject: Option<&'a Subject<'a>>,
    /// Some template reads the data as JSON.
    reads_json: bool,
    message: Option<Arc<Message>>,
}

impl<'a> EventView<'a> {
    pub(super) fn new(
        surroundings: &'a Surroundings,
        subject: Option<&'a Subject<'a>>,
        reads_json: bool,
    ) -> EventView<'a> {
        EventView {
            surroundings,
            subject,
            reads_json,
            message: None,
        }
    }

    fn to_message(&self) -> Message {
        let document = self.document().cloned();
        let body = match (self.subject, &document) {
            // A document is its own text.
            (Some(subject), None) => BodyText::new(subject.data.to_vec()),
            _ => BodyText::default(),
        };
        let fields = match self.subject {
            Some(subject) => EventFields::Of {
                name: subject.name().map(Value::from).unwrap_or_default(),
                id: subject.event.id().map(Value::from).unwrap_or_default(),
            },
            None => EventFields::AtEnd,
        };
        Message::new(
            Direction::Response,
            self.surroundings.request.clone(),
            Some(self.surroundings.response.clone()),
            body,
            document.ok_or(self.surroundings.absent.kind),
            self.surroundings.host.clone(),
        )
        .with_event(fields)
        .with_vars(self.surroundings.vars.clone())
    }
}

impl View for EventView<'_> {
    fn direction(&self) -> Direction {
        Direction::Response
    }

    fn header(&self, direction: Direction, name: &str, out: &mut String) {
        let headers = match direction {
            Direction::Request => &self.surroundings.request,
            Direction::Response => &self.surroundings.response,
        };
        out.push_str(headers.get(name).unwrap_or_default());
    }

    /// Only values of headers may hold command operators.
    fn command(&self, _: &Command, _: &mut String) {}

    fn event(&self, field: EventField, out: &mut String) -> Result<(), TransformErrorKind> {
        let Some(subject) = self.subject else {
            return Ok(());
        };
        match field {
            EventField::Name => out.push_str(subject.name().unwrap_or_default()),
            EventField::Id => out.push_str(&subject.event.id().unwrap_or_default()),
            EventField::Data => {
                let text = str::from_utf8(&subject.data);
                out.push_str(text.map_err(|_| TransformErrorKind::BodyNotText)?);
            }
            // Printed by the renderer, as all JSON is.
            EventField::Json => {}
        }
        Ok(())
    }

    fn vars(&self) -> Option<&Vars> {
        self.surroundings.vars.as_deref()
    }

    fn document(&self) -> Option<&Document> {
        let subject = self.subject.filter(|_| self.reads_json)?;
        let document = subject.document()?;
        (document.root().kind() != Kind::Null).then_some(document)
    }

    fn absent(&self) -> &Cause {
        &self.surroundings.absent
    }

    /// An event is short.
    fn read_bytes(&self) -> usize {
        0
    }

    fn observer(&self) -> Option<&Observer> {
        self.surroundings.observer.as_ref()
    }

    fn message(&mut self, private: &Private) -> Arc<Message> {
        match &self.message {
            Some(message) => Arc::clone(message),
            None => {
                let message = Arc::new(self.to_message().with_private(private));
                self.message = Some(Arc::clone(&message));
                message
            }
        }
    }
}
