//! Messages as Converse has them: blocks in turns that alternate, caches marked by blocks of their
//! own.

use super::names::Names;
use crate::refusal::Refusal;
use crate::translate::chat::message::{Content, Message, Part, Role, Source, Thought};
use crate::translate::chat::tools::{Call, clean_id};
use crate::translate::chat::turns::Turns;
use crate::translate::json::{Json, Value};
use crate::translate::loss::Losses;

/// The conversation so far.
#[derive(Debug)]
pub(super) struct Messages {
    /// The blocks of system prompts.
    pub(super) system: Json,
    pub(super) turns: Turns,
    /// Tools are called, or answer.
    pub(super) has_tools: bool,
    /// The last answer calls tools and says nothing of what it thought.
    pub(super) lacks_thoughts: bool,
    documents: u64,
}

impl Messages {
    pub(super) fn new() -> Messages {
        Messages {
            system: Json::default(),
            turns: Turns::new("content"),
            has_tools: false,
            lacks_thoughts: false,
            documents: 0,
        }
    }

    /// Appends a message of the client's.
    pub(super) fn push(
        &mut self,
        message: Value<'_>,
        names: &mut Names,
        losses: &mut Losses,
    ) -> Result<(), Refusal> {
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
                self.write_parts(&message.parts, &mut blocks, losses)?;
                self.turns.append("user", blocks.text());
            }
            Role::Assistant => {
                let is_signed = write_thoughts(&message, &mut blocks);
                self.write_parts(&message.parts, &mut blocks, losses)?;
                let mut has_called = false;
                for call in &message.tool_calls {
                    if let Some(call) = Call::read(*call, losses)? {
                        write_call(&call, names, &mut blocks)?;
                        has_called = true;
                    }
                }
                self.has_tools |= has_called;
                self.lacks_thoughts = has_called && !is_signed;
                self.turns.append("assistant", blocks.text());
            }
            Role::Tool => {
                self.has_tools = true;
                write_result(&message, &mut blocks)?;
                self.turns.append("user", blocks.text());
            }
        }
        Ok(())
    }

    fn write_parts(
        &mut self,
        parts: &[Part<'_>],
        json: &mut Json,
        losses: &mut Losses,
    ) -> Result<(), Refusal> {
        for part in parts {
            let lost = match &part.content {
                Content::Text(text) => {
                    write_text(*text, part.cache, json);
                    continue;
                }
                Content::Image(Source::Inline { media_type, data }) => match media_type.as_str() {
                    "application/pdf" => {
                        self.write_document("pdf", data, json);
                        None
                    }
                    "image/png" | "image/jpeg" | "image/gif" | "image/webp" => {
                        let format = media_type.split('/').next_back().unwrap_or_default();
                        json.open_object();
                        json.key("image");
                        write_bytes(format, None, data, json);
                        json.close_object();
                        None
                    }
                    _ => Some("messages[].content[].image_url"),
                },
                // Bedrock fetches nothing.
                Content::Image(Source::Url(_)) => Some("messages[].content[].image_url"),
                Content::File(Source::Inline { media_type, data }, _) => {
                    match document(media_type) {
                        Some(format) => {
                            self.write_document(format, data, json);
                            None
                        }
                        None => Some("messages[].content[].file"),
                    }
                }
                Content::File(Source::Url(_), _) => Some("messages[].content[].file"),
                Content::Audio { .. } => Some("messages[].content[].input_audio"),
            };
            match lost {
                Some(field) => losses.lose(field)?,
                None => write_cache_point(part.cache, json),
            }
        }
        Ok(())
    }

    /// Names of documents must differ, may hold few characters, and are told to the model.
    fn write_document(&mut self, format: &str, data: &str, json: &mut Json) {
        self.documents += 1;
        let name = format!("document {}", self.documents);
        json.open_object();
        json.key("document");
        write_bytes(format, Some(&name), data, json);
        json.close_object();
    }
}

fn document(media_type: &str) -> Option<&'static str> {
    Some(match media_type {
        "application/pdf" => "pdf",
        "text/plain" => "txt",
        "text/csv" => "csv",
        "text/html" => "html",
        "text/markdown" => "md",
        _ => return None,
    })
}

fn write_bytes(format: &str, name: Option<&str>, data: &str, json: &mut Json) {
    json.open_object();
    json.member_string("format", format);
    if let Some(name) = name {
        json.member_string("name", name);
    }
    json.key("source");
    json.open_object();
    json.member_string("bytes", data);
    json.close_object();
    json.close_object();
}

/// Writes a block of text, unless it says nothing: Bedrock refuses such blocks.
fn write_text(text: Value<'_>, cache: Option<Value<'_>>, json: &mut Json) {
    if text.is_blank() {
        return;
    }
    json.open_object();
    json.member("text", text.text());
    json.close_object();
    write_cache_point(cache, json);
}

/// Where what stands before is to be cached. It is a block of its own.
pub(super) fn write_cache_point(cache: Option<Value<'_>>, json: &mut Json) {
    if cache.is_some() {
        json.raw(r#"{"cachePoint":{"type":"default"}}"#);
    }
}

fn write_call(call: &Call<'_>, names: &mut Names, json: &mut Json) -> Result<(), Refusal> {
    let name = call.name.string().unwrap_or_default();
    json.open_object();
    json.key("toolUse");
    json.open_object();
    json.member_string(
        "toolUseId",
        &clean_id(&call.id, "messages[].tool_calls[].id")?,
    );
    json.member_string("name", &names.send(&name)?);
    json.member("input", &call.arguments);
    json.close_object();
    json.close_object();
    Ok(())
}

/// Writes a result. No cache is marked behind it, which some models refuse.
fn write_result(message: &Message<'_>, json: &mut Json) -> Result<(), Refusal> {
    let call = message.answered_call();
    json.open_object();
    json.key("toolResult");
    json.open_object();
    json.member_string("toolUseId", &clean_id(call, "messages[].tool_call_id")?);
    json.key("content");
    json.open_array();
    let mut is_empty = true;
    for part in &message.parts {
        let text = part.as_text("tool")?;
        if !text.is_blank() {
            is_empty = false;
            json.open_object();
            json.member("text", text.text());
            json.close_object();
        }
    }
    if is_empty {
        // A result must hold something.
        json.raw(r#"{"json":{}}"#);
    }
    json.close_array();
    json.close_object();
    json.close_object();
    Ok(())
}

/// Writes what the model thought, as far as it signed it; tells whether there is any of that.
fn write_thoughts(message: &Message<'_>, json: &mut Json) -> bool {
    let mut is_signed = false;
    for thought in message.thoughts() {
        is_signed = true;
        json.open_object();
        json.key("reasoningContent");
        json.open_object();
        match thought {
            Thought::Signed { text, signature } => {
                json.key("reasoningText");
                json.open_object();
                json.member("text", text);
                json.member("signature", signature);
                json.close_object();
            }
            Thought::Redacted(data) => json.member("redactedContent", data),
        }
        json.close_object();
        json.close_object();
    }
    is_signed
}
