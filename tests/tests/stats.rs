//! The statistics that operators see: their names as documented, what raises them, and that each filter
//! counts for itself.

use rustformations_tests::config::{NEWER_FILTER_NAME, module_filter};
use rustformations_tests::{Body, Envoy, EnvoyConfig, Lab, Reply, Route, on_every_envoy};
use serde_json::{Value, json};

const REQUESTS: &str = "dynamicmodulescustom.rustformations_requests_transformed";
const RESPONSES: &str = "dynamicmodulescustom.rustformations_responses_transformed";
const PANICS: &str = "dynamicmodulescustom.rustformations_panics";
const ERRORS: &str = "dynamicmodulescustom.rustformations_errors.kind";

fn set(value: &str) -> Value {
    json!({"set": [{"name": "x-a", "value": value}]})
}

fn lab_with(envoy: &Envoy, transform: Value) -> Lab {
    let route = Route::at("/on").transform(transform);
    Lab::start(
        envoy,
        &EnvoyConfig::new().route(route).route(Route::at("/")),
    )
}

/// Requests transformed, responses transformed.
fn transformed(lab: &Lab) -> (u64, u64) {
    let stats = lab.stats();
    (stats[REQUESTS], stats[RESPONSES])
}

on_every_envoy! {
    fn every_name_is_there_from_the_start(envoy) {
        let lab = lab_with(envoy, json!({}));
        let stats = lab.stats();
        for name in [REQUESTS, RESPONSES, PANICS] {
            assert_eq!(stats.get(name), Some(&0), "{name}");
        }
    }

    fn each_direction_counts_what_it_transformed(envoy) {
        let lab = lab_with(envoy, json!({"request": set("1"), "response": set("1")}));
        for (turn, request) in [
            lab.get("/on"),
            lab.post("/on").body("b"),
            lab.post("/on")
                .stream(Body::chunked().piece("a").piece("b")),
        ]
        .into_iter()
        .enumerate()
        {
            request.send();
            let count = turn as u64 + 1;
            assert_eq!(transformed(&lab), (count, count));
        }
        lab.get("/off").send();
        assert_eq!(transformed(&lab), (3, 3));
        let lab = lab_with(envoy, json!({"request": set("1")}));
        lab.get("/on").send();
        assert_eq!(transformed(&lab), (1, 0));
        let lab = lab_with(envoy, json!({"response": set("1")}));
        lab.get("/on").send();
        assert_eq!(transformed(&lab), (0, 1));
    }

    fn a_configuration_without_rules_counts_nothing(envoy) {
        let lab = lab_with(envoy, json!({"request": {}, "response": {"set": []}}));
        lab.post("/on").body("b").send();
        assert_eq!(transformed(&lab), (0, 0));
    }

    fn errors_are_counted_by_kind_and_not_as_transformed(envoy) {
        let parsed = |value: &str| {
            let mut rules = set(value);
            rules["body"] = json!({"parseAs": "AsJson"});
            json!({"onError": "fail", "request": rules})
        };
        let config = EnvoyConfig::new()
            .route(Route::at("/invalid_json").transform(parsed("{{ a }}")))
            .route(Route::at("/undeclared_variable").transform(json!({"request": set("{{ a }}")})))
            .route(Route::at("/render_error").transform(parsed("{{ a + [] }}")))
            .route(Route::at("/out_of_fuel").transform(json!({
                "limits": {"fuel": 50},
                "request": set("{% for a in range(999) %}{% endfor %}"),
            })))
            .route(Route::at("/too_much_output").transform(json!({
                "limits": {"outputBytes": 50},
                "request": set("{% for a in range(99) %}{{ header('x-m') }}{% endfor %}"),
            })))
            .route(Route::at("/too_deep").transform(
                json!({"request": set("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")}),
            ))
            .route(Route::at("/invalid_header_value").transform(json!({
                "onError": "fail",
                "request": {"set": [{"name": ":method", "value": "{{ header('x-m') }}"}]},
            })))
            .route(Route::at("/invalid_metadata_value").transform(
                json!({"onError": "fail", "request": {"dynamicMetadata": [
                    {"namespace": "n", "key": "k", "value": {"numberValue": "{{ header('x-m') }}"}},
                ]}}),
            ))
            .route(Route::at("/json_too_deep").transform(parsed(&format!("{{{{ a{} }}}}", "[0]".repeat(128)))))
            .route(Route::at("/body_not_text").transform(
                json!({"onError": "fail", "request": set("{{ body() }}")}),
            ))
            .route(Route::at("/compressed_body").transform(json!({"request": set("{{ body() }}")})))
            .route(Route::at("/patch_failed").transform(
                json!({"request": {"body": {"patch": [{"op": "remove", "path": "/b"}]}}}),
            ))
            .route(Route::at("/invalid_patch_value").transform(
                json!({"request": {"body": {"patch": [
                    {"op": "add", "path": "/b", "valueJson": "{{ header('x-m') }}"},
                ]}}}),
            ));
        let lab = Lab::start(envoy, &config);
        let kinds = [
            "invalid_json",
            "undeclared_variable",
            "render_error",
            "out_of_fuel",
            "too_much_output",
            "too_deep",
            "invalid_header_value",
            "invalid_metadata_value",
            "json_too_deep",
            "body_not_text",
            "compressed_body",
            "patch_failed",
            "invalid_patch_value",
        ];
        for kind in kinds {
            let body = match kind {
                "render_error" | "patch_failed" | "invalid_patch_value" => br#"{"a":1}"#.to_vec(),
                "json_too_deep" => [r#"{"a":"#, &"[".repeat(128), &"]".repeat(128), "}"].concat().into(),
                "body_not_text" => vec![0xe9],
                _ => b"{".to_vec(),
            };
            let mut request = lab.post(&format!("/{kind}")).header("x-m", "not one");
            if kind == "compressed_body" {
                request = request.header("content-encoding", "gzip");
            }
            let answer = request.body(body).send();
            assert!([400, 415, 500].contains(&answer.status), "{kind}: {answer:?}");
            assert_eq!(
                lab.stats().get(&format!("{ERRORS}.{kind}")),
                Some(&1),
                "{kind}"
            );
        }
        assert_eq!(transformed(&lab), (0, 0));
        let counted: Vec<_> = lab
            .stats()
            .into_iter()
            .filter(|(name, count)| name.starts_with(ERRORS) && *count > 0)
            .collect();
        assert_eq!(counted.len(), kinds.len(), "{counted:?}");
    }

    fn instances_of_the_filter_count_together(envoy) {
        let second = json!({"request": set("2")});
        let config = EnvoyConfig::new()
            .filter_level(json!({"request": set("1"), "response": set("1")}))
            .filter_after(module_filter(
                "second",
                NEWER_FILTER_NAME,
                &second.into(),
                false,
            ));
        let lab = Lab::start(envoy, &config);
        lab.origin().answer("/", Reply::new(204));
        lab.get("/").send();
        assert_eq!(transformed(&lab), (2, 1));
    }

    fn prometheus_sees_the_counters(envoy) {
        let lab = lab_with(envoy, json!({"request": set("{{ a }}")}));
        lab.get("/on").send();
        let metrics = lab.envoy().admin_get("/stats/prometheus").unwrap();
        let line = metrics.lines().find(|line| {
            line.contains("rustformations_errors{") && line.contains("kind=\"undeclared_variable\"")
        });
        assert!(line.is_some_and(|line| line.ends_with(" 1")), "{metrics}");
    }
}
