//! JSON as translations read and write it: values that are looked into again, text that is
//! appended.
//!
//! A translation makes a new document out of pieces of another one. Numbers, strings and schemas
//! are carried over as they are spelled, so that none of them changes on the way; members are read
//! by name, and `null` is an absent member, since clients spell it so. Called on worker threads,
//! for bodies and for each event of a stream. Nothing here fails: what is of another kind than was
//! asked for is absent.

use std::borrow::Cow;

use formats::json::{Kind, Raw, read, write_escaped};

use crate::count;

/// A value of a text that was checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'t>(Raw<'t>);

impl<'t> Value<'t> {
    /// Checks a text; none if it is not one JSON document.
    ///
    /// # Cost
    /// One pass, and no memory.
    pub(super) fn parse(text: &'t str) -> Option<Value<'t>> {
        let mut whole = None;
        let checked = read(text, |reader| {
            whole = Some(Value(reader.value()?));
            Ok(())
        });
        checked.ok().and(whole)
    }

    /// The same of bytes that should be UTF-8.
    pub(super) fn parse_bytes(bytes: &'t [u8]) -> Option<Value<'t>> {
        Value::parse(std::str::from_utf8(bytes).ok()?)
    }

    pub(super) fn kind(self) -> Kind {
        self.0.kind()
    }

    /// As it is spelled.
    pub(super) fn text(self) -> &'t str {
        self.0.text()
    }

    /// The members of these names, the last one where a key repeats; none for what is absent or
    /// null.
    ///
    /// # Cost
    /// One pass over the object.
    pub(super) fn members<const N: usize>(self, names: [&str; N]) -> [Option<Value<'t>>; N] {
        let mut members = [None; N];
        self.each(|key, value| {
            if let Some(place) = names.iter().position(|name| key.is(name))
                && let Some(member) = members.get_mut(place)
            {
                *member = Some(value).filter(|it| it.kind() != Kind::Null);
            }
        });
        members
    }

    /// One member, see [`members`](Self::members).
    pub(super) fn get(self, name: &str) -> Option<Value<'t>> {
        let [member] = self.members([name]);
        member
    }

    /// The entries of an object in their order, repeated ones too; nothing for other kinds.
    pub(super) fn each(self, mut each: impl FnMut(Raw<'t>, Value<'t>)) {
        // The text was checked, so that nothing can be wrong with it.
        let _ = read(self.text(), |reader| {
            reader.entries(|key, reader| {
                each(key, Value(reader.value()?));
                Ok(())
            })
        });
    }

    /// The items of an array; nothing for other kinds.
    pub(super) fn items(self) -> Vec<Value<'t>> {
        let mut items = Vec::new();
        let _ = read(self.text(), |reader| {
            reader.items(|_, reader| {
                items.push(Value(reader.value()?));
                Ok(())
            })
        });
        items
    }

    /// The contents of a string.
    pub(super) fn string(self) -> Option<Cow<'t, str>> {
        self.0.as_str()
    }

    /// Whether it is a string of these contents.
    pub(super) fn is(self, contents: &str) -> bool {
        self.0.is(contents)
    }

    /// The inside of a string as it is spelled, escapes and all; it can stand in another string.
    pub(super) fn spelled(self) -> Option<&'t str> {
        match self.kind() {
            Kind::String => self.text().get(1..self.text().len().saturating_sub(1)),
            _ => None,
        }
    }

    /// Whether it is a string of nothing but white space.
    pub(super) fn is_blank(self) -> bool {
        self.string().is_some_and(|text| text.trim().is_empty())
    }

    pub(super) fn bool(self) -> Option<bool> {
        match self.kind() {
            Kind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// A number that is not negative, see [`count::count`].
    pub(super) fn count(self) -> Option<u64> {
        count::count(self.0)
    }

    /// The nearest float to a number.
    pub(super) fn float(self) -> Option<f64> {
        match self.kind() {
            Kind::Number => self.text().parse().ok(),
            _ => None,
        }
    }

    pub(super) fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    pub(super) fn is_array(self) -> bool {
        self.kind() == Kind::Array
    }

    pub(super) fn is_string(self) -> bool {
        self.kind() == Kind::String
    }
}

/// JSON text that is being written. Commas come by themselves; brackets are for the caller to
/// match.
#[derive(Clone, Debug, Default)]
pub(super) struct Json(String);

impl Json {
    pub(super) fn with_capacity(capacity: usize) -> Json {
        Json(String::with_capacity(capacity))
    }

    pub(super) fn open_object(&mut self) {
        self.comma();
        self.0.push('{');
    }

    pub(super) fn close_object(&mut self) {
        self.0.push('}');
    }

    pub(super) fn open_array(&mut self) {
        self.comma();
        self.0.push('[');
    }

    pub(super) fn close_array(&mut self) {
        self.0.push(']');
    }

    /// A key, which must need no escapes.
    pub(super) fn key(&mut self, key: &str) {
        self.comma();
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
    }

    /// An entry of another object as it is spelled.
    pub(super) fn entry(&mut self, key: Raw<'_>, value: Value<'_>) {
        self.raw(key.text());
        self.colon();
        self.raw(value.text());
    }

    /// What stands between a key that was written as it is spelled and its value.
    pub(super) fn colon(&mut self) {
        self.0.push(':');
    }

    /// A value as it is spelled.
    pub(super) fn raw(&mut self, text: &str) {
        self.comma();
        self.0.push_str(text);
    }

    pub(super) fn string(&mut self, text: &str) {
        self.comma();
        self.0.push('"');
        // Writing to a string cannot fail.
        let _ = write_escaped(&mut self.0, text);
        self.0.push('"');
    }

    pub(super) fn member(&mut self, key: &str, text: &str) {
        self.key(key);
        self.raw(text);
    }

    pub(super) fn member_string(&mut self, key: &str, text: &str) {
        self.key(key);
        self.string(text);
    }

    /// A string whose inside is spelled already, see [`Value::spelled`].
    pub(super) fn member_spelled(&mut self, key: &str, spelled: &str) {
        self.key(key);
        self.0.push('"');
        self.0.push_str(spelled);
        self.0.push('"');
    }

    pub(super) fn member_number(&mut self, key: &str, number: u64) {
        use std::fmt::Write;
        self.key(key);
        let _ = write!(self.0, "{number}");
    }

    /// The member as it is spelled, if there is one.
    pub(super) fn member_if(&mut self, key: &str, value: Option<Value<'_>>) {
        if let Some(value) = value {
            self.member(key, value.text());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }

    /// Between two values; no value ends as a container or a key begins.
    fn comma(&mut self) {
        if !matches!(
            self.0.as_bytes().last(),
            None | Some(b'{' | b'[' | b':' | b',')
        ) {
            self.0.push(',');
        }
    }
}

/// The inside of a JSON string that stands for `text`, appended.
pub(super) fn escape_into(text: &str, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write_escaped(out, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_the_last_of_their_key_and_null_is_absent() {
        let value = Value::parse(r#"{"a": 1, "b": null, "a": 1.50, "\u0063": "x\n"}"#).unwrap();
        let [a, b, c] = value.members(["a", "b", "c"]);
        assert_eq!(a.map(Value::text), Some("1.50"));
        assert!(b.is_none());
        assert_eq!(c.and_then(Value::spelled), Some("x\\n"));
        assert!(Value::parse("[1, 2]").unwrap().get("a").is_none());
        assert!(Value::parse("{").is_none());
        assert!(Value::parse_bytes(b"\"\xff\"").is_none());
    }

    #[test]
    fn commas_come_by_themselves() {
        let mut json = Json::default();
        json.open_object();
        json.member_string("a", "x{");
        json.member_number("n", 7);
        json.key("list");
        json.open_array();
        json.raw("1.50");
        json.open_object();
        json.close_object();
        json.string("[");
        json.close_array();
        json.member_spelled("s", "\\n{");
        json.close_object();
        let expected = r#"{"a":"x{","n":7,"list":[1.50,{},"["],"s":"\n{"}"#;
        assert_eq!(json.into_text(), expected);
    }
}
