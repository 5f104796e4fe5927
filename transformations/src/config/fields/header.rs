//! The fields of the rules for headers: what `edit`, `set`, `add` and `remove` list.

use super::shape::Text;
use super::when::WHEN_HERE;
use super::{Field, Object};

/// `name` of a header rule
pub static NAME: Field<Text> = Field::new(
    "name",
    Text::HeaderName,
    "the name of the header, in any case",
)
.needed();

/// `value` of a header rule
pub static VALUE: Field<Text> =
    Field::new("value", Text::HeaderValue, "the template of the value").or_else("empty");

/// `name` of a header to remove
pub static REMOVED: Field<Text> = Field::new(
    "name",
    Text::NamePattern,
    "the name of the header, in any case; `*` stands for any run of characters",
)
.needed();

/// An entry of `remove` that is more than a name.
pub static REMOVAL: Object = Object {
    name: "removal",
    text: "Headers to remove under a condition.",
    groups: &[&[&REMOVED, &WHEN_HERE]],
};

/// `value` of an edit
pub static NEW_LINE: Field<Text> = Field::new(
    "value",
    Text::HeaderValue,
    "the template of the line, in which `value` is the line as it came; what renders empty goes",
)
.needed();

/// An entry of `edit`.
pub static HEADER_EDIT: Object = Object {
    name: "headerEdit",
    text: "A header, each line of which becomes what a template makes of it.",
    groups: &[&[&NAME, &NEW_LINE, &WHEN_HERE]],
};

/// An entry of `set` or `add`.
pub static HEADER_RULE: Object = Object {
    name: "headerRule",
    text: "A header and the template of its value.",
    groups: &[&[&NAME, &VALUE, &WHEN_HERE]],
};
