//! Compressed bodies and event streams that are decoded to be read (`body.decode`), in real Envoys.

use std::time::{Duration, Instant};

use rustformations_tests::{Body, EnvoyConfig, Lab, Reply, Route, on_every_envoy};
use serde_json::json;

/// `see http://in/x` in gzip.
const TEXT: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x2b\x4e\x4d\x55\xc8\x28\x29\x29\xb0\xd2\xd7\xcf\xcc\xd3\xaf\x00\x00\xff\xdb\x16\x26\x0f\x00\x00\x00";
/// `data: {"n":1}` and a blank line in gzip, flushed.
const FIRST: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4a\x49\x2c\x49\xb4\x52\xa8\x56\xca\x53\xb2\x32\xac\xe5\xe2\x02\x00\x00\x00\xff\xff";
/// `data: {"n":2}` and a blank line, and the end of the coding.
const SECOND: &[u8] = b"\x4b\x41\x70\x8d\x80\x5c\x00\x76\xfa\xef\x99\x1e\x00\x00\x00";

const PAUSE: Duration = Duration::from_millis(300);

on_every_envoy! {
    fn a_compressed_body_is_read_and_goes_out_without_its_coding(envoy) {
        let lab = Lab::start(envoy, &EnvoyConfig::new().route(Route::at("/").transform(json!({"response": {
            "body": {"decode": true, "value": "{{ body() | replace(\"http://in\", \"https://out\") }}"},
        }}))));
        let reply = |body: &[u8]| Reply::new(200).header("content-encoding", "gzip").header("etag", "\"1\"").body(body);
        lab.origin().answer("/", reply(TEXT));
        let answer = lab.get("/").send();
        assert_eq!((answer.status, answer.text().as_str()), (200, "see https://out/x"));
        assert!(!answer.headers.has("content-encoding") && !answer.headers.has("etag"));
        lab.origin().answer("/", reply(b"no gzip"));
        let answer = lab.get("/").send();
        assert_eq!((answer.text().as_str(), answer.header("content-encoding").as_str()), ("no gzip", "gzip"));
    }

    fn a_compressed_stream_is_decoded_event_by_event(envoy) {
        let lab = Lab::start(envoy, &EnvoyConfig::new().route(Route::at("/").transform(json!({"response": {
            "body": {"decode": true},
            "stream": {"rules": [{"patch": [{"op": "add", "path": "/seen", "value": true}]}]},
        }}))));
        let body = Body::chunked().piece(FIRST).pause(PAUSE).piece(SECOND);
        let reply = Reply::new(200).header("content-type", "text/event-stream").header("content-encoding", "gzip");
        lab.origin().answer("/", reply.stream(body));
        let began = Instant::now();
        let mut exchange = lab.get("/").begin().unwrap();
        assert!(!exchange.headers.has("content-encoding"));
        assert_eq!(exchange.next_piece().unwrap().unwrap(), b"data: {\"n\":1,\"seen\":true}\n\n");
        assert!(began.elapsed() < PAUSE, "the first event came after {:?}", began.elapsed());
        assert_eq!(exchange.finish().unwrap().text(), "data: {\"n\":2,\"seen\":true}\n\n");
    }
}
