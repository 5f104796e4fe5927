//! The row about LLM traffic whose answers come whole; streams are in [`crate::streams`].

use serde_json::json;

use super::bodies::chat_reply;
use super::{Row, chat_request, no_filter, ours};

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
