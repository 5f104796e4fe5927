//! Messages in every framing of HTTP/1.1: with a length, in chunks of any size, asked for before they are sent,
//! and with trailers, on the way there and back. Those of HTTP/2 are in `tests/http2`.

use std::time::Duration;

use rustformations_tests::two_providers::{CHAT, MESSAGES, assert_sane, said, says};
use rustformations_tests::{Body, Origin, Reply, TwoProviders, on_every_envoy};
use serde_json::Value;

use crate::{completion, message, overloaded};

/// Enough to be sent in a hundred pieces.
fn long() -> Value {
    says(&"in many pieces ".repeat(200), false)
}

/// A document that is sent in so many pieces, a chunk each.
fn in_pieces(document: &Value, pieces: usize) -> Body {
    let text = document.to_string();
    let length = text.len().div_ceil(pieces);
    let pieces = text.as_bytes().chunks(length);
    pieces.fold(Body::chunked(), |body, piece| body.piece(piece))
}

/// The events of A who says hello, the first of them.
fn events(count: usize) -> Body {
    let usage = r#""usage":{"input_tokens":5,"output_tokens":1}"#;
    let start = format!(
        r#"{{"type":"message_start","message":{{"id":"m","type":"message","role":"assistant","model":"c","content":[],{usage}}}}}"#
    );
    let events = [
        start.as_str(),
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hello"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#,
        r#"{"type":"message_stop"}"#,
    ];
    Body::events(&events[..count], Duration::ZERO)
}

/// How many there are.
const ALL: usize = 6;

on_every_envoy! {
    fn a_request_is_the_same_however_it_comes_for_each_attempt(envoy) {
        let (a, b) = (Origin::start().unwrap(), Origin::start().unwrap());
        let lab = TwoProviders::at(a.address(), b.address()).start(envoy);
        b.answer(CHAT, Reply::json(&completion("of B")));
        let slow = in_pieces(&long(), 7).pause(Duration::from_millis(20));
        let framings = [
            (Body::whole(long().to_string()), None),
            (in_pieces(&long(), 1000), None),
            (slow, None),
            (in_pieces(&long(), 3).trailer("x-sum", "1"), None),
            (Body::chunked().piece(long().to_string()).trailer("x-sum", "1"), None),
            (Body::whole(long().to_string()), Some("100-continue")),
            (in_pieces(&long(), 100), Some("100-continue")),
        ];
        for (status, of) in [(200, "of A"), (429, "of B")] {
            match status {
                200 => a.answer(MESSAGES, Reply::json(&message("of A"))),
                _ => a.answer(MESSAGES, overloaded(status)),
            }
            for (framing, expect) in framings.clone() {
                let request = lab.post(CHAT).header("content-type", "application/json");
                let request = match expect {
                    Some(expect) => request.header("expect", expect),
                    None => request,
                };
                let has_trailers = framing.has_trailers();
                let answer = request.stream(framing).send();
                assert_eq!(said(&answer).as_deref(), Some(of), "{}", answer.text());
                let seen = a.last();
                let text = &seen.json()["messages"][0]["content"][0]["text"];
                assert_eq!(text, &long()["messages"][0]["content"]);
                let length = (!has_trailers).then(|| seen.body.len().to_string());
                assert_eq!(seen.headers.values("content-length"), Vec::from_iter(length));
                let seen = if status == 200 { seen } else { b.last() };
                assert_eq!(seen.trailers.values("x-sum").len(), usize::from(has_trailers));
                if status == 429 {
                    assert_eq!(seen.json(), long());
                }
                a.forget();
                b.forget();
            }
        }
        assert_sane(&lab);
    }

    fn an_answer_is_the_same_however_it_comes(envoy) {
        let a = Origin::start().unwrap();
        let lab = TwoProviders::at(a.address(), a.address()).start(envoy);
        let document = message("hello");
        for framing in [
            Body::whole(document.to_string()),
            in_pieces(&document, 50),
            in_pieces(&document, 50).trailer("x-sum", "1"),
            Body::chunked().piece(document.to_string()).pause(Duration::from_millis(20)).trailer("x-sum", "1"),
        ] {
            let has_trailers = framing.has_trailers();
            a.answer(MESSAGES, Reply::new(200).header("content-type", "application/json").stream(framing));
            let answer = lab.post(CHAT).json(&says("x", false)).send();
            assert_eq!(said(&answer).as_deref(), Some("hello"), "{}", answer.text());
            assert_eq!(answer.trailers.values("x-sum").len(), usize::from(has_trailers));
            assert_eq!(answer.headers.has("content-length"), !has_trailers);
        }
        for framing in [
            events(ALL),
            events(ALL).trailer("x-sum", "1"),
            events(ALL).pause(Duration::from_millis(20)).trailer("x-sum", "1"),
        ] {
            let has_trailers = framing.has_trailers();
            a.answer(MESSAGES, Reply::new(200).header("content-type", "text/event-stream").stream(framing));
            let answer = lab.post(CHAT).json(&says("x", true)).send();
            assert_eq!(said(&answer).as_deref(), Some("hello"), "{}", answer.text());
            assert_eq!(answer.trailers.values("x-sum").len(), usize::from(has_trailers));
        }
        // An error with trailers keeps its status, and an early end is told before them.
        let error = r#"{"type":"error","error":{"type":"invalid_request_error","message":"no"}}"#;
        let framing = Body::chunked().piece(error).trailer("x-sum", "1");
        a.answer(MESSAGES, Reply::new(400).stream(framing));
        let answer = lab.post(CHAT).json(&says("x", true)).send();
        assert_eq!((answer.status, &answer.json()["error"]["message"]), (400, &"no".into()));
        let early = events(3).trailer("x-sum", "1");
        a.answer(MESSAGES, Reply::new(200).header("content-type", "text/event-stream").stream(early));
        let answer = lab.post(CHAT).json(&says("x", true)).send();
        assert!(answer.text().contains("incomplete_answer") && !answer.text().contains("[DONE]"), "{}", answer.text());
        assert_sane(&lab);
    }
}
