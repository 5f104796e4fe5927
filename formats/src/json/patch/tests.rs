//! What each operation does to the bytes, and what is refused.

use serde_json::{Value, json};

use super::{Operation, Patch, PatchErrorKind, ValueSlot};
use crate::json::Document;

fn try_patch(text: &str, operations: serde_json::Value) -> Result<String, (usize, PatchErrorKind)> {
    let patch = Patch::parse(&operations).unwrap();
    let document = Document::parse(text).unwrap();
    let edited = patch
        .apply(&document, &[], usize::MAX)
        .map_err(|e| (e.operation, e.kind))?;
    assert_eq!(edited.len(), edited.to_vec().len());
    Ok(String::from_utf8(edited.to_vec()).unwrap())
}

fn patched(text: &str, operations: serde_json::Value) -> String {
    try_patch(text, operations).unwrap()
}

fn error(text: &str, operation: serde_json::Value) -> PatchErrorKind {
    try_patch(text, json!([operation])).unwrap_err().1
}

#[test]
fn a_replaced_value_leaves_every_other_byte_alone() {
    let text = " { \"n\":1.50 ,\"model\" : \"a\",\n\t\"x\":[1e400, -0 ] } \n";
    let result = patched(
        text,
        json!([{"op": "replace", "path": "/model", "value": "b"}]),
    );
    assert_eq!(result, text.replace("\"a\"", "\"b\""));
}

#[test]
fn an_added_key_goes_to_the_end_in_the_style_of_its_neighbour() {
    let add = json!([{"op": "add", "path": "/b", "value": 2}]);
    assert_eq!(patched("{}", add.clone()), r#"{"b":2}"#);
    assert_eq!(patched(r#"{"a":1}"#, add.clone()), r#"{"a":1,"b":2}"#);
    assert_eq!(
        patched(r#"{"a": 1, "c": 3}"#, add.clone()),
        r#"{"a": 1, "c": 3, "b": 2}"#
    );
    assert_eq!(
        patched("{\n  \"a\": 1,\n  \"c\": 3\n}", add.clone()),
        "{\n  \"a\": 1,\n  \"c\": 3,\n  \"b\": 2\n}"
    );
    assert_eq!(patched(r#"{"b" : 1,"c":3}"#, add), r#"{"b" : 2,"c":3}"#);
}

#[test]
fn a_removed_member_takes_one_comma_with_it() {
    let remove = |path: &str| json!([{"op": "remove", "path": path}]);
    assert_eq!(
        patched(r#"{"a":1, "b":2, "c":3}"#, remove("/a")),
        r#"{ "b":2, "c":3}"#
    );
    assert_eq!(
        patched(r#"{"a":1, "b":2, "c":3}"#, remove("/b")),
        r#"{"a":1, "c":3}"#
    );
    assert_eq!(
        patched("{\n \"a\":1,\n \"b\":2\n}", remove("/b")),
        "{\n \"a\":1\n}"
    );
    assert_eq!(patched(r#"{"a":1}"#, remove("/a")), "{}");
    assert_eq!(patched("[1,2,3]", remove("/2")), "[1,2]");
    assert_eq!(
        patched(r#"{"a":1,"b":2,"\u0061":3}"#, remove("/a")),
        r#"{"b":2}"#
    );
}

#[test]
fn items_are_inserted_where_they_are_wanted_and_later_ones_shift() {
    let add = |path: &str| json!([{"op": "add", "path": path, "value": 9}]);
    assert_eq!(patched("[1, 2, 3]", add("/0")), "[9,1, 2, 3]");
    assert_eq!(patched("[1, 2, 3]", add("/1")), "[1, 9, 2, 3]");
    assert_eq!(patched("[1, 2, 3]", add("/3")), "[1, 2, 3, 9]");
    assert_eq!(patched("[1, 2, 3]", add("/-")), "[1, 2, 3, 9]");
    assert_eq!(patched("[\n 1\n]", add("/-")), "[\n 1,\n 9\n]");
    assert_eq!(patched("[]", add("/-")), "[9]");
    assert_eq!(patched("[ ]", add("/0")), "[9 ]");
}

#[test]
fn later_operations_see_what_earlier_ones_did() {
    let operations = json!([
        {"op": "add", "path": "/messages/0", "value": {"role": "system", "content": ""}},
        {"op": "replace", "path": "/messages/0/content", "value": "be brief"},
        {"op": "test", "path": "/messages/1/role", "value": "user"},
        {"op": "add", "path": "/messages/0/name", "value": "x"},
        {"op": "move", "from": "/messages/0/name", "path": "/name"},
        {"op": "copy", "from": "/messages/1", "path": "/messages/-"},
        {"op": "remove", "path": "/messages/2/content"},
    ]);
    let result = patched(
        r#"{"messages":[{"role":"user","content":"Hi"}]}"#,
        operations,
    );
    assert_eq!(
        result,
        r#"{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"Hi"},{"role":"user"}],"name":"x"}"#
    );
}

#[test]
fn slots_are_filled_with_the_callers_text_and_checked() {
    let slot = |n| Some(ValueSlot::Slot(n));
    let patch = Patch::compile(&[
        Operation {
            op: "add",
            path: "/a",
            value: slot(1),
            ..Operation::default()
        },
        Operation {
            op: "add",
            path: "/b",
            value: slot(0),
            ..Operation::default()
        },
        Operation {
            op: "add",
            path: "/b/0",
            value: slot(1),
            ..Operation::default()
        },
    ])
    .unwrap();
    let document = Document::parse("{}").unwrap();
    let apply = |values: &[&str]| {
        let values: Vec<String> = values.iter().map(|&value| value.to_owned()).collect();
        let edited = patch
            .apply(&document, &values, usize::MAX)
            .map_err(|e| e.kind)?;
        Ok(String::from_utf8(edited.to_vec()).unwrap())
    };
    assert_eq!(
        apply(&[" [ 1.0] ", "1e400\n"]).unwrap(),
        r#"{"a":1e400,"b":[ 1e400, 1.0]}"#
    );
    assert_eq!(apply(&["[]"]), Err(PatchErrorKind::MissingValue));
    assert_eq!(
        apply(&["[]", "1, \"evil\": 2"]),
        Err(PatchErrorKind::InvalidValue)
    );
}

#[test]
fn the_whole_document_can_be_replaced_and_looked_at() {
    assert_eq!(
        patched(
            " {\"a\":1} ",
            json!([{"op": "replace", "path": "", "value": 7}])
        ),
        " 7 "
    );
    assert_eq!(
        patched(
            "1",
            json!([{"op": "add", "path": "", "value": []}, {"op": "add", "path": "/-", "value": 1}])
        ),
        "[1]"
    );
    assert_eq!(
        patched(
            r#"{"a":1}"#,
            json!([{"op": "copy", "from": "", "path": "/b"}])
        ),
        r#"{"a":1,"b":{"a":1}}"#
    );
    assert_eq!(
        patched(
            r#"{"a":[1]}"#,
            json!([{"op": "move", "from": "/a", "path": ""}])
        ),
        "[1]"
    );
}

#[test]
fn moving_to_the_same_place_changes_nothing_but_needs_the_place() {
    let same = json!({"op": "move", "from": "/a", "path": "/a"});
    assert_eq!(
        patched(r#"{"a":1,"b":2}"#, json!([same])),
        r#"{"a":1,"b":2}"#
    );
    assert_eq!(error("{}", same), PatchErrorKind::NotFound);
}

#[test]
fn tests_compare_meaning_not_spelling() {
    let test = |value| json!([{"op": "test", "path": "/v", "value": value}]);
    for (text, value) in [
        (r#"{"v":1.0}"#, json!(1)),
        (r#"{"v":10e-1}"#, json!(1)),
        (r#"{"v":-0.0}"#, json!(0)),
        (r#"{"v":"\u0041"}"#, json!("A")),
        (
            r#"{"v":{"a":[1],"b":null}}"#,
            json!({"b": null, "a": [1.0]}),
        ),
    ] {
        assert_eq!(patched(text, test(value)), text);
    }
    for (text, value) in [
        (
            r#"{"v":9007199254740993}"#,
            json!(9_007_199_254_740_992_u64),
        ),
        (r#"{"v":"1"}"#, json!(1)),
        (r#"{"v":[1,2]}"#, json!([2, 1])),
        (r#"{"v":{"a":1}}"#, json!({"a": 1, "b": 2})),
        (r#"{"v":{"a":1}}"#, json!({"b": 1})),
        (r#"{"v":null}"#, json!(false)),
        (r#"{"v":{"a":9,"a":1}}"#, json!({"a": 1})),
        (r#"{"v":[{"a":1,"\u0061":1}]}"#, json!([{"a": 1}])),
        (r#"{"v":9,"v":1}"#, json!(1)),
        (r#"{"v":1,"\u0076":1}"#, json!(1)),
    ] {
        assert_eq!(
            try_patch(text, test(value)),
            Err((0, PatchErrorKind::TestFailed)),
            "{text}"
        );
    }
}

#[test]
fn whoever_takes_the_first_of_repeated_keys_finds_what_was_written() {
    let text = r#"{"a":1,"m":{"x":1,"x":2},"b":0,"a":2,"m":{"y":1,"y":2,"z":3}}"#;
    let once = r#"{"b":0,"a":2,"m":{"y":1,"y":2,"z":3}}"#;
    for (operation, expected) in [
        (
            json!({"op": "add", "path": "/a", "value": 7}),
            once.replace("\"a\":2", "\"a\":7"),
        ),
        (
            json!({"op": "replace", "path": "/a", "value": 7}),
            once.replace("\"a\":2", "\"a\":7"),
        ),
        (
            json!({"op": "remove", "path": "/a"}),
            once.replace("\"a\":2,", ""),
        ),
        (
            json!({"op": "add", "path": "/c", "value": 7}),
            once.replace("3}}", "3},\"c\":7}"),
        ),
        (
            json!({"op": "replace", "path": "/m/z", "value": 7}),
            once.replace("\"y\":1,", "").replace("3}", "7}"),
        ),
        (
            json!({"op": "move", "from": "/a", "path": "/b"}),
            once.replace("\"b\":0,\"a\":2", "\"b\":2"),
        ),
        (
            json!({"op": "move", "from": "/a", "path": "/a"}),
            once.to_owned(),
        ),
        (
            json!({"op": "copy", "from": "/m/y", "path": "/b"}),
            once.replace("\"b\":0", "\"b\":2"),
        ),
    ] {
        assert_eq!(patched(text, json!([operation])), expected, "{operation}");
    }
    let test =
        |path: &str, value: Value| error(text, json!({"op": "test", "path": path, "value": value}));
    assert_eq!(test("/a", json!(2)), PatchErrorKind::TestFailed);
    assert_eq!(test("/m/z", json!(3)), PatchErrorKind::TestFailed);
    let settled = json!([
        {"op": "replace", "path": "/a", "value": 7},
        {"op": "test", "path": "/a", "value": 7},
        {"op": "test", "path": "/m/z", "value": 3},
    ]);
    assert_eq!(patched(text, settled), once.replace("\"a\":2", "\"a\":7"));
    let harmless = json!([{"op": "test", "path": "/b", "value": 0}]);
    assert_eq!(patched(text, harmless), text);
}

#[test]
fn places_beyond_every_reader_can_be_written() {
    let depth = 300;
    let text = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let path = "/a".repeat(depth);
    let operations = json!([{"op": "replace", "path": path, "value": 2}]);
    assert_eq!(patched(&text, operations), text.replace('1', "2"));
    let test = json!({"op": "test", "path": "/a", "value": {}});
    assert_eq!(error(&text, test), PatchErrorKind::TestFailed);
}

#[test]
fn what_is_not_there_is_a_typed_error() {
    use PatchErrorKind::*;
    let text = r#"{"a":[1,2],"s":"x"}"#;
    assert_eq!(error(text, json!({"op": "remove", "path": "/x"})), NotFound);
    assert_eq!(
        error(text, json!({"op": "replace", "path": "/x", "value": 1})),
        NotFound
    );
    assert_eq!(
        error(text, json!({"op": "add", "path": "/x/y", "value": 1})),
        NotFound
    );
    assert_eq!(
        error(text, json!({"op": "add", "path": "/a/3", "value": 1})),
        NotFound
    );
    assert_eq!(
        error(text, json!({"op": "remove", "path": "/a/2"})),
        NotFound
    );
    assert_eq!(
        error(text, json!({"op": "remove", "path": "/a/-"})),
        NotFound
    );
    assert_eq!(
        error(text, json!({"op": "copy", "from": "/q", "path": "/r"})),
        NotFound
    );
    assert_eq!(
        error(text, json!({"op": "add", "path": "/s/0", "value": 1})),
        NotAContainer
    );
    assert_eq!(
        error(text, json!({"op": "add", "path": "/a/01", "value": 1})),
        InvalidIndex
    );
    assert_eq!(
        error(text, json!({"op": "add", "path": "/a/x", "value": 1})),
        InvalidIndex
    );
    assert_eq!(
        error(text, json!({"op": "test", "path": "/a/-1", "value": 1})),
        InvalidIndex
    );
}

#[test]
fn a_dash_is_an_ordinary_key_of_an_object() {
    let operations =
        json!([{"op": "add", "path": "/-", "value": 1}, {"op": "test", "path": "/-", "value": 1}]);
    assert_eq!(patched("{}", operations), r#"{"-":1}"#);
}

#[test]
fn a_patch_that_copies_its_copies_stops_at_the_limit() {
    let double = json!({"op": "copy", "from": "/a", "path": "/a/-"});
    let patch = Patch::parse(&json!(vec![double; 64])).unwrap();
    let document = Document::parse(r#"{"a":["0123456789"]}"#).unwrap();
    let error = patch.apply(&document, &[], 4096).unwrap_err();
    assert_eq!(error.kind, PatchErrorKind::TooLarge);
    assert!(error.operation < 16, "{}", error.operation);
    let tight = document.text().len() - 1;
    assert_eq!(
        patch.apply(&document, &[], tight).unwrap_err().kind,
        PatchErrorKind::TooLarge
    );
}

#[test]
fn moving_is_not_growth() {
    let patch = Patch::parse(&json!([{"op": "move", "from": "/a", "path": "/b"}])).unwrap();
    let document = Document::parse(r#"{"a":"0123456789"}"#).unwrap();
    assert!(patch.apply(&document, &[], document.text().len()).is_ok());
}

#[test]
fn one_edit_in_a_large_array_is_a_handful_of_segments() {
    let items = vec![r#"{"role":"user","content":"hello"}"#; 1000].join(", ");
    let document = Document::parse(format!("{{\"messages\": [{items}], \"n\": 1}}")).unwrap();
    let operations = json!([
        {"op": "replace", "path": "/messages/500/content", "value": "x"},
        {"op": "test", "path": "/messages/3/role", "value": "user"},
    ]);
    let patch = Patch::parse(&operations).unwrap();
    let edited = patch.apply(&document, &[], usize::MAX).unwrap();
    assert_eq!(edited.segments().count(), 3);
    assert!(!edited.is_unchanged());
}

#[test]
fn a_patch_that_only_tests_leaves_the_document_unchanged() {
    let document = Document::parse(" {\"a\" : {\"b\":[1 , 2]} } ").unwrap();
    let patch = Patch::parse(&json!([{"op": "test", "path": "/a/b/1", "value": 2}])).unwrap();
    let edited = patch.apply(&document, &[], usize::MAX).unwrap();
    assert!(edited.is_unchanged());
    assert_eq!(edited.to_vec(), document.text().as_bytes());
    let empty = Patch::parse(&json!([])).unwrap();
    assert!(
        empty.is_empty()
            && empty
                .apply(&document, &[], usize::MAX)
                .unwrap()
                .is_unchanged()
    );
}

#[test]
fn every_fault_of_a_patch_is_reported_with_its_place() {
    let faults = Patch::parse(&json!([
        {"op": "add", "path": "a"},
        7,
        {"op": "put", "path": "/a"},
        {"op": "remove", "path": ""},
        {"op": "move", "path": "/a/b", "from": "/a"},
        {"op": "copy", "path": "/a~2", "from": 1},
        {"path": "/a"},
        {"op": "remove", "path": "/fine", "value": "ignored"},
    ]))
    .unwrap_err();
    let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let start = |n: usize, place: &str| assert!(shown[n].starts_with(place), "{n}: {shown:#?}");
    start(0, "operation 0, `path`: a JSON Pointer must");
    start(1, "operation 0, `value`: the operation needs");
    start(2, "operation 1: an operation must be an object");
    start(3, "operation 2, `op`: unknown operation; the known ones");
    start(4, "operation 3, `path`: the whole document");
    start(
        5,
        "operation 4, `from`: a value cannot be moved into itself",
    );
    start(6, "operation 5, `from`: must be a string");
    start(7, "operation 5, `path`: in a JSON Pointer, `~`");
    start(8, "operation 6, `op`: the operation needs");
    assert_eq!(shown.len(), 9);
    assert!(
        Patch::parse(&json!({})).unwrap_err()[0]
            .to_string()
            .contains("must be a list")
    );
}

#[test]
fn a_constant_that_is_not_json_is_refused_when_compiled() {
    let value = Some(ValueSlot::Const("{\n\"a\" 1}".into()));
    let faults = Patch::compile(&[Operation {
        op: "add",
        path: "/a",
        value,
        from: None,
    }])
    .unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        "operation 0, `value`: not JSON: expected `:` after an object key at line 2 column 5"
    );
}

#[test]
fn operations_that_are_not_wanted_are_not_there() {
    let patch = json!([
        {"op": "test", "path": "/a", "value": 2},
        {"op": "remove", "path": "/missing"},
        {"op": "add", "path": "/b", "value": 3},
    ]);
    let patch = Patch::parse(&patch).unwrap();
    let document = Document::parse(r#"{"a": 1}"#).unwrap();
    let apply = |wanted: fn(usize) -> bool| {
        let edited = patch.apply_those(&document, &[], 100, wanted);
        edited.map(|edited| {
            edited
                .segments()
                .map(<[u8]>::to_vec)
                .collect::<Vec<_>>()
                .concat()
        })
    };
    assert_eq!(
        apply(|operation| operation == 2).unwrap(),
        br#"{"a": 1,"b": 3}"#
    );
    assert_eq!(apply(|_| false).unwrap(), br#"{"a": 1}"#);
    assert_eq!(apply(|operation| operation == 1).unwrap_err().operation, 1);
}
