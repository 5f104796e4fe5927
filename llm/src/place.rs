//! Places in a text, and edits at places.
//!
//! Views of requests and responses say where things stand; stages collect edits of one text, which is
//! written once. What no edit names stays as it is, byte for byte. On the worker thread of a message.

use std::ops::Range;

use formats::json::{Raw, write_escaped};

/// Where a value stands in the text that it was read from, the quotes of a string included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Its first byte.
    pub start: usize,
    /// The byte behind its last one.
    pub end: usize,
}

impl Place {
    /// The value as it stands; empty if `text` is another one.
    pub fn of(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }

    /// The same as a range.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The contents of a string, decoded; none for values of other kinds.
    pub fn contents(self, text: &str) -> Option<std::borrow::Cow<'_, str>> {
        Raw::of_value(self.of(text)).as_str()
    }
}

impl From<Raw<'_>> for Place {
    fn from(raw: Raw<'_>) -> Place {
        let Range { start, end } = raw.range();
        Place { start, end }
    }
}

/// Edits of one JSON text, in any order.
///
/// They never overlap: of two edits that would, the later one is left out, which
/// [`replace`](Edits::replace) tells.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    /// Sorted by place; what is inserted at one place stands in the order in which it was inserted.
    edits: Vec<(Place, String)>,
}

impl Edits {
    /// No edits.
    pub fn new() -> Edits {
        Edits::default()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.edits.len()
    }

    /// Puts `with` in the place of what stands there; an empty place is one to insert at. False if
    /// some of it was replaced before.
    ///
    /// # Cost
    /// Constant if edits come in the order of the text, else a search and a move of those behind.
    pub fn replace(&mut self, place: Place, with: impl Into<String>) -> bool {
        let behind = match self.edits.last() {
            Some((last, _)) if (last.start, last.end) > (place.start, place.start) => self
                .edits
                .partition_point(|(it, _)| (it.start, it.end) <= (place.start, place.start)),
            _ => self.edits.len(),
        };
        let before = behind.checked_sub(1).and_then(|it| self.edits.get(it));
        let meets_before = before.is_some_and(|(it, _)| it.end > place.start);
        let meets_behind = (self.edits.get(behind)).is_some_and(|(it, _)| it.start < place.end);
        // Two replacements of one place, of which the first is not empty, meet as well.
        if meets_before || meets_behind {
            return false;
        }
        self.edits.insert(behind, (place, with.into()));
        true
    }

    /// Rewrites parts of the contents of the string at `string` in `text`; what is around them keeps its
    /// spelling. The parts are ranges of [`Place::contents`], in order.
    ///
    /// # Cost
    /// One pass over the string.
    pub fn rewrite<'p>(
        &mut self,
        text: &str,
        string: Place,
        parts: impl IntoIterator<Item = (Range<usize>, &'p str)>,
    ) -> bool {
        let mut all = true;
        let (ranges, with): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let spelled = Raw::of_value(string.of(text)).spelled(ranges);
        for (Range { start, end }, with) in spelled.zip(with) {
            let (start, end) = (string.start + start, string.start + end);
            let mut escaped = String::with_capacity(with.len());
            // Writing to a string cannot fail.
            let _ = write_escaped(&mut escaped, with);
            all &= self.replace(Place { start, end }, escaped);
        }
        all
    }

    /// Adds edits of the same text that were collected apart. False if two of them meet; then these are
    /// not to be written.
    ///
    /// # Cost
    /// One pass over all.
    pub fn merge(&mut self, other: Edits) -> bool {
        self.edits.extend(other.edits);
        // Two runs, each in order: the sort merges them.
        self.edits
            .sort_by_key(|(place, _)| (place.start, place.end));
        let meet = |pair: &[(Place, String)]| match pair {
            [(first, _), (second, _)] => first.end > second.start,
            _ => false,
        };
        !self.edits.windows(2).any(meet)
    }

    /// Inserts `text` before the byte at `at`.
    pub fn insert(&mut self, at: usize, text: impl Into<String>) -> bool {
        self.replace(Place { start: at, end: at }, text)
    }

    /// Adds an entry behind the last one of the object at `object` in `text`. `key` is one that needs no
    /// escapes, `value` is JSON.
    pub fn add_entry(&mut self, text: &str, object: Place, key: &str, value: &str) -> bool {
        self.push(text, object, &format!("\"{key}\":{value}"))
    }

    /// Adds an item behind the last one of the array at `array` in `text`.
    pub fn push_item(&mut self, text: &str, array: Place, value: &str) -> bool {
        self.push(text, array, value)
    }

    /// Adds an item before the one at `item`, a place in an array of `text`.
    pub fn insert_item_before(&mut self, item: Place, value: &str) -> bool {
        self.insert(item.start, format!("{value},"))
    }

    /// Takes the entry out whose key stands at `key` and whose value at `value` in `text`, with one of
    /// the commas around it.
    pub fn remove_entry(&mut self, text: &str, key: Place, value: Place) -> bool {
        let before = text.get(..key.start).unwrap_or_default().trim_end();
        let behind = text.get(value.end..).unwrap_or_default();
        let place = if before.ends_with(',') {
            Place {
                start: before.len() - 1,
                end: value.end,
            }
        } else {
            let next = behind.trim_start();
            let comma = next.strip_prefix(',').map(str::trim_start);
            Place {
                start: key.start,
                end: text.len() - comma.map_or(behind.len(), str::len),
            }
        };
        self.replace(place, "")
    }

    /// The text with all edits made.
    ///
    /// # Cost
    /// One copy.
    pub fn write(&self, text: &str) -> String {
        let more: usize = self.edits.iter().map(|(_, with)| with.len()).sum();
        let mut out = String::with_capacity(text.len() + more);
        let mut done = 0;
        for (place, with) in &self.edits {
            out.push_str(text.get(done..place.start).unwrap_or_default());
            out.push_str(with);
            done = place.end;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }

    /// Adds a member behind the last one of a container.
    fn push(&mut self, text: &str, container: Place, member: &str) -> bool {
        let inside = Place {
            start: container.start + 1,
            end: container.end.saturating_sub(1),
        };
        let members = inside.of(text).trim_end();
        let at = inside.start + members.len();
        // What was added before is a member too.
        let is_added = |(it, _): &(Place, String)| it.start == at && it.end == at;
        let is_first = members.is_empty() && !self.edits.iter().any(is_added);
        let comma = if is_first { "" } else { "," };
        self.insert(at, format!("{comma}{member}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, part: &str) -> Place {
        let start = text.find(part).unwrap();
        Place {
            start,
            end: start + part.len(),
        }
    }

    #[test]
    fn edits_are_made_in_the_order_of_the_text() {
        let text = "0123456789";
        let mut edits = Edits::new();
        assert!(edits.is_empty());
        assert!(edits.replace(place(text, "78"), "b"));
        assert!(edits.replace(place(text, "01"), "a"));
        assert!(edits.insert(5, "x"));
        assert!(edits.insert(5, "y"));
        assert!(edits.insert(2, "z"));
        assert_eq!(edits.write(text), "az234xy56b9");
    }

    #[test]
    fn of_two_edits_that_meet_the_first_stays() {
        let text = "0123456789";
        let mut edits = Edits::new();
        assert!(edits.replace(place(text, "345"), ""));
        for part in ["345", "2345", "34", "4", "56", "23"] {
            assert!(!edits.replace(place(text, part), "x"), "{part}");
        }
        assert!(!edits.insert(4, "x"));
        assert!(edits.insert(3, "l"));
        assert!(edits.insert(6, "r"));
        assert_eq!(edits.write(text), "012lr6789");
    }

    #[test]
    fn edits_that_were_collected_apart_are_merged() {
        let text = "0123456789";
        let edits = |parts: &[&str]| {
            let mut edits = Edits::new();
            for part in parts {
                edits.replace(place(text, part), part.to_uppercase() + "!");
            }
            edits
        };
        let mut one = edits(&["01", "67"]);
        assert!(one.merge(edits(&["34", "9"])));
        assert_eq!(one.write(text), "01!234!567!89!");
        assert!(!one.merge(edits(&["78"])));
    }

    #[test]
    fn members_are_added_to_containers_of_any_style() {
        let added = |text: &str| {
            let mut edits = Edits::new();
            edits.add_entry(text, place(text, text.trim()), "a", "1");
            edits.write(text)
        };
        assert_eq!(added("{}"), r#"{"a":1}"#);
        assert_eq!(added("{ }\n"), "{\"a\":1 }\n");
        assert_eq!(added("{\"b\": 2\n}"), "{\"b\": 2,\"a\":1\n}");
        let text = "[ 1, 2 ]";
        let mut edits = Edits::new();
        edits.push_item(text, place(text, text), "3");
        edits.insert_item_before(place(text, "1"), "0");
        assert_eq!(edits.write(text), "[ 0,1, 2,3 ]");
    }

    #[test]
    fn members_are_added_behind_added_members() {
        for (text, expected) in [
            ("{ }", r#"{"a":1,"b":2 }"#),
            (r#"{"c":3}"#, r#"{"c":3,"a":1,"b":2}"#),
        ] {
            let mut edits = Edits::new();
            edits.add_entry(text, place(text, text), "a", "1");
            edits.add_entry(text, place(text, text), "b", "2");
            assert_eq!(edits.write(text), expected);
        }
    }

    #[test]
    fn around_what_is_rewritten_every_spelling_stays() {
        let text = r#"{"a": "\u00fc jo@x.org \/ me"}"#;
        let string = Place {
            start: 6,
            end: text.len() - 1,
        };
        let contents = string.contents(text).unwrap();
        let (first, second) = (
            contents.find("jo@x.org").unwrap(),
            contents.find("me").unwrap(),
        );
        let mut edits = Edits::new();
        let parts = [(first..first + 8, "[\"1\"]"), (second..second + 2, "you")];
        assert!(edits.rewrite(text, string, parts));
        assert_eq!(edits.write(text), r#"{"a": "\u00fc [\"1\"] \/ you"}"#);
    }

    #[test]
    fn an_entry_goes_with_one_comma() {
        let removed = |text: &str| {
            let mut edits = Edits::new();
            edits.remove_entry(text, place(text, "\"x\""), place(text, "0"));
            edits.write(text)
        };
        assert_eq!(removed(r#"{"x":0}"#), "{}");
        assert_eq!(removed(r#"{ "x" : 0 , "y": 1}"#), r#"{ "y": 1}"#);
        assert_eq!(removed(r#"{"y": 1 , "x":0 }"#), r#"{"y": 1  }"#);
        assert_eq!(removed(r#"{"y":1,"x":0,"z":2}"#), r#"{"y":1,"z":2}"#);
    }
}
