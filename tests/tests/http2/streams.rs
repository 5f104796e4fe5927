//! Many streams on one connection, and streams that end in the middle.

use std::thread;
use std::time::{Duration, Instant};

use rustformations_tests::{Lab, on_every_envoy};
use serde_json::{Value, json};

use crate::client::{Http2, Pending};
use crate::message::{Gate, Message};
use crate::origin::Reply;
use crate::{Ground, PATIENCE, both_ways, set};

/// Rewrites both bodies and says in both heads whose they are.
fn rewriting() -> Value {
    both_ways(&json!({
        "body": {"value": "<{{ body() }}>"},
        "set": [set("x-who", "{{ request_header('x-id') }}"), set("x-length", "{{ body()|length }}")],
    }))
}

/// Waits until the sum of the statistics whose names end with `suffix` is what `wanted` says.
fn wait_for(lab: &Lab, suffix: &str, wanted: impl Fn(u64) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let value = lab.stat(suffix);
        if wanted(value) {
            return;
        }
        assert!(Instant::now() < deadline, "{suffix} is still {value}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Asserts that nothing is left over and nothing has panicked, and that a new stream of the same
/// connection is served.
fn assert_sane(ground: &mut Ground) {
    wait_for(&ground.lab, "http.lab.downstream_rq_active", |active| {
        active == 0
    });
    wait_for(&ground.lab, "upstream_rq_active", |active| active == 0);
    assert_eq!(ground.lab.stat("rustformations_panics"), 0);
    let answer = ground
        .client
        .send("POST", "/later", Message::new().piece("later"));
    assert_eq!(
        (ground.origin.last().text().as_str(), answer.text().as_str()),
        ("<later>", "<ok>")
    );
}

/// Asserts that a stream ended because this side said so, and not because nothing came.
fn assert_reset_by_us(stream: Pending) {
    match stream.finish() {
        Ok(answer) => panic!("an answer came: {answer:?}"),
        Err(error) => assert!(
            format!("{error:#}").contains("no longer needed"),
            "{error:#}"
        ),
    }
}

on_every_envoy! {
    fn fifty_streams_of_one_connection_do_not_mix(envoy) {
        let mut ground = Ground::with(envoy, rewriting()).unwrap();
        let (requests, responses) = (Gate::new(), Gate::new());
        let replies = responses.clone();
        ground.origin.answer_with("/", move |received| {
            let text = received.text();
            let (head, tail) = text.split_at(text.len() / 2);
            let reply = Message::new().piece(head.to_owned()).wait(&replies).piece(tail.to_owned());
            Reply::new(200, reply.trailer("x-end", &received.header("x-id")))
        });
        let id = |index: usize| index.to_string();
        let text = |index: usize| format!("{index}-").repeat(100 + 40 * index);
        let streams: Vec<_> = (0..50).map(|index| {
            let text = text(index);
            let (head, tail) = text.split_at(text.len() / 3);
            let call = Message::new().header("x-id", &id(index)).piece(head.to_owned()).wait(&requests).piece(tail.to_owned());
            ground.client.start("POST", "/", call).unwrap()
        }).collect();
        wait_for(&ground.lab, "http.lab.downstream_rq_active", |active| active == 50);
        requests.open();
        // Every one is at the origin before any has its answer.
        wait_for(&ground.lab, "rustformations_requests_transformed", |requests| requests == 50);
        responses.open();
        for (index, stream) in streams.into_iter().enumerate() {
            let answer = stream.finish().unwrap();
            let text = text(index);
            assert!(answer.text() == format!("<<{text}>>"), "{index}: {}", answer.text());
            assert_eq!(answer.header("x-who") + &answer.trailers.values("x-end").concat(), id(index) + &id(index));
            assert_eq!(answer.header("x-length"), (text.len() + 2).to_string());
        }
        for received in ground.origin.received() {
            assert_eq!(received.header("x-who"), received.header("x-id"));
        }
        assert_eq!(ground.lab.stat("http.lab.downstream_cx_total"), 1);
    }

    fn a_reset_in_the_middle_of_a_held_request_ends_its_stream_alone(envoy) {
        let mut ground = Ground::with(envoy, rewriting()).unwrap();
        let gate = Gate::new();
        let half = "half".repeat(5000);
        let calls: Vec<_> = (0..10).map(|_| {
            let call = Message::new().piece(half.clone()).wait(&gate).reset();
            ground.client.start("POST", "/", call).unwrap()
        }).collect();
        let other = Gate::new();
        let whole = ground.client.start("POST", "/", Message::new().piece("be").wait(&other).piece("gun")).unwrap();
        wait_for(&ground.lab, "http.lab.downstream_cx_rx_bytes_total", |bytes| bytes > 10 * 20_000);
        gate.open();
        for call in calls {
            assert_reset_by_us(call);
        }
        wait_for(&ground.lab, "http.lab.downstream_rq_rx_reset", |resets| resets == 10);
        other.open();
        assert_eq!(whole.finish().unwrap().text(), "<ok>");
        assert_eq!(ground.origin.last().text(), "<begun>");
        assert_eq!(ground.lab.stat("rustformations_requests_transformed"), 1);
        assert_eq!(ground.origin.received().len(), 1, "what was reset has not reached the origin");
        assert_sane(&mut ground);
    }

    fn a_reset_while_the_response_is_held_ends_its_stream_alone(envoy) {
        let mut ground = Ground::with(envoy, json!({"response": {"body": {"value": "<{{ body() }}>"}}})).unwrap();
        let (reset, never) = (Gate::new(), Gate::new());
        let reply = Message::new().piece("half".repeat(1000)).wait(&never).piece("never");
        ground.origin.answer("/", Reply::new(200, reply).at_once());
        let call = Message::new().piece("call").wait(&reset).reset();
        let call = ground.client.start("POST", "/", call).unwrap();
        wait_for(&ground.lab, "cluster.origin.upstream_cx_rx_bytes_total", |bytes| bytes > 4000);
        reset.open();
        assert_reset_by_us(call);
        wait_for(&ground.lab, "http.lab.downstream_rq_rx_reset", |resets| resets == 1);
        wait_for(&ground.lab, "upstream_rq_active", |active| active == 0);
        assert_eq!(ground.lab.stat("rustformations_responses_transformed"), 0);
        assert_eq!(ground.client.send("POST", "/later", Message::new()).text(), "<ok>");
    }

    fn a_response_that_the_origin_resets_is_never_half_an_answer(envoy) {
        let mut ground = Ground::with(envoy, rewriting()).unwrap();
        let gate = Gate::new();
        let reply = Message::new().piece("half".repeat(1000)).wait(&gate).reset();
        ground.origin.answer("/", Reply::new(200, reply));
        let call = ground.client.start("POST", "/", Message::new().piece("call")).unwrap();
        wait_for(&ground.lab, "cluster.origin.upstream_cx_rx_bytes_total", |bytes| bytes > 4000);
        gate.open();
        // No head has been sent yet, so that even the head tells of the failure, if one comes.
        let answer = call.finish();
        assert!(answer.as_ref().map_or(true, |answer| answer.status >= 500), "{answer:?}");
        assert_eq!(ground.lab.stat("rustformations_responses_transformed"), 0);
        assert_sane(&mut ground);
    }

    fn a_connection_that_breaks_takes_its_held_streams_with_it_and_nothing_else(envoy) {
        let mut ground = Ground::with(envoy, rewriting()).unwrap();
        let never = Gate::new();
        let mut leaving = Http2::open(ground.lab.address()).unwrap();
        let calls: Vec<_> = (0..10).map(|_| leaving.start("POST", "/", Message::new().piece("half").wait(&never)).unwrap()).collect();
        wait_for(&ground.lab, "http.lab.downstream_rq_active", |active| active == 10);
        drop((leaving, calls));
        wait_for(&ground.lab, "http.lab.downstream_cx_active", |active| active == 1);
        assert!(ground.origin.received().is_empty());
        assert_sane(&mut ground);
    }
}
