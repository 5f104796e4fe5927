//! Events of our own: text that waited, in the shape of its dialect.
//!
//! Such an event stands before the one with which its text ends. It says what all events of its stream
//! say (id, model, where the text belongs), and nothing else.

use std::fmt::Write;

use formats::events::Format;
use formats::json::quote;

use super::{Identity, Response, TextKey};
use crate::dialect::Dialect;
use crate::response::chat::ELDER_CALL;
use crate::text::TextKind;

/// A longer id or name is left out: it comes from outside, and is held.
const LONGEST: usize = 256;

/// What the events of one stream have in common, as JSON.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    id: String,
    created: String,
    model: String,
}

impl Shape {
    /// Takes over what an event says of its stream. Cost: comparisons, once they were told.
    pub(super) fn learn(&mut self, response: &Response, data: &str) {
        let Identity { id, created, .. } = response.identity;
        let told = [
            (&mut self.id, id),
            (&mut self.created, created),
            (&mut self.model, response.model),
        ];
        for (known, place) in told {
            let raw = place.map_or("", |it| it.of(data));
            // Some servers begin with an event that says nothing yet.
            let says_nothing = matches!(raw, "" | "\"\"" | "0" | "null");
            if !says_nothing && raw.len() <= LONGEST && known != raw {
                known.clear();
                known.push_str(raw);
            }
        }
    }
}

/// What the deltas of one running text say of themselves, as JSON; empty where they do not.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels {
    event_type: String,
    item_id: String,
}

impl Labels {
    pub(super) fn of(response: &Response, data: &str) -> Labels {
        let raw = |place: Option<crate::place::Place>| {
            let raw = place.map_or("", |it| it.of(data));
            raw.get(..LONGEST.min(raw.len()))
                .filter(|it| it.len() == raw.len())
                .unwrap_or_default()
        };
        Labels {
            event_type: raw(response.identity.event_type).to_owned(),
            item_id: raw(response.identity.item_id).to_owned(),
        }
    }
}

/// Appends an event with a piece of a text. `number` is the sequence number of the event behind it.
pub(super) fn write(
    dialect: Dialect,
    shape: &Shape,
    labels: &Labels,
    key: TextKey,
    text: &str,
    number: Option<&str>,
    out: &mut Vec<u8>,
) {
    let text = quote(text);
    let (name, data) = match dialect {
        Dialect::AnthropicMessages => (Some("content_block_delta"), anthropic(key, &text)),
        Dialect::Gemini => (None, gemini(shape, key, &text)),
        Dialect::OpenaiResponses => {
            let name = labels.event_type.trim_matches('"');
            (Some(name), responses(labels, key, &text, number))
        }
        Dialect::OpenaiCompletions => {
            let choice = format!(r#""text":{text},"index":{},"logprobs":null"#, key.item);
            (None, openai(shape, "text_completion", &choice))
        }
        Dialect::OpenaiChat | Dialect::OpenaiEmbeddings => {
            let choice = format!(r#""index":{},"delta":{{{}}}"#, key.item, delta(key, &text));
            (None, openai(shape, "chat.completion.chunk", &choice))
        }
    };
    Format::Sse.write(name, data.as_bytes(), out);
}

fn openai(shape: &Shape, object: &str, choice: &str) -> String {
    let mut data = String::from("{");
    entry(&mut data, "id", &shape.id);
    entry(&mut data, "object", &quote(object));
    entry(&mut data, "created", &shape.created);
    entry(&mut data, "model", &shape.model);
    entry(
        &mut data,
        "choices",
        &format!(r#"[{{{choice},"finish_reason":null}}]"#),
    );
    data.push('}');
    data
}

/// The members of a delta of chat.
fn delta(key: TextKey, text: &str) -> String {
    let part = key.part;
    match (key.kind, part) {
        (TextKind::Text | TextKind::ToolResult, 0) => format!(r#""content":{text}"#),
        (TextKind::Text | TextKind::ToolResult, _) => format!(r#""audio":{{"transcript":{text}}}"#),
        (TextKind::Refusal, _) => format!(r#""refusal":{text}"#),
        (TextKind::Reasoning, 0) => format!(r#""reasoning_content":{text}"#),
        (TextKind::Reasoning, 1) => format!(r#""reasoning":{text}"#),
        (TextKind::Reasoning, _) => {
            format!(r#""reasoning_details":[{{"type":"reasoning.text","text":{text}}}]"#)
        }
        (TextKind::Arguments, ELDER_CALL) => format!(r#""function_call":{{"arguments":{text}}}"#),
        (TextKind::Arguments, _) => {
            format!(r#""tool_calls":[{{"index":{part},"function":{{"arguments":{text}}}}}]"#)
        }
        (TextKind::Value, _) => {
            format!(r#""tool_calls":[{{"index":{part},"custom":{{"input":{text}}}}}]"#)
        }
    }
}

fn anthropic(key: TextKey, text: &str) -> String {
    let (of, member) = match key.kind {
        TextKind::Reasoning => ("thinking_delta", "thinking"),
        TextKind::Arguments => ("input_json_delta", "partial_json"),
        _ => ("text_delta", "text"),
    };
    format!(
        r#"{{"type":"content_block_delta","index":{},"delta":{{"type":"{of}","{member}":{text}}}}}"#,
        key.item
    )
}

fn gemini(shape: &Shape, key: TextKey, text: &str) -> String {
    let thought = match key.kind {
        TextKind::Reasoning => r#","thought":true"#,
        _ => "",
    };
    let mut data = format!(
        r#"{{"candidates":[{{"content":{{"parts":[{{"text":{text}{thought}}}],"role":"model"}},"index":{}}}]"#,
        key.item
    );
    entry(&mut data, "modelVersion", &shape.model);
    data.push('}');
    data
}

fn responses(labels: &Labels, key: TextKey, text: &str, number: Option<&str>) -> String {
    let mut data = String::from("{");
    entry(&mut data, "type", &labels.event_type);
    entry(&mut data, "sequence_number", number.unwrap_or_default());
    entry(&mut data, "item_id", &labels.item_id);
    entry(&mut data, "output_index", &key.item.to_string());
    let part = match (key.kind, labels.event_type.contains("summary")) {
        (TextKind::Arguments | TextKind::Value, _) => "",
        (_, true) => "summary_index",
        (_, false) => "content_index",
    };
    if !part.is_empty() {
        entry(&mut data, part, &key.part.to_string());
    }
    entry(&mut data, "delta", text);
    data.push('}');
    data
}

/// Adds a member, unless its value is not known.
fn entry(object: &mut String, key: &str, value: &str) {
    if !value.is_empty() {
        let comma = if object.len() > 1 { "," } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(object, "{comma}\"{key}\":{value}");
    }
}
