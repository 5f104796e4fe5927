//! Bodies that the filter holds in memory of its own, as far as `maxBodyBytes` says: around the limit,
//! however they come, far above what Envoy holds, and beside others who hold them too.

use std::time::Duration;

use rustformations_tests::config::{FilterConfig, module_filter};
use rustformations_tests::differences::BUFFER_LIMIT_IS_RAISABLE;
use rustformations_tests::{Body, Envoy, EnvoyConfig, Lab, Reply, Route, on_every_envoy};
use serde_json::{Value, json};

/// What Envoy itself holds, in bytes.
const ENVOY_LIMIT: u32 = 1024;
const TOO_LARGE: &str = "rustformations_errors.kind.body_too_large";

/// Brackets around both bodies, which may have so many bytes.
fn brackets(limit: usize) -> Value {
    let rules = json!({"body": {"value": "<{{ body() }}>"}, "maxBodyBytes": limit});
    json!({"request": rules, "response": rules})
}

fn lab(envoy: &Envoy, limit: usize) -> Lab {
    let config = EnvoyConfig::new().buffer_limit(ENVOY_LIMIT);
    Lab::start(
        envoy,
        &config.route(Route::at("/").transform(brackets(limit))),
    )
}

/// No two places of it look alike.
fn text(bytes: usize) -> String {
    let numbers = (0..).map(|n| format!("{n:08}"));
    let mut text: String = numbers.take(bytes / 8 + 1).collect();
    text.truncate(bytes);
    text
}

/// The body in one piece, in several at once, and piece by piece with a pause.
fn scripts(body: &str) -> Vec<Body> {
    let pieces = |pause: Duration| {
        let third = body.len() / 3;
        let (one, rest) = body.split_at(third);
        let (two, three) = rest.split_at(third);
        let script = Body::chunked().piece(one).pause(pause);
        script.piece(two).pause(pause).piece(three)
    };
    vec![
        Body::whole(body),
        pieces(Duration::ZERO),
        pieces(Duration::from_millis(30)),
        pieces(Duration::ZERO).trailer("x-end", "yes"),
    ]
}

on_every_envoy! {
    fn bodies_up_to_the_limit_are_held_and_no_larger_ones(envoy) {
        let limit = 100_000;
        let lab = lab(envoy, limit);
        for (size, fits) in [(limit - 1, true), (limit, true), (limit + 1, false)] {
            let body = text(size);
            let expected = format!("<{body}>");
            for script in scripts(&body) {
                lab.origin().forget();
                lab.origin().answer("/", Reply::new(200).body("ok"));
                let answer = lab.post("/").stream(script.clone()).send();
                assert_eq!(answer.status, if fits { 200 } else { 413 }, "{size}");
                assert_eq!(lab.origin().received().len(), usize::from(fits));
                if fits {
                    assert!(lab.origin().last().text() == expected, "{size}");
                }
                lab.origin().answer("/", Reply::new(200).stream(script));
                let answer = lab.get("/").send();
                assert_eq!(answer.status, if fits { 200 } else { 500 }, "{size}");
                assert!(!fits || answer.text() == expected, "{size}");
            }
        }
        assert_eq!(lab.stat(TOO_LARGE), 8);
    }

    fn what_is_held_may_be_much_larger_than_every_watermark(envoy) {
        let lab = lab(envoy, 32 << 20);
        let body = text(8 << 20);
        lab.origin().answer("/", Reply::new(200).body(body.clone()));
        let answer = lab.post("/").body(body.clone()).send();
        let expected = format!("<{body}>");
        assert_eq!(answer.status, 200);
        assert!(lab.origin().last().text() == expected && answer.text() == expected);
    }

    fn two_filters_of_ours_hold_one_after_the_other(envoy) {
        let other = json!({"request": {"body": {"value": "[{{ body() }}]"}, "maxBodyBytes": 1 << 20},
                           "response": {"body": {"value": "[{{ body() }}]"}, "maxBodyBytes": 1 << 20}});
        let other = module_filter("other", "rustformation", &FilterConfig::from(other), false);
        let config = EnvoyConfig::new().buffer_limit(ENVOY_LIMIT).filter_before(other);
        let lab = Lab::start(envoy, &config.filter_level(brackets(1 << 20)));
        // Where the limit cannot be raised, it counts for what comes out of another filter's hands.
        let is_raisable = BUFFER_LIMIT_IS_RAISABLE.is_in(envoy.version());
        let body = text(if is_raisable { 50_000 } else { 1_000 });
        for script in scripts(&body) {
            lab.origin().answer("/", Reply::new(200).stream(script.clone()));
            let answer = lab.post("/").stream(script).send();
            assert_eq!(answer.status, 200);
            assert!(lab.origin().last().text() == format!("<[{body}]>"));
            assert!(answer.text() == format!("[<{body}>]"));
        }
    }

    fn it_holds_in_the_chain_of_a_cluster_too(envoy) {
        let config = EnvoyConfig::new().buffer_limit(ENVOY_LIMIT).without_module();
        let lab = Lab::start(envoy, &config.upstream_filter(brackets(100_000)));
        for size in [10, 60_000, 100_000] {
            let body = text(size);
            let expected = format!("<{body}>");
            for script in scripts(&body) {
                lab.origin().answer("/", Reply::new(200).stream(script.clone()));
                let answer = lab.post("/").stream(script).send();
                assert_eq!(answer.status, 200, "{size}");
                assert!(lab.origin().last().text() == expected && answer.text() == expected, "{size}");
            }
        }
        assert_eq!(lab.post("/").body(text(100_001)).send().status, 413);
    }

    fn a_client_that_waits_for_100_continue_is_told_to_go_on(envoy) {
        let lab = lab(envoy, 100_000);
        let body = text(5_000);
        let answer = lab.post("/").header("expect", "100-continue").body(body.clone()).send();
        assert_eq!(answer.status, 200);
        assert!(lab.origin().last().text() == format!("<{body}>"));
    }

    fn messages_that_break_off_while_they_are_held_harm_nobody(envoy) {
        let lab = lab(envoy, 1 << 20);
        for _ in 0..20 {
            let half = Body::chunked().piece(text(20_000)).cut();
            assert!(lab.post("/").stream(half.clone()).try_send().is_err());
            lab.origin().answer("/", Reply::new(200).stream(half));
            assert_ne!(lab.get("/").send().status, 200);
        }
        lab.origin().answer("/", Reply::new(200).body("ok"));
        assert_eq!(lab.post("/").body("still here").send().text(), "<ok>");
        assert_eq!(lab.origin().last().text(), "<still here>");
        assert_eq!(lab.stat(TOO_LARGE), 0);
    }

    fn the_reply_to_a_request_too_large_passes_no_rule_of_ours(envoy) {
        let config = EnvoyConfig::new().buffer_limit(ENVOY_LIMIT);
        let lab = Lab::start(envoy, &config.route(Route::at("/").transform(json!({
            "request": {"body": {"value": "<{{ body() }}>"}, "maxBodyBytes": 2000},
            "response": {"set": [{"name": "x-rule", "value": "1"}]},
        }))));
        let answer = lab.post("/").body(text(2001)).send();
        assert_eq!((answer.status, answer.headers.has("x-rule")), (413, false));
        assert!(lab.origin().received().is_empty());
    }
}
