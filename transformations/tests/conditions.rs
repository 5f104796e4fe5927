//! Conditions that are decided without the engine give the answer of the engine.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use serde_json::json;
use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, Direction, Program};

/// Headers of a response, each absent or with one or several lines.
const LINES: [&[&str]; 7] = [
    &[],
    &[""],
    &["a"],
    &["b"],
    &["a", "b"],
    &["text/a; charset=utf-8"],
    &["A"],
];

const STATUSES: [&str; 9] = ["", "0", "99", "200", "499", "500", "503", "599", "abc"];

/// Conditions on the header `h` and on the status.
const OPERANDS: [&str; 22] = [
    "header(\"h\")",
    "response.headers[\"h\"]",
    "response.headers.h",
    "header(\"h\") == \"a\"",
    "header(\"h\") != \"a\"",
    "\"a\" == response.headers.h",
    "\"a\" != response.headers.h",
    "\"a\" in header(\"h\")",
    "\"a\" not in response.headers[\"h\"]",
    "\"a, b\" == header(\"h\")",
    "request.query",
    "request.method == \"GET\"",
    "request_header(\"h\") == \"a\"",
    "response.status == 500",
    "response.status != 500",
    "response.status >= 500",
    "500 > response.status",
    "500 <= response.status",
    "response.status < 500",
    "response.status > 499",
    "true",
    "\"\"",
];

fn holds(program: &Arc<Program>, lines: &[&str], status: &str) -> (bool, bool) {
    let mut headers = vec![(":status", status)];
    headers.retain(|(_, status)| !status.is_empty());
    headers.extend(lines.iter().map(|line| ("h", *line)));
    let request = [(":method", "GET"), (":path", "/a?b"), ("h", "a")];
    let mut host = MemoryHost {
        request: Message::new(&request, ""),
        response: Message::new(&headers, ""),
        ..MemoryHost::default()
    };
    let mut exchange = program.open();
    let _ = exchange.on_request_headers(&mut host, true);
    host.send(&mut exchange, Direction::Response).unwrap();
    let is_set = |name| host.response.values(name) == ["1"];
    (is_set("x-fast"), is_set("x-engine"))
}

fn agrees(condition: &str) {
    let template = format!("{{% if {condition} %}}1{{% endif %}}");
    let config = json!({"response": {"set": [
        {"name": "x-fast", "value": "1", "when": condition},
        {"name": "x-engine", "value": template},
    ]}});
    let program = Program::compile(config.to_string().as_bytes(), &CompileOptions::default());
    let program = Arc::new(program.unwrap_or_else(|found| panic!("{condition}: {found}")));
    for lines in LINES {
        for status in STATUSES {
            let (fast, engine) = holds(&program, lines, status);
            assert_eq!(fast, engine, "{condition}: {lines:?} {status}");
        }
    }
}

#[test]
fn a_comparison_is_what_the_engine_makes_of_it() {
    for condition in OPERANDS {
        agrees(condition);
        agrees(&format!("not {condition}"));
    }
}

#[test]
fn so_is_a_combination_of_them() {
    for left in OPERANDS {
        for right in ["header(\"h\") == \"a\"", "response.status >= 500", "false"] {
            agrees(&format!("{left} and {right}"));
            agrees(&format!("{left} or not ({right} and {left})"));
        }
    }
}

#[test]
fn conditions_that_nest_too_deeply_or_go_on_too_long_are_refused() {
    let chain = |link: &str, times| format!("true{}", link.repeat(times));
    for condition in [
        chain(" and true", 1_000),
        chain(" or header(\"h\")", 10_000),
        format!("{}true", "not ".repeat(1_900)),
        format!("{}true", "not ".repeat(100_000)),
        format!("{}1{}", "(".repeat(1_000), ")".repeat(1_000)),
        format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)),
    ] {
        let config = json!({"request": {"when": condition, "remove": ["x"]}});
        let compiled = Program::compile(config.to_string().as_bytes(), &CompileOptions::default());
        let found = compiled.expect_err(&condition[..40]);
        assert!(
            found.iter().all(|problem| problem.path() == "request.when"),
            "{found}"
        );
    }
    agrees(&chain(" and response.status >= 500", 100));
}
