//! Reads streams of OpenAI's chat as a client of OpenAI's does.

use rustformations_tests::Answer;
use serde_json::{Map, Value, json};

/// What a stream said.
pub(super) struct Read {
    /// The message, as it would stand in a document.
    pub(super) message: Value,
    pub(super) finish: Value,
    pub(super) usage: Value,
    /// `[DONE]` came.
    pub(super) is_done: bool,
    /// An error came.
    pub(super) error: Option<Value>,
}

impl Read {
    /// Whether a client would take it for a whole answer.
    pub(super) fn looks_complete(&self) -> bool {
        self.is_done || !self.finish.is_null()
    }
}

pub(super) fn read(answer: &Answer) -> Read {
    assert_eq!(
        answer.header("content-type"),
        "text/event-stream",
        "{}",
        answer.text()
    );
    let mut read = Read {
        message: json!({"role": "assistant", "content": null}),
        finish: Value::Null,
        usage: Value::Null,
        is_done: false,
        error: None,
    };
    let text = answer.text();
    for event in text.split("\n\n").filter(|event| !event.trim().is_empty()) {
        let data = event.strip_prefix("data: ");
        let data = data.unwrap_or_else(|| panic!("an event without data: {event:?} in {text}"));
        assert!(!read.is_done, "something follows [DONE]: {text}");
        if data == "[DONE]" {
            read.is_done = true;
            continue;
        }
        let Ok(chunk) = serde_json::from_str::<Value>(data) else {
            assert!(answer.cut, "no JSON: {data}");
            continue;
        };
        assert!(read.error.is_none(), "something follows an error: {text}");
        if !chunk["error"].is_null() {
            read.error = Some(chunk["error"].clone());
            continue;
        }
        assert_eq!(chunk["object"], "chat.completion.chunk", "{data}");
        if !chunk["usage"].is_null() {
            read.usage = chunk["usage"].clone();
        }
        let Some(choice) = chunk["choices"].get(0) else {
            continue;
        };
        assert!(
            read.finish.is_null(),
            "something follows the finish: {text}"
        );
        read.finish = choice["finish_reason"].clone();
        add(&mut read.message, &choice["delta"]);
    }
    read
}

/// Adds a delta: texts are appended, lists go by `index`.
fn add(to: &mut Value, delta: &Value) {
    for (name, value) in delta.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            (_, Value::Null) | ("role" | "index" | "type", _) => {}
            ("id" | "name", value) => to[name] = value.clone(),
            (_, Value::String(text)) => {
                let so_far = to[name].as_str().unwrap_or_default();
                to[name] = json!(format!("{so_far}{text}"));
            }
            (_, Value::Array(items)) => items.iter().for_each(|item| add_item(&mut to[name], item)),
            (_, Value::Object(_)) => {
                if to[name].is_null() {
                    to[name] = json!({});
                }
                add(&mut to[name], value);
            }
            (_, value) => to[name] = value.clone(),
        }
    }
}

fn add_item(list: &mut Value, item: &Value) {
    if list.is_null() {
        *list = json!([]);
    }
    let list = list.as_array_mut().unwrap();
    let index = item["index"]
        .as_u64()
        .map_or(list.len(), |index| index as usize);
    if index == list.len() {
        let mut fresh = Map::new();
        if let Some(of) = item.get("type") {
            fresh.insert("type".to_owned(), of.clone());
        }
        list.push(Value::Object(fresh));
    }
    let at = list
        .get_mut(index)
        .unwrap_or_else(|| panic!("an index is skipped: {item}"));
    add(at, item);
}
