//! `fromxml` and `toxml`: XML as maps, and maps as XML.
//!
//! Called on worker threads while a template renders. An element that has nothing is null, one that has
//! only text is that text, and any other is a map: attributes are its members `@name`, child elements
//! its members by name (several of one name are a list), and text beside them is `#text`.
//!
//! Refused are texts that are not well-formed XML 1.0, document types, and references to entities that
//! XML does not define itself, so that nothing is expanded and nothing fetched; when writing, maps that
//! no element could have been read from.

use std::borrow::Cow;

use minijinja::{Error, Value};

use super::{Function, function, json, repeated};
use crate::value::budget;

mod names;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "fromxml",
        "fromxml(text)",
        "The elements of XML text as maps: attributes are @name, text beside them is #text, repeated elements are lists.",
        (
            "{{ fromxml('<o id=\"7\"><i>tea</i><i>milk</i><e/></o>') }}",
            "{\"o\": {\"@id\": \"7\", \"i\": [\"tea\", \"milk\"], \"e\": null}}",
        ),
        (1, 1),
        None,
        |environment, name| environment.add_function(name, from_xml),
        filter "text | fromxml",
        |environment, name| environment.add_filter(name, from_xml),
    ),
    function!(
        "toxml",
        "toxml(map)",
        "The XML text of a map as fromxml gives it, with the one element at its root; also of JSON text.",
        (
            "{{ toxml({\"o\": {\"@id\": 7, \"i\": [\"tea\", \"milk & more\"]}}) }}",
            "<o id=\"7\"><i>tea</i><i>milk &amp; more</i></o>",
        ),
        (1, 1),
        None,
        |environment, name| environment.add_function(name, to_xml),
        filter "map | toxml",
        |environment, name| environment.add_filter(name, to_xml),
    ),
];

fn from_xml(text: Cow<'_, str>) -> Result<Value, Error> {
    // Each element is a member of a map, even one of four bytes.
    budget::charge(text.len().saturating_mul(8))?;
    let root = read::read(&text)?;
    repeated::into_value(root)
}

fn to_xml(map: &Value) -> Result<String, Error> {
    let document = json::to_document(map)?;
    // Each level is read once more for the levels around it, as `fromjson` does it.
    budget::charge(document.text().len().saturating_mul(8))?;
    write::write(&document.root())
}
