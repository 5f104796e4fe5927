//! What is told of LLM traffic in real Envoys: headers of responses, and templates.

use rustformations_tests::mock_llm::MockLlm;
use rustformations_tests::{Answer, Envoy, EnvoyConfig, Lab, Route, on_every_envoy};
use serde_json::{Value, json};

const CHAT: &str = "/provider/v1/chat/completions";

fn started() -> MockLlm {
    MockLlm::start("127.0.0.1:0").unwrap_or_else(|error| panic!("{error:#}"))
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

fn lab_with(envoy: &Envoy, llm: &MockLlm, config: Value) -> Lab {
    let config = EnvoyConfig::new()
        .buffer_limit(4096)
        .cluster(cluster(llm))
        .route(
            Route::at("/")
                .action("cluster", json!("llm"))
                .transform(config),
        );
    Lab::start(envoy, &config)
}

fn ask(lab: &Lab, stream: bool, knobs: &[(&str, &str)]) -> Answer {
    let said = json!([{"role": "user", "content": "Hello"}]);
    let body = json!({"model": "m-1", "stream": stream, "messages": said});
    let request = lab
        .post(CHAT)
        .json(&body)
        .header("x-mock-tokens", "input:9,cached:4,output:3");
    knobs
        .iter()
        .fold(request, |request, (name, value)| {
            request.header(name, *value)
        })
        .send()
}

on_every_envoy! {
    fn templates_of_responses_read_what_they_took(envoy) {
        let llm = started();
        let lab = lab_with(envoy, &llm, json!({
            "ai": {"cost": {"prices": {"m-*": {"input": "2", "cachedInput": "1", "output": "10"}}}},
            "response": [
                {"when": "ai.usage.total_tokens > 11", "set": [
                    {"name": "x-took", "value": "{{ ai.model }} {{ ai.usage.input_tokens + ai.usage.output_tokens }} {{ ai.cost_usd }}"},
                ]},
                {"set": [{"name": "x-took", "value": "{{ ai.model }} {{ ai.usage.input_tokens|default('?') }}"}]},
            ],
        }));
        for pieces in ["whole", "bytes:1"] {
            let answer = ask(&lab, false, &[("x-mock-pieces", pieces)]);
            assert_eq!((answer.status, answer.cut), (200, false), "{pieces}");
            assert_eq!(answer.header("x-took"), "m-1 12 0.000044", "{pieces}");
            assert_eq!(answer.json()["usage"]["prompt_tokens"], 9, "{pieces}");
        }
        let stream = ask(&lab, true, &[]);
        assert_eq!(stream.header("x-took"), "m-1 ?");
        assert!(stream.text().ends_with("data: [DONE]\n\n"));
        assert_eq!(lab.stat("rustformations_errors"), 0);
    }

    fn responses_that_are_held_as_a_whole_say_what_they_took(envoy) {
        let llm = started();
        let lab = lab_with(envoy, &llm, json!({
            "ai": {
                "cost": {"prices": {"m-*": {"input": "2", "cachedInput": "1", "output": "10"}}},
                "publish": {"headers": {"x-ai-input-tokens": "input_tokens", "x-ai-cost-usd": "cost_usd", "x-ai-model": "model"}},
            },
            "response": {"set": [{"name": "x-seen", "value": "{{ header('x-ai-cost-usd') }}"}]},
        }));
        for pieces in ["whole", "bytes:1", "bytes:7"] {
            let answer = ask(&lab, false, &[("x-mock-pieces", pieces)]);
            assert_eq!((answer.status, answer.cut), (200, false), "{pieces}");
            let told = ["x-ai-input-tokens", "x-ai-cost-usd", "x-ai-model", "x-seen"].map(|name| answer.header(name));
            assert_eq!(told, ["9", "0.000044", "m-1", "0.000044"], "{pieces}");
            assert_eq!(answer.json()["usage"]["prompt_tokens"], 9, "{pieces}");
        }
        // More than Envoy would hold.
        let long = "x".repeat(100_000);
        let answer = ask(&lab, false, &[("x-mock-say", &long[..20_000])]);
        assert_eq!((&*answer.header("x-ai-input-tokens"), answer.cut), ("9", false));
        assert!(answer.text().contains(&long[..20_000]));
        let stream = ask(&lab, true, &[]);
        assert!(stream.text().ends_with("data: [DONE]\n\n"));
        assert!(!stream.headers.has("x-ai-input-tokens") && !stream.headers.has("x-ai-model"));
        let error = ask(&lab, false, &[("x-mock-status", "429")]);
        assert_eq!(error.status, 429);
        assert!(!error.headers.has("x-ai-input-tokens") && !error.headers.has("x-ai-model"));
        assert_eq!(lab.stat("rustformations_errors"), 0);
    }
}
