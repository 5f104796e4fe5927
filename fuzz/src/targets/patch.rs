//! JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7386) on bytes against the same on trees by others.
//!
//! The first section is a document, the second a list of operations or an object to merge.

use formats::json::Document;
use formats::json::patch::{Edited, Patch, merge};
use serde_json::Value;

use super::Outcome;
use crate::scene::sections;

pub(super) fn run(input: &[u8]) -> Outcome {
    let mut sections = sections(input);
    let mut next = || sections.next().unwrap_or_default();
    let (text, operations) = (next(), next());
    let Ok(changes) = serde_json::from_slice::<Value>(operations) else {
        return Outcome::of("no changes");
    };
    let Ok(document) = Document::parse(text) else {
        return Outcome::of("no document");
    };
    if changes.is_object() {
        return merged(text, &document, operations, &changes);
    }
    let patch = match Patch::parse(&changes) {
        Ok(patch) => patch,
        Err(found) => return Outcome::of(found.first().map(ToString::to_string)),
    };
    let ours = patch.apply(&document, &[], 1 << 20);
    let edited = ours.as_ref().ok().map(|edited| written(edited, text));
    let Ok(mut tree) = serde_json::from_slice::<Value>(text) else {
        return Outcome::of("only ours");
    };
    let kind = ours.as_ref().err().map(|error| error.to_string());
    if is_ambiguous(text, &tree) || is_ambiguous(operations, &changes) {
        return Outcome::of(("ambiguous", kind));
    }
    let Ok(reference) = serde_json::from_value::<json_patch::Patch>(changes) else {
        panic!("only we take these operations");
    };
    // Without undoing: a patch that fails leaves nothing to look at.
    let theirs = json_patch::patch_unsafe(&mut tree, &reference)
        .ok()
        .map(|()| tree);
    let ours = edited.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    assert_eq!(ours, theirs);
    Outcome::of(kind)
}

fn merged(text: &[u8], document: &Document, changes: &[u8], their_changes: &Value) -> Outcome {
    let Ok(changes_document) = Document::parse(changes) else {
        panic!("only we refuse these changes");
    };
    let Some(edited) = merge(document, &changes_document) else {
        return Outcome::of("merges too deep");
    };
    let bytes = written(&edited, text);
    if let Ok(mut tree) = serde_json::from_slice::<Value>(text)
        && !is_ambiguous(text, &tree)
        && !is_ambiguous(changes, their_changes)
    {
        json_patch::merge(&mut tree, their_changes);
        assert_eq!(serde_json::from_slice::<Value>(&bytes).ok(), Some(tree));
    }
    Outcome::of(("merged", edited.is_unchanged()))
}

/// The edited document, which is one however it is written.
fn written(edited: &Edited<'_>, text: &[u8]) -> Vec<u8> {
    let bytes = edited.to_vec();
    let pieces: Vec<u8> = edited.segments().flatten().copied().collect();
    assert_eq!(pieces, bytes);
    assert_eq!(edited.len(), bytes.len());
    assert!(
        !edited.is_unchanged() || bytes == text,
        "unchanged, but not the same"
    );
    assert!(
        Document::parse(bytes.as_slice()).is_ok(),
        "no document any more"
    );
    bytes
}

/// Whether the text says what a tree cannot: a key twice, or numbers whose equality depends on how
/// many digits are kept.
fn is_ambiguous(text: &[u8], tree: &Value) -> bool {
    let mut in_string = false;
    let mut escaped = false;
    let mut members = 0;
    let mut number = false;
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b':' if !in_string => members += 1,
            b'.' | b'e' | b'E' if !in_string => number = true,
            _ => {}
        }
    }
    let digits = |run: &[u8]| run.len() > 15 && run.iter().all(u8::is_ascii_digit);
    let long = text.split(|byte| !byte.is_ascii_digit()).any(digits);
    members != count(tree) || number && has_float(tree) || long
}

fn count(tree: &Value) -> usize {
    match tree {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(entries) => entries.len() + entries.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

fn has_float(tree: &Value) -> bool {
    match tree {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_float),
        Value::Object(entries) => entries.values().any(has_float),
        _ => false,
    }
}
