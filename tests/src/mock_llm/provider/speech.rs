//! What the model says to one request, before any dialect puts it into its own form.
//!
//! Made by [`super`] for each request; pure. Identifiers and times are always the same, so that
//! tests can name them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::Value;

use super::Dialect;
use super::heard::Heard;
use super::knobs::{Delta, Knobs, Tokens, Usage};

/// When all answers were made.
pub(super) const CREATED: u64 = 1_790_000_000;

const DEFAULT_TEXT: &str = "This is what the mock LLM says when nobody tells it what to say.";
const FRAGMENT: usize = 8;

/// An answer without a form.
pub(super) struct Speech {
    pub(super) model: String,
    pub(super) choices: usize,
    pub(super) text: String,
    pub(super) deltas: Vec<String>,
    /// The text says no.
    pub(super) refuses: bool,
    /// Empty for none.
    pub(super) reasoning: String,
    pub(super) reasoning_deltas: Vec<String>,
    pub(super) tools: Vec<Tool>,
    pub(super) finish: Option<String>,
    pub(super) usage: Usage,
    /// Whether the request has `stream_options.include_usage`.
    pub(super) asks_usage: bool,
    pub(super) usage_raw: Option<String>,
    pub(super) input: u64,
    pub(super) output: u64,
    pub(super) told: Tokens,
}

/// A call of a tool.
pub(super) struct Tool {
    pub(super) id: String,
    pub(super) name: String,
    /// JSON as text, or what was given in its place.
    pub(super) arguments: String,
    pub(super) fragments: Vec<String>,
    /// What must come back with the call, where a provider signs calls.
    pub(super) signature: Option<String>,
}

impl Speech {
    pub(super) fn new(heard: &Heard<'_>, knobs: &Knobs) -> Self {
        let default = if knobs.tools.is_empty() {
            DEFAULT_TEXT
        } else {
            ""
        };
        let text = heard.fill(knobs.say.as_deref().unwrap_or(default));
        let reasoning = heard.fill(knobs.reasoning.as_deref().unwrap_or_default());
        let tools: Vec<Tool> = knobs
            .tools
            .iter()
            .enumerate()
            .map(|(index, tool)| Tool::new(index, tool, heard, knobs.delta))
            .collect();
        let choices = heard.choices();
        let arguments = tools.iter().map(|tool| tool.arguments.len()).sum::<usize>();
        let said = (text.len() + arguments) * choices + reasoning.len();
        let model = knobs.model.clone();
        Self {
            model: model.unwrap_or_else(|| heard.model()),
            choices,
            deltas: deltas(&text, knobs.delta),
            refuses: knobs.refuses,
            reasoning_deltas: deltas(&reasoning, knobs.delta),
            tools,
            finish: knobs.finish.clone(),
            usage: knobs.usage,
            asks_usage: heard.request["stream_options"]["include_usage"] == true,
            usage_raw: knobs.usage_raw.clone(),
            input: knobs.tokens.input.unwrap_or(quarter(heard.body.len())),
            output: knobs.tokens.output.unwrap_or(quarter(said)),
            told: knobs.tokens,
            text,
            reasoning,
        }
    }

    /// Why it ended: what was wished for, else `calls` after calls of tools, else `ends`.
    pub(super) fn finish(&self, calls: &str, ends: &str) -> String {
        let natural = if self.tools.is_empty() { ends } else { calls };
        quoted(self.finish.as_deref().unwrap_or(natural))
    }

    /// The usage object of a document as a member, with the comma before it; nothing for `None`.
    pub(super) fn usage_member(&self, name: &str, usage: String) -> String {
        let told = match self.usage {
            Usage::None => return String::new(),
            Usage::Null => "null".to_owned(),
            _ => self.usage_raw.clone().unwrap_or(usage),
        };
        format!(r#","{name}":{told}"#)
    }

    /// The share of the output that has been said by event `index` of `count`, at least one.
    pub(super) fn output_so_far(&self, index: usize, count: usize) -> u64 {
        let (index, count) = (index as u64 + 1, count.max(1) as u64);
        (self.output.saturating_mul(index) / count).min(self.output)
    }
}

impl Tool {
    fn new(index: usize, tool: &Value, heard: &Heard<'_>, delta: Delta) -> Self {
        let arguments = match &tool["arguments"] {
            Value::Null => "{}".to_owned(),
            Value::String(raw) => heard.fill(raw),
            value => filled(value, heard).to_string(),
        };
        let (prefix, digits) = match heard.dialect {
            Dialect::Messages => ("toolu", index + 1),
            Dialect::Converse => ("tooluse", index + 1),
            _ => ("call", index + 1),
        };
        let id = tool["id"].as_str().map(str::to_owned);
        let delta = match delta {
            Delta::Word => Delta::Characters(FRAGMENT),
            delta => delta,
        };
        Self {
            id: id.unwrap_or_else(|| format!("{prefix}_{digits}")),
            name: tool["name"].as_str().unwrap_or("tool").to_owned(),
            fragments: deltas(&arguments, delta),
            signature: tool["signature"].as_str().map(str::to_owned),
            arguments,
        }
    }
}

/// What a provider signs a text of its own with; the same for the same text.
pub(super) fn signature(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// `text` as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// `document` with every character outside of ASCII written as `\uXXXX`, as Python writes JSON.
pub(super) fn ascii(document: &str) -> String {
    let mut text = String::with_capacity(document.len());
    for character in document.chars() {
        if character.is_ascii() {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            text.push_str(&format!("\\u{unit:04x}"));
        }
    }
    text
}

fn filled(value: &Value, heard: &Heard<'_>) -> Value {
    match value {
        Value::String(text) => heard.fill(text).into(),
        Value::Array(items) => items.iter().map(|item| filled(item, heard)).collect(),
        Value::Object(members) => {
            let members = members.iter();
            members
                .map(|(key, value)| (key.clone(), filled(value, heard)))
                .collect()
        }
        value => value.clone(),
    }
}

fn deltas(text: &str, delta: Delta) -> Vec<String> {
    match delta {
        Delta::Word => text.split_inclusive(' ').map(str::to_owned).collect(),
        Delta::Whole => Some(text.to_owned())
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect(),
        Delta::Characters(count) => {
            let characters: Vec<char> = text.chars().collect();
            characters
                .chunks(count)
                .map(|chunk| chunk.iter().collect())
                .collect()
        }
    }
}

fn quarter(bytes: usize) -> u64 {
    bytes.div_ceil(4) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_without_loss() {
        let text = "Grüß  dich,\n🌍 !";
        for delta in [
            Delta::Word,
            Delta::Whole,
            Delta::Characters(1),
            Delta::Characters(3),
        ] {
            assert_eq!(deltas(text, delta).concat(), text);
            assert!(deltas("", delta).is_empty());
        }
        assert_eq!(
            deltas(text, Delta::Characters(1)).len(),
            text.chars().count()
        );
        assert_eq!(deltas("a b", Delta::Word), ["a ", "b"]);
    }

    #[test]
    fn ascii_says_the_same() {
        let document = r#"{"a":"ß🌍\n"}"#;
        let escaped = ascii(document);
        assert_eq!(escaped, r#"{"a":"\u00df\ud83c\udf0d\n"}"#);
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(document), read(&escaped));
    }
}
