//! What masking costs each event of a streamed answer, through a whole exchange: events that pass, that are
//! metered, and whose texts are restored or masked by all detectors, ten to a chunk.
//!
//! Run with `cargo bench -p transformations --bench masking`.

#![expect(clippy::unwrap_used, reason = "a failure here is a broken benchmark")]

use std::sync::Arc;

use divan::{Bencher, black_box, counter::ItemsCount};
use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, Direction, Program};

fn main() {
    divan::main();
}

/// How many events a chunk has, and how many chunks there are.
const SHAPE: (usize, usize) = (10, 100);

fn mask(response: &str) -> String {
    format!(
        r#"{{"ai": {{"mask": {{"response": "{response}", "detectors": {{"email": "mask", "phone": "mask",
            "credit-card": "mask", "ssn": "mask", "iban": "mask", "ip": "mask", "api-key": "mask",
            "jwt": "mask", "private-key": "mask"}}}}}}}}"#
    )
}

/// Streams of which every event says ` words`, through a configuration.
fn run(bencher: Bencher<'_, '_>, config: &str, words: &str) {
    let program = Program::compile(config.as_bytes(), &CompileOptions::default()).unwrap();
    let program = Arc::new(program);
    let headers = [
        (":method", "POST"),
        (":path", "/v1/chat/completions"),
        ("content-type", "application/json"),
    ];
    let request = r#"{"stream":true,"messages":[{"role":"user","content":"I am jo@example.com"}]}"#;
    let request = Message::new(&headers, request);
    let headers = [(":status", "200"), ("content-type", "text/event-stream")];
    let response = Message::new(&headers, "");
    let event = format!(
        "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\
         \"model\":\"gpt-4\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{words}\"}},\
         \"finish_reason\":null}}]}}\n\n"
    );
    let (events, chunks) = SHAPE;
    let chunk = event.repeat(events).into_bytes();
    bencher
        .counter(ItemsCount::new(events * chunks))
        .bench_local(|| {
            let mut host = MemoryHost {
                request: request.clone(),
                response: response.clone(),
                ..MemoryHost::default()
            };
            let mut exchange = program.open();
            host.send(&mut exchange, Direction::Request).unwrap();
            let _ = exchange.on_response_headers(&mut host, false);
            for _ in 0..chunks {
                host.response.body = vec![chunk.clone()];
                let _ = exchange.on_response_body(&mut host, false);
                black_box(&host.response.body);
            }
            host.response.body.clear();
            let _ = exchange.on_response_body(&mut host, true);
        });
}

#[divan::bench]
fn events_that_pass(bencher: Bencher<'_, '_>) {
    run(bencher, "{}", " a few words");
}

#[divan::bench]
fn events_that_are_metered(bencher: Bencher<'_, '_>) {
    run(bencher, r#"{"ai": {"usage": {}}}"#, " a few words");
}

#[divan::bench(args = ["restore", "mask", "both"])]
fn events_with_nothing_to_find(bencher: Bencher<'_, '_>, response: &str) {
    run(bencher, &mask(response), " a few words");
}

#[divan::bench(args = ["restore", "both"])]
fn events_with_a_placeholder(bencher: Bencher<'_, '_>, response: &str) {
    run(bencher, &mask(response), " to [EMAIL_1] and");
}
