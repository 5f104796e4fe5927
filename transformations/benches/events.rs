//! What the rules of `response.stream` cost, on a stream of a thousand events.
//!
//! Run with `cargo bench -p transformations --bench events`.

#![expect(clippy::unwrap_used, reason = "a failure here is a broken benchmark")]

use std::sync::Arc;

use divan::{Bencher, black_box, counter::BytesCount};
use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, OpenedEvents, Program};

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
    let host = MemoryHost {
        response: Message::new(&[("content-type", "text/event-stream")], ""),
        ..MemoryHost::default()
    };
    let body = stream();
    bencher
        .counter(BytesCount::from(body.len()))
        .bench_local(|| {
            let opened = program.open().open_events(&host).unwrap();
            let OpenedEvents::Stream(mut events) = opened else {
                panic!("the benchmark's response is a stream of events");
            };
            let mut out = Vec::with_capacity(body.len());
            let mut changed = 0;
            for chunk in body.chunks(1448) {
                changed += events.push(chunk, &mut out).unwrap().changed;
            }
            black_box((events.finish(&mut out), changed, out))
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
