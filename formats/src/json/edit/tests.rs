//! What edits do to the text around them, and which are refused.

use super::{EditError, Edits};
use crate::json::{Document, Kind, MAX_DEPTH, Node, Pointer};

fn edited(text: &str, edit: impl FnOnce(&mut Edits<'_>, &Node) -> Result<(), EditError>) -> String {
    let document = Document::parse(text).unwrap();
    let mut edits = Edits::new(&document);
    edit(&mut edits, &document.root()).unwrap();
    String::from_utf8(edits.finish().to_vec()).unwrap()
}

fn at(root: &Node, pointer: &str) -> Node {
    root.pointer(&Pointer::parse(pointer).unwrap()).unwrap()
}

#[test]
fn a_value_is_replaced_where_it_stands() {
    let text = "{ \"model\" : \"fast\" ,\n\"n\": 1.50}";
    let edit =
        |edits: &mut Edits<'_>, root: &Node| edits.replace(&at(root, "/model"), " \"slow\" ");
    assert_eq!(edited(text, edit), "{ \"model\" : \"slow\" ,\n\"n\": 1.50}");
}

#[test]
fn members_go_with_their_commas() {
    for (text, pointer, expected) in [
        ("{\"a\": 1, \"b\": 2}", "/a", "{ \"b\": 2}"),
        ("{\"a\": 1, \"b\": 2 }", "/b", "{\"a\": 1 }"),
        ("[ 1 , 2 , 3 ]", "/1", "[ 1 , 3 ]"),
        ("[1]", "/0", "[]"),
        ("{ \"a\": [1] }", "/a", "{ }"),
    ] {
        let edit = |edits: &mut Edits<'_>, root: &Node| edits.remove(&at(root, pointer));
        assert_eq!(edited(text, edit), expected);
    }
}

#[test]
fn new_members_are_set_like_their_neighbours() {
    let set = |edits: &mut Edits<'_>, root: &Node| {
        edits.set(root, "z", "1")?;
        edits.set_first(root, "a\"", "2")
    };
    let object = "{\n  \"m\": 0,\n  \"n\": 0\n}";
    let expected = "{\n  \"a\\\"\": 2,\n  \"m\": 0,\n  \"n\": 0,\n  \"z\": 1\n}";
    assert_eq!(edited(object, set), expected);
    assert_eq!(edited("{}", set), "{\"a\\\"\":2,\"z\":1}");
    let push = |edits: &mut Edits<'_>, root: &Node| {
        edits.insert(root, 0, "0")?;
        edits.push(root, "8")?;
        edits.push(root, "9")
    };
    assert_eq!(
        edited("[\n 1,\n 2\n]", push),
        "[\n 0,\n 1,\n 2,\n 8,\n 9\n]"
    );
    assert_eq!(edited("[]", push), "[0,8,9]");
}

#[test]
fn the_last_edit_of_a_value_counts_and_takes_what_is_inside_along() {
    let text = r#"{"a": {"b": 1}, "c": "text"}"#;
    let edit = |edits: &mut Edits<'_>, root: &Node| {
        edits.remove(&at(root, "/a"))?;
        edits.replace(&at(root, "/a/b"), "2")?;
        edits.set(&at(root, "/a"), "d", "3")?;
        edits.replace(&at(root, "/a"), "4")?;
        edits.replace(&at(root, "/c"), "5")?;
        edits.rewrite(&at(root, "/c"), 0..1, "x")
    };
    assert_eq!(edited(text, edit), r#"{"a": 4, "c": 5}"#);
    let edit = |edits: &mut Edits<'_>, root: &Node| {
        edits.remove(&at(root, "/a"))?;
        edits.set(root, "a", "1")?;
        edits.set(root, "e", "1")?;
        edits.set_first(root, "e", "2")
    };
    assert_eq!(edited(text, edit), r#"{"a": 1, "c": "text", "e": 2}"#);
}

#[test]
fn objects_on_the_way_hold_each_key_once() {
    let text =
        r#"{"a": {"k": "secret", "k": "b"}, "a": {"k": "secret", "k": "b"}, "z": {"y":1,"y":2}}"#;
    let edit = |edits: &mut Edits<'_>, root: &Node| edits.replace(&at(root, "/a/k"), "\"c\"");
    assert_eq!(
        edited(text, edit),
        r#"{ "a": { "k": "c"}, "z": {"y":1,"y":2}}"#
    );
}

#[test]
fn contents_are_rewritten_and_the_rest_keeps_its_spelling() {
    let text = r#"["caf\u00e9 \ud83d\ude00 \/ end"]"#;
    let document = Document::parse(text).unwrap();
    let string = document.root().index(0).unwrap();
    let contents = string.contents().unwrap();
    assert_eq!(&*contents, "café 😀 / end");
    let place = |part: &str| {
        let start = contents.find(part).unwrap();
        start..start + part.len()
    };
    let mut edits = Edits::new(&document);
    // In any order.
    edits.rewrite(&string, place("😀"), "\"smile\"").unwrap();
    edits.rewrite(&string, 0..0, "A ").unwrap();
    edits.rewrite(&string, 0..0, "B ").unwrap();
    edits.rewrite(&string, place("c"), "k").unwrap();
    edits
        .rewrite(&string, contents.len()..contents.len(), "\n")
        .unwrap();
    let result = edits.finish().to_vec();
    let expected = r#"["A B kaf\u00e9 \"smile\" \/ end\n"]"#;
    assert_eq!(String::from_utf8(result).unwrap(), expected);
}

#[test]
fn halves_of_a_surrogate_pair_do_not_find_each_other() {
    let text = r#"["x\ud83dab\ude00y"]"#;
    let rewrite = |parts: &'static [(usize, usize, &'static str)]| {
        edited(text, move |edits, root| {
            let string = at(root, "/0");
            parts
                .iter()
                .try_for_each(|&(from, to, text)| edits.rewrite(&string, from..to, text))
        })
    };
    // A half reads as U+FFFD, which is three bytes.
    assert_eq!(rewrite(&[(4, 6, "")]), r#"["x\ufffd\ude00y"]"#);
    assert_eq!(
        rewrite(&[(4, 5, ""), (5, 6, ""), (6, 6, "")]),
        r#"["x\ufffd\ude00y"]"#
    );
    assert_eq!(rewrite(&[(4, 6, "-")]), r#"["x\ud83d-\ude00y"]"#);
    assert_eq!(rewrite(&[(1, 6, "")]), r#"["x\ude00y"]"#);
}

#[test]
fn what_cannot_be_edited_is_refused_and_changes_nothing() {
    let document = Document::parse(r#"{"a": [1, "é"], "b": {}}"#).unwrap();
    let root = document.root();
    let other = Document::parse("{\"a\": 1}").unwrap().root();
    let mut edits = Edits::new(&document);
    let text = at(&root, "/a/1");
    use EditError::*;
    for (outcome, error) in [
        (edits.remove(&root), RootRemoved),
        (edits.remove(&other), OtherDocument),
        (edits.replace(&other, "1"), OtherDocument),
        (edits.set(&other, "a", "1"), OtherDocument),
        (edits.replace(&root, "{"), InvalidValue),
        (edits.replace(&root, "1, 2"), InvalidValue),
        (edits.replace(&root, ""), InvalidValue),
        (edits.insert(&at(&root, "/a"), 3, "1"), OutOfRange),
        (edits.insert(&root, 0, "1"), WrongKind),
        (edits.set(&at(&root, "/a"), "a", "1"), WrongKind),
        (edits.rewrite(&at(&root, "/a/0"), 0..1, ""), WrongKind),
        (edits.rewrite(&text, 0..1, ""), OutOfRange),
        (edits.rewrite(&text, 0..3, ""), OutOfRange),
    ] {
        assert_eq!(outcome, Err(error));
    }
    assert!(edits.finish().is_unchanged());
    let mut edits = Edits::new(&document);
    edits.rewrite(&text, 0..2, "e").unwrap();
    assert_eq!(edits.rewrite(&text, 0..2, "x"), Err(Overlap));
    assert_eq!(
        edits.finish().to_vec(),
        r#"{"a": [1, "e"], "b": {}}"#.as_bytes()
    );
}

#[test]
fn what_nests_too_deeply_can_only_go_as_a_whole() {
    let text = format!("{}{}", "[".repeat(MAX_DEPTH + 2), "]".repeat(MAX_DEPTH + 2));
    let document = Document::parse(text).unwrap();
    let mut node = document.root();
    while let Some(below) = node.index(0) {
        node = below;
    }
    assert_eq!((node.kind(), node.is_too_deep()), (Kind::Array, true));
    let mut edits = Edits::new(&document);
    assert_eq!(edits.push(&node, "1"), Err(EditError::TooDeep));
    edits.replace(&node, "1").unwrap();
    let expected = format!("{}1{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert_eq!(edits.finish().to_vec(), expected.as_bytes());
}

/// Twice as many edits take about twice as long: an edit costs a search, not a pass.
#[test]
fn many_edits_cost_what_they_write() {
    let time = |count: usize| {
        let message =
            r#"{"role":"user","content":"mail ann@example.com and bob@example.com, ok?"}"#;
        let document = Document::parse(format!("[{}]", vec![message; count].join(","))).unwrap();
        let root = document.root();
        let start = std::time::Instant::now();
        let mut edits = Edits::new(&document);
        for message in root.items() {
            let content = message.get("content").unwrap();
            edits.rewrite(&content, 5..20, "[EMAIL_1]").unwrap();
            edits.rewrite(&content, 25..40, "[EMAIL_2]").unwrap();
            edits.set(&message, "name", "null").unwrap();
        }
        assert!(edits.finish().len() > count);
        start.elapsed()
    };
    time(1000);
    let (few, many) = (time(2_000), time(32_000));
    assert!(
        many < few * 100,
        "{few:?} for one, {many:?} for sixteen times as many"
    );
}

#[test]
fn debug_output_shows_no_contents() {
    let document = Document::parse("[\"hunter2\"]").unwrap();
    let mut edits = Edits::new(&document);
    edits.replace(&document.root(), "\"hunter3\"").unwrap();
    assert!(!format!("{edits:?}").contains("hunter"));
}
