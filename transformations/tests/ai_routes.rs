//! A client's own word about its model does not choose the rules that it passes: the route is chosen again
//! by the model that the request names, and where that has other rules, those are what it meets, as if
//! nobody had touched it before.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use transformations::testing::{MemoryHost, Message, RouteProgram};
use transformations::{CompileOptions, Direction, Program};

const OPEN: &str = r#"{"ai": {"model": {}}}"#;
const STRICT: &str = r#"{"ai": {"model": {},
    "guard": {"deny": [{"name": "secret", "words": ["Bluebird"]}], "message": "No."}}}"#;
const ASKING: &str =
    r#"{"model": "large", "messages": [{"role": "user", "content": "What of bluebird?"}]}"#;
const CHAT: &str = "/v1/chat/completions";

fn program(config: &str) -> Arc<Program> {
    Arc::new(Program::compile(config.as_bytes(), &CompileOptions::default()).unwrap())
}

fn request(path: &str, headers: &[(&str, &str)], body: &str) -> Message {
    let mut all = vec![
        (":method", "POST"),
        (":path", path),
        ("content-type", "application/json"),
    ];
    all.extend(headers);
    Message::new(&all, body)
}

/// Sends a request that comes to `first`; each time that its route is chosen again, it is one of `routes`.
fn sent(first: &str, routes: &[&str], request: Message) -> MemoryHost {
    sent_by(
        first,
        routes,
        MemoryHost {
            request,
            ..MemoryHost::default()
        },
    )
}

fn sent_by(first: &str, routes: &[&str], mut host: MemoryHost) -> MemoryHost {
    let routes = routes.iter().rev();
    host.routes = routes.map(|config| RouteProgram(program(config))).collect();
    let mut exchange = program(first).open();
    host.send(&mut exchange, Direction::Request).unwrap();
    host
}

fn facts(host: &MemoryHost, namespace: &str) -> Vec<String> {
    let ours = host.metadata.iter().filter(|it| it.0 == namespace);
    ours.map(|(_, key, _)| key.clone()).collect()
}

fn body(host: &MemoryHost) -> String {
    String::from_utf8(host.request.body_bytes()).unwrap()
}

#[test]
fn the_rules_of_the_model_hold_whatever_header_the_client_sends() {
    let forged = request(CHAT, &[("x-ai-model", "cheap")], ASKING);
    for size in 1..=ASKING.len() {
        let mut request = forged.clone();
        request.body = ASKING.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
        for (ends_alone, trailers) in [(false, vec![]), (true, vec![]), (false, vec![("a", "b")])] {
            let trailers = trailers.into_iter();
            let host = MemoryHost {
                request: request.clone(),
                ends_alone,
                request_trailers: trailers
                    .map(|(name, value)| (name.into(), value.into()))
                    .collect(),
                ..MemoryHost::default()
            };
            let host = sent_by(OPEN, &[STRICT], host);
            let reply = host.reply.as_ref().unwrap();
            assert_eq!(
                (reply.status, reply.details.as_str()),
                (403, "rustformation_ai_guard")
            );
            assert_eq!(
                facts(&host, "rustformations.ai"),
                [
                    "dialect",
                    "request_model",
                    "model",
                    "stream",
                    "guard",
                    "refused"
                ]
            );
        }
    }
    let open = sent(OPEN, &[OPEN], forged);
    assert_eq!(
        (open.reply.is_none(), open.request.values("x-ai-model")),
        (true, vec!["large".to_owned()])
    );
}

#[test]
fn a_refusal_of_the_first_rules_is_none_where_others_hold() {
    let none = r#"{"ai": {"model": {"allow": []}, "prompt": {"prepend": [{"role": "system",
        "content": "{{ request_header('x-none').foo.bar }}"}]}}}"#;
    let forged = || request(CHAT, &[("x-ai-model", "cheap")], ASKING);
    for first in [none, STRICT] {
        assert!(sent(first, &[OPEN], forged()).reply.is_none(), "{first}");
    }
    assert_eq!(sent(STRICT, &[STRICT], forged()).reply.unwrap().status, 403);
}

#[test]
fn other_rules_see_the_request_as_the_client_sent_it() {
    let first = r#"{
        "request": {
            "set": [{"name": "x-a", "value": "set"}, {"name": ":path", "value": "/v1/chat/completions?by=first"}],
            "add": [{"name": "x-lines", "value": "3"}],
            "remove": ["x-gone"],
            "body": {"value": "{\"model\":\"mine\",\"messages\":[]}"},
            "maxBodyBytes": 1000
        },
        "ai": {"model": {"aliases": {"mine": "fine"}}, "usage": {},
            "publish": {"metadata": [{"namespace": "first", "key": "model", "from": "model"}]}}
    }"#;
    let second = r#"{
        "request": {"set": [{"name": "x-seen", "value": "{{ header(':path') }} {{ header('x-lines') }} {{ header('x-gone') }} {{ header('x-a') }} {{ model }} {{ header('x-ai-model') }}"}]},
        "ai": {"model": {"aliases": {"large": "larger"}}}
    }"#;
    let plain = r#"{"request": {"body": {"value": "<{{ body() }}>"}}}"#;
    let length = ASKING.len().to_string();
    let headers = [
        ("content-length", length.as_str()),
        ("x-lines", "1"),
        ("x-lines", "2"),
        ("x-gone", "not"),
        ("digest", "of what was sent"),
    ];
    let read = second.replace(r#""set": ["#, r#""body": {"parseAs": "AsJson"}, "set": ["#);
    for holds_nothing in [false, true] {
        for second in [read.as_str(), "{}", plain] {
            let host = MemoryHost {
                request: request(CHAT, &headers, ASKING),
                holds_nothing,
                ..MemoryHost::default()
            };
            let host = sent_by(first, &[second], host);
            let (model, sent) = match second {
                "{}" => ("fine", ASKING.to_owned()),
                it if it == plain => ("fine", format!("<{ASKING}>")),
                _ => ("larger", ASKING.replace("large", "larger")),
            };
            assert_eq!(body(&host), sent);
            let values = |name| host.request.values(name);
            assert_eq!(values("content-length"), [sent.len().to_string()]);
            assert_eq!(
                (values("x-lines"), values("x-gone")),
                (vec!["1".to_owned(), "2".to_owned()], vec!["not".to_owned()])
            );
            assert_eq!((values("x-a"), values("accept-encoding")), (vec![], vec![]));
            assert_eq!(
                (values(":path"), values("x-ai-model")),
                (vec![CHAT.to_owned()], vec![model.to_owned()])
            );
            assert_eq!(values("digest").len(), usize::from(second == "{}"));
            assert_eq!(facts(&host, "first"), Vec::<String>::new());
            if second == read {
                assert_eq!(
                    values("x-seen"),
                    ["/v1/chat/completions 1, 2 not  large fine"]
                );
            }
        }
    }
}

#[test]
fn a_path_that_named_another_model_is_put_back() {
    let path = "/v1beta/models/fast:generateContent";
    let aliased = r#"{"ai": {"model": {"aliases": {"fast": "gemini-1"}}}}"#;
    let ask = || request(path, &[], r#"{"contents": []}"#);
    let same = sent(aliased, &[aliased], ask());
    // An equal text is another program here, and its aliases are its own.
    assert_eq!(
        same.request.values(":path"),
        ["/v1beta/models/gemini-1:generateContent"]
    );
    let other = sent(aliased, &["{}"], ask());
    assert_eq!(
        (
            other.request.values(":path"),
            other.request.values("x-ai-model")
        ),
        (vec![path.to_owned()], vec!["gemini-1".to_owned()])
    );
}

#[test]
fn what_names_no_model_goes_by_no_header_of_the_client() {
    let form = |body: &str| {
        Message::new(
            &[
                (":path", "/form"),
                ("content-type", "application/x-www-form-urlencoded"),
                ("x-ai-model", "cheap"),
            ],
            body,
        )
    };
    let closed = r#"{"request": {"reply": {"when": "true", "status": 418}}}"#;
    for message in [
        form("a=b"),
        form(""),
        request(CHAT, &[("x-ai-model", "cheap")], ""),
    ] {
        let host = sent(OPEN, &[closed], message.clone());
        assert_eq!(host.reply.unwrap().status, 418);
        let passed = sent(OPEN, &["{}"], message.clone());
        assert_eq!(passed.request.values("x-ai-model"), Vec::<String>::new());
        assert_eq!(passed.request.body_bytes(), message.body_bytes());
    }
}

#[test]
fn what_cannot_be_told_apart_is_refused_before_any_other_route_is_asked() {
    for body in [
        r#"{"model": "a", "model": "b", "messages": []}"#,
        r#"{"model": "a""#,
    ] {
        let host = sent(
            OPEN,
            &["{}"],
            request(CHAT, &[("x-ai-model", "cheap")], body),
        );
        assert_eq!((host.reply.unwrap().status, host.routes.len()), (400, 1));
    }
}

#[test]
fn the_route_is_chosen_again_once() {
    let renaming = r#"{"ai": {"model": {"aliases": {"large": "other"}}}}"#;
    let host = sent(OPEN, &[renaming, STRICT], request(CHAT, &[], ASKING));
    assert_eq!((host.reply.is_none(), host.routes.len()), (true, 1));
    assert_eq!(host.request.values("x-ai-model"), ["other"]);
    // Nothing that routes match on has changed.
    let host = sent(
        OPEN,
        &[STRICT],
        request(CHAT, &[("x-ai-model", "large")], ASKING),
    );
    assert_eq!((host.reply.is_none(), host.routes.len()), (true, 1));
}

#[test]
fn a_body_that_other_rules_do_not_hold_is_refused_by_them() {
    let small = r#"{"ai": {"bodyBytes": 20, "usage": {}}}"#;
    let mut exchange = program(OPEN).open();
    let mut host = MemoryHost {
        request: request(CHAT, &[], ASKING),
        routes: vec![RouteProgram(program(small))],
        ..MemoryHost::default()
    };
    let failure = host.send(&mut exchange, Direction::Request).unwrap_err();
    assert_eq!(failure.error().status(), 413);
    assert_eq!(
        exchange.program().field_path(failure.error().field()),
        "ai.bodyBytes"
    );
}
