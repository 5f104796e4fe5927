//! `patch`, of a body or an event, and the fields of its operations.

use super::shape::{Json, List, Text};
use super::when::WHEN_HERE;
use super::{Field, Object};

/// `patch`
pub static PATCH: Field<List> = Field::new(
    "patch",
    List { of: &&OPERATION },
    "edits of a JSON body, in place of a `value`; see [`body.patch`](#bodypatch)",
)
.not_in_policies();

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
