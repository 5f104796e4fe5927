//! What bodies may look like, as schemas: every member by its name, and nothing else.
//!
//! Compiled once when a provider starts. What no schema can say, such as which result belongs to
//! which call, is in [`rules`](super::rules).

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::account::Provider;
use super::door::{Api, Refused};
use super::schemas::{chat, converse, gemini, messages, others};

/// The schemas of a provider.
pub(super) struct Schemas(HashMap<Api, Validator>);

impl Schemas {
    /// Compiles what the provider is asked.
    pub(super) fn of(provider: Provider) -> Result<Self> {
        let schemas = match provider {
            Provider::Openai | Provider::AzureOpenai => vec![
                (Api::Chat, chat::schema()),
                (Api::Responses, others::responses()),
                (Api::Completions, others::completions()),
                (Api::Embeddings, others::embeddings()),
            ],
            Provider::Gemini | Provider::VertexGemini => vec![
                (Api::Generate, gemini::schema(provider)),
                (Api::CountGenerate, gemini::schema(provider)),
            ],
            Provider::Bedrock => vec![(Api::Converse, converse::schema())],
            Provider::Anthropic | Provider::VertexAnthropic | Provider::BedrockAnthropic => vec![
                (Api::Messages, messages::schema(provider)),
                (Api::CountMessages, messages::count_schema(provider)),
            ],
        };
        let compile = |(api, schema): (Api, Value)| {
            let validator = jsonschema::validator_for(&schema)
                .map_err(|error| error.to_owned())
                .with_context(|| format!("the schema of {api:?}"))?;
            Ok((api, validator))
        };
        Ok(Self(
            schemas.into_iter().map(compile).collect::<Result<_>>()?,
        ))
    }

    /// Checks a body.
    pub(super) fn check(&self, api: Api, body: &Value) -> Result<(), Refused> {
        let Some(validator) = self.0.get(&api) else {
            return Err(Refused::bad("Nobody answers this here."));
        };
        let Some(error) = validator.iter_errors(body).next() else {
            return Ok(());
        };
        let place = error.instance_path().to_string();
        let place = place.trim_start_matches('/').replace('/', ".");
        Err(Refused::bad(format!("{place}: {error}")))
    }
}

/// An object with these members and no others.
pub(super) fn closed(required: &[&str], properties: Value) -> Value {
    json!({
        "type": "object", "required": required, "properties": properties,
        "additionalProperties": false,
    })
}

/// An object with exactly one of these members.
pub(super) fn one_of(properties: Value) -> Value {
    json!({
        "type": "object", "properties": properties, "additionalProperties": false,
        "minProperties": 1, "maxProperties": 1,
    })
}

/// Objects that differ by what the member `tag` says: for each word, the members that are required
/// and all there are, the tag besides.
pub(super) fn tagged(tag: &str, kinds: &[(&str, &[&str], Value)]) -> Value {
    let words: Vec<&str> = kinds.iter().map(|(word, ..)| *word).collect();
    let rules = kinds.iter().map(|(word, required, properties)| {
        let mut members = properties.as_object().cloned().unwrap_or_else(Map::new);
        members.insert(tag.to_owned(), json!(true));
        json!({
            "if": {"properties": {tag: {"const": word}}},
            "then": closed(required, Value::Object(members)),
        })
    });
    json!({
        "type": "object", "required": [tag], "properties": {tag: {"enum": words}},
        "allOf": rules.collect::<Vec<_>>(),
    })
}

/// A string that is not empty.
pub(super) fn text() -> Value {
    json!({"type": "string", "minLength": 1})
}

/// A string that is more than white space.
pub(super) fn words() -> Value {
    json!({"type": "string", "pattern": r"\S"})
}

/// A string that fits a pattern as a whole.
pub(super) fn like(pattern: &str) -> Value {
    json!({"type": "string", "pattern": format!("^{pattern}$")})
}

/// A number between two.
pub(super) fn between(least: f64, most: f64) -> Value {
    json!({"type": "number", "minimum": least, "maximum": most})
}

/// A whole number of at least so much.
pub(super) fn count(least: u64) -> Value {
    json!({"type": "integer", "minimum": least})
}

/// A list of at least so many of these.
pub(super) fn list(least: u64, items: Value) -> Value {
    json!({"type": "array", "minItems": least, "items": items})
}

/// A schema of an object, which arguments of calls are.
pub(super) fn object_schema() -> Value {
    json!({
        "type": "object", "required": ["type"], "properties": {"type": {"const": "object"}},
    })
}

/// What may be `null` too.
pub(super) fn or_null(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}
