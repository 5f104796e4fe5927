//! Google's Gemini. Its members have two spellings each, as in all JSON of protocol buffers.

use formats::json::{Fault, Kind, Reader};

use super::keys::folded;
use super::messages::Head;
use super::{LimitField, Request};
use crate::text::{Depth, Role, TextKind};

impl Request {
    pub(super) fn gemini(&mut self, key: &str, reader: &mut Reader<'_>) -> Result<(), Fault> {
        match key {
            "contents" => self.messages(reader, content)?,
            "systemInstruction" | "system_instruction" => {
                let first = self.texts.len();
                let system = reader.value_with(|reader| match reader.kind() {
                    Kind::Object => content(self, reader).map(drop),
                    _ => self.leaves(Depth::TOP, TextKind::Text, reader),
                })?;
                self.speak(first, Role::System, None);
                self.system = Some(system.into());
            }
            "generationConfig" | "generation_config" => {
                let config = reader.value_with(|reader| {
                    reader.entries(|key, reader| {
                        if key.is("maxOutputTokens") || key.is("max_output_tokens") {
                            self.output_limit(LimitField::GenerationMaxOutputTokens, reader)?;
                        }
                        Ok(())
                    })
                })?;
                self.generation_config = Some(config.into());
            }
            // What `countTokens` counts.
            "generateContentRequest" | "generate_content_request" => {
                reader.entries(|key, reader| {
                    let key = key.as_str().unwrap_or_default();
                    match &*key {
                        "contents" | "systemInstruction" | "system_instruction" => {
                            self.gemini(&key, reader)
                        }
                        _ => Ok(()),
                    }
                })?;
            }
            _ => self.other(key, reader)?,
        }
        Ok(())
    }
}

fn content(request: &mut Request, reader: &mut Reader<'_>) -> Result<Head, Fault> {
    let mut head = Head::default();
    reader.entries(|key, reader| {
        match &*folded(key) {
            "role" => head.role(request, key, Role::spoken(reader.value()?)),
            "parts" => {
                let place = request.content(Depth::TOP, TextKind::Text, reader, part)?;
                head.content(request, key, place);
            }
            _ => request.leaves(Depth::TOP, TextKind::Text, reader)?,
        }
        Ok(())
    })?;
    Ok(head)
}

fn part(
    request: &mut Request,
    depth: Depth,
    kind: TextKind,
    reader: &mut Reader<'_>,
) -> Result<(), Fault> {
    let first = request.texts.len();
    let mut is_thought = false;
    reader.entries(|key, reader| {
        match &*key.as_str().unwrap_or_default() {
            "thought" => is_thought = reader.value()?.kind() == Kind::Bool(true),
            "functionCall" | "function_call" => {
                tool(request, depth, TextKind::Value, reader)?;
            }
            "functionResponse" | "function_response" => {
                tool(request, depth, TextKind::ToolResult, reader)?;
            }
            "codeExecutionResult" | "code_execution_result" => {
                request.leaves(depth, TextKind::ToolResult, reader)?;
            }
            "inlineData" | "inline_data" | "fileData" | "file_data" => {}
            "videoMetadata" | "video_metadata" | "thoughtSignature" | "thought_signature" => {}
            _ => request.leaves(depth, kind, reader)?,
        }
        Ok(())
    })?;
    if is_thought {
        request.retell(first, TextKind::Reasoning);
    }
    Ok(())
}

/// What a tool is called with, or what it gave back. Its keys are the client's.
fn tool(
    request: &mut Request,
    depth: Depth,
    kind: TextKind,
    reader: &mut Reader<'_>,
) -> Result<(), Fault> {
    reader.entries(|key, reader| {
        match &*key.as_str().unwrap_or_default() {
            "args" | "response" => request.values(depth, kind, reader)?,
            "parts" => drop(request.content(depth, kind, reader, part)?),
            _ => {}
        }
        Ok(())
    })
}
