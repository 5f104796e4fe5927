//! Objects of Kubernetes that hold configurations: kgateway's policies, Envoy Gateway's, ConfigMaps with files,
//! lists of objects, and whatever carries pieces of Envoy's configuration.

use serde_json::{Map, Value};

use crate::find::locate::{Around, Spot};
use crate::find::path::Path;
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
            let spec = Path::default().name("spec");
            let rules = rules.map(|it| {
                let spot = Spot::of(spec.name("transformation"));
                Found::at("", spot, What::Policy(it.clone()))
            });
            let list = there("spec/acl").map(|it| it.to_string().into_bytes());
            let list = list.map(|it| {
                let what = What::Config(Filter::AccessList, it);
                Found::at("spec.acl", Spot::of(spec.name("acl")), what)
            });
            rules.into_iter().chain(list).collect()
        }
        "EnvoyExtensionPolicy" => {
            let modules = at("spec/dynamicModule").and_then(Value::as_array);
            let modules = modules.into_iter().flatten().enumerate();
            modules.flat_map(module).collect()
        }
        "ConfigMap" => {
            let files = fields.get("data").and_then(Value::as_object);
            files.into_iter().flatten().flat_map(file).collect()
        }
        "List" => {
            let items = fields.get("items").and_then(Value::as_array);
            let items = items.into_iter().flatten().enumerate();
            let objects = items.filter_map(|(number, it)| Some((number, it.as_object()?)));
            let found = objects.flat_map(|(number, object)| {
                let base = Path::default().name("items").number(number);
                let found = find(object).into_iter();
                found.map(move |it| it.moved(|spot| spot.below(&base)))
            });
            return found.collect();
        }
        _ => envoy::find(&Value::Object(fields.clone())),
    };
    found.into_iter().map(|it| it.under(&called)).collect()
}

/// An entry of Envoy Gateway's `dynamicModule`, whose `config` is sent as JSON.
fn module((number, entry): (usize, &Value)) -> Option<Found> {
    let name = entry.get("filterName").and_then(Value::as_str)?;
    let filter = Filter::configured(name).ok()?;
    let config = entry.get("config").filter(|config| !config.is_null());
    let text = config.map(ToString::to_string).unwrap_or_default();
    let modules = Path::default().name("spec").name("dynamicModule");
    let spot = Spot::of(modules.number(number).name("config"));
    Some(Found::at(
        name,
        spot,
        What::Config(filter, text.into_bytes()),
    ))
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
            document::find_all(&values, &[])
        }
    };
    let path = Path::default().name("data").name(name);
    let here = Around::String { document: 0, path };
    let inside = inside.into_iter().map(|it| it.under(name));
    inside
        .map(|it| it.moved(|spot| spot.within(here.clone())))
        .collect()
}
