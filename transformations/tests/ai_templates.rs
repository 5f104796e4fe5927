//! Keeps the table of facts in `docs/templates.md` true: what each gives is what a template renders to.
//!
//! With `UPDATE_DOCS=1` the test rewrites it.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use llm::facts::Fact;
use serde_json::json;
use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, Direction, Program};

const CONFIG: &str = r#"{
  "cost": {"prices": {"gpt-4o": {"input": "2.50", "output": "10.00"}}},
  "model": {"aliases": {"fast": "gpt-4o"}},
  "guard": {"deny": [{"name": "pirates", "words": ["pirate"]}], "mode": "monitor"},
  "mask": {"detectors": {"email": "mask"}}
}"#;
const CHAT: &str = r#"{"model":"fast","messages":[{"role":"user","content":"Write to jo@example.com as a pirate"}]}"#;
const ANSWER: &str = r#"{"model":"gpt-4o-2024","choices":[{"index":0,"message":{"role":"assistant","content":"Ahoy"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":2}}}"#;

const REQUEST: [(&str, &str); 3] = [
    (":method", "POST"),
    (":path", "/v1/chat/completions"),
    ("content-type", "application/json"),
];
const RESPONSE: [(&str, &str); 2] = [(":status", "200"), ("content-type", "application/json")];

/// What a template of a response renders to.
fn rendered(template: &str) -> String {
    let ai: serde_json::Value = serde_json::from_str(CONFIG).unwrap();
    let config = json!({"ai": ai, "response": {"set": [{"name": "x-a", "value": template}]}});
    let options = CompileOptions::default();
    let program = Program::compile(config.to_string().as_bytes(), &options).unwrap();
    let mut exchange = Arc::new(program).open();
    let mut host = MemoryHost {
        request: Message::new(&REQUEST, CHAT),
        response: Message::new(&RESPONSE, ANSWER),
        ..MemoryHost::default()
    };
    host.send(&mut exchange, Direction::Request).unwrap();
    host.send(&mut exchange, Direction::Response).unwrap();
    host.response.values("x-a").join(",")
}

#[test]
fn a_response_is_held_for_what_is_known_at_its_end_and_for_nothing_else() {
    let answers = |template: &str| {
        let config =
            json!({"ai": {"usage": {}}, "response": {"set": [{"name": "x-a", "value": template}]}});
        let options = CompileOptions::default();
        let program = Program::compile(config.to_string().as_bytes(), &options).unwrap();
        let mut exchange = Arc::new(program).open();
        let mut host = MemoryHost {
            request: Message::new(&REQUEST, CHAT),
            response: Message::new(&RESPONSE, ANSWER),
            ..MemoryHost::default()
        };
        host.send(&mut exchange, Direction::Request).unwrap();
        host.answers.clear();
        host.send(&mut exchange, Direction::Response).unwrap();
        host.answers
    };
    for template in ["1", "{{ ai.model }}", "{{ ai.estimated_input_tokens + 1 }}"] {
        assert_eq!(answers(template), ["pass", "pass"], "{template}");
    }
    for template in [
        "{{ ai.usage.input_tokens }}",
        "{{ ai.finish_reason|upper }}",
        "{{ ai.usage_status }}",
    ] {
        assert_eq!(answers(template), ["hold", "pass"], "{template}");
    }
}

fn spelling(fact: Fact) -> String {
    match fact.group() {
        Some(group) => format!("ai.{group}.{}", fact.name()),
        None => format!("ai.{}", fact.name()),
    }
}

#[test]
fn the_table_says_what_each_fact_gives() {
    let mut table = String::from("| variable | meaning | gives |\n|---|---|---|\n");
    // Nothing is known of these in a response that goes on.
    let never = [Fact::Refused, Fact::TokensPerSecond];
    for fact in Fact::ALL.iter().filter(|fact| !never.contains(fact)) {
        let name = spelling(*fact);
        let gives = rendered(&format!("{{{{ {name} }}}}"));
        // The engine agrees with the short way.
        let by_engine = rendered(&format!("{{{{ [{name}]|first }}}}"));
        assert_eq!(gives, by_engine, "{name}");
        let gives = match gives.as_str() {
            "" => "nothing".to_owned(),
            gives => format!("`{gives}`"),
        };
        writeln!(table, "| `{name}` | {} | {gives} |", fact.describe()).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/templates.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- facts -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end of facts -->").unwrap();
    let fresh = format!("{before}<!-- facts -->\n{table}<!-- end of facts -->{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, fresh).unwrap();
    } else {
        assert!(
            page == fresh,
            "docs/templates.md is stale: run make reference, then read the difference"
        );
    }
}
