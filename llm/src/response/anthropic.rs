//! Anthropic's Messages: a message, or the events that it is made of.
//!
//! What an event is, its members say as well as its `type`, which may come behind them.

use formats::json::{Fault, Kind, Reader};

use super::{End, Extent, Response, index, place_in, text};
use crate::text::TextKind;

impl Response {
    pub(super) fn anthropic(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let (mut item, mut stops) = (0, false);
        let mut first_of_block = None;
        reader.entries(|key, reader| {
            match &*key.as_str().unwrap_or_default() {
                "type" => {
                    let of = reader.value()?.as_str().unwrap_or_default();
                    match &*of {
                        "message_stop" => self.is_last = true,
                        "error" => self.is_error = true,
                        "content_block_stop" => stops = true,
                        _ => {}
                    }
                    self.is_known |= matches!(
                        &*of,
                        "message"
                            | "message_start"
                            | "content_block_start"
                            | "content_block_delta"
                            | "content_block_stop"
                            | "message_delta"
                            | "message_stop"
                            | "ping"
                            | "error"
                    );
                }
                "index" => item = index(reader)?.unwrap_or_default(),
                "delta" => {
                    first_of_block.get_or_insert(self.pieces.len());
                    self.delta(reader)?;
                }
                "content_block" => {
                    first_of_block.get_or_insert(self.pieces.len());
                    self.block(Extent::Delta, reader)?;
                }
                "message" => self.anthropic_message(reader)?,
                "error" => self.error(reader)?,
                "usage" => self.usage(reader)?,
                "model" => self.model(reader)?,
                "stop_reason" => self.finish(reader.value()?),
                "content" => self.blocks(reader)?,
                _ => {}
            }
            Ok(())
        })?;
        if let Some(first) = first_of_block {
            self.assign(first, item);
        }
        if stops {
            self.ends.push(End::Item(item));
        }
        if self.is_last || self.is_error {
            self.ends.push(End::All);
        }
        Ok(())
    }

    /// The message of `message_start`, which is empty as a rule.
    fn anthropic_message(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        reader.entries(|key, reader| {
            match &*key.as_str().unwrap_or_default() {
                "usage" => self.usage(reader)?,
                "model" => self.model(reader)?,
                "stop_reason" => self.finish(reader.value()?),
                "content" => self.blocks(reader)?,
                _ => {}
            }
            Ok(())
        })
    }

    fn blocks(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        reader.items(|index, reader| {
            let first = self.pieces.len();
            self.block(Extent::Whole, reader)?;
            self.assign(first, place_in(index));
            Ok(())
        })
    }

    /// A block. The text with which it starts goes on in its deltas; arguments that are there at its
    /// start are all there are.
    fn block(&mut self, extent: Extent, reader: &mut Reader<'_>) -> Result<(), Fault> {
        reader.entries(|key, reader| {
            match &*key.as_str().unwrap_or_default() {
                "type" => {
                    let of = reader.value()?.as_str().unwrap_or_default();
                    self.has_tool_call |= of.ends_with("tool_use");
                }
                "text" => self.piece(text(TextKind::Text), extent, reader.value()?),
                "thinking" => self.piece(text(TextKind::Reasoning), extent, reader.value()?),
                "input" => self.leaves(false, text(TextKind::Value), Extent::Whole, reader)?,
                "content" => {
                    self.leaves(true, text(TextKind::ToolResult), Extent::Whole, reader)?;
                }
                "citations" => self.leaves(true, text(TextKind::Text), Extent::Whole, reader)?,
                _ => {}
            }
            Ok(())
        })
    }

    fn delta(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        reader.entries(|key, reader| {
            let kind = match &*key.as_str().unwrap_or_default() {
                "text" => TextKind::Text,
                "thinking" => TextKind::Reasoning,
                "partial_json" => TextKind::Arguments,
                "stop_reason" => {
                    let raw = reader.value()?;
                    if raw.kind() == Kind::String {
                        self.ends.push(End::All);
                    }
                    self.finish(raw);
                    return Ok(());
                }
                "citation" => {
                    return self.leaves(true, text(TextKind::Text), Extent::Whole, reader);
                }
                _ => return Ok(()),
            };
            self.piece(text(kind), Extent::Delta, reader.value()?);
            Ok(())
        })
    }
}
