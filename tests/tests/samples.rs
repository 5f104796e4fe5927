//! The first configurations that a reader copies, from the README, the documentation and the sample of a
//! whole Envoy: they change what they are about, and no message of another kind is refused, lost or held.

use std::time::Duration;

use rustformations_tests::{EnvoyConfig, Lab, Reply, Route, on_every_envoy};
use serde_json::{Value, json};

/// The first JSON text of a page that holds `mark`.
fn sample(page: &str, mark: &str) -> Value {
    let text = std::fs::read_to_string(format!("{}/../{page}", env!("CARGO_MANIFEST_DIR")))
        .unwrap_or_else(|error| panic!("{page}: {error}"));
    let start = text
        .find(mark)
        .unwrap_or_else(|| panic!("no {mark} in {page}"));
    let begins = ["\n{", "  {\n"]
        .iter()
        .filter_map(|begin| text[..start].rfind(begin));
    let document = &text[begins.max().unwrap_or_default()..];
    let mut documents = serde_json::Deserializer::from_str(document).into_iter();
    match documents.next() {
        Some(Ok(document)) => document,
        other => panic!("{page}: {other:?}"),
    }
}

fn samples() -> [Value; 5] {
    [
        sample("README.md", "\"x-ai-model\""),
        sample("envoy.yaml", "\"x-ai-model\""),
        sample("k8s/overlays/istio/envoyfilter.yaml", "\"x-ai-model\""),
        sample("docs/configuration.md", "\"x-ai-model\""),
        sample("docs/configuration.md", "\"tokens\""),
    ]
}

on_every_envoy! {
    fn first_samples_are_safe_for_every_request(envoy) {
        for sample in samples() {
            let lab = Lab::start(envoy, &EnvoyConfig::new().route(Route::at("/").transform(sample.clone())));
            let model = |expected: &str| {
                let model = lab.origin().last().header("x-ai-model");
                assert!(sample["request"].is_null() || model == expected, "{model}: {sample}");
            };
            let asked = lab.post("/").json(&json!({"model": "tiny"})).send();
            assert_eq!(asked.status, 200);
            model("tiny");
            for (kind, body) in [("", ""), ("text/plain", "hello"), ("application/json", "[1]"), ("application/json", "{}")] {
                let request = lab.post("/").header("content-type", kind).body(body);
                assert_eq!(request.send().status, 200, "{body} {sample}");
                assert_eq!(lab.origin().last().text(), body);
                model("none");
            }
            assert_eq!(lab.get("/").send().status, 200);
            model("none");
        }
    }

    fn first_samples_are_safe_for_every_response(envoy) {
        for sample in samples() {
            let lab = Lab::start(envoy, &EnvoyConfig::new().route(Route::at("/").transform(sample.clone())));
            for (status, kind, body) in [
                (200, "application/json", r#"{"usage":{"total_tokens":3}}"#),
                (200, "application/json", "{}"),
                (200, "text/html", "<p>hello"),
                (502, "text/html", "<p>bad"),
                (401, "text/plain", ""),
            ] {
                let reply = Reply::new(status).header("content-type", kind).header("etag", "\"1\"");
                lab.origin().answer("/", reply.body(body));
                let answer = lab.get("/").send();
                assert_eq!((answer.status, answer.text().as_str()), (status, body), "{sample}");
                assert_eq!(answer.header("etag"), "\"1\"");
                lab.origin().answer("/head", Reply::new(status).header("content-type", kind));
                assert_eq!(lab.request("HEAD", "/head").send().status, status);
            }
            lab.origin().answer("/", Reply::new(204));
            assert_eq!(lab.get("/").send().status, 204);
            let events = Reply::events(&["1", "[DONE]"], Duration::from_millis(1));
            lab.origin().answer("/", events);
            assert_eq!(lab.get("/").send().text(), "data: 1\n\ndata: [DONE]\n\n");
        }
    }
}
