//! The backend of kgateway's suites, as far as they look at it: an echo of what came, some JSON, headers
//! on demand, and a WebSocket.

use rustformations_tests::{Lab, Received, Reply};
use serde_json::{Map, Value, json};

use super::{entries, text};

/// Where the tests of WebSockets knock.
pub(super) const WEBSOCKET_PATH: &str = "/websocket";

/// Scripts the origin for all requests of a table.
pub(super) fn script(lab: &Lab, table: &Value) {
    let mut paths: Vec<String> = entries(table, "e2e_tests")
        .iter()
        .map(|test| {
            text(test, "path")
                .split('?')
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    // Where one of the rules leads.
    paths.push("/post".to_owned());
    paths.sort();
    paths.dedup();
    for path in paths {
        lab.origin().answer_with(&path, answer);
    }
    lab.origin().answer(WEBSOCKET_PATH, Reply::echo_tunnel());
    for (number, case) in entries(table, "unit").iter().enumerate() {
        let mut reply = Reply::new(200);
        for header in entries(case, "origin_headers") {
            let (name, value) = (header[0].as_str(), header[1].as_str());
            reply = reply.header(name.unwrap_or_default(), value.unwrap_or_default());
        }
        let reply = reply.body(text(case, "origin_body"));
        lab.origin().answer(&format!("/unit-{number}"), reply);
    }
}

fn answer(received: &Received) -> Reply {
    let (path, query) = received
        .path
        .split_once('?')
        .unwrap_or((&received.path, ""));
    match path {
        "/json" => {
            Reply::json(&json!({"slideshow": {"slides": [{"type": "all"}, {"type": "some"}]}}))
        }
        "/response-headers" => {
            let asked = query.split('&').filter_map(|pair| pair.split_once('='));
            asked.fold(Reply::json(&json!({})), |reply, (name, value)| {
                reply.header(name, value)
            })
        }
        _ => {
            let echo = json!({"headers": headers(received), "method": received.method});
            Reply::json(&echo)
                .header("access-control-allow-origin", "*")
                .header("access-control-allow-credentials", "true")
        }
    }
}

/// The headers by their names as Go writes them, each with a list of values.
fn headers(received: &Received) -> Map<String, Value> {
    let mut headers = Map::new();
    for (name, value) in &received.headers.0 {
        let words = name.split('-').map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        });
        let name = words.collect::<Vec<_>>().join("-");
        let value = Value::from(String::from_utf8_lossy(value).into_owned());
        let values = headers.entry(name).or_insert_with(|| json!([]));
        if let Some(values) = values.as_array_mut() {
            values.push(value);
        }
    }
    headers
}
