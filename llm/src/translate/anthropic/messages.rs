//! Messages as Anthropic has them: blocks in turns that alternate, system prompts apart.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::refusal::Refusal;
use crate::translate::chat::message::{Content, Message, Part, Role, Source, Thought};
use crate::translate::chat::tools::{Call, clean_id};
use crate::translate::chat::turns::Turns;
use crate::translate::json::{Json, Value};
use crate::translate::loss::Losses;

/// The images that models can see.
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// The conversation so far.
#[derive(Debug)]
pub(super) struct Messages {
    /// The blocks of system prompts.
    pub(super) system: Json,
    pub(super) turns: Turns,
    /// The model has called tools, and is not done; its last message says nothing of what it
    /// thought.
    pub(super) lacks_thoughts: bool,
}

impl Messages {
    pub(super) fn new() -> Messages {
        Messages {
            system: Json::default(),
            turns: Turns::new("content"),
            lacks_thoughts: false,
        }
    }

    /// Appends a message of the client's.
    pub(super) fn push(&mut self, message: Value<'_>, losses: &mut Losses) -> Result<(), Refusal> {
        let message = Message::read(message, losses)?;
        let mut blocks = Json::default();
        match message.role {
            Role::System => {
                for part in &message.parts {
                    write_text(part.as_text("system")?, part.cache, &mut self.system);
                }
            }
            Role::User => {
                self.lacks_thoughts = false;
                write_parts(&message.parts, &mut blocks, losses)?;
                self.turns.append("user", blocks.text());
            }
            Role::Assistant => {
                self.lacks_thoughts = write_answer(&message, &mut blocks, losses)?;
                self.turns.append("assistant", blocks.text());
            }
            Role::Tool => {
                write_result(&message, &mut blocks, losses)?;
                self.turns.append("user", blocks.text());
            }
        }
        Ok(())
    }
}

/// Tells whether tools are called without a word of what was thought.
fn write_answer(
    message: &Message<'_>,
    json: &mut Json,
    losses: &mut Losses,
) -> Result<bool, Refusal> {
    let is_signed = write_thoughts(message, json);
    write_parts(&message.parts, json, losses)?;
    let mut has_called = false;
    for call in &message.tool_calls {
        let Some(call) = Call::read(*call, losses)? else {
            continue;
        };
        has_called = true;
        json.open_object();
        json.member_string("type", "tool_use");
        json.member_string("id", &clean_id(&call.id, "messages[].tool_calls[].id")?);
        json.member("name", call.name.text());
        json.member("input", &call.arguments);
        json.close_object();
    }
    Ok(has_called && !is_signed)
}

fn write_result(
    message: &Message<'_>,
    json: &mut Json,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let call = message.answered_call();
    json.open_object();
    json.member_string("type", "tool_result");
    json.member_string("tool_use_id", &clean_id(call, "messages[].tool_call_id")?);
    let mut content = Json::default();
    let mut cache = None;
    for part in &message.parts {
        cache = part.cache.or(cache);
        write_content(&part.content, None, &mut content, losses)?;
    }
    if !content.is_empty() {
        json.key("content");
        json.open_array();
        json.raw(content.text());
        json.close_array();
    }
    json.member_if("cache_control", cache);
    json.close_object();
    Ok(())
}

fn write_parts(parts: &[Part<'_>], json: &mut Json, losses: &mut Losses) -> Result<(), Refusal> {
    for part in parts {
        write_content(&part.content, part.cache, json, losses)?;
    }
    Ok(())
}

fn write_content(
    content: &Content<'_>,
    cache: Option<Value<'_>>,
    json: &mut Json,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let (block, source, name) = match content {
        Content::Text(text) => {
            write_text(*text, cache, json);
            return Ok(());
        }
        Content::Image(source @ Source::Inline { media_type, .. }) => {
            match media_type.as_str() {
                "application/pdf" => ("document", source, None),
                it if IMAGES.contains(&it) => ("image", source, None),
                // An image of another kind would be refused there.
                _ => return losses.lose("messages[].content[].image_url"),
            }
        }
        Content::Image(source) => ("image", source, None),
        Content::File(source @ Source::Inline { media_type, .. }, name) => {
            match media_type.as_str() {
                "application/pdf" => ("document", source, *name),
                it if IMAGES.contains(&it) => ("image", source, None),
                "text/plain" if text_of(source).is_some() => ("document", source, *name),
                _ => return losses.lose("messages[].content[].file"),
            }
        }
        Content::File(..) => return losses.lose("messages[].content[].file"),
        Content::Audio { .. } => return losses.lose("messages[].content[].input_audio"),
    };
    json.open_object();
    json.member_string("type", block);
    json.key("source");
    json.open_object();
    match source {
        Source::Inline { media_type, .. } if media_type == "text/plain" => {
            json.member_string("type", "text");
            json.member_string("media_type", media_type);
            json.member_string("data", &text_of(source).unwrap_or_default());
        }
        Source::Inline { media_type, data } => {
            json.member_string("type", "base64");
            json.member_string("media_type", media_type);
            json.member_string("data", data);
        }
        Source::Url(url) => {
            json.member_string("type", "url");
            json.member_string("url", url);
        }
    }
    json.close_object();
    json.member_if("title", name);
    json.member_if("cache_control", cache);
    json.close_object();
    Ok(())
}

/// The text that a source in the request is the base64 of; none if it is no UTF-8.
fn text_of(source: &Source<'_>) -> Option<String> {
    let Source::Inline { data, .. } = source else {
        return None;
    };
    String::from_utf8(STANDARD.decode(data.as_bytes()).ok()?).ok()
}

/// Writes a block of text, unless it says nothing: Anthropic refuses such blocks.
fn write_text(text: Value<'_>, cache: Option<Value<'_>>, json: &mut Json) {
    if text.is_blank() {
        return;
    }
    json.open_object();
    json.member_string("type", "text");
    json.member("text", text.text());
    json.member_if("cache_control", cache);
    json.close_object();
}

/// Writes what the model thought, as far as it signed it; tells whether there is any of that.
fn write_thoughts(message: &Message<'_>, json: &mut Json) -> bool {
    let mut is_signed = false;
    for thought in message.thoughts() {
        is_signed = true;
        json.open_object();
        match thought {
            Thought::Signed { text, signature } => {
                json.member_string("type", "thinking");
                json.member("thinking", text);
                json.member("signature", signature);
            }
            Thought::Redacted(data) => {
                json.member_string("type", "redacted_thinking");
                json.member("data", data);
            }
        }
        json.close_object();
    }
    is_signed
}
