//! `tojson`, `fromjson`, `json_set`, `json_remove` and `json_merge`.
//!
//! Called on worker threads while a template renders. A document may be given as a value of the
//! message, whose bytes are taken as they stand, as JSON text, or as a value that the template made.
//! Edited documents are text, so that untouched bytes reach the output as they came.

use std::borrow::Cow;

use minijinja::{Error, Value};

use super::{Function, function, json_edit};
use crate::value::Fault;
use crate::value::budget::{self, PaidText};
use crate::value::print::{self, Layout};
use crate::value::{NodeValue, to_value};
use formats::json::Document;

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "tojson",
        "tojson(value)",
        "The value as JSON; what comes from the message keeps its bytes.",
        ("{{ tojson(messages[1]) }}", "{\"role\":\"user\",\"content\":\"Hello there\"}"),
        (1, 1),
        None,
        |environment, name| environment.add_function(name, to_json),
        filter "value | tojson",
        |environment, name| environment.add_filter(name, to_json),
    ),
    function!(
        "fromjson",
        "fromjson(text)",
        "The value that JSON text stands for; integers keep every digit. Fails if the text is not JSON.",
        ("{{ fromjson('{\"a\": [1, 2]}').a[1] }}", "2"),
        (1, 1),
        None,
        |environment, name| environment.add_function(name, from_json),
        filter "text | fromjson",
        |environment, name| environment.add_filter(name, from_json),
    ),
    function!(
        "json_set",
        "json_set(document, pointer, value)",
        "The document, as JSON text, with the value at a JSON Pointer (RFC 6901) set; its parent must exist. Untouched bytes stay.",
        ("{{ json_set('{\"a\": 1.0, \"b\": 2}', \"/b\", \"x\") }}", "{\"a\": 1.0, \"b\": \"x\"}"),
        (3, 3),
        Pointer,
        |environment, name| environment.add_function(name, set),
        filter "document | json_set(pointer, value)",
        |environment, name| environment.add_filter(name, set),
    ),
    function!(
        "json_remove",
        "json_remove(document, pointer)",
        "The document, as JSON text, without what is at a JSON Pointer; unchanged if nothing is there.",
        ("{{ json_remove('{\"a\": 1.0, \"b\": 2}', \"/b\") }}", "{\"a\": 1.0}"),
        (2, 2),
        Pointer,
        |environment, name| environment.add_function(name, remove),
        filter "document | json_remove(pointer)",
        |environment, name| environment.add_filter(name, remove),
    ),
    function!(
        "json_merge",
        "json_merge(document, patch)",
        "The document, as JSON text, with a JSON Merge Patch (RFC 7386): objects are merged, null removes, all else replaces.",
        ("{{ json_merge('{\"a\": 1, \"b\": 2}', {\"b\": none, \"c\": 3}) }}", "{\"a\": 1,\"c\": 3}"),
        (2, 2),
        None,
        |environment, name| environment.add_function(name, merge),
        filter "document | json_merge(patch)",
        |environment, name| environment.add_filter(name, merge),
    ),
];

fn to_json(value: &Value) -> Result<String, Error> {
    let mut text = PaidText::default();
    print::json(&mut text, value, Layout::Compact, 0).map_err(|_| Fault::TooDeep)?;
    Ok(text.into_string())
}

fn from_json(text: Cow<'_, str>) -> Result<Value, Error> {
    // Reading it may take as many passes as it has levels; they cost less than its one copy.
    budget::charge(text.len().saturating_mul(8))?;
    budget::charge_container()?;
    let document = Document::parse(text.into_owned()).map_err(Fault::FromJson)?;
    Ok(to_value(document.root()))
}

fn set(document: &Value, pointer: Cow<'_, str>, value: &Value) -> Result<String, Error> {
    let (document, value) = (to_document(document)?, to_json(value)?);
    budget::within(|limit| json_edit::set(&document, &pointer, value, limit))
}

fn remove(document: &Value, pointer: Cow<'_, str>) -> Result<String, Error> {
    let document = to_document(document)?;
    budget::within(|limit| json_edit::remove(&document, &pointer, limit))
}

fn merge(document: &Value, patch: &Value) -> Result<String, Error> {
    let (document, patch) = (to_document(document)?, to_document(patch)?);
    // All keys of the document are compared with each other, and each member of the patch is put in.
    budget::charge(document.text().len())?;
    budget::charge(patch.text().len().saturating_mul(16))?;
    budget::within(|limit| json_edit::merge(&document, &patch, limit))
}

/// Text is JSON; every other value becomes JSON.
pub(super) fn to_document(value: &Value) -> Result<Document, Error> {
    let text = match (value.as_str(), value.downcast_object_ref::<NodeValue>()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(found)) => found.node().raw().to_owned(),
        (None, None) => return Ok(Document::parse(to_json(value)?).map_err(|_| Fault::NotJson)?),
    };
    budget::charge(text.len())?;
    Ok(Document::parse(text).map_err(|_| Fault::NotJson)?)
}
