//! A whole answer that becomes a stream says the same: every case of answers in `tests/translation`, put
//! together again from the events as clients do it.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use llm::dialect::Dialect;
use llm::translate::{Moment, Options, Provider, Translation};
use serde_json::{Value, json};

const MOMENT: Moment<'_> = Moment {
    id: "req-1",
    now: 1_790_000_000,
};

fn cases() -> Vec<Value> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/translation");
    let pairs = ["anthropic", "gemini", "converse", "messages", "same"];
    let read = |pair| {
        let text = std::fs::read_to_string(folder.join(format!("{pair}_answers.json"))).unwrap();
        serde_json::from_str::<Vec<Value>>(&text).unwrap()
    };
    pairs.into_iter().flat_map(read).collect()
}

/// The data of the events, which are named as their types where the dialect names them.
fn events(client: Dialect, stream: &str) -> Vec<Value> {
    let event = |text: &str| {
        let (name, data) = match text.split_once('\n') {
            Some((name, data)) => (name.strip_prefix("event: "), data),
            None => (None, text),
        };
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        let expected = (client == Dialect::AnthropicMessages).then(|| data["type"].as_str());
        assert_eq!(name, expected.flatten());
        data
    };
    let stream = match client {
        Dialect::AnthropicMessages => stream.strip_suffix("\n\n").unwrap(),
        _ => stream.strip_suffix("\n\ndata: [DONE]\n\n").unwrap(),
    };
    stream.split("\n\n").map(event).collect()
}

/// A chat of chunks, the first of which has all of a message.
fn chat(chunks: Vec<Value>) -> Value {
    let mut whole = json!({"choices": []});
    for chunk in chunks {
        assert_eq!(chunk["object"], "chat.completion.chunk");
        for key in ["id", "created", "model"] {
            whole[key] = chunk[key].clone();
        }
        if chunk.get("usage").is_some_and(|usage| !usage.is_null()) {
            whole["usage"] = chunk["usage"].clone();
        }
        for choice in chunk["choices"].as_array().unwrap() {
            let mut delta = choice["delta"].clone();
            if choice["finish_reason"].is_null() {
                for list in ["tool_calls", "thinking_blocks", "images"] {
                    let items = delta.get_mut(list).and_then(Value::as_array_mut);
                    for (index, item) in items.into_iter().flatten().enumerate() {
                        let number = item.as_object_mut().unwrap().remove("index");
                        assert_eq!(number, Some(json!(index)));
                    }
                }
                let choices = whole["choices"].as_array_mut().unwrap();
                assert_eq!(choice["index"], choices.len());
                choices.push(json!({"message": delta}));
            } else {
                assert_eq!(delta, json!({}));
                let index = usize::try_from(choice["index"].as_u64().unwrap()).unwrap();
                whole["choices"][index]["finish_reason"] = choice["finish_reason"].clone();
            }
        }
    }
    whole
}

/// A message of events.
fn message(events: Vec<Value>) -> Value {
    let mut whole = Value::Null;
    let mut open = None;
    for event in events {
        match event["type"].as_str().unwrap() {
            "message_start" => whole = event["message"].clone(),
            "content_block_start" => {
                let content = whole["content"].as_array_mut().unwrap();
                assert_eq!((open, &event["index"]), (None, &json!(content.len())));
                open = Some(content.len());
                content.push(event["content_block"].clone());
            }
            "content_block_delta" => {
                assert_eq!(event["index"], open.unwrap());
                let block = &mut whole["content"][open.unwrap()];
                for (key, value) in event["delta"].as_object().unwrap() {
                    match key.as_str() {
                        "type" => {}
                        "partial_json" => {
                            assert_eq!(block["input"], json!({}));
                            block["input"] = serde_json::from_str(value.as_str().unwrap()).unwrap();
                        }
                        key => {
                            assert_eq!(block[key], "");
                            block[key] = value.clone();
                        }
                    }
                }
            }
            "content_block_stop" => assert_eq!(event["index"], open.take().unwrap()),
            "message_delta" => {
                for (key, value) in event["delta"].as_object().unwrap() {
                    assert!(whole[key].is_null());
                    if !value.is_null() || whole.get(key).is_some() {
                        whole[key] = value.clone();
                    }
                }
                assert_eq!(event.get("usage"), whole.get("usage"));
            }
            "message_stop" => return whole,
            other => panic!("{other}"),
        }
    }
    panic!("no end")
}

/// What is the same in both: chunks number their choices, and lack what nobody tells.
fn comparable(client: Dialect, mut answer: Value) -> Value {
    if client == Dialect::OpenaiChat {
        answer.as_object_mut().unwrap().remove("object");
        for choice in answer["choices"].as_array_mut().unwrap() {
            let choice = choice.as_object_mut().unwrap();
            choice.remove("index");
            choice.remove("logprobs");
        }
    }
    answer
}

#[test]
fn an_answer_says_the_same_as_a_stream() {
    let mut kinds = Vec::new();
    for case in cases() {
        let name = case["name"].as_str().unwrap();
        let client = Dialect::named(case["client"].as_str().unwrap_or("openai-chat")).unwrap();
        let provider = Provider::named(case["provider"].as_str().unwrap()).unwrap();
        let translation = Translation::of(client, provider).unwrap();
        let mut request = match client {
            Dialect::AnthropicMessages => json!({"max_tokens": 1, "messages": []}),
            _ => json!({"messages": []}),
        };
        if let Some(of) = case.get("request") {
            request = of.clone();
        }
        request["model"] = json!("asked");
        request["stream"] = json!(true);
        if client == Dialect::OpenaiChat {
            request["stream_options"] = json!({"include_usage": true});
        }
        let options = Options::default();
        let asked = translation.request(request.to_string().as_bytes(), &options);
        let asked = asked.map_err(|refusal| refusal.message).unwrap().asked;
        let body = match &case["body"] {
            Value::String(text) => text.clone(),
            body => body.to_string(),
        };
        let stream = translation.unfolded(&asked, &MOMENT, body.as_bytes());
        if case.get("failure").is_some() {
            assert!(stream.is_err(), "{name}");
            continue;
        }
        let answer = translation.response(&asked, &MOMENT, body.as_bytes());
        let answer: Value = serde_json::from_str(&answer.unwrap()).unwrap();
        let stream = stream.unwrap();
        let seen = match client {
            Dialect::AnthropicMessages => message(events(client, &stream)),
            _ => chat(events(client, &stream)),
        };
        let expected = comparable(client, answer);
        assert_eq!(comparable(client, seen), expected, "{name}");
        for kind in ["tool_use", "tool_calls", "thinking_blocks", "\"thinking\""] {
            if expected.to_string().contains(kind) {
                kinds.push(kind);
            }
        }
    }
    // The cases are about all of them.
    for kind in ["tool_use", "tool_calls", "thinking_blocks", "\"thinking\""] {
        assert!(kinds.contains(&kind), "{kind}");
    }
}
