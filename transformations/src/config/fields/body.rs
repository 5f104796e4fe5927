//! The fields of `body`.

use super::patch::PATCH;
use super::shape::{Flag, Text, Words};
use super::{Field, Object};
use crate::config::ParseAs;

/// `parseAs`
pub static PARSE_AS: Field<Words<ParseAs>> = Field::new(
    "parseAs",
    Words {
        all: &[
            ("AsString", ParseAs::AsString),
            ("AsJson", ParseAs::AsJson),
            ("None", ParseAs::None),
        ],
        default: Some(ParseAs::AsString),
    },
    "`AsJson`: the fields of a JSON object are variables, and where there is no JSON what reads it \
     fails; see [`onError`](#onerror). An empty body and `null` count as no JSON. `None`: the body is \
     never looked at, even if a template asks",
)
.since_but("2.2", "None", "2.3");

/// `value`
pub static VALUE: Field<Text> = Field::new(
    "value",
    Text::Template,
    "the template of the new body. Rendered empty: the body is emptied, `content-length` is 0, \
     `content-type` goes. A body that was empty and stays so keeps it",
)
.since("2.2")
.or_else("untouched");

/// `decode`
pub static DECODE: Field<Flag> = Field::new(
    "decode",
    Flag {
        default: Some(false),
    },
    "a compressed body or event stream is decoded to be read; see [`body.decode`](#bodydecode)",
)
.not_in_policies();

/// How a body is read, and what it becomes.
pub static BODY: Object = Object {
    name: "body",
    text: "How a body is read, and what it becomes.",
    groups: &[&[&PARSE_AS, &VALUE, &PATCH, &DECODE]],
};
