//! A client of Anthropic's Messages, whose route ends at models of Anthropic's or of OpenAI's.

use rustformations_tests::on_every_envoy;
use rustformations_tests::strict::Provider;
use serde_json::{Value, json};

use super::messages_reader::read;
use super::{DOT, Lines, Providers, good, place};

const MESSAGES: &str = "/v1/messages";
const HEAD: Lines<'_> = &[
    ("x-api-key", "of-the-client"),
    ("anthropic-version", "2023-06-01"),
];
const ASKED_FOR: &str = "The mock LLM was asked to fail.";
const TARGETS: [Provider; 5] = [
    Provider::Anthropic,
    Provider::VertexAnthropic,
    Provider::BedrockAnthropic,
    Provider::Openai,
    Provider::AzureOpenai,
];

fn is_openai(provider: Provider) -> bool {
    matches!(provider, Provider::Openai | Provider::AzureOpenai)
}

fn asking(content: &str) -> Value {
    json!({"model": "any", "max_tokens": 4000, "messages": [{"role": "user", "content": content}]})
}

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    HEAD.iter().chain(more).copied().collect()
}

/// A message, asked for as a document or as a stream.
fn message(to: &Providers, provider: Provider, body: &Value, stream: bool) -> Value {
    let what = format!("{} {stream} {body}", provider.name());
    let mut body = body.clone();
    if !stream {
        let answer = to.post(provider, MESSAGES, &body, HEAD);
        good(&answer, &what);
        return answer.json();
    }
    body["stream"] = json!(true);
    let answer = to.post(
        provider,
        MESSAGES,
        &body,
        &with(&[("x-mock-pieces", "bytes:11")]),
    );
    good(&answer, &what);
    let read = read(&answer);
    assert!(read.is_done, "{what}: {}", answer.text());
    read.message
}

/// What is in a message, without the names of blocks.
fn text(message: &Value) -> String {
    let blocks = message["content"].as_array().unwrap().iter();
    blocks.filter_map(|block| block["text"].as_str()).collect()
}

on_every_envoy! {
    fn what_is_said_is_repeated(envoy) {
        let providers = Providers::start(envoy, &TARGETS, &json!({}));
        for provider in TARGETS {
            let name = provider.name();
            let mut body = asking("Grüß dich");
            body["system"] = json!([{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]);
            body["temperature"] = json!(0.5);
            body["stop_sequences"] = json!(["X"]);
            body["metadata"] = json!({"user_id": "u-1"});
            let lines = with(&[("x-mock-tokens", "input:100,cached:40,output:20")]);
            let answer = providers.post(provider, MESSAGES, &body, &lines);
            good(&answer, name);
            let whole = answer.json();
            assert_eq!((text(&whole), &whole["stop_reason"]), ("You said: Grüß dich".to_owned(), &json!("end_turn")), "{name}");
            let usage = |message: &Value| {
                let usage = &message["usage"];
                json!([usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]])
            };
            assert_eq!(usage(&whole), json!([60, 40, 20]), "{name}");
            body["stream"] = json!(true);
            let answer = providers.post(provider, MESSAGES, &body, &lines);
            good(&answer, name);
            let read = read(&answer);
            assert!(read.is_done, "{name}");
            assert_eq!((text(&read.message), usage(&read.message)), (text(&whole), usage(&whole)), "{name}");
        }
    }

    fn tools_are_called_and_answered(envoy) {
        let providers = Providers::start(envoy, &TARGETS, &json!({}));
        for provider in TARGETS {
            for (model, stream) in [("any", false), ("any", true), ("thinker", false), ("thinker", true)] {
                let what = format!("{} {model} {stream}", provider.name());
                let mut body = asking("Which weather?");
                body["model"] = json!(model);
                body["tools"] = json!([
                    {"name": "weather", "description": "Of a city.", "input_schema": place()},
                    {"name": "now", "input_schema": {"type": "object", "properties": {}}},
                ]);
                if model == "thinker" {
                    body["thinking"] = json!({"type": "enabled", "budget_tokens": 2000});
                }
                let called = message(&providers, provider, &body, stream);
                assert_eq!(called["stop_reason"], "tool_use", "{what}");
                let blocks = called["content"].as_array().unwrap();
                let calls: Vec<&Value> = blocks.iter().filter(|block| block["type"] == "tool_use").collect();
                let inputs: Vec<_> = calls.iter().map(|call| json!([call["name"], call["input"]])).collect();
                assert_eq!(inputs, [json!(["weather", {"city": "Köln"}]), json!(["now", {}])], "{what}");
                let thinks = blocks[0]["type"] == "thinking";
                assert_eq!(thinks, model == "thinker" && !is_openai(provider), "{what}: {called}");
                let results = json!([
                    {"type": "tool_result", "tool_use_id": calls[0]["id"], "content": [
                        {"type": "text", "text": "rain"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DOT}},
                    ]},
                    {"type": "tool_result", "tool_use_id": calls[1]["id"], "content": "noon", "is_error": false},
                    {"type": "text", "text": "And tomorrow?"},
                ]);
                let messages = body["messages"].as_array_mut().unwrap();
                messages.push(json!({"role": "assistant", "content": called["content"]}));
                messages.push(json!({"role": "user", "content": results}));
                let said = message(&providers, provider, &body, stream);
                let seen = providers.last(provider).to_string();
                assert!(seen.contains("And tomorrow?") && seen.contains(DOT), "{what}: {seen}");
                // At OpenAI the user's text is a message behind the results: tools are called again.
                if !is_openai(provider) {
                    assert_eq!(text(&said), "The tools say: rain, noon", "{what}");
                }
            }
        }
    }

    fn answers_have_the_form_that_is_asked_for(envoy) {
        let providers = Providers::start(envoy, &TARGETS, &json!({}));
        // What may be left out is no reason for a refusal.
        let mut loose = place();
        loose["properties"]["unit"] = json!({"enum": ["C", "F"]});
        for provider in TARGETS {
            for schema in [place(), loose.clone()] {
                let mut body = asking("Which place?");
                body["output_config"] = json!({"format": {"type": "json_schema", "schema": schema}});
                for stream in [false, true] {
                    let said = text(&message(&providers, provider, &body, stream));
                    let document: Value = serde_json::from_str(&said).unwrap();
                    assert_eq!(document["city"], "Köln", "{}", provider.name());
                }
                let mut body = asking("Which weather?");
                body["tools"] = json!([{"name": "weather", "input_schema": schema, "strict": true}]);
                body["tool_choice"] = json!({"type": "any", "disable_parallel_tool_use": true});
                let called = message(&providers, provider, &body, false);
                assert_eq!(called["content"][0]["input"]["city"], "Köln", "{}", provider.name());
            }
        }
    }

    fn what_coding_agents_send_is_taken(envoy) {
        let providers = Providers::start(envoy, &TARGETS, &json!({}));
        let betas = "interleaved-thinking-2025-05-14,never-heard-of-2030-01-01";
        for provider in TARGETS {
            let name = provider.name();
            let mut body = asking("Hi");
            body["model"] = json!("adaptive");
            body["metadata"] = json!({"user_id": "u-1"});
            body["thinking"] = json!({"type": "adaptive"});
            body["tools"] = json!([
                {"name": "read", "description": "Reads.", "input_schema": place(), "cache_control": {"type": "ephemeral"}},
                {"type": "web_search_20250305", "name": "web_search"},
            ]);
            body["tool_choice"] = json!({"type": "auto", "disable_parallel_tool_use": true});
            if is_openai(provider) {
                // The model there makes vectors; and prompts of the system stand among the messages.
                body["model"] = json!("thinker");
                let prompt = json!({"role": "system", "content": "Be brief."});
                body["messages"].as_array_mut().unwrap().insert(0, prompt);
            }
            let answer = providers.post(provider, MESSAGES, &body, &with(&[("anthropic-beta", betas)]));
            good(&answer, name);
            let calls = answer.json()["content"].as_array().unwrap().iter().filter(|block| block["type"] == "tool_use").count();
            assert_eq!(calls, 1, "{name}: {}", answer.text());
            let running = providers.running.iter().find(|it| it.provider() == provider).unwrap();
            let seen = running.seen().pop().unwrap();
            let of_header = seen.header("anthropic-beta").unwrap_or_default().to_owned();
            match provider {
                Provider::Anthropic | Provider::VertexAnthropic => assert_eq!(of_header, betas, "{name}"),
                // Bedrock reads them from the body, and refuses what it does not know.
                Provider::BedrockAnthropic => {
                    assert_eq!((of_header.as_str(), &seen.json()["anthropic_beta"]), ("", &json!(["interleaved-thinking-2025-05-14"])));
                }
                _ => assert_eq!(of_header, "", "{name}"),
            }
        }
    }

    fn a_refusal_is_said(envoy) {
        let targets = [Provider::Openai, Provider::AzureOpenai];
        let providers = Providers::start(envoy, &targets, &json!({}));
        for provider in targets {
            for stream in [false, true] {
                let mut body = asking("x");
                body["stream"] = json!(stream);
                let answer = providers.post(provider, MESSAGES, &body, &with(&[("x-mock-refusal", "I will not.")]));
                good(&answer, provider.name());
                let said = if stream { read(&answer).message } else { answer.json() };
                assert_eq!(text(&said), "I will not.", "{}", provider.name());
            }
        }
    }

    fn tokens_are_counted_or_cleanly_not(envoy) {
        let providers = Providers::start(envoy, &TARGETS, &json!({}));
        for provider in TARGETS {
            let mut body = asking("How long is it?");
            body.as_object_mut().unwrap().remove("max_tokens");
            let answer = providers.post(provider, "/v1/messages/count_tokens", &body, HEAD);
            match provider {
                Provider::Anthropic | Provider::VertexAnthropic => {
                    good(&answer, provider.name());
                    assert!(answer.json()["input_tokens"].is_u64(), "{}", answer.text());
                }
                _ => {
                    let document = answer.json();
                    let told = (answer.status, &document["type"], &document["error"]["type"]);
                    assert_eq!(told, (404, &json!("error"), &json!("not_found_error")), "{}", provider.name());
                }
            }
        }
    }

    fn what_goes_wrong_is_told_in_the_clients_shape(envoy) {
        let providers = Providers::start(envoy, &TARGETS, &json!({}));
        for provider in TARGETS {
            let name = provider.name();
            for (status, kind) in [("400", "invalid_request_error"), ("401", "authentication_error"), ("403", ""), ("404", "not_found_error"), ("429", "rate_limit_error"), ("503", "")] {
                for stream in [false, true] {
                    let mut body = asking("x");
                    body["stream"] = json!(stream);
                    let answer = providers.post(provider, MESSAGES, &body, &with(&[("x-mock-status", status)]));
                    assert_eq!((answer.status.to_string(), answer.header("retry-after")), (status.to_owned(), "1".to_owned()), "{name}");
                    let document = answer.json();
                    assert_eq!((&document["type"], &document["error"]["message"]), (&json!("error"), &json!(ASKED_FOR)), "{name}");
                    if !kind.is_empty() {
                        assert_eq!(document["error"]["type"], kind, "{name} {status}");
                    }
                }
            }
            let mut body = asking("Say a few words.");
            body["stream"] = json!(true);
            for knob in ["x-mock-error-after", "x-mock-stop-after", "x-mock-cut-after"] {
                for count in ["1", "2", "4", "5"] {
                    let what = format!("{name} {knob} {count}");
                    let answer = providers.post(provider, MESSAGES, &body, &with(&[(knob, count)]));
                    let read = read(&answer);
                    assert!(!read.is_done, "{what}: {}", answer.text());
                    let speaks_alike = matches!(provider, Provider::Anthropic | Provider::VertexAnthropic);
                    match knob {
                        "x-mock-error-after" => assert!(read.error.is_some(), "{what}: {}", answer.text()),
                        "x-mock-stop-after" => assert_eq!(read.error.is_none(), speaks_alike, "{what}: {}", answer.text()),
                        _ => assert!(answer.cut, "{what}"),
                    }
                }
            }
        }
    }
}
