//! A provider in the configuration of the transformation filter, in real Envoys: templates and LLM stages see
//! what the client sees, and the provider what it is to see.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::time::Duration;

use rustformations_tests::config::NEWER_FILTER_NAME;
use rustformations_tests::mock_llm::MockLlm;
use rustformations_tests::two_providers::{CHAT, MESSAGES, said, says};
use rustformations_tests::{Body, Envoy, EnvoyConfig, Lab, Reply, Route, Settings, on_every_envoy};
use serde_json::{Value, json};

fn anthropic() -> Value {
    json!({"provider": "anthropic", "model": "claude-sonnet-4-5"})
}

fn lab(envoy: &Envoy, mut config: Value) -> Lab {
    config["provider"] = anthropic();
    let route = Route::at("/")
        .transform(config)
        .filter_name(NEWER_FILTER_NAME);
    let config = EnvoyConfig::new()
        .filter_name(NEWER_FILTER_NAME)
        .route(route);
    Lab::start(envoy, &config)
}

fn message(text: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 100, "output_tokens": 20},
    })
}

/// Events of an answer that says hello.
fn events() -> [&'static str; 6] {
    [
        r#"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"usage":{"input_tokens":100,"output_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":20}}"#,
        r#"{"type":"message_stop"}"#,
    ]
}

/// Every way in which a transformation may treat a body beside a provider.
fn manners() -> [Value; 5] {
    let set = json!([{"name": "x-model", "value": "{{ model }}"}]);
    let patch = json!({"patch": [{"op": "add", "path": "/temperature", "value": 0.5}]});
    [
        // Nothing is held,
        json!({"request": {"set": [{"name": "x-a", "value": "1"}]}}),
        // Envoy holds both bodies,
        json!({
            "request": {"body": {"parseAs": "AsJson"}, "set": set},
            "response": {"body": {"parseAs": "AsJson"}, "set": set},
        }),
        // the filter does,
        json!({
            "request": {"maxBodyBytes": 1000, "body": patch},
            "response": {"maxBodyBytes": 1000, "body": {"parseAs": "AsJson"}, "set": set},
        }),
        // the stages do,
        json!({"ai": {"usage": {}, "prompt": {"prepend": [{"role": "system", "content": "Be brief."}]}}}),
        // and all of them at once.
        json!({
            "ai": {"usage": {}, "mask": {"detectors": {"email": "mask"}, "response": "restore"}},
            "request": {"body": patch},
            "response": {"body": {"parseAs": "AsJson"}, "set": set},
        }),
    ]
}

on_every_envoy! {
    fn bodies_pass_both_translations_however_they_come(envoy) {
        for (number, manner) in manners().into_iter().enumerate() {
            let lab = lab(envoy, manner.clone());
            let text = says("hi", false).to_string();
            let (one, rest) = text.split_at(20);
            let chunked = Body::chunked().piece(one).pause(Duration::from_millis(10)).piece(rest);
            let answer = message("Hello").to_string();
            let (begun, ended) = answer.split_at(30);
            let in_two = Body::chunked().piece(begun).pause(Duration::from_millis(10)).piece(ended);
            for (asked, answered) in [
                (Body::whole(text.clone()), Body::whole(answer.clone())),
                (chunked.clone(), in_two.clone()),
                (chunked.trailer("x-sum", "1"), in_two.trailer("x-sum", "1")),
            ] {
                let has_trailers = asked.has_trailers();
                let reply = Reply::new(200).header("content-type", "application/json");
                lab.origin().answer(MESSAGES, reply.stream(answered));
                let request = lab.post(CHAT).header("content-type", "application/json");
                let answer = request.stream(asked).send();
                assert_eq!(said(&answer).as_deref(), Some("Hello"), "{manner}: {}", answer.text());
                assert_eq!(answer.trailers.values("x-sum").len(), usize::from(has_trailers), "{manner}");
                let seen = lab.origin().last();
                let body = seen.json();
                assert_eq!((seen.header("host").as_str(), &body["model"]), ("api.anthropic.com", &json!("claude-sonnet-4-5")));
                assert_eq!(body["messages"][0]["content"][0]["text"], "hi");
                assert_eq!(seen.trailers.values("x-sum").len(), usize::from(has_trailers), "{manner}");
                let patched = matches!(number, 2 | 4);
                assert_eq!(body["temperature"], if patched { json!(0.5) } else { Value::Null });
                let prompted = if number == 3 { json!([{"type": "text", "text": "Be brief."}]) } else { Value::Null };
                assert_eq!(body["system"], prompted);
                if number == 1 {
                    assert_eq!((seen.header("x-model").as_str(), answer.header("x-model").as_str()), ("gpt-4o", "claude-sonnet-4-5"));
                }
            }
        }
    }

    fn streams_are_metered_in_the_clients_words(envoy) {
        let lab = lab(envoy, json!({"ai": {
            "cost": {"model": "answered", "prices": {"claude-*": {"input": "3", "output": "15"}}},
            "publish": {"metadata": []},
        }}));
        for trailers in [false, true] {
            let body = Body::events(&events(), Duration::from_millis(2));
            let body = if trailers { body.trailer("x-sum", "1") } else { body };
            let reply = Reply::new(200).header("content-type", "text/event-stream");
            lab.origin().answer(MESSAGES, reply.stream(body));
            let answer = lab.post(CHAT).json(&says("hi", true)).send();
            assert_eq!(said(&answer).as_deref(), Some("Hello"), "{}", answer.text());
            // Usage was asked for by the stage, and is not for the client.
            assert!(!answer.text().contains("usage"), "{}", answer.text());
        }
        // A hundred tokens at 3 dollars and twenty at 15, each for a million, twice.
        assert_eq!(lab.stat("rustformations_provider_requests"), 2);
        let cost = lab.stats().into_iter().find(|(name, _)| name.contains("rustformations_ai_cost_nano_usd"));
        assert_eq!(cost.map(|(_, cost)| cost), Some(2 * 600_000));
        // One that ends early is told of behind what came, trailers or not.
        for trailers in [false, true] {
            let pause = Duration::from_millis(20);
            let body = Body::events(&events()[..3], pause).pause(pause);
            let body = if trailers { body.trailer("x-sum", "1") } else { body };
            let reply = Reply::new(200).header("content-type", "text/event-stream");
            lab.origin().answer(MESSAGES, reply.stream(body));
            let text = lab.post(CHAT).json(&says("hi", true)).send().text();
            assert!(text.contains("Hello") && text.contains("incomplete_answer") && !text.contains("[DONE]"), "{trailers} {text}");
        }
    }

    fn values_are_masked_for_the_provider_and_restored_from_its_stream(envoy) {
        let llm = MockLlm::start("127.0.0.1:0").unwrap();
        let mut provider = anthropic();
        provider["pathPrefix"] = json!("/provider/v1");
        let config = json!({
            "ai": {"mask": {"detectors": {"email": "mask"}, "response": "restore"}},
            "provider": provider,
        });
        let address = json!({"address": "127.0.0.1", "port_value": llm.address().port()});
        let host = json!({"endpoint": {"address": {"socket_address": address}}});
        let cluster = json!({"name": "llm", "type": "STATIC", "load_assignment": {
            "cluster_name": "llm", "endpoints": [{"lb_endpoints": [host]}],
        }});
        let route = Route::at("/").action("cluster", json!("llm")).transform(config).filter_name(NEWER_FILTER_NAME);
        let config = EnvoyConfig::new().filter_name(NEWER_FILTER_NAME).cluster(cluster).route(route);
        let lab = Lab::start(envoy, &config);
        for stream in [false, true] {
            let asked = says("Write to jo@example.com now", stream);
            let request = lab.post(CHAT).header("x-mock-say", "$PROMPT").header("x-mock-delta", "4");
            let answer = request.json(&asked).send();
            assert_eq!(said(&answer).as_deref(), Some("Write to jo@example.com now"), "{}", answer.text());
            let seen = llm.next_asked(Duration::from_secs(5)).unwrap();
            assert!(seen.path.ends_with("/messages") && seen.body.contains("[EMAIL_1]"), "{}", seen.body);
        }
    }

    fn errors_and_refusals_are_the_clients(envoy) {
        let lab = lab(envoy, json!({"ai": {"usage": {}}, "request": {"body": {"parseAs": "AsJson"}}}));
        let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"later"}}"#;
        lab.origin().answer(MESSAGES, Reply::new(529).body(error));
        let answer = lab.post(CHAT).json(&says("hi", false)).send();
        assert_eq!((answer.status, &answer.json()["error"]["message"]), (529, &json!("later")));
        lab.origin().answer(MESSAGES, Reply::new(200).body("<html>"));
        let answer = lab.post(CHAT).json(&says("hi", false)).send();
        assert_eq!((answer.status, answer.json()["error"]["message"].is_string()), (502, true));
        lab.origin().forget();
        let mut seed = says("hi", false);
        seed["seed"] = json!(1);
        let answer = lab.post(CHAT).json(&seed).send();
        assert_eq!((answer.status, &answer.json()["error"]["param"]), (422, &json!("seed")));
        assert_eq!(lab.get("/v1/models").send().status, 404);
        let upgrade = lab.get("/v1/realtime").header("connection", "upgrade").header("upgrade", "websocket");
        assert!(matches!(upgrade.send().status, 403 | 404));
        assert!(lab.origin().received().is_empty());
    }

    fn a_profile_has_a_provider_whose_key_may_change(envoy) {
        let folder = tempfile::tempdir().unwrap();
        let (profiles, key) = (folder.path().join("profiles.json"), folder.path().join("key"));
        std::fs::write(&key, "k-first\n").unwrap();
        let mut provider = anthropic();
        provider["auth"] = json!({"apiKey": {"file": key}});
        let text = json!({"profiles": {"claude": {"ai": {"usage": {}}, "provider": provider}}});
        std::fs::write(&profiles, text.to_string()).unwrap();
        let policy = json!({"request": {"set": [
            {"name": "x-rustformations-profile", "value": "claude"},
            {"name": "x-team", "value": "red"},
        ]}});
        let route = Route::at("/").transform(policy).filter_name(NEWER_FILTER_NAME);
        let config = EnvoyConfig::new().filter_name(NEWER_FILTER_NAME).route(route);
        let variable = ("RUSTFORMATIONS_PROFILES".to_owned(), profiles.display().to_string());
        let settings = Settings { environment: vec![variable], ..Settings::default() };
        let lab = Lab::start_with(envoy, &config, settings);
        lab.origin().answer(MESSAGES, Reply::json(&message("Hello")));
        let ask = || {
            let request = lab.post(CHAT).header("x-api-key", "of-the-client");
            let answer = request.json(&says("hi", false)).send();
            assert_eq!(said(&answer).as_deref(), Some("Hello"), "{}", answer.text());
            let seen = lab.origin().last();
            assert_eq!(seen.header("x-team"), "red");
            seen.headers.values("x-api-key")
        };
        assert_eq!(ask(), ["k-first"]);
        std::fs::write(&key, "k-second\n").unwrap();
        lab.expect_log("the new key is in use from now on");
        assert_eq!(ask(), ["k-second"]);
        assert!(!lab.logs().contains("k-first"));
        let wrong = json!({"provider": {"provider": "anthropic", "auth": {"apiKey": {"file": "/gone"}}}});
        let config = EnvoyConfig::new().filter_name(NEWER_FILTER_NAME).filter_level(wrong);
        let log = Lab::refuse(envoy, &config);
        assert!(log.contains("error[RF1131] provider.auth: the key cannot be read"), "{log}");
    }
}
