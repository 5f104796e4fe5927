//! Rules that people write every day, and the messages that meet them: each is a route of one Envoy,
//! and what comes out on both sides is what their authors mean.

use rustformations_tests::{EnvoyConfig, Headers, Lab, Reply, Route, on_every_envoy};
use serde_json::{Value, json};

on_every_envoy! {
    fn everyday_rules_do_what_their_authors_mean(envoy) {
        let cases: Vec<Value> = serde_json::from_str(include_str!("everyday_rules.json"))
            .expect("a list of cases");
        let mut config = EnvoyConfig::new().buffer_limit(8 << 20);
        for (index, case) in cases.iter().enumerate() {
            config = config.route(route(index, case));
        }
        let lab = Lab::start(envoy, &config);
        let mut failures = Vec::new();
        for (index, case) in cases.iter().enumerate() {
            let mut problems = Problems::default();
            run(&lab, index, case, &mut problems);
            if !problems.0.is_empty() {
                let name = case["name"].as_str().unwrap_or("a case without a name");
                failures.push(format!("{name}\n  {}", problems.0.join("\n  ")));
            }
        }
        let failed = failures.len();
        assert!(failures.is_empty(), "{failed} of {}:\n{}", cases.len(), failures.join("\n"));
    }
}

fn route(index: usize, case: &Value) -> Route {
    let route = Route::at(&place(index)).transform(case["config"].clone());
    let response = &case["response"];
    if response["direct"] == true {
        let body = response["body"].as_str().unwrap_or_default();
        return route.direct_response(status(response), body);
    }
    match case.get("prefixRewrite") {
        Some(prefix) => route.action("prefix_rewrite", prefix.clone()),
        None => route,
    }
}

/// The path at which a case lives; none is the beginning of another.
fn place(index: usize) -> String {
    format!("/case-{index}-")
}

fn run(lab: &Lab, index: usize, case: &Value, problems: &mut Problems) {
    let origin = lab.origin();
    origin.forget();
    let response = &case["response"];
    let mut reply = Reply::new(status(response));
    for (name, value) in headers(response) {
        reply = reply.header(name, value);
    }
    if let Some(body) = body(response) {
        reply = reply.body(body);
    }
    let path = format!(
        "{}{}",
        place(index),
        case["request"]["path"].as_str().unwrap_or_default()
    );
    origin.answer(path.split('?').next().unwrap_or_default(), reply);
    let request = &case["request"];
    let sent = body(request);
    let method = if sent.is_some() { "POST" } else { "GET" };
    let mut asked = lab.request(request["method"].as_str().unwrap_or(method), &path);
    for (name, value) in headers(request) {
        asked = asked.header(name, value);
    }
    if let Some(body) = sent {
        asked = asked.body(body);
    }
    let answer = match asked.try_send() {
        Ok(answer) => answer,
        Err(error) => return problems.add(format!("no answer: {error:#}")),
    };
    let expect = &case["expect"];
    if let Some(status) = expect.get("status") {
        problems.same("status", status, &json!(answer.status));
    }
    problems.compare("answer", expect, &answer.headers, &answer.body);
    if let Some(expect) = expect.get("upstream") {
        let Some(received) = origin.received().pop() else {
            return problems.add(format!(
                "nothing came upstream; the client got {}",
                answer.status
            ));
        };
        if let Some(path) = expect.get("path") {
            problems.same("path", path, &json!(received.path));
        }
        problems.compare("upstream", expect, &received.headers, &received.body);
    }
}

fn status(message: &Value) -> u16 {
    let status = message["status"]
        .as_u64()
        .and_then(|status| status.try_into().ok());
    status.unwrap_or(200)
}

fn headers(message: &Value) -> impl Iterator<Item = (&str, &str)> {
    let lines = message["headers"].as_array().into_iter().flatten();
    lines.filter_map(|line| Some((line[0].as_str()?, line[1].as_str()?)))
}

/// The body of a message: text, bytes, or one made to a recipe.
fn body(message: &Value) -> Option<Vec<u8>> {
    if let Some(text) = message["body"].as_str() {
        return Some(text.as_bytes().to_vec());
    }
    if let Some(bytes) = message["bytes"].as_array() {
        let byte = |byte: &Value| u8::try_from(byte.as_u64()?).ok();
        return bytes.iter().map(byte).collect();
    }
    if let Some(count) = message["rows"].as_u64() {
        let rows = (0..count).map(|id| json!({"id": id, "name": format!("row number {id}")}));
        return Some(
            json!({"rows": rows.collect::<Vec<_>>()})
                .to_string()
                .into_bytes(),
        );
    }
    let depth = usize::try_from(message["nested"].as_u64()?).ok()?;
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    Some(format!(r#"{{"kind":"nested","far":{open}{close}}}"#).into_bytes())
}

/// What was not as expected.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn add(&mut self, problem: String) {
        self.0.push(problem);
    }

    fn same(&mut self, what: &str, expected: &Value, actual: &Value) {
        if expected != actual {
            self.add(format!("{what}: expected {expected}, got {actual}"));
        }
    }

    fn compare(&mut self, side: &str, expect: &Value, headers: &Headers, body: &[u8]) {
        for (name, expected) in expect["headers"].as_object().into_iter().flatten() {
            self.text(
                &format!("{side} {name}"),
                expected,
                headers.value(name).as_deref(),
            );
        }
        let text = String::from_utf8_lossy(body);
        if let Some(expected) = expect.get("body") {
            self.text(&format!("{side} body"), expected, Some(&text));
        }
        if let Some(expected) = expect.get("json") {
            let actual = serde_json::from_slice(body).unwrap_or(json!(text));
            self.same(&format!("{side} body"), expected, &actual);
        }
        if let Some(expected) = expect.get("bytes") {
            self.same(&format!("{side} body"), expected, &json!(body));
        }
    }

    /// Compares with a text, with null for absence, or with something about a text.
    fn text(&mut self, what: &str, expected: &Value, actual: Option<&str>) {
        let text = actual.unwrap_or_default();
        let fits = match expected {
            Value::Object(about) if about.contains_key("length") => about["length"] == text.len(),
            Value::Object(about) => about["contains"]
                .as_str()
                .is_some_and(|part| text.contains(part)),
            _ => *expected == json!(actual),
        };
        if !fits {
            let start: String = text.chars().take(300).collect();
            let actual = json!(actual.map(|_| start));
            self.add(format!("{what}: expected {expected}, got {actual}"));
        }
    }
}
