//! An answer of OpenAI's chat as one of Anthropic's.

use crate::dialect::Dialect;
use crate::translate::json::{Json, Value};
use crate::translate::{Asked, Moment, reported};
use crate::usage::Usage;

/// The answer; none if the body is none.
pub(in crate::translate) fn read(
    body: Value<'_>,
    asked: &Asked,
    moment: &Moment<'_>,
) -> Option<String> {
    let [id, model, choices, usage] = body.members(["id", "model", "choices", "usage"]);
    let choices = choices?.items();
    let [message, finish] = choices.first()?.members(["message", "finish_reason"]);
    let finish = finish.and_then(Value::string).unwrap_or_default();
    let mut content = Json::default();
    let has_calls = write_content(message?, finish == "length", &mut content)?;
    let usage = usage.and_then(reported);
    let usage = usage.and_then(|it| it.usage(Dialect::OpenaiChat));
    let id = id.and_then(Value::string).filter(|it| !it.is_empty());
    let model = model.and_then(Value::string).filter(|it| !it.is_empty());
    let mut json = Json::with_capacity(content.text().len() + 256);
    json.open_object();
    json.member_string("id", id.as_deref().unwrap_or(moment.id));
    json.member_string("type", "message");
    json.member_string("role", "assistant");
    json.member_string("model", model.as_deref().unwrap_or(&asked.model));
    json.key("content");
    json.open_array();
    if !content.is_empty() {
        json.raw(content.text());
    }
    json.close_array();
    json.member_string("stop_reason", stop_reason(&finish, has_calls));
    json.member("stop_sequence", "null");
    json.key("usage");
    write_usage(&usage.unwrap_or_default(), &mut json);
    json.close_object();
    Some(json.into_text())
}

/// Writes the blocks of a message, thoughts first; tells whether tools are called. None if
/// arguments are no JSON, unless the answer was cut in the middle of them: such a call is none.
fn write_content(message: Value<'_>, is_cut: bool, json: &mut Json) -> Option<bool> {
    let [content, refusal, calls, reasoning, elder] = message.members([
        "content",
        "refusal",
        "tool_calls",
        "reasoning_content",
        "reasoning",
    ]);
    let is_text = |it: &Value<'_>| it.spelled().is_some_and(|it| !it.is_empty());
    if let Some(thinking) = reasoning.filter(is_text).or(elder.filter(is_text)) {
        json.open_object();
        json.member_string("type", "thinking");
        json.member("thinking", thinking.text());
        // Nobody signed it.
        json.member_string("signature", "");
        json.close_object();
    }
    for text in [content, refusal].into_iter().flatten().filter(is_text) {
        json.open_object();
        json.member_string("type", "text");
        json.member("text", text.text());
        json.close_object();
    }
    let mut has_calls = false;
    for call in calls.map(Value::items).unwrap_or_default() {
        let [id, function] = call.members(["id", "function"]);
        let [name, arguments] = function.map_or([None; 2], |it| it.members(["name", "arguments"]));
        let arguments = arguments.and_then(Value::string).unwrap_or_default();
        let input = match arguments.trim() {
            "" => "{}",
            text if Value::parse(text).is_some_and(Value::is_object) => text,
            _ if is_cut => continue,
            _ => return None,
        };
        has_calls = true;
        json.open_object();
        json.member_string("type", "tool_use");
        json.member("id", id.map_or("\"\"", Value::text));
        json.member("name", name.map_or("\"\"", Value::text));
        json.member("input", input);
        json.close_object();
    }
    Some(has_calls)
}

/// Why an answer ended, in Anthropic's words.
pub(super) fn stop_reason(finish: &str, has_calls: bool) -> &'static str {
    match finish {
        "length" => "max_tokens",
        "content_filter" => "refusal",
        "tool_calls" | "function_call" => "tool_use",
        _ if has_calls => "tool_use",
        _ => "end_turn",
    }
}

/// Writes usage as Anthropic counts: what was cached is no input.
pub(super) fn write_usage(usage: &Usage, json: &mut Json) {
    let (read, written) = (usage.cached_tokens, usage.cache_creation_tokens);
    let cached = read
        .unwrap_or_default()
        .saturating_add(written.unwrap_or_default());
    json.open_object();
    json.member_number("input_tokens", usage.input_tokens.saturating_sub(cached));
    json.member_number("cache_creation_input_tokens", written.unwrap_or_default());
    json.member_number("cache_read_input_tokens", read.unwrap_or_default());
    json.member_number("output_tokens", usage.output_tokens);
    json.close_object();
}
