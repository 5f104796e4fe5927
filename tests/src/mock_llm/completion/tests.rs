//! What httpbun answers to odd requests, and what the provider's path does beyond it.

use super::*;

fn asked(request: &Value, manner: Manner) -> Result<Completion, String> {
    Completion::parse(request.to_string().as_bytes(), manner)
}

fn hello() -> Value {
    json!({"messages": [{"role": "user", "content": "Hello"}]})
}

fn chunks(completion: &Completion) -> Vec<Value> {
    let events = completion.to_events();
    let (done, chunks) = events.split_last().unwrap();
    assert_eq!(done, "[DONE]");
    chunks
        .iter()
        .map(|chunk| serde_json::from_str(chunk).unwrap())
        .collect()
}

#[test]
fn usage_of_hello_is_what_httpbun_reports() {
    let completion = asked(&hello(), Manner::Httpbun).unwrap();
    let expected = r#"{"completion_tokens":29,"prompt_tokens":3,"total_tokens":32}"#;
    assert_eq!(completion.usage().to_string(), expected);
}

#[test]
fn defaults_are_httpbuns_and_the_request_may_override_them() {
    let mut request = hello();
    let answer = asked(&request, Manner::Httpbun).unwrap().to_json();
    assert_eq!(answer["model"], "gpt-4");
    assert_eq!(answer["choices"][0]["message"]["content"], DEFAULT_TEXT);
    request["model"] = json!("tiny");
    request["n"] = json!(2);
    request["httpbun"] = json!({"content": "Good day"});
    for (manner, tokens) in [(Manner::Httpbun, 2), (Manner::Provider, 4)] {
        let answer = asked(&request, manner).unwrap().to_json();
        assert_eq!(answer["model"], "tiny");
        assert_eq!(answer["choices"][1]["message"]["content"], "Good day");
        assert_eq!(answer["usage"]["completion_tokens"], tokens);
    }
}

#[test]
fn events_of_httpbun_begin_with_a_role_alone_and_know_no_usage() {
    let mut request = hello();
    request["n"] = json!(2);
    request["stream_options"] = json!({"include_usage": true});
    request["httpbun"] = json!({"content": " one\n two "});
    let completion = asked(&request, Manner::Httpbun).unwrap();
    let deltas: Vec<String> = chunks(&completion)
        .iter()
        .map(|chunk| {
            assert!(chunk.get("usage").is_none(), "{chunk}");
            assert_eq!(chunk["choices"][0]["index"], 0);
            chunk["choices"][0]["delta"].to_string()
        })
        .collect();
    let expected = [
        r#"{"role":"assistant"}"#,
        r#"{"content":"one "}"#,
        r#"{"content":"two"}"#,
        "{}",
    ];
    assert_eq!(deltas, expected);
}

#[test]
fn events_of_a_provider_have_all_choices_and_end_with_usage() {
    let mut request = hello();
    request["n"] = json!(2);
    request["stream_options"] = json!({"include_usage": true});
    request["httpbun"] = json!({"content": "one two"});
    let chunks = chunks(&asked(&request, Manner::Provider).unwrap());
    assert_eq!(chunks[1]["choices"][0]["index"], 1);
    let [.., finish, usage] = chunks.as_slice() else {
        panic!("{chunks:?}")
    };
    assert_eq!(finish["choices"][0]["finish_reason"], "stop");
    assert_eq!(finish["usage"], Value::Null);
    assert_eq!(
        (&usage["choices"], &usage["usage"]["total_tokens"]),
        (&json!([]), &json!(7))
    );
}

#[test]
fn null_is_absent_everywhere_even_as_the_whole_request() {
    for request in [
        json!(null),
        json!({"model": null, "messages": null, "n": null, "stream": null, "httpbun": null}),
        json!({"n": 0, "messages": [null, {"role": null, "content": null}]}),
        json!({"messages": [{"content": "no role"}]}),
    ] {
        let answer = asked(&request, Manner::Httpbun).unwrap().to_json();
        assert_eq!(answer["choices"].as_array().unwrap().len(), 1, "{request}");
        assert_eq!(answer["model"], "gpt-4");
    }
}

#[test]
fn wrong_types_are_refused_with_the_name_of_the_field() {
    let parts =
        json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]});
    for (request, field) in [
        (&json!([]), "object"),
        (&json!("Hello"), "object"),
        (&json!({"n": -1}), "n must"),
        (&json!({"n": 1.5}), "n must"),
        (&json!({"n": "2"}), "n must"),
        (&json!({"model": 4}), "model"),
        (&json!({"max_tokens": 1.5}), "max_tokens"),
        (&json!({"temperature": "hot"}), "temperature"),
        (&json!({"httpbun": "text"}), "httpbun"),
        (&json!({"stream": "yes"}), "stream"),
        (&json!({"messages": "Hello"}), "messages"),
        (&json!({"messages": ["Hello"]}), "messages"),
        (&json!({"messages": [{"content": 1}]}), "content"),
        (&parts, "content"),
    ] {
        let error = asked(request, Manner::Httpbun).err().unwrap();
        assert!(error.contains(field), "{request}: {error}");
    }
    let provider = asked(&parts, Manner::Provider).unwrap();
    assert_eq!(provider.prompt_tokens, 3);
}

#[test]
fn httpbun_reads_the_first_ten_thousand_bytes() {
    let request = json!({"messages": [{"role": "user", "content": "a".repeat(HTTPBUN_BODY)}]});
    assert!(asked(&request, Manner::Httpbun).is_err());
    assert!(asked(&request, Manner::Provider).is_ok());
}
