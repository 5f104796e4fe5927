//! The path that most requests take allocates for what it renders, and for nothing else; a compiled
//! configuration keeps what it runs, and nothing of what compiling it took.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use allocation_counter::measure;
use transformations::{CompileOptions, ExchangeOps, Program, TransformationOps};

/// A host that allocates nothing itself: it counts writes and forgets them.
#[derive(Default)]
struct Envoy {
    writes: usize,
}

impl Envoy {
    fn write(&mut self) -> bool {
        self.writes += 1;
        true
    }
}

const REQUEST: [(&str, &str); 3] = [
    (":method", "POST"),
    (":path", "/v1/chat"),
    ("x-source", "copied"),
];

impl TransformationOps for Envoy {
    fn for_each_request_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        REQUEST
            .iter()
            .for_each(|(name, value)| visit(name.as_bytes(), value.as_bytes()));
    }
    fn for_each_response_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        visit(b":status", b"200");
    }
    fn add_request_header(&mut self, _: &str, _: &[u8]) -> bool {
        self.write()
    }
    fn set_request_header(&mut self, _: &str, _: &[u8]) -> bool {
        self.write()
    }
    fn remove_request_header(&mut self, _: &str) -> bool {
        self.write()
    }
    fn add_response_header(&mut self, _: &str, _: &[u8]) -> bool {
        self.write()
    }
    fn set_response_header(&mut self, _: &str, _: &[u8]) -> bool {
        self.write()
    }
    fn remove_response_header(&mut self, _: &str) -> bool {
        self.write()
    }
    fn get_request_body(&mut self) -> Vec<u8> {
        Vec::new()
    }
    fn drain_request_body(&mut self, _: usize) -> bool {
        self.write()
    }
    fn append_request_body(&mut self, _: &[u8]) -> bool {
        self.write()
    }
    fn get_response_body(&mut self) -> Vec<u8> {
        Vec::new()
    }
    fn drain_response_body(&mut self, _: usize) -> bool {
        self.write()
    }
    fn append_response_body(&mut self, _: &[u8]) -> bool {
        self.write()
    }
    fn set_dynamic_metadata_string(&mut self, _: &str, _: &str, _: &str) -> bool {
        self.write()
    }
}

impl ExchangeOps for Envoy {}

fn allocations_of_one_stream(config: &str) -> (u64, usize) {
    let program = Program::compile(config.as_bytes(), &CompileOptions::default()).unwrap();
    let program = Arc::new(program);
    let mut envoy = Envoy::default();
    let stream = |envoy: &mut Envoy| {
        let mut exchange = program.open();
        let _ = exchange.on_request_headers(envoy, true);
        let _ = exchange.on_response_headers(envoy, true);
    };
    // The first stream of a worker makes the scratch space that later ones use again.
    stream(&mut envoy);
    envoy.writes = 0;
    let measured = measure(|| stream(&mut envoy));
    (measured.count_total, envoy.writes)
}

#[test]
fn constants_and_copied_headers_of_one_direction_allocate_nothing() {
    let config = r#"{"request":{"set":[{"name":"a","value":"constant"},
        {"name":"b","value":"<{{ request_header('x-source') }}>"}]}}"#;
    assert_eq!(allocations_of_one_stream(config), (0, 2));
}

#[test]
fn a_request_header_kept_for_the_response_costs_its_snapshot() {
    let config = r#"{"request":{"set":[{"name":"b","value":"{{ request_header('x-source') }}"}]},
        "response":{"add":[{"name":"c","value":"{{ request_header(':method') }}"}]}}"#;
    let (allocations, writes) = allocations_of_one_stream(config);
    assert_eq!(writes, 2);
    assert!(
        allocations <= 3,
        "{allocations}: the snapshot, its text and its entries are enough"
    );
}

#[test]
fn a_stream_with_nothing_to_do_allocates_nothing() {
    assert_eq!(allocations_of_one_stream("{}"), (0, 0));
}

#[test]
fn conditions_on_headers_and_the_status_allocate_nothing() {
    for (condition, writes) in [("response.status >= 500", 0), ("response.status == 200", 1)] {
        let config = serde_json::json!({
            "request": {"when": "request.method == \"POST\" and \"chat\" in request.path", "remove": ["x"]},
            "response": [
                {"when": condition, "set": [{"name": "a", "value": "constant"}]},
                {"when": "header(\"x-none\")", "body": {"value": "{{ body() }}"}},
            ],
        });
        let measured = allocations_of_one_stream(&config.to_string());
        assert_eq!(measured, (0, writes + 1), "{condition}");
    }
}

#[test]
fn a_reply_that_is_not_sent_allocates_nothing() {
    let config = r#"{"request":{"reply":{"status":401,"when":"not header('x-source')"},
        "set":[{"name":"a","value":"constant"}]}}"#;
    assert_eq!(allocations_of_one_stream(config), (0, 1));
}

#[test]
fn a_rule_whose_condition_does_not_hold_allocates_nothing() {
    let config = r#"{"request":{"set":[{"name":"a","value":"1","when":"request.method == 'GET'"},
        {"name":"b","value":"2","when":"header('x-source') == 'copied'"}]}}"#;
    assert_eq!(allocations_of_one_stream(config), (0, 1));
}

/// The configuration of one route among thousands: four templates, two of which enter the engine.
fn route(number: usize) -> String {
    format!(
        r#"{{"request": {{"body": {{"parseAs": "AsJson"}}, "set": [
            {{"name": "x-model", "value": "{number} {{{{ model }}}}"}},
            {{"name": "x-team", "value": "{{{{ header('x-team') | default('team-{number}', true) }}}}"}}]}},
        "response": {{"set": [
            {{"name": "x-asked", "value": "{number} {{{{ request_header(':method') }}}}"}},
            {{"name": "x-kind", "value": "{{% if header(':status') == '{number}' %}}a{{% else %}}b{{% endif %}}"}}]}}}}"#
    )
}

#[test]
fn a_distinct_route_keeps_little_and_shares_the_engine() {
    let compile = |number| {
        let text = route(number);
        Program::compile(text.as_bytes(), &CompileOptions::default()).unwrap()
    };
    // The first program of the process makes the environment that all others share.
    drop(compile(0));
    let mut program = None;
    let measured = measure(|| program = Some(compile(1)));
    assert!(
        measured.bytes_current < 6 << 10,
        "{} bytes are kept",
        measured.bytes_current
    );
    assert!(
        measured.count_total < 400,
        "{} allocations for one route",
        measured.count_total
    );
}
