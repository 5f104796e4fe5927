//! Statuses, bodies and trailers.

use super::script::Script;
use crate::abi::{
    envoy_dynamic_module_type_on_http_filter_request_body_status as RequestBody,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeaders,
    envoy_dynamic_module_type_on_http_filter_request_trailers_status as RequestTrailers,
    envoy_dynamic_module_type_on_http_filter_response_body_status as ResponseBody,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeaders,
};
use crate::testing::{Exchange, FakeEnvoy, FakeMessage};
use crate::{
    EnvoyBodies, EnvoyHttpFilter, EnvoyHttpFilterScheduler, HttpMessage, read_whole_request_body,
};

fn post() -> FakeMessage {
    FakeMessage::request("POST", "/p")
}

fn ok() -> FakeMessage {
    FakeMessage::response(200)
}

#[test]
fn a_filter_that_continues_changes_nothing_and_sees_every_hook_in_order() {
    let script = Script::default();
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange.run(
        &post().chunk("a").chunk("b"),
        &ok().chunk("c").trailer("t", "1"),
    );
    assert_eq!(exchange.upstream().chunks(), [b"a", b"b"]);
    assert_eq!(exchange.downstream().status(), Some(200));
    assert_eq!(exchange.downstream().text(), "c");
    assert_eq!(
        exchange
            .downstream()
            .trailers()
            .and_then(|t| t.value("t"))
            .as_deref(),
        Some("1")
    );
    assert_eq!(
        script.seen(),
        [
            "request_headers end=false",
            "request_body end=false",
            "request_body end=false",
            "request_body end=true",
            "response_headers end=false",
            "response_body end=false",
            "response_trailers",
            "stream_complete",
            "drop",
        ]
    );
}

#[test]
fn header_changes_after_the_headers_went_on_go_nowhere() {
    let script = Script {
        request_body: |envoy, _| {
            assert!(envoy.set_request_header("x-late", b"1"));
            RequestBody::Continue
        },
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange.request(&post().chunk("a"));
    assert_eq!(exchange.upstream().header("x-late"), None);
}

#[test]
fn headers_held_back_may_be_changed_until_a_body_hook_continues() {
    let script = Script {
        request_headers: |_, _| RequestHeaders::StopIteration,
        request_body: |envoy, end| {
            if !end {
                return RequestBody::StopIterationAndBuffer;
            }
            let whole = read_whole_request_body(envoy);
            assert_eq!(whole, b"one two");
            assert!(envoy.replace_body(HttpMessage::Request, b"three"));
            assert!(envoy.set_request_header("content-length", b"5"));
            RequestBody::Continue
        },
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange.request_headers(&post().header("content-length", "7"), false);
    exchange.request_body("one ", false);
    assert!(exchange.is_held(HttpMessage::Request));
    assert!(!exchange.upstream().has_headers());
    exchange.request_body("two", false).request_body("", true);
    assert_eq!(exchange.upstream().text(), "three");
    assert_eq!(
        exchange.upstream().header("content-length").as_deref(),
        Some("5")
    );
    assert!(exchange.upstream().is_complete());
}

#[test]
fn trailers_end_a_body_without_an_end_of_stream_chunk() {
    let script = Script {
        request_body: |_, end| {
            assert!(!end, "the trailers are the end");
            RequestBody::StopIterationAndBuffer
        },
        request_trailers: |envoy, _| {
            assert!(envoy.get_received_request_body().is_none());
            assert_eq!(read_whole_request_body(envoy), b"body");
            assert!(envoy.set_request_trailer("x-sum", b"4"));
            RequestTrailers::Continue
        },
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange.request(&post().chunk("body").trailer("x-t", "1"));
    let upstream = exchange.upstream();
    assert_eq!(upstream.text(), "body");
    assert_eq!(
        upstream
            .trailers()
            .and_then(|t| t.value("x-sum"))
            .as_deref(),
        Some("4")
    );
    assert!(upstream.is_complete());
}

#[test]
fn a_header_only_request_gets_a_body_by_appending_to_the_buffered_view() {
    let script = Script {
        request_headers: |envoy, end| {
            assert!(end);
            assert!(!envoy.append_received_request_body(b"no"));
            assert!(envoy.append_buffered_request_body(b"made up"));
            RequestHeaders::Continue
        },
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange.request(&post());
    assert_eq!(exchange.upstream().text(), "made up");
    assert!(exchange.upstream().is_complete());
    assert_eq!(script.seen(), ["request_headers end=true"]);
}

#[test]
fn a_message_that_must_not_end_with_its_headers_waits_for_an_end() {
    let script = Script {
        request_headers: |_, _| RequestHeaders::ContinueAndDontEndStream,
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange.request(&post());
    assert!(exchange.upstream().has_headers());
    assert!(!exchange.upstream().is_complete());
}

#[test]
fn stop_without_buffer_drops_what_the_filter_did_not_take() {
    let script = Script {
        request_body: |_, end| {
            if end {
                RequestBody::Continue
            } else {
                RequestBody::StopIterationNoBuffer
            }
        },
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange.request(&post().chunk("gone"));
    assert_eq!(exchange.upstream().text(), "");
    assert!(exchange.upstream().is_complete());
}

#[test]
fn stop_all_runs_the_body_hook_once_on_everything_after_a_continue() {
    let script = Script {
        request_headers: |envoy, _| {
            envoy.new_scheduler().commit(7);
            RequestHeaders::StopAllIterationAndBuffer
        },
        scheduled: |envoy, _| {
            envoy.set_request_header("x-from-elsewhere", b"1");
            envoy.continue_decoding();
        },
        request_body: |envoy, end| {
            assert!(end);
            assert!(envoy.received_is_buffered(HttpMessage::Request));
            assert!(
                envoy.get_buffered_request_body().is_none(),
                "no byte is seen twice"
            );
            assert_eq!(envoy.copy_body(HttpMessage::Request), b"one two");
            RequestBody::Continue
        },
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange.request(&post().chunk("one ").chunk("two"));
    assert!(!exchange.upstream().has_headers());
    exchange.run_scheduled();
    assert_eq!(
        exchange.upstream().header("x-from-elsewhere").as_deref(),
        Some("1")
    );
    assert_eq!(exchange.upstream().text(), "one two");
    assert!(exchange.upstream().is_complete());
    assert_eq!(
        script.seen(),
        [
            "request_headers end=false",
            "scheduled 7",
            "request_body end=true"
        ]
    );
}

#[test]
fn stop_all_keeps_trailers_for_after_the_body() {
    let script = Script {
        request_headers: |_, _| RequestHeaders::StopAllIterationAndBuffer,
        scheduled: |envoy, _| envoy.continue_decoding(),
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange.request(&post().chunk("b").trailer("t", "1"));
    exchange.envoy().new_scheduler().commit(1);
    exchange.run_scheduled();
    assert_eq!(
        script.seen(),
        [
            "request_headers end=false",
            "scheduled 1",
            "request_body end=false",
            "request_trailers"
        ]
    );
    assert!(exchange.upstream().trailers().is_some());
}

#[test]
fn a_body_that_an_earlier_filter_buffered_shows_every_byte_once() {
    let script = Script {
        response_body: |envoy, end| {
            assert!(end);
            assert!(envoy.received_is_buffered(HttpMessage::Response));
            assert_eq!(envoy.body_size(HttpMessage::Response), 6);
            assert!(envoy.replace_body(HttpMessage::Response, b"new"));
            ResponseBody::Continue
        },
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange.buffered_by_an_earlier_filter(HttpMessage::Response);
    exchange.run(&post(), &ok().chunk("abc").chunk("def"));
    assert_eq!(exchange.downstream().text(), "new");
}

#[test]
fn a_request_over_the_limit_is_answered_413_through_the_response_hooks() {
    let script = Script {
        request_body: |_, _| RequestBody::StopIterationAndBuffer,
        response_headers: |envoy, _| {
            envoy.set_response_header("x-seen", b"1");
            ResponseHeaders::Continue
        },
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default().with_buffer_limit(4));
    exchange.request(&post().chunk("four").chunk("!"));
    assert_eq!(exchange.downstream().status(), Some(413));
    assert_eq!(exchange.downstream().header("x-seen").as_deref(), Some("1"));
    assert_eq!(
        exchange.local_reply_details(),
        Some("request_payload_too_large")
    );
    assert!(exchange.is_over());
}

#[test]
fn a_response_over_the_limit_is_a_500_while_its_headers_are_held_and_a_reset_after() {
    let held = Script {
        response_headers: |_, _| ResponseHeaders::StopIteration,
        response_body: |_, _| ResponseBody::StopIterationAndBuffer,
        ..Script::default()
    };
    let small = || FakeEnvoy::default().with_buffer_limit(2);
    let mut exchange = Exchange::new(&held, small());
    exchange.run(&post(), &ok().chunk("long"));
    assert_eq!(exchange.downstream().status(), Some(500));
    assert_eq!(
        exchange.local_reply_details(),
        Some("response_payload_too_large")
    );

    let sent = Script {
        response_headers: |_, _| ResponseHeaders::Continue,
        ..held
    };
    let mut exchange = Exchange::new(&sent, small());
    exchange.run(&post(), &ok().chunk("long"));
    assert_eq!(exchange.reset(), Some("response_payload_too_large"));
    assert_eq!(exchange.downstream().status(), Some(200));
    assert!(!exchange.downstream().is_complete());
}

#[test]
fn a_watermark_status_pauses_reading_at_the_limit_and_goes_on_after_a_continue() {
    let script = Script {
        request_headers: |_, _| RequestHeaders::StopAllIterationAndWatermark,
        scheduled: |envoy, _| envoy.continue_decoding(),
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default().with_buffer_limit(3));
    exchange.request(&post().chunk("four").chunk("more"));
    assert!(exchange.is_paused(HttpMessage::Request));
    assert_eq!(exchange.downstream().status(), None);
    exchange.envoy().new_scheduler().commit(1);
    exchange.run_scheduled();
    assert_eq!(exchange.upstream().text(), "fourmore");
    assert!(exchange.upstream().is_complete());
}

#[test]
fn chunks_can_be_changed_in_place() {
    let script = Script {
        request_body: |envoy, _| {
            for mut chunk in envoy.get_received_request_body().unwrap_or_default() {
                chunk.as_mut_slice().make_ascii_uppercase();
            }
            RequestBody::Continue
        },
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange.request(&post().chunk("shout"));
    assert_eq!(exchange.upstream().text(), "SHOUT");
}
