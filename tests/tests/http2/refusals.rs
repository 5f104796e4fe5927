//! Answers of the module itself: they end their stream and no other, and gRPC calls get them as gRPC.

use rustformations_tests::{Answer, EnvoyConfig, Lab, on_every_envoy};
use serde_json::{Value, json};

use crate::client::Http2;
use crate::message::{Gate, Message};
use crate::origin::{Http2Origin, Reply};
use crate::{Ground, grpc, grpc_frame, set};

/// Fails on a request that is not JSON, 400, and on a response without a model, 502.
fn strict() -> Value {
    json!({
        "onError": "fail",
        "request": {"body": {"parseAs": "AsJson", "value": "{{ model }}"}},
        "response": {"body": {"patch": [{"op": "replace", "path": "/model", "value": "hidden"}]}},
    })
}

/// A gRPC call that ended with `status`, and not with an answer.
fn assert_grpc_status(answer: &Answer, status: &str) {
    assert_eq!(
        (answer.status, answer.header("content-type").as_str()),
        (200, "application/grpc")
    );
    assert_eq!(answer.headers.values("grpc-status"), [status]);
    assert!(
        answer.pieces.is_empty() && answer.trailers.0.is_empty() && !answer.cut,
        "{answer:?}"
    );
}

on_every_envoy! {
    fn a_transform_that_fails_is_an_answer_on_its_stream(envoy) {
        let mut ground = Ground::with(envoy, strict()).unwrap();
        let broken = || Message::new().piece("{");
        for message in [broken(), broken().trailer("x-end", "yes")] {
            let answer = ground.client.send("POST", "/", message);
            assert_eq!((answer.status, answer.cut, answer.trailers.0.len()), (400, false, 0));
        }
        assert!(ground.origin.received().is_empty());
        let model = || Message::new().piece(r#"{"model":"m"}"#);
        let none = || Message::new().piece("{}");
        for reply in [none(), none().trailer("x-end", "yes")] {
            ground.origin.answer("/", Reply::new(200, reply));
            let answer = ground.client.send("POST", "/", model());
            assert_eq!((answer.status, answer.cut, answer.trailers.0.len()), (502, false, 0));
        }
        ground.origin.answer("/", Reply::new(200, model()));
        assert_eq!(ground.client.send("POST", "/", model()).text(), r#"{"model":"hidden"}"#);
        assert_eq!(ground.origin.last().text(), "m");
        assert_eq!(ground.lab.stat("http.lab.downstream_cx_total"), 1);
    }

    fn a_transform_that_fails_is_no_success_of_a_grpc_call(envoy) {
        let mut ground = Ground::with(envoy, strict()).unwrap();
        assert_grpc_status(&ground.client.send("POST", "/", grpc().piece(grpc_frame("{"))), "13");
        let call = grpc().piece(r#"{"model":"m"}"#);
        ground.origin.answer("/", Reply::new(200, grpc().piece("{}").trailer("grpc-status", "0")));
        assert_grpc_status(&ground.client.send("POST", "/", call), "14");
    }

    fn a_grpc_call_stays_one_whatever_a_rule_calls_it(envoy) {
        let fails = json!({"onError": "fail", "set": [set("x-a", "{{ 'a' * -1 }}")]});
        for rule in [json!({"set": [set("content-type", "application/json")]}), json!({"remove": ["content-type"]})] {
            let mut ground = Ground::with(envoy, json!({"request": rule, "response": fails})).unwrap();
            assert_grpc_status(&ground.client.send("POST", "/", grpc().piece("{}")), "2");
        }
        let rule = json!({"set": [set("content-type", "application/grpc")]});
        let mut ground = Ground::with(envoy, json!({"request": rule, "response": fails})).unwrap();
        let answer = ground.client.send("POST", "/", Message::new().piece("{}"));
        assert_eq!((answer.status, answer.headers.has("grpc-status")), (500, false));
    }

    fn a_grpc_call_that_is_denied_is_denied_in_grpc(envoy) {
        let origin = Http2Origin::start().unwrap();
        let config = EnvoyConfig::new()
            .filter_name("http-acl")
            .filter_level(json!({"defaultAction": "deny"}))
            .http2_origin(origin.address());
        let lab = Lab::start(envoy, &config);
        let mut client = Http2::open(lab.address()).unwrap();
        assert_grpc_status(&client.send("POST", "/", grpc().piece(grpc_frame("call"))), "7");
        let answer = client.send("POST", "/", Message::new().piece("no call"));
        assert_eq!((answer.status, answer.headers.has("grpc-status")), (403, false));
        assert!(origin.received().is_empty());
    }

    fn a_reply_is_an_answer_on_its_stream_and_a_status_of_a_grpc_call(envoy) {
        let reply = json!({"request": {"reply": {
            "when": "not header(\"authorization\")",
            "status": "{{ header(\"x-status\") }}",
            "headers": [{"name": "x-why", "value": "{{ request.path }}"}],
            "body": "who are you?",
        }}});
        let mut ground = Ground::with(envoy, reply).unwrap();
        for (status, code) in [("401", "16"), ("403", "7"), ("429", "14"), ("404", "12")] {
            let answer = ground.client.send("POST", "/a", Message::new().header("x-status", status).piece("{}"));
            assert_eq!((answer.status.to_string().as_str(), answer.text().as_str()), (status, "who are you?"));
            assert_eq!(answer.header("x-why"), "/a");
            let answer = ground.client.send("POST", "/a", grpc().header("x-status", status).piece(grpc_frame("call")));
            assert_grpc_status(&answer, code);
            assert_eq!((answer.header("grpc-message").as_str(), answer.header("x-why").as_str()), ("who are you?", "/a"));
        }
        assert!(ground.origin.received().is_empty());
        let known = Message::new().header("authorization", "x").piece("{}");
        assert_eq!(ground.client.send("POST", "/a", known).status, 200);
    }

    fn a_request_that_is_too_large_is_answered_on_its_stream(envoy) {
        let path = "/v1/chat/completions";
        let rules = json!({"ai": {"usage": {}, "bodyBytes": 100_000}});
        let mut ground = Ground::with(envoy, rules).unwrap();
        // Far more than what is dropped is answered while it comes.
        for pieces in [11, 15, 200] {
            let message = (0..pieces).fold(Message::new(), |message, _| message.piece(vec![b'x'; 10_000]));
            let answer = ground.client.send("POST", path, message);
            assert_eq!((answer.status, answer.cut), (413, false), "{pieces}");
            assert_eq!(answer.json()["error"]["message"], "The request has more than 100000 bytes.");
        }
        let answer = ground.client.send("POST", path, Message::new().piece(r#"{"model":"m","messages":[]}"#));
        assert_eq!((answer.status, ground.lab.stat("http.lab.downstream_cx_total")), (200, 1));
    }

    fn a_request_that_names_its_model_twice_never_becomes_whole(envoy) {
        let path = "/v1/chat/completions";
        let mut ground = Ground::with(envoy, json!({"ai": {"model": {}}})).unwrap();
        let twice = || {
            let gate = Gate::new();
            let message = Message::new().piece(r#"{"model":"m","messages":[], "#).wait(&gate);
            (message.piece(r#""model":"n"}"#), gate)
        };
        for trailers in [false, true] {
            let (message, gate) = twice();
            let message = if trailers { message.trailer("x-end", "yes") } else { message };
            let pending = ground.client.start("POST", path, message).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(100));
            gate.open();
            assert_eq!(pending.finish().unwrap().status, 400);
        }
        assert!(ground.origin.received().iter().all(|it| it.cut));
    }
}
