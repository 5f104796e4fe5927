//! Bedrock's Converse, with models of Anthropic's.

use serde_json::Value;

use super::thinking::{Told, check_signed};
use super::{items, schemas, text_of};
use crate::mock_llm::provider::strict::door::Refused;
use crate::mock_llm::provider::strict::plan::{Choice, Wants};
use crate::mock_llm::provider::strict::turns::{Turn, check_pairs};

pub(super) fn check(body: &Value, model: &str) -> Result<Wants, Refused> {
    let messages = items(&body["messages"]);
    let turns: Vec<Turn> = messages.iter().map(turn).collect();
    for (at, turn) in turns.iter().enumerate() {
        if turn.is_model != (at % 2 == 1) {
            return Err(Refused::bad(
                "A conversation must start with a user message, and roles must alternate between \"user\" and \"assistant\" in it.",
            ));
        }
    }
    check_pairs(&turns)?;
    for message in messages {
        check_message(message)?;
    }
    let config = &body["toolConfig"];
    let uses_tools = |turn: &Turn| !turn.calls.is_empty() || !turn.results.is_empty();
    if config.is_null() && turns.iter().any(uses_tools) {
        return Err(Refused::bad(
            "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
        ));
    }
    let choice = match &config["toolChoice"] {
        choice if choice["any"].is_object() => Choice::Any,
        choice => match choice["tool"]["name"].as_str() {
            Some(name) => Choice::Named(name.to_owned()),
            None => Choice::Auto,
        },
    };
    let (inference, more) = (
        &body["inferenceConfig"],
        &body["additionalModelRequestFields"],
    );
    let results = results(messages);
    let told = Told {
        model,
        thinking: &more["thinking"],
        max_tokens: inference["maxTokens"].as_u64(),
        temperature: &inference["temperature"],
        top_p: &inference["topP"],
        top_k: &more["top_k"],
        is_forced: choice != Choice::Auto,
        lacks_thoughts: !results.is_empty() && lacks_thoughts(messages),
    };
    told.check()?;
    let schema = &body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"];
    let schema = match schema.as_str() {
        None => None,
        Some(text) => {
            let schema: Value = serde_json::from_str(text)
                .map_err(|error| Refused::bad(format!("jsonSchema.schema is no JSON: {error}")))?;
            schemas::check_anthropic(&schema, "outputConfig")?;
            Some(schema)
        }
    };
    let tools = items(&config["tools"]).iter().map(|tool| &tool["toolSpec"]);
    Ok(Wants {
        tools: tools
            .filter(|tool| tool.is_object() && tool["name"] != "no_tool")
            .map(|tool| {
                let name = tool["name"].as_str().unwrap_or_default();
                (name.to_owned(), tool["inputSchema"]["json"].clone())
            })
            .collect(),
        choice,
        results,
        schema,
        thinks: told.thinks(),
        calls_before: turns.iter().map(|turn| turn.calls.len()).sum(),
        id_prefix: "tooluse_mock",
        ..Wants::default()
    })
}

fn check_message(message: &Value) -> Result<(), Refused> {
    let blocks = items(&message["content"]);
    let has = |kind: &str| blocks.iter().any(|block| !block[kind].is_null());
    if has("document") && !has("text") {
        return Err(Refused::bad(
            "A message with a document must hold a text too.",
        ));
    }
    if blocks
        .first()
        .is_some_and(|block| !block["cachePoint"].is_null())
    {
        return Err(Refused::bad("There is nothing before a cachePoint."));
    }
    for block in blocks {
        let thought = &block["reasoningContent"]["reasoningText"];
        if !thought.is_null() {
            check_signed(&thought["text"], &thought["signature"])?;
        }
    }
    Ok(())
}

fn lacks_thoughts(messages: &[Value]) -> bool {
    let last = messages
        .iter()
        .rfind(|message| message["role"] == "assistant");
    let blocks = last.map(|last| items(&last["content"])).unwrap_or_default();
    let first = blocks.first();
    blocks.iter().any(|block| !block["toolUse"].is_null())
        && first.is_none_or(|block| block["reasoningContent"].is_null())
}

fn results(messages: &[Value]) -> Vec<String> {
    let last = messages
        .last()
        .map(|last| items(&last["content"]))
        .unwrap_or_default();
    let results = last.iter().map(|block| &block["toolResult"]);
    results
        .filter(|it| !it.is_null())
        .map(|it| text_of(&it["content"]))
        .collect()
}

fn turn(message: &Value) -> Turn {
    let ids = |kind: &str| {
        let blocks = items(&message["content"]).iter();
        let ids = blocks.filter_map(|block| block[kind]["toolUseId"].as_str());
        ids.map(str::to_owned).collect()
    };
    Turn {
        is_model: message["role"] == "assistant",
        calls: ids("toolUse"),
        results: ids("toolResult"),
    }
}
