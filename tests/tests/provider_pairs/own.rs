//! What goes to its own provider alone, and what the configuration says about models and members.

use rustformations_tests::on_every_envoy;
use rustformations_tests::strict::Provider;
use serde_json::{Value, json};

use super::{Providers, good};

const KEYS: super::Lines<'_> = &[
    ("authorization", "Bearer of-the-client"),
    ("x-api-key", "of-the-client"),
    ("x-goog-api-key", "of-the-client"),
    ("openai-organization", "org"),
];

on_every_envoy! {
    fn other_apis_go_to_their_own_provider(envoy) {
        let providers = Providers::start(envoy, &Provider::ALL, &json!({}));
        let chat = json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]});
        for (path, body, targets) in [
            ("/v1/responses", json!({"model": "any", "input": "Hi"}), &[Provider::Openai, Provider::AzureOpenai][..]),
            ("/v1/completions", json!({"model": "any", "prompt": "Hi"}), &[Provider::Openai, Provider::AzureOpenai]),
            ("/v1/embeddings", json!({"model": "any", "input": "Hi"}), &[Provider::Openai, Provider::AzureOpenai]),
            ("/v1beta/models/any:generateContent", chat.clone(), &[Provider::Gemini, Provider::VertexGemini]),
            ("/v1beta/models/any:streamGenerateContent?alt=sse&key=of-the-client", chat.clone(), &[Provider::Gemini, Provider::VertexGemini]),
            ("/v1beta/models/any:countTokens", chat, &[Provider::Gemini, Provider::VertexGemini]),
        ] {
            for provider in Provider::ALL {
                let answer = providers.post(provider, path, &body, KEYS);
                let what = format!("{} {path}: {}", provider.name(), answer.text());
                match targets.contains(&provider) {
                    true => good(&answer, &what),
                    false => assert_eq!(answer.status, 404, "{what}"),
                }
            }
        }
        let stream = json!({"model": "any", "input": "Hi", "stream": true});
        let answer = providers.post(Provider::Openai, "/v1/responses", &stream, KEYS);
        assert!(answer.text().contains("event: response.completed"), "{}", answer.text());
    }

    fn members_are_added_set_and_removed(envoy) {
        let more = json!({"defaults": {"max_tokens": 77}, "remove": ["seed", "user"]});
        let providers = Providers::start(envoy, &Provider::ALL, &more);
        let ask = |provider, body: &Value| {
            let answer = providers.post(provider, "/v1/chat/completions", body, KEYS);
            good(&answer, provider.name());
            let seen = providers.last(provider);
            let places = ["/max_tokens", "/generationConfig/maxOutputTokens", "/inferenceConfig/maxTokens"];
            let most = places.iter().find_map(|place| seen.pointer(place).cloned());
            (most, seen.to_string())
        };
        for provider in Provider::ALL {
            let body = json!({"model": "any", "seed": 5, "user": "u-1", "messages": [{"role": "user", "content": "Hi"}]});
            let (most, seen) = ask(provider, &body);
            assert_eq!(most, Some(json!(77)), "{seen}");
            assert!(!seen.contains("u-1") && !seen.contains("seed"), "{seen}");
            let mut body = body;
            body["max_tokens"] = json!(9);
            assert_eq!(ask(provider, &body).0, Some(json!(9)));
        }
    }

    fn what_cannot_be_said_is_refused_or_dropped(envoy) {
        let targets = [Provider::Anthropic, Provider::Gemini, Provider::Bedrock];
        let body = json!({"model": "any", "logit_bias": {"1": 2}, "messages": [{"role": "user", "content": "Hi"}]});
        let refusing = Providers::start(envoy, &targets, &json!({}));
        for provider in targets {
            let answer = refusing.post(provider, "/v1/chat/completions", &body, KEYS);
            let error = &answer.json()["error"];
            assert_eq!((answer.status, &error["param"]), (422, &json!("logit_bias")), "{}", provider.name());
            assert!(refusing.running.iter().all(|running| running.seen().is_empty()));
        }
        drop(refusing);
        let dropping = Providers::start(envoy, &targets, &json!({"unsupported": "drop"}));
        for provider in targets {
            good(&dropping.post(provider, "/v1/chat/completions", &body, KEYS), provider.name());
        }
        assert_eq!(dropping.lab.stat("rustformations_provider_dropped_fields"), 3);
    }
}
