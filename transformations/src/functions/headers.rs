//! `header` and `request_header`.

use std::borrow::Cow;

use minijinja::{State, Value};

use super::{Function, function};
use crate::direction::Direction;
use crate::message::Message;
use crate::value::found;

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

fn request_header(state: &State<'_, '_>, name: Cow<'_, str>) -> Value {
    Message::with(state, |message| {
        found::to_value(message.header(Direction::Request, &name))
    })
}
