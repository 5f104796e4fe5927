//! OpenAI's chat.

use serde_json::Value;

use super::{items, schemas, text_of};
use crate::mock_llm::provider::strict::door::Refused;
use crate::mock_llm::provider::strict::plan::{Choice, Wants};
use crate::mock_llm::provider::strict::turns::{Turn, check_pairs, merged};

/// What models that think take nothing but the default of.
const NOT_OF_THINKERS: [&str; 6] = [
    "max_tokens",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "stop",
];

pub(super) fn check(body: &Value, model: &str) -> Result<Wants, Refused> {
    check_model_takes(body, model.starts_with("gpt-5"))?;
    let messages = items(&body["messages"]);
    let turns = merged(messages.iter().map(turn).collect());
    check_pairs(&turns)?;
    let format = &body["response_format"];
    if format["type"] == "json_object" {
        let says_json =
            |message: &Value| text_of(&message["content"]).to_lowercase().contains("json");
        if !messages.iter().any(says_json) {
            return Err(Refused::bad(
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            ));
        }
    }
    let schema = &format["json_schema"];
    if schema["strict"] == true {
        schemas::check_openai(&schema["schema"], "response_format")?;
    }
    let tools = items(&body["tools"]).iter().map(|tool| &tool["function"]);
    for tool in tools.clone().filter(|tool| tool["strict"] == true) {
        schemas::check_openai(&tool["parameters"], "function")?;
    }
    let tools = tools.filter(|tool| tool["name"].is_string()).map(|tool| {
        let name = tool["name"].as_str().unwrap_or_default().to_owned();
        let none = serde_json::json!({"type": "object"});
        (name, tool.get("parameters").cloned().unwrap_or(none))
    });
    let latest = messages
        .iter()
        .rev()
        .take_while(|message| message["role"] == "tool");
    let mut results: Vec<String> = latest.map(|message| text_of(&message["content"])).collect();
    results.reverse();
    Ok(Wants {
        tools: tools.collect(),
        choice: match &body["tool_choice"] {
            Value::Object(choice) => {
                let name = choice["function"]["name"].as_str();
                Choice::Named(name.unwrap_or_default().to_owned())
            }
            choice if choice == "none" => Choice::None,
            choice if choice == "required" => Choice::Any,
            _ => Choice::Auto,
        },
        one_call: body["parallel_tool_calls"] == false,
        results,
        schema: schema.get("schema").cloned(),
        json: format["type"] == "json_object",
        calls_before: turns.iter().map(|turn| turn.calls.len()).sum(),
        id_prefix: "call_mock",
        ..Wants::default()
    })
}

fn check_model_takes(body: &Value, thinks: bool) -> Result<(), Refused> {
    let told = |name: &str| !body[name].is_null();
    let refused = |name: &str| {
        let message = format!("Unsupported parameter: '{name}' is not supported with this model.");
        Err(Refused::bad(message))
    };
    if !thinks {
        return match told("reasoning_effort") {
            true => refused("reasoning_effort"),
            false => Ok(()),
        };
    }
    if let Some(name) = NOT_OF_THINKERS.iter().find(|name| told(name)) {
        return refused(name);
    }
    match body["temperature"].as_f64() {
        Some(temperature) if temperature != 1.0 => refused("temperature"),
        _ => Ok(()),
    }
}

fn turn(message: &Value) -> Turn {
    let id = |value: &Value| value.as_str().map(str::to_owned);
    let calls = items(&message["tool_calls"]).iter();
    Turn {
        is_model: message["role"] == "assistant",
        calls: calls.filter_map(|call| id(&call["id"])).collect(),
        results: id(&message["tool_call_id"]).into_iter().collect(),
    }
}
