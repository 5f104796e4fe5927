//! The edits of JSON text behind `json_set`, `json_remove` and `json_merge`.
//!
//! Called on worker threads while a template renders. Each edit is carried out as a JSON Patch, so
//! that what it does not touch keeps its bytes: order, whitespace, number spellings, unknown fields.
//! The result is at most as long as all arguments together, plus separators.
//!
//! Refused are texts that are not JSON, pointers that are not RFC 6901, and places that cannot be in
//! the document: a parent has to exist before something can be put into it.

use crate::json::patch::{Operation, Patch, PatchErrorKind, ValueSlot};
use crate::json::{Document, Kind, Node, Pointer};

use super::Fault;

/// How many keys one merge may compare: each member of the patch is looked up among the members of
/// its object, so that without a bound a message could ask for quadratic work. Enough for a thousand
/// changes in an object of three thousand members, or ten in one of four hundred thousand.
pub(crate) const MAX_COMPARISONS: usize = 4_000_000;

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
    let op = if document.root().pointer(&path).is_some() {
        Op::Replace
    } else {
        Op::Add
    };
    apply(
        document,
        vec![Edit {
            op,
            path: pointer.to_owned(),
            value,
        }],
        limit,
    )
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
    let edit = Edit {
        op: Op::Remove,
        path: pointer.to_owned(),
        value: String::new(),
    };
    apply(document, vec![edit], limit)
}

/// The document with a JSON Merge Patch (RFC 7386) applied: objects are merged, null removes a
/// member, everything else replaces.
///
/// # Errors
///
/// More than [`MAX_COMPARISONS`] of work, or a result of more than `limit` bytes.
pub(crate) fn merge(document: &Document, patch: &Node, limit: usize) -> Result<String, Fault> {
    let mut edits = Vec::new();
    let root = document.root();
    if patch.kind() == Kind::Object && root.kind() == Kind::Object {
        let mut comparisons_left = MAX_COMPARISONS;
        collect(&root, patch, "", &mut edits, &mut comparisons_left)?;
    } else {
        let value = without_nulls(patch);
        edits.push(Edit {
            op: Op::Replace,
            path: String::new(),
            value,
        });
    }
    apply(document, edits, limit)
}

/// One operation of the patch that carries out an edit.
struct Edit {
    op: Op,
    path: String,
    value: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Op {
    Add,
    Replace,
    Remove,
}

/// What merging `patch` into `target`, both objects, does to the document. `path` leads to `target`.
fn collect(
    target: &Node,
    patch: &Node,
    path: &str,
    edits: &mut Vec<Edit>,
    comparisons_left: &mut usize,
) -> Result<(), Fault> {
    // The object may grow by every member of the patch.
    let comparisons = patch.len().saturating_mul(target.len() + patch.len());
    *comparisons_left = comparisons_left
        .checked_sub(comparisons)
        .ok_or(Fault::TooMuchToMerge)?;
    for (key, wanted) in patch.entries() {
        let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
        match (target.get(&key), wanted.kind()) {
            (None, Kind::Null) => {}
            (Some(_), Kind::Null) => {
                edits.push(Edit {
                    op: Op::Remove,
                    path,
                    value: String::new(),
                });
            }
            (Some(present), Kind::Object) if present.kind() == Kind::Object => {
                collect(&present, &wanted, &path, edits, comparisons_left)?;
            }
            (present, _) => {
                let op = if present.is_some() {
                    Op::Replace
                } else {
                    Op::Add
                };
                edits.push(Edit {
                    op,
                    path,
                    value: without_nulls(&wanted),
                });
            }
        }
    }
    Ok(())
}

/// What a merge patch puts where nothing is: itself, but objects lose their null members. Arrays and
/// what is in them stay as they are.
fn without_nulls(patch: &Node) -> String {
    if patch.kind() != Kind::Object {
        return patch.raw().to_owned();
    }
    let mut text = String::from("{");
    for (key, value) in patch.entries().filter(|(_, value)| !value.is_null()) {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&serde_json::Value::from(key.as_ref()).to_string());
        text.push(':');
        text.push_str(&without_nulls(&value));
    }
    text.push('}');
    text
}

fn apply(document: &Document, edits: Vec<Edit>, limit: usize) -> Result<String, Fault> {
    let (places, values): (Vec<_>, Vec<_>) = edits
        .into_iter()
        .map(|edit| ((edit.op, edit.path), edit.value))
        .unzip();
    let operations: Vec<Operation<'_>> = places
        .iter()
        .enumerate()
        .map(|(slot, (op, path))| {
            let (op, value) = match op {
                Op::Add => ("add", Some(ValueSlot::Slot(slot))),
                Op::Replace => ("replace", Some(ValueSlot::Slot(slot))),
                Op::Remove => ("remove", None),
            };
            Operation {
                op,
                path,
                from: None,
                value,
            }
        })
        .collect();
    let patch = Patch::compile(&operations).map_err(|_| Fault::BadPointer)?;
    let edited = patch
        .apply(document, &values, limit)
        .map_err(|error| match error.kind {
            PatchErrorKind::TooLarge => Fault::TooLarge,
            PatchErrorKind::InvalidValue => Fault::NotJson,
            _ => Fault::NoSuchPlace,
        })?;
    // Segments are pieces of JSON text, cut at the edges of values.
    bounded(
        String::from_utf8(edited.to_vec()).map_err(|_| Fault::NotJson)?,
        limit,
    )
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
