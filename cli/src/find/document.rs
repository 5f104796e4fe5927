//! One document of JSON or YAML: what it is by its outermost fields.

use serde_json::{Map, Value};
use transformations::config::fields::top;

use super::{Found, What, envoy};

mod kubernetes;

/// The configurations in a document. `text` is how it was written, if that is JSON: what the module is given is
/// that, with the lines that its author knows.
pub(super) fn find(value: &Value, text: &[u8]) -> Vec<Found> {
    let Value::Object(fields) = value else {
        return envoy::find(value, "");
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
    if is_configuration(fields) {
        return vec![Found::whole(What::Bare(written()))];
    }
    envoy::find(value, "")
}

/// Whether these are the fields of a configuration: one that says what it does, and no more than one in three
/// that is nobody's, so that a misspelt one is told and not taken for a file of another kind.
fn is_configuration(fields: &Map<String, Value>) -> bool {
    let says_something = [top::REQUESTS.name, top::RESPONSES.name, top::AI_HERE.name];
    let holds = |name: &&str| {
        let value = fields.get(*name);
        value.is_some_and(|value| value.is_object() || value.is_array())
    };
    let known = |name: &&String| top::CONFIGURATION.has(name);
    let unknown = fields.len() - fields.keys().filter(known).count();
    says_something.iter().any(holds) && unknown * 3 <= fields.len()
}
