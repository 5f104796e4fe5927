//! What HTTP says about fields and messages: the bytes of names and values, the fields that belong to
//! a connection or to one body, the messages that have no content.
//!
//! Asked when a configuration is checked and while messages are transformed, by this crate and by the
//! filters. Pure functions over text; none allocates unless it has to change a value.

use std::borrow::Cow;

use crate::direction::Direction;

/// Whether the text is a `token` of RFC 9110 section 5.6.2, as names of fields and methods are.
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Whether the byte may stand in a token.
pub fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Header names in which `*` stands for any run of characters.
///
/// Pseudo-headers are names of other things, and match no pattern; a name without `*` is itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    /// What stands between the asterisks, in lower case.
    parts: Box<[Box<str>]>,
}

impl NamePattern {
    /// The pattern as it is written, in any case.
    pub fn new(text: &str) -> NamePattern {
        let text = text.to_ascii_lowercase();
        let parts = text.split('*').map(Into::into).collect();
        NamePattern { parts }
    }

    /// The one name that this is, unless it is a pattern.
    pub fn name(&self) -> Option<&str> {
        match &*self.parts {
            [name] => Some(name),
            _ => None,
        }
    }

    /// Whether a name, in lower case, matches. Takes time linear in the name for each part.
    pub fn matches(&self, name: &str) -> bool {
        let (first, rest) = match &*self.parts {
            [] => return false,
            [only] => return &**only == name,
            [first, rest @ ..] => (first, rest),
        };
        let Some((last, middle)) = rest.split_last() else {
            return false;
        };
        if name.starts_with(':') {
            return false;
        }
        // The leftmost place of each part leaves the most for those that follow.
        let Some(mut left) = name.strip_prefix(&**first) else {
            return false;
        };
        for part in middle {
            match left.find(&**part) {
                Some(at) => left = left.get(at + part.len()..).unwrap_or_default(),
                None => return false,
            }
        }
        left.ends_with(&**last)
    }
}

/// Whether a response of this status has no content, whatever its headers say (RFC 9110 sections
/// 15.2, 15.3.5, 15.3.6, 15.4.5). What follows its head is the next response.
pub fn has_no_content(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 205 | 304)
}

/// The pseudo-headers of a direction (RFC 9113 section 8.3, RFC 8441).
pub(crate) fn pseudo_headers(direction: Direction) -> &'static [&'static str] {
    match direction {
        Direction::Request => &[":method", ":path", ":authority", ":scheme", ":protocol"],
        Direction::Response => &[":status"],
    }
}

/// Whether a message of this direction cannot be without the header. Envoy crashes or resets the
/// stream when one is missing further down the chain.
pub(crate) fn is_vital(name: &str, direction: Direction) -> bool {
    name.starts_with(':') || (direction == Direction::Request && name == "host")
}

/// Whether the header says where the message ends. A wrong value would make the rest of this body
/// the next message on the connection: the way requests are smuggled.
pub(crate) fn is_framing(name: &str) -> bool {
    matches!(name, "content-length" | "transfer-encoding")
}

/// Whether the header is about the connection and not about the message (RFC 9110 section 7.6.1).
pub(crate) fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection" | "keep-alive" | "proxy-connection" | "te" | "trailer" | "upgrade"
    )
}

/// Headers that are computed from the bytes of a body, and wrong once these have changed. A strong
/// `etag` is one, too.
pub(crate) const DIGESTS: [&str; 4] = ["content-digest", "content-md5", "digest", "repr-digest"];

/// Whether an entity tag promises the same bytes (RFC 9110 section 8.8.1).
pub(crate) fn is_strong_etag(value: &[u8]) -> bool {
    !value.starts_with(b"W/")
}

/// Whether a request of this method, or the response to it, ends elsewhere than others do: a gateway
/// must not make one of these from another, nor another from one of these.
pub(crate) fn has_its_own_framing(method: &[u8]) -> bool {
    matches!(method, b"HEAD" | b"CONNECT")
}

/// The status that a `:status` holds.
pub(crate) fn status(value: &[u8]) -> Option<u16> {
    str::from_utf8(value).ok()?.parse().ok()
}

/// The status of an answer of our own: three digits, from 200 to 599.
pub(crate) fn reply_status(text: &str) -> Option<u16> {
    let digits = text.trim();
    let status = digits.parse().ok().filter(|_| digits.len() == 3)?;
    (200..=599).contains(&status).then_some(status)
}

/// What a header must hold, if it has a form and `value` does not have it. Envoy and the peers behind
/// it trust that these are well formed.
pub(crate) fn expected(name: &str, direction: Direction, value: &str) -> Option<&'static str> {
    let is_visible = || value.bytes().all(|byte| byte > b' ' && byte != 0x7f);
    let (fits, form) = match name {
        ":status" => (
            value.len() == 3 && matches!(value.parse(), Ok(200..=599)),
            "a status from 200 to 599",
        ),
        ":method" => (
            is_token(value) && !has_its_own_framing(value.as_bytes()),
            "a method such as POST, and neither HEAD nor CONNECT, which end in their own way",
        ),
        ":path" => (
            is_visible() && (value.starts_with('/') || value == "*"),
            "a path that begins with / and holds no space",
        ),
        ":scheme" => (matches!(value, "http" | "https"), "http or https"),
        ":protocol" => (is_token(value), "a protocol such as websocket"),
        ":authority" => (is_visible(), "a host without spaces"),
        "host" if direction == Direction::Request => (is_visible(), "a host without spaces"),
        _ => return None,
    };
    (!fits).then_some(form)
}

/// A header value without the characters that would end it, or that no field may hold: each becomes a
/// space, and a tab stays. Blanks around the value are not part of it; there they make a malformed
/// message of one in HTTP/2 (RFC 9110 section 5.5, RFC 9113 section 8.2.1).
pub fn clean(value: &str) -> Cow<'_, str> {
    let is_control = |c: char| c.is_ascii_control() && c != '\t';
    let value = trimmed(value);
    if !has_controls(value.as_bytes()) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(value.replace(is_control, " "))
}

/// The value without blanks and control characters around it.
fn trimmed(value: &str) -> &str {
    let is_inner = |byte: &u8| *byte > b' ' && *byte != 0x7f;
    let bytes = value.as_bytes();
    if bytes.first().is_some_and(is_inner) && bytes.last().is_some_and(is_inner) {
        return value;
    }
    let start = bytes.iter().position(is_inner).unwrap_or(bytes.len());
    let end = bytes
        .iter()
        .rposition(is_inner)
        .map_or(start, |last| last + 1);
    value.get(start..end).unwrap_or_default()
}

/// Whether there is a control character other than a tab. All bytes are asked, without a way out at the
/// first that is one, so that many are looked at together.
fn has_controls(bytes: &[u8]) -> bool {
    let any = |bytes: &[u8]| {
        bytes.iter().fold(false, |found, byte| {
            found | (*byte < b' ' && *byte != b'\t') | (*byte == 0x7f)
        })
    };
    match bytes.as_chunks::<8>() {
        ([], few) => any(few),
        // The last eight reach back into what was asked before.
        (chunks, _) => {
            let last = bytes.last_chunk::<8>();
            chunks
                .iter()
                .chain(last)
                .fold(false, |found, chunk| found | any(chunk))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_cleaned_alike_whatever_their_length() {
        let is_unfit = |c: char| c.is_ascii_control() && c != '\t';
        for length in 0..100 {
            let text = "\u{e9}".repeat(length / 2) + &"a".repeat(length % 2);
            assert!(matches!(clean(&text), Cow::Borrowed(same) if same == text));
            for unfit in [" ", "\t", "\r\n", "\0", "\u{7f}"] {
                let around = format!("{unfit}{text}{unfit}");
                assert_eq!(clean(&around), text, "{around:?}");
                let within = format!("{text}b{unfit}b{text}");
                assert_eq!(clean(&within), within.replace(is_unfit, " "), "{within:?}");
            }
        }
    }

    #[test]
    fn values_that_have_a_form_are_held_to_it() {
        let fits = |name, value| expected(name, Direction::Request, value).is_none();
        for (name, good, bad) in [
            (
                ":status",
                &["200", "429", "599"][..],
                &["abc", "99999", "199", "600", "+20", " 20"][..],
            ),
            (
                ":method",
                &["POST", "M-SEARCH"],
                &["HEAD", "CONNECT", "GE T", "G\u{e9}T"],
            ),
            (
                ":path",
                &["/", "/a?b=c", "*"],
                &["nopath", "/a b", "http://a/", "/\u{7f}", "*/"],
            ),
            (":scheme", &["http", "https"], &["HTTP", "ftp", "a b"]),
            (
                ":authority",
                &["a.test", "a.test:80", "[::1]:80"],
                &["a b", "a\tb"],
            ),
            ("host", &["a.test"], &["a b"]),
            (":protocol", &["websocket"], &["web socket"]),
            ("x-any", &["a b", "", "\u{e9}"], &[]),
        ] {
            for value in good {
                assert!(fits(name, value), "{name}: {value}");
            }
            for value in bad {
                assert!(!fits(name, value), "{name}: {value}");
            }
        }
        assert!(expected("host", Direction::Response, "a b").is_none());
    }

    #[test]
    fn asterisks_stand_for_any_run_of_characters() {
        for (pattern, matching, others) in [
            ("x-a", &["x-a"][..], &["x-ab", "x", ""][..]),
            (
                "X-Internal-*",
                &["x-internal-", "x-internal-a-b"],
                &["x-internal", "ax-internal-b"],
            ),
            ("*-id", &["-id", "x-id"], &["id", "x-ids"]),
            ("x-*-*-z", &["x-a-b-z", "x---z"], &["x-a-z", "x--z"]),
            ("a*a", &["aa", "aba"], &["a", "ab"]),
            ("*", &["a", ""], &[":path"]),
            ("*path", &["path"], &[":path"]),
            (":path", &[":path"], &["path"]),
        ] {
            let pattern = NamePattern::new(pattern);
            for name in matching {
                assert!(pattern.matches(name), "{pattern:?} {name}");
            }
            for name in others {
                assert!(!pattern.matches(name), "{pattern:?} {name}");
            }
        }
    }

    #[test]
    fn a_status_of_our_own_has_three_digits() {
        for (text, status) in [
            ("401", Some(401)),
            (" 599\n", Some(599)),
            ("+401", None),
            ("00401", None),
            ("199", None),
            ("600", None),
            ("", None),
        ] {
            assert_eq!(reply_status(text), status, "{text:?}");
        }
    }

    #[test]
    fn control_characters_become_spaces() {
        let all: String = (0..=0x7f_u8).map(char::from).collect();
        let all = format!("a{all}z");
        let cleaned = clean(&all);
        assert_eq!(cleaned.len(), all.len());
        let changed = all
            .chars()
            .zip(cleaned.chars())
            .filter(|(was, is)| was != is);
        let changed: Vec<_> = changed.map(|(was, is)| (u32::from(was), is)).collect();
        let expected = (0..0x20).filter(|c| *c != 9).chain([0x7f]);
        assert_eq!(changed, expected.map(|c| (c, ' ')).collect::<Vec<_>>());
        assert!(matches!(clean("a\tb \u{e9}"), Cow::Borrowed(_)));
    }

    #[test]
    fn blanks_around_a_value_are_not_part_of_it() {
        for (value, expected) in [
            (" a b ", "a b"),
            ("\r\n\ta\r\nb\u{7f}\n", "a  b"),
            (" \t\n", ""),
            ("\u{a0}a\u{a0}", "\u{a0}a\u{a0}"),
        ] {
            assert_eq!(clean(value), expected, "{value:?}");
        }
    }
}
