//! What the rules of `response.stream` cost, on a stream of a thousand events.
//!
//! Run with `cargo bench -p transformations --bench events`.

#![expect(clippy::unwrap_used, reason = "a failure here is a broken benchmark")]

use std::sync::Arc;

use divan::{Bencher, black_box, counter::BytesCount};
use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, Program};

fn main() {
    divan::main();
}

/// A thousand chunks of a chat completion.
fn stream() -> Vec<u8> {
    let event = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\
        \"model\":\"gpt-4\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"},\
        \"finish_reason\":null}]}\n\n";
    event.repeat(1000).into_bytes()
}

/// A thousand events under `rules`, in chunks of a network packet.
fn run(bencher: Bencher<'_, '_>, rules: &str) {
    let config = format!(r#"{{"response": {{"stream": {{"rules": [{rules}]}}}}}}"#);
    let options = CompileOptions::default();
    let program = Arc::new(Program::compile(config.as_bytes(), &options).unwrap());
    let mut host = MemoryHost {
        response: Message::new(&[("content-type", "text/event-stream")], ""),
        ..MemoryHost::default()
    };
    let body = stream();
    bencher
        .counter(BytesCount::from(body.len()))
        .bench_local(|| {
            host.response = Message::new(&[("content-type", "text/event-stream")], "");
            let mut exchange = program.open();
            let _ = exchange.on_response_headers(&mut host, false);
            let mut changed = 0;
            for chunk in body.chunks(1448) {
                host.response.body = vec![chunk.to_vec()];
                let answer = exchange.on_response_body(&mut host, false);
                changed += answer.applied.events;
                black_box(&host.response.body);
            }
            host.response.body.clear();
            black_box((exchange.on_response_body(&mut host, true), changed))
        });
}

#[divan::bench]
fn events_that_no_rule_selects(bencher: Bencher<'_, '_>) {
    run(bencher, r#"{"when": {"data": "[DONE]"}, "drop": true}"#);
}

#[divan::bench]
fn events_that_a_rule_looks_into(bencher: Bencher<'_, '_>) {
    run(bencher, r#"{"when": {"pointer": "/error"}, "drop": true}"#);
}

#[divan::bench]
fn events_that_are_patched(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        r#"{"patch": [{"op": "replace", "path": "/model", "value": "hidden"}]}"#,
    );
}

#[divan::bench]
fn events_that_a_template_rewrites(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        r#"{"data": "{\"text\": {{ choices[0].delta.content|tojson }}}"}"#,
    );
}
