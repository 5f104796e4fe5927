//! OpenAI's chat.

use formats::json::{Fault, Kind, Raw, Reader};

use super::Request;
use super::keys::folded;
use super::messages::Head;
use crate::text::{Depth, Role, TextKind};

impl Request {
    pub(super) fn chat(&mut self, key: &str, reader: &mut Reader<'_>) -> Result<(), Fault> {
        match key {
            "messages" => self.messages(reader, message)?,
            // What the answer will mostly be.
            "prediction" => {
                let first = self.texts.len();
                self.leaves(Depth::TOP, TextKind::Text, reader)?;
                self.speak(first, Role::Assistant, None);
            }
            _ => self.other(key, reader)?,
        }
        Ok(())
    }
}

fn message(request: &mut Request, reader: &mut Reader<'_>) -> Result<Head, Fault> {
    let mut head = Head::default();
    reader.entries(|key, reader| {
        match &*folded(key) {
            "role" => head.role(request, key, Role::spoken(reader.value()?)),
            "content" => {
                let place = request.content(Depth::TOP, TextKind::Text, reader, part)?;
                head.content(request, key, place);
            }
            "refusal" => request.leaves(Depth::TOP, TextKind::Refusal, reader)?,
            "reasoning" | "reasoning_content" | "reasoning_details" | "thinking_blocks" => {
                request.leaves(Depth::TOP, TextKind::Reasoning, reader)?;
            }
            "tool_calls" => reader.items(|_, reader| tool_call(request, reader))?,
            "function_call" => function(request, reader)?,
            "name" | "id" | "tool_call_id" | "audio" => {}
            _ => request.leaves(Depth::TOP, TextKind::Text, reader)?,
        }
        Ok(())
    })?;
    Ok(head)
}

/// A part of a content; media are left alone.
pub(super) fn part(
    request: &mut Request,
    depth: Depth,
    kind: TextKind,
    reader: &mut Reader<'_>,
) -> Result<(), Fault> {
    reader.entries(|key, reader| {
        match &*key.as_str().unwrap_or_default() {
            "refusal" => request.leaves(depth, TextKind::Refusal, reader)?,
            "thinking" => request.leaves(depth, TextKind::Reasoning, reader)?,
            "type" | "image_url" | "input_audio" | "file" | "video_url" | "audio_url" => {}
            // Strings alone: some clients put a text into an object here.
            "text" if reader.kind() == Kind::String => request.text(kind, reader.value()?),
            key if is_plain(key) => {}
            _ => request.leaves(depth, kind, reader)?,
        }
        Ok(())
    })
}

/// Members of parts that are no text, whatever their values.
fn is_plain(key: &str) -> bool {
    matches!(
        key,
        "id" | "cache_control" | "detail" | "filename" | "file_id" | "file_data" | "file_url"
    )
}

fn tool_call(request: &mut Request, reader: &mut Reader<'_>) -> Result<(), Fault> {
    reader.entries(|key, reader| {
        match &*key.as_str().unwrap_or_default() {
            "function" | "custom" => function(request, reader)?,
            "id" | "type" | "index" => {}
            _ => request.leaves(Depth::TOP, TextKind::Value, reader)?,
        }
        Ok(())
    })
}

fn function(request: &mut Request, reader: &mut Reader<'_>) -> Result<(), Fault> {
    reader.entries(|key, reader| called(request, key, reader))
}

/// What a tool is called with, under either of its two names.
pub(super) fn called(
    request: &mut Request,
    key: Raw<'_>,
    reader: &mut Reader<'_>,
) -> Result<(), Fault> {
    let is_json = key.is("arguments") && reader.kind() == Kind::String;
    if is_json {
        request.text(TextKind::Arguments, reader.value()?);
    } else if key.is("arguments") || key.is("input") {
        request.values(Depth::TOP, TextKind::Value, reader)?;
    }
    Ok(())
}
