//! An answer of OpenAI's chat as one of Anthropic's.

use super::said::{Said, each};
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
    let ending = write_content(message?, asked, finish == "length", &mut content)?;
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
    json.member_string("stop_reason", ending.stop_reason(&finish));
    json.member("stop_sequence", "null");
    json.key("usage");
    write_usage(&usage.unwrap_or_default(), &mut json);
    json.close_object();
    Some(json.into_text())
}

/// Writes the blocks of a message, thoughts first; tells what its end depends on. None if
/// arguments are no JSON, unless the answer was cut in the middle of them: such a call is none.
fn write_content(
    message: Value<'_>,
    asked: &Asked,
    is_cut: bool,
    json: &mut Json,
) -> Option<Ending> {
    let [content, refusal, calls, reasoning, elder] = message.members([
        "content",
        "refusal",
        "tool_calls",
        "reasoning_content",
        "reasoning",
    ]);
    let is_text = |it: &Value<'_>| it.spelled().is_some_and(|it| !it.is_empty());
    if let Some(thinking) = reasoning.filter(is_text).or(elder.filter(is_text)) {
        write_said(Said::Thought, thinking.spelled().unwrap_or_default(), json);
    }
    if let Some(content) = content {
        // Pieces of a kind that follow each other are one block, as they are in a stream.
        let mut pieces: Vec<(Said, String)> = Vec::new();
        each(content, &mut |of, spelled| match pieces.last_mut() {
            Some((last, text)) if *last == of => text.push_str(spelled),
            _ => pieces.push((of, spelled.to_owned())),
        });
        for (of, spelled) in &pieces {
            write_said(*of, spelled, json);
        }
    }
    let refusal = refusal.filter(is_text);
    if let Some(text) = refusal.and_then(Value::spelled) {
        write_said(Said::Text, text, json);
    }
    let mut has_calls = false;
    for call in calls.map(Value::items).unwrap_or_default() {
        let [id, function] = call.members(["id", "function"]);
        let [name, arguments] = function.map_or([None; 2], |it| it.members(["name", "arguments"]));
        // Some servers send the object itself.
        let object = arguments.filter(|it| it.is_object()).map(Value::text);
        let text = arguments.and_then(Value::string).unwrap_or_default();
        let input = match object.unwrap_or(text.trim()) {
            "" => "{}",
            text if Value::parse(text).is_some_and(Value::is_object) => text,
            _ if is_cut => continue,
            _ => return None,
        };
        has_calls = true;
        json.open_object();
        json.member_string("type", "tool_use");
        json.member("id", id.map_or("\"\"", Value::text));
        let name = name.and_then(Value::string).unwrap_or_default();
        json.member_string("name", &asked.names.own(name));
        json.member("input", input);
        json.close_object();
    }
    Some(Ending {
        has_calls,
        is_refused: refusal.is_some(),
    })
}

fn write_said(of: Said, spelled: &str, json: &mut Json) {
    json.open_object();
    match of {
        Said::Thought => {
            json.member_string("type", "thinking");
            json.member_spelled("thinking", spelled);
            // Nobody signed it.
            json.member_string("signature", "");
        }
        Said::Text => {
            json.member_string("type", "text");
            json.member_spelled("text", spelled);
        }
    }
    json.close_object();
}

/// What the reason of an end depends on, besides OpenAI's word for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    pub(super) has_calls: bool,
    /// Whether the model refused, which OpenAI calls a stop.
    pub(super) is_refused: bool,
}

impl Ending {
    /// Why an answer ended, in Anthropic's words.
    pub(super) fn stop_reason(self, finish: &str) -> &'static str {
        match finish {
            "length" => "max_tokens",
            "content_filter" => "refusal",
            "tool_calls" | "function_call" => "tool_use",
            _ if self.has_calls => "tool_use",
            _ if self.is_refused => "refusal",
            _ => "end_turn",
        }
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
