//! OpenAI's chat, completions and embeddings.

use formats::json::{Fault, Kind, Reader};

use super::{End, Extent, Response, index, place_in, text, text_part};
use crate::text::TextKind;

/// The text of OpenAI's elder way to call a tool, of which there is one in a choice.
pub(super) const ELDER_CALL: u32 = u32::MAX;

impl Response {
    pub(super) fn chat(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        reader.entries(|key, reader| {
            match &*key.as_str().unwrap_or_default() {
                "id" => self.identity.id = Some(reader.value()?.into()),
                "created" => self.identity.created = Some(reader.value()?.into()),
                "model" => self.model(reader)?,
                "choices" if reader.kind() == Kind::Array => {
                    self.is_known = true;
                    let mut count = 0;
                    reader.items(|index, reader| {
                        count = index + 1;
                        self.choice(place_in(index), reader)
                    })?;
                    self.choices = Some(count);
                }
                // Embeddings.
                "data" => self.is_known |= reader.kind() == Kind::Array,
                "usage" => {
                    let value = reader.value_with(|reader| self.usage(reader))?;
                    self.usage_entry = Some((key.into(), value.into()));
                    self.is_known |= self.usage.is_some();
                }
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

    fn choice(&mut self, at: u32, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let first = self.pieces.len();
        let (mut item, mut ends) = (at, false);
        reader.entries(|key, reader| {
            match &*key.as_str().unwrap_or_default() {
                "index" => item = index(reader)?.unwrap_or(at),
                "delta" => self.message(Extent::Delta, reader)?,
                "message" => self.message(Extent::Whole, reader)?,
                // Completions. Their pieces are all deltas: a whole one comes alone.
                "text" => self.piece(text(TextKind::Text), Extent::Delta, reader.value()?),
                "logprobs" => self.logprobs(reader)?,
                "finish_reason" => {
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

    fn message(&mut self, extent: Extent, reader: &mut Reader<'_>) -> Result<(), Fault> {
        reader.entries(|key, reader| {
            match &*key.as_str().unwrap_or_default() {
                "content" if reader.kind() == Kind::Array => {
                    reader.items(|_, reader| self.part(extent, reader))?;
                }
                "content" => self.piece(text(TextKind::Text), extent, reader.value()?),
                "refusal" => self.piece(text(TextKind::Refusal), extent, reader.value()?),
                "reasoning_content" => {
                    self.piece(text(TextKind::Reasoning), extent, reader.value()?);
                }
                // Some servers send it under both names: two texts that say the same.
                "reasoning" => {
                    self.piece(text_part(TextKind::Reasoning, 1), extent, reader.value()?);
                }
                "reasoning_details" => {
                    self.leaves(true, text_part(TextKind::Reasoning, 2), extent, reader)?;
                }
                "tool_calls" => {
                    reader
                        .items(|index, reader| self.tool_call(place_in(index), extent, reader))?;
                }
                "function_call" => self.called(ELDER_CALL, extent, reader)?,
                "audio" => reader.entries(|key, reader| {
                    if key.is("transcript") {
                        self.piece(text_part(TextKind::Text, 1), extent, reader.value()?);
                    }
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })
    }

    /// A part of a content, as some servers have it in answers too.
    fn part(&mut self, extent: Extent, reader: &mut Reader<'_>) -> Result<(), Fault> {
        reader.entries(|key, reader| {
            match &*key.as_str().unwrap_or_default() {
                "text" => self.piece(text(TextKind::Text), extent, reader.value()?),
                "refusal" => self.piece(text(TextKind::Refusal), extent, reader.value()?),
                "thinking" => self.leaves(true, text(TextKind::Reasoning), extent, reader)?,
                _ => {}
            }
            Ok(())
        })
    }

    fn tool_call(&mut self, at: u32, extent: Extent, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let (first, mut part) = (self.pieces.len(), at);
        reader.entries(|key, reader| {
            match &*key.as_str().unwrap_or_default() {
                "index" => part = index(reader)?.unwrap_or(at),
                "function" | "custom" => self.called(at, extent, reader)?,
                _ => {}
            }
            Ok(())
        })?;
        for piece in self.pieces.iter_mut().skip(first) {
            piece.key.part = part;
        }
        Ok(())
    }

    fn called(&mut self, part: u32, extent: Extent, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.has_tool_call |= reader.kind() == Kind::Object;
        reader.entries(|key, reader| {
            let kind = match &*key.as_str().unwrap_or_default() {
                "arguments" => TextKind::Arguments,
                "input" => TextKind::Value,
                _ => return Ok(()),
            };
            self.piece(text_part(kind, part), extent, reader.value()?);
            Ok(())
        })
    }
}
