//! Sessions of edits: whatever is edited, the result is a document, it is the same twice, and what no
//! edit is about keeps its text.
//!
//! The first section is a document, the second a list of edits, each a pointer, what to do there, and
//! up to two texts and two numbers to do it with.

use formats::json::{Document, EditError, Edits, Kind, Node, Pointer};
use serde_json::Value;

use super::Outcome;
use crate::scene::sections;

pub(super) fn run(input: &[u8]) -> Outcome {
    let mut sections = sections(input);
    let mut next = || sections.next().unwrap_or_default();
    let (text, edits) = (next(), next());
    let Ok(Value::Array(edits)) = serde_json::from_slice::<Value>(edits) else {
        return Outcome::of("no edits");
    };
    let Ok(document) = Document::parse(text) else {
        return Outcome::of("no document");
    };
    let (bytes, outcomes) = edited(&document, &edits);
    assert!(
        Document::parse(bytes.as_slice()).is_ok(),
        "no document any more"
    );
    assert_eq!(
        edited(&document, &edits).0,
        bytes,
        "edits depend on what was read before"
    );
    if outcomes.iter().all(Option::is_some) {
        assert_eq!(bytes, text, "changed, but no edit was made");
    }
    // Entries that are untouched stand in the result as they stood.
    let touched = |key: &str| {
        edits.iter().any(|edit| {
            let pointer = edit[0].as_str().unwrap_or_default();
            pointer.is_empty() || Pointer::parse(pointer).is_ok_and(|it| it.tokens()[0] == key)
        })
    };
    if let Ok(after) = Document::parse(bytes) {
        for (key, value) in document.root().entries().filter(|(key, _)| !touched(key)) {
            let kept = after.root().get(&key);
            assert_eq!(
                kept.map(|it| it.raw().to_owned()).as_deref(),
                Some(value.raw())
            );
        }
    }
    Outcome::of(outcomes)
}

/// What comes out, and what was refused.
fn edited(document: &Document, edits: &[Value]) -> (Vec<u8>, Vec<Option<String>>) {
    let mut session = Edits::new(document);
    let mut outcomes = Vec::new();
    for edit in edits.iter().take(32) {
        let pointer = Pointer::parse(edit[0].as_str().unwrap_or_default());
        let Some(node) = pointer.ok().and_then(|it| document.root().pointer(&it)) else {
            continue;
        };
        let refused = make(&mut session, &node, edit).err();
        outcomes.push(refused.map(|error| error.to_string()));
    }
    let edited = session.finish();
    let bytes = edited.to_vec();
    assert_eq!(edited.len(), bytes.len());
    (bytes, outcomes)
}

fn make(session: &mut Edits<'_>, node: &Node, edit: &Value) -> Result<(), EditError> {
    let text = |at: usize| edit[at].as_str().unwrap_or_default().to_owned();
    let number = |at: usize| usize::try_from(edit[at].as_u64().unwrap_or_default()).unwrap_or(0);
    match (edit[1].as_str().unwrap_or_default(), node.kind()) {
        ("remove", _) => session.remove(node),
        ("set", _) => session.set(node, text(2), text(3)),
        ("first", _) => session.set_first(node, text(2), text(3)),
        ("insert", _) => session.insert(node, number(3), text(2)),
        ("push", _) => session.push(node, text(2)),
        ("rewrite", Kind::String) => session.rewrite(node, number(3)..number(4), text(2)),
        _ => session.replace(node, text(2)),
    }
}
