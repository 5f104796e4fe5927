use proptest::prelude::*;
use serde_json::Value;

use super::*;

const LIMIT: usize = 1 << 20;

fn document(text: &str) -> Document {
    Document::parse(text).unwrap()
}

fn merged(target: &str, patch: &str) -> String {
    merge(&document(target), &document(patch), LIMIT).unwrap()
}

#[test]
fn setting_a_value_keeps_the_bytes_around_it() {
    for (text, pointer, value, edited) in [
        (
            r#"{"a": 1,  "b":1.50}"#,
            "/a",
            "2",
            r#"{"a": 2,  "b":1.50}"#,
        ),
        (r#"{"a":1}"#, "/b", r#""x""#, r#"{"a":1,"b":"x"}"#),
        ("{}", "/a", "[1,2]", r#"{"a":[1,2]}"#),
        ("[1, 2]", "/0", "9", "[9, 2]"),
        ("[1,2]", "/-", "3", "[1,2,3]"),
        ("[1,2]", "/2", "3", "[1,2,3]"),
        (r#"{"a/b":{"~":1}}"#, "/a~1b/~0", "2", r#"{"a/b":{"~":2}}"#),
        ("1", "", "2", "2"),
        (
            r#"{"n":12345678901234567890123}"#,
            "/m",
            "1e400",
            r#"{"n":12345678901234567890123,"m":1e400}"#,
        ),
    ] {
        assert_eq!(
            set(&document(text), pointer, value.to_owned(), LIMIT).as_deref(),
            Ok(edited)
        );
    }
}

#[test]
fn a_value_needs_a_place_to_be() {
    for (text, pointer, value, fault) in [
        ("{}", "a", "1", Fault::BadPointer),
        ("{}", "/~2", "1", Fault::BadPointer),
        ("{}", "/a/b", "1", Fault::NoSuchPlace),
        ("[]", "/1", "1", Fault::NoSuchPlace),
        ("[]", "/x", "1", Fault::NoSuchPlace),
        ("1", "/a", "1", Fault::NoSuchPlace),
        ("{}", "/a", "x", Fault::NotJson),
        ("{}", "/a", "", Fault::NotJson),
    ] {
        let result = set(&document(text), pointer, value.to_owned(), LIMIT);
        assert_eq!(result, Err(fault), "{text} {pointer} {value}");
    }
}

#[test]
fn removing_what_is_not_there_changes_nothing() {
    for (text, pointer, edited) in [
        (r#"{"a":1,"b":2}"#, "/a", Ok(r#"{"b":2}"#)),
        (r#"{"a":1}"#, "/a", Ok("{}")),
        (" [1, 2] ", "/5", Ok(" [1, 2] ")),
        (r#"{ "a" : 1 }"#, "/b/c", Ok(r#"{ "a" : 1 }"#)),
        ("[1,2,3]", "/1", Ok("[1,3]")),
        ("{}", "", Err(Fault::WholeDocument)),
        ("{}", "b", Err(Fault::BadPointer)),
    ] {
        let result = remove(&document(text), pointer, LIMIT);
        assert_eq!(result.as_deref(), edited.as_deref(), "{text} {pointer}");
    }
}

/// The examples of RFC 7386, appendix A.
#[test]
fn merging_does_what_rfc_7386_says() {
    for (target, patch, result) in [
        (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
        (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
        (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
        (
            r#"{"a":{"b":"c"}}"#,
            r#"{"a":{"b":"d","c":null}}"#,
            r#"{"a":{"b":"d"}}"#,
        ),
        (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
        (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
        (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
        (r#"{"a":"foo"}"#, "null", "null"),
        (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
        (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
        ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
        ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
    ] {
        assert_eq!(merged(target, patch), result, "{target} {patch}");
    }
}

#[test]
fn merging_keeps_the_bytes_it_does_not_touch() {
    assert_eq!(
        merged(
            r#"{ "big": 1.0e2, "o": {"x":1,  "y":2} }"#,
            r#"{"o":{"x":3}}"#
        ),
        r#"{ "big": 1.0e2, "o": {"x":3,  "y":2} }"#
    );
    assert_eq!(merged(r#" {"a":1} "#, "{}"), r#" {"a":1} "#);
}

#[test]
fn a_result_above_the_limit_is_refused() {
    let text = document(r#"{"a":1}"#);
    assert_eq!(
        set(&text, "/a", "22222222".to_owned(), 10),
        Err(Fault::TooLarge)
    );
    assert_eq!(remove(&text, "/b", 3), Err(Fault::TooLarge));
    assert_eq!(
        merge(&text, &document(r#"{"b":"xxxxxxxx"}"#), 10),
        Err(Fault::TooLarge)
    );
}

#[test]
fn a_merge_of_many_members_into_many_takes_no_more_than_both() {
    let object = |prefix: &str, members: usize| {
        let members: Vec<_> = (0..members)
            .map(|n| format!("\"{prefix}\\u006b{n}\":{n}"))
            .collect();
        format!("{{{}}}", members.join(","))
    };
    let prefix = "p".repeat(200);
    let (large, small) = (object(&prefix, 30_000), object(&prefix, 20_000));
    let merged =
        |target: &str, patch: &str| merge(&document(target), &document(patch), usize::MAX).unwrap();
    assert_eq!(merged(&large, &small), large);
    let nested = |inner: &str| format!("{{\"{}\":{inner}}}", "q".repeat(200_000));
    assert_eq!(merged(&nested(&large), &nested(&small)), nested(&large));
}

#[test]
fn a_write_leaves_each_key_once() {
    let twice = r#"{"n":9,"a":{"b":1,"b":2},"\u006e":1,"c":3}"#;
    let set = |pointer: &str| set(&document(twice), pointer, "5".to_owned(), LIMIT);
    assert_eq!(
        set("/n").unwrap(),
        r#"{"a":{"b":1,"b":2},"\u006e":5,"c":3}"#
    );
    assert_eq!(set("/a/b").unwrap(), r#"{"a":{"b":5},"\u006e":1,"c":3}"#);
    assert_eq!(
        set("/x").unwrap(),
        r#"{"a":{"b":1,"b":2},"\u006e":1,"c":3,"x":5}"#
    );
    assert_eq!(
        remove(&document(twice), "/n", LIMIT).unwrap(),
        r#"{"a":{"b":1,"b":2},"c":3}"#
    );
    assert_eq!(merged(twice, r#"{"n":4,"n":5}"#), set("/n").unwrap());
    assert_eq!(merged(twice, r#"{"a":{"b":5}}"#), set("/a/b").unwrap());
    assert_eq!(
        merged(twice, r#"{"n":null}"#),
        r#"{"a":{"b":1,"b":2},"c":3}"#
    );
    assert_eq!(merged("{}", r#"{"x":{"y":1,"y":2}}"#), r#"{"x":{"y":2}}"#);
}

#[test]
fn a_merge_patch_may_nest_as_deep_as_documents_are_read() {
    let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let deepest = nested(formats::json::MAX_DEPTH);
    assert_eq!(merged("{}", &deepest), deepest);
    assert_eq!(merged(&deepest, &deepest), deepest);
    let deeper = nested(formats::json::MAX_DEPTH + 1);
    for target in ["{}", &deeper] {
        let result = merge(&document(target), &document(&deeper), LIMIT);
        assert_eq!(result, Err(Fault::JsonTooDeep));
    }
}

/// JSON of a few levels, with keys that need escapes in pointers.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a\"é]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[ab/~]{0,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// RFC 7386, section 2, as it is written there.
fn reference(target: Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch;
    };
    let mut target = match target {
        Value::Object(target) => target,
        _ => serde_json::Map::new(),
    };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(&key);
        } else {
            let before = target.remove(&key).unwrap_or(Value::Null);
            target.insert(key, reference(before, value));
        }
    }
    Value::Object(target)
}

proptest! {
    #[test]
    fn merging_agrees_with_the_algorithm_of_the_rfc(target in json(), patch in json()) {
        let result = merged(&target.to_string(), &patch.to_string());
        prop_assert_eq!(serde_json::from_str::<Value>(&result).unwrap(), reference(target, patch));
    }

    #[test]
    fn what_was_set_can_be_read_and_removed(target in json(), value in json(), key in "[ab]{1,2}") {
        let text = target.to_string();
        let pointer = format!("/{key}");
        if let Ok(edited) = set(&document(&text), &pointer, value.to_string(), LIMIT) {
            let edited: Value = serde_json::from_str(&edited).unwrap();
            prop_assert_eq!(edited.pointer(&pointer), Some(&value));
            let removed = remove(&document(&edited.to_string()), &pointer, LIMIT).unwrap();
            let removed: Value = serde_json::from_str(&removed).unwrap();
            prop_assert_eq!(removed.pointer(&pointer), None);
        }
    }

    #[test]
    fn any_pointer_gives_text_or_a_fault(target in json(), pointer in "[/~01ab-]{0,6}") {
        let text = target.to_string();
        let _ = set(&document(&text), &pointer, "1".to_owned(), LIMIT);
        let _ = remove(&document(&text), &pointer, LIMIT);
    }
}
