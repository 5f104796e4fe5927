//! Objects of Kubernetes that hold configurations: kgateway's policies, Envoy Gateway's, ConfigMaps with files,
//! lists of objects, and whatever carries pieces of Envoy's configuration.

use serde_json::{Map, Value};

use crate::find::{Filter, Found, What, document, envoy, yaml};

/// The configurations in an object.
pub(super) fn find(fields: &Map<String, Value>) -> Vec<Found> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let at = |pointer: &str| {
        let (first, rest) = pointer.split_once('/').unwrap_or((pointer, ""));
        match rest {
            "" => fields.get(first),
            rest => fields.get(first)?.pointer(&format!("/{rest}")),
        }
    };
    let kind = text("kind").unwrap_or_default();
    let named = at("metadata/name").and_then(Value::as_str);
    let called = match named {
        Some(name) => format!("{kind} {name}"),
        None => kind.to_owned(),
    };
    let found = match kind {
        "TrafficPolicy" => {
            let there = |pointer| at(pointer).filter(|value| !value.is_null());
            let rules = there("spec/transformation");
            let rules = rules.map(|it| Found::whole(What::Policy(it.clone())));
            let list = there("spec/acl").map(|it| it.to_string().into_bytes());
            let list = list.map(|it| Found::at("spec.acl", What::Config(Filter::AccessList, it)));
            rules.into_iter().chain(list).collect()
        }
        "EnvoyExtensionPolicy" => {
            let modules = at("spec/dynamicModule").and_then(Value::as_array);
            modules.into_iter().flatten().flat_map(module).collect()
        }
        "ConfigMap" => {
            let files = fields.get("data").and_then(Value::as_object);
            files.into_iter().flatten().flat_map(file).collect()
        }
        "List" => {
            let items = fields.get("items").and_then(Value::as_array);
            let objects = items.into_iter().flatten().filter_map(Value::as_object);
            return objects.flat_map(find).collect();
        }
        _ => envoy::find(&Value::Object(fields.clone()), ""),
    };
    let placed = found.into_iter().map(|it| Found {
        place: match it.place.as_str() {
            "" => called.clone(),
            inside => format!("{called}: {inside}"),
        },
        ..it
    });
    placed.collect()
}

/// An entry of Envoy Gateway's `dynamicModule`, whose `config` is sent as JSON.
fn module(entry: &Value) -> Option<Found> {
    let name = entry.get("filterName").and_then(Value::as_str)?;
    let filter = Filter::configured(name).ok()?;
    let config = entry.get("config").filter(|config| !config.is_null());
    let text = config.map(ToString::to_string).unwrap_or_default();
    Some(Found::at(name, What::Config(filter, text.into_bytes())))
}

/// A file of a ConfigMap.
fn file((name, text): (&String, &Value)) -> Vec<Found> {
    let Some(text) = text.as_str() else {
        return Vec::new();
    };
    let inside: Vec<Found> = match serde_json::from_str(text) {
        Ok(value) => document::find(&value, text.as_bytes()),
        Err(_) => {
            let values = yaml::documents(text).unwrap_or_default();
            let inside = values.iter().flat_map(|value| document::find(value, &[]));
            inside.collect()
        }
    };
    let placed = inside.into_iter().map(|it| Found {
        place: match it.place.as_str() {
            "" => name.clone(),
            inside => format!("{name}: {inside}"),
        },
        ..it
    });
    placed.collect()
}
