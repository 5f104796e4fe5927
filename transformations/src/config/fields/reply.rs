//! The fields of `reply`.

use super::header::HEADER_RULE;
use super::shape::{Form, Forms, List, Text, Whole};
use super::when::WHEN_HERE;
use super::{Field, Object};

static CODE: Whole = Whole::pieces(200, 599);

/// `status`
pub static STATUS: Field<Forms> = Field::new(
    "status",
    Forms {
        all: &[Form::of(&CODE), Form::of(&Text::Template)],
    },
    "the status, from 200 to 599, or a template that renders to one",
)
.needed();

/// `headers`
pub static HEADERS: Field<List> = Field::new(
    "headers",
    List { of: &&HEADER_RULE },
    "list of `{\"name\", \"value\"}`: the headers, of which one may have several lines; what renders empty \
     is left out",
);

/// `body`
pub static BODY: Field<Text> = Field::new("body", Text::Template, "the template of the body");

/// An answer that does not come from the upstream.
pub static REPLY: Object = Object {
    name: "reply",
    text: "An answer of the gateway, in place of one from the upstream.",
    groups: &[&[&STATUS, &HEADERS, &BODY, &WHEN_HERE]],
};
