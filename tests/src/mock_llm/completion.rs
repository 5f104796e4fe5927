//! One chat completion: what was asked, and the documents that answer it.
//!
//! Called by [`super`] for each request; pure but for the clock and an identifier. Unknown fields of a
//! request are ignored, wrong types of known ones are refused with the field's name.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// The text httpbun answers with.
const DEFAULT_TEXT: &str = "This is a mock chat response from httpbun. I received your messages and I'm responding with this placeholder text.";
const DEFAULT_MODEL: &str = "gpt-4";
/// OpenAI's own limit for `n`.
const MAX_CHOICES: u64 = 128;

/// A completion that is ready to be answered.
pub(super) struct Completion {
    /// Whether events were asked for.
    pub(super) stream: bool,
    model: String,
    text: String,
    choices: u64,
    prompt_tokens: u64,
    include_usage: bool,
    id: String,
    created: u64,
}

impl Completion {
    /// Reads a request; the error says which field is wrong.
    pub(super) fn parse(request: &Value) -> Result<Self, String> {
        if !request.is_object() {
            return Err("The request body must be a JSON object".to_owned());
        }
        let choices = match &request["n"] {
            Value::Null => 1,
            n => n
                .as_u64()
                .filter(|n| (1..=MAX_CHOICES).contains(n))
                .ok_or_else(|| format!("n must be a whole number from 1 to {MAX_CHOICES}"))?,
        };
        Ok(Self {
            stream: flag(&request["stream"], "stream")?,
            model: text(&request["model"], "model", DEFAULT_MODEL)?,
            text: text(
                &request["httpbun"]["content"],
                "httpbun.content",
                DEFAULT_TEXT,
            )?,
            choices,
            prompt_tokens: tokens(&prompt(&request["messages"])?),
            include_usage: flag(
                &request["stream_options"]["include_usage"],
                "stream_options.include_usage",
            )?,
            id: identifier(),
            created: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |now| now.as_secs()),
        })
    }

    fn usage(&self) -> Value {
        let completion_tokens = tokens(&self.text) * self.choices;
        json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": self.prompt_tokens + completion_tokens,
        })
    }

    /// The answer in one document.
    pub(super) fn to_json(&self) -> Value {
        let choice = |index| {
            json!({
                "index": index,
                "message": {"role": "assistant", "content": self.text},
                "finish_reason": "stop",
            })
        };
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": (0..self.choices).map(choice).collect::<Vec<_>>(),
            "usage": self.usage(),
        })
    }

    /// The answer as the payloads of its events, `[DONE]` last.
    pub(super) fn to_events(&self) -> Vec<String> {
        let mut deltas = vec![(json!({"role": "assistant", "content": ""}), Value::Null)];
        let words = self.text.split_inclusive(' ');
        deltas.extend(words.map(|word| (json!({"content": word}), Value::Null)));
        deltas.push((json!({}), json!("stop")));

        let mut events = Vec::new();
        for (delta, finish_reason) in deltas {
            for index in 0..self.choices {
                let choice =
                    json!({"index": index, "delta": delta, "finish_reason": finish_reason});
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
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
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

/// All messages as one text: what tokens are counted in.
fn prompt(messages: &Value) -> Result<String, String> {
    let messages = match messages {
        Value::Null => return Ok(String::new()),
        Value::Array(messages) => messages,
        _ => return Err("messages must be an array".to_owned()),
    };
    let mut prompt = String::new();
    for message in messages {
        prompt.push_str(
            message["role"]
                .as_str()
                .ok_or("each message must have a role")?,
        );
        prompt.push_str(": ");
        match &message["content"] {
            Value::Null => {}
            Value::String(content) => prompt.push_str(content),
            Value::Array(parts) => {
                parts
                    .iter()
                    .filter_map(|part| part["text"].as_str())
                    .for_each(|text| {
                        prompt.push_str(text);
                    });
            }
            _ => return Err("the content of a message must be a string or an array".to_owned()),
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
mod tests {
    use super::*;

    fn hello() -> Value {
        json!({"messages": [{"role": "user", "content": "Hello"}]})
    }

    #[test]
    fn usage_of_hello_is_what_httpbun_reports() {
        let usage = Completion::parse(&hello()).unwrap().usage();
        assert_eq!(usage["prompt_tokens"], 3);
        assert_eq!(usage["completion_tokens"], 29);
        assert_eq!(usage["total_tokens"], 32);
    }

    #[test]
    fn defaults_are_httpbuns_and_the_request_may_override_them() {
        let mut request = hello();
        let answer = Completion::parse(&request).unwrap().to_json();
        assert_eq!(answer["model"], "gpt-4");
        assert_eq!(answer["choices"][0]["message"]["content"], DEFAULT_TEXT);
        request["model"] = json!("tiny");
        request["n"] = json!(2);
        request["httpbun"] = json!({"content": "Good day"});
        let answer = Completion::parse(&request).unwrap().to_json();
        assert_eq!(answer["model"], "tiny");
        assert_eq!(answer["choices"][1]["message"]["content"], "Good day");
        assert_eq!(answer["usage"]["completion_tokens"], 4);
    }

    #[test]
    fn events_spell_the_text_and_end_with_usage_and_done() {
        let mut request = hello();
        request["stream"] = json!(true);
        request["stream_options"] = json!({"include_usage": true});
        request["httpbun"] = json!({"content": "one two"});
        let events = Completion::parse(&request).unwrap().to_events();
        let (done, chunks) = events.split_last().unwrap();
        assert_eq!(done, "[DONE]");
        let chunks: Vec<Value> = chunks
            .iter()
            .map(|chunk| serde_json::from_str(chunk).unwrap())
            .collect();
        let text: String = chunks
            .iter()
            .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
            .collect();
        assert_eq!(text, "one two");
        let [.., finish, usage] = chunks.as_slice() else {
            panic!("{chunks:?}")
        };
        assert_eq!(finish["choices"][0]["finish_reason"], "stop");
        assert_eq!(finish["usage"], Value::Null);
        assert_eq!(
            (&usage["choices"], &usage["usage"]["total_tokens"]),
            (&json!([]), &json!(5))
        );
    }

    #[test]
    fn wrong_types_are_refused_with_the_name_of_the_field() {
        for (request, field) in [
            (json!([]), "JSON object"),
            (json!({"n": 0}), "n must"),
            (json!({"model": 4}), "model"),
            (json!({"stream": "yes"}), "stream"),
            (json!({"messages": "Hello"}), "messages"),
            (json!({"messages": [{"content": "Hello"}]}), "role"),
            (
                json!({"messages": [{"role": "user", "content": 1}]}),
                "content",
            ),
        ] {
            let error = Completion::parse(&request).err().unwrap();
            assert!(error.contains(field), "{request}: {error}");
        }
    }
}
