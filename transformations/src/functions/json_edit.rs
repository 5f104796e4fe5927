//! The edits of JSON text behind `json_set`, `json_remove` and `json_merge`.
//!
//! Called on worker threads while a template renders. Edits are carried out as patches of bytes, so
//! that what it does not touch keeps its bytes: order, whitespace, number spellings, unknown fields.
//! The result is at most as long as all arguments together, plus separators.
//!
//! Refused are texts that are not JSON, pointers that are not RFC 6901, and places that cannot be in
//! the document: a parent has to exist before something can be put into it.

use formats::json::patch::{self, Edited, Operation, Patch, PatchErrorKind, ValueSlot};
use formats::json::{Document, Pointer};

use crate::value::Fault;

/// The document with the value at `pointer` set to `value`, which is JSON text. What is there is
/// replaced; a new key goes to the end of its object, `-` adds to the end of an array.
///
/// # Errors
///
/// A bad pointer, a value that is not JSON, a parent that does not exist, an array index beyond the
/// end, or a result of more than `limit` bytes.
pub(crate) fn set(
    document: &Document,
    pointer: &str,
    value: String,
    limit: usize,
) -> Result<String, Fault> {
    let path = Pointer::parse(pointer).map_err(|_| Fault::BadPointer)?;
    Document::parse(value.as_str()).map_err(|_| Fault::NotJson)?;
    let op = match document.root().pointer(&path) {
        Some(_) => "replace",
        None => "add",
    };
    let operation = Operation {
        op,
        path: pointer,
        value: Some(ValueSlot::Slot(0)),
        ..Operation::default()
    };
    apply(document, &operation, &[value], limit)
}

/// The document without what is at `pointer`; unchanged if nothing is there.
///
/// # Errors
///
/// A bad pointer, or the empty one, which is the whole document.
pub(crate) fn remove(document: &Document, pointer: &str, limit: usize) -> Result<String, Fault> {
    let path = Pointer::parse(pointer).map_err(|_| Fault::BadPointer)?;
    if path.tokens().is_empty() {
        return Err(Fault::WholeDocument);
    }
    if document.root().pointer(&path).is_none() {
        return bounded(document.text().to_owned(), limit);
    }
    let operation = Operation {
        op: "remove",
        path: pointer,
        ..Operation::default()
    };
    apply(document, &operation, &[], limit)
}

/// The document with a JSON Merge Patch (RFC 7386) applied: objects are merged, null removes a
/// member, everything else replaces.
///
/// # Errors
///
/// A patch that nests too deeply, or a result of more than `limit` bytes.
pub(crate) fn merge(document: &Document, patch: &Document, limit: usize) -> Result<String, Fault> {
    to_text(
        &patch::merge(document, patch).ok_or(Fault::JsonTooDeep)?,
        limit,
    )
}

fn apply(
    document: &Document,
    operation: &Operation<'_>,
    values: &[String],
    limit: usize,
) -> Result<String, Fault> {
    let patch = Patch::compile(std::slice::from_ref(operation)).map_err(|_| Fault::BadPointer)?;
    let edited = patch
        .apply(document, values, limit)
        .map_err(|error| match error.kind {
            PatchErrorKind::TooLarge => Fault::TooLarge,
            PatchErrorKind::InvalidValue => Fault::NotJson,
            _ => Fault::NoSuchPlace,
        })?;
    to_text(&edited, limit)
}

fn to_text(edited: &Edited<'_>, limit: usize) -> Result<String, Fault> {
    if edited.len() > limit {
        return Err(Fault::TooLarge);
    }
    // Segments are pieces of JSON text, cut at the edges of values.
    String::from_utf8(edited.to_vec()).map_err(|_| Fault::NotJson)
}

fn bounded(text: String, limit: usize) -> Result<String, Fault> {
    if text.len() > limit {
        Err(Fault::TooLarge)
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
