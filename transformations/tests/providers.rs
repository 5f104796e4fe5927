//! Attempts at providers, on a host in memory: what goes to a provider, and what comes back of it.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use llm::translate::fields::Becomes;
use serde_json::{Value, json};
use transformations::files::{Files, NoProfiles, Prices};
use transformations::live::Live;
use transformations::profiles::Profiles;
use transformations::provider::{Attempt, Counts, Key, Keys, NAMESPACE, Providers, Step};
use transformations::testing::{MemoryFiles, MemoryHost, Message};
use transformations::{CompileOptions, HostValue, MetadataSource, Program};

const CHAT: &str = "/v1/chat/completions";
const SECRET: &str = "k-0123456789";

/// A file of a key, and the variables that are set.
#[derive(Clone, Debug)]
struct Safe(Arc<Mutex<Key>>);

impl Safe {
    fn new() -> Safe {
        Safe(Arc::new(Mutex::new(key(SECRET))))
    }
}

fn key(text: &str) -> Key {
    Key::read(format!(" {text}\n").as_bytes()).unwrap()
}

impl Live<Key> for Safe {
    fn current(&self) -> Arc<Key> {
        Arc::new(self.0.lock().unwrap().clone())
    }
}

impl Keys for Safe {
    fn file(&self, path: &str) -> Result<Arc<dyn Live<Key>>, String> {
        match path {
            "/keys/a" => Ok(Arc::new(self.clone())),
            _ => Err("no such file".to_owned()),
        }
    }

    fn variable(&self, name: &str) -> Option<Vec<u8>> {
        match name {
            "KEY" => Some(b"from-env\n".to_vec()),
            "BROKEN" => Some(b"two\nlines".to_vec()),
            _ => None,
        }
    }
}

fn compile(config: &Value) -> Arc<Providers> {
    let compiled = Providers::compile(config.to_string().as_bytes(), (1, 40), &Safe::new());
    compiled.unwrap_or_else(|problems| panic!("{problems}"))
}

fn problems(config: &Value) -> String {
    let compiled = Providers::compile(config.to_string().as_bytes(), (1, 40), &Safe::new());
    compiled.unwrap_err().to_string()
}

fn anthropic() -> Value {
    json!({"provider": "anthropic", "model": "claude-sonnet-4-5", "auth": {"apiKey": {"file": "/keys/a"}}})
}

fn chat(more: Value) -> String {
    let mut body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]});
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    body.to_string()
}

/// A request of a client, at a host that was picked.
fn host(path: &str, body: &str) -> MemoryHost {
    let headers = [
        (":method", "POST"),
        (":path", path),
        (":authority", "gateway.test"),
        ("authorization", "Bearer of-the-client"),
        ("x-api-key", "of-the-client"),
        ("api-key", "of-the-client"),
        ("x-goog-api-key", "of-the-client"),
        ("content-length", "7"),
        ("accept-encoding", "gzip"),
        ("x-kept", "1"),
    ];
    MemoryHost {
        request: Message::new(&headers, body.as_bytes()),
        attributes: vec![(
            "upstream.address".to_owned(),
            HostValue::Text("10.0.0.1:443".to_owned()),
        )],
        seconds: 1_790_000_000,
        ..MemoryHost::default()
    }
}

fn ask(providers: &Arc<Providers>, host: &mut MemoryHost) -> (Attempt, Step) {
    let mut attempt = providers.open();
    let mut step = attempt.on_request_headers(host, false);
    if step == Step::Wait {
        step = attempt.on_request_body(host, true);
    }
    (attempt, step)
}

/// The pieces of an answer, one by one, and what becomes of them.
fn answer(
    attempt: &mut Attempt,
    host: &mut MemoryHost,
    head: &[(&str, &str)],
    pieces: &[&[u8]],
) -> String {
    host.response = Message::new(head, "");
    assert!(matches!(
        attempt.on_response_headers(host, false),
        Step::Pass | Step::Wait
    ));
    let mut sent = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        host.response.body = vec![piece.to_vec()];
        attempt.on_response_body(host, index + 1 == pieces.len());
        sent.extend(host.response.body_bytes());
    }
    String::from_utf8(sent).unwrap()
}

fn json_of(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap()
}

fn reply(step: Step) -> (u16, Value) {
    match step {
        Step::Reply(refused) => (refused.status, json_of(refused.body.as_bytes())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_chat_becomes_a_message_with_the_providers_key_and_nobody_elses() {
    let mut host = host(CHAT, &chat(json!({})));
    let (mut attempt, step) = ask(&compile(&anthropic()), &mut host);
    assert_eq!(step, Step::Pass);
    let request = &host.request;
    for (name, value) in [
        (":path", "/v1/messages"),
        (":authority", "api.anthropic.com"),
        ("x-api-key", SECRET),
        ("anthropic-version", "2023-06-01"),
        ("accept-encoding", "identity"),
        ("content-type", "application/json"),
        ("x-kept", "1"),
    ] {
        assert_eq!(request.values(name), [value], "{name}");
    }
    let body = request.body_bytes();
    assert_eq!(request.values("content-length"), [body.len().to_string()]);
    for name in ["authorization", "api-key", "x-goog-api-key"] {
        assert!(request.values(name).is_empty(), "{name}");
    }
    let body = json_of(&body);
    assert_eq!(
        (&body["model"], &body["max_tokens"]),
        (&json!("claude-sonnet-4-5"), &json!(4096))
    );
    assert_eq!(
        attempt.take_counts(),
        Counts {
            requests: 1,
            ..Counts::default()
        }
    );
    let noted = format!("{:?}{attempt:?}", host.metadata);
    assert!(
        !noted.contains("of-the-client") && !noted.contains(SECRET),
        "{noted}"
    );
}

#[test]
fn every_attempt_is_made_from_what_the_client_sent() {
    let several = json!({"providers": {
        "a": anthropic(),
        "b": {"provider": "openai", "authority": "b.test", "auth": {"apiKey": {"env": "KEY"}}},
    }});
    let providers = compile(&several);
    let mut host = host(CHAT, &chat(json!({})));
    let body = host.request.body.clone();
    let expected = [
        ("a", "/v1/messages", "api.anthropic.com", "identity"),
        ("b", CHAT, "b.test", "gzip"),
        ("a", "/v1/messages", "api.anthropic.com", "identity"),
        ("b", CHAT, "b.test", "gzip"),
    ];
    for (name, path, authority, coding) in expected {
        let picked = HostValue::Text(name.to_owned());
        host.upstream_metadata = vec![(
            MetadataSource::Host,
            NAMESPACE.to_owned(),
            "provider".to_owned(),
            picked,
        )];
        host.request.body = body.clone();
        let (_, step) = ask(&providers, &mut host);
        assert_eq!(step, Step::Pass);
        let request = &host.request;
        let seen =
            [":path", ":authority", "accept-encoding"].map(|it| request.values(it).join(","));
        assert_eq!(seen, [path, authority, coding]);
        let keys =
            ["x-api-key", "authorization", "anthropic-version"].map(|it| request.values(it).len());
        assert_eq!(keys, if name == "a" { [1, 0, 1] } else { [0, 1, 0] });
        if name == "b" {
            assert_eq!(request.body, body);
            assert_eq!(request.values("authorization"), ["Bearer from-env"]);
        }
    }
    host.upstream_metadata.clear();
    host.request.body = body;
    assert_eq!(reply(ask(&providers, &mut host).1).0, 500);
}

#[test]
fn without_a_host_that_was_picked_nothing_is_noted() {
    let mut host = host(CHAT, &chat(json!({})));
    host.attributes.clear();
    assert_eq!(ask(&compile(&anthropic()), &mut host).1, Step::Pass);
    assert!(host.metadata.is_empty());
}

#[test]
fn operators_name_models_and_members() {
    let mut config = anthropic();
    config["models"] = json!({"gpt-4o*": "claude-opus-4-5"});
    config["defaults"] = json!({"max_tokens": 77, "temperature": 0.5});
    config["set"] = json!({"metadata": {"user_id": "gateway"}});
    config["remove"] = json!(["seed"]);
    let providers = compile(&config);
    let sent = |more| {
        let mut host = host(CHAT, &chat(more));
        assert_eq!(ask(&providers, &mut host).1, Step::Pass);
        json_of(&host.request.body_bytes())
    };
    let body = sent(json!({"seed": 1, "temperature": 0.25}));
    assert_eq!(body["model"], "claude-opus-4-5");
    assert_eq!(
        (&body["max_tokens"], &body["temperature"]),
        (&json!(77), &json!(0.25))
    );
    assert_eq!(body["metadata"], json!({"user_id": "gateway"}));
    let body = sent(json!({"model": "other", "max_completion_tokens": 9}));
    assert_eq!(
        (&body["model"], &body["max_tokens"]),
        (&json!("claude-sonnet-4-5"), &json!(9))
    );
}

/// What goes to a provider of this, with these members of its configuration.
fn sent(provider: &str, more: &Value, path: &str, body: &str) -> Message {
    let mut config = json!({"provider": provider, "region": "us-east-1"});
    config
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let mut host = host(path, body);
    let (_, step) = ask(&compile(&config), &mut host);
    assert_eq!(step, Step::Pass, "{provider} {path}");
    host.request
}

#[test]
fn defaults_go_where_they_are_known() {
    let more = json!({
        "defaults": {"max_tokens": 77, "temperature": 0.5, "stop": "x", "safetySettings": []},
        "set": {"metadata": {"a": "b"}},
    });
    let set = json!({"a": "b"});
    let messages = json!([{"role": "user", "content": "hi"}]);
    for (provider, path, body, becomes) in [
        (
            "openai",
            "/v1/responses",
            json!({"input": "hi"}),
            json!({"input": "hi", "max_output_tokens": 77, "temperature": 0.5, "metadata": set}),
        ),
        (
            "openai",
            "/v1/responses/input_tokens",
            json!({"input": "hi"}),
            json!({"input": "hi"}),
        ),
        (
            "openai",
            "/v1/completions",
            json!({"prompt": "hi"}),
            json!({"prompt": "hi", "max_tokens": 77, "temperature": 0.5, "stop": "x", "metadata": set}),
        ),
        (
            "openai",
            "/v1/embeddings",
            json!({"input": "hi"}),
            json!({"input": "hi", "metadata": set}),
        ),
        (
            "anthropic",
            "/v1/messages",
            json!({"messages": messages}),
            json!({"messages": messages, "max_tokens": 77, "temperature": 0.5, "metadata": set}),
        ),
        (
            "anthropic",
            "/v1/messages/count_tokens",
            json!({"messages": messages}),
            json!({"messages": messages}),
        ),
        (
            "gemini",
            "/v1beta/models/m:generateContent",
            json!({"contents": []}),
            json!({"contents": [], "safetySettings": [], "metadata": set}),
        ),
        (
            "gemini",
            "/v1beta/models/m:countTokens",
            json!({"contents": []}),
            json!({"contents": []}),
        ),
    ] {
        let mut body = body;
        let mut becomes = becomes;
        if provider != "gemini" {
            body["model"] = json!("m");
            becomes["model"] = json!("m");
        }
        let request = sent(provider, &more, path, &body.to_string());
        assert_eq!(json_of(&request.body_bytes()), becomes, "{path}");
    }
}

#[test]
fn a_limit_of_the_configuration_gives_way_to_the_clients_whatever_it_is_called() {
    for default in ["max_tokens", "max_completion_tokens"] {
        let more = json!({"defaults": {default: 77}});
        for named in ["max_tokens", "max_completion_tokens"] {
            let request = sent("openai", &more, CHAT, &chat(json!({named: 9})));
            let body = json_of(&request.body_bytes());
            let limits = ["max_tokens", "max_completion_tokens"].map(|it| body[it].as_u64());
            assert_eq!(
                limits.into_iter().flatten().collect::<Vec<_>>(),
                [9],
                "{body}"
            );
        }
        let request = sent("openai", &more, CHAT, &chat(json!({})));
        assert_eq!(json_of(&request.body_bytes())[default], 77);
    }
}

#[test]
fn thoughts_take_nothing_from_a_limit_of_the_configuration() {
    let more = json!({
        "defaults": {"max_tokens": 4096},
        "model": "anthropic.claude-sonnet-4-5-v1:0",
    });
    let thinking = json!({"reasoning_effort": "high", "max_tokens": null});
    let request = sent("anthropic", &more, CHAT, &chat(thinking.clone()));
    let body = json_of(&request.body_bytes());
    assert_eq!(
        (&body["thinking"]["budget_tokens"], &body["max_tokens"]),
        (&json!(4096), &json!(8192))
    );
    let request = sent("bedrock", &more, CHAT, &chat(thinking));
    let body = json_of(&request.body_bytes());
    assert_eq!(body["inferenceConfig"]["maxTokens"], 8192);
}

#[test]
fn what_is_set_is_there_once() {
    let more = json!({"set": {"user": "gateway"}});
    let body = r#"{"model":"m","user":"a","messages":[],"user":"b"}"#;
    let request = sent("openai", &more, CHAT, body);
    let body = String::from_utf8(request.body_bytes()).unwrap();
    assert_eq!(body.matches("user").count(), 1, "{body}");
    assert_eq!(json_of(body.as_bytes())["user"], "gateway");
}

#[test]
fn a_key_in_a_path_before_it_was_rewritten_goes_nowhere() {
    let path = "/v1beta/models/m:generateContent?key=of-the-client&a=1";
    let mut host = host(path, r#"{"contents": []}"#);
    let original = ("x-envoy-original-path", format!("/gemini{path}"));
    let original = (original.0.into(), original.1.into());
    host.request.headers.push(original);
    let (_, step) = ask(&compile(&json!({"provider": "gemini"})), &mut host);
    assert_eq!(step, Step::Pass);
    assert_eq!(
        host.request.values("x-envoy-original-path"),
        ["/gemini/v1beta/models/m:generateContent?a=1"]
    );
    assert_eq!(
        host.request.values(":path"),
        ["/v1beta/models/m:generateContent?a=1"]
    );
}

#[test]
fn a_path_that_says_nothing_is_refused_whatever_the_body_looks_like() {
    for (path, body) in [
        ("/v1/images/generations", r#"{"model": "m", "prompt": "a"}"#),
        ("/tokenize", r#"{"model": "m", "prompt": "a"}"#),
        ("/v1/audio/speech", r#"{"model": "m", "input": "a"}"#),
        ("/v1/moderations", r#"{"model": "m", "input": "a"}"#),
        ("/", r#"{"model": "m", "messages": []}"#),
    ] {
        let mut host = host(path, body);
        let mut attempt = compile(&json!({"provider": "openai"})).open();
        let (status, _) = reply(attempt.on_request_headers(&mut host, false));
        assert_eq!(status, 404, "{path}");
    }
}

#[test]
fn a_body_that_decodes_to_too_much_is_too_long() {
    // Frames of zstd: a block of many bytes as they are, and a longer one of the same byte.
    let block = |kind: u32, length: u32| (kind << 1 | length << 3).to_le_bytes()[..3].to_vec();
    let pieces = |raw: u32| {
        let mut body = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
        for _ in 0..90 {
            body.extend(block(0, raw));
            body.extend(vec![b' '; raw as usize]);
            body.extend(block(1, 1 << 17));
            body.push(b' ');
        }
        body
    };
    for (body, coding, expected) in [
        (pieces(2000), "zstd", (413, "10485760")),
        (pieces(1), "zstd", (413, "100 times")),
        (b"none".to_vec(), "zstd", (415, "coding")),
        (b"none".to_vec(), "x-other", (415, "coding")),
    ] {
        let mut host = host(CHAT, "");
        let header = ("content-encoding".into(), coding.into());
        host.request.headers.push(header);
        host.request.body = vec![body];
        let (status, told) = reply(ask(&compile(&anthropic()), &mut host).1);
        let told = told["error"]["message"].as_str().unwrap();
        assert!(
            (status, told.contains(expected.1)) == (expected.0, true),
            "{status} {told}"
        );
    }
}

#[test]
fn what_cannot_be_asked_is_refused_in_the_clients_shape() {
    let mut config = anthropic();
    let ask = |config: &Value, path: &str, body: &str| {
        let mut host = host(path, body);
        let (mut attempt, step) = ask(&compile(config), &mut host);
        (step, attempt.take_counts())
    };
    let seed = chat(json!({"seed": 1}));
    let (step, counts) = ask(&config, CHAT, &seed);
    let (status, body) = reply(step);
    assert_eq!(
        (status, &body["error"]["param"], counts.refusals),
        (422, &json!("seed"), 1)
    );
    config["unsupported"] = json!("drop");
    let (step, counts) = ask(&config, CHAT, &seed);
    assert_eq!((step, counts.dropped_fields), (Step::Pass, 1));
    let (status, body) = reply(ask(&config, CHAT, "{").0);
    assert!(status == 400 && body["error"]["message"].is_string());
    assert_eq!(reply(ask(&config, "/other", "{}").0).0, 404);
    assert_eq!(reply(ask(&config, "/v1/embeddings", "{}").0).0, 404);
    let bedrock = json!({"provider": "bedrock", "region": "eu-central-1"});
    let (status, body) = reply(ask(&bedrock, "/v1/messages", "{}").0);
    assert_eq!(
        (status, &body["type"], &body["error"]["type"]),
        (404, &json!("error"), &json!("not_found_error"))
    );
}

#[test]
fn an_upgrade_is_not_waited_for() {
    let methods = [("CONNECT", ""), ("GET", "websocket")];
    for (method, upgrade) in methods {
        let mut host = host("/v1/realtime", "");
        host.request.headers[0].1 = method.into();
        if !upgrade.is_empty() {
            host.request
                .headers
                .push(("upgrade".into(), upgrade.into()));
        }
        let mut attempt = compile(&anthropic()).open();
        let (status, _) = reply(attempt.on_request_headers(&mut host, false));
        assert_eq!(status, 404);
    }
}

#[test]
fn a_body_that_is_too_long_is_refused_before_it_has_ended() {
    let mut host = host(CHAT, &"x".repeat((10 << 20) + 1));
    let mut attempt = compile(&anthropic()).open();
    assert_eq!(attempt.on_request_headers(&mut host, false), Step::Wait);
    let (status, body) = reply(attempt.on_request_body(&mut host, false));
    assert_eq!(status, 413);
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("10485760")
    );
}

#[test]
fn a_key_is_the_one_of_now_and_its_absence_is_a_401() {
    let safe = Safe::new();
    let compiled = Providers::compile(anthropic().to_string().as_bytes(), (1, 40), &safe).unwrap();
    for text in [SECRET, "k-next"] {
        *safe.0.lock().unwrap() = key(text);
        let mut host = host(CHAT, &chat(json!({})));
        ask(&compiled, &mut host);
        assert_eq!(host.request.values("x-api-key"), [text]);
    }
    let mut config = anthropic();
    config["auth"] = json!({"apiKey": {"metadata": {"namespace": "n", "key": "k"}}});
    let compiled = compile(&config);
    assert_eq!(
        reply(ask(&compiled, &mut host(CHAT, &chat(json!({})))).1).0,
        401
    );
    let mut there = host(CHAT, &chat(json!({})));
    let told = transformations::testing::MetadataValue::String("of-the-team".to_owned());
    there.metadata.push(("n".to_owned(), "k".to_owned(), told));
    assert_eq!(ask(&compiled, &mut there).1, Step::Pass);
    assert_eq!(there.request.values("x-api-key"), ["of-the-team"]);
}

const MESSAGE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","usage":{"input_tokens":5,"output_tokens":2}}"#;

#[test]
fn a_document_is_held_and_comes_in_the_clients_dialect() {
    for cut in [1, 40, MESSAGE.len() - 1] {
        let mut host = host(CHAT, &chat(json!({})));
        let (mut attempt, _) = ask(&compile(&anthropic()), &mut host);
        let (one, rest) = MESSAGE.as_bytes().split_at(cut);
        let head = [
            (":status", "200"),
            ("content-type", "application/json"),
            ("content-length", "1"),
        ];
        let text = answer(&mut attempt, &mut host, &head, &[one, rest, b""]);
        let body = json_of(text.as_bytes());
        assert_eq!(body["choices"][0]["message"]["content"], "Hello");
        assert_eq!(body["created"], 1_790_000_000);
        assert_eq!(
            host.response.values("content-length"),
            [text.len().to_string()]
        );
    }
}

#[test]
fn what_is_no_answer_is_an_error_and_not_repeated_where_that_is_a_crash() {
    for (envoy, marked) in [((1, 36), 1), ((1, 37), 0)] {
        let compiled = Providers::compile(anthropic().to_string().as_bytes(), envoy, &Safe::new());
        let mut host = host(CHAT, &chat(json!({})));
        let (mut attempt, _) = ask(&compiled.unwrap(), &mut host);
        let head = [(":status", "200"), ("content-type", "text/html")];
        let text = answer(&mut attempt, &mut host, &head, &[b"<html>"]);
        assert!(json_of(text.as_bytes())["error"]["message"].is_string());
        assert_eq!(host.response.values(":status"), ["502"]);
        assert_eq!(host.response.values("x-envoy-ratelimited").len(), marked);
    }
}

#[test]
fn headers_alone_are_no_answer() {
    for (stream, envoy, marked) in [(false, (1, 36), 1), (true, (1, 37), 0)] {
        let compiled = Providers::compile(anthropic().to_string().as_bytes(), envoy, &Safe::new());
        let mut host = host(CHAT, &chat(json!({"stream": stream})));
        let (mut attempt, _) = ask(&compiled.unwrap(), &mut host);
        let head = [(":status", "200"), ("content-length", "0")];
        host.response = Message::new(&head, "");
        attempt.take_counts();
        assert_eq!(attempt.on_response_headers(&mut host, true), Step::Pass);
        let response = &host.response;
        let body = response.body_bytes();
        assert!(json_of(&body)["error"]["message"].is_string());
        assert_eq!(response.values(":status"), ["502"]);
        assert_eq!(response.values("content-type"), ["application/json"]);
        assert_eq!(response.values("content-length"), [body.len().to_string()]);
        assert_eq!(response.values("x-envoy-ratelimited").len(), marked);
        assert_eq!(attempt.take_counts().failures, 1);
    }
}

#[test]
fn an_error_keeps_its_status_and_its_headers_go_on_at_once() {
    for stream in [false, true] {
        let mut host = host(CHAT, &chat(json!({"stream": stream})));
        let (mut attempt, _) = ask(&compile(&anthropic()), &mut host);
        let head = [
            (":status", "429"),
            ("retry-after", "3"),
            ("content-length", "9"),
        ];
        host.response = Message::new(&head, "");
        assert_eq!(attempt.on_response_headers(&mut host, false), Step::Pass);
        assert!(host.response.values("content-length").is_empty());
        host.response.body = vec![
            br#"{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}"#.to_vec(),
        ];
        assert_eq!(attempt.on_response_body(&mut host, true), Step::Pass);
        let body = json_of(&host.response.body_bytes());
        assert_eq!(
            body["error"],
            json!({"message": "slow", "type": "rate_limit_error", "param": null, "code": null})
        );
        assert_eq!(host.response.values("retry-after"), ["3"]);
        assert_eq!(attempt.take_counts().failures, 1);
    }
}

#[test]
fn an_error_in_the_words_of_the_client_keeps_its_bytes_and_others_get_them() {
    let providers = compile(&json!({"provider": "openai"}));
    let told = |status: &str, body: &str| {
        let mut host = host(CHAT, &chat(json!({})));
        let (mut attempt, _) = ask(&providers, &mut host);
        let head = [(":status", status), ("content-length", "9")];
        let text = answer(&mut attempt, &mut host, &head, &[body.as_bytes()]);
        (text, attempt.take_counts().failures)
    };
    let own = r#"{"error": {"message":"no", "type":"x","inner":1.0}}"#;
    assert_eq!(told("400", own), (own.to_owned(), 1));
    assert_eq!(told("200", "{ }"), ("{ }".to_owned(), 0));
    for (body, message) in [
        ("<html>bad gateway</html>", "The provider answered 502."),
        (r#"{"detail":"not here"}"#, "not here"),
    ] {
        let (text, _) = told("502", body);
        let expected =
            json!({"message": message, "type": "server_error", "param": null, "code": null});
        assert_eq!(json_of(text.as_bytes()), json!({"error": expected}));
    }
}

const EVENTS: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":5,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\nevent: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

fn streamed(events: &str, piece: usize) -> String {
    let mut host = host(CHAT, &chat(json!({"stream": true})));
    let (mut attempt, _) = ask(&compile(&anthropic()), &mut host);
    let head = [
        (":status", "200"),
        ("content-type", "text/event-stream; charset=utf-8"),
    ];
    let pieces: Vec<_> = events.as_bytes().chunks(piece).chain([&b""[..]]).collect();
    answer(&mut attempt, &mut host, &head, &pieces)
}

#[test]
fn a_stream_comes_event_by_event_however_it_is_cut() {
    let whole = streamed(EVENTS, EVENTS.len());
    assert!(
        whole.contains(r#""content":"Hello""#) && whole.ends_with("data: [DONE]\n\n"),
        "{whole}"
    );
    for piece in [1, 7, 100] {
        assert_eq!(streamed(EVENTS, piece), whole);
    }
}

#[test]
fn a_stream_that_ends_early_never_looks_complete() {
    let ends: Vec<_> = EVENTS.match_indices("\n\n").map(|(at, _)| at + 2).collect();
    for end in &ends[..ends.len() - 2] {
        let text = streamed(&EVENTS[..*end], 50);
        assert!(
            text.contains("\"error\"") && !text.contains("[DONE]"),
            "{text}"
        );
    }
}

#[test]
fn a_stream_that_fails_before_it_says_anything_is_an_error_that_may_be_repeated() {
    let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"later"}}"#;
    let overloaded = format!("event: error\ndata: {overloaded}\n\n");
    for (envoy, marked) in [((1, 36), 1), ((1, 37), 0)] {
        for (events, status) in [
            (overloaded.as_str(), "529"),
            (": ping\n\n", "502"),
            ("", "502"),
        ] {
            for piece in [1, 1000] {
                let config = anthropic().to_string();
                let compiled = Providers::compile(config.as_bytes(), envoy, &Safe::new());
                let mut host = host(CHAT, &chat(json!({"stream": true})));
                let (mut attempt, _) = ask(&compiled.unwrap(), &mut host);
                let head = [(":status", "200"), ("content-type", "text/event-stream")];
                let pieces = events.as_bytes().chunks(piece).chain([&b""[..]]);
                let pieces: Vec<_> = pieces.collect();
                let text = answer(&mut attempt, &mut host, &head, &pieces);
                assert!(json_of(text.as_bytes())["error"]["message"].is_string());
                let response = &host.response;
                assert_eq!(response.values(":status"), [status]);
                assert_eq!(response.values("content-type"), ["application/json"]);
                assert_eq!(response.values("x-envoy-ratelimited").len(), marked);
                assert_eq!(attempt.take_counts().failures, 1);
            }
        }
    }
}

#[test]
fn the_head_of_a_stream_goes_on_with_the_first_that_is_said() {
    let mut host = host(CHAT, &chat(json!({"stream": true})));
    let (mut attempt, _) = ask(&compile(&anthropic()), &mut host);
    let head = [(":status", "200"), ("content-type", "text/event-stream")];
    host.response = Message::new(&head, "");
    assert_eq!(attempt.on_response_headers(&mut host, false), Step::Wait);
    let (first, rest) = EVENTS.split_once("\n\n").unwrap();
    for (piece, step) in [
        (": ping\n\n", Step::Wait),
        (first, Step::Wait),
        ("\n\n", Step::Pass),
        (rest, Step::Pass),
    ] {
        host.response.body = vec![piece.as_bytes().to_vec()];
        assert_eq!(attempt.on_response_body(&mut host, false), step, "{piece}");
        assert_eq!(host.response.body_bytes().is_empty(), step == Step::Wait);
    }
    assert_eq!(host.response.values(":status"), ["200"]);
}

#[test]
fn a_document_in_the_place_of_a_stream_becomes_one() {
    let mut host = host(CHAT, &chat(json!({"stream": true})));
    let (mut attempt, _) = ask(&compile(&anthropic()), &mut host);
    let head = [(":status", "200"), ("content-type", "application/json")];
    let text = answer(&mut attempt, &mut host, &head, &[MESSAGE.as_bytes(), b""]);
    let response = &host.response;
    assert_eq!(response.values("content-type"), ["text/event-stream"]);
    let length = text.len().to_string();
    assert_eq!(response.values("content-length"), [length]);
    assert!(
        text.starts_with("data: {") && text.ends_with("data: [DONE]\n\n"),
        "{text}"
    );
    assert!(
        text.contains(r#""delta":{"role":"assistant","content":"Hello""#),
        "{text}"
    );
}

#[test]
fn every_problem_of_a_configuration_is_told_and_no_key_is() {
    for (config, told) in [
        (json!({}), "error[RF1023] this needs a \"provider\""),
        (
            json!({"provider": "antropic"}),
            "did you mean \"anthropic\"?",
        ),
        (
            json!({"provider": "openai", "modle": "x"}),
            "error[RF1101] modle: this field is not known",
        ),
        (
            json!({"provider": "openai", "providers": {"a": {}}}),
            "error[RF1101] provider: this field is not known",
        ),
        (
            json!({"providers": {}}),
            "error[RF1023] providers: there is no provider here",
        ),
        (
            json!({"providers": {"a": {"provider": "vertex-gemini"}}}),
            "error[RF1130] providers.a.project",
        ),
        (
            json!({"provider": "openai", "auth": "some"}),
            "error[RF1005] auth: expected an object, or \"none\"",
        ),
        (
            json!({"provider": "openai", "auth": {}}),
            "error[RF1130] auth: this needs one of",
        ),
        (
            json!({"provider": "openai", "auth": {"apiKey": {"env": "KEY", "file": "/keys/a"}}}),
            "error[RF1130] auth.apiKey: a key is in one place",
        ),
        (
            json!({"provider": "openai", "auth": {"apiKey": {"env": "BROKEN"}}}),
            "error[RF1131] auth: the key cannot be read: what is in it",
        ),
        (
            json!({"provider": "openai", "auth": {"apiKey": {"env": "UNSET"}}}),
            "error[RF1131] auth: the key cannot be read: this environment",
        ),
        (
            json!({"provider": "openai", "auth": {"apiKey": {"file": "/gone"}}}),
            "error[RF1131] auth: the key cannot be read: no such file",
        ),
        (
            json!({"provider": "openai", "auth": {"gcp": {"tokenFile": "/keys/a"}}}),
            "error[RF1130] auth.gcp",
        ),
        (
            json!({"provider": "openai", "pathPrefix": "v1"}),
            "error[RF1130] pathPrefix",
        ),
        (
            json!({"provider": "openai", "authority": "a/b"}),
            "error[RF1130] authority",
        ),
        (
            json!({"provider": "bedrock", "region": "eu/../x"}),
            "error[RF1130] region",
        ),
        (
            json!({"provider": "openai", "models": {"a": ""}}),
            "error[RF1103] models",
        ),
    ] {
        let problems = problems(&config);
        assert!(problems.contains(told), "{config}\n{problems}");
        assert!(!problems.contains("two\nlines") && !problems.contains(SECRET));
    }
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/providers.md");
const MARKER: &str = "<!-- Everything below is generated from the code: UPDATE_DOCS=1 cargo test -p transformations --test providers -->\n";

/// Whatever is asked for is there.
struct AnyKey;

impl Keys for AnyKey {
    fn file(&self, _: &str) -> Result<Arc<dyn Live<Key>>, String> {
        Ok(Arc::new(Safe::new()))
    }

    fn variable(&self, _: &str) -> Option<Vec<u8>> {
        Some(SECRET.as_bytes().to_vec())
    }
}

impl Files for AnyKey {
    fn profiles(&self) -> Result<Arc<Profiles>, NoProfiles> {
        Err(NoProfiles::Unset)
    }

    fn prices(&self, path: &str) -> Result<Arc<dyn Live<Prices>>, String> {
        let prices = r#"{"*": {"input": "1", "output": "1"}}"#.to_owned();
        let prices = [(path.to_owned(), prices)].into();
        let files = MemoryFiles {
            prices,
            ..MemoryFiles::default()
        };
        files.prices(path)
    }

    fn keys(&self) -> &dyn Keys {
        self
    }
}

#[test]
fn the_examples_of_the_documentation_load() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let examples = page.split("```json\n").skip(1);
    let examples: Vec<_> = examples.filter_map(|it| it.split("```").next()).collect();
    assert_eq!(examples.len(), 3);
    for example in examples {
        if example.contains("\"ai\"") {
            let options = CompileOptions::default();
            let program = Program::compile_with(example.as_bytes(), &options, &AnyKey);
            let program = program.unwrap_or_else(|problems| panic!("{example}\n{problems}"));
            assert!(program.provider().is_some() && program.warnings().is_empty());
            continue;
        }
        let compiled = Providers::compile(example.as_bytes(), (1, 36), &AnyKey);
        compiled.unwrap_or_else(|problems| panic!("{example}\n{problems}"));
    }
}

#[test]
fn the_documentation_says_what_becomes_of_every_member() {
    let mut tables = String::from(
        "\n## What becomes of a request\n\nClients that speak what the provider speaks are passed on, with the model and the key alone. Answered by `(unknown)` is whatever has no row.\n",
    );
    for (client, provider, rows) in llm::translate::fields::TABLES {
        writeln!(
            tables,
            "\n### {client} to {provider}\n\n| field | becomes |\n|---|---|"
        )
        .unwrap();
        for row in *rows {
            let becomes = match row.becomes {
                Becomes::Field(text) => text.to_owned(),
                Becomes::Nothing(why) => format!("nothing: {why}"),
                Becomes::Dropped(why) => format!("nothing, and it is counted: {why}"),
                Becomes::Refused => "refused, or dropped where that is configured".to_owned(),
            };
            writeln!(tables, "| `{}` | {becomes} |", row.field).unwrap();
        }
    }
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (written, listed) = page.split_once(MARKER).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, format!("{written}{MARKER}{tables}")).unwrap();
    } else {
        assert!(
            listed == tables,
            "docs/providers.md is not up to date: run this with UPDATE_DOCS=1"
        );
    }
}
