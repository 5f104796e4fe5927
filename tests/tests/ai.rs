//! LLM traffic in real Envoys, with the mock LLM as its providers: what it took and cost is in the access
//! log, and everybody gets the bytes that are theirs.

use std::time::Duration;

use rustformations_tests::mock_llm::MockLlm;
use rustformations_tests::{Envoy, EnvoyConfig, Lab, Request, Route, on_every_envoy};
use serde_json::{Value, json};

const CHAT: &str = "/provider/v1/chat/completions";

/// What a line of the access log says, behind the id of its request.
const LOGGED: [&str; 8] = [
    "dialect",
    "stream",
    "model",
    "input_tokens",
    "cached_tokens",
    "total_tokens",
    "usage_status",
    "cost_usd",
];

fn metered() -> Value {
    json!({"ai": {"cost": {"prices": {"m-*": {"input": "2", "cachedInput": "1", "output": "10"}}}}})
}

fn cluster(llm: &MockLlm) -> Value {
    let address = llm.address();
    json!({
        "name": "llm", "type": "STATIC", "connect_timeout": "5s",
        "load_assignment": {"cluster_name": "llm", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {
            "socket_address": {"address": address.ip().to_string(), "port_value": address.port()},
        }}}]}]},
    })
}

/// An Envoy in front of a mock LLM, which logs what was published.
fn lab_with(envoy: &Envoy, llm: &MockLlm, config: Value) -> Lab {
    let facts = LOGGED.map(|fact| format!("%DYNAMIC_METADATA(rustformations.ai:{fact})%"));
    let format = format!("[%REQ(X-ID)%: {}]\n", facts.join(" "));
    let config = EnvoyConfig::new()
        .buffer_limit(4096)
        .cluster(cluster(llm))
        .connection_manager("access_log", json!([{
            "name": "envoy.access_loggers.stderr",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
                "log_format": {"text_format_source": {"inline_string": format}},
            },
        }]))
        .route(Route::at("/").action("cluster", json!("llm")).transform(config));
    Lab::start(envoy, &config)
}

fn started() -> MockLlm {
    MockLlm::start("127.0.0.1:0").unwrap_or_else(|error| panic!("{error:#}"))
}

fn with(request: Request, headers: &[(&str, &str)]) -> Request {
    headers.iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    })
}

on_every_envoy! {
    fn every_dialect_is_metered_and_priced_whole_and_streamed(envoy) {
        let llm = started();
        let lab = lab_with(envoy, &llm, metered());
        let said = json!([{"role": "user", "content": "Hello"}]);
        let gemini = json!({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]});
        for (dialect, whole, streamed, body) in [
            ("openai-chat", CHAT, CHAT, json!({"model": "m-1", "messages": said})),
            ("openai-completions", "/provider/v1/completions", "/provider/v1/completions", json!({"model": "m-1", "prompt": "Hello"})),
            ("openai-responses", "/provider/v1/responses", "/provider/v1/responses", json!({"model": "m-1", "input": "Hello"})),
            ("anthropic-messages", "/provider/v1/messages", "/provider/v1/messages", json!({"model": "m-1", "max_tokens": 9, "messages": said})),
            ("gemini", "/provider/v1beta/models/m-1:generateContent", "/provider/v1beta/models/m-1:streamGenerateContent?alt=sse", gemini),
        ] {
            // OpenAI's completions have no details of the prompt.
            for (stream, path) in [(false, whole), (true, streamed)] {
                for pieces in ["whole", "bytes:1", "events:1"] {
                    let mut body = body.clone();
                    if stream && dialect != "gemini" {
                        body["stream"] = json!(true);
                    }
                    let id = format!("{dialect} {stream} {pieces}");
                    let answer = with(lab.post(path).json(&body), &[
                        ("x-id", &id), ("accept-encoding", "gzip"), ("x-mock-tokens", "input:9,cached:4,output:3"),
                        ("x-mock-pieces", pieces), ("x-mock-gzip", "accepted"),
                    ]).send();
                    assert_eq!((answer.status, answer.cut), (200, false), "{id}: {}", answer.text());
                    assert!(!answer.headers.has("content-encoding"), "{id}");
                    // 5 * 2 + 4 * 1 + 3 * 10 millionths.
                    lab.expect_log(&format!("[{id}: {dialect} {stream} m-1 9 4 12 complete 0.000044]"));
                }
            }
        }
        assert_eq!(lab.stat("rustformations_errors"), 0);
    }

    fn usage_is_asked_for_and_hidden_from_a_client_that_did_not(envoy) {
        let llm = started();
        let lab = lab_with(envoy, &llm, metered());
        let asking = |options: Option<Value>| {
            let mut body = json!({"model": "m-1", "stream": true, "messages": [{"role": "user", "content": "Hello"}]});
            if let Some(options) = options {
                body["stream_options"] = options;
            }
            body
        };
        for variant in ["asked", "always", "null", "choices", "every"] {
            let headers = &[("x-id", variant), ("x-mock-usage", variant)];
            let hidden = with(lab.post(CHAT).json(&asking(None)), headers).send();
            let asked = llm.next_asked(Duration::from_secs(5)).unwrap();
            assert!(asked.body.ends_with(r#","stream_options":{"include_usage":true}}"#), "{}", asked.body);
            assert!(!hidden.text().contains("\"usage\""), "{variant}: {}", hidden.text());
            assert!(hidden.text().ends_with("data: [DONE]\n\n") && !hidden.cut);
            let open = with(lab.post(CHAT).json(&asking(Some(json!({"include_usage": true})))), headers).send();
            let asked = llm.next_asked(Duration::from_secs(5)).unwrap();
            assert!(!asked.body.contains(r#"true},"stream_options"#), "{}", asked.body);
            assert!(open.text().contains("\"usage\""), "{variant}: {}", open.text());
        }
    }

    fn a_client_that_leaves_an_upstream_that_breaks_off_and_errors_are_accounted_for(envoy) {
        let llm = started();
        let lab = lab_with(envoy, &llm, metered());
        let body = json!({"model": "m-1", "max_tokens": 9, "stream": true, "messages": [{"role": "user", "content": "Hello"}]});
        let ask = |id: &str, knobs: &[(&str, &str)]| {
            let request = lab.post("/provider/v1/messages").json(&body).header("x-id", id);
            with(with(request, &[("x-mock-tokens", "input:9,output:3")]), knobs)
        };
        let mut left = ask("left", &[("x-mock-pause", "300"), ("x-mock-say", "one two three four five six")]).begin().unwrap();
        assert!(left.next_piece().unwrap().is_some());
        drop(left);
        lab.expect_log("[left: anthropic-messages true m-1 9 - ");
        let cut = ask("cut", &[("x-mock-cut-after", "3")]).send();
        assert!(cut.cut, "{}", cut.text());
        lab.expect_log("[cut: anthropic-messages true m-1 9 - ");
        for id in ["left", "cut"] {
            let logs = lab.logs();
            let line = logs.lines().find(|line| line.contains(&format!("[{id}: "))).unwrap();
            assert!(line.contains(" partial 0.0000"), "{line}");
        }
        assert_eq!(ask("error", &[("x-mock-status", "429")]).send().status, 429);
        lab.expect_log("[error: anthropic-messages true m-1 - - - error -]");
        assert_eq!(ask("guess", &[("x-mock-usage", "none"), ("x-mock-say", "12345678")]).send().status, 200);
        lab.expect_log("[guess: anthropic-messages true m-1 2 - 4 estimated 0.000024]");
    }

    fn large_requests_are_held_here_and_larger_ones_refused_in_their_dialect(envoy) {
        let llm = started();
        let mut config = metered();
        config["ai"]["bodyBytes"] = json!(200_000);
        let lab = lab_with(envoy, &llm, config);
        let ask = |bytes: usize| {
            let said = json!([{"role": "user", "content": "x".repeat(bytes)}]);
            let body = json!({"model": "m-1", "stream": true, "messages": said});
            lab.post(CHAT).json(&body).header("x-id", bytes.to_string()).send()
        };
        let answer = ask(100_000);
        assert_eq!((answer.status, answer.cut), (200, false), "{}", answer.text());
        let asked = llm.next_asked(Duration::from_secs(5)).unwrap();
        assert!(asked.body.len() > 100_000 && asked.body.ends_with(r#""stream_options":{"include_usage":true}}"#));
        let answer = ask(300_000);
        assert_eq!(answer.status, 413);
        assert_eq!(answer.json()["error"]["message"], "The request has more than 200000 bytes.");
        assert_eq!(answer.header("content-type"), "application/json");
    }

    fn requests_pass_model_limits_guard_and_prompts_in_every_dialect(envoy) {
        let llm = started();
        let lab = lab_with(envoy, &llm, json!({"ai": {
            "model": {"aliases": {"fast": "m-1"}, "allow": ["m-*"]},
            "limits": {"messages": 3},
            "guard": {"deny": [{"name": "secret", "words": ["Bluebird"]}], "message": "No."},
            "prompt": {"prepend": [{"role": "system", "content": "You serve {{ request_header('x-team') }}."}]},
        }}));
        let said = |text: &str| json!([{"role": "user", "content": text}]);
        let gemini = |text: &str| json!({"contents": [{"role": "user", "parts": [{"text": text}]}]});
        type Body<'b> = &'b dyn Fn(&str, &str) -> Value;
        let cases: [(&str, Body<'_>, &str, &str); 4] = [
            (CHAT, &|model, text| json!({"model": model, "messages": said(text)}),
                r#"{"role":"system","content":"You serve blue."}"#, "/error/message"),
            ("/provider/v1/responses", &|model, text| json!({"model": model, "input": text}),
                r#""instructions":"You serve blue.""#, "/error/message"),
            ("/provider/v1/messages", &|model, text| json!({"model": model, "max_tokens": 9, "messages": said(text)}),
                r#""system":"You serve blue.""#, "/error/message"),
            ("/provider/v1beta/models/MODEL:generateContent", &|_, text| gemini(text),
                r#"{"text":"You serve blue."}"#, "/error/message"),
        ];
        for (path, body, put, message) in cases {
            let ask = |model: &str, text: &str| {
                let request = lab.post(&path.replace("MODEL", model)).json(&body(model, text));
                with(request, &[("x-team", "blue"), ("x-ai-model", "o3")]).send()
            };
            let answer = ask("fast", "Hello");
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            let asked = llm.next_asked(Duration::from_secs(5)).unwrap();
            assert!(asked.body.contains(put), "{path}: {}", asked.body);
            assert!(asked.body.contains(r#""m-1""#) || asked.path.contains("/m-1:"), "{path}: {asked:?}");
            assert_eq!(asked.headers.iter().filter(|(name, value)| name == "x-ai-model" && value == "m-1").count(), 1);
            assert!(!asked.headers.iter().any(|(_, value)| value == "o3"), "{path}");
            let denied = ask("fast", "What of bluebird?");
            assert_eq!((denied.status, &denied.json().pointer(message)), (403, &Some(&json!("No."))), "{path}");
            let unknown = ask("other", "Hello");
            assert_eq!(unknown.status, 404, "{path}: {}", unknown.text());
        }
        assert_eq!(lab.post("/other").json(&json!({"a": 1})).send().status, 415);
        let prompts = json!([1, 2, 3, 4]);
        let many: Vec<_> = prompts.as_array().unwrap().iter().map(|_| json!({"role": "user", "content": "x"})).collect();
        let refused = lab.post(CHAT).json(&json!({"model": "m-1", "messages": many})).send();
        assert_eq!(refused.json()["error"]["message"], "The request has 4 messages; 3 are allowed.");
        assert!(!lab.logs().contains("bluebird"));
    }

    fn the_model_that_goes_upstream_chooses_the_route(envoy) {
        let llm = started();
        let rules = json!({"ai": {"model": {"aliases": {"fast": "m-1"}}}});
        let by_model = Route::at("/").field("match", json!({"prefix": "/", "headers": [
            {"name": "x-ai-model", "string_match": {"exact": "m-1"}},
        ]}));
        let config = EnvoyConfig::new()
            .cluster(cluster(&llm))
            .filter_level(rules.clone())
            .route(by_model.action("cluster", json!("llm")))
            .route(Route::at("/").direct_response(418, "no model"));
        let lab = Lab::start(envoy, &config);
        let ask = |model: &str| {
            let said = json!([{"role": "user", "content": "Hello"}]);
            lab.post(CHAT).json(&json!({"model": model, "messages": said})).header("x-ai-model", "m-1").send().status
        };
        assert_eq!((ask("fast"), ask("m-1"), ask("m-2")), (200, 200, 418));
    }

    fn what_is_misspelt_is_refused(envoy) {
        let config = EnvoyConfig::new().filter_level(json!({"ai": {"usage": {}, "maks": {}}}));
        let logs = Lab::refuse(envoy, &config);
        assert!(logs.contains("error[RF1101] ai.maks: this field is not known"), "{logs}");
    }
}
