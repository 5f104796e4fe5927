//! Anthropic's Messages.

use axum::http::HeaderValue;
use serde_json::Value;

use super::thinking::{Told, check_signed};
use super::{items, schemas, text_of};
use crate::mock_llm::provider::strict::door::{Refused, WITHOUT_SAMPLING};
use crate::mock_llm::provider::strict::plan::{Choice, Wants};
use crate::mock_llm::provider::strict::turns::{Turn, check_pairs, merged};

/// How many places may be marked for the cache.
const MOST_CACHED: usize = 4;

/// What the newer version of the API takes no longer.
pub(in crate::mock_llm::provider::strict) fn check_version(
    version: Option<&HeaderValue>,
    body: &Value,
) -> Result<(), Refused> {
    if version.is_none_or(|version| version != WITHOUT_SAMPLING) {
        return Ok(());
    }
    let removed = ["temperature", "top_p", "top_k"];
    match removed.into_iter().find(|name| body.get(name).is_some()) {
        Some(name) => Err(Refused::bad(format!(
            "{name}: Extra inputs are not permitted"
        ))),
        None => Ok(()),
    }
}

pub(super) fn check(body: &Value, model: &str) -> Result<Wants, Refused> {
    let messages = items(&body["messages"]);
    if messages
        .first()
        .is_none_or(|message| message["role"] != "user")
    {
        return Err(Refused::bad(
            "messages: first message must use the \"user\" role",
        ));
    }
    for message in messages {
        check_message(message)?;
    }
    check_last(messages)?;
    let turns = merged(messages.iter().map(turn).collect());
    check_pairs(&turns)?;
    if !body["tool_choice"].is_null() && items(&body["tools"]).is_empty() {
        return Err(Refused::bad(
            "tool_choice may only be specified while providing tools.",
        ));
    }
    if cached(body) > MOST_CACHED {
        return Err(Refused::bad(
            "A maximum of 4 blocks with cache_control may be provided.",
        ));
    }
    let format = &body["output_config"]["format"];
    if !format.is_null() {
        schemas::check_anthropic(&format["schema"], "output_config.format")?;
    }
    for tool in items(&body["tools"])
        .iter()
        .filter(|tool| tool["strict"] == true)
    {
        schemas::check_anthropic(&tool["input_schema"], "tools")?;
    }
    let choice = choice(&body["tool_choice"]);
    let told = Told {
        model,
        thinking: &body["thinking"],
        max_tokens: body["max_tokens"].as_u64(),
        temperature: &body["temperature"],
        top_p: &body["top_p"],
        top_k: &body["top_k"],
        is_forced: matches!(choice, Choice::Any | Choice::Named(_)),
        lacks_thoughts: lacks_thoughts(messages),
    };
    told.check()?;
    let tools = items(&body["tools"]).iter();
    let custom = tools.filter(|tool| tool["type"].is_null() || tool["type"] == "custom");
    Ok(Wants {
        tools: custom
            .map(|tool| {
                let name = tool["name"].as_str().unwrap_or_default();
                (name.to_owned(), tool["input_schema"].clone())
            })
            .collect(),
        choice,
        one_call: body["tool_choice"]["disable_parallel_tool_use"] == true,
        results: results(messages),
        schema: format.get("schema").cloned(),
        thinks: told.thinks(),
        calls_before: turns.iter().map(|turn| turn.calls.len()).sum(),
        id_prefix: "toolu_mock",
        ..Wants::default()
    })
}

/// Checks what is thought, and that results come first.
fn check_message(message: &Value) -> Result<(), Refused> {
    let mut has_other = false;
    for block in items(&message["content"]) {
        match block["type"].as_str() {
            Some("thinking") => check_signed(&block["thinking"], &block["signature"])?,
            Some("tool_result") if has_other => {
                return Err(Refused::bad(
                    "`tool_result` blocks must come first in a message",
                ));
            }
            Some("tool_result") => {}
            _ => has_other = true,
        }
    }
    Ok(())
}

fn check_last(messages: &[Value]) -> Result<(), Refused> {
    let Some(last) = messages.last().filter(|last| last["role"] == "assistant") else {
        return Ok(());
    };
    match text_of(&last["content"]).ends_with(char::is_whitespace) {
        true => Err(Refused::bad(
            "final assistant content cannot end with trailing whitespace",
        )),
        false => Ok(()),
    }
}

/// Whether the last answer calls tools without having begun with a thought.
fn lacks_thoughts(messages: &[Value]) -> bool {
    let last = messages
        .iter()
        .rfind(|message| message["role"] == "assistant");
    let blocks = last.map(|last| items(&last["content"])).unwrap_or_default();
    let is = |block: &Value, kinds: &[&str]| kinds.iter().any(|kind| block["type"] == *kind);
    blocks.iter().any(|block| is(block, &["tool_use"]))
        && !blocks.first().is_some_and(|block| is(block, &["thinking", "redacted_thinking"]))
        // What it called for is not over before the user speaks again.
        && !results(messages).is_empty()
}

fn results(messages: &[Value]) -> Vec<String> {
    let last = messages
        .last()
        .map(|last| items(&last["content"]))
        .unwrap_or_default();
    let results = last.iter().filter(|block| block["type"] == "tool_result");
    results.map(|block| text_of(&block["content"])).collect()
}

fn choice(choice: &Value) -> Choice {
    match choice["type"].as_str() {
        Some("any") => Choice::Any,
        Some("none") => Choice::None,
        Some("tool") => Choice::Named(choice["name"].as_str().unwrap_or_default().to_owned()),
        _ => Choice::Auto,
    }
}

fn turn(message: &Value) -> Turn {
    let ids = |kind: &str, id: &str| {
        let blocks = items(&message["content"]).iter();
        let blocks = blocks.filter(|block| block["type"] == kind);
        blocks
            .filter_map(|block| block[id].as_str().map(str::to_owned))
            .collect()
    };
    Turn {
        is_model: message["role"] == "assistant",
        calls: ids("tool_use", "id"),
        results: ids("tool_result", "tool_use_id"),
    }
}

fn cached(value: &Value) -> usize {
    match value {
        Value::Object(members) => {
            let here = usize::from(members.get("cache_control").is_some_and(Value::is_object));
            here + members.values().map(cached).sum::<usize>()
        }
        Value::Array(values) => values.iter().map(cached).sum(),
        _ => 0,
    }
}
