//! `substring`, `replace_with_string` and `raw_string`.

use std::borrow::Cow;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use super::{Function, function};
use crate::value::{budget, print};
use formats::json::{is_plain, write_escaped};

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "substring",
        "substring(text, start, length?)",
        "Part of a text, counted in characters from 0; without a length, or with 0, to the end.",
        ("{{ substring(\"été 2026\", 4, 2) }}", "20"),
        (2, 3),
        None,
        |environment, private| environment.add_function(private, substring),
    ),
    function!(
        "replace_with_string",
        "replace_with_string(text, pattern, replacement)",
        "The text with every occurrence of the pattern replaced.",
        (
            "{{ replace_with_string(\"a-b-c\", \"-\", \"+\") }}",
            "a+b+c"
        ),
        (3, 3),
        None,
        |environment, private| environment.add_function(private, replace),
    ),
    function!(
        "raw_string",
        "raw_string(value)",
        "The value as text, escaped for use inside a JSON string, without the quotes.",
        ("{{ raw_string('say \"hi\"') }}", "say \\\"hi\\\""),
        (1, 1),
        None,
        |environment, private| environment.add_function(private, raw_string),
    ),
];

fn substring(text: Cow<'_, str>, start: i128, length: Option<i128>) -> Result<String, Error> {
    // Huge numbers are safe: they saturate, and no text is that long.
    let start = to_usize(start)?;
    let length = match length.map(to_usize).transpose()? {
        None | Some(0) => usize::MAX,
        Some(length) => length,
    };
    budget::charge(text.len())?;
    Ok(text.chars().skip(start).take(length).collect())
}

fn to_usize(number: i128) -> Result<usize, Error> {
    if number < 0 {
        let message = "start and length must not be negative";
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}

/// Replaces every occurrence, paying for the result first. Also the filter `replace`.
pub(crate) fn replace(
    text: Cow<'_, str>,
    pattern: Cow<'_, str>,
    replacement: Cow<'_, str>,
) -> Result<String, Error> {
    let count = text.matches(&*pattern).count();
    budget::charge(
        text.len()
            .saturating_add(count.saturating_mul(replacement.len())),
    )?;
    Ok(text.replace(&*pattern, &replacement))
}

fn raw_string(value: &Value) -> Result<Value, Error> {
    let failed = |_| Error::new(ErrorKind::InvalidOperation, "the value cannot be printed");
    let mut printed = String::new();
    let text = match value.as_str() {
        // Strings print as they are; long ones are not copied to be looked at.
        Some(text) => text,
        None => {
            print::value(&mut printed, value).map_err(failed)?;
            &printed
        }
    };
    budget::charge(text.len())?;
    if value.kind() == ValueKind::String && is_plain(text) {
        return Ok(value.clone());
    }
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    write_escaped(&mut escaped, text).map_err(failed)?;
    Ok(Value::from(escaped))
}
