//! OpenAI's Responses.

use formats::json::{Fault, Reader};

use super::keys::folded;
use super::messages::Head;
use super::{Request, chat};
use crate::text::{Depth, Role, TextKind};

impl Request {
    pub(super) fn responses(&mut self, key: &str, reader: &mut Reader<'_>) -> Result<(), Fault> {
        match key {
            "input" => self.messages(reader, item)?,
            "instructions" => {
                let first = self.texts.len();
                self.system = Some(self.content(Depth::TOP, TextKind::Text, reader, chat::part)?);
                self.speak(first, Role::System, None);
            }
            // What fills a prompt that is kept at the provider.
            "prompt" => reader.entries(|key, reader| {
                if key.is("variables") {
                    self.values(Depth::TOP, TextKind::Text, reader)?;
                }
                Ok(())
            })?,
            _ => self.other(key, reader)?,
        }
        Ok(())
    }
}

fn item(request: &mut Request, reader: &mut Reader<'_>) -> Result<Head, Fault> {
    let mut head = Head::default();
    let mut said_by = None;
    reader.entries(|key, reader| {
        match &*folded(key) {
            "type" => said_by = said_by_type(&reader.value()?.as_str().unwrap_or_default()),
            "role" => head.role(request, key, Role::spoken(reader.value()?)),
            "content" => {
                let place = request.content(Depth::TOP, TextKind::Text, reader, chat::part)?;
                head.content(request, key, place);
            }
            "summary" => request.leaves(Depth::TOP, TextKind::Reasoning, reader)?,
            "output" | "results" => request.leaves(Depth::TOP, TextKind::ToolResult, reader)?,
            "arguments" | "input" => chat::called(request, key, reader)?,
            "id" | "call_id" | "name" | "status" | "encrypted_content" => {}
            _ => request.leaves(Depth::TOP, TextKind::Value, reader)?,
        }
        Ok(())
    })?;
    head.role = head.role.or(said_by);
    Ok(head)
}

/// Who speaks in an item that names no role.
fn said_by_type(of: &str) -> Option<Role> {
    match of {
        "reasoning" => Some(Role::Assistant),
        _ if of.ends_with("_output") => Some(Role::Tool),
        _ if of.ends_with("_call") => Some(Role::Assistant),
        _ => None,
    }
}
