//! Bodies as long as what is held: by this filter, and by Envoy for retries.

use rustformations_tests::differences::BUFFER_LIMIT_IS_RAISABLE;
use rustformations_tests::two_providers::{CHAT, MESSAGES, assert_sane, said, says};
use rustformations_tests::{Answer, Body, Lab, Origin, Reply, TwoProviders, on_every_envoy};
use serde_json::{Value, json};

use crate::{completion, message, overloaded};

/// As much as the filter holds, unless Envoy holds more.
const HELD: usize = 10 << 20;

/// A request of exactly so many bytes.
fn of_length(length: usize) -> Value {
    let empty = says("", false).to_string().len();
    says(&"x".repeat(length - empty), false)
}

/// Asks in both framings, which Envoy reads in pieces of its own.
fn ask(lab: &Lab, length: usize) -> [Answer; 2] {
    let body = of_length(length);
    assert_eq!(body.to_string().len(), length);
    let request = || lab.post(CHAT).header("content-type", "application/json");
    let pieces = body.to_string();
    let pieces = pieces.as_bytes().chunks(60_000);
    let chunked = pieces.fold(Body::chunked(), |body, piece| body.piece(piece));
    [
        request().body(body.to_string()).send(),
        request().stream(chunked).send(),
    ]
}

on_every_envoy! {
    fn a_body_passes_up_to_the_last_byte_that_is_held_and_beyond_is_refused_in_words(envoy) {
        let a = Origin::start().unwrap();
        a.answer(MESSAGES, Reply::json(&message("of A")));
        let lab = TwoProviders::at(a.address(), a.address()).buffer_limit(64 << 10).start(envoy);
        for answer in ask(&lab, HELD) {
            assert_eq!(said(&answer).as_deref(), Some("of A"), "{}", answer.status);
            let seen = a.last().json();
            let text = seen["messages"][0]["content"][0]["text"].as_str().unwrap().len();
            assert_eq!(text, HELD - says("", false).to_string().len());
        }
        a.forget();
        for answer in ask(&lab, HELD + 1) {
            let error = &answer.json()["error"];
            assert_eq!((answer.status, &error["type"]), (413, &json!("invalid_request_error")), "{answer:?}");
            assert!(error["message"].as_str().unwrap().contains("10485760"), "{error}");
        }
        assert!(a.received().is_empty());
        if BUFFER_LIMIT_IS_RAISABLE.is_in(envoy.version()) {
            let lab = TwoProviders::at(a.address(), a.address()).buffer_limit(16 << 20).start(envoy);
            for answer in ask(&lab, HELD + 1) {
                assert_eq!(said(&answer).as_deref(), Some("of A"), "{}", answer.status);
            }
        }
        assert_sane(&lab);
    }

    fn a_body_as_long_as_envoy_keeps_fails_over_and_a_longer_one_gets_its_first_answer(envoy) {
        const KEPT: u32 = 256 << 10;
        let (a, b) = (Origin::start().unwrap(), Origin::start().unwrap());
        let lab = TwoProviders::at(a.address(), b.address()).buffer_limit(KEPT).start(envoy);
        b.answer(CHAT, Reply::json(&completion("of B")));
        for status in [429, 503] {
            a.answer(MESSAGES, overloaded(status));
            for answer in ask(&lab, KEPT as usize) {
                assert_eq!(said(&answer).as_deref(), Some("of B"), "{answer:?}");
                assert_eq!(b.last().json(), of_length(KEPT as usize));
            }
            b.forget();
            for answer in ask(&lab, KEPT as usize + 1) {
                assert_eq!((answer.status, &answer.json()["error"]["message"]), (status, &json!("later")));
            }
            assert!(b.received().is_empty());
        }
        assert_sane(&lab);
    }
}
