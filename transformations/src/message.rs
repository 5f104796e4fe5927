//! The message as templates see it: a snapshot taken before anything is changed.
//!
//! Made by a stream on its worker when the first template enters the engine, with just the headers
//! and the body that the templates of this direction read; then shared by all of them. It is the
//! engine's root context, so that JSON variables are looked up when they are read.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use llm::facts::Facts;
use minijinja::value::{Enumerator, Object};
use minijinja::{Error, State, Value};

use crate::direction::Direction;
use crate::error::TransformErrorKind;
use crate::ops::TransformationOps;
use crate::value::{Absent, budget, lookup, to_value};
use formats::json::{Document, Kind, Node};

mod event;
mod facts;
mod field;
mod headers;
mod line;
mod private;
mod reads;
mod vars;

pub(crate) use event::EventFields;
pub(crate) use facts::{FACTS, fact_path, fact_spelling, fact_value};
pub(crate) use field::{EVENT, EVENT_FIELDS, EventField, Field, LINE, Part};
pub(crate) use headers::{HeaderSnapshot, append as append_header, is_compressed};
pub(crate) use line::WithLine;
pub(crate) use private::{Private, PrivateFunctions};
pub(crate) use reads::{Asked, HeaderNames, HostRead, Reads};
pub(crate) use vars::Vars;

use event::EventValue;
use facts::FactsValue;
use headers::{HeadersValue, copied};

/// Where functions find the message. The space keeps it apart from every JSON key that a template
/// could name.
const MESSAGE: &str = "fn message";
/// Where templates find `request` and `response`; the engine is made to ask for these.
pub(crate) const REQUEST: &str = "fn request";
/// See [`REQUEST`].
pub(crate) const RESPONSE: &str = "fn response";
/// Where functions find what the configuration says to them.
pub(crate) const CONFIGURED: &str = "fn configured";
/// `request.json` and `response.json` where the template does not deal with their absence.
pub(crate) const EXPECTED_JSON: &str = "fn json";

/// What the templates of one direction read.
#[derive(Debug)]
pub(crate) struct Message {
    direction: Direction,
    request: Arc<HeaderSnapshot>,
    /// Absent in the request direction.
    response: Option<Arc<HeaderSnapshot>>,
    body: BodyText,
    /// The parsed body, or why there is none.
    document: Result<Document, TransformErrorKind>,
    /// A template read the whole document without asking whether there is one, and there is none.
    missed: AtomicBool,
    host: HostAnswers,
    /// What is found under private names beside the message.
    private: Private,
    /// What is known of the event that this message is.
    event: Option<EventFields>,
    /// The variables of the configuration.
    vars: Option<Arc<Vars>>,
    /// What is known of the exchange as LLM traffic, if templates read it.
    facts: Option<Arc<Facts>>,
}

/// What the host answered to what templates ask it for.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostAnswers {
    pub(crate) values: Vec<(HostRead, Value)>,
    /// The time, or 0 if no template reads it.
    pub(crate) seconds: i64,
    /// The values of command operators.
    pub(crate) commands: Vec<Value>,
}

impl HostAnswers {
    /// Asks the host for metadata, attributes and the time, as far as templates read them.
    pub(crate) fn ask(ops: &(impl TransformationOps + ?Sized), reads: &Reads) -> HostAnswers {
        let ask = |asked: &Asked| {
            let answer = match &asked.read {
                HostRead::Metadata {
                    source,
                    namespace,
                    key,
                } => ops.metadata(*source, namespace, key, &asked.last),
                HostRead::Attribute(attribute) => ops.attribute(*attribute),
            };
            Some((asked.read.clone(), answer?.to_value()))
        };
        HostAnswers {
            values: reads.host.iter().filter_map(ask).collect(),
            seconds: if reads.clock { ops.unix_seconds() } else { 0 },
            commands: Vec::new(),
        }
    }
}

/// The body as text, made when it is first read.
#[derive(Debug)]
pub(crate) struct BodyText {
    /// The bytes, or why they cannot be read.
    bytes: Result<Vec<u8>, TransformErrorKind>,
    text: OnceLock<Result<Value, TransformErrorKind>>,
}

impl Default for BodyText {
    fn default() -> Self {
        BodyText::new(Vec::new())
    }
}

impl BodyText {
    pub(crate) fn new(bytes: Vec<u8>) -> BodyText {
        BodyText {
            bytes: Ok(bytes),
            text: OnceLock::new(),
        }
    }

    /// A body that cannot be read.
    pub(crate) fn unreadable(kind: TransformErrorKind) -> BodyText {
        BodyText {
            bytes: Err(kind),
            text: OnceLock::new(),
        }
    }

    /// Never a text in which something took the place of bytes: whoever writes it back would destroy
    /// them.
    fn to_text(&self) -> Result<Value, TransformErrorKind> {
        let bytes = self.bytes.as_ref().map_err(|kind| *kind)?;
        let text = str::from_utf8(bytes).map_err(|_| TransformErrorKind::BodyNotText)?;
        Ok(Value::from(text))
    }
}

impl Message {
    pub(crate) fn new(
        direction: Direction,
        request: Arc<HeaderSnapshot>,
        response: Option<Arc<HeaderSnapshot>>,
        body: BodyText,
        document: Result<Document, TransformErrorKind>,
        host: HostAnswers,
    ) -> Message {
        Message {
            direction,
            request,
            response,
            body,
            document,
            missed: AtomicBool::new(false),
            host,
            private: Private::default(),
            event: None,
            vars: None,
            facts: None,
        }
    }

    /// A message in which templates find the functions that they call, and these what the configuration
    /// says to them.
    pub(crate) fn with_private(mut self, private: &Private) -> Message {
        self.private = private.clone();
        self
    }

    /// A message whose templates know the variables of the configuration.
    pub(crate) fn with_vars(mut self, vars: Option<Arc<Vars>>) -> Message {
        self.vars = vars;
        self
    }

    /// A message whose templates know the facts of LLM traffic.
    pub(crate) fn with_facts(mut self, facts: Option<Arc<Facts>>) -> Message {
        self.facts = facts;
        self
    }

    /// The message as an event of a stream, which templates know by that name.
    pub(crate) fn with_event(mut self, fields: EventFields) -> Message {
        self.event = Some(fields);
        self
    }

    /// Runs `read` on the message that the engine is rendering. Outside of a render there is none,
    /// and the answer is empty.
    pub(crate) fn with<T: Default>(state: &State<'_, '_>, read: impl FnOnce(&Message) -> T) -> T {
        match state.lookup(MESSAGE) {
            Some(value) => value
                .downcast_object_ref::<Message>()
                .map(read)
                .unwrap_or_default(),
            None => T::default(),
        }
    }

    pub(crate) fn direction(&self) -> Direction {
        self.direction
    }

    /// The joined values of a header.
    pub(crate) fn header(&self, direction: Direction, name: &str) -> Option<&str> {
        self.headers(direction)?.get(name)
    }

    /// The lines of a header of the message that is transformed. Each is paid for, as a value and as a
    /// text.
    ///
    /// # Errors
    /// If there is nothing left to pay with.
    pub(crate) fn header_lines(&self, name: &str) -> Result<Vec<Value>, Error> {
        let headers = self.headers(self.direction).into_iter();
        let lines = headers.flat_map(|headers| headers.lines(name));
        let paid = lines.map(|line| {
            budget::charge(size_of::<Value>() + line.len())?;
            Ok(Value::from(line))
        });
        paid.collect()
    }

    pub(crate) fn headers(&self, direction: Direction) -> Option<&Arc<HeaderSnapshot>> {
        match direction {
            Direction::Request => Some(&self.request),
            Direction::Response => self.response.as_ref(),
        }
    }

    /// What the host answered; undefined if it had no answer.
    pub(crate) fn host_value(&self, wanted: &HostRead) -> Value {
        let answer = self.host.values.iter().find(|(read, _)| read == wanted);
        answer.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The value of the command operator of this number.
    pub(crate) fn command(&self, number: usize) -> Value {
        self.host.commands.get(number).cloned().unwrap_or_default()
    }

    /// The time in seconds since 1970.
    pub(crate) fn seconds(&self) -> i64 {
        self.host.seconds
    }

    /// The body as text.
    ///
    /// # Errors
    /// If it cannot be read, or is no text.
    pub(crate) fn body(&self) -> Result<Value, Error> {
        let to_text = || match &self.document {
            Ok(document) => Ok(Value::from(document.text())),
            Err(_) => self.body.to_text(),
        };
        let text = self.body.text.get_or_init(to_text);
        text.clone().map_err(Absent::error)
    }

    /// The parsed body; undefined unless it was parsed.
    pub(crate) fn document(&self) -> Value {
        self.document
            .as_ref()
            .map(|document| to_value(document.root()))
            .unwrap_or_default()
    }

    /// As [`document`](Self::document), where the template does not ask whether there is one.
    pub(crate) fn expected_document(&self) -> Value {
        if self.document.is_err() {
            self.missed.store(true, Ordering::Relaxed);
        }
        self.document()
    }

    /// Whether an expected document was not there since this was last asked.
    pub(crate) fn take_missed(&self) -> bool {
        self.missed.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn root(&self) -> Option<Node> {
        self.document.as_ref().ok().map(Document::root)
    }

    /// A field of the parsed body. Without one the answer is an error, which ends the render.
    fn variable(&self, name: &str) -> Option<Value> {
        let root = match &self.document {
            Ok(document) => document.root(),
            Err(kind) => return Some(Value::from(Absent::error(*kind))),
        };
        if root.kind() != Kind::Object {
            return None;
        }
        lookup(&root, name)
    }
}

/// Whether no template can write this name. All that the engine is made to ask for begin alike.
fn is_private(name: &str) -> bool {
    name.starts_with("fn ") || name.contains(' ')
}

impl Object for Message {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match &self.event {
            // No key of the data can shadow the event.
            Some(EventFields::Of { .. }) if key == EVENT => {
                return Some(Value::from_object(EventValue(self.clone())));
            }
            Some(EventFields::AtEnd) if key == EVENT => return None,
            // Private names are never looked up in the body: it is the client's.
            _ if !is_private(key) => {
                let var = self.vars.as_ref().and_then(|vars| vars.value(key));
                return var.or_else(|| match &self.facts {
                    Some(facts) if key == FACTS => Some(Value::from_object(FactsValue {
                        facts: Arc::clone(facts),
                        group: None,
                    })),
                    _ => self.variable(key),
                });
            }
            _ => {}
        }
        let fields = |direction| {
            Value::from_object(DirectionFields {
                message: self.clone(),
                direction,
            })
        };
        match key {
            MESSAGE => Some(Value::from_dyn_object(self.clone())),
            REQUEST => Some(fields(Direction::Request)),
            RESPONSE => Some(fields(Direction::Response)),
            CONFIGURED => Some(self.private.configured.clone()),
            _ => self.private.function(key),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

/// `request` or `response` in a template.
#[derive(Debug)]
struct DirectionFields {
    message: Arc<Message>,
    direction: Direction,
}

impl Object for DirectionFields {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let headers = self.message.headers(self.direction)?;
        let key = key.as_str()?;
        if key == EXPECTED_JSON {
            return Some(self.message.expected_document());
        }
        match Field::find(self.direction, key)? {
            Field::Headers => Some(Value::from_object(HeadersValue(headers.clone()))),
            Field::Header { name, part } => headers.get(name).and_then(|v| copied(part.of(v))),
            Field::Status => headers.get(":status").map(|status| {
                let number = status.parse::<u16>();
                number.map_or_else(|_| Value::from(status), Value::from)
            }),
            Field::Body => Some(self.message.body().unwrap_or_else(Value::from)),
            Field::Json => Some(self.message.document()),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}
