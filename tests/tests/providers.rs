//! The filter `llm-provider` in the chain of a cluster, in real Envoys: a client of OpenAI's whose route ends
//! at Anthropic, with OpenAI for when that has no time.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use rustformations_tests::config::{module_filter, per_route};
use rustformations_tests::mock_llm::MockLlm;
use rustformations_tests::{Envoy, EnvoyConfig, Lab, Origin, Reply, Route, on_every_envoy};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";

/// A host that says which provider it is.
fn endpoint(port: u16, provider: &str) -> Value {
    json!({
        "endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}},
        "metadata": {"filter_metadata": {"rustformations.llm": {"provider": provider}}},
    })
}

/// One cluster of two priorities, and the filter in its chain.
fn cluster(first: (u16, &str), second: (u16, &str), config: &Value) -> Value {
    let at = |priority: u32, (port, name)| json!({"priority": priority, "lb_endpoints": [endpoint(port, name)]});
    json!({
        "name": "llm", "type": "STATIC", "connect_timeout": "5s",
        "load_assignment": {"cluster_name": "llm", "endpoints": [at(0, first), at(1, second)]},
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http_protocol_options": {}},
            "http_filters": [
                module_filter("llm", "llm-provider", &config.clone().into(), false),
                {"name": "codec", "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
                }},
            ],
        }},
    })
}

fn start(envoy: &Envoy, cluster: Value) -> Lab {
    let policy = json!({
        "retry_on": "retriable-status-codes,5xx", "retriable_status_codes": [429], "num_retries": 3,
        "retry_back_off": {"base_interval": "0.001s"},
        "retry_priority": {"name": "envoy.retry_priorities.previous_priorities", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
            "update_frequency": 1,
        }},
    });
    let route = Route::at("/")
        .action("cluster", json!("llm"))
        .action("retry_policy", policy);
    // A cluster names the module, whose folder the lab looks for where a chain does.
    let config = EnvoyConfig::new().cluster(cluster).route(route);
    Lab::start(envoy, &config)
}

fn providers(folder: &tempfile::TempDir) -> Value {
    let key = folder.path().join("key");
    std::fs::write(&key, "k-first\n").unwrap();
    json!({"providers": {
        "a": {"provider": "anthropic", "model": "claude-sonnet-4-5", "auth": {"apiKey": {"file": key}}},
        "b": {"provider": "openai", "authority": "b.test"},
    }})
}

fn message() -> Reply {
    Reply::json(&json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 5, "output_tokens": 2},
    }))
}

fn completion() -> Reply {
    Reply::json(&json!({
        "id": "c-1", "object": "chat.completion", "created": 1, "model": "gpt-4o",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }))
}

fn body() -> Value {
    json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]})
}

on_every_envoy! {
    fn a_request_fails_over_and_every_attempt_is_made_from_the_clients_own(envoy) {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (Origin::start().unwrap(), Origin::start().unwrap());
        let cluster = cluster((a.address().port(), "a"), (b.address().port(), "b"), &providers(&folder));
        let lab = start(envoy, cluster);
        let ask = || lab.post(CHAT).header("authorization", "Bearer of-the-client").json(&body()).send();
        a.answer(MESSAGES, message());
        b.answer(CHAT, completion());
        let answer = ask();
        assert_eq!((answer.status, &answer.json()["choices"][0]["message"]["content"]), (200, &json!("Hello")));
        let seen = a.last();
        assert_eq!((seen.header("host"), seen.header("x-api-key")), ("api.anthropic.com".to_owned(), "k-first".to_owned()));
        assert!(!seen.headers.has("authorization"));
        for status in [429, 503] {
            a.forget();
            b.forget();
            a.answer(MESSAGES, Reply::new(status).body(r#"{"type":"error","error":{"type":"overloaded_error","message":"later"}}"#));
            let answer = ask();
            assert_eq!((answer.status, &answer.json()["choices"][0]["message"]["content"]), (200, &json!("Hi")));
            let seen = b.last();
            assert_eq!((a.received().len(), seen.path.as_str(), seen.json()), (1, CHAT, body()));
            assert_eq!(seen.header("host"), "b.test");
            assert!(!seen.headers.has("authorization") && !seen.headers.has("x-api-key"));
        }
        // From one to the other and back.
        a.forget();
        b.answer(CHAT, Reply::new(503).body(r#"{"error":{"message":"later","type":"server_error"}}"#));
        let answer = ask();
        assert_eq!((answer.status, &answer.json()["error"]["message"]), (503, &json!("later")));
        let received = a.received();
        assert_eq!(received.len(), 2);
        for attempt in received {
            assert_eq!((attempt.path.as_str(), &attempt.json()["messages"]), (MESSAGES, &json!([{"role": "user", "content": [{"type": "text", "text": "hi"}]}])));
        }
        assert!(!lab.logs().contains("k-first") && lab.stat("rustformations_provider_requests") >= 9);
    }

    fn errors_and_refusals_are_the_clients_and_final(envoy) {
        let folder = tempfile::tempdir().unwrap();
        let a = Origin::start().unwrap();
        let port = a.address().port();
        let lab = start(envoy, cluster((port, "a"), (port, "a"), &providers(&folder)));
        a.answer(MESSAGES, Reply::new(400).body(r#"{"type":"error","error":{"type":"invalid_request_error","message":"no"}}"#));
        for stream in [false, true] {
            let mut body = body();
            body["stream"] = json!(stream);
            let answer = lab.post(CHAT).json(&body).send();
            let expected = json!({"error": {"message": "no", "type": "invalid_request_error", "param": null, "code": null}});
            assert_eq!((answer.status, answer.json()), (400, expected));
        }
        a.forget();
        let mut seed = body();
        seed["seed"] = json!(1);
        let answer = lab.post(CHAT).json(&seed).send();
        assert_eq!((answer.status, &answer.json()["error"]["param"]), (422, &json!("seed")));
        assert_eq!(lab.get("/v1/models").send().status, 404);
        assert!(a.received().is_empty());
        // What is no answer is an error, also where Envoy may not send it again.
        a.answer(MESSAGES, Reply::new(200).body("<html>"));
        let answer = lab.post(CHAT).json(&body()).send();
        assert_eq!(answer.status, 502);
        assert!(answer.json()["error"]["message"].is_string());
        a.answer(MESSAGES, Reply::new(200));
        for stream in [false, true] {
            let mut body = body();
            body["stream"] = json!(stream);
            let answer = lab.post(CHAT).json(&body).send();
            assert_eq!((answer.status, answer.header("content-type").as_str()), (502, "application/json"));
            assert!(answer.json()["error"]["message"].is_string());
        }
    }

    fn streams_and_calls_of_tools_come_as_chunks(envoy) {
        let folder = tempfile::tempdir().unwrap();
        let llm = MockLlm::start("127.0.0.1:0").unwrap();
        let mut config = providers(&folder);
        config["providers"]["a"]["pathPrefix"] = json!("/provider/v1");
        let port = llm.address().port();
        let lab = start(envoy, cluster((port, "a"), (port, "a"), &config));
        let mut body = body();
        body["stream"] = json!(true);
        let ask = |knobs: &[(&str, &str)]| {
            let request = lab.post(CHAT).json(&body).header("x-mock-say", "Grüß dich");
            knobs.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
        };
        for knobs in [&[][..], &[("x-mock-pieces", "bytes:3")], &[("x-mock-gzip", "always")], &[("x-mock-sse", "crlf,bom")]] {
            let answer = ask(knobs);
            assert_eq!((answer.status, answer.header("content-type").as_str()), (200, "text/event-stream"), "{knobs:?}");
            let text = answer.text();
            assert!(text.ends_with("data: [DONE]\n\n") && text.contains(r#""object":"chat.completion.chunk""#), "{text}");
            let said: String = text.lines().filter_map(|line| line.strip_prefix("data: {")).map(|json| {
                let chunk: Value = serde_json::from_str(&format!("{{{json}")).unwrap();
                chunk["choices"][0]["delta"]["content"].as_str().unwrap_or_default().to_owned()
            }).collect();
            assert_eq!(said, "Grüß dich");
        }
        let text = ask(&[("x-mock-tools", r#"[{"id":"t1","name":"f","arguments":{"a":1}}]"#)]).text();
        assert!(text.contains(r#""name":"f""#) && text.contains(r#""finish_reason":"tool_calls""#), "{text}");
        let text = ask(&[("x-mock-error-after", "4")]).text();
        assert!(text.contains("\"error\"") && !text.contains("[DONE]"), "{text}");
        let broken = lab.post(CHAT).json(&body).header("x-mock-cut-after", "3").send();
        assert!(broken.cut && !broken.text().contains("[DONE]"), "{broken:?}");
    }

    fn a_key_that_changes_is_used_and_a_field_that_is_not_known_is_refused(envoy) {
        let folder = tempfile::tempdir().unwrap();
        let a = Origin::start().unwrap();
        let port = a.address().port();
        let config = providers(&folder);
        let lab = start(envoy, cluster((port, "a"), (port, "a"), &config));
        a.answer(MESSAGES, message());
        std::fs::write(folder.path().join("key"), "k-second\n").unwrap();
        lab.expect_log("the new key is in use from now on");
        lab.post(CHAT).json(&body()).send();
        assert_eq!(a.last().header("x-api-key"), "k-second");
        std::fs::write(folder.path().join("key"), "\n").unwrap();
        lab.expect_log("the key before this change stays in use: there is no key in it");
        lab.post(CHAT).json(&body()).send();
        assert_eq!(a.last().header("x-api-key"), "k-second");
        assert!(!lab.logs().contains("k-second"));
        let mut wrong = config.clone();
        wrong["providers"]["a"]["modle"] = json!("x");
        let log = Lab::refuse(envoy, &EnvoyConfig::new().cluster(cluster((port, "a"), (port, "a"), &wrong)));
        assert!(log.contains("error[RF1101] providers.a.modle: this field is not known"), "{log}");
    }

    fn a_body_that_is_too_long_is_refused(envoy) {
        let folder = tempfile::tempdir().unwrap();
        let a = Origin::start().unwrap();
        let port = a.address().port();
        let lab = start(envoy, cluster((port, "a"), (port, "a"), &providers(&folder)));
        a.answer(MESSAGES, message());
        let mut long = body();
        long["messages"][0]["content"] = json!("x".repeat(900 << 10));
        assert_eq!(lab.post(CHAT).json(&long).send().status, 200);
        long["messages"][0]["content"] = json!("x".repeat(11 << 20));
        assert_eq!(lab.post(CHAT).json(&long).send().status, 413);
    }

    fn a_route_names_its_provider_in_the_chain_of_a_listener(envoy) {
        let of_route = |name: &str, config: Value| per_route("per_route_config_name", name, &config.into());
        let anthropic = of_route("llm-provider", json!({"provider": "anthropic", "model": "m-1"}));
        let foreign = of_route("rustformation", json!({}));
        let filter = module_filter("llm", "llm-provider", &json!({"provider": "openai", "authority": "b.test"}).into(), false);
        let config = EnvoyConfig::new()
            .filter_after(filter)
            .route(Route::at("/claude").per_filter("llm", anthropic))
            .route(Route::at("/foreign").per_filter("llm", foreign))
            .route(Route::at("/"));
        let lab = Lab::start(envoy, &config);
        lab.origin().answer(MESSAGES, message());
        lab.origin().answer(CHAT, completion());
        let ask = |path: &str| lab.post(path).header("x-api-key", "of-the-client").json(&body()).send();
        let answer = ask("/claude/v1/chat/completions");
        assert_eq!((answer.status, &answer.json()["choices"][0]["message"]["content"]), (200, &json!("Hello")));
        assert_eq!(lab.origin().last().json()["model"], "m-1");
        let answer = ask(CHAT);
        assert_eq!((answer.status, &answer.json()["choices"][0]["message"]["content"]), (200, &json!("Hi")));
        let seen = lab.origin().last();
        assert_eq!((seen.header("host"), seen.json()), ("b.test".to_owned(), body()));
        assert!(!seen.headers.has("x-api-key"));
        lab.origin().forget();
        assert_eq!(ask("/foreign/v1/chat/completions").status, 500);
        assert!(lab.origin().received().is_empty());
    }
}
