//! A whole answer in OpenAI's chat, written from pieces of another provider's.
//!
//! Texts come as they are spelled in the other JSON, and are joined without being decoded.

use crate::translate::Moment;
use crate::translate::json::{Json, escape_into};
use crate::usage::Usage;

/// Why an answer ended, in OpenAI's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::translate) enum Finish {
    Stop,
    Length,
    ToolCalls,
    ContentFilter,
}

impl Finish {
    pub(in crate::translate) const fn name(self) -> &'static str {
        match self {
            Finish::Stop => "stop",
            Finish::Length => "length",
            Finish::ToolCalls => "tool_calls",
            Finish::ContentFilter => "content_filter",
        }
    }
}

/// One choice of an answer.
#[derive(Debug, Default)]
pub(in crate::translate) struct ChoiceText {
    text: Option<String>,
    reasoning: Option<String>,
    thinking_blocks: Json,
    images: Json,
    tool_calls: Json,
}

impl ChoiceText {
    /// Appends text, as it is spelled inside of a JSON string.
    pub(in crate::translate) fn text(&mut self, spelled: &str) {
        self.text.get_or_insert_default().push_str(spelled);
    }

    pub(in crate::translate) fn reasoning(&mut self, spelled: &str) {
        self.reasoning.get_or_insert_default().push_str(spelled);
    }

    /// Appends what was thought with its signature, both as they are spelled with their quotes.
    pub(in crate::translate) fn thinking(&mut self, thinking: &str, signature: &str) {
        let json = &mut self.thinking_blocks;
        json.open_object();
        json.member_string("type", "thinking");
        json.member("thinking", thinking);
        json.member("signature", signature);
        json.close_object();
    }

    /// Appends thoughts that nobody may read.
    pub(in crate::translate) fn redacted(&mut self, data: &str) {
        let json = &mut self.thinking_blocks;
        json.open_object();
        json.member_string("type", "redacted_thinking");
        json.member("data", data);
        json.close_object();
    }

    /// Appends an image; its type and its base64 are as they are spelled.
    pub(in crate::translate) fn image(&mut self, media_type: &str, data: &str) {
        let json = &mut self.images;
        json.open_object();
        write_image(json, media_type, data);
        json.close_object();
    }

    /// Appends a call; the arguments are a JSON object.
    pub(in crate::translate) fn call(&mut self, id: &str, name: &str, arguments: &str) {
        let json = &mut self.tool_calls;
        json.open_object();
        json.member_string("id", id);
        json.member_string("type", "function");
        json.key("function");
        json.open_object();
        json.member_string("name", name);
        json.member_string("arguments", arguments);
        json.close_object();
        json.close_object();
    }

    pub(in crate::translate) fn has_calls(&self) -> bool {
        !self.tool_calls.is_empty()
    }

    fn write(&self, index: u64, finish: Finish, json: &mut Json) {
        json.open_object();
        json.member_number("index", index);
        json.key("message");
        json.open_object();
        json.member_string("role", "assistant");
        match &self.text {
            Some(text) => json.member_spelled("content", text),
            None => json.member("content", "null"),
        }
        json.member("refusal", "null");
        if let Some(reasoning) = &self.reasoning {
            json.member_spelled("reasoning_content", reasoning);
        }
        for (key, list) in [
            ("thinking_blocks", &self.thinking_blocks),
            ("images", &self.images),
            ("tool_calls", &self.tool_calls),
        ] {
            if !list.is_empty() {
                json.key(key);
                json.open_array();
                json.raw(list.text());
                json.close_array();
            }
        }
        json.close_object();
        json.member("logprobs", "null");
        json.member_string("finish_reason", finish.name());
        json.close_object();
    }
}

/// Writes an answer.
pub(in crate::translate) fn write(
    id: &str,
    model: &str,
    moment: &Moment<'_>,
    choices: &[(ChoiceText, Finish)],
    usage: Option<Usage>,
) -> String {
    let mut json = Json::with_capacity(512);
    json.open_object();
    json.member_string("id", id);
    json.member_string("object", "chat.completion");
    json.member_number("created", moment.now);
    json.member_string("model", model);
    json.key("choices");
    json.open_array();
    for (index, (choice, finish)) in (0..).zip(choices) {
        choice.write(index, *finish, &mut json);
    }
    json.close_array();
    if let Some(usage) = usage {
        json.key("usage");
        write_usage(&usage, &mut json);
    }
    json.close_object();
    json.into_text()
}

/// Writes usage as OpenAI counts: cached tokens are some of the prompt, thoughts some of the
/// completion.
pub(in crate::translate) fn write_usage(usage: &Usage, json: &mut Json) {
    json.open_object();
    json.member_number("prompt_tokens", usage.input_tokens);
    json.member_number("completion_tokens", usage.output_tokens);
    json.member_number("total_tokens", usage.total_tokens());
    if usage.cached_tokens.is_some() || usage.cache_creation_tokens.is_some() {
        json.key("prompt_tokens_details");
        json.open_object();
        json.member_number("cached_tokens", usage.cached_tokens.unwrap_or_default());
        // OpenAI knows no such count, gateways do.
        if let Some(tokens) = usage.cache_creation_tokens {
            json.member_number("cache_creation_tokens", tokens);
        }
        json.close_object();
    }
    if let Some(tokens) = usage.reasoning_tokens {
        json.key("completion_tokens_details");
        json.open_object();
        json.member_number("reasoning_tokens", tokens);
        json.close_object();
    }
    json.close_object();
}

/// The members of an image. OpenAI's messages have none in an answer; gateways and their clients
/// agreed on a member `images` of such.
pub(super) fn write_image(json: &mut Json, media_type: &str, data: &str) {
    json.member_string("type", "image_url");
    json.key("image_url");
    json.open_object();
    json.member_spelled("url", &format!("data:{media_type};base64,{data}"));
    json.close_object();
}

/// A JSON text, spelled as the inside of a string.
pub(in crate::translate) fn spelled(text: &str) -> String {
    let mut spelled = String::with_capacity(text.len() + 16);
    escape_into(text, &mut spelled);
    spelled
}
