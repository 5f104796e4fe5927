use proptest::prelude::*;

use super::*;

#[test]
fn only_unreserved_characters_stay_as_they_are() {
    for (text, encoded) in [
        ("", ""),
        ("AZaz09-._~", "AZaz09-._~"),
        ("a b", "a%20b"),
        ("a+b/c?d=e&f", "a%2Bb%2Fc%3Fd%3De%26f"),
        ("é", "%C3%A9"),
        ("\0\u{7f}%", "%00%7F%25"),
    ] {
        assert_eq!(encode(text), encoded, "{text:?}");
    }
}

#[test]
fn decoding_is_strict() {
    for (text, decoded) in [
        ("", Ok("")),
        ("a%20b", Ok("a b")),
        ("a+b", Ok("a+b")),
        ("%c3%A9", Ok("é")),
        ("100%", Err(Fault::PercentEscape)),
        ("%4", Err(Fault::PercentEscape)),
        ("%zz", Err(Fault::PercentEscape)),
        ("%+1", Err(Fault::PercentEscape)),
        ("%é", Err(Fault::PercentEscape)),
        ("%ff", Err(Fault::DecodedNotUtf8)),
    ] {
        assert_eq!(decode(text).as_deref(), decoded.as_deref(), "{text:?}");
    }
}

#[test]
fn a_parameter_is_read_as_a_form_writes_it() {
    for (path, name, value) in [
        ("/p", "a", None),
        ("/p?", "a", None),
        ("/p?a=1&b=2", "b", Some("2")),
        ("/p?a=1&a=2", "a", Some("1")),
        ("/p?a", "a", Some("")),
        ("/p?a=", "a", Some("")),
        ("/p?a=b=c", "a", Some("b=c")),
        ("/p?q=a+b%20c", "q", Some("a b c")),
        ("/p?q=100%&r=%zz", "q", Some("100%")),
        ("/p?q=100%&r=%zz", "r", Some("%zz")),
        ("/p?q=%ff", "q", Some("\u{FFFD}")),
        ("/p?a%5B%5D=1", "a[]", Some("1")),
        ("/p?A=1", "a", None),
        ("/p?x=1&&y=2", "", None),
        ("/p?=1", "", Some("1")),
        ("/p?a=1#?b=2", "b", None),
        ("/p?a=1#f", "a", Some("1")),
        ("/p?a=?", "a", Some("?")),
    ] {
        assert_eq!(query_param(path, name).as_deref(), value, "{path} {name}");
    }
}

#[test]
fn setting_a_parameter_keeps_everything_else() {
    for (path, name, value, edited) in [
        ("/p", "a", "1", "/p?a=1"),
        ("/p?", "a", "1", "/p?a=1"),
        ("/p?b=2", "a", "1", "/p?b=2&a=1"),
        ("/p?b=2&", "a", "1", "/p?b=2&a=1"),
        ("/p?x=%7e&a=0&y=+&a=9&z", "a", "1", "/p?x=%7e&a=1&y=+&z"),
        ("/p?%61=0", "a", "1", "/p?a=1"),
        ("/p?a", "a", "", "/p?a="),
        ("/p?b&&c", "a b", "ü&", "/p?b&&c&a%20b=%C3%BC%26"),
        ("/p?a=1#frag", "a", "2", "/p?a=2"),
        ("", "a", "1", "?a=1"),
    ] {
        assert_eq!(
            set_query_param(path, name, value),
            edited,
            "{path} {name}={value}"
        );
    }
}

#[test]
fn removing_a_parameter_removes_every_one_of_that_name() {
    for (path, name, edited) in [
        ("/p", "a", "/p"),
        ("/p?", "a", "/p?"),
        ("/p?a=1", "a", "/p"),
        ("/p?a=1&b=2&a=3&c", "a", "/p?b=2&c"),
        ("/p?b=%7e&&c=+", "a", "/p?b=%7e&&c=+"),
        ("/p?aa=1", "a", "/p?aa=1"),
        ("/p?b=1#a", "a", "/p?b=1"),
    ] {
        assert_eq!(remove_query_param(path, name), edited, "{path} {name}");
    }
}

proptest! {
    #[test]
    fn decoding_undoes_encoding(text: String) {
        let encoded = encode(&text);
        prop_assert!(encoded.len() <= 3 * text.len());
        prop_assert_eq!(decode(&encoded), Ok(text));
    }

    #[test]
    fn what_was_set_can_be_read_and_removed(path in "[^#]{0,40}", name: String, value: String) {
        let edited = set_query_param(&path, &name, &value);
        prop_assert!(edited.len() <= path.len() + 3 * (name.len() + value.len()) + 3);
        prop_assert_eq!(query_param(&edited, &name), Some(value));
        prop_assert_eq!(query_param(&remove_query_param(&edited, &name), &name), None);
    }

    #[test]
    fn other_parameters_keep_their_bytes_and_order(
        before in "[a-y]=[^&#?]{0,6}", after in "[a-y]=[^&#?]{0,6}", value: String,
    ) {
        let edited = set_query_param(&format!("/p?{before}&z=1&{after}"), "z", &value);
        prop_assert_eq!(&edited, &format!("/p?{before}&z={}&{after}", encode(&value)));
        prop_assert_eq!(remove_query_param(&edited, "z"), format!("/p?{before}&{after}"));
    }

    #[test]
    fn any_text_can_be_decoded_and_read(path: String, name: String) {
        let _ = decode(&path);
        let _ = query_param(&path, &name);
        let _ = remove_query_param(&path, &name);
    }
}
