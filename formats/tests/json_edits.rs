//! Sessions of edits against the plainest way to make them: on a tree that remembers how each value is
//! spelled.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::ops::Range;

use formats::json::{Document, EditError, Edits, Node, Pointer};
use proptest::prelude::*;
use serde_json::Value;

/// A value and its spelling.
#[derive(Clone, Debug)]
enum Tree {
    Scalar(String),
    /// Characters, each as it is spelled.
    Text(Vec<(char, String)>),
    Array(Vec<Tree>),
    /// Keys as they are spelled.
    Object(Vec<(String, Tree)>),
}

#[derive(Clone, Debug)]
enum Edit {
    Replace(Value),
    Remove,
    Set(String, Value),
    SetFirst(String, Value),
    Insert(usize, Value),
    Rewrite(Range<usize>, String),
}

impl Tree {
    /// As compact as it can be, with the spellings of all scalars.
    fn compact(&self) -> String {
        let list = |items: Vec<String>| items.join(",");
        match self {
            Tree::Scalar(raw) => raw.clone(),
            Tree::Text(text) => {
                let inner: String = text.iter().map(|(_, raw)| raw.as_str()).collect();
                format!("\"{inner}\"")
            }
            Tree::Array(items) => {
                format!("[{}]", list(items.iter().map(Tree::compact).collect()))
            }
            Tree::Object(entries) => {
                let entry = |(key, value): &(String, Tree)| format!("{key}:{}", value.compact());
                format!("{{{}}}", list(entries.iter().map(entry).collect()))
            }
        }
    }

    /// All places with their pointers.
    fn places(&self, pointer: String, found: &mut Vec<(String, Tree)>) {
        found.push((pointer.clone(), self.clone()));
        match self {
            Tree::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.places(format!("{pointer}/{index}"), found);
                }
            }
            Tree::Object(entries) => {
                for (key, value) in entries {
                    value.places(format!("{pointer}/{}", unquoted(key)), found);
                }
            }
            _ => {}
        }
    }

    fn edited(&self, pointer: &str, edits: &[(String, Edit)]) -> Option<Tree> {
        let here = || {
            edits
                .iter()
                .filter(|(at, _)| at == pointer)
                .map(|(_, it)| it)
        };
        let last = here().rev().find_map(|edit| match edit {
            Edit::Replace(value) => Some(Some(of(value))),
            Edit::Remove => Some(None),
            _ => None,
        });
        if let Some(outcome) = last {
            return outcome;
        }
        Some(match self {
            Tree::Scalar(_) => self.clone(),
            Tree::Text(text) => Tree::Text(rewritten(text, &here().collect::<Vec<_>>())),
            Tree::Array(items) => {
                let mut new = Vec::new();
                for place in 0..=items.len() {
                    new.extend(here().filter_map(|edit| match edit {
                        Edit::Insert(at, value) if *at == place => Some(of(value)),
                        _ => None,
                    }));
                    let item = items.get(place);
                    new.extend(item.and_then(|it| it.edited(&format!("{pointer}/{place}"), edits)));
                }
                Tree::Array(new)
            }
            Tree::Object(entries) => {
                let kept = entries.iter().filter_map(|(key, value)| {
                    let value = value.edited(&format!("{pointer}/{}", unquoted(key)), edits)?;
                    Some((key.clone(), value))
                });
                let (mut first, mut last) = (Vec::new(), Vec::new());
                for edit in here() {
                    let (key, value, is_first) = match edit {
                        Edit::Set(key, value) => (key, value, false),
                        Edit::SetFirst(key, value) => (key, value, true),
                        _ => continue,
                    };
                    let key = Value::from(key.as_str()).to_string();
                    let known: &mut Vec<(String, Tree)> =
                        if first.iter().any(|(known, _)| *known == key)
                            || is_first && last.iter().all(|(known, _)| *known != key)
                        {
                            &mut first
                        } else {
                            &mut last
                        };
                    match known.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, known)) => *known = of(value),
                        None => known.push((key, of(value))),
                    }
                }
                Tree::Object(
                    first
                        .iter()
                        .cloned()
                        .chain(kept)
                        .chain(last.iter().cloned())
                        .collect(),
                )
            }
        })
    }
}

/// What the contents are after their changes, which do not overlap.
fn rewritten(text: &[(char, String)], edits: &[&Edit]) -> Vec<(char, String)> {
    let mut new = Vec::new();
    let mut at = 0;
    let mut hidden_until = 0;
    let spelled = |text: &str| {
        let spell = |c: char| {
            let quoted = Value::from(c.to_string()).to_string();
            (c, quoted[1..quoted.len() - 1].to_owned())
        };
        text.chars().map(spell).collect::<Vec<_>>()
    };
    for (character, raw) in text
        .iter()
        .map(|(c, raw)| (Some(*c), raw.clone()))
        .chain([(None, String::new())])
    {
        let starts = |is_empty: bool| {
            edits.iter().filter_map(move |edit| match edit {
                Edit::Rewrite(range, text) if range.start == at && range.is_empty() == is_empty => {
                    Some((range.end, text))
                }
                _ => None,
            })
        };
        starts(true).for_each(|(_, text)| new.extend(spelled(text)));
        for (end, text) in starts(false) {
            new.extend(spelled(text));
            hidden_until = end;
        }
        if let Some(character) = character {
            if at >= hidden_until {
                new.push((character, raw));
            }
            at += character.len_utf8();
        }
    }
    new
}

fn unquoted(key: &str) -> String {
    serde_json::from_str(key).unwrap()
}

fn of(value: &Value) -> Tree {
    match value {
        Value::Array(items) => Tree::Array(items.iter().map(of).collect()),
        Value::Object(entries) => Tree::Object(
            entries
                .iter()
                .map(|(key, value)| (Value::from(key.as_str()).to_string(), of(value)))
                .collect(),
        ),
        other => Tree::Scalar(other.to_string()),
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i8>().prop_map(Value::from),
        "[a-c\"\\\\é\n]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[abn]", inner), 0..3)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn character() -> impl Strategy<Value = (char, String)> {
    let plain = prop::char::range('a', 'c').prop_map(|c| (c, c.to_string()));
    let known = prop_oneof![
        Just(('é', "é")),
        Just(('é', "\\u00e9")),
        Just(('😀', "😀")),
        Just(('😀', "\\uD83d\\uDE00")),
        Just(('\n', "\\n")),
        Just(('\\', "\\\\")),
        Just(('/', "\\/")),
        Just(('"', "\\\"")),
        Just(('\u{FFFD}', "\\ud83d")),
        Just(('\u{FFFD}', "\\ufffd")),
    ];
    prop_oneof![plain, known.prop_map(|(c, raw)| (c, raw.to_owned()))]
}

/// A document to edit; its keys need no escapes.
fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        prop_oneof![
            Just("null"),
            Just("true"),
            Just("-0"),
            Just("1.50"),
            Just("1E400")
        ]
        .prop_map(|raw| Tree::Scalar(raw.to_owned())),
        prop::collection::vec(character(), 0..8).prop_map(Tree::Text),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Tree::Array),
            prop::collection::vec(("[a-f]", inner), 0..5).prop_map(|mut entries| {
                entries.sort_by(|(left, _), (right, _)| left.cmp(right));
                entries.dedup_by(|(left, _), (right, _)| left == right);
                let quote = |(key, value)| (format!("\"{key}\""), value);
                Tree::Object(entries.into_iter().map(quote).collect())
            }),
        ]
    })
}

/// An edit as drawn: a place, what to do there, and numbers and values to do it with.
type Drawn = (prop::sample::Index, u8, usize, usize, String, Value);

fn drawn() -> impl Strategy<Value = Drawn> {
    (
        any::<prop::sample::Index>(),
        0..8_u8,
        0..9_usize,
        0..5_usize,
        "[a-h\"é]{0,2}",
        value(),
    )
}

/// The edit, if there can be one like that at the place.
fn edit(tree: &Tree, (_, what, from, length, text, value): &Drawn) -> Edit {
    match (tree, what) {
        (_, 0) => Edit::Remove,
        (Tree::Object(_), 1..=4) => Edit::Set(text.clone(), value.clone()),
        (Tree::Object(_), 5..=6) => Edit::SetFirst(text.clone(), value.clone()),
        (Tree::Array(items), 1..=6) => Edit::Insert(from % (items.len() + 1), value.clone()),
        (Tree::Text(characters), 1..=6) => {
            let length_of = |count: usize| {
                let some = characters.iter().take(count);
                some.map(|(c, _)| c.len_utf8()).sum::<usize>()
            };
            let from = from % (characters.len() + 1);
            let to = (from + length / 2).min(characters.len());
            Edit::Rewrite(length_of(from)..length_of(to), text.clone())
        }
        _ => Edit::Replace(value.clone()),
    }
}

fn make(edits: &mut Edits<'_>, node: &Node, edit: &Edit) -> Result<(), EditError> {
    match edit {
        Edit::Replace(value) => edits.replace(node, format!(" {value}\n")),
        Edit::Remove => edits.remove(node),
        Edit::Set(key, value) => edits.set(node, key.clone(), value.to_string()),
        Edit::SetFirst(key, value) => edits.set_first(node, key.clone(), value.to_string()),
        Edit::Insert(index, value) => edits.insert(node, *index, value.to_string()),
        Edit::Rewrite(range, text) => edits.rewrite(node, range.clone(), text.clone()),
    }
}

/// Whether an edit rewrites what one of these does.
fn overlaps(edit: &(String, Edit), others: &[(String, Edit)]) -> bool {
    let (pointer, Edit::Rewrite(new, _)) = edit else {
        return false;
    };
    others.iter().any(|(other, edit)| match edit {
        Edit::Rewrite(old, _) if other == pointer => new.start < old.end && old.start < new.end,
        _ => false,
    })
}

/// A JSON text with white space between its tokens, or without any.
fn spaced(compact: &str, spaces: &[&str]) -> String {
    let mut out = String::new();
    let mut next = spaces.iter().cycle();
    let (mut in_string, mut escaped) = (false, false);
    for character in compact.chars() {
        let is_token = !in_string && matches!(character, '{' | '}' | '[' | ']' | ',' | ':');
        if is_token {
            out.push_str(next.next().unwrap());
        }
        out.push(character);
        if is_token {
            out.push_str(next.next().unwrap());
        }
        match character {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ => {}
        }
    }
    out
}

fn unspaced(text: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    text.chars()
        .filter(|&character| {
            let keep = in_string || !character.is_ascii_whitespace();
            match character {
                _ if escaped => escaped = false,
                '\\' if in_string => escaped = true,
                '"' => in_string = !in_string,
                _ => {}
            }
            keep
        })
        .collect()
}

fn spaces() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(
        prop_oneof![Just(""), Just(" "), Just("\n  "), Just("\r\n\t")],
        1..7,
    )
}

fn node(document: &Document, pointer: &str) -> Node {
    document
        .root()
        .pointer(&Pointer::parse(pointer).unwrap())
        .unwrap()
}

proptest! {
    #[test]
    fn the_result_is_what_the_edits_say(
        tree in tree(),
        drawn in prop::collection::vec(drawn(), 0..12),
        spaces in spaces(),
    ) {
        let document = Document::parse(spaced(&tree.compact(), &spaces)).unwrap();
        let mut places = Vec::new();
        tree.places(String::new(), &mut places);
        let mut edits = Edits::new(&document);
        let mut made: Vec<(String, Edit)> = Vec::new();
        for drawn in &drawn {
            let (pointer, place) = drawn.0.get(&places);
            let edit = (pointer.clone(), edit(place, drawn));
            match make(&mut edits, &node(&document, pointer), &edit.1) {
                Ok(()) => {
                    prop_assert!(!overlaps(&edit, &made));
                    // Entries that are there are set where they stand.
                    let present = match &edit.1 {
                        Edit::Set(key, value) | Edit::SetFirst(key, value) => {
                            node(&document, pointer).get(key)
                                .map(|_| (format!("{pointer}/{key}"), Edit::Replace(value.clone())))
                        }
                        _ => None,
                    };
                    made.push(present.unwrap_or(edit));
                }
                Err(EditError::RootRemoved) => prop_assert!(pointer.is_empty()),
                Err(EditError::Overlap) => prop_assert!(overlaps(&edit, &made)),
                Err(error) => prop_assert!(false, "{error} for {edit:?}"),
            }
        }
        let edited = edits.finish();
        let bytes = edited.to_vec();
        prop_assert!(edited.is_unchanged() || !made.is_empty());
        prop_assert!(!edited.is_unchanged() || bytes == document.text().as_bytes());
        prop_assert_eq!(bytes.len(), edited.len());
        let text = String::from_utf8(bytes).unwrap();
        prop_assert!(Document::parse(text.as_str()).is_ok(), "{}", text);
        let expected = tree.edited("", &made).unwrap().compact();
        prop_assert_eq!(unspaced(&text), expected);
    }

    #[test]
    fn bytes_around_replaced_values_are_untouched(
        tree in tree(),
        drawn in prop::collection::vec(drawn(), 0..6),
        spaces in spaces(),
    ) {
        let document = Document::parse(spaced(&tree.compact(), &spaces)).unwrap();
        let mut places = Vec::new();
        tree.places(String::new(), &mut places);
        let mut edits = Edits::new(&document);
        let mut spans: Vec<(Range<usize>, String)> = Vec::new();
        for drawn in &drawn {
            let node = node(&document, &drawn.0.get(&places).0);
            let start = node.raw().as_ptr() as usize - document.text().as_ptr() as usize;
            let span = start..start + node.raw().len();
            // Values that hold each other are for the other test.
            if spans.iter().any(|(other, _)| span.start < other.end && other.start < span.end) {
                continue;
            }
            edits.replace(&node, drawn.5.to_string()).unwrap();
            spans.push((span, drawn.5.to_string()));
        }
        spans.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
        let mut expected = document.text().to_owned();
        for (span, text) in spans {
            expected.replace_range(span, &text);
        }
        prop_assert_eq!(String::from_utf8(edits.finish().to_vec()).unwrap(), expected);
    }
}
