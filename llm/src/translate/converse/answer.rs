//! An answer of Converse's as one of OpenAI's chat.

use formats::json::quote;

use crate::translate::chat::answer::{ChoiceText, Finish, write};
use crate::translate::json::Value;
use crate::translate::{Asked, Moment};
use crate::usage::Usage;

/// The answer; none if the body holds none, which happens under a good status.
pub(in crate::translate) fn read(
    body: Value<'_>,
    asked: &Asked,
    moment: &Moment<'_>,
) -> Option<String> {
    let [output, stop, usage] = body.members(["output", "stopReason", "usage"]);
    let content = output?.get("message")?.get("content")?;
    let mut choice = ChoiceText::default();
    for block in content.items() {
        read_block(block, asked, &mut choice);
    }
    let finish = match stop.and_then(Value::string) {
        Some(reason) => finish(&reason),
        None if choice.has_calls() => Finish::ToolCalls,
        None => Finish::Stop,
    };
    let usage = usage.and_then(read_usage);
    let choices = [(choice, finish)];
    Some(write(moment.id, &asked.model, moment, &choices, usage))
}

fn read_block(block: Value<'_>, asked: &Asked, choice: &mut ChoiceText) {
    let [text, call, thoughts] = block.members(["text", "toolUse", "reasoningContent"]);
    if let Some(text) = text.and_then(Value::spelled) {
        choice.text(text);
    }
    if let Some(call) = call {
        let [id, name, input] = call.members(["toolUseId", "name", "input"]);
        let id = id.and_then(Value::string).unwrap_or_default();
        let name = asked
            .names
            .own(name.and_then(Value::string).unwrap_or_default());
        let input = input.filter(|it| it.is_object());
        choice.call(&id, &name, input.map_or("{}", Value::text));
    }
    if let Some(thoughts) = thoughts {
        let [signed, redacted] = thoughts.members(["reasoningText", "redactedContent"]);
        let [text, signature] = signed.map_or([None; 2], |it| it.members(["text", "signature"]));
        if let Some(text) = text.filter(|it| it.is_string()) {
            choice.reasoning(text.spelled().unwrap_or_default());
            if let Some(signature) = signature.filter(|it| it.is_string()) {
                choice.thinking(text.text(), signature.text());
            }
        }
        if let Some(data) = redacted.and_then(Value::string) {
            choice.redacted(&quote(&data));
        }
    }
}

/// Why an answer ended.
pub(super) fn finish(stop_reason: &str) -> Finish {
    match stop_reason {
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::ToolCalls,
        "content_filtered" | "guardrail_intervened" => Finish::ContentFilter,
        _ => Finish::Stop,
    }
}

/// Usage; none without a number. What was cached is not in the input.
pub(super) fn read_usage(usage: Value<'_>) -> Option<Usage> {
    let [input, output, read, written] = usage
        .members([
            "inputTokens",
            "outputTokens",
            "cacheReadInputTokens",
            "cacheWriteInputTokens",
        ])
        .map(|it| it.and_then(Value::count));
    if input.is_none() && output.is_none() {
        return None;
    }
    Some(Usage {
        input_tokens: crate::count::sum([input, read, written].into_iter().flatten()),
        output_tokens: output.unwrap_or_default(),
        cached_tokens: read,
        cache_creation_tokens: written,
        reasoning_tokens: None,
    })
}
