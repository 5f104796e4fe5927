//! What the manifests promise is what comes out: the transformation of every overlay, sent to a real
//! Envoy of its release line in the JSON that its control plane would make of it.
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod kgateway;
mod profiles;
mod providers;

use k8s_check::tree::{self, Line, OVERLAYS};
use kgateway::{as_go_writes, as_kgateway_sends, envoy_of, objects, one};
use rustformations_tests::config::NEWER_FILTER_NAME;
use rustformations_tests::lab::with_envoy;
use rustformations_tests::{
    EnvoyConfig, Lab, Reply, Route, Settings, Version, differences, on_every_envoy, workspace,
};
use serde_json::json;

const PATH: &str = "/v1/chat/completions";
const MOCK_PATH: &str = "/llm/chat/completions";

/// Sends the articles' request; checks what the origin and the client get.
fn promises_are_kept(lab: &Lab, origin_path: &str) {
    let reply = json!({"object": "chat.completion", "model": "gpt-4"});
    lab.origin().answer(origin_path, Reply::json(&reply));
    let request = json!({"model": "gpt-4", "messages": [{"role": "user", "content": "Hello"}]});
    let answer = lab.post(PATH).json(&request).send();

    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-custom-transformed"), "true");
    assert_eq!(
        answer.header("x-smart-header"),
        "method=POST&path=/v1/chat/completions"
    );
    assert_eq!(answer.json(), reply);
    let received = lab.origin().last();
    assert_eq!(received.path, origin_path);
    assert_eq!(received.header("x-ai-model"), "gpt-4");
    assert_eq!(received.json(), request);
    // What k8s/lab.sh takes as proof that this module answered.
    assert_eq!(lab.stat("rustformations_responses_transformed"), 1);
}

#[test]
fn every_traffic_policy_does_what_it_says_on_the_envoy_of_its_kgateway() {
    for overlay in OVERLAYS
        .iter()
        .filter(|overlay| !overlay.path.ends_with("llm-openai"))
        // What these do is in profiles.rs and providers.rs.
        .filter(|overlay| !overlay.path.starts_with("overlays/profiles/"))
        .filter(|overlay| !overlay.path.starts_with("overlays/providers/"))
    {
        let Some(line) = overlay.line else { continue };
        let Some(objects) = objects(overlay.path) else {
            return;
        };
        with_envoy(envoy_of(line), |envoy| {
            let lab = Lab::start(envoy, &as_kgateway_sends(line, &objects));
            promises_are_kept(&lab, MOCK_PATH);
        });
    }
}

#[test]
fn the_real_provider_gets_its_host_its_path_and_the_key_from_the_secret() {
    let Some(objects) = objects("overlays/llm-openai") else {
        return;
    };
    let variables =
        one(&objects, "GatewayParameters")["spec"]["kube"]["envoyContainer"]["env"].clone();
    let variables = variables.as_array().unwrap().iter().map(|variable| {
        let value = variable["value"].as_str().unwrap_or("sk-from-the-secret");
        (
            variable["name"].as_str().unwrap().to_owned(),
            value.to_owned(),
        )
    });
    let settings = Settings {
        environment: variables.collect(),
        ..Settings::default()
    };
    with_envoy(envoy_of(Line::V2_4), |envoy| {
        let lab = Lab::start_with(envoy, &as_kgateway_sends(Line::V2_4, &objects), settings);
        promises_are_kept(&lab, PATH);
        let request = lab
            .post(PATH)
            .header("authorization", "Bearer sk-of-the-client");
        assert_eq!(request.json(&json!({"model": "gpt-4"})).send().status, 200);
        let received = lab.origin().last();
        assert_eq!(received.header("host"), "api.openai.com");
        assert_eq!(
            received.headers.values("authorization"),
            ["Bearer sk-from-the-secret"]
        );
    });
}

#[test]
fn the_policy_of_envoy_gateway_does_the_same() {
    let Some(objects) = objects("overlays/envoy-gateway") else {
        return;
    };
    let module = &one(&objects, "EnvoyExtensionPolicy")["spec"]["dynamicModule"][0];
    let config = EnvoyConfig::new()
        .filter_name(module["filterName"].as_str().unwrap())
        .filter_level(as_go_writes(&module["config"]).as_str())
        .route(Route::at(PATH).rewrite_path(MOCK_PATH));
    with_envoy(Version::new(1, 39, 3), |envoy| {
        promises_are_kept(&Lab::start(envoy, &config), MOCK_PATH);
    });
}

#[test]
fn the_filter_of_istio_does_the_same() {
    let Some(objects) = objects("overlays/istio") else {
        return;
    };
    let filter = &one(&objects, "EnvoyFilter")["spec"]["configPatches"][0]["patch"]["value"];
    let config = EnvoyConfig::new()
        .without_module()
        .filter_before(filter.clone())
        .route(Route::at(PATH).rewrite_path(MOCK_PATH));
    let settings = Settings {
        module_folder: Some(workspace::module_folder().unwrap()),
        ..Settings::default()
    };
    with_envoy(Version::new(1, 38, 3), |envoy| {
        promises_are_kept(
            &Lab::start_with(envoy, &config, settings.clone()),
            MOCK_PATH,
        );
    });
}

/// The policy as the article prints it. A stock module would send these operators out as they stand.
#[test]
fn the_articles_own_policy_gives_what_the_article_shows() {
    let transform = json!({"response": {"set": [
        {"name": "X-Custom-Transformed", "value": "true"},
        {"name": "X-Smart-Header", "value": "method=%REQ(:METHOD)%&path=%REQ(:PATH)%"},
    ]}});
    let route = Route::at(PATH)
        .filter_name(NEWER_FILTER_NAME)
        .transform(as_go_writes(&transform).as_str())
        .rewrite_path(MOCK_PATH);
    with_envoy(envoy_of(Line::V2_3), |envoy| {
        let config = EnvoyConfig::new()
            .filter_name(NEWER_FILTER_NAME)
            .route(route);
        let lab = Lab::start(envoy, &config);
        let answer = lab.post(PATH).json(&json!({"model": "gpt-4"})).send();
        assert_eq!(answer.header("x-custom-transformed"), "true");
        assert_eq!(
            answer.header("x-smart-header"),
            "method=POST&path=/v1/chat/completions"
        );
    });
}

on_every_envoy! {
    /// What a scrape finds is what k8s/observability asks for.
    fn counters_are_scraped_under_the_two_names_that_rules_ask_for(envoy) {
        let transform = json!({"response": {"set": [{"name": "x-a", "value": "b"}]}});
        let lab = Lab::start(envoy, &EnvoyConfig::new().route(Route::at("/").transform(transform)));
        assert_eq!(lab.get("/").send().header("x-a"), "b");
        let scraped = lab.envoy().admin_get("/stats/prometheus?usedonly").unwrap();
        let counter = "rustformations_responses_transformed";
        let name = if differences::STATS_NAMESPACE_IS_CONFIGURABLE.is_in(envoy.version()) {
            format!("envoy_dynamicmodulescustom_{counter}")
        } else {
            counter.to_owned()
        };
        let named = |line: &str| line.split(['{', ' ']).next() == Some(name.as_str());
        assert!(scraped.lines().any(named), "{name} is not in:\n{scraped}");
    }

    /// The label by which the rules and the dashboard tell errors apart.
    fn errors_are_scraped_with_their_kind(envoy) {
        let transform = json!({"request": {"body": {"parseAs": "AsJson"}, "set": [{"name": "x-a", "value": "{{ model }}"}]}});
        let lab = Lab::start(envoy, &EnvoyConfig::new().route(Route::at("/").transform(transform)));
        assert_eq!(lab.post("/").body("no json").send().status, 400);
        let scraped = lab.envoy().admin_get("/stats/prometheus?usedonly").unwrap();
        let errors = |line: &str| line.contains("rustformations_errors{") && line.contains("kind=\"");
        assert!(scraped.lines().any(errors), "{scraped}");
    }

    /// Envoy takes a route table's name out of the metric's name when it can. It cannot with kgateway's
    /// names (`listener~8080`), so the alert's pattern has to find both.
    fn a_refused_route_table_is_scraped_under_the_names_that_the_alert_asks_for(envoy) {
        let rules = std::fs::read_to_string(tree::root().join("k8s/observability/prometheusrule.yaml")).unwrap();
        assert!(rules.contains("envoy_http_rds_(.+_)?update_rejected"));
        let mut lab = Lab::start(envoy, &EnvoyConfig::new().routes_from_file().route(Route::at("/")));
        let broken = json!({"request": {"set": [{"name": "x-a", "value": "{{ model"}]}});
        assert!(!lab.replace_routes(&[Route::at("/").transform(broken)]));
        let scraped = lab.envoy().admin_get("/stats/prometheus?usedonly").unwrap();
        let named = |line: &str| line.split(['{', ' ']).next() == Some("envoy_http_rds_update_rejected");
        assert!(scraped.lines().any(named), "{scraped}");
    }
}
