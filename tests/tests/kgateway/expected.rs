//! Comparison of what came out with what a case expects; says what differs.

use regex::Regex;
use rustformations_tests::{Answer, Headers, Lab, Received};
use serde_json::Value;

use super::{entries, text};

/// What of `expected` does not hold; `received` is what the backend got, if anything.
pub(super) fn differences(
    expected: &Value,
    lab: &Lab,
    answer: &Answer,
    received: Option<&Received>,
) -> Vec<String> {
    let mut found = Vec::new();
    if expected["status"] != answer.status {
        found.push(format!("status {}", answer.status));
    }
    headers(
        expected,
        "headers",
        "not_headers",
        &answer.headers,
        &mut found,
    );
    body(&expected["body"], &answer.text(), &mut found);
    if let Some(received) = received {
        let seen = &seen_in(answer, &received.headers);
        headers(expected, "up_headers", "up_not_headers", seen, &mut found);
        let is = |field: &str, actual: &str| expected[field].as_str().is_none_or(|it| it == actual);
        if !is("up_body", &received.text()) {
            found.push(format!("the backend got the body {}", received.text()));
        }
        if !is("up_method", &received.method) {
            found.push(format!("the backend got the method {}", received.method));
        }
    } else if expected["up_headers"]
        .as_object()
        .is_some_and(|wanted| !wanted.is_empty())
    {
        found.push("the backend got nothing".to_owned());
    }
    for (_, value) in expected["log"].as_object().into_iter().flatten() {
        let entry = format!("={} ", value.as_str().unwrap_or_default());
        if !lab.envoy().wait_for_log(&entry) {
            found.push(format!("no metadata {entry}"));
        }
    }
    found
}

/// What the backend got, as its echo in the answer has it: kgateway's suites look there, behind the
/// rules for responses. Without an echo, what it really got.
fn seen_in(answer: &Answer, received: &Headers) -> Headers {
    let echo: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let Some(names) = echo["headers"].as_object() else {
        return received.clone();
    };
    let mut seen = Headers::default();
    for (name, values) in names {
        for value in values.as_array().into_iter().flatten() {
            seen.push(
                name.to_ascii_lowercase(),
                value.as_str().unwrap_or_default(),
            );
        }
    }
    seen
}

fn headers(expected: &Value, some: &str, none: &str, actual: &Headers, found: &mut Vec<String>) {
    for (name, wanted) in expected[some].as_object().into_iter().flatten() {
        let values = actual.values(&name.to_ascii_lowercase());
        if !is_as_wanted(wanted, &values) {
            found.push(format!("{name} is {values:?}, not {wanted}"));
        }
    }
    for name in entries(expected, none).iter().filter_map(Value::as_str) {
        if actual.has(name) {
            found.push(format!("{name} is there"));
        }
    }
}

fn is_as_wanted(wanted: &Value, values: &[String]) -> bool {
    // Before Envoy 1.37 a second line becomes a second value of the same line.
    let joined = values.join(",").replace(", ", ",");
    if let Some(only) = wanted["only"].as_str() {
        return values == [only];
    }
    if let Some(pattern) = wanted["re"].as_str() {
        return Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(&joined));
    }
    if let Some(all) = wanted["all"].as_array() {
        let mut all = all.iter().filter_map(Value::as_str);
        return all.all(|value| joined.contains(value));
    }
    !values.is_empty() && joined == text(wanted, "eq")
}

fn body(wanted: &Value, actual: &str, found: &mut Vec<String>) {
    let holds = match wanted {
        Value::Null => true,
        Value::String(body) => body == actual,
        wanted => {
            let document: Value = serde_json::from_str(actual).unwrap_or_default();
            let mut fields = wanted["json_contains"].as_object().into_iter().flatten();
            let length = wanted["len"].as_u64();
            fields.all(|(name, value)| document[name] == *value)
                && length.is_none_or(|length| length == actual.len() as u64)
                && wanted["no"]
                    .as_str()
                    .is_none_or(|text| !actual.contains(text))
        }
    };
    if !holds {
        found.push(format!("the body is {actual}"));
    }
}
