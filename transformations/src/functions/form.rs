//! `form` and `toform`: the fields of an HTML form, and of any query, as a map.
//!
//! Called on worker threads while a template renders. Reading refuses nothing, since the text is the
//! client's: what is no escape stands for itself, and bytes that are not UTF-8 become U+FFFD. Writing
//! refuses values that no field can hold: maps, and lists in lists.

use std::borrow::Cow;
use std::fmt::Write;

use form_urlencoded::{byte_serialize, parse};
use minijinja::{Error, Value};
use serde_json::Map;

use super::{Function, function, json, repeated};
use crate::value::Fault;
use crate::value::budget::{self, PaidText};
use formats::json::{Kind, Node};

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "form",
        "form(text)",
        "The fields of an HTML form (application/x-www-form-urlencoded) or of a query as a map of texts; a name that comes more than once has the list of its values.",
        ("{{ form(\"to=Ann+Lee&tag=a&tag=b\") }}", "{\"to\": \"Ann Lee\", \"tag\": [\"a\", \"b\"]}"),
        (1, 1),
        None,
        |environment, name| environment.add_function(name, form),
        filter "text | form",
        |environment, name| environment.add_filter(name, form),
    ),
    function!(
        "toform",
        "toform(map)",
        "The map as an HTML form writes it: a list gives one field for each item, null none.",
        ("{{ toform({\"tag\": [\"a\", \"b&c\"], \"to\": \"Ann Lee\"}) }}", "tag=a&tag=b%26c&to=Ann+Lee"),
        (1, 1),
        None,
        |environment, name| environment.add_function(name, to_form),
        filter "map | toform",
        |environment, name| environment.add_filter(name, to_form),
    ),
];

fn form(text: Cow<'_, str>) -> Result<Value, Error> {
    // Each field is a member of a map, even one of two bytes.
    budget::charge(text.len().saturating_mul(8))?;
    let mut map = Map::new();
    for (name, value) in parse(text.as_bytes()) {
        repeated::insert(&mut map, name.into_owned(), value.into_owned().into());
    }
    repeated::into_value(map)
}

fn to_form(map: &Value) -> Result<String, Error> {
    let document = json::to_document(map)?;
    budget::charge_nodes(document.root().members())?;
    let mut form = Form::default();
    let root = document.root();
    if root.kind() != Kind::Object {
        return Err(Fault::NotAForm.into());
    }
    for (name, value) in root.entries() {
        match value.kind() {
            Kind::Array => (value.items()).try_for_each(|item| form.field(&name, &item))?,
            _ => form.field(&name, &value)?,
        }
    }
    Ok(form.0.into_string())
}

/// A form that pays for itself as it grows.
#[derive(Default)]
struct Form(PaidText);

impl Form {
    fn field(&mut self, name: &str, value: &Node) -> Result<(), Error> {
        let text = match value.kind() {
            Kind::Null => return Ok(()),
            Kind::Array | Kind::Object => return Err(Fault::NotAForm.into()),
            Kind::String => value.as_str().unwrap_or_default(),
            Kind::Bool(_) | Kind::Number => value.raw().into(),
        };
        self.append(name, &text).map_err(|_| budget::overdrawn())
    }

    fn append(&mut self, name: &str, value: &str) -> std::fmt::Result {
        if !self.0.is_empty() {
            self.0.write_str("&")?;
        }
        byte_serialize(name.as_bytes()).try_for_each(|piece| self.0.write_str(piece))?;
        self.0.write_str("=")?;
        byte_serialize(value.as_bytes()).try_for_each(|piece| self.0.write_str(piece))
    }
}
