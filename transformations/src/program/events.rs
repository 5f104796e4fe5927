//! The compiled rules for the events of a streamed response.

use super::{PatchRule, TemplateField};
use crate::config::{OnError, StreamFormat};
use crate::error::FieldId;
use crate::message::Reads;
use formats::coding;
use formats::json::{Document, Pointer};

/// Compiled rules for the events of a response.
#[derive(Debug)]
pub(crate) struct EventProgram {
    pub(crate) format: StreamFormat,
    pub(crate) max_event_bytes: usize,
    pub(crate) rules: Box<[EventRule]>,
    pub(crate) at_end: Box<[NewEvent]>,
    pub(crate) on_error: OnError,
    /// Everything that the templates of all rules read.
    pub(crate) reads: Reads,
    /// How far a compressed stream is decoded, if it is.
    pub(crate) decode: Option<coding::Limits>,
    /// The field to blame for what concerns no rule.
    pub(crate) field: FieldId,
}

/// One compiled rule.
#[derive(Debug)]
pub(crate) struct EventRule {
    pub(crate) name: Option<Box<str>>,
    pub(crate) condition: Option<Condition>,
    /// Something of the rule reads the data as JSON: it selects no other events.
    pub(crate) json: bool,
    pub(crate) edit: Edit,
    pub(crate) before: Box<[NewEvent]>,
    pub(crate) after: Box<[NewEvent]>,
}

/// What becomes of an event.
#[derive(Debug)]
pub(crate) enum Edit {
    Keep,
    Drop,
    Data(EventTemplate),
    Patch(PatchRule),
}

/// A template of an event.
#[derive(Debug)]
pub(crate) struct EventTemplate {
    pub(crate) value: TemplateField,
    /// The template reads the data as JSON.
    pub(crate) json: bool,
}

/// An event of our own.
#[derive(Debug)]
pub(crate) struct NewEvent {
    pub(crate) name: Option<Box<str>>,
    pub(crate) data: EventTemplate,
}

/// A compiled condition on the data.
#[derive(Debug)]
pub(crate) enum Condition {
    /// The data is this text.
    Data(Box<str>),
    /// Whether the pointer leads to a value.
    Exists(Pointer, bool),
    /// The pointer leads to a value that means the same as the root of this document.
    Equals(Pointer, Document),
}

impl Condition {
    /// Whether the condition is one on JSON.
    pub(crate) fn is_json(&self) -> bool {
        !matches!(self, Condition::Data(_))
    }
}
