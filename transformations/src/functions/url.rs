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

use super::fault::Fault;

/// Percent-encodes all bytes of `text` but the unreserved characters of RFC 3986 (letters, digits,
/// `-`, `.`, `_`, `~`). At most three times as long as `text`.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for digit in [byte >> 4, byte & 0x0F] {
                encoded.extend(char::from_digit(digit.into(), 16).map(|d| d.to_ascii_uppercase()));
            }
        }
    }
    encoded
}

/// Undoes [`encode`]. A `+` stays a `+`. Never longer than `text`.
///
/// # Errors
///
/// A `%` without two hexadecimal digits, or bytes that are not UTF-8.
pub(crate) fn decode(text: &str) -> Result<String, Fault> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (escaped, after) = escaped_byte(rest).ok_or(Fault::PercentEscape)?;
            decoded.push(escaped);
            rest = after;
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).map_err(|_| Fault::DecodedNotUtf8)
}

/// The value of the first query parameter called `name`; none if there is no such parameter. Never
/// longer than `path`.
///
/// Names and values are read as forms write them: `+` is a space, a `%` that starts no escape is
/// itself, and bytes that are not UTF-8 become U+FFFD. (That last rule can triple a length.)
pub(crate) fn query_param(path: &str, name: &str) -> Option<String> {
    let (_, query) = parts(path);
    let mut pairs = query?.split('&').filter(|pair| !pair.is_empty());
    pairs.find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (form_decode(key) == name).then(|| form_decode(value).into_owned())
    })
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
        let key = piece.split_once('=').map_or(piece, |(key, _)| key);
        if piece.is_empty() || form_decode(key) != name {
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

/// Reads one name or value of a query.
fn form_decode(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, escaped_byte(after)) {
            (b'%', Some((escaped, after))) => {
                decoded.push(escaped);
                rest = after;
            }
            (b'+', _) => decoded.push(b' '),
            _ => decoded.push(byte),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

/// The byte that two hexadecimal digits at the start of `text` stand for, and what follows them.
fn escaped_byte(text: &[u8]) -> Option<(u8, &[u8])> {
    let ([high, low], rest) = text.split_first_chunk::<2>()?;
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?;
    Some((byte, rest))
}

#[cfg(test)]
mod tests;
