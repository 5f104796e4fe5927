//! Counting words and cutting text apart: `word_count` and `split`.
//!
//! Called on worker threads while a template renders. Nothing is refused: every text has a number of
//! words and a list of parts.

use std::borrow::Cow;

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::{Function, function};
use crate::value::Fault;
use crate::value::NodeValue;
use crate::value::{budget, weigh};
use formats::json::{Kind, Node};

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "word_count",
        "word_count(value)",
        "How many words a text has; lists and maps are counted through, a number or boolean is one word, null none.",
        ("{{ word_count(\"How are you?\") }}", "3"),
        (1, 1),
        None,
        |environment, name| environment.add_function(name, word_count),
        filter "value | word_count",
        |environment, name| environment.add_filter(name, word_count),
    ),
    function!(
        "split",
        "split(text, separator?, cuts?)",
        "The list of a text's parts between separators, or of its words without one; after so many cuts the rest stays whole.",
        ("{{ split(\"a,b,c\", \",\", 1) }}", "[\"a\", \"b,c\"]"),
        (1, 3),
        None,
        |environment, name| environment.add_function(name, split_text),
        filter "text | split(separator?, cuts?)",
        |environment, name| environment.add_filter(name, split_text),
    ),
];

/// Values deeper than this are refused; JSON bodies never nest that deep.
const MAX_DEPTH: usize = 200;

fn word_count(value: &Value) -> Result<usize, Error> {
    in_value(value, 0)
}

fn in_value(value: &Value, depth: usize) -> Result<usize, Error> {
    if depth > MAX_DEPTH {
        return Err(Fault::TooDeep.into());
    }
    if let Some(found) = value.downcast_object_ref::<NodeValue>() {
        weigh::deep(value)?;
        return Ok(in_node(found.node()));
    }
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Ok(0),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            budget::charge(text.len())?;
            Ok(in_text(text))
        }
        ValueKind::Seq | ValueKind::Iterable => value
            .try_iter()?
            .try_fold(0, |words, item| Ok(words + in_value(&item, depth + 1)?)),
        ValueKind::Map => value.try_iter()?.try_fold(0, |words, key| {
            let member = value.get_item(&key)?;
            Ok(words + in_value(&key, depth + 1)? + in_value(&member, depth + 1)?)
        }),
        _ => Ok(1),
    }
}

fn split_text(
    text: Cow<'_, str>,
    separator: Option<Cow<'_, str>>,
    cuts: Option<i64>,
) -> Result<Value, Error> {
    // As in the engine's own filter, a negative number is none.
    let cuts = cuts.and_then(|cuts| usize::try_from(cuts).ok());
    budget::charge_container()?;
    let mut parts = Vec::new();
    for part in split(&text, separator.as_deref(), cuts) {
        budget::charge(size_of::<Value>() + part.len())?;
        parts.push(Value::from(part));
    }
    Ok(Value::from(parts))
}

/// How many words `text` has: runs of anything but whitespace, as Unicode defines it.
pub(crate) fn in_text(text: &str) -> usize {
    text.split_whitespace().count()
}

/// How many words a JSON value has: those of its strings and keys; a number or boolean is one word,
/// null is none.
///
/// Recurses as deep as the document nests, which parsing has bounded.
pub(crate) fn in_node(node: &Node) -> usize {
    match node.kind() {
        Kind::Null => 0,
        Kind::Bool(_) | Kind::Number => 1,
        Kind::String => node.as_str().map_or(0, |text| in_text(&text)),
        Kind::Array => node.items().map(|item| in_node(&item)).sum(),
        Kind::Object => node
            .entries()
            .map(|(key, value)| in_text(&key) + in_node(&value))
            .sum(),
    }
}

/// Cuts `text` at each `separator`, so many times if `cuts` is given. Empty parts are kept, so that
/// joining with the separator gives the text back.
///
/// Without a separator the parts are the words and none is empty; after so many cuts the rest keeps
/// its inner white space.
pub(crate) fn split<'a>(
    text: &'a str,
    separator: Option<&'a str>,
    cuts: Option<usize>,
) -> Box<dyn Iterator<Item = &'a str> + 'a> {
    match (separator, cuts) {
        (Some(separator), None) => Box::new(text.split(separator)),
        (Some(separator), Some(cuts)) => Box::new(text.splitn(cuts.saturating_add(1), separator)),
        (None, cuts) => Box::new(words(text, cuts.unwrap_or(usize::MAX))),
    }
}

fn words(text: &str, mut cuts: usize) -> impl Iterator<Item = &str> {
    let mut rest = text.trim();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let cut = if cuts == 0 {
            None
        } else {
            rest.split_once(char::is_whitespace)
        };
        let (word, after) = cut.unwrap_or((rest, ""));
        rest = after.trim_start();
        cuts = cuts.saturating_sub(1);
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use formats::json::Document;

    #[test]
    fn words_are_runs_of_anything_but_whitespace() {
        for (text, words) in [
            ("", 0),
            (" \t\n", 0),
            ("one", 1),
            ("  two  words ", 2),
            ("don't count-this as, four!", 4),
            ("né à\u{3000}東京", 3),
        ] {
            assert_eq!(in_text(text), words, "{text:?}");
        }
    }

    #[test]
    fn words_of_json_are_those_of_its_strings_and_keys() {
        for (json, words) in [
            ("null", 0),
            ("12.5", 1),
            ("true", 1),
            (r#""a b""#, 2),
            (r#"["a b", 1, null, ["c"]]"#, 4),
            (r#"{"two words": "and three more", "n": 1}"#, 7),
        ] {
            let document = Document::parse(json).unwrap();
            assert_eq!(in_node(&document.root()), words, "{json}");
        }
    }

    #[test]
    fn text_is_cut_at_the_separator_and_empty_parts_are_kept() {
        let cut = |text, separator, cuts| split(text, separator, cuts).collect::<Vec<_>>();
        assert_eq!(cut("a,b,,c", Some(","), None), ["a", "b", "", "c"]);
        assert_eq!(cut("", Some(","), None), [""]);
        assert_eq!(cut("a::b::c", Some("::"), Some(1)), ["a", "b::c"]);
        assert_eq!(cut("a,b", Some(","), Some(0)), ["a,b"]);
        assert_eq!(cut("  a  b\tc ", None, None), ["a", "b", "c"]);
        assert_eq!(cut("  a  b\tc ", None, Some(1)), ["a", "b\tc"]);
        assert_eq!(cut("ab", Some(""), None), ["", "a", "b", ""]);
        assert_eq!(cut("  ", None, None), [] as [&str; 0]);
    }

    proptest! {
        #[test]
        fn joining_the_parts_gives_the_text_back(text: String, separator in "[,;é]{1,2}", cuts in 0usize..9) {
            let all: Vec<_> = split(&text, Some(&separator), None).collect();
            prop_assert_eq!(all.join(&separator), text.as_str());
            let some: Vec<_> = split(&text, Some(&separator), Some(cuts)).collect();
            prop_assert!(some.len() <= cuts + 1);
            prop_assert_eq!(some.join(&separator), text.as_str());
        }

        #[test]
        fn the_parts_without_a_separator_are_the_words(text: String) {
            prop_assert_eq!(split(&text, None, None).count(), in_text(&text));
        }
    }
}
