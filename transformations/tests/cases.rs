//! Runs every case in `tests/cases` on the in-memory host.
//!
//! A case is a configuration, messages, and what must come out: headers, body, metadata, an error,
//! or the exact text of diagnostics. Messages are sent piece by piece: a `body` in one, or `chunks`, and
//! then `trailers`; `answers` are what the exchange says to each piece. A message with `"ends": "early"` is
//! reset behind its last piece: nothing says that this is its end, there is no response to such a request,
//! and the exchange is over. `counts` are the sums of what the exchange adds to statistics, by metric.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use transformations::stats::Labels;
use transformations::testing::{MemoryFiles, MemoryHost, Message, MetadataValue};
use transformations::{
    BodyChange, Capabilities, CompileOptions, Direction, Exchange, Failure, Program,
};

#[test]
fn every_case_gives_its_expected_result() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut failures = Vec::new();
    let mut count = 0;
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let cases: Vec<Value> = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for case in cases {
            count += 1;
            if let Err(problem) = run(&case) {
                let name = case["name"].as_str().unwrap_or("a case without a name");
                let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
                failures.push(format!("{stem}: {name}\n{problem}"));
            }
        }
    }
    assert!(count > 0, "no cases found");
    let failed = failures.len();
    assert!(
        failures.is_empty(),
        "{failed} of {count} failed\n\n{}",
        failures.join("\n\n")
    );
}

fn run(case: &Value) -> Result<(), String> {
    let known = [
        "name",
        "config",
        "configText",
        "request",
        "response",
        "endsAlone",
        "answers",
        "bodyChange",
        "envAllow",
        "expect",
        "diagnostics",
        "warnings",
        "error",
        "leftOut",
        "reply",
        "reason",
        "buffers",
        "holds",
        "reroute",
        "lacking",
        "facts",
        "counts",
        "profiles",
        "prices",
    ];
    for field in case.as_object().unwrap().keys() {
        check(known.contains(&field.as_str()), || {
            format!("unknown field {field}")
        })?;
    }
    let config = match case.get("configText") {
        Some(text) => text.as_str().unwrap().to_owned(),
        None => case["config"].to_string(),
    };
    let env_allow = case.get("envAllow").map(strings);
    let options = CompileOptions {
        env_allow,
        capabilities: lacking(case.get("lacking").map(strings).unwrap_or_default()),
    };
    let program = match Program::compile_with(config.as_bytes(), &options, &files(case)) {
        Ok(program) => Arc::new(program),
        Err(found) => {
            let expected = case.get("diagnostics").map(lines).unwrap_or_default();
            return same("diagnostics", &expected, &found.to_string());
        }
    };
    check(case.get("diagnostics").is_none(), || {
        "compiled, but should not have".into()
    })?;
    let warnings: Vec<_> = program.warnings().iter().map(ToString::to_string).collect();
    let expected = case.get("warnings").map(lines).unwrap_or_default();
    same("warnings", &expected, &warnings.join("\n"))?;
    if let Some(buffers) = case.get("buffers") {
        let needs = program.needs();
        let actual = [needs.request.buffers(), needs.response.buffers()];
        same(
            "buffers",
            &buffers.to_string(),
            &serde_json::to_string(&actual).unwrap(),
        )?;
    }
    evaluate(case, &program, false)?;
    // Whoever holds a body, the same becomes of it.
    evaluate(case, &program, true).map_err(|problem| format!("held by the exchange: {problem}"))
}

/// The files of a case: `profiles` as an object is `profiles.json`, as a text `profiles.yaml`; `prices` are
/// texts or objects by name.
fn files(case: &Value) -> MemoryFiles {
    let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
    let profiles = case.get("profiles").map(|it| {
        let name = if it.is_string() {
            "profiles.yaml"
        } else {
            "profiles.json"
        };
        (name.to_owned(), text(it))
    });
    let prices = case["prices"].as_object().into_iter().flatten();
    let prices = prices.map(|(name, it)| (name.clone(), text(it))).collect();
    MemoryFiles { profiles, prices }
}

fn evaluate(case: &Value, program: &Arc<Program>, holds_nothing: bool) -> Result<(), String> {
    let mut host = MemoryHost {
        request: message(&case["request"]),
        response: message(&case["response"]),
        ..MemoryHost::default()
    };
    host.holds_nothing = holds_nothing;
    host.ends_alone = case["endsAlone"].as_bool().unwrap_or_default();
    host.request_trailers = trailers(&case["request"]);
    host.response_trailers = trailers(&case["response"]);
    host.reset = reset(case)?;
    let mut exchange = program.open();
    let is_response = case.get("response").is_some();
    let error = send(&mut exchange, &mut host, is_response);
    let mut counts = Counts::new();
    count(&mut exchange, &mut counts);
    exchange.on_complete(&mut host);
    // Asked behind every hook, and once more: nothing is told twice.
    count(&mut exchange, &mut counts);
    count(&mut exchange, &mut counts);
    if let Some(expected) = case.get("counts") {
        let expected: Counts = serde_json::from_value(expected.clone()).unwrap();
        same("counts", &format!("{expected:?}"), &format!("{counts:?}"))?;
    }
    let shown = host.reply.as_ref().map(|reply| {
        if reply.details.starts_with("rustformation_ai_") {
            return serde_json::json!({
                "status": reply.status, "headers": reply.headers, "body": reply.body,
                "details": reply.details,
            });
        }
        let field = reply.details.strip_prefix("rustformation_reply{");
        let field = field.and_then(|field| field.strip_suffix('}'));
        serde_json::json!({
            "status": reply.status, "headers": reply.headers, "body": reply.body,
            "field": field,
            "atOnce": host.answers.as_slice() == ["reply"],
        })
    });
    let expected = case.get("reply").cloned();
    same("reply", &format!("{expected:?}"), &format!("{shown:?}"))?;
    if let Some(expected) = case.get("holds") {
        let direction = match is_response {
            true => Direction::Response,
            false => Direction::Request,
        };
        let holds = exchange.needs(direction).buffers();
        same("holds", &expected.to_string(), &holds.to_string())?;
    }
    if let Some(expected) = case.get("answers") {
        // Of what is held elsewhere a host keeps nothing.
        let answers = host.answers.iter().map(|answer| match *answer {
            "drop" if holds_nothing => "hold",
            answer => answer,
        });
        let answers: Vec<_> = answers.collect();
        same("answers", expected.as_str().unwrap(), &answers.join(" "))?;
    }
    let (error, left_out) = match error {
        Ok((left_out, reroute, body)) => {
            if let Some(expected) = case.get("bodyChange") {
                same(
                    "body change",
                    expected.as_str().unwrap(),
                    &format!("{body:?}"),
                )?;
            }
            if let Some(expected) = case.get("reroute") {
                same("reroute", &expected.to_string(), &reroute.to_string())?;
            }
            (Vec::new(), left_out)
        }
        Err(error) => (vec![error], Vec::new()),
    };
    let describe = |failures: &[Failure]| {
        let one = |failure: &Failure| {
            let error = failure.error();
            format!(
                "{} {} {}",
                error.status(),
                error.details(),
                exchange.program().field_path(error.field())
            )
        };
        failures.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let text = |name: &str| case[name].as_str().unwrap_or_default().to_owned();
    same("error", &text("error"), &describe(&error))?;
    same("leftOut", &text("leftOut"), &describe(&left_out))?;
    if let Some(expected) = case.get("reason") {
        let reasons = error.iter().chain(&left_out).filter_map(Failure::reason);
        let actual = reasons.collect::<Vec<_>>().join(", ");
        same("reason", expected.as_str().unwrap(), &actual)?;
    }
    for (side, actual) in [("request", &host.request), ("response", &host.response)] {
        let expected = &case["expect"][side];
        for (name, value) in expected["headers"].as_object().into_iter().flatten() {
            let expected = match value {
                Value::Null => Vec::new(),
                Value::String(text) => vec![text.clone()],
                list => strings(list),
            };
            let what = format!("{side} header {name}");
            same(
                &what,
                &format!("{expected:?}"),
                &format!("{:?}", actual.values(name)),
            )?;
        }
        if let Some(body) = expected.get("body") {
            let actual = String::from_utf8_lossy(&actual.body_bytes()).into_owned();
            same(&format!("{side} body"), body.as_str().unwrap(), &actual)?;
        }
        if let Some(bytes) = expected.get("bodyBytes") {
            check(to_bytes(bytes) == actual.body_bytes(), || {
                format!("{side} body is {:?}", actual.body_bytes())
            })?;
        }
    }
    if let Some(expected) = case.get("facts") {
        let ours = host
            .metadata
            .iter()
            .filter(|it| it.0 == "rustformations.ai");
        let facts = ours.map(|(_, key, value)| (key.clone(), metadata_value(value)));
        let facts: std::collections::BTreeMap<_, _> = facts.collect();
        let expected: std::collections::BTreeMap<String, Value> =
            serde_json::from_value(expected.clone()).unwrap();
        same("facts", &format!("{expected:?}"), &format!("{facts:?}"))?;
    }
    if let Some(expected) = case["expect"].get("metadata") {
        let actual: Vec<Value> = host.metadata.iter().map(metadata).collect();
        same(
            "metadata",
            &expected.to_string(),
            &Value::Array(actual).to_string(),
        )?;
    }
    Ok(())
}

/// Sends both messages; answers what was left out of them, whether the route is to be chosen again, and
/// what became of the last body.
fn send(
    exchange: &mut Exchange,
    host: &mut MemoryHost,
    response: bool,
) -> Result<(Vec<Failure>, bool, BodyChange), Failure> {
    let request = host.send(exchange, Direction::Request)?;
    let mut failures = request.failures;
    if !response || host.reply.is_some() {
        return Ok((failures, request.reroute, request.body));
    }
    let response = host.send(exchange, Direction::Response)?;
    failures.extend(response.failures);
    Ok((failures, request.reroute, response.body))
}

/// Sums by the name of the metric.
type Counts = std::collections::BTreeMap<String, u64>;

fn count(exchange: &mut Exchange, counts: &mut Counts) {
    exchange.count(&Labels::default(), &mut |metric, _, by| {
        *counts.entry(metric.name().to_owned()).or_default() += by;
    });
}

/// The direction whose message is reset.
fn reset(case: &Value) -> Result<Option<Direction>, String> {
    let early = |side: &str| match case[side].get("ends") {
        None => Ok(false),
        Some(ends) => check(ends == "early", || format!("{side} ends {ends}?")).map(|()| true),
    };
    match (early("request")?, early("response")?) {
        (false, false) => Ok(None),
        (false, true) => Ok(Some(Direction::Response)),
        (true, _) => check(case.get("response").is_none(), || {
            "a request that is reset has no response".into()
        })
        .map(|()| Some(Direction::Request)),
    }
}

fn trailers(message: &Value) -> Vec<(String, String)> {
    let pairs = message["trailers"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
}

fn message(value: &Value) -> Message {
    let headers: Vec<(&str, &str)> = value["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
        .collect();
    if let Some(chunks) = value.get("chunks") {
        let mut message = Message::new(&headers, "");
        message.body = strings(chunks)
            .into_iter()
            .map(String::into_bytes)
            .collect();
        return message;
    }
    match value.get("bodyBytes") {
        Some(bytes) => Message::new(&headers, to_bytes(bytes)),
        None => Message::new(&headers, value["body"].as_str().unwrap_or_default()),
    }
}

fn to_bytes(value: &Value) -> Vec<u8> {
    serde_json::from_value(value.clone()).unwrap()
}

fn metadata((namespace, key, value): &(String, String, MetadataValue)) -> Value {
    serde_json::json!([namespace, key, metadata_value(value)])
}

fn metadata_value(value: &MetadataValue) -> Value {
    match value {
        MetadataValue::String(text) => Value::from(text.as_str()),
        MetadataValue::Number(number) => Value::from(*number),
        MetadataValue::Bool(flag) => Value::from(*flag),
        MetadataValue::List(items) => items.iter().map(metadata_value).collect(),
        MetadataValue::Json(text) => serde_json::from_str(text).unwrap(),
    }
}

/// Takes away what the named capabilities stand for.
fn lacking(names: Vec<String>) -> Capabilities {
    let mut capabilities = Capabilities::all();
    for name in names {
        match name.as_str() {
            "number" => capabilities.metadata_number = false,
            "bool" => capabilities.metadata_bool = false,
            "list" => capabilities.metadata_list = false,
            "struct" => capabilities.metadata_struct = false,
            "headerLines" => capabilities.header_lines = false,
            unknown => panic!("unknown capability {unknown}"),
        }
    }
    capabilities
}

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

fn lines(value: &Value) -> String {
    strings(value).join("\n")
}

fn check(holds: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem()) }
}

fn same(what: &str, expected: &str, actual: &str) -> Result<(), String> {
    check(expected == actual, || {
        format!("{what}\nexpected: {expected}\n  actual: {actual}")
    })
}
