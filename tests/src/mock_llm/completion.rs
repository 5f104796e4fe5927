//! One chat completion: what was asked, and the documents that answer it.
//!
//! Called by [`super`] for each request; pure but for the clock and an identifier. Unknown fields of a
//! request are ignored, wrong types of known ones are refused with the field's name, `null` counts as
//! absent, for the whole request too.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// The text httpbun answers with.
const DEFAULT_TEXT: &str = "This is a mock chat response from httpbun. I received your messages and I'm responding with this placeholder text.";
const DEFAULT_MODEL: &str = "gpt-4";
/// OpenAI's own limit for `n`; httpbun has none.
const MAX_CHOICES: i64 = 128;
/// What httpbun reads of a body; what follows is cut off, and the rest is then no JSON.
const HTTPBUN_BODY: usize = 10_000;

/// Whom a completion takes after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// httpbun, to the letter.
    Httpbun,
    /// A provider: messages in parts, `n` in streams, `stream_options.include_usage`, long bodies.
    Provider,
}

/// A completion that is ready to be answered.
pub(super) struct Completion {
    /// Whether events were asked for.
    pub(super) stream: bool,
    manner: Manner,
    model: String,
    text: String,
    choices: i64,
    prompt_tokens: u64,
    include_usage: bool,
    id: String,
    created: u64,
}

impl Completion {
    /// Reads the body of a request; the error says what is wrong with it.
    pub(super) fn parse(body: &[u8], manner: Manner) -> Result<Self, String> {
        let body = match manner {
            Manner::Httpbun => body.get(..HTTPBUN_BODY).unwrap_or(body),
            Manner::Provider => body,
        };
        let request: Value = serde_json::from_slice(body).map_err(|reason| reason.to_string())?;
        if !request.is_object() && !request.is_null() {
            return Err("the request must be an object".to_owned());
        }
        for (field, is_right) in [
            ("max_tokens", Value::is_i64 as fn(&Value) -> bool),
            ("temperature", Value::is_number),
            ("user", Value::is_string),
            ("httpbun", Value::is_object),
        ] {
            if !request[field].is_null() && !is_right(&request[field]) {
                return Err(format!("{field} is of the wrong type"));
            }
        }
        let asks_usage = &request["stream_options"]["include_usage"];
        Ok(Self {
            stream: flag(&request["stream"], "stream")?,
            manner,
            model: text(&request["model"], "model", DEFAULT_MODEL)?,
            text: text(
                &request["httpbun"]["content"],
                "httpbun.content",
                DEFAULT_TEXT,
            )?,
            choices: choices(&request["n"])?,
            prompt_tokens: tokens(&prompt(&request["messages"], manner)?),
            include_usage: match manner {
                Manner::Httpbun => false,
                Manner::Provider => flag(asks_usage, "stream_options.include_usage")?,
            },
            id: identifier(),
            created: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |now| now.as_secs()),
        })
    }

    fn usage(&self) -> Value {
        // However many choices there are, httpbun counts the text once.
        let times = match self.manner {
            Manner::Httpbun => 1,
            Manner::Provider => self.choices.unsigned_abs(),
        };
        let completion_tokens = tokens(&self.text) * times;
        json!({
            "completion_tokens": completion_tokens,
            "prompt_tokens": self.prompt_tokens,
            "total_tokens": self.prompt_tokens + completion_tokens,
        })
    }

    /// The answer in one document.
    pub(super) fn to_json(&self) -> Value {
        let choice = |index| {
            json!({
                "finish_reason": "stop",
                "index": index,
                "message": {"content": self.text, "role": "assistant"},
            })
        };
        json!({
            "choices": (0..self.choices).map(choice).collect::<Vec<_>>(),
            "created": self.created,
            "id": self.id,
            "model": self.model,
            "object": "chat.completion",
            "usage": self.usage(),
        })
    }

    /// The answer as the payloads of its events, `[DONE]` last.
    pub(super) fn to_events(&self) -> Vec<String> {
        let mut deltas = vec![(json!({"role": "assistant"}), Value::Null)];
        // As httpbun does it: white space becomes one space between words.
        let words: Vec<&str> = self.text.split_whitespace().collect();
        deltas.extend(words.iter().enumerate().map(|(index, word)| {
            let space = if index + 1 < words.len() { " " } else { "" };
            (json!({"content": format!("{word}{space}")}), Value::Null)
        }));
        deltas.push((json!({}), json!("stop")));

        let choices = match self.manner {
            Manner::Httpbun => 1,
            Manner::Provider => self.choices,
        };
        let mut events = Vec::new();
        for (delta, finish_reason) in deltas {
            for index in 0..choices {
                let choice =
                    json!({"delta": delta, "finish_reason": finish_reason, "index": index});
                events.push(self.to_chunk(&json!([choice]), &Value::Null));
            }
        }
        if self.include_usage {
            events.push(self.to_chunk(&json!([]), &self.usage()));
        }
        events.push("[DONE]".to_owned());
        events
    }

    fn to_chunk(&self, choices: &Value, usage: &Value) -> String {
        let mut chunk = json!({
            "choices": choices,
            "created": self.created,
            "id": self.id,
            "model": self.model,
            "object": "chat.completion.chunk",
        });
        // Every chunk has the field once usage is asked for; only the last one has it filled.
        if self.include_usage {
            chunk["usage"] = usage.clone();
        }
        chunk.to_string()
    }
}

fn flag(value: &Value, field: &str) -> Result<bool, String> {
    match value {
        Value::Null => Ok(false),
        Value::Bool(flag) => Ok(*flag),
        _ => Err(format!("{field} must be true or false")),
    }
}

fn text(value: &Value, field: &str, default: &str) -> Result<String, String> {
    match value {
        Value::Null => Ok(default.to_owned()),
        Value::String(text) if text.is_empty() => Ok(default.to_owned()),
        Value::String(text) => Ok(text.clone()),
        _ => Err(format!("{field} must be a string")),
    }
}

/// How many choices; 0 is one, as for httpbun, which breaks off on less.
fn choices(n: &Value) -> Result<i64, String> {
    match n {
        Value::Null => Ok(1),
        n => match n.as_i64() {
            Some(0) => Ok(1),
            Some(n) if (1..=MAX_CHOICES).contains(&n) => Ok(n),
            _ => Err(format!("n must be a whole number up to {MAX_CHOICES}")),
        },
    }
}

/// All messages as one text: what tokens are counted in.
fn prompt(messages: &Value, manner: Manner) -> Result<String, String> {
    let messages = match messages {
        Value::Null => return Ok(String::new()),
        Value::Array(messages) => messages,
        _ => return Err("messages must be a list".to_owned()),
    };
    let mut prompt = String::new();
    for message in messages {
        if !message.is_object() && !message.is_null() {
            return Err("messages must be objects".to_owned());
        }
        text(&message["name"], "messages.name", "")?;
        prompt.push_str(&text(&message["role"], "messages.role", "")?);
        prompt.push_str(": ");
        match (&message["content"], manner) {
            (Value::Array(parts), Manner::Provider) => {
                let parts = parts.iter().filter_map(|part| part["text"].as_str());
                parts.for_each(|part| prompt.push_str(part));
            }
            (content, _) => prompt.push_str(&text(content, "messages.content", "")?),
        }
        prompt.push('\n');
    }
    Ok(prompt)
}

/// Four bytes to the token: near enough for a mock, and what httpbun reports.
fn tokens(text: &str) -> u64 {
    text.len().div_ceil(4) as u64
}

fn identifier() -> String {
    let random = || RandomState::new().build_hasher().finish();
    let digits = format!("{:016x}{:016x}", random(), random());
    format!("chatcmpl-{}", digits.get(..24).unwrap_or(&digits))
}

#[cfg(test)]
mod tests;
