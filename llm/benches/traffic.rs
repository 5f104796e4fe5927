//! What it costs to read LLM traffic: an event of a stream, a request, and what is done to them.
//!
//! Run with `cargo bench -p llm --bench traffic`.

#![expect(clippy::unwrap_used, reason = "a failure here is a broken benchmark")]

use std::sync::Arc;

use divan::{Bencher, black_box, counter::BytesCount};
use llm::apply::{Unmasked, mask_request};
use llm::dialect::Dialect;
use llm::dialect::path::PathFacts;
use llm::mask::{Action, Kind, Masker, Returns, Settings};
use llm::place::Edits;
use llm::request::Request;
use llm::response::{Response, Texts};
use llm::text::Role;
use llm::usage::{Meter, ask, hide};

fn main() {
    divan::main();
}

const CHAT_EVENT: &str = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1790000000,"model":"gpt-x-2026-05-01","system_fingerprint":"fp_0","choices":[{"index":0,"delta":{"content":" a few words"},"logprobs":null,"finish_reason":null}],"usage":null}"#;

const ANTHROPIC_EVENT: &str = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" a few words"}}"#;

/// A chat request of about `size` bytes.
fn chat(size: usize) -> String {
    let text = "The quick brown fox jumps over the lazy dog, says \\\"hello\\\" and is gone. ";
    let message = format!(r#"{{"role":"user","content":"{}"}}"#, text.repeat(4));
    let messages = vec![message.as_str(); (size / message.len()).max(1)].join(",");
    format!(r#"{{"model":"gpt-4","stream":true,"messages":[{messages}],"temperature":0.7}}"#)
}

/// Each event of a stream that is metered.
#[divan::bench(args = [Dialect::OpenaiChat, Dialect::AnthropicMessages])]
fn meter_event(bencher: Bencher<'_, '_>, dialect: Dialect) {
    let data = match dialect {
        Dialect::AnthropicMessages => ANTHROPIC_EVENT,
        _ => CHAT_EVENT,
    };
    let (mut response, mut meter) = (Response::default(), Meter::new(dialect));
    bencher.bench_local(|| {
        response.read_event(dialect, black_box(data)).unwrap();
        meter.see(&response, data)
    });
}

/// Each event of a stream whose usage was asked for in the client's name.
#[divan::bench]
fn meter_and_hide_event(bencher: Bencher<'_, '_>) {
    let (mut response, mut meter) = (Response::default(), Meter::new(Dialect::OpenaiChat));
    bencher.bench_local(|| {
        response
            .read_event(Dialect::OpenaiChat, black_box(CHAT_EVENT))
            .unwrap();
        meter.see(&response, CHAT_EVENT);
        let mut edits = Edits::new();
        hide(&response, CHAT_EVENT, &mut edits);
        edits.write(CHAT_EVENT)
    });
}

fn masker() -> Arc<Masker> {
    let settings = Settings {
        detectors: Kind::ALL
            .into_iter()
            .map(|kind| (kind, Action::Mask))
            .collect(),
        ..Settings::default()
    };
    Arc::new(Masker::compile(&settings).unwrap())
}

/// Each event of a stream whose own values are masked and whose placeholders are restored.
#[divan::bench(args = [" a few words", " to [EMAIL_1] and"])]
fn mask_and_restore_event(bencher: Bencher<'_, '_>, text: &str) {
    let body = r#"{"messages":[{"role":"user","content":"I am jo@example.com"}]}"#;
    let request = Request::read(Dialect::OpenaiChat, body).unwrap();
    let mut masking = masker().open();
    mask_request(
        &request,
        body,
        &[Role::User],
        &mut masking,
        &mut Edits::new(),
    )
    .unwrap();
    let mut unmasked = Unmasked::new(masking.into_response(Returns::Both));
    let mut texts = Texts::new(Dialect::OpenaiChat);
    let data = CHAT_EVENT.replace(" a few words", text);
    let (mut response, mut before) = (Response::default(), Vec::new());
    bencher.bench_local(|| {
        response
            .read_event(Dialect::OpenaiChat, black_box(&data))
            .unwrap();
        let mut edits = Edits::new();
        let done = texts.event(&response, &data, &mut unmasked, &mut edits, &mut before);
        done.unwrap();
        match edits.is_empty() {
            true => None,
            false => Some(edits.write(&data)),
        }
    });
}

#[divan::bench(args = [1 << 10, 1 << 16])]
fn mask_request_of(bencher: Bencher<'_, '_>, size: usize) {
    let (body, masker) = (chat(size), masker());
    bencher
        .counter(BytesCount::from(body.len()))
        .bench_local(|| {
            let request = Request::read(Dialect::OpenaiChat, black_box(&body)).unwrap();
            let (mut masking, mut edits) = (masker.open(), Edits::new());
            mask_request(&request, &body, &[Role::User], &mut masking, &mut edits).unwrap();
            edits.write(&body)
        });
}

#[divan::bench(args = [1 << 10, 1 << 16, 1 << 20])]
fn read_request(bencher: Bencher<'_, '_>, size: usize) {
    let body = chat(size);
    bencher
        .counter(BytesCount::from(body.len()))
        .bench_local(|| Request::read(Dialect::OpenaiChat, black_box(&body)).unwrap());
}

#[divan::bench(args = [1 << 10, 1 << 16])]
fn force_usage(bencher: Bencher<'_, '_>, size: usize) {
    let body = chat(size);
    bencher.bench_local(|| {
        let request = Request::read(Dialect::OpenaiChat, black_box(&body)).unwrap();
        let mut edits = Edits::new();
        ask(&request, &body, &mut edits);
        edits.write(&body)
    });
}

#[divan::bench]
fn read_path(bencher: Bencher<'_, '_>) {
    let path = "/openai/deployments/gpt-4/chat/completions?api-version=2026-01-01";
    bencher.bench_local(|| PathFacts::of(black_box(path)).dialect);
}
