//! Envoy's filter for dynamic modules, wherever it stands in a bootstrap, a dump or an xDS resource, in the
//! spelling of protobuf's fields or of its JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use transformations::{Code, Diagnostic};

use super::{Found, What, join};

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

/// The configurations in a value, at and below a path.
pub(super) fn find(value: &Value, path: &str) -> Vec<Found> {
    let mut found = Vec::new();
    walk(value, path, &mut found);
    found
}

fn walk(value: &Value, path: &str, found: &mut Vec<Found>) {
    match value {
        Value::Object(fields) => {
            if let Some((filter, path)) = filter(fields, path) {
                found.extend(of_filter(filter, &path));
                return;
            }
            for (name, value) in fields {
                walk(value, &join(path, name), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

/// The fields of a filter for dynamic modules, if an object is one: as an `Any`, or as a `TypedStruct`.
fn filter<'v>(
    fields: &'v Map<String, Value>,
    path: &str,
) -> Option<(&'v Map<String, Value>, String)> {
    let is_filter = |field: &str| {
        let kind = fields.get(field).and_then(Value::as_str)?;
        let (_, name) = kind.rsplit_once('.')?;
        matches!(name, "DynamicModuleFilter" | "DynamicModuleFilterPerRoute").then_some(())
    };
    if is_filter("@type").is_some() {
        return Some((fields, path.to_owned()));
    }
    is_filter("type_url").or_else(|| is_filter("typeUrl"))?;
    let inside = fields.get("value")?.as_object()?;
    Some((inside, join(path, "value")))
}

fn of_filter(fields: &Map<String, Value>, path: &str) -> Option<Found> {
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
    let bytes = fields.get(spelt).map(bytes).unwrap_or_default();
    Some(Found::at(join(path, spelt), What::Config(filter, bytes)))
}

fn unknown(name: &str, path: &str) -> Found {
    let shown: String = name.chars().take(64).collect();
    let message = format!("this module has no filter named {shown:?}");
    let problem = Diagnostic::error(Code::UNKNOWN_FILTER_NAME, "", message);
    let known: Vec<_> = NAMES.into_iter().map(|(known, _)| known).collect();
    let help = format!("it has: {}", known.join(", "));
    Found::at(path, What::Wrong(problem.with_help(help)))
}

/// What Envoy hands over of an `Any`. What is no text comes as a protobuf message, for which the module has a
/// sentence.
fn bytes(config: &Value) -> Vec<u8> {
    let kind = config.get("@type").and_then(Value::as_str);
    let value = config.get("value").and_then(Value::as_str);
    let name = kind.and_then(|kind| kind.rsplit_once('.'));
    match (name, value) {
        (Some((_, "StringValue")), value) => value.unwrap_or_default().as_bytes().to_vec(),
        (Some((_, "BytesValue")), value) => {
            let decoded = STANDARD.decode(value.unwrap_or_default());
            decoded.unwrap_or_else(|_| config.to_string().into_bytes())
        }
        _ => config.to_string().into_bytes(),
    }
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
