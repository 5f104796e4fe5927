//! Bodies that the exchange holds in memory of its own, for a host that holds nothing.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use serde_json::{Value, json};
use transformations::testing::{MemoryHost, Message};
use transformations::{Applied, CompileOptions, Direction, Exchange, Failure, Next, Program};

fn open(config: &Value) -> Exchange {
    let bytes = config.to_string();
    let program = Program::compile(bytes.as_bytes(), &CompileOptions::default());
    Arc::new(program.unwrap_or_else(|found| panic!("{found}"))).open()
}

fn host(chunks: &[&str]) -> MemoryHost {
    let mut message = Message::new(&[("content-length", "1")], "");
    message.body = chunks
        .iter()
        .map(|chunk| chunk.as_bytes().to_vec())
        .collect();
    MemoryHost {
        request: message.clone(),
        response: message,
        holds_nothing: true,
        ..MemoryHost::default()
    }
}

fn send(config: &Value, host: &mut MemoryHost, direction: Direction) -> Result<Applied, Failure> {
    host.send(&mut open(config), direction)
}

#[test]
fn a_body_of_just_the_limit_is_held_and_one_byte_more_is_not() {
    let config = json!({
        "request": {"body": {"value": "<{{ body() }}>"}, "maxBodyBytes": 6},
        "response": {"body": {"value": "<{{ body() }}>"}, "maxBodyBytes": 6},
    });
    for (direction, status) in [(Direction::Request, 413), (Direction::Response, 500)] {
        for (chunks, fits) in [
            (&["abcdef"][..], true),
            (&["abc", "def"], true),
            (&["a", "b", "c", "d", "e", "f"], true),
            (&["abcdefg"], false),
            (&["abc", "defg"], false),
            (&["abcdef", "g"], false),
        ] {
            for ends_alone in [false, true] {
                let mut host = host(chunks);
                host.ends_alone = ends_alone;
                let result = send(&config, &mut host, direction);
                if fits {
                    result.unwrap();
                    let message = match direction {
                        Direction::Request => &host.request,
                        Direction::Response => &host.response,
                    };
                    assert_eq!(message.body_bytes(), b"<abcdef>", "{chunks:?}");
                    assert_eq!(message.values("content-length"), ["8"]);
                    continue;
                }
                let error = result.unwrap_err().error();
                let seen = (error.status(), error.details());
                assert_eq!(seen, (status, "rustformation_body_too_large"), "{chunks:?}");
                assert_eq!(error.direction(), direction);
            }
        }
    }
}

#[test]
fn the_reply_to_what_is_too_large_names_the_field() {
    let mut exchange = open(&json!({"request": [
        {"when": "request.method == \"GET\"", "remove": ["x"]},
        {"body": {"value": "{{ body() }}"}, "maxBodyBytes": 2},
    ]}));
    let mut host = host(&[]);
    let held = exchange.on_request_headers(&mut host, false);
    assert_eq!(held.next, Next::Hold);
    host.request.body = vec![b"abc".to_vec()];
    let Next::Reply(reply) = exchange.on_request_body(&mut host, false).next else {
        panic!("no reply");
    };
    let details = "rustformation_body_too_large{request[1].maxBodyBytes}";
    assert_eq!((reply.status, reply.details.as_str()), (413, details));
}

#[test]
fn what_no_rule_changes_goes_on_as_it_came() {
    let config = json!({"request": {"set": [{"name": "x-a", "value": "{{ body() | length }}"}]}});
    let mut host = host(&["abc", "def"]);
    let applied = send(&config, &mut host, Direction::Request).unwrap();
    assert_eq!(host.request.body_bytes(), b"abcdef");
    assert_eq!(host.request.values("content-length"), ["1"]);
    assert_eq!(host.request.values("x-a"), ["6"]);
    assert_eq!(applied.body, transformations::BodyChange::Unchanged);
    assert_eq!(host.answers, ["hold", "drop", "pass"]);
}

#[test]
fn trailers_end_what_is_held() {
    let config =
        json!({"response": {"body": {"patch": [{"op": "add", "path": "/b", "value": 2}]}}});
    let mut host = host(&["{\"a\"", ":1}"]);
    host.response_trailers = vec![("grpc-status".into(), "0".into())];
    send(&config, &mut host, Direction::Response).unwrap();
    assert_eq!(host.response.body_bytes(), b"{\"a\":1,\"b\":2}");
    assert!(host.response.values("content-length").is_empty());
    assert_eq!(host.answers, ["hold", "drop", "drop", "pass"]);
}

#[test]
fn a_request_that_is_overtaken_leaves_nothing_of_it_in_the_response() {
    let config = json!({
        "request": {"body": {"value": "<{{ body() }}>"}},
        "response": {"body": {"value": "[{{ body() }}]"}},
    });
    let mut exchange = open(&config);
    let mut host = host(&["request"]);
    let _ = exchange.on_request_headers(&mut host, false);
    assert_eq!(exchange.on_request_body(&mut host, false).next, Next::Drop);
    // Somebody else answers; the rest of the request passes as it comes.
    host.response.body = vec![b"answer".to_vec()];
    host.send(&mut exchange, Direction::Response).unwrap();
    assert_eq!(host.response.body_bytes(), b"[answer]");
    host.request.body = vec![b"more".to_vec()];
    assert_eq!(exchange.on_request_body(&mut host, true).next, Next::Pass);
    assert_eq!(host.request.body_bytes(), b"more");
    assert_eq!(exchange.on_complete(&mut host), None);
}
