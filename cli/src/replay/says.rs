//! What a piece of an answer says, as the stages for LLM traffic read it.

use formats::events::{Decoder, Format, Frame};
use llm::dialect::Dialect;
use llm::response::{Extent, Response};
use llm::text::TextKind;
use serde_json::{Map, Value, json};

/// The longest event that is looked at.
const LONGEST_EVENT: usize = 10 << 20;

/// What a piece says.
#[derive(Debug, Default)]
pub(super) struct Says {
    /// Each with its name: of a text, that of its kind.
    all: Vec<(String, Value)>,
}

impl Says {
    /// Reads an event, or else a body.
    pub(super) fn of(dialect: Dialect, piece: &[u8]) -> Says {
        let mut says = Says::default();
        let text = String::from_utf8_lossy(piece);
        let mut view = Response::default();
        if text.trim_start().starts_with(['{', '[']) {
            if view.read_body(dialect, &text).is_ok() {
                says.read(&view, &text);
            }
            return says;
        }
        let mut decoder = Decoder::new(Format::Sse, LONGEST_EVENT);
        let mut rest = piece;
        let mut frames = |frame: Frame<'_>| {
            let (Frame::Event(event) | Frame::Tail(event)) = frame else {
                return;
            };
            let Some(data) = event.data() else { return };
            let data = String::from_utf8_lossy(&data);
            match view.read_event(dialect, &data) {
                Ok(()) => says.read(&view, &data),
                Err(_) => says.put("no JSON", json!(data)),
            }
        };
        while let Some(frame) = decoder.next(&mut rest) {
            frames(frame);
        }
        if let Some(frame) = decoder.finish() {
            frames(frame);
        }
        says
    }

    fn put(&mut self, name: impl Into<String>, value: Value) {
        self.all.push((name.into(), value));
    }

    fn read(&mut self, view: &Response, data: &str) {
        let text = |place: llm::place::Place| place.contents(data).unwrap_or_default();
        for piece in &view.pieces {
            let kind = match piece.key.kind {
                TextKind::Text => "text",
                TextKind::Refusal => "refusal",
                TextKind::Reasoning => "reasoning",
                TextKind::Arguments | TextKind::Value => "arguments",
                TextKind::ToolResult => "tool result",
            };
            let name = match (piece.key.item, piece.extent) {
                (0, Extent::Repeat) => format!("{kind}, once more"),
                (0, _) => kind.to_owned(),
                (item, _) => format!("{kind} {item}"),
            };
            let said = text(piece.place);
            if !said.is_empty() {
                self.put(name, json!(said));
            }
        }
        if view.has_tool_call {
            self.put("tool call", json!(true));
        }
        if let Some(model) = view.model {
            self.put("model", json!(text(model)));
        }
        if let Some(reason) = view.finish_reason {
            self.put("finish reason", json!(text(reason)));
        }
        if let Some(usage) = &view.usage {
            let told = [
                ("input", usage.input),
                ("output", usage.output),
                ("total", usage.total),
                ("cached", usage.cached),
                ("cacheCreation", usage.cache_creation),
                ("reasoning", usage.reasoning),
            ];
            let told = told
                .into_iter()
                .filter_map(|(name, tokens)| Some((name.to_owned(), json!(tokens?))));
            self.put("usage", Value::Object(told.collect()));
        }
        if view.is_error {
            self.put("error", json!(true));
        }
        if view.is_last {
            self.put("last", json!(true));
        }
    }

    /// For people: each on a line of its own.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.all.iter().map(|(name, value)| match value {
            Value::Bool(_) => name.clone(),
            Value::String(text) => format!("{name} {}", crate::render::steps::quoted(text)),
            Value::Object(fields) => {
                let fields: Vec<_> = fields.iter().map(|(k, v)| format!("{k} {v}")).collect();
                format!("{name} {}", fields.join(", "))
            }
            value => format!("{name} {value}"),
        })
    }

    /// For programs: a list, since one may come several times.
    pub(super) fn json(&self) -> Value {
        let all = self.all.iter().map(|(name, value)| {
            let mut one = Map::new();
            one.insert(name.clone(), value.clone());
            Value::Object(one)
        });
        all.collect()
    }
}
