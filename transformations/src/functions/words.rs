//! Counting words and cutting text apart: `word_count` and `split`.
//!
//! Called on worker threads while a template renders. Nothing is refused: every text has a number of
//! words and a list of parts.

use crate::json::{Kind, Node};

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
        Kind::Object => node.entries().map(|(key, value)| in_text(&key) + in_node(&value)).sum(),
    }
}

/// Cuts `text` at each `separator`, at most `most - 1` times if `most` is given. Empty parts are
/// kept, so that joining with the separator gives the text back.
///
/// Without a separator, or with an empty one, the parts are the words and none is empty; the last of
/// `most` parts is then the rest with its inner whitespace.
pub(crate) fn split<'a>(
    text: &'a str,
    separator: Option<&'a str>,
    most: Option<usize>,
) -> impl Iterator<Item = &'a str> {
    let separator = separator.filter(|separator| !separator.is_empty());
    let mut parts_left = most.unwrap_or(usize::MAX);
    let mut rest = Some(if separator.is_none() { text.trim() } else { text });
    std::iter::from_fn(move || {
        let text = rest.take()?;
        if parts_left == 0 || (separator.is_none() && text.is_empty()) {
            return None;
        }
        parts_left -= 1;
        let cut = match separator {
            _ if parts_left == 0 => None,
            Some(separator) => text.split_once(separator),
            None => text
                .split_once(char::is_whitespace)
                .map(|(word, after)| (word, after.trim_start())),
        };
        match cut {
            Some((part, after)) => {
                rest = Some(after);
                Some(part)
            }
            None => Some(text),
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::Document;

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
        let cut = |text, separator, most| split(text, separator, most).collect::<Vec<_>>();
        assert_eq!(cut("a,b,,c", Some(","), None), ["a", "b", "", "c"]);
        assert_eq!(cut("", Some(","), None), [""]);
        assert_eq!(cut("a::b::c", Some("::"), Some(2)), ["a", "b::c"]);
        assert_eq!(cut("a,b", Some(","), Some(0)), [] as [&str; 0]);
        assert_eq!(cut("  a  b\tc ", None, None), ["a", "b", "c"]);
        assert_eq!(cut("  a  b\tc ", None, Some(2)), ["a", "b\tc"]);
        assert_eq!(cut("a b", Some(""), None), ["a", "b"]);
        assert_eq!(cut("  ", None, None), [] as [&str; 0]);
    }

    proptest! {
        #[test]
        fn joining_the_parts_gives_the_text_back(text: String, separator in "[,;é]{1,2}", most in 1usize..9) {
            let all: Vec<_> = split(&text, Some(&separator), None).collect();
            prop_assert_eq!(all.join(&separator), text.as_str());
            let some: Vec<_> = split(&text, Some(&separator), Some(most)).collect();
            prop_assert!(some.len() <= most);
            prop_assert_eq!(some.join(&separator), text.as_str());
        }

        #[test]
        fn the_parts_without_a_separator_are_the_words(text: String) {
            prop_assert_eq!(split(&text, None, None).count(), in_text(&text));
        }
    }
}
