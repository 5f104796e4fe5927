//! What a request costs: looking for its model, reading it, limits, prompts; and what costs cost.

#![allow(clippy::unwrap_used, reason = "a benchmark says no by panicking")]

use divan::{Bencher, black_box};
use llm::dialect::Dialect;
use llm::limits::{Limits, OnExcess};
use llm::model::ModelScan;
use llm::place::Edits;
use llm::price::Prices;
use llm::prompt::{Prompt, PromptRole, enrich};
use llm::request::Request;
use llm::usage::Usage;

fn main() {
    divan::main();
}

fn body(size: usize) -> String {
    let text = "The quick brown fox jumps over the lazy dog, said \\\"somebody\\\".\\n";
    let mut messages = String::new();
    while messages.len() < size {
        if !messages.is_empty() {
            messages.push(',');
        }
        messages += &format!(r#"{{"role":"user","content":"{}"}}"#, text.repeat(6));
    }
    format!(r#"{{"model":"gpt-4o-mini","messages":[{messages}],"stream":true}}"#)
}

#[divan::bench(args = [1 << 10, 1 << 16])]
fn scan(bencher: Bencher<'_, '_>, size: usize) {
    let body = body(size);
    bencher
        .counter(divan::counter::BytesCount::of_str(&body))
        .bench(|| {
            let mut scan = ModelScan::new();
            black_box(scan.feed(black_box(body.as_bytes())).is_ok())
        });
}

#[divan::bench(args = [1 << 10, 1 << 16])]
fn read(bencher: Bencher<'_, '_>, size: usize) {
    let body = body(size);
    bencher
        .counter(divan::counter::BytesCount::of_str(&body))
        .bench(|| Request::read(Dialect::OpenaiChat, black_box(&body)));
}

#[divan::bench(args = [1 << 10, 1 << 16])]
fn limits(bencher: Bencher<'_, '_>, size: usize) {
    let body = body(size);
    let request = Request::read(Dialect::OpenaiChat, &body).unwrap();
    let limits = Limits {
        messages: Some(10_000),
        prompt_bytes: Some(1 << 30),
        max_output_tokens: Some(9),
        on_excess: OnExcess::Clamp,
        ..Limits::default()
    };
    bencher.bench(|| limits.apply(black_box(&request), &body, false, &mut Edits::new()));
}

#[divan::bench(args = [1 << 10, 1 << 16])]
fn prompts(bencher: Bencher<'_, '_>, size: usize) {
    let body = body(size);
    let request = Request::read(Dialect::OpenaiChat, &body).unwrap();
    let prompt = Prompt {
        role: PromptRole::System,
        content: "You are the assistant of the blue team. Be brief, and say what you do not know.",
    };
    bencher.bench(|| {
        enrich(
            black_box(&request),
            &body,
            &[prompt],
            &[],
            &mut Edits::new(),
        )
    });
}

#[divan::bench(args = [10, 3000])]
fn cost(bencher: Bencher<'_, '_>, models: usize) {
    let entry = |index| format!(r#""model-{index}":{{"input":"2.50","output":"10"}}"#);
    let mut entries: Vec<String> = (0..models).map(entry).collect();
    entries
        .extend((0..10).map(|index| format!(r#""family-{index}-*":{{"input":"1","output":"2"}}"#)));
    let prices = Prices::read(&format!("{{{}}}", entries.join(",")))
        .unwrap()
        .prices;
    let usage = Usage {
        input_tokens: 1000,
        output_tokens: 50,
        ..Usage::default()
    };
    bencher.bench(|| prices.cost(black_box(Some("family-9-x")), Some(&usage)));
}

#[divan::bench]
fn read_prices(bencher: Bencher<'_, '_>) {
    let entry = |index| {
        format!(
            r#""model-{index}":{{"input_cost_per_token":2.5e-06,"output_cost_per_token":1e-05,"litellm_provider":"openai","max_tokens":4096,"mode":"chat","supports_vision":true,"cache_read_input_token_cost":1.25e-06}}"#
        )
    };
    let entries: Vec<String> = (0..3000).map(entry).collect();
    let text = format!("{{{}}}", entries.join(","));
    bencher.bench(|| Prices::read(black_box(&text)).unwrap().prices.len());
}
