//! OpenAI's Responses: a response, or the events of one.
//!
//! The `type` of an event decides what its members mean, and may come behind them: they are noted
//! first. Texts come in deltas, then whole in up to three events.

use formats::json::{Fault, Kind, Raw, Reader};

use super::{End, Extent, Response, TextKey, index, place_in, text, text_part};
use crate::text::TextKind;

/// The members of an event whose meaning its type decides.
#[derive(Debug, Default)]
struct Noted<'t> {
    of: Option<Raw<'t>>,
    output_index: u32,
    part_index: u32,
    delta: Option<Raw<'t>>,
    whole: Option<Raw<'t>>,
}

impl Response {
    /// Reads a response if `extent` is whole, else an event.
    pub(super) fn responses(
        &mut self,
        reader: &mut Reader<'_>,
        extent: Extent,
    ) -> Result<(), Fault> {
        if extent == Extent::Whole {
            return self.response(Extent::Whole, reader);
        }
        let mut noted = Noted::default();
        let (mut first_of_item, mut first_of_part) = (None, None);
        reader.entries(|key, reader| {
            match &*key.as_str().unwrap_or_default() {
                "type" => {
                    let of = reader.value()?;
                    noted.of = Some(of);
                    self.identity.event_type = Some(of.into());
                }
                "output_index" => noted.output_index = index(reader)?.unwrap_or_default(),
                "content_index" | "summary_index" => {
                    noted.part_index = index(reader)?.unwrap_or_default();
                }
                "sequence_number" => self.identity.sequence_number = Some(reader.value()?.into()),
                "item_id" => self.identity.item_id = Some(reader.value()?.into()),
                "delta" => noted.delta = Some(reader.value()?),
                "logprobs" => self.logprobs(reader)?,
                "text" | "arguments" | "refusal" | "input" | "code" => {
                    noted.whole = Some(reader.value()?);
                }
                "part" => {
                    first_of_part = Some(self.pieces.len());
                    self.content_part(Extent::Repeat, 0, reader)?;
                }
                "item" => {
                    first_of_item = Some(self.pieces.len());
                    self.output_item(Extent::Repeat, reader)?;
                }
                "response" => self.response(Extent::Repeat, reader)?,
                "error" => self.error(reader)?,
                _ => {}
            }
            Ok(())
        })?;
        if let Some(first) = first_of_item.or(first_of_part) {
            self.assign(first, noted.output_index);
        }
        for piece in self
            .pieces
            .iter_mut()
            .skip(first_of_part.unwrap_or(usize::MAX))
        {
            piece.key.part = noted.part_index;
        }
        let of = noted.of.and_then(|it| it.as_str()).unwrap_or_default();
        self.event(&of, &noted);
        Ok(())
    }

    /// What an event of this type says.
    fn event(&mut self, of: &str, noted: &Noted<'_>) {
        let name = of.strip_prefix("response.");
        self.is_known |= name.is_some() || of == "error";
        let (item, part) = (noted.output_index, noted.part_index);
        match name.unwrap_or(of) {
            "completed" | "incomplete" | "failed" | "cancelled" => {
                self.is_last = true;
                self.ends.push(End::All);
            }
            "error" => {
                self.is_error = true;
                self.ends.push(End::All);
            }
            "output_item.done" => self.ends.push(End::Item(item)),
            "output_item.added" | "content_part.added" | "reasoning_summary_part.added" => {}
            "content_part.done" | "reasoning_summary_part.done" => {
                self.ends.push(End::Part(item, part));
            }
            name => {
                let (base, is_done) = match name.strip_suffix(".done") {
                    Some(base) => (base, true),
                    None => (name.strip_suffix(".delta").unwrap_or(name), false),
                };
                let Some(kind) = kind_of(base) else { return };
                let key = TextKey { kind, item, part };
                match (is_done, noted.delta, noted.whole) {
                    (false, Some(delta), _) => self.piece(key, Extent::Delta, delta),
                    (true, _, Some(whole)) => self.piece(key, Extent::Repeat, whole),
                    _ => {}
                }
                if is_done {
                    self.ends.push(End::Text(key));
                }
            }
        }
    }

    /// A response, alone or in an event.
    fn response(&mut self, extent: Extent, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let (mut status, mut reason): (Option<Raw<'_>>, Option<Raw<'_>>) = (None, None);
        reader.entries(|key, reader| {
            match &*key.as_str().unwrap_or_default() {
                "object" => self.is_known |= reader.value()?.is("response"),
                "model" => self.model(reader)?,
                "status" => status = Some(reader.value()?),
                "output" if reader.kind() == Kind::Array => {
                    self.is_known = true;
                    reader.items(|index, reader| {
                        let first = self.pieces.len();
                        self.output_item(extent, reader)?;
                        self.assign(first, place_in(index));
                        Ok(())
                    })?;
                }
                // Some clients put all text together once more.
                "output_text" => {
                    self.piece(text(TextKind::Text), Extent::Repeat, reader.value()?);
                }
                "incomplete_details" => reader.entries(|key, reader| {
                    if key.is("reason") {
                        reason = Some(reader.value()?);
                    }
                    Ok(())
                })?,
                "usage" => self.usage(reader)?,
                "error" => self.error(reader)?,
                _ => {}
            }
            Ok(())
        })?;
        let is_over = |it: &Raw<'_>| !it.is("in_progress") && !it.is("queued");
        if let Some(reason) = reason.or(status.filter(is_over)) {
            self.finish(reason);
        }
        Ok(())
    }

    fn output_item(&mut self, extent: Extent, reader: &mut Reader<'_>) -> Result<(), Fault> {
        reader.entries(|key, reader| {
            match &*key.as_str().unwrap_or_default() {
                "type" => {
                    let of = reader.value()?.as_str().unwrap_or_default();
                    self.has_tool_call |= of.ends_with("_call");
                }
                "content" => {
                    reader.items(|at, reader| self.content_part(extent, place_in(at), reader))?;
                }
                "summary" => reader.items(|at, reader| {
                    let key = text_part(TextKind::Reasoning, place_in(at));
                    self.leaves(true, key, extent, reader)
                })?,
                "arguments" => self.piece(text(TextKind::Arguments), extent, reader.value()?),
                "input" => self.piece(text(TextKind::Value), extent, reader.value()?),
                "code" => self.piece(text(TextKind::Value), extent, reader.value()?),
                "output" | "outputs" | "results" => {
                    self.leaves(true, text(TextKind::ToolResult), extent, reader)?;
                }
                _ => {}
            }
            Ok(())
        })
    }

    fn content_part(
        &mut self,
        extent: Extent,
        part: u32,
        reader: &mut Reader<'_>,
    ) -> Result<(), Fault> {
        let first = self.pieces.len();
        let mut is_reasoning = false;
        reader.entries(|key, reader| {
            match &*key.as_str().unwrap_or_default() {
                "type" => {
                    let of = reader.value()?;
                    is_reasoning = of.is("reasoning_text") || of.is("summary_text");
                }
                "logprobs" => self.logprobs(reader)?,
                "text" | "transcript" => {
                    self.piece(text_part(TextKind::Text, part), extent, reader.value()?);
                }
                "refusal" => {
                    self.piece(text_part(TextKind::Refusal, part), extent, reader.value()?);
                }
                _ => {}
            }
            Ok(())
        })?;
        if is_reasoning {
            for piece in self.pieces.iter_mut().skip(first) {
                piece.key.kind = TextKind::Reasoning;
            }
        }
        Ok(())
    }
}

/// The kind of text that events of this name carry; none for media.
fn kind_of(base: &str) -> Option<TextKind> {
    match base {
        "refusal" => Some(TextKind::Refusal),
        "function_call_arguments" | "mcp_call_arguments" | "mcp_call.arguments" => {
            Some(TextKind::Arguments)
        }
        "custom_tool_call_input" | "code_interpreter_call_code" | "code_interpreter_call.code" => {
            Some(TextKind::Value)
        }
        _ if base.starts_with("reasoning") => Some(TextKind::Reasoning),
        _ if base.ends_with("transcript") => Some(TextKind::Text),
        _ if base.starts_with("audio") || base.starts_with("image") => None,
        _ => Some(TextKind::Text),
    }
}
