//! Requests of which only the model matters: they go on with the byte that completes it, wherever they are
//! cut, and what must not pass does not become whole upstream. And requests that are refused before they
//! have ended: their clients are answered when they have.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use transformations::testing::{MemoryHost, Message, MetadataValue, RouteProgram};
use transformations::{CompileOptions, Direction, Program};

const ALONE: &str = r#"{"ai": {"model": {"aliases": {"fast": "gpt-4o-mini", "gr*": "x*"}, "allow": ["gpt-*", "x*"]}}}"#;
const CHAT: &str = "/v1/chat/completions";

fn program(config: &str) -> Arc<Program> {
    Arc::new(Program::compile(config.as_bytes(), &CompileOptions::default()).unwrap())
}

fn request(path: &str, pieces: Vec<Vec<u8>>) -> Message {
    let length = pieces.iter().map(Vec::len).sum::<usize>().to_string();
    let headers = [
        (":method", "POST"),
        (":path", path),
        ("content-type", "application/json"),
        ("content-length", length.as_str()),
        ("x-ai-model", "forged"),
    ];
    let mut message = Message::new(&headers, "");
    message.body = pieces;
    message
}

fn cut(body: &str, size: usize) -> Vec<Vec<u8>> {
    body.as_bytes().chunks(size).map(<[u8]>::to_vec).collect()
}

fn sent(config: &str, mut host: MemoryHost) -> MemoryHost {
    let mut exchange = program(config).open();
    host.send(&mut exchange, Direction::Request).unwrap();
    assert_eq!(exchange.on_complete(&mut host), None);
    host
}

fn sent_to(config: &str, path: &str, pieces: Vec<Vec<u8>>) -> MemoryHost {
    let request = request(path, pieces);
    sent(
        config,
        MemoryHost {
            request,
            ..MemoryHost::default()
        },
    )
}

fn fact(host: &MemoryHost, name: &str) -> Option<String> {
    let found = host
        .metadata
        .iter()
        .find(|it| it.0 == "rustformations.ai" && it.1 == name)?;
    match &found.2 {
        MetadataValue::String(text) => Some(text.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_goes_on_with_its_model_wherever_it_is_cut() {
    for (body, is) in [
        (
            r#"{"n": 1.0, "model": "fast", "messages": [{"role": "user", "content": "Grüße \" {"}]}"#,
            r#"{"n": 1.0, "model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Grüße \" {"}]}"#,
        ),
        (
            r#"{"a": "ü", "model": "grün", "b": [1]}"#,
            r#"{"a": "ü", "model": "xün", "b": [1]}"#,
        ),
        (r#"{"model":"gpt-4"}"#, r#"{"model":"gpt-4"}"#),
    ] {
        let whole = sent_to(ALONE, CHAT, cut(body, body.len()));
        for size in 1..=body.len() {
            for (ends_alone, trailers) in [(false, 0), (true, 0), (false, 1)] {
                let host = MemoryHost {
                    request: request(CHAT, cut(body, size)),
                    ends_alone,
                    request_trailers: vec![("a".to_owned(), "b".to_owned()); trailers],
                    ..MemoryHost::default()
                };
                let host = sent(ALONE, host);
                assert_eq!(
                    String::from_utf8(host.request.body_bytes()).unwrap(),
                    is,
                    "in pieces of {size}"
                );
                assert_eq!(
                    host.request.values("content-length"),
                    [is.len().to_string()]
                );
                assert_eq!(
                    host.request.values("x-ai-model"),
                    [fact(&host, "model").unwrap()]
                );
                assert_eq!(host.metadata, whole.metadata);
                let (_, value) = body.split_once("\"model\":").unwrap();
                let name = value.split('"').nth(1).unwrap();
                let end = body.find(&format!("{name}\"")).unwrap() + name.len() + 1;
                let held = host.answers.iter().filter(|it| **it == "drop").count();
                assert_eq!(held, (end - 1) / size, "in pieces of {size}: {body}");
                let last = host.answers.iter().rposition(|it| *it != "pass").unwrap();
                assert!(
                    host.answers
                        .iter()
                        .skip(last)
                        .skip(1)
                        .all(|it| *it == "pass")
                );
            }
        }
    }
    let body = r#"{"model": "fast", "messages": [1, 2, 3]}"#;
    let host = sent_to(ALONE, CHAT, cut(body, 8));
    assert_eq!(
        host.answers,
        ["hold", "drop", "pass", "pass", "pass", "pass"]
    );
}

#[test]
fn what_needs_more_is_held_as_a_whole() {
    let body = r#"{"model": "gpt-4", "messages": [1, 2, 3]}"#;
    for more in [
        r#""limits": {"messages": 9}"#,
        r#""usage": {}"#,
        r#""usage": {"force": false}"#,
        r#""guard": {"deny": [{"name": "a", "words": ["b"]}]}"#,
        r#""prompt": {"append": [{"role": "user", "content": "b"}]}"#,
    ] {
        let config = format!(r#"{{"ai": {{"model": {{}}, {more}}}}}"#);
        let host = sent_to(&config, CHAT, cut(body, 20));
        assert_eq!(host.answers, ["hold", "drop", "drop", "pass"], "{more}");
    }
    let reading = r#"{"request": {"body": {"parseAs": "AsJson"}, "set": [{"name": "x-m", "value": "{{ model }}"}]}, "ai": {"model": {}}}"#;
    assert_eq!(
        sent_to(reading, CHAT, cut(body, 20)).answers,
        ["hold", "drop", "drop", "pass"]
    );
    // What tells its dialect by its body alone.
    assert_eq!(
        sent_to(ALONE, "/other", cut(body, 20)).answers,
        ["hold", "drop", "drop", "pass"]
    );
    let metered = r#"{"request": {"set": [{"name": "x-m", "value": "{{ request.path }}"}]},
        "ai": {"model": {}, "usage": {"force": false, "estimate": false}}}"#;
    let host = sent_to(metered, CHAT, cut(body, 20));
    assert_eq!(host.answers, ["hold", "pass", "pass", "pass"]);
    assert_eq!(
        (
            host.request.values("x-m"),
            host.request.values("accept-encoding")
        ),
        (vec![CHAT.to_owned()], vec!["identity".to_owned()])
    );
}

#[test]
fn a_body_flows_at_once_where_its_path_names_the_model() {
    let path = "/v1beta/models/fast:generateContent";
    let body = r#"{"contents": [{"parts": [{"text": "Hi"}]}]}"#;
    let host = sent_to(ALONE, path, cut(body, 9));
    assert!(
        host.answers.iter().all(|it| *it == "pass"),
        "{:?}",
        host.answers
    );
    assert_eq!(
        host.request.values(":path"),
        ["/v1beta/models/gpt-4o-mini:generateContent"]
    );
    assert_eq!(host.request.body_bytes(), body.as_bytes());
    let refused = sent_to(ALONE, &path.replace("fast", "o3"), cut(body, 9));
    assert_eq!(refused.reply.unwrap().status, 404);
    assert_eq!(
        refused.answers,
        ["drop", "drop", "drop", "drop", "drop", "reply"]
    );
}

#[test]
fn what_must_not_pass_does_not_become_whole() {
    for (body, status, reason) in [
        (
            r#"{"model": "gpt-4", "messages": [], "model": "gpt-5"}"#,
            400,
            "model:repeated",
        ),
        (
            r#"{"model": "gpt-4", "Model": "gpt-5", "messages": []}"#,
            400,
            "model:repeated",
        ),
        (
            r#"{"model": "gpt-4", "messages": [}"#,
            400,
            "model:unreadable",
        ),
        (
            r#"{"model": "gpt-4", "messages": ["#,
            400,
            "model:unreadable",
        ),
        (r#"{"messages": ["#, 400, "model:unreadable"),
        (
            r#"{"model": "o3", "messages": [1, 2]}"#,
            404,
            "model:not_allowed",
        ),
        (r#"{"messages": [1, 2]}"#, 404, "model:not_allowed"),
    ] {
        for size in 1..=body.len() {
            let host = sent_to(ALONE, CHAT, cut(body, size));
            assert_eq!(
                host.reply.as_ref().unwrap().status,
                status,
                "{body} in {size}"
            );
            assert_eq!(
                fact(&host, "refused").as_deref(),
                Some(reason),
                "{body} in {size}"
            );
            assert_eq!(host.answers.last(), Some(&"reply"));
            let passed = host.answers.iter().filter(|it| **it == "pass").count();
            assert!(passed * size < body.len(), "{body} in {size}");
            if status == 404 {
                assert_eq!(passed, 0);
                let pieces = body.len().div_ceil(size);
                assert_eq!(
                    host.answers.len(),
                    pieces + 1,
                    "not answered at its end: {body} in {size}"
                );
            }
        }
    }
}

#[test]
fn the_limit_is_for_what_has_to_be_kept() {
    let config = r#"{"ai": {"model": {}, "bodyBytes": 30}}"#;
    let early = format!(r#"{{"model": "gpt-4", "user": "{}"}}"#, "x".repeat(200));
    let late = format!(r#"{{"user": "{}", "model": "gpt-4"}}"#, "x".repeat(20));
    for size in [1, 7, 29, 30, 31, 300] {
        assert!(sent_to(config, CHAT, cut(&early, size)).reply.is_none());
        let mut host = MemoryHost {
            request: request(CHAT, cut(&late, size)),
            ..MemoryHost::default()
        };
        let failure = host
            .send(&mut program(config).open(), Direction::Request)
            .unwrap_err();
        assert_eq!(failure.error().status(), 413, "in {size}");
    }
}

#[test]
fn rules_of_another_route_get_what_has_come_and_what_comes() {
    let strict = r#"{"ai": {"guard": {"deny": [{"name": "secret", "words": ["Bluebird"]}]}}}"#;
    let body =
        r#"{"model": "gpt-4", "messages": [{"role": "user", "content": "What of bluebird?"}]}"#;
    for size in 1..=body.len() {
        let other = |config: &str| MemoryHost {
            request: request(CHAT, cut(body, size)),
            routes: vec![RouteProgram(program(config))],
            ..MemoryHost::default()
        };
        assert_eq!(
            sent(ALONE, other(strict)).reply.unwrap().status,
            403,
            "in {size}"
        );
        for config in [
            "{}",
            r#"{"ai": {"model": {"aliases": {"gpt-4": "other"}}}}"#,
            r#"{"request": {"body": {"value": "{{ body() }}"}}}"#,
        ] {
            let is = if config.contains("other") {
                body.replace("gpt-4", "other")
            } else {
                body.to_owned()
            };
            let host = sent(ALONE, other(config));
            assert_eq!(
                String::from_utf8(host.request.body_bytes()).unwrap(),
                is,
                "{config} in {size}"
            );
            assert_eq!(
                host.request.values("content-length"),
                [is.len().to_string()]
            );
        }
    }
}

#[test]
fn a_refused_request_is_swallowed_to_its_end_or_as_much_as_is_held() {
    let config = r#"{"ai": {"usage": {}, "bodyBytes": 10}}"#;
    for (pieces, answers) in [
        (vec![8, 4, 4], vec!["hold", "drop", "drop", "reply"]),
        (
            vec![12, 4, 4, 4],
            vec!["hold", "drop", "drop", "drop", "reply"],
        ),
        (vec![12, 8, 4, 4], vec!["hold", "drop", "drop", "reply"]),
        (vec![12], vec!["hold", "reply"]),
    ] {
        let body = pieces.iter().map(|length| vec![b'x'; *length]).collect();
        let mut host = MemoryHost {
            request: request(CHAT, body),
            ..MemoryHost::default()
        };
        let failure = host
            .send(&mut program(config).open(), Direction::Request)
            .unwrap_err();
        assert_eq!(
            (failure.error().status(), &host.answers),
            (413, &answers),
            "{pieces:?}"
        );
    }
    let closed = r#"{"ai": {"usage": {}, "onUnknown": "refuse"}}"#;
    // Their clients may wait for an answer before they end.
    for endless in [
        ("upgrade", "websocket"),
        ("content-type", "application/grpc+proto"),
    ] {
        let mut request = Message::new(&[(":path", "/a.B/C"), (":method", "POST"), endless], "");
        request.body = cut("a=b&c=d", 3);
        let host = sent(
            closed,
            MemoryHost {
                request,
                ..MemoryHost::default()
            },
        );
        assert_eq!(
            (host.reply.unwrap().status, host.answers),
            (415, vec!["reply"]),
            "{endless:?}"
        );
    }
    let headers = [(":path", "/form"), ("content-type", "text/plain")];
    let mut form = Message::new(&headers, "");
    form.body = cut("a=b&c=d", 3);
    let host = sent(
        closed,
        MemoryHost {
            request: form,
            ..MemoryHost::default()
        },
    );
    assert_eq!(
        (host.reply.unwrap().status, host.answers),
        (415, vec!["drop", "drop", "drop", "reply"])
    );
}
