//! What is asked and said in these rows: a chat of OpenAI's, and a message of Anthropic's, whose events are as
//! long as they are there.
//!
//! Pure text, made before anything is measured.

use serde_json::json;

/// How many events a stream has, the end included.
pub(super) const EVENTS: usize = 200;

/// Where chats go.
pub(super) const PATH: &str = "/v1/chat/completions";

/// The chat: streamed, and without a word of usage.
pub(super) fn chat() -> String {
    let said = "Write to jo@example.com or call +49 30 1234567, and tell them in plain words.";
    let messages = json!([{"role": "user", "content": said}]);
    json!({"model": "gpt-4o", "stream": true, "messages": messages}).to_string()
}

/// The same with its head.
pub(super) fn request() -> Vec<u8> {
    let body = chat();
    format!(
        "POST {PATH} HTTP/1.1\r\nhost: lab.test\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The events of the answer, to a request that asks for usage. The model names an address and a number in
/// the placeholders that a masked request has of them, each cut in two.
pub(super) fn events() -> Vec<String> {
    let mut events: Vec<String> = (0..EVENTS - 3)
        .map(|number| match number % 20 {
            7 => " to [EMAIL",
            8 => "_1] or",
            13 => " under [PHO",
            14 => "NE_1]",
            _ => " a few words",
        })
        .map(|text| event(&json!([{"index": 0, "delta": {"content": text}, "logprobs": null, "finish_reason": null}]), false))
        .collect();
    events.push(event(
        &json!([{"index": 0, "delta": {}, "logprobs": null, "finish_reason": "stop"}]),
        false,
    ));
    events.push(event(&json!([]), true));
    events.push("data: [DONE]\n\n".to_owned());
    events
}

/// How many events of a message of Anthropic's say nothing.
pub(super) const AROUND: usize = 5;

/// The events of the same answer from Anthropic.
pub(super) fn messages() -> Vec<String> {
    let event = |of: &str, mut data: serde_json::Value| {
        data["type"] = json!(of);
        format!("event: {of}\ndata: {data}\n\n")
    };
    let message = json!({
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL", "type": "message", "role": "assistant",
        "model": "claude-sonnet-4-5-20250929", "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": 25, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 1},
    });
    let block = json!({"index": 0, "content_block": {"type": "text", "text": ""}});
    let said = json!({"index": 0, "delta": {"type": "text_delta", "text": " a few words"}});
    let end = json!({"delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": {"output_tokens": 400}});
    let mut events = vec![
        event("message_start", json!({"message": message})),
        event("content_block_start", block),
    ];
    events.extend((0..EVENTS - AROUND).map(|_| event("content_block_delta", said.clone())));
    events.extend([
        event("content_block_stop", json!({"index": 0})),
        event("message_delta", end),
        event("message_stop", json!({})),
    ]);
    events
}

/// An event that could still become a placeholder, behind one that could not.
pub(super) fn waiting() -> Vec<String> {
    let said = |text: &str| {
        event(
            &json!([{"index": 0, "delta": {"content": text}, "finish_reason": null}]),
            false,
        )
    };
    vec![said("Write"), said(" to [EMAIL")]
}

fn event(choices: &serde_json::Value, has_usage: bool) -> String {
    let usage = json!({"prompt_tokens": 25, "completion_tokens": 400, "total_tokens": 425});
    let event = json!({
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": "gpt-4o-2024-08-06",
        "service_tier": "default",
        "system_fingerprint": "fp_0",
        "choices": choices,
        "usage": has_usage.then_some(usage),
    });
    format!("data: {event}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_has_as_many_events_as_it_says_and_ends_with_its_usage() {
        let events = events();
        assert_eq!(events.len(), EVENTS);
        assert!(events[EVENTS - 2].contains("\"total_tokens\":425"));
        assert_eq!(events[EVENTS - 1], "data: [DONE]\n\n");
        let messages = messages();
        assert_eq!(messages.len(), EVENTS);
        assert!(messages[EVENTS - 1].starts_with("event: message_stop\n"));
    }
}
