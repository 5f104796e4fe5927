//! `header`, `headers` and `request_header`.

use std::borrow::Cow;

use minijinja::{Error, State, Value};

use super::{Function, function};
use crate::direction::Direction;
use crate::message::Message;
use crate::value::{budget, found};

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "header",
        "header(name)",
        "The header of the message being transformed; repeated headers are joined with \", \" (cookies with \"; \"), an absent one is empty.",
        ("{{ header(\"x-tenant\") }}", "acme"),
        (1, 1),
        Header,
        |environment, private| environment.add_function(private, header),
    ),
    function!(
        "headers",
        "headers(name)",
        "The lines of a header of the message being transformed, as a list: one text for each time it was sent, none if it was not.",
        ("{{ headers(\"x-tenant\") }}", "[\"acme\"]"),
        (1, 1),
        HeaderLines,
        |environment, private| environment.add_function(private, headers),
    ),
    function!(
        "request_header",
        "request_header(name)",
        "The request header, in either direction: for a response, as the client sent it.",
        ("{{ request_header(\"x-tenant\") }}", "acme"),
        (1, 1),
        RequestHeader,
        |environment, private| environment.add_function(private, request_header),
    ),
];

fn header(state: &State<'_, '_>, name: Cow<'_, str>) -> Value {
    Message::with(state, |message| {
        found::to_value(message.header(message.direction(), &name))
    })
}

fn headers(state: &State<'_, '_>, name: Cow<'_, str>) -> Result<Value, Error> {
    budget::charge_container()?;
    let lines = Message::with(state, |message| Some(message.header_lines(&name)));
    Ok(Value::from(lines.transpose()?.unwrap_or_default()))
}

fn request_header(state: &State<'_, '_>, name: Cow<'_, str>) -> Value {
    Message::with(state, |message| {
        found::to_value(message.header(Direction::Request, &name))
    })
}
