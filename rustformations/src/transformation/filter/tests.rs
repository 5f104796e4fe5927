//! The state machine on the SDK's Envoy in memory: patched bodies, routes that are chosen again, and
//! bodies that are too large.

use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_attribute_id as Attribute;
use envoy_proxy_dynamic_modules_rust_sdk::testing::{
    Exchange, FakeEnvoy, FakeEnvoyConfig, FakeMessage,
};
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, EnvoyVersion, HttpFilterConfig};

use super::super::new_http_filter_config;

type Config = Box<dyn HttpFilterConfig<FakeEnvoy>>;

fn load(version: EnvoyVersion, config: &str) -> (FakeEnvoyConfig, Config) {
    let mut host = FakeEnvoyConfig::new(version);
    let config = new_http_filter_config(&mut host, "rustformation", config.as_bytes());
    (host, config.expect("the configuration is valid"))
}

fn post(body: &str) -> FakeMessage {
    FakeMessage::request("POST", "/old").chunk(body)
}

fn errors(host: &FakeEnvoyConfig, kind: &str) -> u64 {
    host.metrics()
        .counter_with("rustformations_errors", &[kind])
}

#[test]
fn a_patch_edits_both_bodies_and_their_lengths_fit() {
    let (host, config) = load(
        EnvoyVersion::V1_36,
        r#"{"request":{"body":{"patch":[{"op":"add","path":"/b","value":2}]}},
            "response":{"body":{"patch":[{"op":"remove","path":"/a"}]}}}"#,
    );
    let mut exchange = Exchange::new(&*config, host.stream());
    let response = FakeMessage::response(200)
        .header("content-length", "13")
        .chunk(r#"{"a":1,"#)
        .chunk(r#""c":3}"#);
    let request = post(r#"{"a":1}"#).header("content-length", "7");
    exchange.run(&request, &response);
    assert_eq!(exchange.upstream().text(), r#"{"a":1,"b":2}"#);
    assert_eq!(
        exchange.upstream().header("content-length").as_deref(),
        Some("13")
    );
    assert_eq!(exchange.downstream().text(), r#"{"c":3}"#);
    assert_eq!(
        exchange.downstream().header("content-length").as_deref(),
        Some("7")
    );
}

#[test]
fn the_route_is_chosen_again_when_what_routes_match_on_has_changed() {
    let clears = |rules: &str| {
        let (host, config) = load(
            EnvoyVersion::V1_36,
            &format!(r#"{{"request":{{{rules}}}}}"#),
        );
        let mut exchange = Exchange::new(&*config, host.stream());
        exchange.run(&post("{}"), &FakeMessage::response(200));
        exchange.envoy().route_cache_clears()
    };
    let path = r#""set":[{"name":":path","value":"/new"}]"#;
    let model = r#""set":[{"name":"x-model","value":"m"}]"#;
    assert_eq!(clears(path), 0);
    assert_eq!(clears(&format!(r#"{path},"clearRouteCache":"auto""#)), 1);
    let same = r#""set":[{"name":":path","value":"/old"}]"#;
    assert_eq!(clears(&format!(r#"{same},"clearRouteCache":"auto""#)), 0);
    assert_eq!(clears(model), 0);
    assert_eq!(
        clears(&format!(r#"{model},"clearRouteCacheHeaders":["x-model"]"#)),
        1
    );
    assert_eq!(clears(&format!(r#"{model},"clearRouteCache":"always""#)), 1);
}

#[test]
fn the_larger_of_both_limits_counts_and_where_the_hosts_is_not_known_the_own_one() {
    let config = r#"{"request":{"body":{"value":"<{{ body() }}>"},"maxBodyBytes":100}}"#;
    let status = |version, limit, bytes: usize| {
        let (host, config) = load(version, config);
        let mut exchange = Exchange::new(&*config, host.stream().with_buffer_limit(limit));
        exchange.run(&post(&"x".repeat(bytes)), &FakeMessage::response(200));
        exchange.downstream().status()
    };
    assert_eq!(status(EnvoyVersion::V1_38, 10, 100), Some(200));
    assert_eq!(status(EnvoyVersion::V1_38, 10, 101), Some(413));
    assert_eq!(status(EnvoyVersion::V1_38, 1000, 1000), Some(200));
    assert_eq!(status(EnvoyVersion::V1_38, 0, 5000), Some(200));
    assert_eq!(status(EnvoyVersion::V1_37, 10, 100), Some(200));
    assert_eq!(status(EnvoyVersion::V1_37, 10, 101), Some(413));
    assert_eq!(status(EnvoyVersion::V1_36, 1000, 101), Some(413));
}

#[test]
fn a_transform_without_a_body_to_hold_leaves_the_limit_alone() {
    let rules = r#"{"request":{"set":[{"name":"x-a","value":"1"}],"maxBodyBytes":100}}"#;
    let (host, config) = load(EnvoyVersion::V1_40, rules);
    let mut exchange = Exchange::new(&*config, host.stream().with_buffer_limit(10));
    exchange.run(&post("x"), &FakeMessage::response(200));
    assert_eq!(exchange.envoy().get_buffer_limit(), 10);
}

#[test]
fn a_body_too_large_is_counted_if_this_filter_held_it() {
    let both = r#"{"request":{"body":{"value":"<{{ body() }}>"}},
                   "response":{"body":{"value":"<{{ body() }}>"}}}"#;
    for (config, details, request, response, expected) in [
        (both, Some("request_payload_too_large"), 11, 1, 1),
        (both, Some("response_payload_too_large"), 1, 11, 1),
        // Hosts that cannot be asked for the details.
        (both, None, 11, 1, 1),
        (both, None, 1, 1, 0),
        // Nothing was held here, or something else ended the stream.
        ("{}", Some("request_payload_too_large"), 11, 1, 0),
        (both, Some("request_overall_timeout"), 1, 11, 0),
    ] {
        let (host, config) = load(EnvoyVersion::V1_36, config);
        let mut stream = host.stream().with_buffer_limit(10);
        if let Some(details) = details {
            stream = stream.with_attribute_string(Attribute::ResponseCodeDetails, details);
        }
        let mut exchange = Exchange::new(&*config, stream);
        let reply = FakeMessage::response(200).chunk("y".repeat(response));
        exchange.run(&post(&"x".repeat(request)), &reply);
        let counted = errors(&host, "body_too_large");
        assert_eq!(counted, expected, "{details:?} {request} {response}");
    }
}

/// What each hook of an exchange with both bodies asks of Envoy, in order.
fn calls(config: &str) -> [String; 4] {
    let (host, config) = load(EnvoyVersion::V1_40, config);
    let mut exchange = Exchange::new(&*config, host.stream());
    let body = r#"{"model":"m","messages":[]}"#;
    let (request, response) = (post(body), FakeMessage::response(200));
    let length = ("content-length", body.len().to_string());
    let (request, response) = (
        request.header(length.0, &length.1),
        response.header(length.0, &length.1),
    );
    let told = |exchange: &Exchange<'_>| exchange.envoy().take_calls().join(" ");
    exchange.request_headers(&request, false);
    let on_request_headers = told(&exchange);
    exchange.request_body(body, true);
    let on_request_body = told(&exchange);
    exchange.response_headers(&response, false);
    let on_response_headers = told(&exchange);
    exchange.response_body(body, true);
    [
        on_request_headers,
        on_request_body,
        on_response_headers,
        told(&exchange),
    ]
}

#[test]
fn every_hook_makes_just_these_calls_into_envoy() {
    let headers =
        r#"{"request":{"set":[{"name":"x-a","value":"{{ request.path }}"}],"remove":["x-c"]}}"#;
    let both = r#"{"request":{"set":[{"name":"x-a","value":"{{ request.path }}"}]},
        "response":{"set":[{"name":"x-b","value":"{{ request.method }}"}]}}"#;
    let patch = r#"{"request":{"body":{"patch":[{"op":"add","path":"/n","value":1}]}}}"#;
    let held_here = r#"{"request":{"body":{"patch":[{"op":"add","path":"/n","value":1}]},
        "maxBodyBytes":2097152}}"#;
    let read = r#"{"response":{"body":{"parseAs":"AsJson"},
        "set":[{"name":"x-model","value":"{{ model }}"}]}}"#;
    for (config, expected) in [
        ("{}", ["route", "", "", ""]),
        (headers, ["route header set remove", "", "", ""]),
        // The response's template is about the request, so its header is kept.
        (both, ["route header header set", "", "set", ""]),
        // Both questions are about the method: there may be no end to wait for.
        (
            patch,
            [
                "route header header",
                "header body headers size drain limit append set",
                "",
                "",
            ],
        ),
        (
            held_here,
            [
                "route header header limit",
                "chunks drain header headers limit append set",
                "",
                "",
            ],
        ),
        // The status: whether it opens a tunnel, and whether there can be a body.
        (
            read,
            [
                "route header header",
                "",
                "header header",
                "header header body set",
            ],
        ),
    ] {
        assert_eq!(calls(config), expected, "{config}");
    }
}
