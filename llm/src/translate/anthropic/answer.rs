//! An answer of Anthropic's as one of OpenAI's chat.

use std::borrow::Cow;

use crate::dialect::Dialect;
use crate::translate::chat::answer::{ChoiceText, Finish, write};
use crate::translate::json::Value;
use crate::translate::{Asked, Moment, reported};

/// The answer; none if the body is no message.
pub(in crate::translate) fn read(
    body: Value<'_>,
    asked: &Asked,
    moment: &Moment<'_>,
) -> Option<String> {
    let [id, model, content, stop, usage] =
        body.members(["id", "model", "content", "stop_reason", "usage"]);
    let content = content.filter(|it| it.is_array())?;
    let mut choice = ChoiceText::default();
    for block in content.items() {
        read_block(block, &mut choice);
    }
    let finish = match stop.and_then(Value::string) {
        Some(reason) => finish(&reason),
        None if choice.has_calls() => Finish::ToolCalls,
        None => Finish::Stop,
    };
    let usage = usage
        .and_then(reported)
        .and_then(|it| it.usage(Dialect::AnthropicMessages));
    let id = id.and_then(Value::string);
    let model = model.and_then(Value::string);
    Some(write(
        id.as_deref().unwrap_or(moment.id),
        model.as_deref().unwrap_or(&asked.model),
        moment,
        &[(choice, finish)],
        usage,
    ))
}

fn read_block(block: Value<'_>, choice: &mut ChoiceText) {
    let [of, text, id, name, input] = block.members(["type", "text", "id", "name", "input"]);
    let of = of.and_then(Value::string).unwrap_or_default();
    match &*of {
        "text" => choice.text(text.and_then(Value::spelled).unwrap_or_default()),
        "tool_use" => {
            let string = |it: Option<Value<'_>>| {
                let text = it.and_then(Value::string).unwrap_or(Cow::Borrowed(""));
                text.into_owned()
            };
            let input = input.filter(|it| it.is_object());
            choice.call(&string(id), &string(name), input.map_or("{}", Value::text));
        }
        "thinking" => {
            let [thinking, signature] = block.members(["thinking", "signature"]);
            let Some(thinking) = thinking.filter(|it| it.is_string()) else {
                return;
            };
            choice.reasoning(thinking.spelled().unwrap_or_default());
            if let Some(signature) = signature.filter(|it| it.is_string() && !it.is_blank()) {
                choice.thinking(thinking.text(), signature.text());
            }
        }
        "redacted_thinking" => {
            if let Some(data) = block.get("data").filter(|it| it.is_string()) {
                choice.redacted(data.text());
            }
        }
        _ => {}
    }
}

/// Why an answer ended.
pub(super) fn finish(stop_reason: &str) -> Finish {
    match stop_reason {
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::ToolCalls,
        "refusal" => Finish::ContentFilter,
        _ => Finish::Stop,
    }
}
