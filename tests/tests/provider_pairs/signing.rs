//! Envoy's own signer behind the filter, for Bedrock: what arrives is signed as it is.

use rustformations_tests::config::module_filter;
use rustformations_tests::strict::SECRET_KEY;
use rustformations_tests::strict::{Provider, StrictProvider};
use rustformations_tests::{Answer, Envoy, EnvoyConfig, Lab, Settings, on_every_envoy};
use serde_json::{Value, json};

const TARGETS: [Provider; 2] = [Provider::Bedrock, Provider::BedrockAnthropic];

/// Envoy with the providers below their names; `behind` are filters behind the signer.
fn start(envoy: &Envoy, running: &[StrictProvider], secret: &str, behind: &[Value]) -> Lab {
    let config = running.iter().fold(EnvoyConfig::new(), |config, provider| {
        let more = json!({"auth": "none"});
        let mut filters = vec![StrictProvider::signer(secret)];
        filters.extend_from_slice(behind);
        let cluster = provider.cluster(provider.provider().name(), &more, &filters);
        config.cluster(cluster).route(provider.route())
    });
    Lab::start_with(envoy, &config, Settings::default())
}

fn ask(lab: &Lab, provider: Provider, stream: bool) -> Answer {
    let body = json!({"model": "any", "stream": stream, "messages": [{"role": "user", "content": "Grüß dich"}]});
    lab.post(&format!("/{}/v1/chat/completions", provider.name()))
        .header("authorization", "Bearer of-the-client")
        .header("x-two", "a  b")
        .json(&body)
        .send()
}

fn running() -> Vec<StrictProvider> {
    TARGETS
        .iter()
        .map(|provider| StrictProvider::start(*provider).unwrap())
        .collect()
}

on_every_envoy! {
    fn envoy_signs_what_the_filter_made(envoy) {
        let running = running();
        let lab = start(envoy, &running, SECRET_KEY, &[]);
        for provider in TARGETS {
            for stream in [false, true] {
                let answer = ask(&lab, provider, stream);
                assert_eq!(answer.status, 200, "{}: {}", provider.name(), answer.text());
                assert!(answer.text().contains("dich"), "{}", answer.text());
            }
        }
        for provider in &running {
            for seen in provider.seen() {
                let authorization = seen.header("authorization").unwrap();
                assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIA"), "{authorization}");
            }
        }
    }

    fn a_signature_of_something_else_is_refused(envoy) {
        let running = running();
        let patch = json!({"request": {"body": {"patch": [{"op": "add", "path": "/max_tokens", "value": 8}]}}});
        let patch = module_filter("after", "rustformation", &patch.into(), false);
        for (secret, behind, reason) in [
            ("another/key", vec![], "the signature is of another request"),
            (SECRET_KEY, vec![patch], "is not the digest of the body"),
        ] {
            let lab = start(envoy, &running, secret, &behind);
            for provider in TARGETS {
                let answer = ask(&lab, provider, false);
                let error = &answer.json()["error"];
                assert_eq!((answer.status, &error["type"]), (403, &json!("permission_error")), "{error}");
                assert!(error["message"].as_str().unwrap().contains(reason), "{error}");
            }
        }
    }
}
