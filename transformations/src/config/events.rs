//! `response.stream` as its author wrote it: what happens to the events of a streamed response.
//!
//! Read on the main thread with the rest of the configuration, and compiled there with it.

use serde_json::Value;

use super::PatchOperation;

/// Rules for the events of a response body that is a stream of events.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRules {
    /// Which responses the rules are for.
    pub format: StreamFormat,
    /// The longest event that is read, in bytes.
    pub max_event_bytes: usize,
    /// The rules, in order; the first that selects an event is the one that applies to it.
    pub rules: Vec<EventRule>,
    /// What is added when the stream ends.
    pub at_end: Vec<NewEvent>,
    /// Where this stands in the configuration.
    pub path: String,
}

/// The wire format of a stream, by the content type of the response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StreamFormat {
    /// Whichever of the two the response has.
    #[default]
    Auto,
    /// Server-Sent Events.
    Sse,
    /// Newline-delimited JSON.
    Ndjson,
}

/// Which events, and what becomes of them.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRule {
    /// The name of the event; `message` also selects events without a name.
    pub event: Option<String>,
    /// A condition on the event's data.
    pub when: Option<When>,
    /// What becomes of the event itself.
    pub edit: EventEdit,
    /// Events to send before it.
    pub before: Vec<NewEvent>,
    /// Events to send after it.
    pub after: Vec<NewEvent>,
    /// Where the rule stands in the configuration.
    pub path: String,
}

/// A condition on the data of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// The data is this text.
    Data(String),
    /// The data is JSON, and the pointer leads to a value, or (`exists: false`) to none.
    Exists {
        /// An RFC 6901 pointer.
        pointer: String,
        /// Whether there must be a value.
        exists: bool,
    },
    /// The data is JSON, and the pointer leads to a value equal to this one.
    Equals {
        /// An RFC 6901 pointer.
        pointer: String,
        /// The value, compared by meaning.
        value: Value,
    },
}

/// What becomes of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum EventEdit {
    /// It passes as it came.
    Keep,
    /// It is left out.
    Drop,
    /// It gets other data.
    Data {
        /// The template of the data.
        value: String,
        /// Where it stands in the configuration.
        path: String,
    },
    /// Its data is JSON, and these operations are applied to it.
    Patch(Vec<PatchOperation>),
}

/// An event of our own.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// Its name, for Server-Sent Events.
    pub event: Option<String>,
    /// The template of its data; nothing is sent when it renders empty.
    pub data: String,
    /// Where the template stands in the configuration.
    pub path: String,
}
