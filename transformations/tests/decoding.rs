//! Event streams that come compressed and are decoded for their rules (`body.decode`).

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use serde_json::{Value, json};
use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, Exchange, Program};

/// `data: {"n":1}` and a blank line in gzip, flushed.
const FIRST: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4a\x49\x2c\x49\xb4\x52\xa8\x56\xca\x53\xb2\x32\xac\xe5\xe2\x02\x00\x00\x00\xff\xff";
/// `data: {"n":2}` and a blank line, and the end of the coding.
const SECOND: &[u8] = b"\x4b\x41\x70\x8d\x80\x5c\x00\x76\xfa\xef\x99\x1e\x00\x00\x00";

fn rules(decode: bool) -> Value {
    let patch = json!([{"op": "add", "path": "/seen", "value": true}]);
    json!({"response": {"body": {"decode": decode}, "stream": {"rules": [{"patch": patch}]}}})
}

/// An exchange whose response has begun.
fn begin(config: &Value, coding: &str) -> (Exchange, MemoryHost) {
    let program = Program::compile(config.to_string().as_bytes(), &CompileOptions::default());
    let mut exchange = Arc::new(program.unwrap_or_else(|found| panic!("{found}"))).open();
    let headers = [
        ("content-type", "text/event-stream"),
        ("content-encoding", coding),
        ("content-length", "46"),
    ];
    let mut host = MemoryHost {
        response: Message::new(&headers, ""),
        ..MemoryHost::default()
    };
    let _ = exchange.on_request_headers(&mut host, true);
    let answer = exchange.on_response_headers(&mut host, false);
    answer.into_result().unwrap();
    (exchange, host)
}

/// What goes out for a chunk, or the details of what ended the stream.
fn send(
    exchange: &mut Exchange,
    host: &mut MemoryHost,
    chunk: &[u8],
    ends: bool,
) -> Result<Vec<u8>, &'static str> {
    host.response.body = vec![chunk.to_vec()];
    let answer = exchange.on_response_body(host, ends).into_result();
    answer.map_err(|failure| failure.error().details())?;
    Ok(host.response.body_bytes())
}

#[test]
fn an_event_goes_out_decoded_as_soon_as_it_is_there() {
    let (mut exchange, mut host) = begin(&rules(true), "gzip");
    assert!(host.response.values("content-encoding").is_empty());
    assert!(host.response.values("content-length").is_empty());
    let first = send(&mut exchange, &mut host, FIRST, false).unwrap();
    assert_eq!(first, b"data: {\"n\":1,\"seen\":true}\n\n");
    let second = send(&mut exchange, &mut host, SECOND, true).unwrap();
    assert_eq!(second, b"data: {\"n\":2,\"seen\":true}\n\n");
}

#[test]
fn however_the_stream_is_cut_the_same_comes_out() {
    let whole = [FIRST, SECOND].concat();
    for size in [1, 2, 7, whole.len()] {
        let (mut exchange, mut host) = begin(&rules(true), "gzip");
        let mut out = Vec::new();
        for chunk in whole.chunks(size) {
            out.extend(send(&mut exchange, &mut host, chunk, false).unwrap());
        }
        out.extend(send(&mut exchange, &mut host, b"", true).unwrap());
        let expected = "data: {\"n\":1,\"seen\":true}\n\ndata: {\"n\":2,\"seen\":true}\n\n";
        assert_eq!(
            String::from_utf8(out).unwrap(),
            expected,
            "in chunks of {size}"
        );
    }
}

#[test]
fn a_stream_that_cannot_be_decoded_to_its_end_is_cut() {
    for on_error in ["auto", "skip", "continue", "fail"] {
        let mut config = rules(true);
        config["onError"] = json!(on_error);
        let (mut exchange, mut host) = begin(&config, "gzip");
        send(&mut exchange, &mut host, FIRST, false).unwrap();
        let ended = send(&mut exchange, &mut host, b"", true);
        assert_eq!(ended, Err("rustformation_compressed_stream"), "{on_error}");
        let (mut exchange, mut host) = begin(&config, "gzip");
        let corrupt = send(&mut exchange, &mut host, b"no gzip at all", false);
        assert_eq!(
            corrupt,
            Err("rustformation_compressed_stream"),
            "{on_error}"
        );
    }
}

#[test]
fn a_stream_passes_that_is_not_to_be_decoded_or_in_another_coding() {
    for (config, coding) in [(rules(false), "gzip"), (rules(true), "compress")] {
        let (mut exchange, mut host) = begin(&config, coding);
        assert_eq!(host.response.values("content-encoding"), [coding]);
        assert_eq!(send(&mut exchange, &mut host, FIRST, true).unwrap(), FIRST);
    }
}
