//! What the reader accepts and what nodes say, measured against serde_json where it can be the judge.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Document, Kind, Node, ParseErrorKind, Pointer, is_plain, quote};

fn root(text: &str) -> Node {
    Document::parse(text).unwrap().root()
}

fn refused(text: &[u8]) -> ParseErrorKind {
    Document::parse(text).unwrap_err().kind()
}

/// Whether serde_json takes the bytes for JSON. Numbers beyond every float, which it refuses and we keep
/// as text, are JSON all the same.
fn is_json(bytes: &[u8]) -> bool {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(_) => true,
        Err(error) => error.to_string().starts_with("number out of range"),
    }
}

/// The node rebuilt as a value tree, through the public accessors only.
fn to_value(node: &Node) -> Value {
    match node.kind() {
        Kind::Null => Value::Null,
        Kind::Bool(value) => Value::Bool(value),
        Kind::Number => serde_json::from_str(node.number_text().unwrap()).unwrap(),
        Kind::String => Value::String(node.as_str().unwrap().into_owned()),
        Kind::Array => node.items().map(|item| to_value(&item)).collect(),
        Kind::Object => {
            let entries = node
                .entries()
                .map(|(key, value)| (key.into_owned(), to_value(&value)));
            Value::Object(entries.collect())
        }
    }
}

#[test]
fn a_member_is_found_by_its_key_and_an_item_by_its_place() {
    let node = root(r#"{"model":"gpt-4","n":[1,{"deep":true}],"":0}"#);
    assert_eq!(node.get("model").unwrap().as_str().unwrap(), "gpt-4");
    assert_eq!(
        node.get("n")
            .unwrap()
            .index(1)
            .unwrap()
            .get("deep")
            .unwrap()
            .as_bool(),
        Some(true)
    );
    assert_eq!(node.get("").unwrap().raw(), "0");
    assert!(node.get("absent").is_none());
    assert!(node.get("n").unwrap().get("0").is_none());
    assert!(node.get("n").unwrap().index(2).is_none());
    assert!(node.get("model").unwrap().get("x").is_none());
    assert!(node.index(0).is_none());
}

#[test]
fn the_text_of_a_value_is_kept_exactly() {
    let text = " {\"a\" : [ 1.50 , -0, 1e400 ],\n \"b\":\"\\u0041\\/\" } \n";
    let document = Document::parse(text).unwrap();
    assert_eq!(document.text(), text);
    assert_eq!(
        document.root().get("a").unwrap().raw(),
        "[ 1.50 , -0, 1e400 ]"
    );
    assert_eq!(document.root().get("b").unwrap().raw(), "\"\\u0041\\/\"");
    assert_eq!(document.root().get("b").unwrap().as_str().unwrap(), "A/");
}

#[test]
fn the_last_of_repeated_keys_wins_however_it_is_spelled() {
    let node = root(r#"{"a":1,"b":2,"\u0061":3}"#);
    assert_eq!(node.get("a").unwrap().raw(), "3");
    assert_eq!(node.len(), 2);
    let entries: Vec<_> = node
        .entries()
        .map(|(k, v)| format!("{k}={}", v.raw()))
        .collect();
    assert_eq!(entries, ["b=2", "a=3"]);
}

#[test]
fn a_key_is_compared_by_what_it_means() {
    let node = root(r#"{"a\\b":1,"a\"b":2,"tab\t":3,"\ud83d\ude00":4,"a\\\\b":5}"#);
    assert_eq!(node.get("a\\b").unwrap().raw(), "1");
    assert_eq!(node.get("a\"b").unwrap().raw(), "2");
    assert_eq!(node.get("tab\t").unwrap().raw(), "3");
    assert_eq!(node.get("😀").unwrap().raw(), "4");
    assert_eq!(node.get("a\\\\b").unwrap().raw(), "5");
    assert!(node.get("tab\\t").is_none());
}

#[test]
fn a_string_without_escapes_is_borrowed() {
    let node = root(r#"["plain ünïcode","esc\n"]"#);
    assert!(matches!(
        node.index(0).unwrap().as_str(),
        Some(std::borrow::Cow::Borrowed(_))
    ));
    assert!(matches!(
        node.index(1).unwrap().as_str(),
        Some(std::borrow::Cow::Owned(_))
    ));
}

#[test]
fn numbers_keep_their_spelling_and_fit_where_they_can() {
    let big = root("123456789012345678901234567890");
    assert_eq!(big.number_text(), Some("123456789012345678901234567890"));
    assert_eq!(big.as_i64(), None);
    assert_eq!(big.as_u64(), None);
    assert_eq!(big.as_i128(), Some(123_456_789_012_345_678_901_234_567_890));
    assert_eq!(root("18446744073709551615").as_u64(), Some(u64::MAX));
    assert_eq!(root("-9223372036854775808").as_i64(), Some(i64::MIN));
    assert_eq!(root("-0").as_i64(), None);
    assert!(root("-0").as_f64().unwrap().is_sign_negative());
    assert_eq!(root("1e3").as_i64(), None);
    assert_eq!(root("1e3").as_f64(), Some(1000.0));
    assert_eq!(root("1e400").as_f64(), None);
    assert_eq!(root("1e400").number_text(), Some("1e400"));
    assert_eq!(root("\"1\"").number_text(), None);
}

#[test]
fn scalars_stand_alone_as_documents() {
    assert!(root(" null ").is_null());
    assert_eq!(root("true").kind(), Kind::Bool(true));
    assert_eq!(root("false").kind(), Kind::Bool(false));
    assert_eq!(root("\"\"").as_str().unwrap(), "");
    assert_eq!((root("7").len(), root("7").is_empty()), (0, true));
    assert_eq!((root("{}").len(), root("[ ]").is_empty()), (0, true));
    assert_eq!(
        root("{}").items().count() + root("[1]").entries().count(),
        0
    );
}

#[test]
fn a_pointer_leads_through_objects_and_arrays() {
    let node = root(r#"{"a/b":[{"m~n":1}],"":{"":2},"0":3}"#);
    let at = |path: &str| node.pointer(&Pointer::parse(path).unwrap());
    assert_eq!(at("/a~1b/0/m~0n").unwrap().raw(), "1");
    assert_eq!(at("//").unwrap().raw(), "2");
    assert_eq!(at("/0").unwrap().raw(), "3");
    assert_eq!(at("").unwrap().raw(), node.raw());
    for nowhere in ["/a~1b/00", "/a~1b/-", "/a~1b/1", "/a~1b/+0", "/0/0", "/x/y"] {
        assert!(at(nowhere).is_none(), "{nowhere}");
    }
}

#[test]
fn a_bad_pointer_says_what_is_wrong_with_it() {
    assert!(
        Pointer::parse("a/b")
            .unwrap_err()
            .to_string()
            .contains("start with `/`")
    );
    for bad in ["/~", "/~2", "/a~~0", "/é~é"] {
        assert!(
            Pointer::parse(bad).unwrap_err().to_string().contains("~0"),
            "{bad}"
        );
    }
    for good in ["", "/", "/~0~1", "/é/~01"] {
        assert_eq!(Pointer::parse(good).unwrap().to_string(), good);
    }
}

#[test]
fn every_fault_has_its_kind() {
    use ParseErrorKind::*;
    let cases: &[(&[u8], ParseErrorKind)] = &[
        (b"", Empty),
        (b" \n\t", Empty),
        (b"{", UnexpectedEnd),
        (b"[1,", UnexpectedEnd),
        (b"\"abc", UnexpectedEnd),
        (b"\"abc\\", UnexpectedEnd),
        (b"\"\\u12", UnexpectedEnd),
        (b"tru", UnexpectedEnd),
        (b"-", UnexpectedEnd),
        (b"1.", UnexpectedEnd),
        (b"{\"a\":", UnexpectedEnd),
        (b"trux", ExpectedValue),
        (b"[1,]", ExpectedValue),
        (b"'a'", ExpectedValue),
        (b"+1", ExpectedValue),
        (b"NaN", ExpectedValue),
        (b"{a:1}", ExpectedKey),
        (b"{\"a\":1,}", ExpectedKey),
        (b"{\"a\" 1}", ExpectedColon),
        (b"[1 2]", ExpectedCommaOrEnd),
        (b"[1}", ExpectedCommaOrEnd),
        (b"{\"a\":1]", ExpectedCommaOrEnd),
        (b"{} {}", TrailingText),
        (b"1 x", TrailingText),
        (b"01", InvalidNumber),
        (b"1.x", InvalidNumber),
        (b"1e+x", InvalidNumber),
        (b"-x", InvalidNumber),
        (b"\"\\x\"", InvalidEscape),
        (b"\"\\u12g4\"", InvalidEscape),
        (b"\"a\nb\"", ControlCharacter),
        (
            b"\"a long enough string with a null \0 inside\"",
            ControlCharacter,
        ),
        (b"\"\xff\"", InvalidUtf8),
        (b"\"\xed\xa0\x80\"", InvalidUtf8),
    ];
    for (text, kind) in cases {
        let shown = String::from_utf8_lossy(text);
        assert_eq!(refused(text), *kind, "{shown}");
        assert!(
            serde_json::from_slice::<Value>(text).is_err(),
            "serde_json accepts {shown}"
        );
    }
}

#[test]
fn an_error_points_at_the_byte_and_shows_none() {
    let error = Document::parse("{\n  \"secret\": tru3\n}").unwrap_err();
    assert_eq!((error.line(), error.column()), (2, 16));
    assert_eq!(error.to_string(), "expected a value at line 2 column 16");
    let error = Document::parse(b"[\n\"\xff\"]".as_slice()).unwrap_err();
    assert_eq!((error.line(), error.column()), (2, 2));
}

#[test]
fn what_cannot_be_read_is_carried_along() {
    let node =
        root(r#"{"a":"\ud800","b":"\udc00x\ud83d\ud83d\ude00","c":["\ud800\n"],"\ud800k":1}"#);
    let text = |key: &str| node.get(key).unwrap().as_str().unwrap().into_owned();
    assert_eq!(text("a"), "\u{FFFD}");
    assert_eq!(text("b"), "\u{FFFD}x\u{FFFD}😀");
    assert_eq!(
        node.get("c").unwrap().index(0).unwrap().as_str().unwrap(),
        "\u{FFFD}\n"
    );
    assert_eq!(node.get("c").unwrap().raw(), "[\"\\ud800\\n\"]");
    assert_eq!(node.get("\u{FFFD}k").unwrap().raw(), "1");
    let marked = Document::parse("\u{FEFF} {\"a\":1}").unwrap();
    assert_eq!(marked.root().get("a").unwrap().as_i64(), Some(1));
    assert_eq!(marked.root().raw(), "{\"a\":1}");
    assert_eq!(refused("\u{FEFF}".as_bytes()), ParseErrorKind::Empty);
    assert_eq!(
        refused("\u{FEFF}\u{FEFF}{}".as_bytes()),
        ParseErrorKind::ExpectedValue
    );
    assert_eq!(
        refused("{}\u{FEFF}".as_bytes()),
        ParseErrorKind::TrailingText
    );
}

#[test]
fn nesting_of_any_depth_is_checked_and_can_be_looked_into_down_to_the_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let bottom = |text: &str| {
        let mut node = root(text);
        let mut levels = 1;
        while let Some(below) = node.index(0) {
            node = below;
            levels += 1;
        }
        (levels, node.is_too_deep())
    };
    assert_eq!(bottom(&nested(super::MAX_DEPTH)), (super::MAX_DEPTH, false));
    let beyond = nested(super::MAX_DEPTH + 1);
    assert_eq!(bottom(&beyond), (super::MAX_DEPTH + 1, true));
    assert_eq!(root(&nested(1_000_000)).raw().len(), 2_000_000);
    let objects =
        |inner: &str| format!("{}{inner}{}", "{\"a\":[1,".repeat(300), ",2]}".repeat(300));
    assert!(Document::parse(objects("null")).is_ok());
    for broken in [
        "",
        "x",
        "1 2",
        "{",
        "]",
        "{1:2}",
        "{\"a\" 1}",
        "[1,]",
        "\"\n\"",
    ] {
        assert!(Document::parse(objects(broken)).is_err(), "{broken}");
    }
    assert_eq!(
        refused("[".repeat(1_000_000).as_bytes()),
        ParseErrorKind::UnexpectedEnd
    );
    assert_eq!(
        refused("{\"a\":".repeat(1_000_000).as_bytes()),
        ParseErrorKind::UnexpectedEnd
    );
}

/// However deep and wide: what a pass remembers of levels below is what a pass over these finds.
#[test]
fn ways_down_lead_to_the_same_members_however_they_were_found() {
    let padding = "p".repeat(2_000);
    for depth in [1_i64, 2, 3, 5, 9, 17, 33, 60] {
        for padding in ["", &padding] {
            let (mut text, mut close) = (String::new(), String::new());
            for level in 0..depth {
                text += &format!("{{\"skip\":[[{level}]],\"down\":[\"{padding}\",");
                close += "]}";
            }
            let mut node = root(&format!("{text}7{close}"));
            for level in 0..depth {
                let skipped = node
                    .get("skip")
                    .unwrap()
                    .index(0)
                    .unwrap()
                    .index(0)
                    .unwrap();
                assert_eq!(skipped.as_i64(), Some(level));
                node = node.get("down").unwrap().index(1).unwrap();
            }
            assert_eq!(node.raw(), "7");
        }
    }
}

#[test]
fn long_contents_are_decoded_once_for_all_nodes() {
    let document = Document::parse(r#"{"a":"\u0041bc","list":["x"]}"#).unwrap();
    let contents = || document.root().get("a").unwrap().contents().unwrap();
    assert_eq!(&*contents(), "Abc");
    assert!(std::sync::Arc::ptr_eq(&contents(), &contents()));
    assert!(document.root().contents().is_none());
    assert!(document.root().get("list").unwrap().contents().is_none());
    let alone = root(r#""a\n""#);
    assert!(std::sync::Arc::ptr_eq(
        &alone.contents().unwrap(),
        &alone.contents().unwrap()
    ));
}

#[test]
fn even_spacing_keeps_spellings_and_the_last_of_repeated_keys() {
    let spaced = |text: &str| {
        let mut out = String::new();
        super::write_spaced(&mut out, root(text).raw()).unwrap();
        out
    };
    for (text, expected) in [
        ("[]", "[]"),
        (" [ 1 ,2,\n[ ] , { } ] ", "[1, 2, [], {}]"),
        (
            r#"{"a" :1.50,"b":"x, y: z","\u0063":[true,null]}"#,
            r#"{"a": 1.50, "b": "x, y: z", "\u0063": [true, null]}"#,
        ),
        (r#"{"a":1,"a":2}"#, r#"{"a": 2}"#),
        (
            r#"{"a":{"b":1,"b":2} , "c":3,"a":{"b":4, "\u0062":[{"d":5,"d":6}]}}"#,
            r#"{"c": 3, "a": {"\u0062": [{"d": 6}]}}"#,
        ),
        (
            r#"[{"a":1,"b":2},{"a":3}]"#,
            r#"[{"a": 1, "b": 2}, {"a": 3}]"#,
        ),
    ] {
        assert_eq!(spaced(text), expected, "{text}");
    }
    let many: Vec<String> = (0..20).map(|n| format!("\"k{}\":{n}", n % 10)).collect();
    let kept: Vec<String> = (10..20).map(|n| format!("\"k{}\": {n}", n % 10)).collect();
    assert_eq!(
        spaced(&format!("{{{}}}", many.join(","))),
        format!("{{{}}}", kept.join(", "))
    );
    let deep = format!("{}1,2{}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(spaced(&deep), deep.replace(',', ", "));
}

/// Members of large containers are noted while the document is parsed, those of small ones later.
#[test]
fn members_are_the_same_whether_noted_or_looked_up() {
    let items = |count: usize| {
        (0..count)
            .map(|n| json!({"n": n, "deep": [n]}))
            .collect::<Value>()
    };
    let value = json!([1, items(2), [], items(500), "x", {}, items(3), {"large": items(400)}]);
    let node = root(&value.to_string());
    assert_eq!(to_value(&node), value);
    assert_eq!(
        node.index(3)
            .unwrap()
            .index(499)
            .unwrap()
            .get("deep")
            .unwrap()
            .raw(),
        "[499]"
    );
    assert_eq!(node.index(7).unwrap().get("large").unwrap().len(), 400);
    assert!(node.index(2).unwrap().is_empty() && node.index(5).unwrap().is_empty());
}

#[test]
fn debug_output_shows_no_contents() {
    let document = Document::parse(r#"{"password":"hunter2"}"#).unwrap();
    let shown = format!(
        "{document:?} {:?}",
        document.root().get("password").unwrap()
    );
    assert!(
        !shown.contains("hunter2") && !shown.contains("password"),
        "{shown}"
    );
}

#[test]
fn nodes_outlive_their_document_and_cross_threads() {
    let node = Document::parse(r#"{"a":{"b":[1,2,3]}}"#)
        .unwrap()
        .root()
        .get("a")
        .unwrap();
    let length = std::thread::spawn(move || node.get("b").unwrap().len())
        .join()
        .unwrap();
    assert_eq!(length, 3);
}

/// Text that is JSON, nearly JSON, or shares only its alphabet.
fn nearly_json() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just(":"),
        Just(" "),
        Just("\n"),
        Just("\"a\""),
        Just("\"\""),
        Just("\"\\u0061\""),
        Just("\"\\ud83d\\ude00\""),
        Just("\"\\ud83d\""),
        Just("\"a\":"),
        Just("\"\\\\\\\"\""),
        Just("\"eight bytes and more\""),
        Just("\"é\u{1}\""),
        Just("0"),
        Just("-0"),
        Just("1.5e3"),
        Just("12"),
        Just("-"),
        Just("."),
        Just("e"),
        Just("true"),
        Just("false"),
        Just("null"),
        Just("\""),
        Just("\\"),
        Just("x"),
    ];
    prop::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat())
}

pub(super) fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-80_000..80_000_i32).prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec(("[a-c\\\\\"é]{0,3}", inner), 0..8)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

#[test]
fn an_object_whose_keys_are_escaped_finds_them_however_often_it_is_asked() {
    let node = root(r#"{"\u0061b":1,"a\u0062":2,"a\u0063":3,"\ud83d\ude00":4}"#);
    for _ in 0..10 {
        assert_eq!(node.get("ab").unwrap().as_i64(), Some(2));
        assert_eq!(node.get("ac").unwrap().as_i64(), Some(3));
        assert_eq!(node.get("😀").unwrap().as_i64(), Some(4));
        assert!(node.get("ad").is_none());
    }
}

#[test]
fn a_wide_object_finds_the_last_of_a_key_however_often_it_is_asked() {
    let mut members: Vec<String> = (0..100).map(|n| format!("\"k{n}\":{n}")).collect();
    members.push("\"\\u006b7\":\"again\"".to_owned());
    let wide = root(&format!("{{{}}}", members.join(",")));
    for _ in 0..10 {
        assert_eq!(wide.get("k7").unwrap().as_str().as_deref(), Some("again"));
        assert_eq!(wide.get("k99").unwrap().as_i64(), Some(99));
        assert!(wide.get("k100").is_none());
    }
}

proptest! {
    #[test]
    fn exactly_what_serde_json_accepts_is_accepted(text in nearly_json()) {
        // What stands for half a surrogate pair among the tokens.
        let whole = text.replace("\\ud83d\"", "\\ufffd\"");
        let judge = serde_json::from_str::<Value>(&whole);
        let ours = Document::parse(text.as_str());
        // Numbers too large for a float are JSON all the same, and are kept as text here.
        let too_large = |error: &serde_json::Error| error.to_string().starts_with("number out of range");
        prop_assume!(!judge.as_ref().is_err_and(too_large));
        prop_assert_eq!(judge.is_ok(), ours.is_ok(), "{:?} {:?}", judge, ours);
        if let (Ok(judge), Ok(ours)) = (judge, ours) {
            prop_assert_eq!(judge, to_value(&ours.root()));
        }
    }

    #[test]
    fn what_nodes_say_is_what_serde_json_reads(value in any_value(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let node = root(&text);
        prop_assert_eq!(node.raw(), text.as_str());
        prop_assert_eq!(to_value(&node), value.clone());
        prop_assert_eq!(node.as_i64(), value.as_i64());
        prop_assert_eq!(node.as_u64(), value.as_u64());
        prop_assert_eq!(node.as_f64(), value.as_f64());
        prop_assert_eq!(node.len(), value.as_array().map_or(value.as_object().map_or(0, |o| o.len()), Vec::len));
    }

    #[test]
    fn one_wrong_byte_is_judged_as_serde_json_judges_it(value in any_value(), at: prop::sample::Index, byte: u8) {
        let mut text = serde_json::to_vec(&value).unwrap();
        let at = at.index(text.len());
        text[at] = byte;
        prop_assert_eq!(is_json(&text), Document::parse(text).is_ok());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert_eq!(is_json(&bytes), Document::parse(bytes).is_ok());
    }

    #[test]
    fn numbers_are_equal_when_their_values_are(digits in 1_u64..1_000_000_000, zeros in 0_usize..5) {
        let plain = format!("{digits}");
        let padded = format!("{digits}{}e-{zeros}", "0".repeat(zeros));
        let pointed = format!("0.{digits}E+{}", plain.len());
        prop_assert!(super::number::equal(&plain, &padded), "{} {}", plain, padded);
        prop_assert!(super::number::equal(&plain, &pointed), "{} {}", plain, pointed);
        let next = format!("{}", digits + 1);
        prop_assert!(!super::number::equal(&plain, &next));
        let negative = format!("-{}", digits);
        prop_assert!(!super::number::equal(&plain, &negative));
    }
}

/// What is special is found wherever it stands: behind whole words and blocks, and at their edges.
#[test]
fn strings_of_any_length_are_read_and_written_as_by_serde_json() {
    let filler = "plain text \u{7f}\u{e9}\u{1f600} ".repeat(20);
    let specials = [
        "\"",
        "\\",
        "\n",
        "\u{0}",
        "\u{1f}",
        "\u{8}\u{c}\r\t",
        " ",
        "!",
        "#",
        "[",
        "]",
    ];
    for length in (0..filler.len()).filter(|&at| filler.is_char_boundary(at)) {
        for special in specials {
            let text = format!("{}{special}{}", &filler[..length], &filler[length..]);
            let quoted = serde_json::to_string(&text).unwrap();
            assert_eq!(quote(&text), quoted);
            assert_eq!(is_plain(&text), quoted.len() == text.len() + 2);
            let document = Document::parse(quoted).unwrap();
            assert_eq!(document.root().as_str().unwrap(), text);
        }
        let bare = format!("\"{}\u{1}{}\"", &filler[..length], &filler[length..]);
        let error = Document::parse(bare).unwrap_err();
        assert_eq!(error.kind(), ParseErrorKind::ControlCharacter);
        assert_eq!(error.column(), 2 + length);
        let open = format!("\"{}", &filler[..length]);
        assert_eq!(
            Document::parse(open).unwrap_err().kind(),
            ParseErrorKind::UnexpectedEnd
        );
    }
}
