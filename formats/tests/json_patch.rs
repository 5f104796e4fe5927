//! Patches on bytes against the plainest implementation of RFC 6902 on value trees.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use formats::json::Document;
use formats::json::patch::Patch;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// RFC 6902 as the text says it, on a tree, with no thought for bytes.
mod reference {
    use super::{Map, Value};

    pub(super) fn apply(mut document: Value, operations: &[Value]) -> Option<Value> {
        for operation in operations {
            let path = tokens(operation["path"].as_str()?);
            let value = || operation["value"].clone();
            match operation["op"].as_str()? {
                "add" => add(&mut document, &path, value())?,
                "remove" => drop(remove(&mut document, &path)?),
                "replace" => *find(&mut document, &path)? = value(),
                "test" => (*find(&mut document, &path)? == value()).then_some(())?,
                "copy" => {
                    let copied = find(&mut document, &from(operation)?)?.clone();
                    add(&mut document, &path, copied)?;
                }
                _ if from(operation)? == path => drop(find(&mut document, &path)?),
                _ => {
                    let moved = remove(&mut document, &from(operation)?)?;
                    add(&mut document, &path, moved)?;
                }
            }
        }
        Some(document)
    }

    fn from(operation: &Value) -> Option<Vec<String>> {
        Some(tokens(operation["from"].as_str()?))
    }

    fn tokens(path: &str) -> Vec<String> {
        path.split('/')
            .skip(1)
            .map(|t| t.replace("~1", "/").replace("~0", "~"))
            .collect()
    }

    fn place(token: &str) -> Option<usize> {
        let plain = token == "0" || !token.starts_with(['0', '+']);
        if plain { token.parse().ok() } else { None }
    }

    fn find<'v>(value: &'v mut Value, path: &[String]) -> Option<&'v mut Value> {
        path.iter().try_fold(value, |value, token| match value {
            Value::Object(entries) => entries.get_mut(token),
            Value::Array(items) => items.get_mut(place(token)?),
            _ => None,
        })
    }

    fn add(document: &mut Value, path: &[String], value: Value) -> Option<()> {
        let Some((last, parents)) = path.split_last() else {
            *document = value;
            return Some(());
        };
        match find(document, parents)? {
            Value::Object(entries) => drop(entries.insert(last.clone(), value)),
            Value::Array(items) => {
                let at = if last == "-" {
                    items.len()
                } else {
                    place(last)?
                };
                (at <= items.len()).then(|| items.insert(at, value))?;
            }
            _ => return None,
        }
        Some(())
    }

    fn remove(document: &mut Value, path: &[String]) -> Option<Value> {
        let (last, parents) = path.split_last()?;
        match find(document, parents)? {
            Value::Object(entries) => Map::shift_remove(entries, last),
            Value::Array(items) => {
                let at = place(last)?;
                (at < items.len()).then(|| items.remove(at))
            }
            _ => None,
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-c\"\\\\é\n]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ab01]",
        1 => prop_oneof![Just(""), Just("-"), Just("~"), Just("/"), Just("é\""), Just("a/b~c")]
            .prop_map(str::to_owned),
    ]
}

/// Every place in a value, as pointers.
fn places(value: &Value, prefix: &str, found: &mut Vec<String>) {
    found.push(prefix.to_owned());
    let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(entries) => {
            found.push(format!("{prefix}/new"));
            entries
                .iter()
                .for_each(|(k, v)| places(v, &format!("{prefix}/{}", escape(k)), found));
        }
        Value::Array(items) => {
            found.push(format!("{prefix}/-"));
            found.push(format!("{prefix}/{}", items.len()));
            items
                .iter()
                .enumerate()
                .for_each(|(i, v)| places(v, &format!("{prefix}/{i}"), found));
        }
        _ => {}
    }
}

/// A document, and operations that for the most part lead somewhere in it.
fn edits() -> impl Strategy<Value = (Value, Vec<Value>)> {
    value().prop_flat_map(|document| {
        let mut found = Vec::new();
        places(&document, "", &mut found);
        let known = prop::sample::select(found.clone());
        let wild = prop::collection::vec(key(), 0..3).prop_map(|keys| {
            keys.iter().map(|k| format!("/{}", k.replace('~', "~0").replace('/', "~1"))).collect()
        });
        let place = prop_oneof![6 => known.clone(), 2 => (known, key()).prop_map(|(place, key)| {
            format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"))
        }), 1 => wild];
        let names = ["add", "add", "remove", "replace", "move", "copy", "test"];
        let operation = (prop::sample::select(names.to_vec()), place.clone(), place, value())
            .prop_map(|(op, path, from, value)| json!({"op": op, "path": path, "from": from, "value": value}));
        (Just(document), prop::collection::vec(operation, 0..6))
    })
}

/// Runs both; `None` where an implementation refuses, at compile time or at run time.
fn ours(text: &str, operations: &[Value]) -> Option<String> {
    let patch = Patch::parse(&Value::from(operations.to_vec())).ok()?;
    let document = Document::parse(text).unwrap();
    let edited = patch.apply(&document, &[], usize::MAX).ok()?;
    let pieces: Vec<u8> = edited.segments().flatten().copied().collect();
    assert_eq!(pieces, edited.to_vec());
    assert_eq!(pieces.len(), edited.len());
    if edited.is_unchanged() {
        assert_eq!(pieces, text.as_bytes());
    }
    Some(String::from_utf8(pieces).unwrap())
}

/// Operations our compiler refuses whatever the document is, which a tree implementation may get away
/// with: removing the whole document, moving a value into itself.
fn refused_when_compiled(operations: &[Value]) -> bool {
    Patch::parse(&Value::from(operations.to_vec())).is_err()
}

fn text_of(value: &Value, pretty: bool) -> String {
    if pretty {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    }
    .unwrap()
}

/// The text of every value in a document, outermost first.
fn raw_values(document: &Document) -> Vec<String> {
    let mut open = vec![document.root()];
    let mut texts = Vec::new();
    while let Some(node) = open.pop() {
        texts.push(node.raw().to_owned());
        open.extend(node.items());
        open.extend(node.entries().map(|(_, value)| value));
    }
    texts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn the_result_is_what_the_reference_makes_of_it((document, operations) in edits(), pretty: bool) {
        prop_assume!(!refused_when_compiled(&operations));
        let text = text_of(&document, pretty);
        let result = ours(&text, &operations);
        let expected = reference::apply(document, &operations);
        let read = result.as_deref().map(|text| serde_json::from_str::<Value>(text).unwrap());
        prop_assert_eq!(read, expected, "{:?}", result);
    }

    #[test]
    fn what_is_refused_when_compiled_is_refused_for_a_reason((_, operations) in edits()) {
        let inside = |op: &Value| {
            let (from, path) = (op["from"].as_str().unwrap(), op["path"].as_str().unwrap());
            path.starts_with(&format!("{from}/"))
        };
        let bad = operations.iter().any(|op| {
            (op["op"] == "remove" && op["path"] == "") || (op["op"] == "move" && inside(op))
        });
        prop_assert_eq!(refused_when_compiled(&operations), bad);
    }

    /// One value replaced: everything before and after it is as it was, byte for byte.
    #[test]
    fn bytes_around_an_edit_are_untouched(
        document in value(),
        pretty: bool,
        which: prop::sample::Index,
        value in value(),
    ) {
        let text = text_of(&document, pretty);
        let mut found = Vec::new();
        places(&document, "", &mut found);
        found.retain(|place| document.pointer(place).is_some());
        let path = which.get(&found);
        let result = ours(&text, &[json!({"op": "replace", "path": path, "value": value})]).unwrap();
        let new = serde_json::to_string(&value).unwrap();
        let at = Document::parse(text.as_str()).unwrap();
        let at = at.root().pointer(&formats::json::Pointer::parse(path).unwrap()).unwrap();
        let possible = text.match_indices(at.raw()).any(|(start, old)| {
            result == format!("{}{new}{}", &text[..start], &text[start + old.len()..])
        });
        prop_assert!(possible, "{} -> {}", text, result);
    }

    /// Every value that survives keeps its spelling: its text is one of the old texts or of the new.
    #[test]
    fn numbers_keep_their_spelling(
        numbers in prop::collection::vec("-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?", 1..6),
        at: prop::sample::Index,
        op in prop::sample::select(vec!["add", "remove", "replace"]),
    ) {
        let text = format!("[ {} ]", numbers.join(" ,\n"));
        let path = format!("/{}", at.index(numbers.len()));
        let result = ours(&text, &[json!({"op": op, "path": path, "value": "new"})]).unwrap();
        let mut expected = numbers;
        match op {
            "add" => expected.insert(path[1..].parse().unwrap(), "\"new\"".into()),
            "remove" => drop(expected.remove(path[1..].parse().unwrap())),
            _ => expected[path[1..].parse::<usize>().unwrap()] = "\"new\"".into(),
        }
        let mut texts = raw_values(&Document::parse(result).unwrap());
        texts.remove(0);
        texts.reverse();
        prop_assert_eq!(texts, expected);
    }

    #[test]
    fn wild_pointers_never_panic(text in ".{0,20}", path in "[/~01ab\\-]{0,8}", op in "add|remove|replace|move|copy|test") {
        let operation = json!({"op": op, "path": path, "from": path, "value": 1});
        if let Ok(patch) = Patch::parse(&json!([operation]))
            && let Ok(document) = Document::parse(text.as_str())
        {
            let _ = patch.apply(&document, &[], 1000);
        }
    }
}
