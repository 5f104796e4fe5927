//! Whoever looks on is told what an exchange does, in order, and the exchange does the same as without.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, Direction, Observer, Program, Step};

/// What is told of both messages, in short words, and the host afterwards.
fn told(config: &str, request: Message, response: Option<Message>) -> (Vec<String>, MemoryHost) {
    let program = Program::compile(config.as_bytes(), &CompileOptions::default()).unwrap();
    let program = Arc::new(program);
    let observer = Observer::default();
    let mut hosts = [Some(observer.clone()), None].map(|observer| {
        let mut host = MemoryHost {
            request: request.clone(),
            response: response.clone().unwrap_or_default(),
            ..MemoryHost::default()
        };
        let mut exchange = match observer {
            Some(observer) => program.open_observed(observer),
            None => program.open(),
        };
        let _ = host.send(&mut exchange, Direction::Request);
        if response.is_some() {
            let _ = host.send(&mut exchange, Direction::Response);
        }
        exchange.on_complete(&mut host);
        host
    });
    assert_eq!(
        hosts[0], hosts[1],
        "nobody is to see that somebody looks on"
    );
    let steps = observer.take();
    assert!(observer.take().is_empty());
    let words = steps.iter().map(|step| word(&program, step)).collect();
    (words, std::mem::take(&mut hosts[0]))
}

fn word(program: &Program, step: &Step) -> String {
    let path = |field| program.field_path(field);
    match step {
        Step::Condition { field, held, fuel } => {
            let fuel = if *fuel > 0 { " fuel" } else { "" };
            format!("{} {held:?}{fuel}", path(*field))
        }
        Step::Held { fields, stages, .. } => {
            let fields: Vec<_> = fields.iter().map(|it| path(*it)).collect();
            format!("held {fields:?} {stages:?}")
        }
        Step::BodyRead {
            bytes, was_decoded, ..
        } => format!("read {bytes} {was_decoded}"),
        Step::Rendered { field, text, fuel } => {
            let fuel = if *fuel > 0 { "fuel" } else { "" };
            format!("{} {text:?} {fuel}", path(*field))
        }
        Step::Constant { field, text } => format!("{} {text:?}", path(*field)),
        Step::EventRule { rule } => format!("event rule {rule}"),
        Step::Stage {
            stage,
            edits,
            added,
        } => format!("{stage} {edits} {}", *added > 0),
        Step::Waiting { bytes } => format!("waiting {bytes}"),
        Step::Answered { next, body, .. } => format!("{next} {}", body.len()),
        other => panic!("{other:?} has no word"),
    }
}

fn post(path: &str, body: &str) -> Message {
    Message::new(&[(":method", "POST"), (":path", path)], body)
}

#[test]
fn conditions_values_and_what_is_held_for_them_are_told() {
    let config = r#"{"request": [
        {"when": "header('x-a') == '1'", "set": [{"name": "x-b", "value": "1"}]},
        {"when": "header(':method') == 'POST'", "body": {"parseAs": "AsJson"},
         "set": [
            {"name": "x-m", "value": "{{ model }}"},
            {"name": "x-l", "value": "{{ model | length }}", "when": "model | length > 1"},
            {"name": "x-u", "value": "{{ model | upper }}"},
            {"name": "x-c", "value": "1"}],
         "remove": ["x-r"]}]}"#;
    let (told, _) = told(config, post("/", r#"{"model":"m"}"#), None);
    assert_eq!(
        told,
        [
            "request[0].when Ok(false)",
            "request[1].when Ok(true)",
            "held [\"request[1].set[0].value\", \"request[1].set[1].value\", \"request[1].set[1].when\", \"request[1].set[2].value\"] []",
            "hold 0",
            "request[1].set[0].value Ok(\"m\") ",
            "request[1].set[1].when Ok(false) fuel",
            "request[1].set[2].value Ok(\"M\") fuel",
            "request[1].set[3].value \"1\"",
            "request[1].remove[0] \"\"",
            "read 13 false",
            "pass 13",
        ]
    );
}

#[test]
fn what_fails_is_told_with_its_kind() {
    let config = r#"{"request": {"set": [{"name": "x", "value": "{{ 'a' + 1 }}"}]}}"#;
    let (told, _) = told(config, post("/", ""), None);
    assert_eq!(told, ["request.set[0].value Err(Render) ", "pass 0"]);
}

#[test]
fn rules_for_events_are_told_event_by_event() {
    let config = r#"{"response": {"stream": {"rules": [
        {"when": {"data": "a"}, "drop": true},
        {"data": "{{ event.data }}{{ event.data }}"}]}}}"#;
    let mut answer = Message::new(
        &[(":status", "200"), ("content-type", "text/event-stream")],
        "",
    );
    answer.body = vec![b"data: a\n\n".to_vec(), b"data: b\n\n".to_vec()];
    let (told, _) = told(config, post("/", ""), Some(answer));
    let expected = [
        "pass 0",
        "pass 0",
        "event rule 0",
        "pass 0",
        "event rule 1",
        "response.stream.rules[1].data Ok(\"bb\") ",
        "pass 10",
    ];
    assert_eq!(told, expected);
}

#[test]
fn stages_tell_what_they_change_and_what_waits() {
    let config = r#"{"ai": {"mask": {"detectors": {"email": "mask"}}, "usage": {}}}"#;
    let body =
        r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"a@example.com"}]}"#;
    let chunk = |text: &str| {
        let text = format!(r#"data: {{"choices":[{{"index":0,"delta":{{"content":"{text}"}}}}]}}"#);
        format!("{text}\n\n").into_bytes()
    };
    let mut answer = Message::new(
        &[(":status", "200"), ("content-type", "text/event-stream")],
        "",
    );
    answer.body = vec![chunk("to [EM"), chunk("AIL_1]."), chunk("[E")];
    let (told, host) = told(config, post("/v1/chat/completions", body), Some(answer));
    let sent = String::from_utf8(host.response.body_bytes()).unwrap();
    assert!(sent.contains("a@example.com."), "{sent}");
    let short: Vec<_> = told.iter().filter(|it| !it.starts_with("pass")).collect();
    assert_eq!(
        short,
        [
            "held [] [\"mask\", \"usage\"]",
            "hold 0",
            "mask 1 false",
            "usage 1 false",
            "mask 1 false",
            "waiting 3",
            "mask 1 false",
            "mask 1 false",
            "waiting 2",
            "mask 0 true",
        ]
    );
}
