//! The overlays with providers: what each control plane is told, in a real Envoy of its release line, with
//! origins in the place of the providers.

use k8s_check::tree::Line;
use rustformations_tests::lab::with_envoy;
use rustformations_tests::{EnvoyConfig, Lab, Origin, Reply, Route, Settings, Version, workspace};
use serde_json::{Value, json};

use super::PATH;
use super::kgateway::{as_kgateway_sends, envoy_of, objects, one};

const MESSAGES: &str = "/v1/messages";

fn message() -> Reply {
    Reply::json(&json!({
        "id": "m", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": "of A"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 5, "output_tokens": 2},
    }))
}

fn completion() -> Reply {
    let message = json!({"role": "assistant", "content": "of B"});
    Reply::json(&json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }))
}

/// What a client of OpenAI's hears, who sends a key of its own.
fn ask(lab: &Lab) -> Value {
    let asked = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]});
    let request = lab
        .post(PATH)
        .header("authorization", "Bearer of-the-client");
    let answer = request.json(&asked).send();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["choices"][0]["message"]["content"].clone()
}

fn keys(mut settings: Settings) -> Settings {
    for (name, key) in [("ANTHROPIC_API_KEY", "k-a"), ("OPENAI_API_KEY", "k-b")] {
        settings.environment.push((name.to_owned(), key.to_owned()));
    }
    settings
}

#[test]
fn the_profile_of_kgateway_asks_anthropic() {
    let Some(objects) = objects("overlays/providers/kgateway") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("profiles.yaml");
    let text = one(&objects, "ConfigMap")["data"]["profiles.yaml"].as_str();
    std::fs::write(&file, text.unwrap()).unwrap();
    let variable = ("RUSTFORMATIONS_PROFILES", file.display().to_string());
    let settings = Settings {
        environment: vec![(variable.0.to_owned(), variable.1)],
        ..Settings::default()
    };
    with_envoy(envoy_of(Line::V2_4), |envoy| {
        let config = as_kgateway_sends(Line::V2_4, &objects);
        let lab = Lab::start_with(envoy, &config, keys(settings.clone()));
        lab.origin().answer(MESSAGES, message());
        assert_eq!(ask(&lab), "of A");
        let seen = lab.origin().last();
        let [host, key] = ["host", "x-api-key"].map(|name| seen.header(name));
        assert_eq!((host.as_str(), key.as_str()), ("api.anthropic.com", "k-a"));
        assert!(!seen.headers.has("authorization"));
    });
}

/// Runs a cluster and a route of an overlay; asks while Anthropic has time, and while it has none.
fn fails_over(version: Version, mut cluster: Value, action: &Value) {
    let (a, b) = (Origin::start().unwrap(), Origin::start().unwrap());
    let endpoints = cluster["load_assignment"]["endpoints"].as_array_mut();
    for (endpoint, origin) in endpoints.unwrap().iter_mut().zip([&a, &b]) {
        let host = &mut endpoint["lb_endpoints"][0]["endpoint"];
        assert_eq!(
            host["hostname"],
            host["address"]["socket_address"]["address"]
        );
        let port = origin.address().port();
        host["address"]["socket_address"] = json!({"address": "127.0.0.1", "port_value": port});
    }
    let tls = cluster.as_object_mut().unwrap().remove("transport_socket");
    assert_eq!(tls.unwrap()["typed_config"]["auto_host_sni"], true);
    let config = EnvoyConfig::new()
        .without_module()
        .cluster(cluster)
        .route(Route::at("/").field("route", action.clone()));
    let settings = Settings {
        module_folder: Some(workspace::module_folder().unwrap()),
        ..Settings::default()
    };
    with_envoy(version, |envoy| {
        let lab = Lab::start_with(envoy, &config, keys(settings.clone()));
        a.answer(MESSAGES, message());
        b.answer(PATH, completion());
        assert_eq!(ask(&lab), "of A");
        assert_eq!(a.last().header("x-api-key"), "k-a");
        a.answer(MESSAGES, Reply::new(429));
        assert_eq!(ask(&lab), "of B");
        let seen = b.last();
        assert_eq!(seen.header("authorization"), "Bearer k-b");
        assert_eq!(seen.header("host"), "api.openai.com");
    });
}

#[test]
fn the_filter_of_istio_fails_over() {
    let Some(objects) = objects("overlays/providers/istio") else {
        return;
    };
    let is_ours = |it: &&Value| it["metadata"]["name"] == "llm-providers";
    let filter = objects.iter().find(is_ours).unwrap();
    let patch = |number: usize| filter["spec"]["configPatches"][number]["patch"]["value"].clone();
    fails_over(Version::new(1, 38, 3), patch(0), &patch(1)["route"]);
}

#[test]
fn the_patches_of_envoy_gateway_fail_over() {
    let Some(objects) = objects("overlays/providers/envoy-gateway") else {
        return;
    };
    let patches = &one(&objects, "EnvoyPatchPolicy")["spec"]["jsonPatches"];
    let value = |number: usize| patches[number]["operation"]["value"].clone();
    fails_over(Version::new(1, 39, 3), value(0), &value(1));
}
