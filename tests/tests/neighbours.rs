//! The module beside filters and features of Envoy's own that change what it sees.

use rustformations_tests::{EnvoyConfig, Lab, Reply, Route, on_every_envoy};
use serde_json::{Value, json};

const PLAIN: &str = r#"{"model": "tiny"}"#;
/// The same, compressed.
const GZIP: &[u8] = &[
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0xab, 0x56, 0xca, 0xcd, 0x4f, 0x49,
    0xcd, 0x51, 0xb2, 0x52, 0x50, 0x2a, 0xc9, 0xcc, 0xab, 0x54, 0xaa, 0x05, 0x00, 0x32, 0xc7, 0xef,
    0x94, 0x11, 0x00, 0x00, 0x00,
];

fn compressed() -> Reply {
    Reply::new(200)
        .header("content-encoding", "gzip")
        .body(GZIP)
}

fn decompressor() -> Value {
    json!({
        "name": "decompressor",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.decompressor.v3.Decompressor",
            "decompressor_library": {
                "name": "gzip",
                "typed_config": {"@type": "type.googleapis.com/envoy.extensions.compression.gzip.decompressor.v3.Gzip"},
            },
        },
    })
}

/// Reads the model of both messages.
fn reading() -> Route {
    let model = json!({
        "body": {"parseAs": "AsJson"},
        "set": [{"name": "x-model", "value": "{{ model | default('none') }}"}],
    });
    Route::at("/").transform(json!({"request": model, "response": model}))
}

on_every_envoy! {
    fn an_internal_redirect_transforms_the_request_again(envoy) {
        let route = Route::at("/")
            .transform(json!({"request": {
                "set": [{"name": "x-count", "value": "{{ (header('x-count') or '0') | int + 1 }}"}],
                "body": {"patch": [{"op": "add", "path": "/messages/0", "value": "be kind"}]},
            }}))
            .action("internal_redirect_policy", json!({"max_internal_redirects": 3, "redirect_response_codes": [307]}));
        let lab = Lab::start(envoy, &EnvoyConfig::new().route(route));
        lab.origin().answer("/old", Reply::new(307).header("location", "http://lab.test/new"));
        let answer = lab.post("/old").body(r#"{"messages":[]}"#).send();
assert_eq!(answer.status, 200, "{answer:?}");
        let received = lab.origin().received();
        let seen: Vec<_> = received
            .iter()
            .map(|it| (it.path.as_str(), it.header("x-count"), it.text()))
            .collect();
        assert_eq!(seen, [
            ("/old", "1".to_owned(), r#"{"messages":["be kind"]}"#.to_owned()),
            ("/new", "2".to_owned(), r#"{"messages":["be kind","be kind"]}"#.to_owned()),
        ]);
    }

    fn a_decompressor_before_the_module_lets_requests_be_read(envoy) {
        let lab = Lab::start(envoy, &EnvoyConfig::new().filter_before(decompressor()).route(reading()));
        lab.origin().answer("/", Reply::json(&json!({"model": "m"})));
        let answer = lab.post("/").header("content-encoding", "gzip").body(GZIP).send();
        assert_eq!(answer.status, 200);
        assert_eq!(lab.origin().last().header("x-model"), "tiny");
    }

    fn a_decompressor_behind_the_module_suits_rules_for_headers(envoy) {
        let config = EnvoyConfig::new()
            .filter_after(decompressor())
            .route(Route::at("/").transform(json!({"response": {"set": [{"name": "x-a", "value": "1"}]}})));
        let lab = Lab::start(envoy, &config);
        lab.origin().answer("/", compressed());
        let answer = lab.post("/").send();
        assert_eq!((answer.text().as_str(), answer.header("x-a").as_str()), (PLAIN, "1"));
    }

    fn a_decompressor_behind_the_module_hangs_where_a_response_is_held(envoy) {
        let config = EnvoyConfig::new()
            .connection_manager("stream_idle_timeout", json!("1s"))
            .filter_after(decompressor())
            .route(reading());
        let lab = Lab::start(envoy, &config);
        lab.origin().answer("/", compressed());
        let answer = lab.post("/").body(r#"{"model": "small"}"#).send();
        assert_eq!((answer.status, answer.text().as_str()), (504, "stream timeout"));
    }
}
