//! What a transform costs beside the host: header fast path, engine, JSON extraction.
//!
//! Allocations are counted too: the header paths must not make any beyond what they capture.

use std::sync::Arc;

use divan::Bencher;
use transformations::{CompileOptions, ExchangeOps, Program, TransformationOps};

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

/// A host that answers from constants and swallows writes, so that only the library is measured.
struct Host {
    body: Vec<u8>,
}

const HEADERS: [(&[u8], &[u8]); 4] = [
    (b":method", b"POST"),
    (b":path", b"/v1/chat"),
    (b"user-agent", b"curl/8"),
    (b"x-a", b"1"),
];

impl TransformationOps for Host {
    fn for_each_request_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        HEADERS.iter().for_each(|(name, value)| visit(name, value));
    }
    fn for_each_response_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        HEADERS.iter().for_each(|(name, value)| visit(name, value));
    }
    fn add_request_header(&mut self, _: &str, value: &[u8]) -> bool {
        !divan::black_box(value).is_empty()
    }
    fn set_request_header(&mut self, _: &str, value: &[u8]) -> bool {
        !divan::black_box(value).is_empty()
    }
    fn remove_request_header(&mut self, _: &str) -> bool {
        true
    }
    fn add_response_header(&mut self, _: &str, value: &[u8]) -> bool {
        !divan::black_box(value).is_empty()
    }
    fn set_response_header(&mut self, _: &str, value: &[u8]) -> bool {
        !divan::black_box(value).is_empty()
    }
    fn remove_response_header(&mut self, _: &str) -> bool {
        true
    }
    fn get_request_body(&mut self) -> Vec<u8> {
        self.body.clone()
    }
    fn drain_request_body(&mut self, _: usize) -> bool {
        true
    }
    fn append_request_body(&mut self, bytes: &[u8]) -> bool {
        !divan::black_box(bytes).is_empty()
    }
    fn get_response_body(&mut self) -> Vec<u8> {
        self.body.clone()
    }
    fn drain_response_body(&mut self, _: usize) -> bool {
        true
    }
    fn append_response_body(&mut self, bytes: &[u8]) -> bool {
        !divan::black_box(bytes).is_empty()
    }
    fn set_dynamic_metadata_string(&mut self, _: &str, _: &str, _: &str) -> bool {
        true
    }
    fn request_body_length(&mut self) -> usize {
        self.body.len()
    }
}

impl ExchangeOps for Host {}

fn run(bencher: Bencher<'_, '_>, config: &str, body: Vec<u8>) {
    let program = Program::compile(config.as_bytes(), &CompileOptions::default());
    let Ok(program) = program.map(Arc::new) else {
        panic!("the benchmark's configuration is valid");
    };
    let mut host = Host { body };
    bencher.bench_local(|| {
        let mut exchange = program.open();
        let ends = host.body.is_empty();
        let request = exchange.on_request_headers(&mut host, ends);
        let body = (!ends).then(|| exchange.on_request_body(&mut host, true));
        let response = exchange.on_response_headers(&mut host, ends);
        let answer = (!ends).then(|| exchange.on_response_body(&mut host, true));
        (request, body, response, answer)
    });
}

#[divan::bench]
fn nothing_to_do(bencher: Bencher<'_, '_>) {
    run(bencher, "{}", Vec::new());
}

#[divan::bench]
fn one_header_set_and_one_added(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        r#"{"request": {"set": [{"name": "x-a", "value": "{{ header('user-agent') }}"}]},
            "response": {"add": [{"name": "x-b", "value": "path={{ request_header(':path') }}"}]}}"#,
        Vec::new(),
    );
}

#[divan::bench]
fn a_header_of_command_operators(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        r#"{"request": {"set": [{"name": "x-a", "value": "method=%REQ(:METHOD)%&path=%REQ(:PATH)%"}]}}"#,
        Vec::new(),
    );
}

#[divan::bench]
fn a_header_through_the_engine(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        r#"{"request": {"set": [{"name": "x-a", "value": "{{ header('user-agent')|upper }}"}]}}"#,
        Vec::new(),
    );
}

/// A chat request of about the given size.
fn chat(bytes: usize) -> Vec<u8> {
    let message = r#"{"role": "user", "content": "the quick brown fox jumps over the lazy dog"}"#;
    let mut body = String::from(r#"{"model": "gpt-4", "messages": ["#);
    while body.len() < bytes {
        body.push_str(message);
        body.push(',');
    }
    body.push_str(message);
    body.push_str("]}");
    body.into_bytes()
}

#[divan::bench(args = [1 << 10, 64 << 10, 1 << 20])]
fn a_json_field_to_a_header(bencher: Bencher<'_, '_>, bytes: usize) {
    run(
        bencher,
        r#"{"request": {"set": [{"name": "x-model", "value": "{{ model }}"}],
            "body": {"parseAs": "AsJson"}}}"#,
        chat(bytes),
    );
}

#[divan::bench(args = [300, 64 << 10, 1 << 20])]
fn a_system_message_by_template(bencher: Bencher<'_, '_>, bytes: usize) {
    run(
        bencher,
        r#"{"request": {"body": {"parseAs": "AsJson", "value":
            "{\"model\": {{ model|tojson }}, \"messages\": [{\"role\": \"system\", \"content\": \"be brief\"}{% for m in messages %}, {{ m|tojson }}{% endfor %}]}"}}}"#,
        chat(bytes),
    );
}

#[divan::bench(args = [300, 64 << 10, 1 << 20])]
fn a_system_message_by_patch(bencher: Bencher<'_, '_>, bytes: usize) {
    run(
        bencher,
        r#"{"request": {"body": {"patch": [{"op": "add", "path": "/messages/0",
            "value": {"role": "system", "content": "be brief"}}]}}}"#,
        chat(bytes),
    );
}

#[divan::bench]
fn two_headers_of_a_reply(bencher: Bencher<'_, '_>) {
    let content = "The answer in plain words. ".repeat(16);
    let reply = format!(
        r#"{{"choices":[{{"finish_reason":"stop","index":0,"message":{{"content":"{content}","role":"assistant"}}}}],"model":"gpt-4-0613","usage":{{"completion_tokens":22,"prompt_tokens":20,"total_tokens":42}}}}"#
    );
    run(
        bencher,
        r#"{"response": {"body": {"parseAs": "AsJson"}, "set": [
            {"name": "x-model", "value": "{{ model }}"},
            {"name": "x-tokens", "value": "{{ usage.total_tokens }}"}]}}"#,
        reply.into_bytes(),
    );
}

#[divan::bench]
fn a_body_as_text(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        r#"{"request": {"body": {"value": "{{ body()|replace('fox', 'dog') }}"}}}"#,
        chat(1 << 10),
    );
}

#[divan::bench]
fn a_field_of_a_body_as_metadata(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        r#"{"response": {"body": {"parseAs": "AsJson"}, "dynamicMetadata": [
            {"namespace": "my.llm", "key": "model", "value": {"stringValue": "{{ model }}"}}]}}"#,
        chat(1 << 10),
    );
}

#[divan::bench]
fn an_extraction_from_a_header(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        r#"{"request": {
            "extractors": {"version": {"header": ":path", "regex": "/v([0-9]+)/.*", "subgroup": 1}},
            "set": [{"name": "x-version", "value": "{{ extraction('version') }}"}]}}"#,
        Vec::new(),
    );
}
