//! Which configuration a request gets: the filter's, a virtual host's or a route's, under any name
//! that a control plane uses; and what other filters learn from it.

use rustformations_tests::config::{
    CHAIN_ENTRY, FILTER_NAME, NEWER_FILTER_NAME, module_filter, per_route,
};
use rustformations_tests::differences::PER_ROUTE_FILTER_NAME;
use rustformations_tests::{EnvoyConfig, FilterConfig, Lab, Reply, Route, on_every_envoy};
use serde_json::{Value, json};

/// Rules that say on both sides where they were configured.
fn mark(place: &str) -> Value {
    let rules = json!({"set": [{"name": format!("x-{place}"), "value": "here"}]});
    json!({"request": rules, "response": rules})
}

/// The places whose rules ran for GET `path`; asserts that both directions agree.
fn places(lab: &Lab, path: &str) -> Vec<String> {
    let answer = lab.get(path).send();
    let marked = |headers: &rustformations_tests::Headers| -> Vec<String> {
        let names = headers.0.iter().filter(|(_, value)| value == b"here");
        let mut names: Vec<_> = names
            .map(|(name, _)| name.trim_start_matches("x-").to_owned())
            .collect();
        names.sort();
        names
    };
    let (asked, answered) = (
        marked(&lab.origin().last().headers),
        marked(&answer.headers),
    );
    assert_eq!(asked, answered, "{path}");
    answered
}

/// A filter that puts `%DYNAMIC_METADATA(...)%` into headers (`request_mutations` or
/// `response_mutations`).
fn show_metadata(mutations_of: &str, namespace: &str, keys: &[&str]) -> Value {
    let mutations: Vec<Value> = keys.iter().map(|key| json!({"append": {
        "header": {"key": format!("x-{key}"), "value": format!("%DYNAMIC_METADATA({namespace}:{key})%")},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }})).collect();
    json!({"name": "show", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        "mutations": {mutations_of: mutations},
    }})
}

fn at_virtual_host(config: &Value) -> Value {
    json!({CHAIN_ENTRY: per_route("per_route_config_name", FILTER_NAME, &config.clone().into())})
}

on_every_envoy! {
    fn a_route_replaces_the_filter_and_does_not_merge_with_it(envoy) {
        let config = EnvoyConfig::new()
            .filter_level(mark("filter"))
            .route(Route::at("/own").transform(mark("route")))
            .route(Route::at("/nothing").transform(json!({})))
            .route(Route::at("/"));
        let lab = Lab::start(envoy, &config);
        assert_eq!(places(&lab, "/own"), ["route"]);
        assert!(places(&lab, "/nothing").is_empty());
        assert_eq!(places(&lab, "/other"), ["filter"]);
    }

    fn the_most_specific_place_wins(envoy) {
        let config = EnvoyConfig::new()
            .filter_level(mark("filter"))
            .virtual_host("typed_per_filter_config", at_virtual_host(&mark("host")))
            .route(Route::at("/own").transform(mark("route")))
            .route(Route::at("/"));
        let lab = Lab::start(envoy, &config);
        assert_eq!(places(&lab, "/own"), ["route"]);
        assert_eq!(places(&lab, "/other"), ["host"]);
    }

    fn a_filter_that_is_disabled_runs_only_where_a_route_configures_it(envoy) {
        let config = EnvoyConfig::new()
            .route(Route::at("/on").transform(mark("route")))
            .route(Route::at("/"));
        let lab = Lab::start(envoy, &config);
        assert_eq!(places(&lab, "/on"), ["route"]);
        assert!(places(&lab, "/off").is_empty());
        assert_eq!(lab.stat("rustformations_requests_transformed"), 1);
    }

    fn a_route_switches_an_enabled_filter_off(envoy) {
        let off = json!({"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": true});
        let config = EnvoyConfig::new()
            .filter_level(mark("filter"))
            .route(Route::at("/off").per_filter(CHAIN_ENTRY, off))
            .route(Route::at("/"));
        let lab = Lab::start(envoy, &config);
        assert!(places(&lab, "/off").is_empty());
        assert_eq!(places(&lab, "/on"), ["filter"]);
    }

    fn a_request_that_matches_no_route_gets_what_the_listener_has(envoy) {
        let lab = Lab::start(
            envoy,
            &EnvoyConfig::new()
                .filter_level(mark("filter"))
                .route(Route::at("/known")),
        );
        let answer = lab.get("/unknown").send();
        assert_eq!(
            (answer.status, answer.header("x-filter").as_str()),
            (404, "here")
        );
    }

    fn both_names_of_the_filter_work_at_both_levels_in_any_combination(envoy) {
        for listener in [FILTER_NAME, NEWER_FILTER_NAME] {
            let config = EnvoyConfig::new()
                .filter_name(listener)
                .filter_level(mark("filter"))
                .route(
                    Route::at("/older")
                        .filter_name(FILTER_NAME)
                        .transform(mark("older")),
                )
                .route(
                    Route::at("/newer")
                        .filter_name(NEWER_FILTER_NAME)
                        .transform(mark("newer")),
                )
                .route(Route::at("/"));
            let lab = Lab::start(envoy, &config);
            assert_eq!(places(&lab, "/older"), ["older"]);
            assert_eq!(places(&lab, "/newer"), ["newer"]);
            assert_eq!(places(&lab, "/other"), ["filter"]);
        }
    }

    fn a_route_names_the_filter_in_either_field_where_envoy_knows_both(envoy) {
        let older = Route::at("/older").transform(mark("older"));
        let newer = Route::at("/newer")
            .named_by_filter_name()
            .filter_name(NEWER_FILTER_NAME)
            .transform(mark("newer"));
        // Kgateway 2.4 sends both fields.
        let mut both = per_route(
            "per_route_config_name",
            NEWER_FILTER_NAME,
            &mark("both").into(),
        );
        both["filter_name"] = json!(NEWER_FILTER_NAME);
        let both = Route::at("/both").per_filter(CHAIN_ENTRY, both);
        if PER_ROUTE_FILTER_NAME.is_in(envoy.version()) {
            let lab = Lab::start(
                envoy,
                &EnvoyConfig::new().route(older).route(newer).route(both),
            );
            assert_eq!(places(&lab, "/older"), ["older"]);
            assert_eq!(places(&lab, "/newer"), ["newer"]);
            assert_eq!(places(&lab, "/both"), ["both"]);
        } else {
            let lab = Lab::start(envoy, &EnvoyConfig::new().route(older));
            assert_eq!(places(&lab, "/older"), ["older"]);
        }
    }

    fn the_tutorial_filter_puts_its_two_headers_on_every_response(envoy) {
        let config = EnvoyConfig::new()
            .filter_name("my-smart-header")
            .filter_level("header=X-Smart-Header;mode=transform")
            .route(Route::at("/direct").direct_response(418, "teapot"))
            .route(Route::at("/").rewrite_path("/llm/chat/completions"));
        let lab = Lab::start(envoy, &config);
        lab.origin()
            .answer("/llm/chat/completions", Reply::new(200).body("a body"));
        for (path, status) in [("/v1/chat/completions", 200), ("/direct", 418)] {
            let answer = lab.post(path).json(&json!({})).send();
            assert_eq!(answer.status, status);
            assert_eq!(answer.headers.values("x-custom-transformed"), ["true"]);
            assert_eq!(
                answer.headers.values("x-smart-header"),
                [format!("method=POST&path={path}")]
            );
        }
    }

    fn the_tutorial_filter_may_be_named_on_a_route(envoy) {
        let mut config = EnvoyConfig::new().filter_name("my-smart-header");
        config = config
            .route(
                Route::at("/on")
                    .filter_name("my-smart-header")
                    .transform(json!({})),
            )
            .route(Route::at("/"));
        let lab = Lab::start(envoy, &config);
        assert_eq!(lab.get("/on").send().header("x-custom-transformed"), "true");
        assert_eq!(lab.get("/off").send().header("x-custom-transformed"), "");
    }

    fn a_route_configuration_of_another_filter_falls_back_to_the_listener_and_says_so(envoy) {
        let config = EnvoyConfig::new()
            .filter_level(mark("filter"))
            .route(
                Route::at("/foreign")
                    .filter_name("my-smart-header")
                    .transform(json!({})),
            )
            .route(Route::at("/"));
        let lab = Lab::start(envoy, &config);
        assert_eq!(places(&lab, "/foreign"), ["filter"]);
        lab.expect_log("belongs to another filter");
        assert_eq!(
            lab.stat("rustformations_errors.kind.foreign_route_config"),
            1
        );
    }

    fn several_instances_in_one_chain_run_independently(envoy) {
        let config = EnvoyConfig::new()
            .filter_before(module_filter(
                "first",
                NEWER_FILTER_NAME,
                &mark("first").into(),
                false,
            ))
            .filter_level(mark("second"))
            .filter_after(module_filter(
                "third",
                "my-smart-header",
                &FilterConfig::Absent,
                false,
            ))
            .route(Route::at("/"));
        let lab = Lab::start(envoy, &config);
        assert_eq!(places(&lab, "/"), ["first", "second"]);
        assert_eq!(lab.get("/").send().header("x-custom-transformed"), "true");
    }

    fn dynamic_metadata_is_there_for_the_filters_behind(envoy) {
        let transform = json!({"request": {
            "dynamicMetadata": [
                {"namespace": "lab.test", "key": "model", "value": {"stringValue": "{{ model }}"}},
                {"namespace": "lab.test", "key": "path", "value": {"stringValue": "{{ header(':path') }}"}},
                {"namespace": "lab.test", "key": "none", "value": {"stringValue": "{{ header('x-none') }}"}},
                {"namespace": "lab.test", "key": "tokens", "value": {"numberValue": "{{ max_tokens * 2 }}"}},
            ],
            "body": {"parseAs": "AsJson"},
        }});
        let config = EnvoyConfig::new()
            .filter_after(show_metadata(
                "request_mutations",
                "lab.test",
                &["model", "path", "none", "tokens"],
            ))
            .route(Route::at("/").transform(transform));
        let lab = Lab::start(envoy, &config);
        lab.post("/p")
            .json(&json!({"model": "gpt-4", "max_tokens": 21}))
            .send();
        let received = lab.origin().last();
        assert_eq!(received.header("x-model"), "gpt-4");
        assert_eq!(received.header("x-path"), "/p");
        assert_eq!(received.header("x-tokens"), "42");
        // An entry that renders empty is not written.
        assert!(!received.headers.has("x-none"), "{received:?}");
    }

    fn an_incomplete_metadata_entry_is_left_out_with_a_warning(envoy) {
        let transform = json!({"request": {"dynamicMetadata": [
            {"namespace": "lab.test", "value": {"stringValue": "no key"}},
            {"key": "nowhere", "value": {"stringValue": "no namespace"}},
            {"namespace": "lab.test", "key": "novalue"},
            {"namespace": "lab.test", "key": "whole", "value": {"stringValue": "yes"}},
        ]}});
        let config = EnvoyConfig::new()
            .filter_after(show_metadata(
                "request_mutations",
                "lab.test",
                &["novalue", "whole"],
            ))
            .route(Route::at("/").transform(transform));
        let lab = Lab::start(envoy, &config);
        lab.get("/").send();
        let received = lab.origin().last();
        assert_eq!(received.header("x-whole"), "yes");
        assert!(!received.headers.has("x-novalue"), "{received:?}");
        lab.expect_log("[RF1007] request.dynamicMetadata[0]");
    }

    fn dynamic_metadata_of_a_response_is_there_for_the_filters_before(envoy) {
        let transform = json!({"response": {
            "dynamicMetadata": [{"namespace": "lab.test", "key": "tokens", "value": {"stringValue": "{{ usage.total_tokens }}"}}],
            "body": {"parseAs": "AsJson"},
        }});
        let config = EnvoyConfig::new()
            .filter_before(show_metadata("response_mutations", "lab.test", &["tokens"]))
            .route(Route::at("/").transform(transform));
        let lab = Lab::start(envoy, &config);
        lab.origin()
            .answer("/", Reply::json(&json!({"usage": {"total_tokens": 32}})));
        assert_eq!(lab.get("/").send().header("x-tokens"), "32");
    }

    fn kgateways_own_configuration_marks_an_authenticated_request(envoy) {
        // Word for word what kgateway 2.3 writes for authentication metadata, on an extra instance.
        let auth = r#"{"request":{"body":{"parseAs":"None"},"dynamicMetadata":[{"namespace":"dev.kgateway.auth_policy","key":"auth_succeeded","value":{"stringValue":"true"}}]},"response":{"body":{"parseAs":"None"}}}"#;
        let per_route = per_route("per_route_config_name", NEWER_FILTER_NAME, &auth.into());
        let config = EnvoyConfig::new()
            .buffer_limit(1024)
            .filter_before(module_filter(
                "dynamic_modules/auth_metadata",
                NEWER_FILTER_NAME,
                &"{}".into(),
                true,
            ))
            .filter_after(show_metadata(
                "request_mutations",
                "dev.kgateway.auth_policy",
                &["auth_succeeded"],
            ))
            .route(
                Route::at("/")
                    .per_filter("dynamic_modules/auth_metadata", per_route)
                    .transform(mark("route")),
            );
        let lab = Lab::start(envoy, &config);
        let answer = lab.post("/").body(vec![b'x'; 64 << 10]).send();
        assert_eq!(
            (answer.status, answer.header("x-route").as_str()),
            (200, "here")
        );
        let received = lab.origin().last();
        assert_eq!(received.header("x-auth_succeeded"), "true");
        assert_eq!(received.body.len(), 64 << 10);
    }

    fn gos_way_of_writing_json_is_understood(envoy) {
        // encoding/json writes <, > and & so.
        let text = r#"{"response":{"set":[{"name":"x-cmp","value":"{% if 1 \u003c 2 %}a\u0026b{% endif %}\u003e"}]}}"#;
        let lab = Lab::start(
            envoy,
            &EnvoyConfig::new().route(Route::at("/").transform(text)),
        );
        assert_eq!(lab.get("/").send().header("x-cmp"), "a&b>");
    }

    fn the_older_map_shape_of_headers_is_understood(envoy) {
        let transform =
            json!({"request": {"set": {"x-a": "{{ header(':path') }}"}, "add": {"x-b": "b"}}});
        let lab = Lab::start(
            envoy,
            &EnvoyConfig::new().route(Route::at("/").transform(transform)),
        );
        lab.get("/p").send();
        let received = lab.origin().last();
        assert_eq!(received.header("x-a") + &received.header("x-b"), "/pb");
    }
}
