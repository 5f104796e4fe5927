//! Envoy's filter for dynamic modules, wherever it stands in a bootstrap, a dump or an xDS resource, in the
//! spelling of protobuf's fields or of its JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use transformations::{Code, Diagnostic};

use super::locate::Spot;
use super::path::Path;
use super::{Found, What};

/// The name under which kgateway, and every example here, loads the module.
const MODULE: &str = "rust_module";

/// The filters of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// The transformation filter.
    Transformation,
    /// Access control by address.
    AccessList,
    /// Translation for providers of LLMs.
    Provider,
    /// The tutorial, which has no configuration.
    Tutorial,
}

/// Every name that the module answers.
const NAMES: [(&str, Filter); 5] = [
    ("http_simple_mutations", Filter::Transformation),
    ("rustformation", Filter::Transformation),
    ("http-acl", Filter::AccessList),
    ("llm-provider", Filter::Provider),
    ("my-smart-header", Filter::Tutorial),
];

impl Filter {
    pub(super) fn named(name: &str) -> Option<Filter> {
        let mut known = NAMES.into_iter();
        known.find_map(|(known, filter)| (known == name).then_some(filter))
    }

    /// Its name today.
    pub(crate) fn name(self) -> &'static str {
        let mut named = NAMES.into_iter().rev();
        let found = named.find(|(_, filter)| *filter == self);
        found.map_or("", |(name, _)| name)
    }

    /// The filter of this name, if it has a configuration.
    ///
    /// # Errors
    /// The names that there are.
    pub(crate) fn configured(name: &str) -> Result<Filter, String> {
        let has_some = |filter: &Filter| *filter != Filter::Tutorial;
        Filter::named(name).filter(has_some).ok_or_else(|| {
            let known = NAMES.iter().filter(|(_, filter)| has_some(filter));
            let known: Vec<_> = known.map(|(name, _)| *name).collect();
            format!("expected one of {}", known.join(", "))
        })
    }
}

/// The configurations in a value.
pub(super) fn find(value: &Value) -> Vec<Found> {
    let mut found = Vec::new();
    walk(value, &Path::default(), &mut found);
    found
}

fn walk(value: &Value, path: &Path, found: &mut Vec<Found>) {
    match value {
        Value::Object(fields) => {
            if let Some((filter, path)) = filter(fields, path) {
                found.extend(of_filter(filter, &path));
                return;
            }
            for (name, value) in fields {
                walk(value, &path.name(name), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &path.number(index), found);
            }
        }
        _ => {}
    }
}

/// The fields of a filter for dynamic modules, if an object is one: as an `Any`, or as a `TypedStruct`.
fn filter<'v>(
    fields: &'v Map<String, Value>,
    path: &Path,
) -> Option<(&'v Map<String, Value>, Path)> {
    let is_filter = |field: &str| {
        let kind = fields.get(field).and_then(Value::as_str)?;
        let (_, name) = kind.rsplit_once('.')?;
        matches!(name, "DynamicModuleFilter" | "DynamicModuleFilterPerRoute").then_some(())
    };
    if is_filter("@type").is_some() {
        return Some((fields, path.clone()));
    }
    is_filter("type_url").or_else(|| is_filter("typeUrl"))?;
    let inside = fields.get("value")?.as_object()?;
    Some((inside, path.name("value")))
}

fn of_filter(fields: &Map<String, Value>, path: &Path) -> Option<Found> {
    let either = |one: &str, other: &str| fields.get(one).or_else(|| fields.get(other));
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let name = text(either("filter_name", "filterName"));
    let name = name.or_else(|| text(either("per_route_config_name", "perRouteConfigName")))?;
    let filter = match Filter::named(&name) {
        Some(Filter::Tutorial) => return None,
        Some(filter) => filter,
        None => {
            let module = either("dynamic_module_config", "dynamicModuleConfig");
            let module = module.and_then(|module| module.get("name"));
            return (module.and_then(Value::as_str) == Some(MODULE)).then(|| unknown(&name, path));
        }
    };
    let spelt = match fields.contains_key("filterConfig") {
        true => "filterConfig",
        false => "filter_config",
    };
    let path = path.name(spelt);
    let config = fields.get(spelt);
    let spot = match config.and_then(string) {
        Some(_) => Spot::inside(path.name("value")),
        None => Spot::of(path.clone()),
    };
    let bytes = config.map(bytes).unwrap_or_default();
    Some(Found::at(
        path.to_string(),
        spot,
        What::Config(filter, bytes),
    ))
}

fn unknown(name: &str, path: &Path) -> Found {
    let shown: String = name.chars().take(64).collect();
    let message = format!("this module has no filter named {shown:?}");
    let problem = Diagnostic::error(Code::UNKNOWN_FILTER_NAME, "", message);
    let known: Vec<_> = NAMES.into_iter().map(|(known, _)| known).collect();
    let help = format!("it has: {}", known.join(", "));
    let spot = Spot::of(path.clone());
    Found::at(path.to_string(), spot, What::Wrong(problem.with_help(help)))
}

/// What Envoy hands over of an `Any`. What is no text comes as a protobuf message, for which the module has a
/// sentence.
fn bytes(config: &Value) -> Vec<u8> {
    if let Some(text) = string(config) {
        return text.as_bytes().to_vec();
    }
    let kind = config.get("@type").and_then(Value::as_str);
    let value = config.get("value").and_then(Value::as_str);
    let name = kind.and_then(|kind| kind.rsplit_once('.'));
    match (name, value) {
        (Some((_, "StringValue")), None) => Vec::new(),
        (Some((_, "BytesValue")), value) => {
            let decoded = STANDARD.decode(value.unwrap_or_default());
            decoded.unwrap_or_else(|_| config.to_string().into_bytes())
        }
        _ => config.to_string().into_bytes(),
    }
}

/// The text of a StringValue.
fn string(config: &Value) -> Option<&str> {
    let kind = config.get("@type").and_then(Value::as_str)?;
    let (_, name) = kind.rsplit_once('.')?;
    let value = config.get("value").and_then(Value::as_str);
    value.filter(|_| name == "StringValue")
}

#[cfg(test)]
mod tests {
    use super::NAMES;

    #[test]
    fn the_names_are_those_of_the_module() {
        let module = include_str!("../../../rustformations/src/lib.rs");
        let names = NAMES.map(|(name, _)| name).join(", ");
        assert!(module.contains(&format!("const KNOWN: &str = \"{names}\";")));
    }
}
