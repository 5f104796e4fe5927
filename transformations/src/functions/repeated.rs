//! Maps whose names can come more than once, as in forms and XML: one value, or the list of them.
//!
//! Used by functions on worker threads while a template renders. Names keep the order in which they
//! came first. The hash behind the map is keyed, so that a client cannot choose names that collide.

use serde_json::map::Entry;
use serde_json::{Map, Value as Json};

use minijinja::{Error, Value};

use crate::value::{Fault, budget, to_value};
use formats::json::Document;

/// Puts `value` beside what is there of this name. It must not be a list itself.
pub(super) fn insert(map: &mut Map<String, Json>, name: String, value: Json) {
    match map.entry(name) {
        Entry::Vacant(place) => {
            place.insert(value);
        }
        Entry::Occupied(mut place) => match place.get_mut() {
            Json::Array(list) => list.push(value),
            first => *first = Json::Array(vec![first.take(), value]),
        },
    }
}

/// The map as a value that is read where it stands, like JSON of a message. Pays for it as `fromjson`
/// does.
pub(super) fn into_value(map: Map<String, Json>) -> Result<Value, Error> {
    let text = Json::Object(map).to_string();
    budget::charge(text.len().saturating_mul(8))?;
    budget::charge_container()?;
    let document = Document::parse(text).map_err(|_| Fault::NotJson)?;
    Ok(to_value(document.root()))
}
