//! What the mock heard: one request, and what can be repeated of it.
//!
//! Made by [`super`] for each request; borrows it.

use axum::body::Bytes;
use axum::http::{HeaderMap, Uri};
use serde_json::Value;

use super::Dialect;

/// A request in a dialect.
pub(super) struct Heard<'a> {
    pub(super) dialect: Dialect,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a Bytes,
    pub(super) request: &'a Value,
}

impl Heard<'_> {
    /// Whether a stream was asked for.
    pub(super) fn wants_events(&self) -> bool {
        match self.dialect {
            Dialect::Embeddings => false,
            Dialect::Converse => self.uri.path().ends_with("-stream"),
            Dialect::Messages if self.uri.path().ends_with("-response-stream") => true,
            Dialect::Gemini => self.uri.path().ends_with(":streamGenerateContent"),
            _ => self.request["stream"] == true,
        }
    }

    /// Whether the query says so.
    pub(super) fn asks(&self, name: &str, value: &str) -> bool {
        let query = self.uri.query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).any(|pair| pair == (name.into(), value.into()))
    }

    /// The model that was asked for, of the body or of the path.
    pub(super) fn model(&self) -> String {
        if let Some(model) = self.request["model"].as_str() {
            return model.to_owned();
        }
        let path = self.uri.path();
        let part = |before: &str| {
            let (_, rest) = path.rsplit_once(before)?;
            rest.split(['/', ':'])
                .next()
                .filter(|model| !model.is_empty())
        };
        let parts = ["/models/", "/deployments/", "/model/"];
        parts
            .into_iter()
            .find_map(part)
            .unwrap_or("mock-1")
            .to_owned()
    }

    /// How many answers were asked for, 128 at most.
    pub(super) fn choices(&self) -> usize {
        let count = match self.dialect {
            Dialect::Gemini => &self.request["generationConfig"]["candidateCount"],
            _ => &self.request["n"],
        };
        count.as_u64().unwrap_or(1).clamp(1, 128) as usize
    }

    /// The last text of the user.
    pub(super) fn prompt(&self) -> String {
        match self.dialect {
            Dialect::Chat | Dialect::Messages | Dialect::Converse => {
                last_of_user(&self.request["messages"], "content")
            }
            Dialect::Gemini => last_of_user(&self.request["contents"], "parts"),
            Dialect::Completions => text_of(&self.request["prompt"]),
            Dialect::Embeddings => text_of(&self.request["input"]),
            Dialect::Responses => match &self.request["input"] {
                Value::String(text) => text.clone(),
                items => last_of_user(items, "content"),
            },
        }
    }

    /// `template` with what was heard in the places of `$PROMPT`, `$BODY` and `$HEADER(name)`.
    pub(super) fn fill(&self, template: &str) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some(at) = rest.find('$') {
            text.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix("PROMPT") {
                text.push_str(&self.prompt());
                rest = after;
            } else if let Some(after) = rest.strip_prefix("BODY") {
                text.push_str(&String::from_utf8_lossy(self.body));
                rest = after;
            } else if let Some((name, after)) = header_name(rest) {
                let value = self.headers.get(name).map(|value| value.as_bytes());
                text.push_str(&String::from_utf8_lossy(value.unwrap_or_default()));
                rest = after;
            } else {
                text.push('$');
            }
        }
        text.push_str(rest);
        text
    }
}

fn header_name(rest: &str) -> Option<(&str, &str)> {
    rest.strip_prefix("HEADER(")?.split_once(')')
}

fn last_of_user(messages: &Value, content: &str) -> String {
    let messages = messages.as_array().map(Vec::as_slice).unwrap_or_default();
    // Gemini lets the role away where only the user speaks.
    let is_user = |message: &&Value| message["role"] == "user" || message["role"].is_null();
    let last = messages.iter().rev().find(is_user);
    last.map(|message| text_of(&message[content]))
        .unwrap_or_default()
}

fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(text_of).collect(),
        part => part["text"].as_str().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with<T>(path: &str, request: Value, ask: fn(&Heard<'_>) -> T) -> T {
        let uri: Uri = path.parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-team", "blue".parse().unwrap());
        let body = Bytes::from(request.to_string());
        ask(&Heard {
            dialect: Dialect::of(uri.path()).unwrap(),
            uri: &uri,
            headers: &headers,
            body: &body,
            request: &request,
        })
    }

    #[test]
    fn the_last_text_of_the_user_is_found_in_every_dialect() {
        let parts = json!([{"type": "text", "text": "a"}, {"type": "image_url"}, {"text": "b"}]);
        for (path, request, text) in [
            (
                "/v1/chat/completions",
                json!({"messages": [
                {"role": "user", "content": "first"}, {"role": "user", "content": parts},
                {"role": "assistant", "content": "no"}]}),
                "ab",
            ),
            (
                "/v1/messages",
                json!({"messages": [{"role": "user", "content": "x"}]}),
                "x",
            ),
            ("/v1/responses", json!({"input": "x"}), "x"),
            (
                "/v1/responses",
                json!({"input": [{"role": "user", "content": parts}]}),
                "ab",
            ),
            ("/v1/completions", json!({"prompt": ["x", "y"]}), "xy"),
            ("/v1/embeddings", json!({"input": "x"}), "x"),
            (
                "/m:generateContent",
                json!({"contents": [{"parts": [{"text": "x"}]}]}),
                "x",
            ),
        ] {
            assert_eq!(with(path, request, |heard| heard.prompt()), text, "{path}");
        }
    }

    #[test]
    fn the_model_stands_in_the_body_or_in_the_path() {
        for (path, model) in [
            ("/v1/chat/completions", "mock-1"),
            ("/openai/deployments/dep/chat/completions", "dep"),
            ("/v1beta/models/gem-1:streamGenerateContent", "gem-1"),
            (
                "/v1/projects/p/publishers/anthropic/models/cl:rawPredict",
                "cl",
            ),
            ("/model/anthropic.cl/invoke", "anthropic.cl"),
        ] {
            assert_eq!(with(path, json!({}), |heard| heard.model()), model);
            assert_eq!(
                with(path, json!({"model": "body"}), |heard| heard.model()),
                "body"
            );
        }
    }

    #[test]
    fn what_was_heard_is_repeated() {
        let request = json!({"prompt": "p"});
        let filled = with("/v1/completions", request, |heard| {
            heard.fill("$5 $PROMPT! $HEADER(x-team) $HEADER(none)$BODY$")
        });
        assert_eq!(filled, r#"$5 p! blue {"prompt":"p"}$"#);
    }
}
