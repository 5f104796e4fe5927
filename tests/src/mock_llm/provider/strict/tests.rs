//! Each strict provider takes what is right, answers as it should, and refuses what is wrong.

use super::*;
use crate::client::{Answer, Request};

const SCHEMA: &str = r#"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}"#;

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// A path, and a body that the provider takes there.
fn right(provider: Provider) -> (String, Value) {
    let model = |path: &str| path.replace("{}", &provider.model().replace(':', "%3A"));
    let messages = json!([{"role": "user", "content": "Hi"}]);
    match provider {
        Provider::Openai => (
            "/v1/chat/completions".to_owned(),
            json!({"model": "gpt-4o", "messages": messages}),
        ),
        Provider::AzureOpenai => (
            model("/openai/deployments/{}/chat/completions?api-version=2025-04-01-preview"),
            json!({"model": "any", "messages": messages}),
        ),
        Provider::Anthropic => (
            "/v1/messages".to_owned(),
            json!({"model": provider.model(), "max_tokens": 9, "messages": messages}),
        ),
        Provider::Gemini => (
            model("/v1beta/models/{}:generateContent"),
            json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}),
        ),
        Provider::VertexGemini => (
            model(
                "/v1/projects/project-7/locations/europe-west1/publishers/google/models/{}:generateContent",
            ),
            json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}),
        ),
        Provider::VertexAnthropic => (
            model(
                "/v1/projects/project-7/locations/europe-west1/publishers/anthropic/models/{}:rawPredict",
            ),
            json!({"anthropic_version": "vertex-2023-10-16", "max_tokens": 9, "messages": messages}),
        ),
        Provider::Bedrock => (
            model("/model/{}/converse"),
            json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}),
        ),
        Provider::BedrockAnthropic => (
            model("/model/{}/invoke"),
            json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": messages}),
        ),
    }
}

fn request(to: &StrictProvider, path: &str, body: &Value) -> Request {
    let provider = to.provider();
    let (name, prefix) = provider.key_header();
    let request = Request::new(to.address(), "POST", path)
        .header("host", provider.host())
        .header(name, format!("{prefix}{}", provider.key()))
        .json(body);
    match provider {
        Provider::Anthropic => request.header("anthropic-version", "2023-06-01"),
        _ => request,
    }
}

fn started(provider: Provider) -> StrictProvider {
    StrictProvider::start(provider).unwrap_or_else(|error| panic!("{error:#}"))
}

fn ask(provider: Provider, change: impl FnOnce(&mut Value)) -> Answer {
    let (path, mut body) = right(provider);
    change(&mut body);
    request(&started(provider), &path, &body).send()
}

fn message(provider: Provider, answer: &Answer) -> String {
    let document = answer.json();
    let message = match provider {
        Provider::Bedrock | Provider::BedrockAnthropic => &document["message"],
        _ => &document["error"]["message"],
    };
    message.as_str().unwrap_or_default().to_owned()
}

fn refused(provider: Provider, expected: &str, change: impl FnOnce(&mut Value)) {
    let answer = ask(provider, change);
    let message = message(provider, &answer);
    assert_eq!(answer.status, 400, "{expected}: {}", answer.text());
    assert!(message.contains(expected), "{message} for {expected}");
}

#[test]
fn every_provider_takes_what_is_right_and_nothing_beside_it() {
    for provider in Provider::ALL {
        let running = started(provider);
        let (path, mut body) = right(provider);
        let answer = request(&running, &path, &body).send();
        assert_eq!(answer.status, 200, "{}: {}", provider.name(), answer.text());
        assert!(answer.text().contains("You said: Hi"), "{}", answer.text());
        body["surprise"] = json!(1);
        let answer = request(&running, &path, &body).send();
        let message = message(provider, &answer);
        assert_eq!(answer.status, 400);
        assert!(
            message.contains("surprise"),
            "{}: {message}",
            provider.name()
        );
        assert_eq!(running.seen().len(), 2);
        assert_eq!(running.seen()[1].json(), body);
    }
}

#[test]
fn doors_are_closed_to_others() {
    for provider in Provider::ALL {
        let running = started(provider);
        let (path, body) = right(provider);
        let right = || request(&running, &path, &body);
        let (name, _) = provider.key_header();
        let other = if name == "api-key" {
            "x-api-key"
        } else {
            "api-key"
        };
        let nobody = || {
            Request::new(running.address(), "POST", &path)
                .header("host", provider.host())
                .header("anthropic-version", "2023-06-01")
                .json(&body)
        };
        for (request, status) in [
            (right().header(other, "k"), 401),
            (right().header(name, "k"), 401),
            (nobody(), 401),
            (nobody().header(name, "wrong"), 401),
            (right().header("host", "elsewhere.test"), 404),
            (request(&running, &format!("{path}x"), &body), 404),
            (request(&running, &format!("/x{path}"), &body), 404),
        ] {
            let what = format!("{}: {request:?}", provider.name());
            let answer = request.send();
            assert_eq!(answer.status, status, "{what}: {}", answer.text());
            assert!(
                !message(provider, &answer).is_empty(),
                "{what}: {}",
                answer.text()
            );
            assert_eq!(answer.headers.has("x-amzn-errortype"), provider.is_amazon());
        }
    }
}

#[test]
fn conversations_are_kept_to_the_rules() {
    use Provider::{
        Anthropic, Bedrock, BedrockAnthropic, Gemini, Openai, VertexAnthropic, VertexGemini,
    };
    refused(Openai, "temperature", |body| body["temperature"] = json!(3));
    refused(Openai, "\"stream\" is a required", |body| {
        body["stream_options"] = json!({"include_usage": true})
    });
    refused(Openai, "reasoning_effort", |body| {
        body["reasoning_effort"] = json!("low")
    });
    refused(Openai, "required", |body| {
        let strict = json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false});
        body["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": strict, "strict": true}});
    });
    refused(Openai, "has no result", |body| {
        body["messages"] = json!([
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "user", "content": "y"},
        ]);
    });
    for provider in [Anthropic, VertexAnthropic, BedrockAnthropic] {
        refused(provider, "max_tokens", |body| {
            drop(body.as_object_mut().unwrap().remove("max_tokens"))
        });
        refused(provider, "messages.0", |body| {
            body["messages"][0]["content"] = json!([{"type": "text", "text": " "}])
        });
        refused(provider, "first message", |body| {
            body["messages"] = json!([{"role": "assistant", "content": "x"}])
        });
        refused(provider, "only one", |body| {
            body["temperature"] = json!(0.5);
            body["top_p"] = json!(0.5);
        });
        refused(provider, "greater than", |body| {
            body["thinking"] = json!({"type": "enabled", "budget_tokens": 1024})
        });
        refused(provider, "not supported", |body| {
            body["thinking"] = json!({"type": "adaptive"})
        });
        refused(provider, "property 'minimum' is not supported", |body| {
            body["output_config"] = json!({"format": {"type": "json_schema", "schema": {"type": "integer", "minimum": 1}}});
        });
        refused(provider, "signature", |body| {
            body["messages"] = json!([
                {"role": "user", "content": "x"},
                {"role": "assistant", "content": [{"type": "thinking", "thinking": "other", "signature": "c2ln"}]},
                {"role": "user", "content": "y"},
            ]);
        });
        refused(provider, "must be false", |body| {
            body["output_config"] = json!({"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}}}});
        });
    }
    refused(BedrockAnthropic, "stream", |body| {
        body["stream"] = json!(false)
    });
    refused(VertexAnthropic, "model", |body| {
        body["model"] = json!("claude-haiku-4-5")
    });
    refused(VertexAnthropic, "stream", |body| {
        body["stream"] = json!(true)
    });
    refused(Bedrock, "alternate", |body| {
        let twice = body["messages"][0].clone();
        body["messages"].as_array_mut().unwrap().push(twice);
    });
    refused(Bedrock, "toolConfig", |body| {
        body["messages"] = json!([
            {"role": "user", "content": [{"text": "x"}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "a", "name": "f", "input": {}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "a", "content": [{"text": "1"}]}}]},
        ]);
    });
    refused(Gemini, "seed", |body| {
        body["generationConfig"] = json!({"seed": 1_u64 << 40})
    });
    refused(Gemini, "number of function response parts", |body| {
        body["contents"] = json!([
            {"role": "user", "parts": [{"text": "x"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
            {"role": "user", "parts": [{"text": "y"}]},
        ]);
    });
    refused(VertexGemini, "id", |body| {
        body["contents"] = json!([
            {"role": "user", "parts": [{"text": "x"}]},
            {"role": "model", "parts": [{"functionCall": {"id": "1", "name": "f", "args": {}}}]},
        ]);
    });
}

#[test]
fn what_is_offered_is_called_and_what_is_answered_is_repeated() {
    let tool = json!({"name": "weather", "input_schema": schema()});
    let none = json!({"name": "now", "input_schema": {"type": "object", "properties": {}}});
    let called = ask(Provider::Anthropic, |body| {
        body["tools"] = json!([tool, none])
    })
    .json();
    let expected = json!([
        {"type": "tool_use", "id": "toolu_mock1", "name": "weather", "input": {"city": "Köln"}},
        {"type": "tool_use", "id": "toolu_mock2", "name": "now", "input": {}},
    ]);
    assert_eq!(
        (&called["content"], &called["stop_reason"]),
        (&expected, &json!("tool_use"))
    );
    let said = ask(Provider::Anthropic, |body| {
        body["tools"] = json!([tool, none]);
        body["messages"] = json!([
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": called["content"]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_mock1", "content": "rain"},
                {"type": "tool_result", "tool_use_id": "toolu_mock2", "content": [{"type": "text", "text": "noon"}]},
            ]},
        ]);
    });
    assert_eq!(
        said.json()["content"][0]["text"],
        "The tools say: rain, noon",
        "{}",
        said.text()
    );
}

#[test]
fn answers_fit_schemas_and_thoughts_are_signed() {
    let answer = ask(Provider::Bedrock, |body| {
        body["outputConfig"] = json!({"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": SCHEMA}}}});
        body["additionalModelRequestFields"] =
            json!({"thinking": {"type": "enabled", "budget_tokens": 1024}});
    });
    let content = &answer.json()["output"]["message"]["content"];
    let thought = &content[0]["reasoningContent"]["reasoningText"];
    assert_eq!(
        content[1]["text"],
        r#"{"city":"Köln"}"#,
        "{}",
        answer.text()
    );
    let again = ask(Provider::Bedrock, |body| {
        body["messages"] = json!([
            {"role": "user", "content": [{"text": "x"}]},
            {"role": "assistant", "content": [{"reasoningContent": {"reasoningText": thought}}, {"text": "a"}]},
            {"role": "user", "content": [{"text": "y"}]},
        ]);
    });
    assert_eq!(again.status, 200, "{}", again.text());
}

#[test]
fn failures_are_as_they_were_wished_for() {
    let running = started(Provider::Bedrock);
    let (path, body) = right(Provider::Bedrock);
    let stream = format!("{path}-stream");
    let with = |path: &str, knobs: &[(&str, &str)]| {
        let request = request(&running, path, &body);
        knobs
            .iter()
            .fold(request, |request, (name, value)| {
                request.header(name, value)
            })
            .send()
    };
    let limited = with(&path, &[("x-mock-status", "429")]);
    assert_eq!(
        (limited.status, limited.header("retry-after")),
        (429, "1".to_owned())
    );
    assert_eq!(limited.header("x-amzn-errortype"), "ThrottlingException");
    let page = with(
        &path,
        &[
            ("x-mock-status", "503"),
            ("x-mock-error-raw", "<html>"),
            ("x-mock-gzip", "always"),
        ],
    );
    assert_eq!(
        (page.header("content-type"), page.header("content-encoding")),
        ("text/html".to_owned(), "gzip".to_owned())
    );
    assert_eq!(page.body[..2], [0x1f, 0x8b]);
    let whole = with(&stream, &[]);
    assert_eq!(
        whole.header("content-type"),
        "application/vnd.amazon.eventstream"
    );
    assert!(whole.text().contains("messageStop"));
    let short = with(&stream, &[("x-mock-stop-after", "3")]);
    assert!(
        !short.cut && whole.body.starts_with(&short.body) && short.body.len() < whole.body.len()
    );
    let broken = with(&stream, &[("x-mock-error-after", "2")]);
    assert!(
        broken.text().contains("throttlingException") && !broken.text().contains("messageStop")
    );
}
