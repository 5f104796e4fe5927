//! Bodies that Envoy will not hold: what raises the limit, and what tells the operator which setting
//! would have.

use rustformations_tests::differences::BUFFER_LIMIT_IS_RAISABLE;
use rustformations_tests::{Body, Envoy, EnvoyConfig, Lab, Reply, Route, on_every_envoy};
use serde_json::{Value, json};

const KIB: u32 = 1024;
const TOO_LARGE: &str = "rustformations_errors.kind.body_too_large";

/// A lab whose Envoy holds no more than a kilobyte by itself.
fn tight(envoy: &Envoy, transform: Value) -> Lab {
    let config = EnvoyConfig::new().buffer_limit(KIB);
    Lab::start(envoy, &config.route(Route::at("/").transform(transform)))
}

fn body(size: u32) -> Vec<u8> {
    vec![b'x'; size as usize]
}

on_every_envoy! {
    fn a_request_too_large_to_hold_is_counted_and_the_log_names_the_settings(envoy) {
        let lab = tight(envoy, json!({"request": {"body": {"value": "<{{ body() }}>"}}}));
        let whole = lab.post("/").body(body(256 * KIB)).send();
        let chunked = lab.post("/").stream(Body::chunked().piece(body(64 * KIB)).piece(body(64 * KIB))).send();
        assert_eq!((whole.status, chunked.status), (413, 413));
        lab.expect_log("a request body is larger than Envoy may hold");
        lab.expect_log("per_connection_buffer_limit_bytes");
        assert_eq!(lab.stat(TOO_LARGE), 2);
    }

    fn a_reply_too_large_to_hold_is_counted_and_the_log_names_the_settings(envoy) {
        let lab = tight(envoy, json!({"response": {"body": {"value": "<{{ body() }}>"}}}));
        lab.origin().answer("/", Reply::new(200).body(body(256 * KIB)));
        assert_eq!(lab.get("/").send().status, 500);
        lab.expect_log("a response body is larger than Envoy may hold");
        assert_eq!(lab.stat(TOO_LARGE), 1);
    }

    fn a_client_cannot_fill_the_log_with_large_bodies(envoy) {
        let lab = tight(envoy, json!({"request": {"body": {"value": "<{{ body() }}>"}}}));
        for _ in 0..5 {
            assert_eq!(lab.post("/").body(body(64 * KIB)).send().status, 413);
        }
        lab.expect_log("a request body is larger");
        let warnings = lab.logs().lines().filter(|line| line.contains("[warning]") && line.contains("a request body is larger")).count();
        assert_eq!((lab.stat(TOO_LARGE), warnings), (5, 1));
    }

    fn what_a_rule_makes_of_a_body_is_made_to_fit_or_counted(envoy) {
        let large = "0123456789abcdef".repeat(256);
        let rules = json!({"body": {"value": large}});
        let route = |path: &str, direction: &str| Route::at(path).transform(json!({direction: rules}));
        let config = EnvoyConfig::new().buffer_limit(KIB).route(route("/request", "request")).route(route("/response", "response"));
        let lab = Lab::start(envoy, &config);
        let (up, down) = (lab.post("/request").body("small").send(), lab.get("/response").send());
        if BUFFER_LIMIT_IS_RAISABLE.is_in(envoy.version()) {
            assert_eq!((up.status, down.status), (200, 200));
            assert!(lab.origin().received().iter().any(|request| request.text() == large));
            assert!(down.text() == large);
            assert_eq!(lab.stat(TOO_LARGE), 0);
        } else {
            assert_eq!((up.status, down.status), (413, 500));
            lab.expect_log("a request body is larger than Envoy may hold");
            lab.expect_log("a response body is larger than Envoy may hold");
            assert_eq!(lab.stat(TOO_LARGE), 2);
        }
    }

    fn a_refusal_by_the_origin_of_what_a_rule_made_is_not_counted(envoy) {
        let rules = json!({"body": {"value": "<{{ body() }}>"}});
        let lab = tight(envoy, json!({"request": rules, "response": rules}));
        for status in [413, 500] {
            lab.origin().answer("/", Reply::new(status).body("no"));
            assert_eq!(lab.post("/").body("small").send().status, status);
        }
        assert_eq!(lab.stat(TOO_LARGE), 0);
    }

    fn a_413_of_the_origin_is_not_counted(envoy) {
        let rules = json!({"body": {"value": "<{{ body() }}>"}});
        let lab = tight(envoy, json!({"request": rules, "response": rules}));
        lab.origin().answer("/", Reply::new(413).body("too large"));
        let answer = lab.post("/").body("small").send();
        assert_eq!((answer.status, answer.text().as_str()), (413, "<too large>"));
        assert_eq!(lab.stat(TOO_LARGE), 0);
    }

    fn max_body_bytes_lets_larger_bodies_be_held_and_answers_for_the_limit_itself(envoy) {
        let rules = json!({"body": {"patch": [{"op": "add", "path": "/added", "value": true}]}, "maxBodyBytes": 512 * KIB});
        let route = |path: &str, direction: &str| Route::at(path).transform(json!({direction: rules}));
        let config = EnvoyConfig::new().buffer_limit(KIB).route(route("/request", "request")).route(route("/response", "response"));
        let lab = Lab::start(envoy, &config);
        let big = json!({"text": "x".repeat(256 << 10)}).to_string();
        let expected = big.replace("\"}", "\",\"added\":true}");
        let huge = json!({"text": "x".repeat(600 << 10)}).to_string();
        lab.origin().answer("/response", Reply::new(200).body(big.clone()));
        let (up, down) = (lab.post("/request").body(big).send(), lab.get("/response").send());
        assert_eq!((up.status, down.status), (200, 200));
        let received = lab.origin().received();
        assert!(received.iter().any(|request| request.text() == expected));
        assert!(down.text() == expected);
        assert_eq!(lab.stat(TOO_LARGE), 0);
        assert_eq!(lab.post("/request").body(huge.clone()).send().status, 413);
        lab.origin().answer("/response", Reply::new(200).body(huge));
        assert_eq!(lab.get("/response").send().status, 500);
        assert_eq!(lab.stat(TOO_LARGE), 2);
        lab.expect_log("request.maxBodyBytes: the body is larger than may be held");
        lab.expect_log("response.maxBodyBytes: the body is larger than may be held");
    }
}
