//! The transformation filter in the chain of a cluster, behind the router: once for each attempt.

use std::time::Duration;

use rustformations_tests::differences::HELD_RESPONSES_ARE_RETRIED;
use rustformations_tests::{
    Body, Envoy, EnvoyConfig, Lab, Origin, Reply, Route, Settings, on_every_envoy, workspace,
};
use serde_json::{Value, json};

fn set(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

/// One route, and this transformation in the chain of its cluster.
fn lab(envoy: &Envoy, transform: Value) -> Lab {
    let config = EnvoyConfig::new().without_module();
    Lab::start(envoy, &config.upstream_filter(transform))
}

/// The same where Envoy tries up to three times.
fn retrying(envoy: &Envoy, transform: Value) -> Lab {
    let policy =
        json!({"retry_on": "5xx", "num_retries": 2, "retry_back_off": {"base_interval": "0.001s"}});
    let config = EnvoyConfig::new().without_module();
    let config = config.route(Route::at("/").action("retry_policy", policy));
    Lab::start(envoy, &config.upstream_filter(transform))
}

/// What the origin got, in order.
fn attempts(lab: &Lab) -> Vec<(String, String)> {
    let received = lab.origin().received();
    received
        .iter()
        .map(|it| (it.path.clone(), it.text()))
        .collect()
}

fn attempt(path: &str, body: &str) -> (String, String) {
    (path.to_owned(), body.to_owned())
}

on_every_envoy! {
    fn heads_are_rewritten_the_path_included(envoy) {
        for clear in ["auto", "always", "never"] {
            let lab = lab(envoy, json!({
                "request": {
                    "set": [set(":path", "/p{{ request_header(':path') }}"), set(":authority", "provider.test"), set("x-a", "1")],
                    "add": [set("x-added", "2")],
                    "remove": ["x-gone"],
                    "clearRouteCache": clear,
                    "clearRouteCacheHeaders": ["x-a"],
                },
                "response": {"set": [set("x-path", "{{ request_header(':path') }}"), set(":status", "201")]},
            }));
            let answer = lab.post("/x").header("x-gone", "1").body("as it was").send();
            let received = lab.origin().last();
            assert_eq!((received.path.as_str(), received.text().as_str()), ("/p/x", "as it was"), "{clear}");
            assert_eq!(received.header("host") + &received.header("x-a") + &received.header("x-added"), "provider.test12");
            assert!(!received.headers.has("x-gone"));
            assert_eq!((answer.status, answer.header("x-path").as_str(), answer.text().as_str()), (201, "/x", "ok"));
        }
    }

    fn bodies_are_replaced_and_patched_both_ways(envoy) {
        let template = json!({"body": {"value": "<{{ body() }}>"}});
        let patch = json!({"body": {"patch": [{"op": "add", "path": "/n", "value": 1}]}});
        for (transform, was, is) in [(template, "was", "<was>"), (patch, r#"{"a":1.0}"#, r#"{"a":1.0,"n":1}"#)] {
            let lab = lab(envoy, json!({"request": transform, "response": transform}));
            let (one, rest) = was.split_at(2);
            let chunked = Body::chunked().piece(one).pause(Duration::from_millis(20)).piece(rest);
            // What came without a length goes on without one.
            for (script, length) in [(Body::whole(was), Some(is.len().to_string())), (chunked, None)] {
                lab.origin().answer("/", Reply::new(200).stream(script.clone()));
                let answer = lab.post("/").stream(script).send();
                let received = lab.origin().last();
                assert_eq!((received.text().as_str(), answer.text().as_str()), (is, is));
                for headers in [&received.headers, &answer.headers] {
                    assert_eq!(headers.values("content-length"), Vec::from_iter(length.clone()));
                }
            }
        }
    }

    fn an_attempt_starts_with_the_body_of_the_client_and_the_headers_of_the_last_attempt(envoy) {
        let mut response = json!({"set": [set("x-seen", "{{ header(':status') }}")]});
        if HELD_RESPONSES_ARE_RETRIED.is_in(envoy.version()) {
            response["body"] = json!({"value": "ok{{ body()|length }}"});
        }
        let lab = retrying(envoy, json!({
            "request": {
                "body": {"value": "<{{ body() }}>"},
                "set": [set(":path", "/p{{ request_header(':path') }}")],
            },
            "response": response,
        }));
        lab.origin().answer("/p/x", Reply::new(503).body("busy"));
        lab.origin().answer("/p/p/x", Reply::new(500));
        lab.origin().answer("/p/p/p/x", Reply::new(200).body("ok2"));
        let answer = lab.post("/x").stream(Body::chunked().piece("one").pause(Duration::from_millis(20)).piece("two")).send();
        assert_eq!(attempts(&lab), [
            attempt("/p/x", "<onetwo>"),
            attempt("/p/p/x", "<onetwo>"),
            attempt("/p/p/p/x", "<onetwo>"),
        ]);
        let expected = if HELD_RESPONSES_ARE_RETRIED.is_in(envoy.version()) { "ok3" } else { "ok2" };
        assert_eq!((answer.status, answer.header("x-seen").as_str(), answer.text().as_str()), (200, "200", expected));
    }

    fn an_answer_of_the_filter_is_final(envoy) {
        let lab = retrying(envoy, json!({"request": {"body": {"parseAs": "AsJson"}, "set": [set("x-model", "{{ model }}")]}}));
        assert_eq!(lab.post("/").body("no JSON").send().status, 400);
        assert!(lab.origin().received().is_empty());
        assert_eq!(lab.post("/").json(&json!({"model": "large"})).send().status, 200);
        assert_eq!(lab.origin().last().header("x-model"), "large");
        assert_eq!(lab.stat("cluster.origin.upstream_rq_retry"), 0);
    }

    fn events_are_rewritten_one_by_one(envoy) {
        let lab = lab(envoy, json!({"response": {"stream": {"rules": [
            {"when": {"pointer": "/text"}, "data": "{{ text|upper }}"},
        ]}}}));
        let pause = Duration::from_millis(100);
        let events = ["{\"text\":\"one\"}", "{\"text\":\"two\"}", "[DONE]"];
        lab.origin().answer("/", Reply::events(&events, pause));
        let answer = lab.get("/").send();
        assert_eq!(answer.text(), "data: ONE\n\ndata: TWO\n\ndata: [DONE]\n\n");
        assert_eq!(answer.pieces.len(), 3, "{answer:?}");
    }

    fn it_works_beside_the_same_filter_before_the_router(envoy) {
        let config = EnvoyConfig::new()
            .route(Route::at("/").transform(json!({
                "request": {
                    "set": [set("x-order", "1"), set(":path", "/routed")],
                    "dynamicMetadata": [{"namespace": "n", "key": "k", "value": {"stringValue": "told"}}],
                },
                "response": {"set": [set("x-order", "{{ header('x-order') }}2")]},
            })))
            .upstream_filter(json!({
                "request": {"set": [set("x-order", "{{ header('x-order') }}2"), set("x-told", "{{ metadata('n', 'k') }}")]},
                "response": {"set": [set("x-order", "1")]},
            }));
        let lab = Lab::start(envoy, &config);
        let answer = lab.get("/").send();
        let received = lab.origin().last();
        assert_eq!((received.path.as_str(), received.header("x-told").as_str()), ("/routed", "told"));
        assert_eq!(received.header("x-order") + &answer.header("x-order"), "1212");
    }

    fn the_example_of_the_documentation_works(envoy) {
        let page = std::fs::read_to_string(workspace::root().join("docs/upstream.md")).unwrap();
        let example = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let mut cluster: Value = serde_json::from_str(example).unwrap();
        let origin = Origin::start().unwrap();
        cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]["port_value"] = json!(origin.address().port());
        let config = EnvoyConfig::new()
            .without_module()
            .cluster(cluster)
            .route(Route::at("/").action("cluster", json!("provider")));
        let settings = Settings { module_folder: Some(workspace::module_folder().unwrap()), ..Settings::default() };
        let lab = Lab::start_with(envoy, &config, settings);
        assert_eq!(lab.post("/v1/chat/completions").json(&json!({"model": "small"})).send().status, 200);
        let received = origin.last();
        assert_eq!((received.path.as_str(), received.text().as_str()), ("/llm/chat/completions", r#"{"model":"large"}"#));
    }
}
