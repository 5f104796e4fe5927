//! Requests to a provider that speaks the client's dialect: the model, the path, and what a
//! platform wants otherwise in the body. Everything else keeps its bytes.

use std::borrow::Cow;

mod history;

use super::json::{Json, Value};
use super::provider::{Asks, Provider, path, without_key};
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
    let sent = without_key(options.path);
    let asks = Asks {
        dialect: Some(client),
        model,
        stream,
        count: facts.is_count,
        query: query(&sent, client),
    };
    let mut dropped = Vec::new();
    let body = match client {
        Dialect::Gemini if options.remove.is_empty() => body.to_vec(),
        _ => write(translation, value, facts.is_count, options, &mut dropped),
    };
    Ok(Translated {
        path: path(provider, asks, options),
        body,
        stream,
        dropped,
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

/// What goes on of the client's query, without keys. Clients of Gemini say in it how their streams are
/// framed. Azure has a version there.
fn query(path: &str, client: Dialect) -> Option<&str> {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    matches!(client, Dialect::AnthropicMessages | Dialect::Gemini).then_some(query)
}

/// Writes the body, entry by entry.
fn write(
    translation: &Translation,
    body: Value<'_>,
    is_count: bool,
    options: &Options<'_>,
    dropped: &mut Vec<&'static str>,
) -> Vec<u8> {
    let (client, provider) = (translation.client, translation.provider);
    let facts = provider.facts();
    let names_model = !facts.is_model_in_path || is_count;
    let mut json = Json::with_capacity(body.text().len() + 64);
    json.open_object();
    let (mut has_version, mut has_model, mut has_betas) = (false, false, false);
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
            "messages" => match history::clean(client, value) {
                Some(messages) => json.member("messages", &messages),
                None => json.entry(key, value),
            },
            _ => {
                has_version |= name == "anthropic_version";
                has_betas |= name == "anthropic_beta";
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
    if provider == Provider::BedrockAnthropic && !has_betas {
        write_betas(options.betas, &mut json, dropped);
    }
    json.close_object();
    json.into_text().into_bytes()
}

/// What is tried out at Anthropic that Bedrock has too. It refuses what it does not know.
const BETAS: [&str; 9] = [
    "computer-use-2025-01-24",
    "context-1m-2025-08-07",
    "context-management-2025-06-27",
    "dev-full-thinking-2025-05-14",
    "interleaved-thinking-2025-05-14",
    "output-128k-2025-02-19",
    "token-efficient-tools-2025-02-19",
    "tool-examples-2025-10-29",
    "tool-search-tool-2025-10-19",
];

/// Bedrock reads from the body what the client says in a header.
fn write_betas(header: &str, json: &mut Json, dropped: &mut Vec<&'static str>) {
    let mut betas = Json::default();
    for beta in header.split(',').map(str::trim).filter(|it| !it.is_empty()) {
        match BETAS.contains(&beta) {
            true => betas.string(beta),
            false if dropped.is_empty() => dropped.push("anthropic-beta"),
            false => {}
        }
    }
    if !betas.is_empty() {
        json.key("anthropic_beta");
        json.open_array();
        json.raw(betas.text());
        json.close_array();
    }
}
