use proptest::prelude::*;

use super::*;

#[test]
fn ranges_are_found_among_escapes() {
    let raw = r#"a\u00e9 \"jo\" \ud83d\ude00!\n"#;
    let decoded = decode(raw);
    assert_eq!(decoded, "a\u{e9} \"jo\" \u{1F600}!\n");
    for (part, written) in [
        ("a", "a"),
        ("é", r"\u00e9"),
        ("\"jo\"", r#"\"jo\""#),
        ("jo", "jo"),
        ("\u{1F600}!", r"\ud83d\ude00!"),
        ("\n", r"\n"),
    ] {
        let start = decoded.find(part).unwrap();
        let found = in_raw(raw, std::slice::from_ref(&(start..start + part.len())));
        assert_eq!(&raw[found[0].clone()], written, "{part}");
    }
}

#[test]
fn several_ranges_are_found_in_one_walk() {
    let raw = r"\tab\tcd";
    let found = in_raw(raw, &[0..1, 1..3, 4..6]);
    assert_eq!(found, [0..2, 2..4, 6..8]);
}

#[test]
fn halves_of_pairs_and_what_is_no_escape_stand_for_something() {
    for (raw, decoded) in [
        (r"\ud83d", "\u{FFFD}"),
        (r"\ude00x", "\u{FFFD}x"),
        (r"\ud83d\ud83d\ude00", "\u{FFFD}\u{1F600}"),
        (r"\x\é", "xé"),
        (r"\u12", "u12"),
        ("\\", "\\"),
        (r"\/\\", "/\\"),
    ] {
        assert_eq!(decode(raw), decoded, "{raw}");
    }
}

#[test]
fn half_an_escape_is_not_read_while_more_may_come() {
    for (raw, read) in [
        ("ab\\", 2),
        (r"ab\u", 2),
        (r"ab\u00e", 2),
        (r"ab\u00e9", 8),
        (r"ab\ud83d", 2),
        (r"ab\ud83d\", 2),
        (r"ab\ud83d\u", 2),
        (r"ab\ud83d\ude0", 2),
        (r"ab\ud83d\ude00", 14),
        (r"ab\ud83dx", 9),
        (r"ab\ud83d\n", 10),
        (r"ab\uxy", 6),
    ] {
        let mut decoded = String::new();
        assert_eq!(decode_into(raw, false, &mut decoded), read, "{raw}");
        assert_eq!(decoded, decode(&raw[..read]), "{raw}");
    }
}

proptest! {
    #[test]
    fn what_is_escaped_is_decoded_as_before(text in any::<String>()) {
        let mut raw = String::new();
        escape_into(&text, &mut raw);
        prop_assert_eq!(decode(&raw), text.as_str());
        let json: String = serde_json::from_str(&format!("\"{raw}\"")).unwrap();
        prop_assert_eq!(json, text);
    }

    #[test]
    fn strings_of_json_are_decoded_as_others_do(text in "[a\\\\u0e9dD83nrt\"/é]{0,24}") {
        if let Ok(json) = serde_json::from_str::<String>(&format!("\"{text}\"")) {
            prop_assert_eq!(decode(&text), json);
        }
    }

    #[test]
    fn each_character_stands_where_it_is_written(text in "[a\\\\u0e9d83nrt\"/é😀]{0,24}") {
        let decoded = decode(&text).into_owned();
        let ranges: Vec<_> = decoded
            .char_indices()
            .map(|(at, it)| at..at + it.len_utf8())
            .collect();
        let found = in_raw(&text, &ranges);
        let pieces: Vec<_> = found.iter().map(|it| decode(&text[it.clone()]).into_owned()).collect();
        prop_assert_eq!(pieces.concat().chars().count(), decoded.chars().count());
        prop_assert_eq!(found.last().map_or(0, |it| it.end), text.len());
    }
}
