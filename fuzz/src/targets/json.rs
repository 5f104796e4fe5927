//! The JSON scanner against serde_json: the same texts are documents, and they mean the same.

use std::borrow::Cow;

use formats::json::{Document, Kind, Node, Pointer};
use serde_json::Value;

use super::Outcome;
use crate::goldens::Goldens;

pub(super) fn seeds(goldens: &Goldens) -> Vec<Vec<u8>> {
    [goldens.bodies(), goldens.configs()].concat()
}

pub(super) fn run(input: &[u8]) -> Outcome {
    let ours = Document::parse(input);
    let theirs = serde_json::from_slice::<Value>(input);
    match (&ours, &theirs) {
        (Ok(document), Ok(value)) => {
            compare(&document.root(), value);
            follow(&document.root(), value);
            Outcome::of((value.is_object(), value.is_array()))
        }
        (Err(error), Err(_)) => Outcome::of(error.kind().to_string()),
        (Ok(document), Err(error)) => {
            // Numbers beyond every float, halves of surrogate pairs and deep nesting are ours to keep.
            let message = error.to_string();
            let known = [
                "number out of range",
                "surrogate",
                "hex escape",
                "recursion limit",
            ];
            let kept =
                known.iter().any(|it| message.contains(it)) || input.starts_with(b"\xEF\xBB\xBF");
            assert!(kept, "only we take this: {message}");
            visit(&document.root(), &mut 10_000);
            Outcome::of(message.split(" at line").next())
        }
        (Err(error), Ok(_)) => panic!("only we refuse this: {}", error.kind()),
    }
}

/// Both hold the same value.
fn compare(node: &Node, value: &Value) {
    assert_eq!(
        serde_json::from_str::<Value>(node.raw()).ok().as_ref(),
        Some(value),
        "the raw text"
    );
    match value {
        Value::Null => assert!(node.is_null()),
        Value::Bool(flag) => assert_eq!(node.as_bool(), Some(*flag)),
        Value::String(text) => {
            assert_eq!(node.as_str().as_deref(), Some(text.as_str()));
            assert_eq!(node.contents().as_deref(), Some(text.as_str()));
        }
        Value::Number(number) => {
            assert_eq!(node.as_i64(), number.as_i64());
            assert_eq!(node.as_u64(), number.as_u64());
            let (ours, theirs) = (node.as_f64(), number.as_f64());
            assert!(
                ours == theirs || close(ours, theirs),
                "{ours:?} is not {theirs:?}"
            );
        }
        Value::Array(items) => {
            assert_eq!(node.len(), items.len());
            node.items()
                .zip(items)
                .for_each(|(node, value)| compare(&node, value));
            assert!(node.index(items.len()).is_none());
        }
        Value::Object(entries) => {
            assert_eq!(node.len(), entries.len());
            let ours: Vec<_> = node.entries().collect();
            assert_eq!(ours.len(), entries.len());
            for (key, node) in &ours {
                match entries.get(key.as_ref()) {
                    Some(value) => compare(node, value),
                    None => panic!("a key that is not there"),
                }
            }
        }
    }
}

/// serde_json reads some floats one step off the nearest.
fn close(ours: Option<f64>, theirs: Option<f64>) -> bool {
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        return false;
    };
    ours.to_bits().abs_diff(theirs.to_bits()) <= 1
}

/// Pointers lead to the same places, from the outermost value on.
fn follow(root: &Node, mut value: &Value) {
    let mut path = String::new();
    while let Some((token, next)) = last(value) {
        path.push('/');
        path.push_str(&token.replace('~', "~0").replace('/', "~1"));
        let pointer = Pointer::parse(&path);
        let place = pointer.ok().and_then(|pointer| root.pointer(&pointer));
        match place {
            Some(node) => compare(&node, next),
            None => panic!("a pointer leads nowhere"),
        }
        value = next;
    }
}

fn last(value: &Value) -> Option<(Cow<'_, str>, &Value)> {
    match value {
        Value::Array(items) => Some((
            (items.len().checked_sub(1)?).to_string().into(),
            items.last()?,
        )),
        Value::Object(entries) => entries
            .iter()
            .next_back()
            .map(|(key, value)| (key.into(), value)),
        _ => None,
    }
}

/// Reads everything there is.
fn visit(node: &Node, left: &mut usize) {
    let Some(less) = left.checked_sub(1) else {
        return;
    };
    *left = less;
    match node.kind() {
        Kind::Array => node.items().for_each(|it| visit(&it, left)),
        Kind::Object => node.entries().for_each(|(_, it)| visit(&it, left)),
        _ => drop((node.as_str().is_some(), node.as_f64())),
    }
}
