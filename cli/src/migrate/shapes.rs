//! Finds what can be moved in a document, and puts what comes of it into its place.

use serde_json::{Map, Value, json};

use super::moved::Moved;
use super::notes::Notes;
use super::{classic, inja, maps, setters};
use crate::find::path::Path;

/// Everything of a document.
pub(super) fn moved(document: &Value, notes: &mut Notes) -> Vec<Moved> {
    let mut all = Vec::new();
    walk(document, &Path::default(), notes, &mut all);
    all
}

fn walk(value: &Value, path: &Path, notes: &mut Notes, all: &mut Vec<Moved>) {
    match value {
        Value::Object(fields) => {
            let kind = fields.get("kind").and_then(Value::as_str);
            let policy = value.pointer("/spec/transformation");
            if let (Some("TrafficPolicy"), Some(Value::Object(rules))) = (kind, policy) {
                all.push(of_policy(value, rules, path, notes));
            } else if setters::is_one(fields) {
                setters::moved(fields, path, notes, all);
            } else if classic::is_one(fields) || maps::is_one(fields) {
                let document = match maps::is_one(fields) {
                    true => maps::moved(fields),
                    false => classic::moved(fields, path, notes),
                };
                all.push(Moved {
                    place: path.to_string(),
                    spot: notes.spot(path),
                    document,
                });
            } else {
                for (name, value) in fields {
                    walk(value, &path.name(name), notes, all);
                }
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                walk(item, &path.number(number), notes, all);
            }
        }
        _ => {}
    }
}

/// A policy has had one shape; its templates may be Inja's.
fn of_policy(policy: &Value, rules: &Map<String, Value>, path: &Path, notes: &mut Notes) -> Moved {
    let place = path.name("spec").name("transformation");
    let mut moved = Map::new();
    for (direction, transform) in rules {
        let path = place.name(direction);
        let mut transform = transform.clone();
        let mut reads_json = false;
        for list in ["set", "add"] {
            if let Some(Value::Array(headers)) = transform.get_mut(list) {
                let mut number = 0..;
                headers.retain_mut(|header| {
                    let path = path.name(list).number(number.next().unwrap_or_default());
                    replace(header, &path, notes, &mut reads_json)
                });
            }
        }
        if let Some(body) = transform.get_mut("body")
            && !replace(body, &path.name("body"), notes, &mut reads_json)
            && let Value::Object(body) = body
        {
            body.remove("value");
        }
        let parse_as = transform.pointer("/body/parseAs").and_then(Value::as_str);
        if reads_json && parse_as.is_none() {
            // The classic engine parses what it can.
            let body = transform.get("body").cloned().unwrap_or_else(|| json!({}));
            if let (Value::Object(fields), Value::Object(mut body)) = (&mut transform, body) {
                body.insert("parseAs".to_owned(), json!("AsJson"));
                fields.insert("body".to_owned(), Value::Object(body));
            }
        }
        moved.insert(direction.clone(), transform);
    }
    let mut document = policy.clone();
    if let Some(here) = document.pointer_mut("/spec/transformation") {
        *here = Value::Object(moved);
    }
    forget_cluster(&mut document);
    let name = policy.pointer("/metadata/name").and_then(Value::as_str);
    Moved {
        place: format!("TrafficPolicy {}", name.unwrap_or_default()),
        spot: notes.spot(&place),
        document,
    }
}

/// Takes away what a cluster adds to an object, which would be in the way where it is applied.
fn forget_cluster(document: &mut Value) {
    if let Value::Object(fields) = document {
        fields.remove("status");
    }
    if let Some(Value::Object(metadata)) = document.get_mut("metadata") {
        let names = [
            "creationTimestamp",
            "generation",
            "managedFields",
            "resourceVersion",
            "selfLink",
            "uid",
        ];
        metadata.retain(|name, _| !names.contains(&name.as_str()));
    }
}

/// Moves the template that is the value of an object; answers whether it could be.
fn replace(object: &mut Value, path: &Path, notes: &mut Notes, reads_json: &mut bool) -> bool {
    let Some(Value::String(text)) = object.get_mut("value") else {
        return true;
    };
    let Some(template) = inja::moved(text, false, &path.name("value"), notes) else {
        return false;
    };
    *text = template.text;
    *reads_json |= template.reads_json;
    true
}
