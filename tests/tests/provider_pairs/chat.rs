//! A client of OpenAI's chat, whose route ends at each of the providers.

use rustformations_tests::on_every_envoy;
use rustformations_tests::strict::Provider;
use serde_json::{Value, json};

use super::chat_reader::read;
use super::{DOT, Providers, good, place};

const CHAT: &str = "/v1/chat/completions";
const KEY: (&str, &str) = ("authorization", "Bearer of-the-client");

fn is_openai(provider: Provider) -> bool {
    matches!(provider, Provider::Openai | Provider::AzureOpenai)
}

fn is_google(provider: Provider) -> bool {
    matches!(provider, Provider::Gemini | Provider::VertexGemini)
}

/// A message, asked for as a document or as a stream.
fn message(to: &Providers, provider: Provider, body: &Value, stream: bool) -> (Value, Value) {
    let what = format!("{} {stream} {body}", provider.name());
    if !stream {
        let answer = to.post(provider, CHAT, body, &[KEY]);
        good(&answer, &what);
        let document = answer.json();
        let choice = &document["choices"][0];
        return (choice["message"].clone(), choice["finish_reason"].clone());
    }
    let mut body = body.clone();
    body["stream"] = json!(true);
    let answer = to.post(provider, CHAT, &body, &[KEY, ("x-mock-pieces", "bytes:11")]);
    good(&answer, &what);
    let read = read(&answer);
    assert!(read.is_done, "{what}: {}", answer.text());
    (read.message, read.finish)
}

fn tools() -> Value {
    let none = json!({"type": "object", "properties": {}});
    json!([
        {"type": "function", "function": {"name": "weather", "description": "Of a city.", "parameters": place()}},
        {"type": "function", "function": {"name": "now", "parameters": none}},
    ])
}

/// The messages of the second turn: what was called, and what came of it, in another order.
fn answered(question: &Value, called: &Value) -> Value {
    let calls = called["tool_calls"].as_array().unwrap();
    let mut messages = vec![question.clone(), called.clone()];
    for call in calls.iter().rev() {
        let result = if call["function"]["name"] == "weather" {
            "rain"
        } else {
            "noon"
        };
        messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": result}));
    }
    json!(messages)
}

fn check_calls(called: &Value, finish: &Value, what: &str) {
    let calls = called["tool_calls"]
        .as_array()
        .unwrap_or_else(|| panic!("{what}: {called}"));
    let name = |call: &Value| call["function"]["name"].as_str().unwrap().to_owned();
    assert_eq!(
        calls.iter().map(name).collect::<Vec<_>>(),
        ["weather", "now"],
        "{what}"
    );
    assert_eq!(finish, "tool_calls", "{what}");
    assert_ne!(calls[0]["id"], calls[1]["id"], "{what}");
    let arguments = calls[0]["function"]["arguments"].as_str().unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(arguments).unwrap(),
        json!({"city": "Köln"}),
        "{what}"
    );
    let none = calls[1]["function"]["arguments"]
        .as_str()
        .unwrap_or_default();
    assert!(matches!(none, "" | "{}"), "{what}: {none}");
}

on_every_envoy! {
    fn what_is_said_is_repeated(envoy) {
        let providers = Providers::start(envoy, &Provider::ALL, &json!({}));
        let knobs = [KEY, ("x-mock-tokens", "input:100,cached:40,written:10,output:20")];
        for provider in Provider::ALL {
            let name = provider.name();
            let mut body = json!({
                "model": "any", "temperature": 0.5, "max_tokens": 50, "stop": ["X"], "user": "u-1",
                "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Grüß dich"}],
            });
            let answer = providers.post(provider, CHAT, &body, &knobs);
            good(&answer, name);
            let document = answer.json();
            let choice = &document["choices"][0];
            assert_eq!(choice["message"]["content"], "You said: Grüß dich", "{name}");
            assert_eq!((&choice["finish_reason"], &document["object"]), (&json!("stop"), &json!("chat.completion")));
            let usage = &document["usage"];
            let counts = json!([usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]]);
            assert_eq!(counts, json!([100, 20, 120]), "{name}: {usage}");
            assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 40, "{name}");
            body["stream"] = json!(true);
            body["stream_options"] = json!({"include_usage": true});
            let answer = providers.post(provider, CHAT, &body, &knobs);
            good(&answer, name);
            let read = read(&answer);
            assert_eq!((&read.message["content"], &read.finish), (&json!("You said: Grüß dich"), &json!("stop")), "{name}");
            assert_eq!(read.usage, *usage, "{name}");
            assert!(read.is_done);
            let seen = providers.last(provider).to_string();
            assert!(seen.contains("Be brief."), "{name}: {seen}");
        }
    }

    fn tools_are_called_and_answered(envoy) {
        let providers = Providers::start(envoy, &Provider::ALL, &json!({}));
        let question = json!({"role": "user", "content": "Which weather?"});
        for provider in Provider::ALL {
            for (model, stream) in [("any", false), ("any", true), ("thinker", false), ("thinker", true), ("adaptive", true)] {
                if model == "adaptive" && (is_openai(provider) || is_google(provider)) {
                    continue;
                }
                let what = format!("{} {model} {stream}", provider.name());
                let mut body = json!({"model": model, "messages": [question], "tools": tools()});
                if model != "any" {
                    body["reasoning_effort"] = json!("low");
                }
                let (called, finish) = message(&providers, provider, &body, stream);
                check_calls(&called, &finish, &what);
                let has_thought = called["reasoning_content"] == "That needs some thought.";
                assert_eq!(has_thought, model != "any" && !is_openai(provider), "{what}: {called}");
                body["messages"] = answered(&question, &called);
                let (said, finish) = message(&providers, provider, &body, stream);
                let text = said["content"].as_str().unwrap();
                assert!(text.starts_with("The tools say: ") && text.contains("rain") && text.contains("noon"), "{what}: {text}");
                assert_eq!(finish, "stop", "{what}");
                // And on: what was said, and another question.
                let messages = body["messages"].as_array_mut().unwrap();
                messages.push(said);
                messages.push(json!({"role": "user", "content": "And tomorrow?"}));
                let (called, _) = message(&providers, provider, &body, stream);
                assert_eq!(called["tool_calls"].as_array().map(Vec::len), Some(2), "{what}: {called}");
            }
        }
    }

    fn a_conversation_goes_on_at_another_provider(envoy) {
        let providers = Providers::start(envoy, &Provider::ALL, &json!({}));
        let question = json!({"role": "user", "content": "Which weather?"});
        for first in Provider::ALL {
            let mut body = json!({"model": "thinker", "reasoning_effort": "low", "messages": [question], "tools": tools()});
            let (called, _) = message(&providers, first, &body, true);
            body["messages"] = answered(&question, &called);
            for second in Provider::ALL {
                let (said, _) = message(&providers, second, &body, false);
                let text = said["content"].as_str().unwrap_or_default();
                assert!(text.starts_with("The tools say: "), "{} to {}: {said}", first.name(), second.name());
            }
        }
    }

    fn choices_of_tools_are_kept(envoy) {
        let providers = Providers::start(envoy, &Provider::ALL, &json!({}));
        let ask = |provider, choice: Value, one: bool| {
            let mut body = json!({"model": "any", "messages": [{"role": "user", "content": "x"}], "tools": tools(), "tool_choice": choice});
            if one {
                body["parallel_tool_calls"] = json!(false);
            }
            providers.post(provider, CHAT, &body, &[KEY])
        };
        for provider in Provider::ALL {
            let name = provider.name();
            let calls = |choice: Value| {
                let answer = ask(provider, choice, false);
                good(&answer, name);
                let calls = answer.json()["choices"][0]["message"]["tool_calls"].clone();
                let calls = calls.as_array().cloned().unwrap_or_default();
                calls.iter().map(|call| call["function"]["name"].clone()).collect::<Vec<_>>()
            };
            assert_eq!(calls(json!("none")), [json!(null); 0], "{name}");
            assert_eq!(calls(json!("required")), ["weather", "now"], "{name}");
            assert_eq!(calls(json!({"type": "function", "function": {"name": "now"}})), ["now"], "{name}");
            let answer = ask(provider, json!("auto"), true);
            if is_google(provider) || provider == Provider::Bedrock {
                assert_eq!(answer.status, 422, "{name}");
                assert_eq!(answer.json()["error"]["param"], "parallel_tool_calls", "{name}: {}", answer.text());
            } else {
                good(&answer, name);
                assert_eq!(answer.json()["choices"][0]["message"]["tool_calls"].as_array().unwrap().len(), 1, "{name}");
            }
        }
    }

    fn answers_have_the_form_that_is_asked_for(envoy) {
        let providers = Providers::start(envoy, &Provider::ALL, &json!({}));
        let body = json!({"model": "any", "messages": [{"role": "user", "content": "As JSON, please."}]});
        let with = |format: Value| {
            let mut body = body.clone();
            body["response_format"] = format;
            body
        };
        // Without `strict`, objects need not be closed; those who want them closed get them so.
        let open = json!({"type": "object", "properties": {"city": {"type": "string"}, "in": {"type": "object", "properties": {}}}});
        for provider in Provider::ALL {
            for schema in [json!({"name": "place", "schema": place(), "strict": true}), json!({"name": "place", "schema": open})] {
                let body = with(json!({"type": "json_schema", "json_schema": schema}));
                for stream in [false, true] {
                    let (said, _) = message(&providers, provider, &body, stream);
                    let document: Value = serde_json::from_str(said["content"].as_str().unwrap()).unwrap();
                    assert_eq!(document["city"], "Köln", "{}", provider.name());
                }
            }
            let answer = providers.post(provider, CHAT, &with(json!({"type": "json_object"})), &[KEY]);
            match is_openai(provider) || is_google(provider) {
                true => good(&answer, provider.name()),
                false => {
                    let error = &answer.json()["error"];
                    assert_eq!((answer.status, &error["param"]), (422, &json!("response_format.json_object")), "{error}");
                }
            }
        }
    }

    fn pictures_and_refusals_go_through(envoy) {
        let providers = Providers::start(envoy, &Provider::ALL, &json!({}));
        let parts = json!([
            {"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{DOT}"), "detail": "low"}},
        ]);
        let body = json!({"model": "any", "messages": [{"role": "user", "content": parts}]});
        for provider in Provider::ALL {
            let name = provider.name();
            let answer = providers.post(provider, CHAT, &body, &[KEY]);
            good(&answer, name);
            assert!(providers.last(provider).to_string().contains(DOT), "{name}");
            let word = match provider {
                Provider::Openai | Provider::AzureOpenai => "content_filter",
                Provider::Gemini | Provider::VertexGemini => "SAFETY",
                Provider::Bedrock => "guardrail_intervened",
                _ => "refusal",
            };
            let refused = providers.post(provider, CHAT, &body, &[KEY, ("x-mock-finish", word)]);
            assert_eq!(refused.json()["choices"][0]["finish_reason"], "content_filter", "{name}");
        }
    }

    fn models_are_told_what_they_take(envoy) {
        let providers = Providers::start(envoy, &Provider::ALL, &json!({}));
        let ask = |provider, model: &str, told: Value| {
            let mut body = json!({"model": model, "messages": [{"role": "user", "content": "x"}]});
            body.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
            providers.post(provider, CHAT, &body, &[KEY])
        };
        let limited = json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {
            "type": "object", "properties": {"n": {"type": "integer", "minimum": 8}}, "required": ["n"],
        }}}});
        let both = json!({"temperature": 0.2, "top_p": 0.9});
        // What they would do anyway is no reason to refuse.
        let usual = json!({"temperature": 1, "top_p": 1});
        for provider in Provider::ALL {
            let is_claude = !is_openai(provider) && !is_google(provider);
            for (model, told, param) in [
                ("any", &both, "top_p"), ("any", &limited, "response_format.json_schema.(limits)"),
                ("any", &usual, ""), ("adaptive", &both, "temperature"), ("adaptive", &usual, ""),
            ] {
                let what = format!("{} {model} {told}", provider.name());
                if model == "adaptive" && !is_claude {
                    continue;
                }
                let answer = ask(provider, model, told.clone());
                match is_claude && !param.is_empty() {
                    false => good(&answer, &what),
                    true => {
                        let error = &answer.json()["error"];
                        assert_eq!((answer.status, &error["param"]), (422, &json!(param)), "{what}: {error}");
                    }
                }
            }
        }
    }

    fn documents_and_marks_for_caches_go_through(envoy) {
        let targets = [Provider::Anthropic, Provider::VertexAnthropic, Provider::Bedrock, Provider::BedrockAnthropic, Provider::Gemini];
        let providers = Providers::start(envoy, &targets, &json!({}));
        let cache = json!({"type": "ephemeral"});
        let mut tools = tools();
        tools[0]["function"]["strict"] = json!(true);
        tools[0]["cache_control"] = cache.clone();
        let body = json!({"model": "any", "tools": tools, "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "Be brief.", "cache_control": cache}]},
            {"role": "user", "content": [
                {"type": "text", "text": "What does it say?", "cache_control": cache},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}},
            ]},
            {"role": "user", "content": ""},
            {"role": "assistant", "content": "Nothing."},
            {"role": "user", "content": "Sure?"},
        ]});
        for provider in targets {
            good(&providers.post(provider, CHAT, &body, &[KEY]), provider.name());
            assert!(providers.last(provider).to_string().contains("JVBERg=="), "{}", provider.name());
        }
    }
}
