//! The header and trailer maps of the fake host, with Envoy's rules.
//!
//! Used by [`FakeEnvoy`](super::FakeEnvoy) for the message in flight and by tests to look at what
//! came out. Names are kept in lower case and in order; `host` and `:authority` are one entry.

use std::fmt;

/// Headers of which Envoy keeps a single line: adding another value joins it with a comma.
const SINGLE_LINE: &[&str] = &[
    "connection",
    "content-length",
    "content-type",
    "expect",
    "grpc-timeout",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
];

/// Header or trailer lines, in order, repeats included.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FakeHeaderMap {
    lines: Vec<(Vec<u8>, Vec<u8>)>,
}

impl FakeHeaderMap {
    /// A map of these lines. Repeats stay separate lines.
    pub fn from_lines<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        lines: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let mut map = Self::default();
        for (key, value) in lines {
            map.push(key.as_ref(), value.as_ref());
        }
        map
    }

    /// The first value of `key`, with bytes that are not UTF-8 replaced.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<String> {
        self.value_bytes(key)
            .map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// Every value of `key`, in order, with bytes that are not UTF-8 replaced.
    #[must_use]
    pub fn values(&self, key: &str) -> Vec<String> {
        self.values_bytes(key)
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    /// The first value of `key`, byte for byte.
    #[must_use]
    pub fn value_bytes(&self, key: &str) -> Option<&[u8]> {
        self.values_bytes(key).next()
    }

    /// Every line, in order.
    pub fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.lines
            .iter()
            .map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    /// Appends a line, whatever is there already.
    pub(crate) fn push(&mut self, key: &[u8], value: &[u8]) {
        self.lines.push((name_of(key), value.to_vec()));
    }

    pub(crate) fn values_bytes(&self, key: &str) -> impl Iterator<Item = &[u8]> {
        let name = name_of(key.as_bytes());
        self.lines
            .iter()
            .filter(move |line| line.0 == name)
            .map(|line| line.1.as_slice())
    }

    /// Replaces every line of `key` with one; an empty value leaves none.
    pub(crate) fn set(&mut self, key: &str, value: &[u8]) {
        self.remove(key);
        if !value.is_empty() {
            self.push(key.as_bytes(), value);
        }
    }

    /// Adds a line, or joins the value where Envoy keeps a single line. Refuses what Envoy refuses:
    /// empty values; and pseudo headers, which it would mangle.
    pub(crate) fn add(&mut self, key: &str, value: &[u8]) -> bool {
        let name = name_of(key.as_bytes());
        if value.is_empty() || name.starts_with(b":") {
            return false;
        }
        let single = SINGLE_LINE.iter().any(|known| known.as_bytes() == name);
        match self.lines.iter_mut().find(|line| single && line.0 == name) {
            Some((_, present)) => {
                present.push(b',');
                present.extend_from_slice(value);
            }
            None => self.push(key.as_bytes(), value),
        }
        true
    }

    pub(crate) fn remove(&mut self, key: &str) {
        let name = name_of(key.as_bytes());
        self.lines.retain(|line| line.0 != name);
    }
}

impl fmt::Debug for FakeHeaderMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes| String::from_utf8_lossy(bytes);
        f.debug_list()
            .entries(
                self.lines()
                    .map(|(key, value)| format!("{}: {}", text(key), text(value))),
            )
            .finish()
    }
}

fn name_of(key: &[u8]) -> Vec<u8> {
    let name = key.to_ascii_lowercase();
    if name == b"host" {
        b":authority".to_vec()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_case_insensitive_and_repeats_are_kept() {
        let map = FakeHeaderMap::from_lines([("X-Many", "one"), ("x-many", "two")]);
        assert_eq!(map.values("X-MANY"), ["one", "two"]);
        assert_eq!(map.value("x-many").as_deref(), Some("one"));
    }

    #[test]
    fn host_and_authority_are_one_entry() {
        let mut map = FakeHeaderMap::from_lines([("Host", "a.example")]);
        assert_eq!(map.value(":authority").as_deref(), Some("a.example"));
        map.set("host", b"b.example");
        assert_eq!(map.values(":authority"), ["b.example"]);
    }

    #[test]
    fn setting_replaces_all_lines_and_an_empty_value_removes_them() {
        let mut map = FakeHeaderMap::from_lines([("a", "1"), ("a", "2"), ("b", "3")]);
        map.set("a", b"x");
        assert_eq!(map.values("a"), ["x"]);
        map.set("a", b"");
        assert_eq!(map.lines().count(), 1);
    }

    #[test]
    fn adding_joins_single_line_headers_and_refuses_what_envoy_refuses() {
        let mut map = FakeHeaderMap::from_lines([("user-agent", "curl"), ("x-a", "1")]);
        assert!(map.add("User-Agent", b"more"));
        assert!(map.add("x-a", b"2"));
        assert_eq!(map.values("user-agent"), ["curl,more"]);
        assert_eq!(map.values("x-a"), ["1", "2"]);
        assert!(!map.add(":path", b"/other"));
        assert!(!map.add("x-a", b""));
    }
}
