//! `body` and `context`.

use minijinja::{Error, State, Value};

use super::{Function, function};
use crate::message::Message;

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "body",
        "body()",
        "The body of the message being transformed, as text; one that is not UTF-8 is left as it is, and so is what reads it.",
        ("{{ body()|length }}", "118"),
        (0, 0),
        Body,
        |environment, private| environment.add_function(private, body),
    ),
    function!(
        "context",
        "context()",
        "The parsed JSON body as a whole; empty unless the body is parsed (parseAs AsJson).",
        ("{{ context().model }}", "gpt-4o"),
        (0, 0),
        Document,
        |environment, private| environment.add_function(private, context),
    ),
];

fn body(state: &State<'_, '_>) -> Result<Value, Error> {
    Message::with(state, |message| Some(message.body())).unwrap_or_else(|| Ok(Value::from("")))
}

fn context(state: &State<'_, '_>) -> Value {
    Message::with(state, Message::document)
}
