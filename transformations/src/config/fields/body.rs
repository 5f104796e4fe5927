//! The fields of `body`, and those of the operations of a patch.

use super::shape::{Flag, Json, List, Text, Words};
use super::transform::WHEN_HERE;
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
.since("2.2, `None` from 2.3 on");

/// `value`
pub static VALUE: Field<Text> = Field::new(
    "value",
    Text::Template,
    "the template of the new body. Rendered empty: the body is emptied, `content-length` is 0, \
     `content-type` goes. A body that was empty and stays so keeps it",
)
.since("2.2")
.or_else("untouched");

/// `patch`
pub static PATCH: Field<List> = Field::new(
    "patch",
    List { of: &&OPERATION },
    "edits of a JSON body, in place of a `value`; see [`body.patch`](#bodypatch)",
)
.not_in_policies();

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

/// `op`
pub static OP: Field<Text> = Field::new(
    "op",
    Text::Plain,
    "`add`, `remove`, `replace`, `move`, `copy` or `test`",
)
.needed();

/// `path`
pub static PATH: Field<Text> = Field::new("path", Text::Pointer, "where it acts").needed();

/// `from`
pub static FROM: Field<Text> = Field::new(
    "from",
    Text::Pointer,
    "where `move` and `copy` take the value",
);

/// `value` of an operation
pub static OPERAND: Field<Json> = Field::new(
    "value",
    Json,
    "the value of `add`, `replace` and `test`: JSON, in which texts may be templates",
);

/// `valueJson`
pub static RENDERED_OPERAND: Field<Text> = Field::new(
    "valueJson",
    Text::Template,
    "a template that renders to the text of the value, in place of a `value`",
);

/// An operation of a patch.
pub static OPERATION: Object = Object {
    name: "operation",
    text: "An operation on a JSON document (RFC 6902).",
    groups: &[&[&OP, &PATH, &FROM, &OPERAND, &RENDERED_OPERAND, &WHEN_HERE]],
};
