//! The fields of `response.stream`.

use super::patch::PATCH;
use super::shape::{Flag, Json, List, Text, Whole, Words};
use super::{Field, Object};
use crate::config::StreamFormat;

/// `format`
pub static FORMAT: Field<Words<StreamFormat>> = Field::new(
    "format",
    Words {
        all: &[
            ("auto", StreamFormat::Auto),
            ("sse", StreamFormat::Sse),
            ("ndjson", StreamFormat::Ndjson),
        ],
        default: Some(StreamFormat::Auto),
    },
    "`sse` or `ndjson` alone, or `auto` for both",
);

/// `maxEventBytes`
pub static MAX_EVENT_BYTES: Field<Whole> = Field::new(
    "maxEventBytes",
    Whole::bytes(64 << 20).or(1 << 20),
    "the longest event that is read; a longer one is a failure of kind `event_too_large`",
);

/// `rules`
pub static RULES: Field<List> = Field::new(
    "rules",
    List { of: &&EVENT_RULE },
    "the first rule that selects an event applies to it",
);

/// `atEnd`
pub static AT_END: Field<List> = Field::new(
    "atEnd",
    List { of: &&NEW_EVENT },
    "events to send when the stream ends",
);

/// Rules for the events of a response.
pub static EVENT_RULES: Object = Object {
    name: "eventRules",
    text: "Rules for responses that are event streams.",
    groups: &[&[&FORMAT, &MAX_EVENT_BYTES, &RULES, &AT_END]],
};

/// `event` of a rule
pub static EVENT: Field<Text> = Field::new(
    "event",
    Text::Plain,
    "selects by the name of the event; `message` means events without one",
);

/// `when` of a rule
pub static CONDITION: Field<&Object> =
    Field::new("when", &DATA_CONDITION, "selects by the data of the event");

/// `drop`
pub static DROP: Field<Flag> = Field::new(
    "drop",
    Flag {
        default: Some(false),
    },
    "the event is left out",
);

/// `data` of a rule
pub static NEW_DATA: Field<Text> =
    Field::new("data", Text::Template, "the template of the new data");

/// `before`
pub static BEFORE: Field<List> = Field::new(
    "before",
    List { of: &&NEW_EVENT },
    "events to send before it",
);

/// `after`
pub static AFTER: Field<List> =
    Field::new("after", List { of: &&NEW_EVENT }, "events to send after it");

/// What becomes of events.
pub static EVENT_RULE: Object = Object {
    name: "eventRule",
    text: "Which events, and what becomes of them: one of `drop`, `data` and `patch`.",
    groups: &[&[
        &EVENT, &CONDITION, &DROP, &NEW_DATA, &PATCH, &BEFORE, &AFTER,
    ]],
};

/// `data` of a condition
pub static DATA: Field<Text> = Field::new("data", Text::Plain, "the data is exactly this");

/// `pointer`
pub static POINTER: Field<Text> = Field::new(
    "pointer",
    Text::Pointer,
    "the data is JSON, and this leads to a value",
);

/// `equals`
pub static EQUALS: Field<Json> = Field::new(
    "equals",
    Json,
    "what the pointer leads to, compared by meaning",
);

/// `exists`
pub static EXISTS: Field<Flag> = Field::new(
    "exists",
    Flag {
        default: Some(true),
    },
    "`false`: the pointer leads to no value",
);

/// A condition on the data of an event.
pub static DATA_CONDITION: Object = Object {
    name: "eventCondition",
    text: "A condition on the data of an event.",
    groups: &[&[&DATA, &POINTER, &EQUALS, &EXISTS]],
};

/// `event` of an event of our own
pub static NEW_NAME: Field<Text> =
    Field::new("event", Text::Plain, "its name, for Server-Sent Events");

/// `data` of an event of our own
pub static DATA_OF_NEW: Field<Text> = Field::new(
    "data",
    Text::Template,
    "the template of its data; nothing is sent when it renders empty",
)
.needed();

/// An event of our own.
pub static NEW_EVENT: Object = Object {
    name: "newEvent",
    text: "An event to send.",
    groups: &[&[&NEW_NAME, &DATA_OF_NEW]],
};
