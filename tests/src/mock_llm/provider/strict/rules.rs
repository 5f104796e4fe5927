//! What no schema can say of a request: who speaks when, what goes with what, and what a model can.
//! One file for each API, which also reads what is asked for.

pub(super) mod chat;
pub(super) mod converse;
pub(super) mod gemini;
pub(super) mod messages;
mod schemas;
mod thinking;

use serde_json::Value;

use super::account::Provider;
use super::door::{Api, Asked, Refused, check_model};
use super::plan::Wants;

/// Checks a body that fits its schema; tells what is asked for.
pub(super) fn check(provider: Provider, asked: &Asked, body: &Value) -> Result<Wants, Refused> {
    let in_body = body["model"].as_str();
    if let Some(model) = in_body
        && provider != Provider::AzureOpenai
    {
        check_model(provider, model)?;
    }
    // What Azure's deployments are called is for their owner to say; the path goes first.
    let model = asked.model.as_deref().or(in_body).unwrap_or_default();
    match asked.api {
        Api::Chat => chat::check(body, model),
        Api::Messages => {
            let is_stream = body["stream"] == true;
            if provider == Provider::VertexAnthropic && is_stream != asked.stream {
                return Err(Refused::bad("stream: must say what the path says"));
            }
            messages::check(body, model)
        }
        Api::CountMessages => messages::check(body, model),
        Api::Generate | Api::CountGenerate => gemini::check(body, model),
        Api::Converse => converse::check(body, model),
        Api::Responses | Api::Completions | Api::Embeddings => Ok(Wants::default()),
    }
}

/// The items of a list; none if it is none.
fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A string, or the texts of a list of parts, joined.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(text_of).collect(),
        Value::Object(part) if part.contains_key("json") => part["json"].to_string(),
        part => part["text"].as_str().unwrap_or_default().to_owned(),
    }
}
