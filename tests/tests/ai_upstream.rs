//! LLM traffic in the chain of a cluster, behind the router and once for each attempt; answers that come
//! compressed all the same, and stages that only look on, in real Envoys.

use rustformations_tests::mock_llm::MockLlm;
use rustformations_tests::{Body, EnvoyConfig, Lab, Reply, Route, on_every_envoy};
use serde_json::{Value, json};
use std::time::Duration;

const CHAT: &str = "/v1/chat/completions";

fn logging(config: EnvoyConfig) -> EnvoyConfig {
    let facts = ["model", "total_tokens", "usage_status", "shadow", "refused"];
    let facts = facts.map(|fact| format!("%DYNAMIC_METADATA(rustformations.ai:{fact})%"));
    let format = format!("[%REQ(X-ID)%: {}]\n", facts.join(" "));
    config.connection_manager("access_log", json!([{
        "name": "envoy.access_loggers.stderr",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
            "log_format": {"text_format_source": {"inline_string": format}},
        },
    }]))
}

fn answer() -> Reply {
    Reply::json(&json!({
        "model": "m-1",
        "choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2},
    }))
}

/// Envoy tries up to three times, and the last one is answered.
fn retrying(config: EnvoyConfig) -> EnvoyConfig {
    let policy =
        json!({"retry_on": "5xx", "num_retries": 2, "retry_back_off": {"base_interval": "0.001s"}});
    config
        .virtual_host("include_request_attempt_count", json!(true))
        .route(Route::at("/").action("retry_policy", policy))
}

const BODY: &str = r#"{"model":"fast","messages":[{"role":"user","content":"Hello"}]}"#;

on_every_envoy! {
    fn each_attempt_of_a_cluster_is_made_from_what_the_client_sent(envoy) {
        let alone = json!({"ai": {"model": {"aliases": {"fast": "much-slower", "much-slower": "never"}}}});
        let mut all = alone.clone();
        all["ai"]["prompt"] = json!({"prepend": [{"role": "system", "content": "Be brief."}]});
        all["ai"]["usage"] = json!({});
        let renamed = BODY.replace("fast", "much-slower");
        let enriched = renamed.replace(r#"[{"#, r#"[{"role":"system","content":"Be brief."},{"#);
        for (rules, made, told) in [(alone, renamed, "- -"), (all, enriched, "7 complete")] {
            let config = retrying(logging(EnvoyConfig::new().without_module())).upstream_filter(rules);
            let lab = Lab::start(envoy, &config);
            lab.origin().answer_with(CHAT, |asked| match asked.header("x-envoy-attempt-count").as_str() {
                "3" => answer(),
                _ => Reply::new(503).body("busy"),
            });
            let (one, rest) = BODY.split_at(18);
            let script = || Body::chunked().piece(one).pause(Duration::from_millis(30)).piece(rest);
            for (script, length) in [(script().with_length(), vec![made.len().to_string()]), (script(), vec![])] {
                lab.origin().forget();
                let request = lab.post(CHAT).header("content-type", "application/json").header("x-id", "again");
                assert_eq!(request.header("x-ai-model", "forged").stream(script).send().status, 200);
                let received = lab.origin().received();
                assert_eq!(received.len(), 3);
                for attempt in received {
                    assert_eq!((attempt.text(), attempt.headers.values("content-length")), (made.clone(), length.clone()));
                    assert_eq!(attempt.headers.values("x-ai-model"), ["much-slower"]);
                }
            }
            lab.expect_log(&format!("[again: much-slower {told} - -]"));
            lab.origin().forget();
            assert_eq!(lab.get("/v1/models").send().status, 200);
            assert_eq!(lab.origin().last().text(), "");
            assert_eq!(lab.stat("rustformations_errors"), 0);
        }
    }

    fn a_refusal_of_a_cluster_is_final_and_usage_is_hidden_there(envoy) {
        let rules = json!({"ai": {"model": {"allow": ["fast"]}, "usage": {}}});
        let lab = Lab::start(envoy, &retrying(EnvoyConfig::new().without_module()).upstream_filter(rules));
        let ask = |body: &str| lab.post(CHAT).header("content-type", "application/json").body(body).send();
        let refused = ask(&BODY.replace("fast", "other"));
        assert_eq!((refused.status, &refused.json()["error"]["code"]), (404, &json!("model_not_found")));
        assert!(lab.origin().received().is_empty());
        let events = [
            r#"{"choices":[{"index":0,"delta":{"content":"Hi"}}],"usage":null}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#,
            "[DONE]",
        ];
        lab.origin().answer(CHAT, Reply::events(&events, Duration::from_millis(20)));
        let stream = ask(r#"{"model":"fast","stream":true,"messages":[]}"#);
        assert_eq!(stream.text(), "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: [DONE]\n\n");
        assert!(lab.origin().last().text().contains("include_usage"));
    }

    fn what_comes_compressed_all_the_same_is_read(envoy) {
        let llm = MockLlm::start("127.0.0.1:0").unwrap();
        let address = llm.address();
        let cluster = json!({
            "name": "llm", "type": "STATIC", "connect_timeout": "5s",
            "load_assignment": {"cluster_name": "llm", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {
                "socket_address": {"address": address.ip().to_string(), "port_value": address.port()},
            }}}]}]},
        });
        let route = Route::at("/").action("cluster", json!("llm")).transform(json!({"ai": {"usage": {}}}));
        let lab = Lab::start(envoy, &logging(EnvoyConfig::new().cluster(cluster).route(route)));
        let ask = |id: &str, more: Value| {
            let mut body = json!({"model": "m-1", "messages": [{"role": "user", "content": "Hello"}]});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let request = lab.post("/provider/v1/chat/completions").json(&body).header("x-id", id);
            let request = request.header("x-mock-tokens", "input:9,output:3").header("x-mock-gzip", "always");
            let answer = request.header("x-mock-pieces", "bytes:7").send();
            assert_eq!((answer.status, answer.cut), (200, false), "{id}");
            lab.expect_log(&format!("[{id}: m-1 12 complete - -]"));
            answer
        };
        for (id, more) in [
            ("whole", json!({})),
            ("asked", json!({"stream": true, "stream_options": {"include_usage": true}})),
        ] {
            let answer = ask(id, more);
            assert_eq!((answer.header("content-encoding").as_str(), answer.body.get(..2)), ("gzip", Some(&[0x1f, 0x8b][..])), "{id}");
        }
        let hidden = ask("hidden", json!({"stream": true}));
        assert!(!hidden.headers.has("content-encoding") && hidden.text().ends_with("data: [DONE]\n\n"));
        assert!(!hidden.text().contains("\"usage\""), "{}", hidden.text());
    }

    fn stages_that_only_look_on_let_requests_go_on_as_they_came(envoy) {
        let rules = json!({"ai": {
            "model": {"aliases": {"fast": "slow"}, "allow": ["slow-*"], "shadow": true},
            "limits": {"maxOutputTokens": 5, "onExcess": "clamp", "shadow": true},
            "prompt": {"prepend": [{"role": "system", "content": "Be brief."}], "shadow": true},
        }});
        let lab = Lab::start(envoy, &logging(EnvoyConfig::new().route(Route::at("/").transform(rules))));
        lab.origin().answer(CHAT, answer());
        let ask = |id: &str, body: &str| {
            let request = lab.post(CHAT).header("content-type", "application/json").header("x-ai-model", "forged");
            assert_eq!(request.header("x-id", id).body(body).send().status, 200);
            let sent = lab.origin().last();
            assert_eq!(sent.text(), body);
            sent.header("x-ai-model")
        };
        assert_eq!(ask("all", BODY), "fast");
        lab.expect_log("[all: fast - - model:renamed,model:not_allowed,limits:clamped,prompt:added -]");
        assert_eq!(ask("broken", r#"{"model":"a","model":"#), "");
        lab.expect_log("[broken: - - - - -]");
    }
}
