//! How values become text: the way JSON spells them.
//!
//! Used by the engine's formatter, by segments and by `tojson`, so that all agree. Undefined
//! prints as nothing, strings as they are, booleans and null as in JSON, containers as JSON with a
//! space after commas and colons. JSON that came from a message keeps its own number spellings.

use std::fmt::{self, Write};

use minijinja::Value;
use minijinja::value::ValueKind;

use super::NodeValue;
use formats::json::{Node, is_plain, write_escaped, write_spaced};

/// Deeper values are not printed; JSON bodies never nest that deep.
const MAX_DEPTH: usize = 200;

/// How containers are laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `{"a": [1, 2]}`
    Spaced,
    /// `{"a":[1,2]}`; JSON from the message is copied byte by byte.
    Compact,
}

impl Layout {
    fn comma(self) -> &'static str {
        if self == Layout::Spaced { ", " } else { "," }
    }

    fn colon(self) -> &'static str {
        if self == Layout::Spaced { ": " } else { ":" }
    }
}

/// Prints a value for output.
///
/// # Errors
/// If `out` refuses text, or the value nests too deeply.
pub(crate) fn value(out: &mut dyn Write, value: &Value) -> fmt::Result {
    match value.kind() {
        ValueKind::Undefined => Ok(()),
        ValueKind::String => out.write_str(value.as_str().unwrap_or_default()),
        ValueKind::Bytes => out.write_str(&String::from_utf8_lossy(
            value.as_bytes().unwrap_or_default(),
        )),
        _ => json(out, value, Layout::Spaced, 0),
    }
}

/// Prints a value as JSON.
///
/// # Errors
/// As [`value`].
pub(crate) fn json(
    out: &mut dyn Write,
    value: &Value,
    layout: Layout,
    depth: usize,
) -> fmt::Result {
    if depth > MAX_DEPTH {
        return Err(fmt::Error);
    }
    if let Some(found) = value.downcast_object_ref::<NodeValue>() {
        return node(out, found.node(), layout);
    }
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => out.write_str("null"),
        ValueKind::Bool => out.write_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => write!(out, "{value}"),
        ValueKind::String => string(out, value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            out.write_str("[")?;
            let items = value.try_iter().map_err(|_| fmt::Error)?;
            for (index, item) in items.enumerate() {
                if index > 0 {
                    out.write_str(layout.comma())?;
                }
                json(out, &item, layout, depth + 1)?;
            }
            out.write_str("]")
        }
        ValueKind::Map => {
            out.write_str("{")?;
            let keys = value.try_iter().map_err(|_| fmt::Error)?;
            for (index, key) in keys.enumerate() {
                if index > 0 {
                    out.write_str(layout.comma())?;
                }
                match key.as_str() {
                    Some(text) => string(out, text)?,
                    None => string(out, &key.to_string())?,
                }
                out.write_str(layout.colon())?;
                let member = value.get_item(&key).map_err(|_| fmt::Error)?;
                json(out, &member, layout, depth + 1)?;
            }
            out.write_str("}")
        }
        _ => string(out, &value.to_string()),
    }
}

/// Prints JSON that came from a message, of any depth, in one pass over its text.
pub(crate) fn node(out: &mut dyn Write, found: &Node, layout: Layout) -> fmt::Result {
    match layout {
        Layout::Spaced => write_spaced(out, found.raw()),
        Layout::Compact => out.write_str(found.raw()),
    }
}

/// Prints a string as a JSON string, quotes included. Only what JSON requires is escaped.
pub(crate) fn string(out: &mut dyn Write, text: &str) -> fmt::Result {
    out.write_str("\"")?;
    write_escaped(out, text)?;
    out.write_str("\"")
}

/// Escapes what stands in `out` from `start` on as the inside of a JSON string.
pub(crate) fn escape_from(out: &mut String, start: usize) {
    if out.get(start..).is_none_or(is_plain) {
        return;
    }
    let text = out.split_off(start);
    // Writing to a string cannot fail.
    let _ = write_escaped(out, &text);
}
