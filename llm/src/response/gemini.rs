//! Google's Gemini: every event is a whole response, with the text that is new.

use formats::json::{Fault, Kind, Reader};

use super::{End, Extent, Response, TextKey, index, place_in, text};
use crate::text::TextKind;

impl Response {
    pub(super) fn gemini(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        reader.entries(|key, reader| {
            match &*key.as_str().unwrap_or_default() {
                "candidates" if reader.kind() == Kind::Array => {
                    self.is_known = true;
                    reader.items(|index, reader| self.candidate(place_in(index), reader))?;
                }
                "promptFeedback" => reader.entries(|key, reader| {
                    self.is_known = true;
                    if key.is("blockReason") {
                        self.finish(reader.value()?);
                    }
                    Ok(())
                })?,
                "usageMetadata" => {
                    self.is_known |= reader.kind() == Kind::Object;
                    self.usage(reader)?;
                }
                "modelVersion" => self.model(reader)?,
                "error" => self.error(reader)?,
                _ => {}
            }
            Ok(())
        })?;
        if self.is_error {
            self.ends.push(End::All);
        }
        Ok(())
    }

    fn candidate(&mut self, at: u32, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let first = self.pieces.len();
        let (mut item, mut ends) = (at, false);
        reader.entries(|key, reader| {
            match &*key.as_str().unwrap_or_default() {
                "index" => item = index(reader)?.unwrap_or(at),
                "content" => reader.entries(|key, reader| match key.is("parts") {
                    true => reader.items(|_, reader| self.gemini_part(reader)),
                    false => Ok(()),
                })?,
                "logprobsResult" => self.logprobs(reader)?,
                "finishReason" => {
                    let raw = reader.value()?;
                    ends = raw.kind() == Kind::String;
                    self.finish(raw);
                }
                _ => {}
            }
            Ok(())
        })?;
        self.assign(first, item);
        if ends {
            self.ends.push(End::Item(item));
        }
        Ok(())
    }

    fn gemini_part(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        const CODE: TextKey = text(TextKind::Value);
        let first = self.pieces.len();
        let mut is_thought = false;
        reader.entries(|key, reader| {
            match &*key.as_str().unwrap_or_default() {
                "text" => self.piece(text(TextKind::Text), Extent::Delta, reader.value()?),
                "thought" => is_thought = reader.value()?.kind() == Kind::Bool(true),
                "functionCall" => {
                    self.has_tool_call = true;
                    reader.entries(|key, reader| match key.is("args") {
                        true => self.leaves(false, CODE, Extent::Whole, reader),
                        false => Ok(()),
                    })?;
                }
                "executableCode" => self.leaves(true, CODE, Extent::Whole, reader)?,
                "codeExecutionResult" => {
                    self.leaves(true, text(TextKind::ToolResult), Extent::Whole, reader)?;
                }
                _ => {}
            }
            Ok(())
        })?;
        if is_thought {
            for piece in self.pieces.iter_mut().skip(first) {
                piece.key.kind = TextKind::Reasoning;
            }
        }
        Ok(())
    }
}
