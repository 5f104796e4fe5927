//! One document of JSON or YAML: what it is by its outermost fields.

use serde_json::{Map, Value};
use transformations::config::fields::{Object, access, provider, top};

use super::{Filter, Found, What, envoy, in_documents};

mod kubernetes;

/// The configurations in a document. `text` is how it was written, if that is JSON: what the module is given is
/// that, with the lines that its author knows.
pub(super) fn find(value: &Value, text: &[u8]) -> Vec<Found> {
    let Value::Object(fields) = value else {
        return envoy::find(value);
    };
    let written = || match text {
        [] => value.to_string().into_bytes(),
        text => text.to_vec(),
    };
    if fields.contains_key("kind") && fields.contains_key("apiVersion") {
        return kubernetes::find(fields);
    }
    if fields.len() == 1 && fields.contains_key("profiles") {
        return vec![Found::whole(What::Profiles(written()))];
    }
    match filter(fields) {
        Some(filter) => vec![Found::whole(What::alone(filter, written()))],
        None => envoy::find(value),
    }
}

/// The same in all documents of a text.
pub(super) fn find_all(values: &[Value], text: &[u8]) -> Vec<Found> {
    in_documents(values.iter().map(|value| find(value, text)))
}

/// The filter whose configuration these fields are, if they are one.
fn filter(fields: &Map<String, Value>) -> Option<Filter> {
    if is_transformation(fields) {
        return Some(Filter::Transformation);
    }
    let is_half = |object, fields: &Map<_, _>| unknown(object, fields) * 2 <= fields.len();
    if fields.contains_key(access::DEFAULT_ACTION.name) && is_half(&access::ACCESS_LIST, fields) {
        return Some(Filter::AccessList);
    }
    let is_provider = |fields: &Map<String, Value>| {
        let name = fields.get(provider::PROVIDER.name).and_then(Value::as_str);
        let known = |name| {
            provider::PROVIDER
                .shape
                .all
                .iter()
                .any(|(it, _)| *it == name)
        };
        name.is_some_and(known) && is_half(&provider::ONE, fields)
    };
    let are_providers = |several: &Map<String, Value>| {
        let mut several = several.values();
        several.any(|one| one.as_object().is_some_and(is_provider))
    };
    let several = fields.get(provider::PROVIDERS.name);
    let several = several.and_then(Value::as_object);
    let is_here = is_provider(fields)
        || (several.is_some_and(are_providers) && is_half(&provider::SEVERAL, fields));
    is_here.then_some(Filter::Provider)
}

/// Whether these are the fields of a transformation: one that says what it does.
fn is_transformation(fields: &Map<String, Value>) -> bool {
    let says_something = [top::REQUESTS.name, top::RESPONSES.name, top::AI_HERE.name];
    let holds = |name: &&str| {
        let value = fields.get(*name);
        value.is_some_and(|value| value.is_object() || value.is_array())
    };
    says_something.iter().any(holds) && unknown(&top::CONFIGURATION, fields) * 3 <= fields.len()
}

/// How many fields are none of the object's. Where some are, a misspelt one is told; where many are, it is a file
/// of another kind.
fn unknown(object: &Object, fields: &Map<String, Value>) -> usize {
    fields.keys().filter(|name| !object.has(name)).count()
}
