//! What reading one field of a body costs, and what one edit costs, against a value tree.
//!
//! Run with `cargo bench -p formats --bench json`.

#![expect(clippy::unwrap_used, reason = "a failure here is a broken benchmark")]

use divan::{Bencher, black_box, counter::BytesCount};
use formats::json::Document;
use formats::json::patch::Patch;
use serde_json::{Value, json};

const SIZES: [usize; 3] = [1 << 10, 1 << 16, 1 << 20];

fn main() {
    divan::main();
}

/// A chat request of about `size` bytes: the model comes last, after all the messages.
fn chat(size: usize) -> Vec<u8> {
    let sentence = "The quick brown fox jumps over the lazy dog, says \"hello\" and is gone.\\n ";
    let message = json!({"role": "user", "content": sentence.repeat(5)});
    let count = size / message.to_string().len();
    let messages = vec![message; count.max(1)];
    json!({"messages": messages, "temperature": 0.7, "stream": false, "model": "gpt-4"})
        .to_string()
        .into_bytes()
}

/// Mostly structure: numbers, short keys, whitespace.
fn dense(size: usize) -> Vec<u8> {
    let item = json!({"id": 12345, "score": 0.25, "ok": true, "tags": ["a", "b"], "none": null});
    let items = vec![item.clone(); size / item.to_string().len()];
    serde_json::to_vec(&json!({"items": items, "model": "gpt-4"})).unwrap()
}

#[divan::bench(args = SIZES)]
fn model_of_chat_lazy(bencher: Bencher<'_, '_>, size: usize) {
    let body = chat(size);
    bencher
        .counter(BytesCount::from(body.len()))
        .with_inputs(|| body.clone())
        .bench_values(|body| {
            let document = Document::parse(body).unwrap();
            document
                .root()
                .get("model")
                .unwrap()
                .as_str()
                .map(|model| model.len())
        });
}

#[divan::bench(args = SIZES)]
fn model_of_chat_tree(bencher: Bencher<'_, '_>, size: usize) {
    let body = chat(size);
    bencher
        .counter(BytesCount::from(body.len()))
        .with_inputs(|| body.clone())
        .bench_values(|body| {
            let value: Value = serde_json::from_slice(&body).unwrap();
            black_box(value["model"].as_str().map(str::len))
        });
}

/// What serde_json takes to check a body and build nothing.
#[divan::bench(args = SIZES)]
fn check_chat_serde(bencher: Bencher<'_, '_>, size: usize) {
    let body = chat(size);
    bencher
        .counter(BytesCount::from(body.len()))
        .with_inputs(|| body.clone())
        .bench_values(|body| {
            let text = std::str::from_utf8(&body).unwrap();
            serde_json::from_str::<serde::de::IgnoredAny>(text).unwrap()
        });
}

#[divan::bench(args = SIZES)]
fn model_of_dense_lazy(bencher: Bencher<'_, '_>, size: usize) {
    let body = dense(size);
    bencher
        .counter(BytesCount::from(body.len()))
        .with_inputs(|| body.clone())
        .bench_values(|body| {
            let document = Document::parse(body).unwrap();
            document
                .root()
                .get("model")
                .unwrap()
                .as_str()
                .map(|model| model.len())
        });
}

#[divan::bench(args = SIZES)]
fn model_of_dense_tree(bencher: Bencher<'_, '_>, size: usize) {
    let body = dense(size);
    bencher
        .counter(BytesCount::from(body.len()))
        .with_inputs(|| body.clone())
        .bench_values(|body| {
            let value: Value = serde_json::from_slice(&body).unwrap();
            black_box(value["model"].as_str().map(str::len))
        });
}

fn system_message() -> Value {
    json!({"role": "system", "content": "Be brief."})
}

#[divan::bench(args = SIZES)]
fn insert_message_patch(bencher: Bencher<'_, '_>, size: usize) {
    let operation = json!([{"op": "add", "path": "/messages/0", "value": system_message()}]);
    let patch = Patch::parse(&operation).unwrap();
    let body = chat(size);
    bencher
        .counter(BytesCount::from(body.len()))
        .with_inputs(|| body.clone())
        .bench_values(|body| {
            let document = Document::parse(body).unwrap();
            patch.apply(&document, &[], usize::MAX).unwrap().to_vec()
        });
}

#[divan::bench(args = SIZES)]
fn insert_message_tree(bencher: Bencher<'_, '_>, size: usize) {
    let body = chat(size);
    bencher
        .counter(BytesCount::from(body.len()))
        .with_inputs(|| body.clone())
        .bench_values(|body| {
            let mut value: Value = serde_json::from_slice(&body).unwrap();
            value["messages"]
                .as_array_mut()
                .unwrap()
                .insert(0, system_message());
            serde_json::to_vec(&value).unwrap()
        });
}

/// The floor: what copying the body costs.
#[divan::bench(args = SIZES)]
fn copy_only(bencher: Bencher<'_, '_>, size: usize) {
    let body = chat(size);
    bencher
        .counter(BytesCount::from(body.len()))
        .bench_local(|| black_box(&body).to_vec());
}
