//! `body` and `context`.

use minijinja::{State, Value};

use super::{Function, function};
use crate::message::Message;

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "body",
        "body()",
        "The body of the message being transformed, as text; bytes that are not UTF-8 become U+FFFD.",
        ("{{ body()|length }}", "118"),
        (0, 0),
        Body,
        |environment, private, _| environment.add_function(private, body),
    ),
    function!(
        "context",
        "context()",
        "The parsed JSON body as a whole; empty unless the body is parsed (parseAs AsJson).",
        ("{{ context().model }}", "gpt-4o"),
        (0, 0),
        Document,
        |environment, private, _| environment.add_function(private, context),
    ),
];

fn body(state: &State<'_, '_>) -> Value {
    Message::with(state, Message::body)
}

fn context(state: &State<'_, '_>) -> Value {
    Message::with(state, Message::document)
}
