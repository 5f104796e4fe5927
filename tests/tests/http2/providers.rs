//! The filter `llm-provider` between a client and providers that speak HTTP/2.

use anyhow::Result;
use rustformations_tests::two_providers::{CHAT, MESSAGES, assert_sane, said, says};
use rustformations_tests::{Envoy, Lab, TwoProviders, on_every_envoy};
use serde_json::{Value, json};

use crate::PATIENCE;
use crate::client::Http2;
use crate::message::{Gate, Message};
use crate::origin::{Http2Origin, Reply};

/// A, B, Envoy and a client, over HTTP/2 throughout.
fn ground(envoy: &Envoy) -> Result<(Http2Origin, Http2Origin, Lab, Http2)> {
    let (a, b) = (Http2Origin::start()?, Http2Origin::start()?);
    let providers = TwoProviders::at(a.address(), b.address()).over_http2();
    let lab = providers.start(envoy);
    let client = Http2::open(lab.address())?;
    Ok((a, b, lab, client))
}

fn json_message() -> Message {
    Message::new().header("content-type", "application/json")
}

/// A document in so many frames.
fn in_frames(document: &Value, frames: usize) -> Message {
    let text = document.to_string();
    let length = text.len().div_ceil(frames);
    let frames = text.as_bytes().chunks(length);
    frames.fold(json_message(), |message, frame| {
        message.piece(frame.to_vec())
    })
}

fn message() -> Value {
    json!({
        "id": "m", "type": "message", "role": "assistant", "model": "c", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "of A"}], "usage": {"input_tokens": 5, "output_tokens": 2},
    })
}

fn completion() -> Value {
    let message = json!({"role": "assistant", "content": "of B"});
    let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
    json!({"id": "c", "object": "chat.completion", "created": 1, "model": "g", "choices": [choice]})
}

const OVERLOADED: &str =
    r#"{"type":"error","error":{"type":"overloaded_error","message":"later"}}"#;

fn event(data: &str) -> String {
    format!("data: {data}\n\n")
}

/// The beginning of an answer that streams.
fn begun() -> Message {
    let start = r#"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"c","content":[],"usage":{"input_tokens":5,"output_tokens":1}}}"#;
    let head = Message::new().header("content-type", "text/event-stream");
    let open =
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
    let said =
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hello"}}"#;
    [start, open, said]
        .into_iter()
        .fold(head, |head, data| head.piece(event(data)))
}

/// Its end.
fn ended(message: Message) -> Message {
    let end = [
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#,
        r#"{"type":"message_stop"}"#,
    ];
    end.into_iter()
        .fold(message, |message, data| message.piece(event(data)))
}

on_every_envoy! {
    fn chats_fail_over_with_trailers_and_without(envoy) {
        let (a, b, lab, mut client) = ground(envoy).unwrap();
        let asked = says(&"in frames ".repeat(100), false);
        for (status, of) in [(200, "of A"), (429, "of B"), (503, "of B")] {
            for trailers in [false, true] {
                let with = |message: Message| match trailers {
                    true => message.trailer("x-sum", "1"),
                    false => message,
                };
                let of_a = match status {
                    200 => in_frames(&message(), 9),
                    _ => json_message().piece(OVERLOADED),
                };
                a.answer(MESSAGES, Reply::new(status, with(of_a)));
                b.answer(CHAT, Reply::new(200, with(in_frames(&completion(), 3))));
                for frames in [1, 100] {
                    let answer = client.send("POST", CHAT, with(in_frames(&asked, frames)));
                    assert_eq!(said(&answer).as_deref(), Some(of), "{}", answer.text());
                    assert_eq!(answer.trailers.values("x-sum").len(), usize::from(trailers));
                    let seen = a.last();
                    let text = &seen.json()["messages"][0]["content"][0]["text"];
                    assert_eq!(text, &asked["messages"][0]["content"]);
                    assert_eq!(seen.headers.values(":authority"), ["api.anthropic.com"]);
                    assert_eq!(seen.headers.has("content-length"), !trailers);
                    let seen = if status == 200 { seen } else { b.last() };
                    assert_eq!(seen.trailers.values("x-sum").len(), usize::from(trailers));
                    if status != 200 {
                        assert_eq!((seen.json(), seen.headers.values(":authority")), (asked.clone(), vec!["b.test".to_owned()]));
                    }
                }
            }
        }
        assert_sane(&lab);
    }

    fn a_stream_flows_and_one_that_the_provider_resets_is_reset(envoy) {
        let (a, b, lab, mut client) = ground(envoy).unwrap();
        let asked = || in_frames(&says("x", true), 3);
        for (trailers, is_reset) in [(false, false), (true, false), (false, true)] {
            let gate = Gate::new();
            let begun = begun().wait(&gate);
            let answer = if is_reset { begun.reset() } else { ended(begun) };
            let answer = if trailers { answer.trailer("x-sum", "1") } else { answer };
            a.answer(MESSAGES, Reply::new(200, answer));
            let mut exchange = client.start("POST", CHAT, asked()).unwrap().head().unwrap();
            // What was said so far is there before anything else is.
            let mut text = Vec::new();
            while !String::from_utf8_lossy(&text).contains("hello") {
                text.extend(exchange.next_piece().unwrap().unwrap());
            }
            gate.open();
            let rest = exchange.finish().unwrap();
            let is_whole = rest.text().ends_with("data: [DONE]\n\n");
            assert_eq!((is_whole, rest.cut), (!is_reset, is_reset), "{}", rest.text());
            assert_eq!(rest.trailers.values("x-sum").len(), usize::from(trailers));
        }
        // Reset before anything was said of an answer that is no stream.
        a.answer(MESSAGES, Reply::new(200, json_message().piece("{").reset()));
        b.answer(CHAT, Reply::new(200, in_frames(&completion(), 1)));
        let answer = client.send("POST", CHAT, in_frames(&says("x", false), 1));
        assert_eq!(said(&answer).as_deref(), Some("of B"), "{}", answer.text());
        // A client that leaves takes its attempt with it.
        let gate = Gate::new();
        a.answer(MESSAGES, Reply::new(200, begun().wait(&gate)));
        let leaving = client.start("POST", CHAT, asked()).unwrap().head().unwrap();
        drop(leaving);
        let deadline = std::time::Instant::now() + PATIENCE;
        while lab.stat("cluster.llm.upstream_rq_active") > 0 {
            assert!(std::time::Instant::now() < deadline);
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert_sane(&lab);
    }
}
