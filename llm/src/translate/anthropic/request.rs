//! A chat request as one of Anthropic's Messages API.

use super::effort::Thinking;
use super::messages::Messages;
use super::tools;
use crate::refusal::Refusal;
use crate::translate::Options;
use crate::translate::chat::{Chat, Format};
use crate::translate::json::Json;
use crate::translate::loss::{Losses, invalid};
use crate::translate::provider::Provider;
use crate::translate::schema::write_closed;

/// How many tokens an answer may have where neither the client nor the configuration says.
const MAX_TOKENS: u64 = 4096;

/// Writes the body. `model` is the one that is to answer.
pub(in crate::translate) fn write(
    chat: &Chat<'_>,
    model: &str,
    provider: Provider,
    options: &Options<'_>,
    losses: &mut Losses,
) -> Result<String, Refusal> {
    let facts = provider.facts();
    let mut messages = Messages::new();
    for message in &chat.messages {
        messages.push(*message, losses)?;
    }
    messages.turns.close();
    let (system, turns) = (messages.system.text(), messages.turns.text());
    let mut json = Json::with_capacity(turns.len() + system.len() + 512);
    json.open_object();
    if let Some(version) = facts.body_version {
        let version = if options.api_version.is_empty() {
            version
        } else {
            options.api_version
        };
        json.member_string("anthropic_version", version);
    }
    if !facts.is_model_in_path {
        json.member_string("model", model);
    }
    if !system.is_empty() {
        json.key("system");
        json.open_array();
        json.raw(system);
        json.close_array();
    }
    json.key("messages");
    json.open_array();
    if !turns.is_empty() {
        json.raw(turns);
    }
    json.close_array();
    let is_forced = tools::write(chat, &mut json, losses)?;
    let max_tokens = max_tokens(chat)?;
    let thinking = match chat.effort(losses)? {
        Some(effort) => {
            let cannot = (is_forced, messages.lacks_thoughts);
            Thinking::asked(effort, model, max_tokens, cannot, losses)?
        }
        None => None,
    };
    write_max_tokens(chat, options, thinking, &mut json);
    if let Some(thinking) = thinking {
        thinking.write(&mut json);
    } else {
        json.member_if("thinking", chat.thinking);
    }
    match takes_sampling(options.api_version) {
        true => {
            let thinks = thinking.is_some() || chat.asks_to_think();
            write_sampling(chat, model, thinks, &mut json, losses)?;
        }
        false => lose_sampling(chat, losses)?,
    }
    write_stops(chat, &mut json, losses)?;
    write_output(chat, thinking, &mut json, losses)?;
    if let Some(user) = chat.user.filter(|it| it.is_string()) {
        json.key("metadata");
        json.open_object();
        json.member("user_id", user.text());
        json.close_object();
    }
    if chat.stream && facts.is_stream_in_body {
        json.member("stream", "true");
    }
    json.close_object();
    Ok(json.into_text())
}

/// How many tokens the client lets an answer have, thoughts included.
fn max_tokens(chat: &Chat<'_>) -> Result<Option<u64>, Refusal> {
    let Some(tokens) = chat.max_tokens else {
        return Ok(None);
    };
    match tokens.count().filter(|_| tokens.float().is_some()) {
        Some(count) => Ok(Some(count)),
        None => Err(invalid("max_tokens", "must be a number of tokens")),
    }
}

/// Anthropic must be told a limit. Where the client names none, what is thought takes nothing away
/// from what is said.
fn write_max_tokens(
    chat: &Chat<'_>,
    options: &Options<'_>,
    thinking: Option<Thinking>,
    json: &mut Json,
) {
    if let Some(tokens) = chat.max_tokens {
        json.member("max_tokens", tokens.text());
        return;
    }
    let thought = match thinking {
        Some(Thinking::Budget(tokens)) => tokens,
        _ => chat.budget().unwrap_or_default(),
    };
    let said = options.max_tokens.unwrap_or(MAX_TOKENS);
    json.member_number("max_tokens", said.saturating_add(thought));
}

fn write_sampling(
    chat: &Chat<'_>,
    model: &str,
    thinks: bool,
    json: &mut Json,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let sampling = chat.sampling(model, thinks, losses)?;
    json.member_if("temperature", sampling.temperature);
    json.member_if("top_p", sampling.top_p);
    json.member_if("top_k", sampling.top_k);
    Ok(())
}

/// Whether this version of the API has a say in how tokens are chosen. The ends of versions are dates.
fn takes_sampling(version: &str) -> bool {
    let date = version.get(version.len().saturating_sub(10)..);
    date.is_none_or(|date| date < "2026-10-21")
}

/// Not even what is usual may be said.
fn lose_sampling(chat: &Chat<'_>, losses: &mut Losses) -> Result<(), Refusal> {
    let said = [
        ("temperature", chat.temperature),
        ("top_p", chat.top_p),
        ("top_k", chat.top_k),
    ];
    for (name, value) in said {
        if value.is_some() {
            losses.lose(name)?;
        }
    }
    Ok(())
}

fn write_stops(chat: &Chat<'_>, json: &mut Json, losses: &mut Losses) -> Result<(), Refusal> {
    let mut stops = Json::default();
    for stop in &chat.stop {
        if !stop.is_string() {
            return Err(invalid("stop", "must be a string or a list of strings"));
        }
        // Anthropic refuses white space, which is what many stop at.
        match stop.is_blank() {
            true => losses.lose("stop")?,
            false => stops.raw(stop.text()),
        }
    }
    if !stops.is_empty() {
        json.key("stop_sequences");
        json.open_array();
        json.raw(stops.text());
        json.close_array();
    }
    Ok(())
}

/// Writes the member `output_config`: the format of the answer, and the effort.
fn write_output(
    chat: &Chat<'_>,
    thinking: Option<Thinking>,
    json: &mut Json,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let schema = match Format::read(chat.response_format, losses)? {
        Some(Format::Schema { schema, .. }) => Some(schema),
        Some(Format::Json) => {
            losses.lose("response_format.json_object")?;
            None
        }
        None => None,
    };
    let effort = match thinking {
        Some(Thinking::Effort(effort)) => Some(effort),
        _ => None,
    };
    if schema.is_none() && effort.is_none() {
        return Ok(());
    }
    json.key("output_config");
    json.open_object();
    if let Some(schema) = schema {
        json.key("format");
        json.open_object();
        json.member_string("type", "json_schema");
        json.key("schema");
        write_closed(schema, losses, json)?;
        json.close_object();
    }
    if let Some(effort) = effort {
        json.member_string("effort", effort);
    }
    json.close_object();
    Ok(())
}
