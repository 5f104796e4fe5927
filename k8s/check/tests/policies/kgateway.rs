//! What a kgateway makes of an overlay, for the tests that send it to a real Envoy.

use k8s_check::tree::{self, Line};
use rustformations_tests::config::{self, CHAIN_ENTRY, FILTER_NAME, NEWER_FILTER_NAME};
use rustformations_tests::{EnvoyConfig, Route, Version, tools};
use serde_json::{Value, json};

/// The objects of an overlay; none if nothing here can render them.
pub(crate) fn objects(path: &str) -> Option<Vec<Value>> {
    tools::has_tool("kubectl")
        .unwrap()
        .then(|| tree::render(path).unwrap())
}

/// The only object of a kind.
pub(crate) fn one<'v>(objects: &'v [Value], kind: &str) -> &'v Value {
    let mut found = objects.iter().filter(|object| object["kind"] == kind);
    let first = found.next().unwrap();
    assert!(found.next().is_none(), "more than one {kind}");
    first
}

/// As Go's `json.Marshal` writes it: HTML's characters escaped.
pub(crate) fn as_go_writes(document: &Value) -> String {
    document
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

/// The Envoy of a line.
pub(crate) fn envoy_of(line: Line) -> Version {
    match line {
        Line::V2_2 => Version::new(1, 36, 4),
        Line::V2_3 => Version::new(1, 37, 0),
        Line::V2_4 => Version::new(1, 38, 3),
    }
}

/// The configuration that a kgateway of `line` sends for an overlay's route and policy.
pub(crate) fn as_kgateway_sends(line: Line, objects: &[Value]) -> EnvoyConfig {
    let transform = as_go_writes(&one(objects, "TrafficPolicy")["spec"]["transformation"]);
    let name = if line == Line::V2_2 {
        FILTER_NAME
    } else {
        NEWER_FILTER_NAME
    };
    let mut per_route =
        config::per_route("per_route_config_name", name, &transform.as_str().into());
    if line == Line::V2_4 {
        per_route["filter_name"] = json!(name);
    }
    let rule = &one(objects, "HTTPRoute")["spec"]["rules"][0];
    let mut route = Route::at(rule["matches"][0]["path"]["value"].as_str().unwrap());
    let rewrite = &rule["filters"][0]["urlRewrite"];
    if let Some(path) = rewrite["path"]["replaceFullPath"].as_str() {
        route = route.rewrite_path(path);
    }
    if let Some(host) = rewrite["hostname"].as_str() {
        route = route.action("host_rewrite_literal", json!(host));
    }
    EnvoyConfig::new()
        .filter_name(name)
        .route(route.per_filter(CHAIN_ENTRY, per_route))
}
