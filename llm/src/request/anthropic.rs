//! Anthropic's Messages.

use formats::json::{Fault, Kind, Raw, Reader};

use super::Request;
use super::keys::folded;
use super::messages::Head;
use crate::text::{Depth, Role, TextKind};

impl Request {
    pub(super) fn anthropic(&mut self, key: &str, reader: &mut Reader<'_>) -> Result<(), Fault> {
        match key {
            "messages" => self.messages(reader, message)?,
            "system" => {
                let first = self.texts.len();
                self.system = Some(self.content(Depth::TOP, TextKind::Text, reader, block)?);
                self.speak(first, Role::System, None);
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
                let place = request.content(Depth::TOP, TextKind::Text, reader, block)?;
                head.content(request, key, place);
            }
            "id" | "type" => {}
            _ => request.leaves(Depth::TOP, TextKind::Text, reader)?,
        }
        Ok(())
    })?;
    Ok(head)
}

/// A content block of any type. What is in a `tool_result` is the tool's, however deep.
fn block(
    request: &mut Request,
    depth: Depth,
    kind: TextKind,
    reader: &mut Reader<'_>,
) -> Result<(), Fault> {
    let first = request.texts.len();
    let mut is_result = false;
    reader.entries(|key, reader| {
        match &*key.as_str().unwrap_or_default() {
            "type" => {
                let of = reader.value()?.as_str().unwrap_or_default();
                is_result = of.ends_with("tool_result");
            }
            "text" if reader.kind() == Kind::String => request.text(kind, reader.value()?),
            "thinking" => request.leaves(depth, TextKind::Reasoning, reader)?,
            "input" => request.values(depth, TextKind::Value, reader)?,
            "content" => drop(request.content(depth, kind, reader, block)?),
            "source" if reader.kind() == Kind::Object => source(request, depth, kind, reader)?,
            "id" | "tool_use_id" | "name" | "signature" | "data" | "cache_control" | "source" => {}
            _ => request.leaves(depth, kind, reader)?,
        }
        Ok(())
    })?;
    if is_result {
        request.retell(first, TextKind::ToolResult);
    }
    Ok(())
}

/// Where an image or a document comes from. A document may be plain text, or blocks.
fn source(
    request: &mut Request,
    depth: Depth,
    kind: TextKind,
    reader: &mut Reader<'_>,
) -> Result<(), Fault> {
    let mut data: Option<Raw<'_>> = None;
    let mut is_text = false;
    reader.entries(|key, reader| {
        match &*key.as_str().unwrap_or_default() {
            "type" => is_text = reader.value()?.is("text"),
            "data" => data = Some(reader.value()?),
            "content" => drop(request.content(depth, kind, reader, block)?),
            _ => {}
        }
        Ok(())
    })?;
    if let Some(data) = data.filter(|_| is_text) {
        request.text(kind, data);
    }
    Ok(())
}
