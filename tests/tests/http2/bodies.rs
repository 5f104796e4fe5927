//! Bodies that are rewritten on their way: with trailers, without a length, empty, large, and between
//! HTTP/2 and HTTP/1.1.

use rustformations_tests::{Body, EnvoyConfig, Lab, Route, on_every_envoy};
use serde_json::{Value, json};

use crate::client::Http2;
use crate::message::Message;
use crate::origin::{Http2Origin, Reply};
use crate::{Ground, both_ways, grpc, grpc_frame, set};

/// Puts brackets around a body.
fn bracket() -> Value {
    json!({"body": {"value": "<{{ body() }}>"}})
}

on_every_envoy! {
    fn a_grpc_call_is_rewritten_both_ways_and_keeps_its_trailers(envoy) {
        // As long as what it replaces, so that the lengths in the frames stay true.
        let body = json!({"value": "{{ replace_with_string(body(), 'ping', 'pong') }}"});
        let mut ground = Ground::with(envoy, json!({
            "request": {
                "body": body,
                "set": [set("x-call", "{{ request.path }}"), set("x-protocol", "%PROTOCOL%")],
                "remove": ["x-gone"],
            },
            "response": {
                "body": body,
                "set": [
                    set("x-status", "%TRAILER(grpc-status)%"),
                    set("x-message", "%TRAILER(x-none?Grpc-Message):4%"),
                    set("x-protocol", "%PROTOCOL%"),
                ],
                "remove": ["x-gone"],
            },
        })).unwrap();
        let frames = [grpc_frame("ping one"), grpc_frame("ping two")];
        let rewritten = [grpc_frame("pong one"), grpc_frame("pong two")].concat();
        let reply = frames.iter().fold(grpc().header("x-gone", "1"), |reply, frame| reply.piece(frame.clone()));
        let reply = reply.trailer("grpc-status", "0").trailer("grpc-message", "fine").trailer("x-twice", "1").trailer("x-twice", "2");
        ground.origin.answer("/lab.Ping/Ping", Reply::new(200, reply));
        let call = frames.iter().fold(grpc().header("te", "trailers").header("x-gone", "1"), |call, frame| call.piece(frame.clone()));
        let answer = ground.client.send("POST", "/lab.Ping/Ping", call);
        let received = ground.origin.last();
        assert_eq!((received.body, answer.status, answer.body.clone()), (rewritten.clone(), 200, rewritten));
        assert_eq!(received.headers.values("x-call"), ["/lab.Ping/Ping"]);
        assert_eq!(answer.header("x-status") + &answer.header("x-message"), "0fine");
        for headers in [&received.headers, &answer.headers] {
            assert_eq!(headers.values("x-protocol"), ["HTTP/2"]);
            assert_eq!(headers.values("content-type"), ["application/grpc"]);
            assert!(!headers.has("x-gone"), "{headers:?}");
        }
        assert_eq!(answer.trailers.values("grpc-status"), ["0"]);
        assert_eq!(answer.trailers.values("grpc-message"), ["fine"]);
        assert_eq!(answer.trailers.values("x-twice"), ["1", "2"]);
    }

    fn a_grpc_answer_that_is_only_a_head_gets_header_rules_and_no_body(envoy) {
        let mut ground = Ground::with(envoy, json!({"response": {"set": [
            set("x-length", "{{ body()|length }}"),
            set("x-trailer", "%TRAILER(grpc-status)%"),
            set("x-status", "%RESP(grpc-status)%"),
        ]}})).unwrap();
        ground.origin.answer("/", Reply::new(200, grpc().header("grpc-status", "5")));
        let answer = ground.client.send("POST", "/", grpc().piece(grpc_frame("")));
        assert_eq!((answer.header("grpc-status"), answer.text()), ("5".to_owned(), String::new()));
        assert_eq!((answer.header("x-length"), answer.header("x-trailer"), answer.header("x-status")), ("0".to_owned(), "-".to_owned(), "5".to_owned()));
        assert!(answer.trailers.0.is_empty() && answer.pieces.is_empty());
    }

    fn json_is_patched_both_ways_between_a_head_and_trailers(envoy) {
        let patch = json!({
            "body": {"patch": [
                {"op": "replace", "path": "/model", "value": "hidden"},
                {"op": "add", "path": "/n", "value": 1},
            ]},
            "set": [set("x-model", "{{ model }}")],
        });
        let mut ground = Ground::with(envoy, both_ways(&patch)).unwrap();
        let message = || Message::new().piece("{ \"mod").piece("el\": \"gpt-4\",\"z\":1.50}").trailer("x-end", "yes");
        ground.origin.answer("/", Reply::new(200, message()));
        let answer = ground.client.send("POST", "/", message());
        let received = ground.origin.last();
        let patched = r#"{ "model": "hidden","z":1.50,"n":1}"#;
        assert_eq!((received.text().as_str(), answer.text().as_str()), (patched, patched));
        for (headers, trailers) in [(&received.headers, &received.trailers), (&answer.headers, &answer.trailers)] {
            assert_eq!(headers.values("x-model"), ["gpt-4"]);
            assert_eq!(trailers.values("x-end"), ["yes"]);
        }
    }

    fn trailers_pass_whatever_becomes_of_the_body_before_them(envoy) {
        let changes = [
            ("/replaced", bracket()),
            ("/emptied", json!({"body": {"value": "{{ header('x-none') }}"}})),
            ("/read", json!({"set": [set("x-length", "{{ body()|length }}")]})),
            ("/passed", json!({"set": [set("x-a", "1")]})),
        ];
        let routes = changes.iter().map(|(path, change)| Route::at(path).transform(both_ways(change)));
        let mut ground = Ground::routing(envoy, routes.collect()).unwrap();
        for (path, _) in &changes {
            for pieces in [&["one", "two"][..], &["only"], &[]] {
                let message = || pieces.iter().fold(Message::new(), |message, piece| message.piece(*piece)).trailer("x-end", "yes");
                ground.origin.answer(path, Reply::new(200, message()));
                let answer = ground.client.send("POST", path, message());
                let received = ground.origin.last();
                let was = pieces.concat();
                let expected = match *path {
                    "/replaced" => format!("<{was}>"),
                    "/emptied" => String::new(),
                    _ => was,
                };
                assert_eq!((received.text(), answer.text()), (expected.clone(), expected), "{path} {pieces:?}");
                assert_eq!(received.trailers.values("x-end"), ["yes"], "{path} {pieces:?}");
                assert_eq!(answer.trailers.values("x-end"), ["yes"], "{path} {pieces:?}");
            }
        }
        assert_eq!(ground.lab.stat("rustformations_requests_transformed"), 12);
        assert_eq!(ground.lab.stat("rustformations_responses_transformed"), 12);
    }

    fn a_replaced_body_is_whole_whether_its_length_was_announced_or_not(envoy) {
        let routes = vec![
            Route::at("/grow").transform(both_ways(&json!({"body": {"value": "{{ body() }}{{ body() }}"}}))),
            Route::at("/shrink").transform(both_ways(&json!({"body": {"value": "s"}}))),
        ];
        let mut ground = Ground::routing(envoy, routes).unwrap();
        for (path, expected) in [("/grow", "as it wasas it was"), ("/shrink", "s")] {
            for announced in [false, true] {
                let message = || {
                    let message = Message::new().piece("as ").piece("it was");
                    if announced { message.header("content-length", "9") } else { message }
                };
                ground.origin.answer(path, Reply::new(200, message()));
                let answer = ground.client.send("POST", path, message());
                let received = ground.origin.last();
                // Both ends refuse a message that is not as long as it says.
                assert!(!answer.cut && !received.cut, "{path} {announced}");
                assert_eq!((received.text().as_str(), answer.text().as_str()), (expected, expected), "{announced}");
                let length = if announced { vec![expected.len().to_string()] } else { vec![] };
                for headers in [&received.headers, &answer.headers] {
                    assert_eq!(headers.values("content-length"), length, "{path} {announced}");
                }
            }
        }
    }

    fn a_message_that_is_only_a_head_gets_a_body(envoy) {
        let mut ground = Ground::with(envoy, both_ways(&json!({"body": {"value": "injected"}}))).unwrap();
        ground.origin.answer("/", Reply::new(200, Message::new()));
        let answer = ground.client.send("GET", "/", Message::new());
        let received = ground.origin.last();
        assert_eq!((received.text().as_str(), answer.text().as_str()), ("injected", "injected"));
        assert!(!answer.cut && !received.cut);
    }

    fn a_response_that_must_not_have_a_body_gets_none(envoy) {
        let mut ground = Ground::with(envoy, json!({"response": {"body": {"value": "injected"}, "set": [set("x-a", "1")]}})).unwrap();
        for (method, status) in [("HEAD", 200), ("GET", 204), ("GET", 304)] {
            ground.origin.answer("/", Reply::new(status, Message::new()));
            let answer = ground.client.send(method, "/", Message::new());
            assert_eq!((answer.status, answer.header("x-a").as_str()), (status, "1"));
            assert!(answer.pieces.is_empty() && !answer.cut, "{answer:?}");
        }
    }

    fn a_status_without_content_takes_the_body_away(envoy) {
        let status = set(":status", "{{ header('x-status') }}");
        let programs = [
            ("/headers", json!({"set": [status]})),
            ("/value", json!({"set": [status], "body": {"value": "<{{ body() }}>"}})),
            ("/stream", json!({"set": [status], "stream": {"rules": [{"drop": true}]}})),
        ];
        let routes = programs.iter().map(|(path, program)| Route::at(path).transform(json!({"response": program})));
        let mut ground = Ground::routing(envoy, routes.collect()).unwrap();
        for status in ["204", "205", "304"] {
            for (path, _) in &programs {
                for (length, trailer) in [(Some("12"), false), (None, false), (None, true)] {
                    let message = Message::new().header("content-type", "text/event-stream").header("x-status", status);
                    let message = length.into_iter().fold(message, |message, length| message.header("content-length", length));
                    let message = message.piece("data: ").piece("one\n\n").piece("\n");
                    let message = if trailer { message.trailer("x-end", "yes") } else { message };
                    ground.origin.answer(path, Reply::new(200, message));
                    // One connection for all of them.
                    let answer = ground.client.send("GET", path, Message::new());
                    let what = format!("{status} {path} {length:?} {trailer} {answer:?}");
                    assert_eq!(answer.status.to_string(), status, "{what}");
                    assert!(answer.body.is_empty() && !answer.cut && !answer.headers.has("content-length"), "{what}");
                    assert_eq!(answer.trailers.has("x-end"), trailer, "{what}");
                }
            }
        }
    }

    fn a_head_stays_a_head(envoy) {
        let rules = json!({
            "request": {"set": [set(":method", "POST")]},
            "response": {"body": {"value": "new"}, "set": [set("x-a", "{{ request_header(':method') }}")]},
        });
        let mut ground = Ground::with(envoy, rules).unwrap();
        for length in [None, Some("5")] {
            let message = length.into_iter().fold(Message::new(), |message, length| message.header("content-length", length));
            ground.origin.answer("/", Reply::new(200, message));
            let answer = ground.client.send("HEAD", "/", Message::new());
            assert_eq!((ground.origin.last().method.as_str(), answer.header("x-a").as_str()), ("HEAD", "HEAD"));
            assert!(answer.pieces.is_empty() && !answer.cut && !answer.headers.has("content-length"), "{answer:?}");
        }
    }

    fn a_body_of_a_mebibyte_passes_the_windows_of_both_connections(envoy) {
        let mut ground = Ground::with(envoy, both_ways(&bracket())).unwrap();
        ground.origin.answer_with("/", |received| Reply::new(200, Message::new().piece(received.body.clone())));
        let big = "0123456789abcdef".repeat(1 << 16);
        let answer = ground.client.send("POST", "/", Message::new().piece(big.clone()));
        assert!(answer.text() == format!("<<{big}>>"), "{} bytes", answer.body.len());
    }

    fn pseudo_headers_are_rewritten(envoy) {
        let rules = json!({"request": {"set": [
            set(":path", "/new?was={{ request.path }}"), set(":method", "PUT"), set(":authority", "new.test"),
        ]}, "response": {"set": [set(":status", "201")]}});
        let mut ground = Ground::with(envoy, rules).unwrap();
        let answer = ground.client.send("POST", "/old", Message::new().piece("body"));
        let received = ground.origin.last();
        assert_eq!((answer.status, received.method.as_str(), received.path.as_str()), (201, "PUT", "/new?was=/old"));
        assert_eq!(received.headers.values(":authority"), ["new.test"]);
    }

    fn http_2_and_http_1_meet_in_either_order(envoy) {
        let transform = both_ways(&bracket());
        let lab = Lab::start(envoy, &EnvoyConfig::new().route(Route::at("/").transform(transform.clone())));
        let mut client = Http2::open(lab.address()).unwrap();
        lab.origin().answer("/", rustformations_tests::Reply::new(200).stream(Body::chunked().piece("one").piece("two")));
        let answer = client.send("POST", "/", Message::new().piece("un").piece("deux").trailer("x-end", "yes"));
        let received = lab.origin().last();
        assert_eq!((received.text().as_str(), answer.text().as_str()), ("<undeux>", "<onetwo>"));
        assert_eq!((received.header("transfer-encoding").as_str(), received.trailers.values("x-end").concat().as_str()), ("chunked", "yes"));

        let origin = Http2Origin::start().unwrap();
        let config = EnvoyConfig::new().http2_origin(origin.address());
        let lab = Lab::start(envoy, &config.route(Route::at("/").transform(transform)));
        origin.answer("/", Reply::new(200, Message::new().piece("one").piece("two").trailer("x-end", "yes")));
        let answer = lab.post("/").stream(Body::chunked().piece("un").piece("deux").trailer("x-end", "yes")).send();
        let received = origin.last();
        assert_eq!((received.text().as_str(), answer.text().as_str()), ("<undeux>", "<onetwo>"));
        assert_eq!(received.trailers.values("x-end"), ["yes"]);
        assert_eq!((answer.trailers.values("x-end").concat().as_str(), answer.cut), ("yes", false));
    }
}
