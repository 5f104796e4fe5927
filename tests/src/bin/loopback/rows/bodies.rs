//! Rows in which both bodies are held and changed: by a patch, and by the template that a TrafficPolicy
//! can carry.
//!
//! The work is that of a gateway in front of a model: a system message goes in front of the others, and
//! two headers are read from the reply. In the larger rows the reply is edited too.

use rustformations_tests::{EnvoyConfig, Route};
use serde_json::{Value, json};

use super::{Contender, Row, chat_request};

/// What Envoy may hold of a body, in bytes: more than the largest row needs.
const BUFFER_LIMIT: u32 = 8 << 20;
/// The template of a request body with one message more in front.
const TEMPLATE: &str = r#"{"model": {{ model|tojson }}, "messages": [{"role": "system", "content": "Be brief."}{% for message in messages %}, {{ message|tojson }}{% endfor %}]}"#;
/// The template of a reply with another model.
const REPLY_TEMPLATE: &str =
    r#"{"model": "hidden", "choices": {{ choices|tojson }}, "usage": {{ usage|tojson }}}"#;

pub(super) fn all() -> Vec<Row> {
    let small = |name, what, request| Row {
        name,
        what,
        ask: chat_request(300),
        answer: chat_reply(600),
        contenders: with_native(contenders(
            json!({"request": request, "response": usage_headers()}),
        )),
    };
    let large = |name, what, size, request, response| Row {
        name,
        what,
        ask: chat_request(size),
        answer: chat_reply(size),
        contenders: contenders(json!({"request": request, "response": response})),
    };
    vec![
        small(
            "chat-patch",
            "a chat request of 300 bytes gets a system message by body.patch, its reply of 600 two headers",
            by_patch(),
        ),
        small(
            "chat-template",
            "the same by a template with a loop over the messages",
            by_template(TEMPLATE),
        ),
        large(
            "64k-patch",
            "64 KiB each way: a system message, another model in the reply, by body.patch",
            64 << 10,
            by_patch(),
            reply_by_patch(),
        ),
        large(
            "64k-template",
            "the same by templates",
            64 << 10,
            by_template(TEMPLATE),
            by_template(REPLY_TEMPLATE),
        ),
        large(
            "1m-patch",
            "1 MiB each way, by body.patch",
            1 << 20,
            by_patch(),
            reply_by_patch(),
        ),
    ]
}

fn contenders(transform: Value) -> Vec<Contender> {
    let config = EnvoyConfig::new().buffer_limit(BUFFER_LIMIT);
    vec![
        Contender {
            name: "no filter",
            config: EnvoyConfig::new()
                .buffer_limit(BUFFER_LIMIT)
                .without_module(),
        },
        Contender {
            name: "rustformations",
            config: config.route(Route::at("/").transform(transform)),
        },
    ]
}

/// Puts Envoy's own reader of JSON bodies between: it reads the same three fields and changes nothing.
fn with_native(mut contenders: Vec<Contender>) -> Vec<Contender> {
    let rule = |path: &[&str], key: &str| {
        let selectors: Vec<Value> = path.iter().map(|key| json!({"key": key})).collect();
        let value = json!({"metadata_namespace": "lab", "key": key});
        json!({"selectors": selectors, "on_present": value})
    };
    let rules = |rules: Value| json!({"rules": rules, "allow_content_types": ["application/json"]});
    let filter = json!({
        "name": "envoy.filters.http.json_to_metadata",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.json_to_metadata.v3.JsonToMetadata",
            "request_rules": rules(json!([rule(&["model"], "asked")])),
            "response_rules": rules(json!([
                rule(&["model"], "model"),
                rule(&["usage", "total_tokens"], "tokens"),
            ])),
        },
    });
    let native = Contender {
        name: "json_to_metadata",
        config: EnvoyConfig::new()
            .buffer_limit(BUFFER_LIMIT)
            .without_module()
            .filter_before(filter),
    };
    contenders.insert(1, native);
    contenders
}

fn by_patch() -> Value {
    let message = json!({"role": "system", "content": "Be brief."});
    json!({"body": {"patch": [{"op": "add", "path": "/messages/0", "value": message}]}})
}

fn reply_by_patch() -> Value {
    json!({"body": {"patch": [{"op": "replace", "path": "/model", "value": "hidden"}]}})
}

fn by_template(template: &str) -> Value {
    json!({"body": {"parseAs": "AsJson", "value": template}})
}

fn usage_headers() -> Value {
    json!({
        "body": {"parseAs": "AsJson"},
        "set": [
            {"name": "x-model", "value": "{{ model }}"},
            {"name": "x-tokens", "value": "{{ usage.total_tokens }}"},
        ],
    })
}

/// A reply of about `size` bytes.
pub(super) fn chat_reply(size: usize) -> String {
    let reply = |content: &str| {
        json!({
            "model": "gpt-4-0613",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 22, "total_tokens": 42},
        })
        .to_string()
    };
    let rest = size.saturating_sub(reply("").len());
    reply(&text_of(rest))
}

/// A text of this many bytes.
pub(super) fn text_of(size: usize) -> String {
    let words = "The answer in plain words. ";
    words.chars().cycle().take(size).collect()
}
