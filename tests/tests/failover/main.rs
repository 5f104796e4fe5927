//! The filter `llm-provider` where things go wrong, in real Envoys: a provider that dies under load, streams
//! that end in the middle, bodies as long as what Envoy holds, and answers of Envoy itself between attempts.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

mod attempts;
mod crowd;
mod example;
mod framing;
mod killed;
mod sizes;

use rustformations_tests::Reply;
use rustformations_tests::mock_llm::MockLlm;
use serde_json::{Value, json};

/// Two providers that say what they are asked to.
fn mocks() -> (MockLlm, MockLlm) {
    let start = || MockLlm::start("127.0.0.1:0").unwrap();
    (start(), start())
}

/// What A answers who says this.
fn message(text: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 5, "output_tokens": 2},
    })
}

/// What B answers who says this.
fn completion(text: &str) -> Value {
    let message = json!({"role": "assistant", "content": text});
    json!({
        "id": "c-1", "object": "chat.completion", "created": 1, "model": "gpt-4o",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    })
}

/// A says that it has no time.
fn overloaded(status: u16) -> Reply {
    let error = json!({"type": "overloaded_error", "message": "later"});
    let body = json!({"type": "error", "error": error}).to_string();
    let reply = Reply::new(status).header("content-type", "application/json");
    reply.body(body)
}
