//! Requests whose route is chosen again because a transform changed what routes match on, and typed
//! metadata for what comes behind the filter.

use rustformations_tests::differences::{METADATA_HOLDS_LISTS, METADATA_NESTS};
use rustformations_tests::{Envoy, EnvoyConfig, Lab, Route, on_every_envoy};
use serde_json::{Value, json};

/// `/old` is transformed; `/new` answers by itself, and so does whatever has `x-tier: gold`.
fn lab(envoy: &Envoy, request: &Value) -> Lab {
    let gold =
        json!({"prefix": "/", "headers": [{"name": "x-tier", "string_match": {"exact": "gold"}}]});
    let config = EnvoyConfig::new()
        .route(
            Route::at("/")
                .field("match", gold)
                .direct_response(418, "gold"),
        )
        .route(Route::at("/new").direct_response(417, "new"))
        .route(Route::at("/").transform(json!({"request": request})));
    Lab::start(envoy, &config)
}

fn set(name: &str, value: &str) -> Value {
    json!([{"name": name, "value": value}])
}

/// A filter that puts dynamic metadata into response headers.
fn show(keys: &[&str]) -> Value {
    let mutations: Vec<Value> = keys.iter().map(|key| json!({"append": {
        "header": {"key": format!("x-{}", key.replace(':', "-")), "value": format!("%DYNAMIC_METADATA(n:{key})%")},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }})).collect();
    json!({"name": "show", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        "mutations": {"response_mutations": mutations},
    }})
}

on_every_envoy! {
    fn a_rewritten_path_keeps_its_route_unless_told_otherwise(envoy) {
        let changed = lab(envoy, &json!({"set": set(":path", "/new"), "clearRouteCache": "auto"}));
        assert_eq!(changed.get("/old").send().status, 417);
        for kept in [json!({}), json!({"clearRouteCache": "never"}), json!({"clearRouteCacheHeaders": ["x-tier"]})] {
            let mut rules = kept;
            rules["set"] = set(":path", "/new");
            let kept = lab(envoy, &rules);
            assert_eq!(kept.get("/old").send().status, 200, "{rules}");
            assert_eq!(kept.origin().last().path, "/new");
        }
    }

    fn a_header_from_the_body_chooses_the_route_if_it_is_listed(envoy) {
        let rules = json!({"body": {"parseAs": "AsJson"}, "set": set("x-tier", "{{ tier }}")});
        let mut listed = rules.clone();
        listed["clearRouteCacheHeaders"] = json!(["X-Tier"]);
        let mut always = rules.clone();
        always["clearRouteCache"] = json!("always");
        for (rules, status) in [(rules, 200), (listed, 418), (always, 418)] {
            let lab = lab(envoy, &rules);
            assert_eq!(lab.post("/old").json(&json!({"tier": "gold"})).send().status, status, "{rules}");
            assert_eq!(lab.post("/old").json(&json!({"tier": "tin"})).send().status, 200);
            assert_eq!(lab.origin().last().header("x-tier"), "tin");
        }
    }

    fn the_response_is_transformed_by_the_configuration_that_the_request_began_with(envoy) {
        let transform = |name: &str| json!({
            "request": {"set": set(":path", "/new"), "clearRouteCache": "auto"},
            "response": {"set": set("x-by", name)},
        });
        let config = EnvoyConfig::new()
            .route(Route::at("/old").transform(transform("old")))
            .route(Route::at("/new").transform(transform("new")));
        let lab = Lab::start(envoy, &config);
        assert_eq!(lab.get("/old").send().header("x-by"), "old");
        assert_eq!(lab.origin().last().path, "/new");
    }

    fn metadata_has_the_type_that_its_json_spells(envoy) {
        let rules = json!({"request": {"body": {"parseAs": "AsJson"}, "dynamicMetadata": [
            {"namespace": "n", "key": "tokens", "value": {"jsonValue": "{{ usage.total }}"}},
            {"namespace": "n", "key": "flag", "value": {"jsonValue": true}},
            {"namespace": "n", "key": "list", "value": {"jsonValue": "{{ tags|tojson }}"}},
        ]}});
        let config = EnvoyConfig::new()
            .filter_after(show(&["tokens", "flag", "list"]))
            .route(Route::at("/").transform(rules));
        if !METADATA_HOLDS_LISTS.is_in(envoy.version()) {
            let log = Lab::refuse(envoy, &config);
            assert!(log.contains("this host cannot store lists in dynamic metadata"), "{log}");
            return;
        }
        let lab = Lab::start(envoy, &config);
        let answer = lab.post("/").json(&json!({"usage": {"total": 42}, "tags": ["a", 2, false]})).send();
        let shown = ["x-tokens", "x-flag", "x-list"].map(|name| answer.header(name));
        assert_eq!(shown, ["42", "true", "[\"a\",2,false]"]);
    }
    fn metadata_that_nests_is_stored_from_1_40_on(envoy) {
        let deep = format!("{}1{}", "{\"a\":".repeat(30), "}".repeat(30));
        let rules = json!({"request": {"body": {"parseAs": "AsJson"}, "dynamicMetadata": [
            {"namespace": "n", "key": "call", "value": {"jsonValue": {"by": {"team": "{{ header('x-team') }}"}}}},
            {"namespace": "n", "key": "usage", "value": {"jsonValue": "{{ usage|tojson }}"}},
            {"namespace": "n", "key": "deep", "value": {"jsonValue": deep}},
            {"namespace": "n", "key": "text", "value": "kept"},
        ]}});
        let end_of_deep = format!("deep{}", ":a".repeat(30));
        let paths = ["call:by:team", "usage:total", "usage", "text", &end_of_deep];
        let config = EnvoyConfig::new()
            .filter_after(show(&paths))
            .route(Route::at("/").transform(rules));
        if !METADATA_NESTS.is_in(envoy.version()) {
            let log = Lab::refuse(envoy, &config);
            assert!(log.contains("this host cannot store nested values in dynamic metadata"), "{log}");
            assert!(log.contains("Envoy can do it from 1.40 on"), "{log}");
            return;
        }
        let lab = Lab::start(envoy, &config);
        let body = json!({"usage": {"total": 42, "by": [null, [true]]}});
        let answer = lab.post("/").header("x-team", "blue").json(&body).send();
        let shown = paths.map(|path| answer.header(&format!("x-{}", path.replace(':', "-"))));
        assert_eq!(shown, ["blue", "42", r#"{"by":[null,[true]],"total":42}"#, "kept", "1"]);
    }
}
