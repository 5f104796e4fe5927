//! Reads streams of Anthropic's Messages as a client of Anthropic's does, and insists on their
//! rules.

use rustformations_tests::Answer;
use serde_json::{Value, json};

/// What a stream said.
pub(super) struct Read {
    /// The message, as it would stand in a document.
    pub(super) message: Value,
    /// `message_stop` came.
    pub(super) is_done: bool,
    /// An error came.
    pub(super) error: Option<Value>,
}

pub(super) fn read(answer: &Answer) -> Read {
    assert_eq!(
        answer.header("content-type"),
        "text/event-stream",
        "{}",
        answer.text()
    );
    let text = answer.text();
    let mut reader = Reader::default();
    for event in text.split("\n\n").filter(|event| !event.trim().is_empty()) {
        let mut lines = event.lines();
        let name = lines.next().and_then(|line| line.strip_prefix("event: "));
        let data = lines.next().and_then(|line| line.strip_prefix("data: "));
        let (Some(name), Some(data)) = (name, data) else {
            assert!(answer.cut, "no event: {event:?}");
            continue;
        };
        let Ok(data) = serde_json::from_str::<Value>(data) else {
            assert!(answer.cut, "no JSON: {data}");
            continue;
        };
        assert_eq!(data["type"], name, "{event}");
        assert!(
            !reader.is_done && reader.error.is_none(),
            "something follows the end: {text}"
        );
        reader.take(name, &data);
    }
    assert!(
        !reader.is_done || reader.open.is_none(),
        "a block is open: {text}"
    );
    Read {
        message: reader.message,
        is_done: reader.is_done,
        error: reader.error,
    }
}

#[derive(Default)]
struct Reader {
    message: Value,
    /// The arguments of the block that is open.
    arguments: String,
    open: Option<u64>,
    has_ended: bool,
    is_done: bool,
    error: Option<Value>,
}

impl Reader {
    fn take(&mut self, name: &str, event: &Value) {
        match name {
            "ping" => {}
            "error" => self.error = Some(event["error"].clone()),
            "message_start" => {
                assert!(self.message.is_null(), "a second message_start");
                self.message = event["message"].clone();
                assert_eq!(self.message["content"], json!([]));
                assert!(self.message["usage"]["input_tokens"].is_u64(), "{event}");
            }
            "content_block_start" => {
                let content = self.message["content"].as_array_mut().unwrap();
                assert_eq!(
                    (self.open, event["index"].as_u64()),
                    (None, Some(content.len() as u64)),
                    "{event}"
                );
                self.open = event["index"].as_u64();
                self.arguments.clear();
                content.push(event["content_block"].clone());
            }
            "content_block_delta" => self.delta(event),
            "content_block_stop" => {
                assert_eq!(event["index"].as_u64(), self.open, "{event}");
                let index = self.open.take().unwrap() as usize;
                let block = &mut self.message["content"][index];
                if block["type"] == "tool_use" && !self.arguments.is_empty() {
                    block["input"] = serde_json::from_str(&self.arguments).unwrap();
                }
            }
            "message_delta" => {
                assert!(!self.has_ended && self.open.is_none(), "{event}");
                self.has_ended = true;
                self.message["stop_reason"] = event["delta"]["stop_reason"].clone();
                for (name, count) in event["usage"].as_object().unwrap() {
                    self.message["usage"][name] = count.clone();
                }
            }
            "message_stop" => {
                assert!(self.has_ended, "no message_delta");
                self.is_done = true;
            }
            name => panic!("{name} is no event"),
        }
    }

    fn delta(&mut self, event: &Value) {
        assert_eq!(event["index"].as_u64(), self.open, "{event}");
        let block = &mut self.message["content"][self.open.unwrap() as usize];
        let delta = &event["delta"];
        let (of, member) = match delta["type"].as_str().unwrap() {
            "input_json_delta" => {
                assert_eq!(block["type"], "tool_use", "{event}");
                self.arguments += delta["partial_json"].as_str().unwrap();
                return;
            }
            "text_delta" => ("text", "text"),
            "thinking_delta" => ("thinking", "thinking"),
            "signature_delta" => ("thinking", "signature"),
            kind => panic!("{kind} is no delta"),
        };
        assert_eq!(block["type"], of, "{event}");
        let so_far = block[member].as_str().unwrap_or_default();
        block[member] = json!(format!("{so_far}{}", delta[member].as_str().unwrap()));
    }
}
