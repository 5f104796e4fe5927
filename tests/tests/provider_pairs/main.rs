//! The filter `llm-provider` between clients and strict mock providers, in real Envoys: whole
//! conversations by each pair that there is a translation for, and everything that can go wrong.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

mod chat;
mod chat_failures;
mod chat_reader;
mod messages;
mod messages_reader;
mod own;
mod signing;

use rustformations_tests::strict::{Provider, StrictProvider, all_behind_envoy};
use rustformations_tests::{Answer, Envoy, Lab};
use serde_json::{Value, json};

/// An Envoy with providers behind it, each below its name.
struct Providers {
    lab: Lab,
    running: Vec<StrictProvider>,
}

/// Headers of a client, besides the usual.
type Lines<'a> = &'a [(&'a str, &'a str)];

impl Providers {
    /// `more` goes into the configuration of every filter.
    fn start(envoy: &Envoy, providers: &[Provider], more: &Value) -> Self {
        let start = |provider: &Provider| StrictProvider::start(*provider).unwrap();
        let running: Vec<_> = providers.iter().map(start).collect();
        let lab = Lab::start(envoy, &all_behind_envoy(&running, more));
        Self { lab, running }
    }

    fn post(&self, provider: Provider, path: &str, body: &Value, lines: Lines<'_>) -> Answer {
        let request = self
            .lab
            .post(&format!("/{}{path}", provider.name()))
            .json(body);
        let with = |request: rustformations_tests::Request, (name, value): &(&str, &str)| {
            request.header(name, value)
        };
        lines.iter().fold(request, with).send()
    }

    /// The body that the provider got last.
    fn last(&self, provider: Provider) -> Value {
        let running = self
            .running
            .iter()
            .find(|it| it.provider() == provider)
            .unwrap();
        running.seen().last().unwrap().json()
    }
}

/// An answer that must be a good one.
fn good(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 200, "{what}: {}", answer.text());
}

/// The schema of a place, which strict providers take.
fn place() -> Value {
    json!({
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
        "additionalProperties": false,
    })
}

/// A picture of one dot.
const DOT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
