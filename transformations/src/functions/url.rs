//! Percent-encoding and query parameters: `urlencode`, `urldecode`, `query_param`,
//! `set_query_param`, `remove_query_param`.
//!
//! Called on worker threads while a template renders. Edits touch only the parameters they name: the
//! path, the order and the spelling of everything else stay byte for byte.
//!
//! `urldecode` refuses text that is not percent-encoded UTF-8. Reading a parameter refuses nothing,
//! since its text comes from the client: it reads the way a form does, see [`query_param`]. A
//! request path has no fragment; if a text has one, it is not read and not carried over.

use std::borrow::Cow;

use minijinja::{Error, State, Value};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Function, function};
use crate::direction::Direction;
use crate::message::Message;
use crate::value::budget;
use crate::value::{Fault, found};

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "urlencode",
        "urlencode(text)",
        "The text percent-encoded: all but letters, digits and - . _ ~ (RFC 3986).",
        ("{{ urlencode(\"a b/é\") }}", "a%20b%2F%C3%A9"),
        (1, 1),
        None,
        |environment, name| environment.add_function(name, urlencode),
        filter "text | urlencode",
        |environment, name| environment.add_filter(name, urlencode),
    ),
    function!(
        "urldecode",
        "urldecode(text)",
        "Percent-encoded text decoded; a + stays a +. Fails if it is not percent-encoded UTF-8.",
        ("{{ urldecode(\"a%20b%2F%C3%A9\") }}", "a b/é"),
        (1, 1),
        None,
        |environment, name| environment.add_function(name, urldecode),
        filter "text | urldecode",
        |environment, name| environment.add_filter(name, urldecode),
    ),
    function!(
        "query_param",
        "query_param(path?, name)",
        "The first query parameter of this name, read as forms write it (+ is a space); empty if there is none. The path is that of the request unless given.",
        ("{{ query_param(\"user\") }}", "ann lee"),
        (1, 2),
        Path(2),
        |environment, name| environment.add_function(name, read_param),
        filter "path | query_param(name)",
        |environment, name| environment.add_filter(name, read_param),
    ),
    function!(
        "set_query_param",
        "set_query_param(path?, name, value)",
        "The path with this query parameter, percent-encoded, in the place of the first of its name or at the end; everything else stays as it is.",
        ("{{ set_query_param(\"page\", 3) }}", "/v1/chat?user=ann+lee&page=3"),
        (2, 3),
        Path(3),
        |environment, name| environment.add_function(name, set_param),
        filter "path | set_query_param(name, value)",
        |environment, name| environment.add_filter(name, set_param),
    ),
    function!(
        "remove_query_param",
        "remove_query_param(path?, name)",
        "The path without any query parameter of this name; everything else stays as it is.",
        ("{{ remove_query_param(\"user\") }}", "/v1/chat?page=2"),
        (1, 2),
        Path(2),
        |environment, name| environment.add_function(name, remove_param),
        filter "path | remove_query_param(name)",
        |environment, name| environment.add_filter(name, remove_param),
    ),
];

fn urlencode(text: Cow<'_, str>) -> Result<String, Error> {
    budget::charge(text.len())?;
    let encoded = encode(&text);
    budget::charge(encoded.len() - text.len())?;
    Ok(encoded)
}

fn urldecode(text: Cow<'_, str>) -> Result<String, Error> {
    budget::charge(text.len())?;
    Ok(decode(&text)?)
}

fn read_param(
    state: &State<'_, '_>,
    first: Cow<'_, str>,
    second: Option<Cow<'_, str>>,
) -> Result<Value, Error> {
    let (path, name) = path_and(state, first, second);
    budget::charge(path.len())?;
    Ok(found::to_value(query_param(&path, &name)))
}

fn set_param(
    state: &State<'_, '_>,
    first: Cow<'_, str>,
    second: Cow<'_, str>,
    third: Option<Cow<'_, str>>,
) -> Result<String, Error> {
    let (path, name, value) = match third {
        Some(value) => (first, second, value),
        None => (request_path(state), first, second),
    };
    budget::charge(path.len() + 3 * (name.len() + value.len()))?;
    Ok(set_query_param(&path, &name, &value))
}

fn remove_param(
    state: &State<'_, '_>,
    first: Cow<'_, str>,
    second: Option<Cow<'_, str>>,
) -> Result<String, Error> {
    let (path, name) = path_and(state, first, second);
    budget::charge(path.len())?;
    Ok(remove_query_param(&path, &name))
}

fn path_and<'a>(
    state: &State<'_, '_>,
    first: Cow<'a, str>,
    second: Option<Cow<'a, str>>,
) -> (Cow<'a, str>, Cow<'a, str>) {
    match second {
        Some(name) => (first, name),
        None => (request_path(state), first),
    }
}

fn request_path(state: &State<'_, '_>) -> Cow<'static, str> {
    let path = |message: &Message| {
        message
            .header(Direction::Request, ":path")
            .map(str::to_owned)
    };
    Message::with(state, path).unwrap_or_default().into()
}

/// All but the unreserved characters of RFC 3986: letters, digits, `-`, `.`, `_`, `~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Percent-encodes all bytes of `text` but the unreserved characters of RFC 3986. At most three times
/// as long as `text`.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Undoes [`encode`]. A `+` stays a `+`. Never longer than `text`.
///
/// # Errors
///
/// A `%` without two hexadecimal digits, or bytes that are not UTF-8.
pub(crate) fn decode(text: &str) -> Result<String, Fault> {
    let is_escape = |after: &str| {
        let digits = after.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return Err(Fault::PercentEscape);
    }
    let decoded = percent_decode_str(text).decode_utf8();
    Ok(decoded.map_err(|_| Fault::DecodedNotUtf8)?.into_owned())
}

/// The value of the first query parameter called `name`; none if there is no such parameter. Never
/// longer than `path`.
///
/// Names and values are read as forms write them: `+` is a space, a `%` that starts no escape is
/// itself, and bytes that are not UTF-8 become U+FFFD. (That last rule can triple a length.)
pub(crate) fn query_param(path: &str, name: &str) -> Option<String> {
    let (_, query) = parts(path);
    let mut pairs = form_urlencoded::parse(query?.as_bytes());
    let (_, value) = pairs.find(|(key, _)| key == name)?;
    Some(value.into_owned())
}

/// `path` with the query parameter `name` set to `value`, both [encoded](encode): in the place of
/// the first of that name, or at the end if there is none. Further ones of that name go.
///
/// At most `path` plus three times `name` and `value`, plus 3 bytes.
pub(crate) fn set_query_param(path: &str, name: &str, value: &str) -> String {
    let pair = format!("{}={}", encode(name), encode(value));
    edit(path, name, Some(pair))
}

/// `path` without any query parameter called `name`, and without `?` if that was the last.
pub(crate) fn remove_query_param(path: &str, name: &str) -> String {
    edit(path, name, None)
}

/// Puts `pair` where the first parameter called `name` is, and drops the others.
fn edit(path: &str, name: &str, mut pair: Option<String>) -> String {
    let (path, query) = parts(path);
    let mut edited = path.to_owned();
    let mut found = false;
    let mut separator = '?';
    let mut append = |piece: &str| {
        edited.push(separator);
        edited.push_str(piece);
        separator = '&';
    };
    for piece in query.into_iter().flat_map(|query| query.split('&')) {
        let pair_of_piece = form_urlencoded::parse(piece.as_bytes()).next();
        if pair_of_piece.is_none_or(|(key, _)| key != name) {
            append(piece);
            continue;
        }
        found = true;
        if let Some(pair) = pair.take() {
            append(&pair);
        }
    }
    if !found && let Some(pair) = pair {
        // A query that is empty or ends with `&` already has room for one more.
        let room = query.is_some_and(|query| query.is_empty() || query.ends_with('&'));
        if room {
            edited.push_str(&pair);
        } else {
            append(&pair);
        }
    }
    edited
}

/// What stands before the `?`, and what between it and a fragment.
fn parts(path: &str) -> (&str, Option<&str>) {
    let path = path.split_once('#').map_or(path, |(path, _)| path);
    match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    }
}

#[cfg(test)]
mod tests;
