//! `get_cookie` and `get_cookie_i`.

use std::borrow::Cow;

use minijinja::{State, Value};

use super::{Function, function};
use crate::direction::Direction;
use crate::message::Message;
use crate::value::budget;
use crate::value::found;

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "get_cookie",
        "get_cookie(name)",
        "The value of the first request cookie of this name; empty if there is none.",
        ("{{ get_cookie(\"session\") }}", "abc"),
        (1, 1),
        Cookie,
        |environment, private| environment.add_function(private, get_cookie),
    ),
    function!(
        "get_cookie_i",
        "get_cookie_i(name)",
        "As get_cookie, ignoring the case of the name.",
        ("{{ get_cookie_i(\"SESSION\") }}", "abc"),
        (1, 1),
        Cookie,
        |environment, private| environment.add_function(private, get_cookie_i),
    ),
];

fn get_cookie(state: &State<'_, '_>, name: Cow<'_, str>) -> Value {
    find(state, |key| key == name)
}

fn get_cookie_i(state: &State<'_, '_>, name: Cow<'_, str>) -> Value {
    find(state, |key| key.eq_ignore_ascii_case(&name))
}

fn find(state: &State<'_, '_>, is_name: impl Fn(&str) -> bool) -> Value {
    Message::with(state, |message| {
        // A comma is part of a value: browsers send it, and a value must not forge another cookie.
        let cookies = message
            .header(Direction::Request, "cookie")
            .unwrap_or_default();
        if let Err(overdrawn) = budget::charge(cookies.len()) {
            return Value::from(overdrawn);
        }
        let cookie = cookies
            .split(';')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| is_name(key.trim()));
        found::to_value(cookie.map(|(_, value)| value.trim()))
    })
}
