//! Every dialect as a whole: documents and streams that say the same.

use serde_json::{Value, json};

use super::*;

const PATHS: [(&str, &str); 5] = [
    ("/v1/chat/completions", ""),
    ("/v1/completions", ""),
    ("/v1/responses", ""),
    ("/v1/messages", ""),
    ("/v1beta/models/gem:streamGenerateContent", "alt=sse&"),
];
const CONVERSE: &str = "/model/m/converse-stream";
const TOOLS: &str = r#"[{"name":"a","arguments":{"city":"Köln"}},{"name":"b","arguments":""}]"#;

fn speak<T>(path: &str, knobs: &[(&str, &str)], ask: impl Fn(Dialect, &Speech) -> T) -> T {
    let request = json!({
        "model": "m-1",
        "stream_options": {"include_usage": true},
        "messages": [{"role": "user", "content": "Hi"}],
    });
    let mut headers = HeaderMap::new();
    for (name, value) in knobs {
        let name: axum::http::HeaderName = format!("x-mock-{name}").parse().unwrap();
        headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let uri: Uri = path.parse().unwrap();
    let dialect = Dialect::of(uri.path()).unwrap();
    let body = Bytes::from(request.to_string());
    let heard = Heard {
        dialect,
        uri: &uri,
        headers: &headers,
        body: &body,
        request: &request,
    };
    let knobs = Knobs::read("", &headers).unwrap();
    ask(dialect, &Speech::new(&heard, &knobs))
}

fn document(path: &str, knobs: &[(&str, &str)]) -> Value {
    let text = speak(path, knobs, Dialect::json);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
}

fn payloads(path: &str, knobs: &[(&str, &str)]) -> Vec<Value> {
    let events = speak(path, knobs, Dialect::events);
    let read = |event: &Event| match event.payload.as_str() {
        pieces::DONE => Value::from(pieces::DONE),
        payload => {
            let read: Value = serde_json::from_str(payload)
                .unwrap_or_else(|error| panic!("{path}: {error}: {payload}"));
            // Amazon's names stand in frames alone.
            if let Some(name) = event.name.filter(|_| !path.contains("/converse")) {
                assert_eq!(read["type"], name);
            }
            read
        }
    };
    events.iter().map(read).collect()
}

/// All strings under `field` whose object or parent is a delta, joined: what a client would show.
fn said(events: &[Value], pointer: &str) -> String {
    events
        .iter()
        .filter_map(|event| event.pointer(pointer)?.as_str())
        .collect()
}

#[test]
fn streams_say_what_documents_say() {
    let text = "Grüß dich, 🌍 you";
    for delta in ["word", "1", "whole"] {
        for (path, document_at, delta_at) in [
            (
                PATHS[0].0,
                "/choices/0/message/content",
                "/choices/0/delta/content",
            ),
            (PATHS[1].0, "/choices/0/text", "/choices/0/text"),
            (PATHS[2].0, "/output/0/content/0/text", "/delta"),
            (PATHS[3].0, "/content/0/text", "/delta/text"),
            (
                PATHS[4].0,
                "/candidates/0/content/parts/0/text",
                "/candidates/0/content/parts/0/text",
            ),
            (CONVERSE, "/output/message/content/0/text", "/delta/text"),
        ] {
            let knobs = [("say", text), ("delta", delta)];
            let document = document(path, &knobs);
            assert_eq!(document.pointer(document_at), Some(&json!(text)), "{path}");
            assert_eq!(
                said(&payloads(path, &knobs), delta_at),
                text,
                "{path} {delta}"
            );
        }
    }
}

#[test]
fn ends_are_those_of_the_dialects() {
    let last = |path| payloads(path, &[]).pop().unwrap();
    assert_eq!(last(PATHS[0].0), pieces::DONE);
    assert_eq!(last(PATHS[1].0), pieces::DONE);
    assert_eq!(last(PATHS[2].0)["type"], "response.completed");
    assert_eq!(last(PATHS[3].0)["type"], "message_stop");
    assert_eq!(last(PATHS[4].0)["candidates"][0]["finishReason"], "STOP");
    assert_eq!(last(CONVERSE)["metrics"]["latencyMs"], 12);
}

#[test]
fn counts_are_spelled_as_each_provider_spells_them() {
    let tokens = (
        "tokens",
        "input:4312,cached:4000,written:300,output:25,reasoning:5",
    );
    let chat = json!({
        "prompt_tokens": 4312, "completion_tokens": 25, "total_tokens": 4337,
        "prompt_tokens_details":
            {"cached_tokens": 4000, "audio_tokens": 0, "cache_creation_input_tokens": 300},
        "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 0},
    });
    let responses = json!({
        "input_tokens": 4312, "input_tokens_details": {"cached_tokens": 4000},
        "output_tokens": 25, "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 4337,
    });
    let messages = json!({
        "input_tokens": 12, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 4000,
        "cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 25, "output_tokens_details": {"thinking_tokens": 5},
    });
    let gemini = json!({
        "promptTokenCount": 4312, "candidatesTokenCount": 20, "thoughtsTokenCount": 5,
        "totalTokenCount": 4337, "cachedContentTokenCount": 4000,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 4312}],
    });
    let converse = json!({
        "inputTokens": 12, "outputTokens": 25, "totalTokens": 4337,
        "cacheReadInputTokens": 4000, "cacheWriteInputTokens": 300,
    });
    assert_eq!(document(CONVERSE, &[tokens])["usage"], converse);
    assert_eq!(document(PATHS[0].0, &[tokens])["usage"], chat);
    assert_eq!(document(PATHS[1].0, &[tokens])["usage"], chat);
    assert_eq!(document(PATHS[2].0, &[tokens])["usage"], responses);
    assert_eq!(document(PATHS[3].0, &[tokens])["usage"], messages);
    assert_eq!(document(PATHS[4].0, &[tokens])["usageMetadata"], gemini);
    let embedded = document("/v1/embeddings", &[tokens]);
    assert_eq!(
        embedded["usage"],
        json!({"prompt_tokens": 4312, "total_tokens": 4312})
    );

    let chat_events = payloads(PATHS[0].0, &[tokens]);
    let told = &chat_events[chat_events.len() - 2];
    assert_eq!((&told["usage"], &told["choices"]), (&chat, &json!([])));
    assert!(
        chat_events[..chat_events.len() - 2]
            .iter()
            .all(|event| event["usage"].is_null())
    );
    let last = payloads(PATHS[2].0, &[tokens]).pop().unwrap();
    assert_eq!(last["response"]["usage"], responses);
    let message_events = payloads(PATHS[3].0, &[tokens]);
    assert_eq!(message_events[0]["message"]["usage"]["output_tokens"], 1);
    let told = &message_events[message_events.len() - 2]["usage"];
    assert_eq!(
        told,
        &json!({"output_tokens": 25, "output_tokens_details": {"thinking_tokens": 5}})
    );
    let gemini_events = payloads(PATHS[4].0, &[tokens]);
    assert_eq!(gemini_events.last().unwrap()["usageMetadata"], gemini);
    assert!(gemini_events[0]["usageMetadata"]["candidatesTokenCount"].as_u64() < Some(20));
}

#[test]
fn usage_has_its_variants() {
    let usages = |usage| -> Vec<Value> {
        let events = payloads(PATHS[0].0, &[("say", "a b"), ("usage", usage)]);
        let objects = events.iter().filter(|event| event.is_object());
        objects
            .map(|event| event.get("usage").cloned().unwrap_or(json!("absent")))
            .collect()
    };
    let (null, absent) = (Value::Null, json!("absent"));
    assert_eq!(usages("none"), vec![absent.clone(); 4]);
    assert_eq!(usages("null"), vec![null.clone(); 4]);
    let choices = usages("choices");
    assert_eq!(choices[..3], vec![absent; 3]);
    assert!(choices[3]["completion_tokens"].is_u64());
    let every = usages("every");
    assert_eq!(every.len(), 5);
    assert!(every.iter().all(Value::is_object));
    for pair in every.windows(2) {
        let counts = pair.iter().map(|usage| usage["completion_tokens"].as_u64());
        assert!(counts.is_sorted(), "{every:?}");
    }

    let raw = ("usage-raw", r#"{"prompt_tokens":"7"}"#);
    assert_eq!(
        document(PATHS[0].0, &[raw])["usage"],
        json!({"prompt_tokens": "7"})
    );
    for (path, _) in PATHS {
        let without = speak(path, &[("usage", "none")], Dialect::json);
        assert!(!without.contains("usage"), "{without}");
    }
    let at_the_end = payloads(PATHS[3].0, &[("usage", "choices")]);
    assert!(at_the_end[0]["message"].get("usage").is_none());
    assert!(at_the_end[at_the_end.len() - 2]["usage"]["input_tokens"].is_u64());
}

#[test]
fn calls_of_tools_come_in_fragments() {
    let knobs = [("tools", TOOLS)];
    let chat = payloads(PATHS[0].0, &knobs);
    let of_call = |index: u64| -> (String, String) {
        let calls = chat.iter().filter_map(|event| {
            let call = event.pointer("/choices/0/delta/tool_calls/0")?;
            (call["index"] == index).then_some(call)
        });
        calls.fold(Default::default(), |(ids, arguments), call| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (
                ids + &text(&call["id"]),
                arguments + &text(&call["function"]["arguments"]),
            )
        })
    };
    assert_eq!(
        of_call(0),
        ("call_1".to_owned(), r#"{"city":"Köln"}"#.to_owned())
    );
    assert_eq!(of_call(1), ("call_2".to_owned(), String::new()));
    assert_eq!(
        chat[chat.len() - 3]["choices"][0]["finish_reason"],
        "tool_calls"
    );
    let calls = &document(PATHS[0].0, &knobs)["choices"][0]["message"]["tool_calls"];
    assert_eq!(calls[0]["function"]["arguments"], r#"{"city":"Köln"}"#);

    let messages = payloads(PATHS[3].0, &knobs);
    let fragment = |event: &Value| event.pointer("/delta/partial_json").cloned();
    let of_block = |index: u64| -> Vec<Value> {
        let block = messages.iter().filter(|event| event["index"] == index);
        block.filter_map(fragment).collect()
    };
    assert_eq!(of_block(1), [json!("")]);
    assert_eq!(
        of_block(0)
            .iter()
            .filter_map(Value::as_str)
            .collect::<String>(),
        r#"{"city":"Köln"}"#
    );
    let content = &document(PATHS[3].0, &knobs)["content"];
    assert_eq!(content[0]["input"], json!({"city": "Köln"}));
    assert_eq!(content[1]["input"], json!({}));

    let responses = payloads(PATHS[2].0, &knobs);
    let output = &responses.last().unwrap()["response"]["output"];
    assert_eq!(output[0]["arguments"], r#"{"city":"Köln"}"#);
    assert_eq!(output[0]["call_id"], "call_1");
    let parts = &document(PATHS[4].0, &knobs)["candidates"][0]["content"]["parts"];
    assert_eq!(
        parts[0]["functionCall"],
        json!({"name": "a", "args": {"city": "Köln"}})
    );
}

#[test]
fn thoughts_stand_apart_from_the_answer() {
    let knobs = [("reasoning", "hm hm"), ("say", "yes")];
    let chat = payloads(PATHS[0].0, &knobs);
    assert_eq!(said(&chat, "/choices/0/delta/reasoning_content"), "hm hm");
    assert_eq!(said(&chat, "/choices/0/delta/content"), "yes");
    let messages = payloads(PATHS[3].0, &knobs);
    assert_eq!(said(&messages, "/delta/thinking"), "hm hm");
    let numbers: Vec<&Value> = messages
        .iter()
        .filter(|event| event["type"] == "content_block_start")
        .map(|event| &event["index"])
        .collect();
    assert_eq!(numbers, [&json!(0), &json!(1)]);
    let responses = payloads(PATHS[2].0, &knobs);
    let numbers = responses
        .iter()
        .map(|event| event["sequence_number"].as_u64());
    assert!(numbers.eq((0..responses.len() as u64).map(Some)));
    let parts = &document(PATHS[4].0, &knobs)["candidates"][0]["content"]["parts"];
    assert_eq!(parts[0], json!({"text": "hm hm", "thought": true}));
}

#[test]
fn errors_have_the_shapes_of_the_dialects() {
    let status = StatusCode::TOO_MANY_REQUESTS;
    let shape = |dialect| -> Value {
        let shape = Shape::of(dialect, "/v1/any");
        serde_json::from_str(&shape.document(status, "no \"more\"")).unwrap()
    };
    let openai = json!({"error":
        {"message": "no \"more\"", "type": "rate_limit_error", "param": null, "code": null}});
    assert_eq!(shape(Dialect::Chat), openai);
    assert_eq!(shape(Dialect::Responses), openai);
    assert_eq!(
        shape(Dialect::Messages)["error"]["type"],
        "rate_limit_error"
    );
    let google = json!({"code": 429, "message": "no \"more\"", "status": "RESOURCE_EXHAUSTED"});
    assert_eq!(shape(Dialect::Gemini)["error"], google);
    assert_eq!(shape(Dialect::Converse), json!({"message": "no \"more\""}));
    for dialect in [
        Dialect::Chat,
        Dialect::Messages,
        Dialect::Responses,
        Dialect::Gemini,
    ] {
        let event = Shape::of(dialect, "/v1/any").event(dialect, 3);
        let read: Value = serde_json::from_str(&event.payload).unwrap();
        match event.name {
            Some(name) => assert_eq!(read["type"], name),
            None => assert!(read["error"]["message"].is_string()),
        }
    }
}

#[test]
fn the_end_of_a_path_chooses_the_dialect() {
    for (path, dialect) in [
        ("/provider/v1/chat/completions", Some(Dialect::Chat)),
        (
            "/provider/openai/deployments/d/chat/completions",
            Some(Dialect::Chat),
        ),
        ("/provider/v1/completions", Some(Dialect::Completions)),
        ("/provider/v1/responses", Some(Dialect::Responses)),
        ("/provider/v1/embeddings", Some(Dialect::Embeddings)),
        ("/provider/v1/messages", Some(Dialect::Messages)),
        (
            "/provider/v1beta/models/g:generateContent",
            Some(Dialect::Gemini),
        ),
        ("/provider/v1/models", None),
    ] {
        assert_eq!(Dialect::of(path), dialect, "{path}");
    }
}
