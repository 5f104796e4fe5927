//! What the Rust engine of kgateway 2.0 and 2.1 was given: lists of pairs, and JSON text by the name of a route.

use serde_json::{Map, Value, json};

use super::inja;
use super::moved::Moved;
use super::notes::Notes;
use crate::find::path::Path;

const REQUEST: &str = "request_headers_setter";
const RESPONSE: &str = "response_headers_setter";
const ROUTES: &str = "route_specific";

/// Whether these are the fields of one.
pub(super) fn is_one(fields: &Map<String, Value>) -> bool {
    [REQUEST, RESPONSE, ROUTES]
        .iter()
        .any(|name| fields.contains_key(*name))
}

/// Moves it, and what it has for routes: each is a configuration of its own.
pub(super) fn moved(
    fields: &Map<String, Value>,
    path: &Path,
    notes: &mut Notes,
    all: &mut Vec<Moved>,
) {
    let mut document = Map::new();
    for (setter, direction) in [(REQUEST, "request"), (RESPONSE, "response")] {
        let Some(pairs) = fields.get(setter) else {
            continue;
        };
        let path = path.name(setter);
        let mut set = Vec::new();
        for (number, pair) in pairs.as_array().into_iter().flatten().enumerate() {
            let path = path.number(number);
            let pair = pair.as_array().map(Vec::as_slice);
            let Some([Value::String(name), Value::String(value)]) = pair else {
                notes.lost(&path, "this is no pair of a name and a value", "");
                continue;
            };
            if let Some(template) = inja::of_first_engine(value, &path.number(1), notes) {
                set.push(json!({"name": name, "value": template.text}));
            }
        }
        document.insert(direction.to_owned(), json!({ "set": set }));
    }
    if !document.is_empty() {
        all.push(Moved {
            place: path.to_string(),
            spot: notes.spot(path),
            document: Value::Object(document),
        });
    }
    let routes = fields.get(ROUTES).and_then(Value::as_object);
    for (name, text) in routes.into_iter().flatten() {
        let path = path.name(ROUTES).name(name);
        let inside = text.as_str().map(serde_json::from_str::<Value>);
        match inside {
            Some(Ok(Value::Object(fields))) if is_one(&fields) => {
                let first = all.len();
                notes.in_string(Some(path));
                moved(&fields, &Path::default(), notes, all);
                notes.in_string(None);
                for one in all.iter_mut().skip(first) {
                    one.place = format!("route {name}");
                }
            }
            _ => notes.lost(
                &path,
                "this is no JSON text with request_headers_setter or response_headers_setter",
                "write a configuration for this route",
            ),
        }
    }
}
