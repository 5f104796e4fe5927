//! The rows about LLM traffic whose answers come whole; streams are in [`crate::streams`].

use rustformations_tests::EnvoyConfig;
use serde_json::json;

use super::bodies::{chat_reply, text_of};
use super::{Contender, Row, chat_request, no_filter, ours};

/// What everybody who meters wants to know: the model, the usage, the cost.
pub(super) fn chat() -> Row {
    let prices = json!({"gpt-4*": {"input": "2.50", "cachedInput": "1.25", "output": "10.00"}});
    let ai = json!({"model": {"header": "x-ai-model"}, "cost": {"prices": prices}});
    Row {
        name: "ai-chat",
        what: "a chat of 1 KiB each way: its model becomes a header, its usage is read and priced",
        ask: chat_request(1024),
        answer: chat_reply(1024),
        contenders: vec![no_filter(), ours(json!({"ai": ai}))],
    }
}

/// A client of OpenAI's in front of Anthropic.
pub(super) fn provider() -> Row {
    let provider = json!({"provider": "anthropic", "model": "claude-sonnet-4-5"});
    let config = EnvoyConfig::new().without_module();
    Row {
        name: "provider-chat",
        what: "a chat of OpenAI's of 1 KiB, answered with a message of Anthropic's of 1 KiB",
        ask: chat_request(1024),
        answer: message(1024),
        contenders: vec![
            no_filter(),
            Contender {
                name: "llm-provider",
                config: config.upstream_filter_named("llm-provider", provider),
            },
        ],
    }
}

/// A message of about `size` bytes.
fn message(size: usize) -> String {
    let message = |text: &str| {
        json!({
            "id": "msg_01XFDUDYJgAACzvnptvVoYEL", "type": "message", "role": "assistant",
            "model": "claude-sonnet-4-5-20250929", "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn", "stop_sequence": null,
            "usage": {"input_tokens": 20, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 22},
        })
        .to_string()
    };
    message(&text_of(size.saturating_sub(message("").len())))
}
