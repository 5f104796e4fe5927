use std::borrow::Cow;

use proptest::prelude::*;

use super::*;
use crate::json::Document;

/// Reads everything there is, with its kind and its place.
fn walk(reader: &mut Reader<'_>, seen: &mut Vec<(Kind, usize)>) -> Result<(), Fault> {
    seen.push((reader.kind(), reader.at));
    match reader.kind() {
        Kind::Object => reader.entries(|key, reader| {
            seen.push((key.kind(), key.range().start));
            walk(reader, seen)
        }),
        Kind::Array => reader.items(|_, reader| walk(reader, seen)),
        _ => reader.value().map(drop),
    }
}

fn deep(text: &str) -> Result<(), ParseError> {
    read(text, |reader| walk(reader, &mut Vec::new()))
}

fn shallow(text: &str) -> Result<(), ParseError> {
    read(text, |_| Ok(()))
}

#[test]
fn every_member_is_told_of_also_those_whose_key_repeats() {
    let mut keys = Vec::new();
    read(
        r#" {"a": 1, "\u0061": [{}, [ ], ""], "b": {}} "#,
        |reader| {
            reader.entries(|key, reader| {
                keys.push((key.is("a"), reader.kind(), key.range()));
                Ok(())
            })
        },
    )
    .unwrap();
    let expected = [
        (true, Kind::Number, 2..5),
        (true, Kind::Array, 10..18),
        (false, Kind::Object, 35..38),
    ];
    assert_eq!(keys, expected);
}

#[test]
fn what_is_of_another_kind_is_stepped_over() {
    let mut calls = 0;
    read(r#"[1, {"a": 2}]"#, |reader| {
        reader.items(|index, reader| match index {
            0 => reader.entries(|_, _| {
                calls += 1;
                Ok(())
            }),
            _ => reader.items(|_, _| {
                calls += 1;
                Ok(())
            }),
        })
    })
    .unwrap();
    assert_eq!(calls, 0);
}

#[test]
fn a_value_is_given_whole_whoever_read_of_it() {
    let mut values = Vec::new();
    read(r#"[ [1, 2], 3 ]"#, |reader| {
        reader.items(|_, reader| {
            let raw = reader.value_with(|reader| reader.items(|_, _| Ok(())))?;
            values.push(raw.text());
            Ok(())
        })
    })
    .unwrap();
    assert_eq!(values, ["[1, 2]", "3"]);
}

#[test]
fn faults_are_those_of_a_document_whoever_reads() {
    let texts = [
        "",
        " ",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{a:1}",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[1 2]",
        "[1}",
        "\"a",
        "\"\\x\"",
        "01",
        "1.",
        "tru",
        "nul1",
        "1 2",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "[\u{1}]",
        "[\"\u{1}\"]",
        "\u{feff}",
        "\u{feff}[1}",
    ];
    for text in texts {
        let expected = Document::parse(text).unwrap_err();
        assert_eq!(deep(text).unwrap_err(), expected, "{text:?}");
        assert_eq!(shallow(text).unwrap_err(), expected, "{text:?}");
    }
}

#[test]
fn nesting_costs_no_stack() {
    let text = format!("{}{}", "[".repeat(1 << 20), "]".repeat(1 << 20));
    shallow(&text).unwrap();
}

#[test]
fn contents_and_numbers_are_read_from_raw_values() {
    let mut read_values = Vec::new();
    read(r#"["a\n", 12, 1.0, null, true]"#, |reader| {
        reader.items(|_, reader| {
            let raw = reader.value()?;
            read_values.push((raw.as_str().map(Cow::into_owned), raw.as_u64()));
            Ok(())
        })
    })
    .unwrap();
    let expected = [
        (Some("a\n".to_owned()), None),
        (None, Some(12)),
        (None, None),
    ];
    assert_eq!(read_values[..3], expected);
    assert_eq!(read_values[3..], [(None, None), (None, None)]);
}

#[test]
fn parts_of_contents_are_found_where_they_are_spelled() {
    let text = r#" "a\u00fcb\n\ud83d\ude00c" "#;
    let mut parts = Vec::new();
    read(text, |reader| {
        let raw = reader.value()?;
        let contents = raw.as_str().unwrap();
        let ranges = contents
            .char_indices()
            .map(|(at, it)| at..at + it.len_utf8());
        parts.extend(raw.spelled(ranges).map(|range| text.get(range)));
        Ok(())
    })
    .unwrap();
    let expected = ["a", "\\u00fc", "b", "\\n", "\\ud83d\\ude00", "c"].map(Some);
    assert_eq!(parts, expected);
}

proptest! {
    #[test]
    fn a_string_is_as_long_as_what_it_says(
        inner in r#"(a|ß|🌍|\\n|\\"|\\u0041|\\u00df|\\ud83c|\\udf0d|\\ud83c\\udf0d){0,9}"#
    ) {
        let text = format!("\"{inner}\"");
        let raw = Raw::of_value(&text);
        prop_assert_eq!(raw.contents_len(), raw.as_str().unwrap().len());
    }

    #[test]
    fn a_text_is_good_for_a_reader_if_it_is_for_a_document(
        text in r#"[\[\]{}",:\\ 0-9a-ftrulsen\.\-]{0,24}"#
    ) {
        let expected = Document::parse(text.as_str()).map(drop);
        prop_assert_eq!(deep(&text), expected);
        prop_assert_eq!(shallow(&text), expected);
    }
}
