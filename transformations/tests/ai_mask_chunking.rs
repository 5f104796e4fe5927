//! However a response is cut into pieces, the same bytes arrive of it when it is restored or masked: the
//! cases of `cases/ai_mask.json`, in pieces of every small size.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use serde_json::Value;
use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, Direction, Program};

fn message(case: &Value) -> Message {
    let text = |it: &Value| it.as_str().unwrap().as_bytes().to_vec();
    let headers = case["headers"].as_array().into_iter().flatten();
    let body = match case["chunks"].as_array() {
        Some(chunks) => chunks.iter().flat_map(text).collect(),
        None => case["body"]
            .as_str()
            .unwrap_or_default()
            .as_bytes()
            .to_vec(),
    };
    let mut message = Message::new(&[], body);
    message.headers = headers
        .map(|line| (text(&line[0]), text(&line[1])))
        .collect();
    message
}

/// What arrives of the response in pieces of a size, or the reply in its place.
fn arrives(program: &Arc<Program>, case: &Value, size: usize, ends_alone: bool) -> Vec<u8> {
    let mut host = MemoryHost {
        request: message(&case["request"]),
        response: message(&case["response"]),
        ends_alone,
        ..MemoryHost::default()
    };
    let whole = host.response.body_bytes();
    host.response.body = whole.chunks(size).map(<[u8]>::to_vec).collect();
    let mut exchange = program.open();
    host.send(&mut exchange, Direction::Request).unwrap();
    host.send(&mut exchange, Direction::Response).unwrap();
    match host.reply {
        Some(reply) => reply.body.into_bytes(),
        None => host.response.body_bytes(),
    }
}

#[test]
fn pieces_of_any_size_make_the_same_response() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("cases/ai_mask.json")).unwrap();
    let mut tried = 0;
    for case in cases.iter().filter(|case| case.get("response").is_some()) {
        let name = case["name"].as_str().unwrap();
        let config = case["config"].to_string();
        let program = Program::compile(config.as_bytes(), &CompileOptions::default());
        let program = Arc::new(program.unwrap());
        let expected = match case["reply"]["body"].as_str() {
            Some(body) => body,
            None => case["expect"]["response"]["body"].as_str().unwrap(),
        };
        for size in [1, 2, 3, 5, 7, 11, 64, 1 << 20] {
            for ends_alone in [false, true] {
                tried += 1;
                let came = arrives(&program, case, size, ends_alone);
                let came = String::from_utf8_lossy(&came);
                assert_eq!(came, expected, "{name}, in pieces of {size}");
            }
        }
    }
    assert!(tried > 400, "only {tried} were tried");
}
