//! What is not held: a piece that a client or an origin has sent is with the other before the next
//! piece is sent, and both directions are open at once.

use rustformations_tests::{EnvoyConfig, Lab, Route, on_every_envoy};
use serde_json::json;

use crate::client::Http2;
use crate::message::{Gate, Message};
use crate::origin::Reply;
use crate::{Ground, both_ways, set};

on_every_envoy! {
    fn a_transform_of_headers_holds_neither_direction_of_a_call(envoy) {
        let mut ground = Ground::with(envoy, both_ways(&json!({"set": [set("x-set", "{{ request.method }}")]}))).unwrap();
        let (request, response) = (Gate::new(), Gate::new());
        let reply = Message::new().piece("first").wait(&response).piece("last").trailer("grpc-status", "0");
        ground.origin.answer("/", Reply::new(200, reply).at_once());
        let call = Message::new().piece("un").wait(&request).piece("deux").trailer("x-end", "yes");
        let mut exchange = ground.client.start("POST", "/", call).unwrap().head().unwrap();
        assert_eq!(exchange.headers.values("x-set"), ["POST"]);
        assert_eq!(exchange.next_piece().unwrap().unwrap(), "first");
        assert!(ground.origin.received().is_empty(), "the request has not ended");
        request.open();
        let received = ground.origin.last();
        assert_eq!((received.text().as_str(), received.header("x-set").as_str()), ("undeux", "POST"));
        assert_eq!(received.trailers.values("x-end"), ["yes"]);
        response.open();
        let answer = exchange.finish().unwrap();
        assert_eq!((answer.text().as_str(), answer.cut), ("last", false));
        assert_eq!(answer.trailers.values("grpc-status"), ["0"]);
    }

    fn each_event_is_transformed_and_sent_before_the_next_one_has_come(envoy) {
        let mut ground = Ground::with(envoy, json!({"response": {"stream": {"rules": [
            {"when": {"pointer": "/text"}, "data": "{{ text|upper }}"},
        ]}}})).unwrap();
        let gates = [Gate::new(), Gate::new(), Gate::new()];
        let reply = Message::new()
            .header("content-type", "text/event-stream")
            .piece("data: {\"text\":\"one\"}\n\n")
            .wait(&gates[0])
            .piece("data: {\"te")
            .wait(&gates[1])
            .piece("xt\":\"two\"}\n\n")
            .wait(&gates[2])
            .piece("data: [DONE]\n\n")
            .trailer("x-end", "yes");
        ground.origin.answer("/", Reply::new(200, reply));
        let mut exchange = ground.client.start("GET", "/", Message::new()).unwrap().head().unwrap();
        assert_eq!(exchange.next_piece().unwrap().unwrap(), "data: ONE\n\n");
        gates[0].open();
        gates[1].open();
        assert_eq!(exchange.next_piece().unwrap().unwrap(), "data: TWO\n\n");
        gates[2].open();
        let answer = exchange.finish().unwrap();
        assert_eq!(answer.text(), "data: [DONE]\n\n");
        assert_eq!(answer.trailers.values("x-end"), ["yes"]);
    }

    fn a_websocket_on_a_stream_is_transformed_without_a_body_and_not_held(envoy) {
        let transform = both_ways(&json!({"body": {"value": "held: {{ body() }}"}, "set": [set("x-set", "{{ request.path }}")]}));
        let config = EnvoyConfig::new()
            .websocket()
            .connection_manager("http2_protocol_options", json!({"allow_connect": true}))
            .route(Route::at("/").transform(transform));
        let lab = Lab::start(envoy, &config);
        lab.origin().answer("/socket", rustformations_tests::Reply::echo_tunnel());
        let mut client = Http2::open(lab.address()).unwrap();
        let (second, never) = (Gate::new(), Gate::new());
        let message = Message::new().piece("one").wait(&second).piece("two").wait(&never);
        let mut socket = client.start_websocket("/socket", message).unwrap().head().unwrap();
        assert_eq!((socket.status, socket.headers.values("x-set")), (200, vec!["/socket".to_owned()]));
        assert_eq!(lab.origin().last().header("x-set"), "/socket");
        assert_eq!(socket.next_piece().unwrap().unwrap(), "one");
        second.open();
        assert_eq!(socket.next_piece().unwrap().unwrap(), "two");
    }
}
