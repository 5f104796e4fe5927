//! What tables of bodies do not show: many keys, and nesting without end.

use super::*;

fn chat(body: &str) -> Request {
    Request::read(Dialect::OpenaiChat, body).unwrap()
}

#[test]
fn keys_that_repeat_are_found_among_many_and_however_they_are_spelled() {
    let body = |count: usize, last: &str| {
        let keys: Vec<_> = (0..count).map(|it| format!("\"k{it}\":0")).collect();
        format!("{{\"k\":0,{},\"{last}\":1}}", keys.join(","))
    };
    for count in [1, 30, 31, 32, 33, 1000] {
        let repeated = |last: &str| chat(&body(count, last)).repeated.is_some();
        assert!(!repeated("other"), "{count}");
        assert!(repeated("k"), "{count}");
        assert!(repeated("\\u006b0"), "{count}");
    }
}

#[test]
fn what_is_too_deep_is_told_and_costs_no_stack() {
    let nested = |open: &str, close: &str, depth: usize| {
        format!(
            "{{\"messages\":[{{\"content\":[{}\"x\"{}]}}]}}",
            open.repeat(depth),
            close.repeat(depth)
        )
    };
    for (open, close) in [("[", "]"), ("{\"content\":[", "]}"), ("{\"a\":", "}")] {
        for dialect in [Dialect::OpenaiChat, Dialect::AnthropicMessages] {
            let deep = nested(open, close, 1 << 16);
            assert!(Request::read(dialect, &deep).unwrap().is_too_deep, "{open}");
            let request = Request::read(dialect, &nested(open, close, 20)).unwrap();
            assert!(!request.is_too_deep);
            assert_eq!(request.texts.len(), 1, "{open}");
        }
    }
}

#[test]
fn a_body_that_is_no_object_is_no_request() {
    for body in ["[]", "1", "null", "\"{}\""] {
        let error = Request::read(Dialect::Gemini, body).unwrap_err();
        assert_eq!(error, RequestError::NoObject);
    }
    let error = Request::read(Dialect::Gemini, "{").unwrap_err();
    assert!(error.to_string().contains("ends inside a value"), "{error}");
}
