//! The mapping, and what is refused, by tables; that writing undoes reading, by properties.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::read::{Reason, read, read_from};
use super::write::Unwritable;
use crate::value::{Fault, budget};
use formats::json::Document;

fn map(text: &str) -> Result<Json, Reason> {
    read_from(&mut quick_xml::Reader::from_str(text), text).map(Json::Object)
}

fn xml(value: &Json) -> Result<String, Fault> {
    budget::open(1 << 20);
    let document = Document::parse(value.to_string()).unwrap();
    super::write::write(&document.root()).map_err(|error| {
        let source = std::error::Error::source(&error).unwrap();
        *source.downcast_ref::<Fault>().unwrap()
    })
}

#[test]
fn elements_are_maps_texts_or_null() {
    for (text, value) in [
        ("<a/>", json!({"a": null})),
        ("<a></a>", json!({"a": null})),
        ("<a>x</a>", json!({"a": "x"})),
        ("<a> x </a>", json!({"a": " x "})),
        ("<a> </a>", json!({"a": " "})),
        ("<a b='1' c=\"2\"/>", json!({"a": {"@b": "1", "@c": "2"}})),
        ("<a b='1'>x</a>", json!({"a": {"@b": "1", "#text": "x"}})),
        ("<a><b/><c>1</c></a>", json!({"a": {"b": null, "c": "1"}})),
        ("<a>\n  <b/>\n</a>", json!({"a": {"b": null}})),
        (
            "<a><b>1</b><c/><b>2</b><b x='3'/></a>",
            json!({"a": {"b": ["1", "2", {"@x": "3"}], "c": null}}),
        ),
        (
            "<p>Hello <b>you</b> there</p>",
            json!({"p": {"b": "you", "#text": "Hello  there"}}),
        ),
        (
            "<s:E xmlns:s='urn:s'><s:B/></s:E>",
            json!({"s:E": {"@xmlns:s": "urn:s", "s:B": null}}),
        ),
        (
            "<?xml version='1.0' encoding='utf-8'?>\n<!-- c --><?p i?>\n<a>1<!-- c -->2<?p?>3</a>\n<!---->",
            json!({"a": "123"}),
        ),
        (
            "<a><![CDATA[<b>&amp;]]> ok</a>",
            json!({"a": "<b>&amp; ok"}),
        ),
        (
            "<a b='&lt;&#65;&quot;'>&lt;&gt;&amp;&apos;&quot;&#65;&#x42;</a>",
            json!({"a": {"@b": "<A\"", "#text": "<>&'\"AB"}}),
        ),
        (
            "<a b='x\ty\r\nz'>p\r\nq\rr</a>",
            json!({"a": {"@b": "x y z", "#text": "p\nq\nr"}}),
        ),
        (
            "<a b='&#10;'>&#13;</a>",
            json!({"a": {"@b": "\n", "#text": "\r"}}),
        ),
        ("<été>1</été>", json!({"été": "1"})),
        ("<a>é\u{1F600}</a>", json!({"a": "é\u{1F600}"})),
        ("<a >x</a >", json!({"a": "x"})),
    ] {
        assert_eq!(map(text), Ok(value), "{text}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for text in [
        "",
        " ",
        "x",
        "<a>",
        "</a>",
        "<a></b>",
        "<a><b></a></b>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a/>&amp;",
        "<a/><![CDATA[]]>",
        "<1/>",
        "<a b/>",
        "<a b=1/>",
        "<a b='1' b='2'/>",
        "<a b='<'/>",
        "<a 1='x'/>",
        "<a>&</a>",
        "<a>& </a>",
        "<a>&#0;</a>",
        "<a>&#8;</a>",
        "<a>&#xD800;</a>",
        "<a>&#xFFFF;</a>",
        "<a b='&#1;'/>",
        "<a>\u{1}</a>",
        "<a>]]></a>",
        "<a><!-- a -- b --></a>",
        " <?xml version='1.0'?><a/>",
        "<a/><?xml version='1.0'?>",
        "<?xml version='2.0'?><a/>",
        "<a",
        "<a><![CDATA[</a>",
        "<!-- <a/>",
    ] {
        assert_eq!(map(text), Err(Reason::NotWellFormed), "{text}");
    }
}

#[test]
fn nothing_is_expanded_or_fetched() {
    let bomb = "<!DOCTYPE a [<!ENTITY x 'ha'><!ENTITY y '&x;&x;'>]><a>&y;</a>";
    let outside = "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>";
    for (text, reason) in [
        (bomb, Reason::DocumentType),
        (outside, Reason::DocumentType),
        ("<!DOCTYPE html><html/>", Reason::DocumentType),
        ("<a>&nbsp;</a>", Reason::Entity),
        ("<a b='&nbsp;'/>", Reason::Entity),
        (
            "<?xml version='1.0' encoding='iso-8859-1'?><a/>",
            Reason::Encoding,
        ),
        (
            "<?xml version='1.0' encoding='UTF-16'?><a/>",
            Reason::Encoding,
        ),
    ] {
        assert_eq!(map(text), Err(reason), "{text}");
    }
}

#[test]
fn depth_is_bounded_and_what_is_within_it_can_be_read() {
    // Each level in a list of two, which takes most levels of JSON.
    let nested = |levels: usize| {
        let open = "<a><b/><b>".repeat(levels / 2);
        format!("{open}{}", "</b></a>".repeat(levels / 2))
    };
    assert_eq!(map(&nested(62)), Err(Reason::TooDeep));
    let deepest = map(&nested(60)).unwrap();
    assert!(xml(&deepest).is_ok());
}

#[test]
fn a_byte_order_mark_is_stepped_over() {
    assert!(read("\u{FEFF}<?xml version='1.0'?><a/>").is_ok());
    assert!(read("<a/>\u{FEFF}").is_err());
}

#[test]
fn a_refusal_tells_where() {
    let error = read("<a>\n<b>&nbsp;</b></a>").unwrap_err();
    assert_eq!(
        error.to_string(),
        "fromxml: there is no such entity: only lt, gt, amp, apos, quot and numbers are known, seen at byte 13"
    );
}

#[test]
fn maps_are_written_as_the_elements_they_stand_for() {
    for (value, text) in [
        (json!({"a": null}), "<a/>"),
        (json!({"a": {}}), "<a/>"),
        (json!({"a": ""}), "<a></a>"),
        (json!({"a": 1.50}), "<a>1.5</a>"),
        (json!({"a": true}), "<a>true</a>"),
        (json!({"a": "<&>\"'\r\n"}), "<a>&lt;&amp;&gt;\"'&#13;\n</a>"),
        (
            json!({"a": {"@b": "<\"&'\t\r\n", "@n": 2, "@gone": null}}),
            "<a b=\"&lt;&quot;&amp;&apos;&#9;&#13;&#10;\" n=\"2\"/>",
        ),
        (
            json!({"a": {"c": 1, "@b": 2, "#text": "x"}}),
            "<a b=\"2\"><c>1</c>x</a>",
        ),
        (json!({"a": {"#text": null}}), "<a></a>"),
        (
            json!({"a": {"b": [1, null, {"@c": 2}], "e": []}}),
            "<a><b>1</b><b/><b c=\"2\"/></a>",
        ),
    ] {
        assert_eq!(xml(&value).as_deref(), Ok(text), "{value}");
    }
}

#[test]
fn what_is_no_element_is_refused() {
    for (value, why) in [
        (json!({}), Unwritable::Root),
        (json!({"a": 1, "b": 2}), Unwritable::Root),
        (json!({"a": [1]}), Unwritable::Root),
        (json!([1]), Unwritable::Root),
        (json!(1), Unwritable::Root),
        (json!({"": 1}), Unwritable::Name),
        (json!({"a b": 1}), Unwritable::Name),
        (json!({"1": 1}), Unwritable::Name),
        (json!({"@a": 1}), Unwritable::Name),
        (json!({"#text": 1}), Unwritable::Name),
        (json!({"a": {"b><c": 1}}), Unwritable::Name),
        (json!({"a": {"@b=\"\" c": 1}}), Unwritable::Name),
        (json!({"a": {"@": 1}}), Unwritable::Name),
        (json!({"a": {"@b": {}}}), Unwritable::Attribute),
        (json!({"a": {"@b": [1]}}), Unwritable::Attribute),
        (json!({"a": {"#text": {}}}), Unwritable::Attribute),
        (json!({"a": {"b": [[1]]}}), Unwritable::List),
        (json!({"a": "\u{0}"}), Unwritable::Character),
        (json!({"a": {"@b": "\u{B}"}}), Unwritable::Character),
    ] {
        assert_eq!(xml(&value), Err(Fault::from(why)), "{value}");
    }
}

#[test]
fn a_long_name_is_paid_for_each_time_it_is_written() {
    let value = json!({"a": {"n".repeat(1_000): vec![1; 1_000]}});
    let document = Document::parse(value.to_string()).unwrap();
    budget::open(1 << 20);
    assert!(super::write::write(&document.root()).is_err());
    assert!(budget::is_overdrawn());
}

/// Elements as reading gives them: no empty texts, and lists only of two or more.
fn element() -> impl Strategy<Value = Json> {
    let text = || "[ -~éß\u{1F600}\t\n]{1,8}";
    let leaf = prop_oneof![Just(Json::Null), text().prop_map(Json::from)];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let attributes =
            prop::collection::btree_map("@[a-z]{1,3}", text().prop_map(Json::from), 0..3);
        let several = prop::collection::vec(inner.clone(), 2..4).prop_map(Json::from);
        let child = prop_oneof![3 => inner, 1 => several];
        let children = prop::collection::btree_map("[a-z]{1,3}", child, 0..4);
        (attributes, children).prop_filter_map("nothing in it", |(attributes, children)| {
            let members: serde_json::Map<_, _> = attributes.into_iter().chain(children).collect();
            (!members.is_empty()).then_some(Json::Object(members))
        })
    })
}

proptest! {
    #[test]
    fn reading_undoes_writing(root in element()) {
        let value = json!({"root": root});
        prop_assert_eq!(map(&xml(&value).unwrap()), Ok(value));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[<>/!\\[\\]?&;='\" a-cCDAT#x0-9-]{0,40}") {
        if let Ok(value) = map(&text) {
            // What was read can be written, and reads the same again.
            prop_assert_eq!(map(&xml(&value).unwrap()), Ok(value));
        }
    }
}
