//! Requests to a provider that speaks the client's dialect: the model, the path, and what a
//! platform wants otherwise in the body. Everything else keeps its bytes.

use std::borrow::Cow;

use super::json::{Json, Value};
use super::provider::{Asks, Provider, path};
use super::{Asked, Options, Translated, Translation, model};
use crate::dialect::Dialect;
use crate::dialect::path::PathFacts;
use crate::refusal::Refusal;

pub(super) fn request(
    translation: &Translation,
    body: &[u8],
    value: Value<'_>,
    facts: &PathFacts<'_>,
    options: &Options<'_>,
) -> Result<Translated, Refusal> {
    let (client, provider) = (translation.client, translation.provider);
    if !value.is_object() {
        return Err(Refusal::new(400, "The body must be a JSON object."));
    }
    if facts.is_count && !counts(provider) {
        return Err(does_not_count());
    }
    let [named, stream] = value.members(["model", "stream"]);
    let in_path = facts.model.as_ref().map(|it| it.name());
    let named = named.and_then(Value::string);
    let named: Option<Cow<'_, str>> = match client {
        Dialect::Gemini => in_path.or(named),
        _ => named.or(in_path),
    };
    let model = model(options, named.as_deref())?;
    let stream = facts
        .stream
        .or(stream.and_then(Value::bool))
        .unwrap_or_default();
    let asks = Asks {
        dialect: Some(client),
        model,
        stream,
        count: facts.is_count,
        query: query(options.path, client),
    };
    Ok(Translated {
        path: path(provider, asks, options),
        body: match client {
            Dialect::Gemini if options.remove.is_empty() => body.to_vec(),
            _ => write(provider, value, client, facts.is_count, options),
        },
        stream,
        dropped: Vec::new(),
        asked: Asked {
            model: model.to_owned(),
            ..Asked::default()
        },
    })
}

/// What a client is told that wants tokens counted where nobody counts them.
pub(super) fn does_not_count() -> Refusal {
    Refusal::new(404, "This provider does not count tokens.")
}

/// Whether a provider counts the tokens of requests in the dialect of its own.
fn counts(provider: Provider) -> bool {
    !matches!(provider, Provider::BedrockAnthropic | Provider::Bedrock)
}

/// What goes on of the client's query. Keys of Gemini's may stand in it, and how its streams are
/// framed is for us to say; Azure has a version there.
fn query(path: &str, client: Dialect) -> Option<&str> {
    let (_, query) = path.split_once('?')?;
    (client == Dialect::AnthropicMessages).then_some(query)
}

/// Writes the body; entry by entry only if one of them has to change.
fn write(
    provider: Provider,
    body: Value<'_>,
    client: Dialect,
    is_count: bool,
    options: &Options<'_>,
) -> Vec<u8> {
    let facts = provider.facts();
    let names_model = !facts.is_model_in_path || is_count;
    let mut json = Json::with_capacity(body.text().len() + 64);
    json.open_object();
    let mut has_version = false;
    let mut has_model = false;
    body.each(|key, value| {
        let name = key.as_str().unwrap_or_default();
        if options.remove.iter().any(|it| *it == name) {
            return;
        }
        match &*name {
            "model" if !names_model => {}
            "model" => {
                has_model = true;
                match options.model {
                    Some(model) => json.member_string("model", model),
                    None => json.entry(key, value),
                }
            }
            "stream" if client == Dialect::AnthropicMessages && !facts.is_stream_in_body => {}
            _ => {
                has_version |= name == "anthropic_version";
                json.entry(key, value);
            }
        }
    });
    if let (true, false, Some(model)) = (names_model, has_model, options.model) {
        json.member_string("model", model);
    }
    if let (Some(version), false) = (facts.body_version, has_version) {
        let version = match options.api_version {
            "" => version,
            version => version,
        };
        json.member_string("anthropic_version", version);
    }
    json.close_object();
    json.into_text().into_bytes()
}
