//! The rows of the table: what is asked, what the origin answers, and who does the work.
//!
//! To add one, add a function and name it in [`all`]. The first contender is always no filter; the last
//! one is ours.

mod ai;
mod bodies;

use rustformations_tests::{EnvoyConfig, Route};
use serde_json::{Value, json};

/// A configuration that takes part.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) config: EnvoyConfig,
}

/// One comparison.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// Body of each request; empty means GET.
    pub(crate) ask: String,
    /// Body of each answer.
    pub(crate) answer: String,
    pub(crate) contenders: Vec<Contender>,
}

/// All rows, cheapest work first.
pub(crate) fn all() -> Vec<Row> {
    let mut rows = vec![idle(), headers(), model_to_header()];
    rows.extend(bodies::all());
    rows.extend([ai::chat(), ai::provider()]);
    rows
}

fn no_filter() -> Contender {
    Contender {
        name: "no filter",
        config: EnvoyConfig::new().without_module(),
    }
}

/// Ours as kgateway configures it: enabled by the route.
fn ours(transform: Value) -> Contender {
    let config = EnvoyConfig::new().route(Route::at("/").transform(transform));
    Contender {
        name: "rustformations",
        config,
    }
}

fn idle() -> Row {
    let native = |message: &str, inside: Value| {
        let mut typed = json!({
            "@type": format!(
                "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.{message}"
            ),
        });
        typed["mutations"] = inside;
        typed
    };
    // Envoy's own filter, enabled by the route like ours and with as little to do: what any filter
    // costs.
    let entry = json!({
        "name": "envoy.filters.http.header_mutation",
        "disabled": true,
        "typed_config": native("HeaderMutation", json!({})),
    });
    let route = Route::at("/").per_filter(
        "envoy.filters.http.header_mutation",
        native("HeaderMutationPerRoute", json!({})),
    );
    Row {
        name: "idle",
        what: "the filter is enabled and has nothing to do",
        ask: String::new(),
        answer: "ok".to_owned(),
        contenders: vec![
            no_filter(),
            Contender {
                name: "header_mutation",
                config: EnvoyConfig::new()
                    .without_module()
                    .filter_before(entry)
                    .route(route),
            },
            ours(json!({})),
        ],
    }
}

fn headers() -> Row {
    let set = |key: &str, value: &str| {
        json!({"append": {
            "header": {"key": key, "value": value},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }})
    };
    let add = json!({"append": {
        "header": {"key": "x-asked", "value": "%REQ(:METHOD)%"},
        "append_action": "APPEND_IF_EXISTS_OR_ADD",
    }});
    let native = json!({
        "name": "envoy.filters.http.header_mutation",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": {
                "request_mutations": [set("x-copy", "%REQ(x-source)%")],
                "response_mutations": [add],
            },
        },
    });
    let transform = json!({
        "request": {"set": [{"name": "x-copy", "value": "{{ request_header('x-source') }}"}]},
        "response": {"add": [{"name": "x-asked", "value": "{{ request_header(':method') }}"}]},
    });
    Row {
        name: "headers",
        what: "one request header set from another, one response header added from a template",
        ask: String::new(),
        answer: "ok".to_owned(),
        contenders: vec![
            no_filter(),
            Contender {
                name: "header_mutation",
                config: EnvoyConfig::new().without_module().filter_before(native),
            },
            ours(transform),
        ],
    }
}

fn model_to_header() -> Row {
    let transform = json!({
        "request": {
            "body": {"parseAs": "AsJson"},
            "set": [{"name": "x-model", "value": "{{ model }}"}],
        },
    });
    Row {
        name: "model",
        what: "the model of a chat request of 1 KiB becomes a request header",
        ask: chat_request(1024),
        answer: "ok".to_owned(),
        contenders: vec![no_filter(), ours(transform)],
    }
}

/// A chat request of about `size` bytes.
fn chat_request(size: usize) -> String {
    let request = |content: &str| {
        json!({"model": "gpt-4", "messages": [{"role": "user", "content": content}]}).to_string()
    };
    let rest = size.saturating_sub(request("").len());
    request(
        &"Say it in plain words. "
            .chars()
            .cycle()
            .take(rest)
            .collect::<String>(),
    )
}
