//! Local replies, streamed replies, resets, callouts and HTTP streams.

use std::time::Duration;

use super::script::Script;
use crate::abi::{
    envoy_dynamic_module_type_http_callout_init_result as InitResult,
    envoy_dynamic_module_type_http_callout_result as CalloutResult,
    envoy_dynamic_module_type_http_filter_stream_reset_reason as ResetReason,
    envoy_dynamic_module_type_http_stream_reset_reason as StreamResetReason,
    envoy_dynamic_module_type_on_http_filter_local_reply_status as LocalReplyStatus,
    envoy_dynamic_module_type_on_http_filter_request_body_status as RequestBody,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeaders,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeaders,
};
use crate::testing::{Exchange, FakeEnvoy, FakeMessage};
use crate::{EnvoyHttpFilter, EnvoyHttpFilterScheduler, EnvoyVersion, HttpMessage};

const CALL: &[(&str, &[u8])] = &[(":method", b"GET"), (":path", b"/check"), ("host", b"h")];

fn get() -> FakeMessage {
    FakeMessage::request("GET", "/p")
}

fn forbidding() -> Script {
    Script {
        request_headers: |envoy, _| {
            envoy.send_response(403, &[("x-why", b"because")], Some(b"no"), Some("denied"));
            RequestHeaders::Continue
        },
        ..Script::default()
    }
}

#[test]
fn the_filters_own_reply_skips_its_response_hooks_whatever_it_returned() {
    let script = forbidding();
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange.run(&get(), &FakeMessage::response(200));
    let downstream = exchange.downstream();
    assert_eq!(
        (downstream.status(), downstream.text()),
        (Some(403), "no".to_owned())
    );
    assert_eq!(downstream.header("x-why").as_deref(), Some("because"));
    assert_eq!(downstream.header("content-length").as_deref(), Some("2"));
    assert_eq!(
        downstream.header("content-type").as_deref(),
        Some("text/plain")
    );
    assert_eq!(exchange.local_reply_details(), Some("denied"));
    assert!(!exchange.upstream().has_headers());
    let expected = [
        "request_headers end=true",
        "local_reply 403 denied",
        "stream_complete",
        "drop",
    ];
    assert_eq!(script.seen(), expected);
}

#[test]
fn the_oldest_host_drops_details_and_has_no_local_reply_hook() {
    let script = forbidding();
    let mut exchange = Exchange::new(&script, FakeEnvoy::new(EnvoyVersion::V1_36));
    exchange.run(&get(), &FakeMessage::response(200));
    assert_eq!(exchange.local_reply_details(), Some(""));
    assert_eq!(
        script.seen(),
        ["request_headers end=true", "stream_complete", "drop"]
    );
}

#[test]
fn somebody_elses_reply_passes_through_the_response_hooks() {
    let script = Script {
        response_headers: |envoy, end| {
            assert!(!end);
            envoy.set_response_header("x-seen", b"1");
            ResponseHeaders::Continue
        },
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange
        .request(&get())
        .local_reply(503, "no host", "no_healthy_upstream");
    assert_eq!(exchange.downstream().header("x-seen").as_deref(), Some("1"));
    assert_eq!(exchange.downstream().text(), "no host");
    assert!(script.seen().contains(&"response_body end=true".to_owned()));
}

#[test]
fn the_local_reply_hook_may_ask_for_a_reset() {
    let script = Script {
        local_reply: |_, _| LocalReplyStatus::ContinueAndResetStream,
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange.request(&get()).local_reply(503, "", "why");
    assert_eq!(exchange.reset(), Some("why"));
    assert_eq!(exchange.downstream().status(), None);
}

#[test]
fn a_reply_after_the_response_began_resets_the_stream() {
    let script = Script {
        scheduled: |envoy, _| envoy.send_response(500, &[], None, Some("too late")),
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange
        .request(&get())
        .response_headers(&FakeMessage::response(200), false);
    crate::EnvoyHttpFilterScheduler::commit(&exchange.envoy().new_scheduler(), 1);
    exchange.run_scheduled();
    assert_eq!(exchange.reset(), Some("too late"));
    assert_eq!(exchange.downstream().status(), Some(200));
}

#[test]
fn a_streamed_reply_runs_the_response_hooks_up_to_138_only() {
    let script = || Script {
        request_headers: |envoy, _| {
            envoy.send_response_headers(&[(":status", b"200")], false);
            envoy.send_response_data(b"part", false);
            envoy.send_response_trailers(&[("t", b"1")]);
            RequestHeaders::StopIteration
        },
        ..Script::default()
    };
    for version in EnvoyVersion::ALL {
        let script = script();
        let mut exchange = Exchange::new(&script, FakeEnvoy::new(version));
        exchange.request(&get());
        assert_eq!(exchange.downstream().text(), "part", "{version}");
        assert!(exchange.downstream().trailers().is_some(), "{version}");
        assert!(exchange.is_over(), "{version}");
        let reentered = script
            .seen()
            .contains(&"response_headers end=false".to_owned());
        assert_eq!(reentered, version <= EnvoyVersion::V1_38, "{version}");
    }
}

#[test]
fn a_reset_is_a_500_where_the_host_cannot_reset() {
    let script = || Script {
        request_headers: |envoy, _| {
            envoy.reset_stream(ResetReason::LocalReset, "broken");
            RequestHeaders::Continue
        },
        ..Script::default()
    };
    let reset = script();
    let mut exchange = Exchange::new(&reset, FakeEnvoy::default());
    exchange.request(&get());
    assert_eq!(exchange.reset(), Some("broken"));
    let replied = script();
    let mut exchange = Exchange::new(&replied, FakeEnvoy::new(EnvoyVersion::V1_37));
    exchange.request(&get());
    assert_eq!(exchange.downstream().status(), Some(500));
}

#[test]
fn a_callout_is_answered_by_the_test_and_the_request_goes_on() {
    let script = Script {
        request_headers: |envoy, _| {
            let (result, _) = envoy.send_http_callout("auth", CALL, Some(b"who"), 50);
            assert_eq!(result, InitResult::Success);
            RequestHeaders::StopIteration
        },
        callout_done: |envoy, _| {
            envoy.set_request_header("x-auth", b"ok");
            envoy.continue_decoding();
        },
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default().with_cluster("auth"));
    exchange.request(&get());
    let callout = exchange.envoy().callouts()[0].clone();
    assert_eq!(
        (callout.cluster.as_str(), callout.body.as_slice()),
        ("auth", b"who".as_slice())
    );
    assert!(exchange.answer_callout(callout.id, &FakeMessage::response(200).chunk("yes")));
    assert!(!exchange.answer_callout(callout.id, &FakeMessage::response(200)));
    assert_eq!(exchange.upstream().header("x-auth").as_deref(), Some("ok"));
    assert!(exchange.upstream().is_complete());
    assert_eq!(script.seen()[1], "callout_done Success Some(\"yes\")");
}

#[test]
fn a_continue_in_the_last_hook_lets_the_whole_message_pass() {
    let script = || Script {
        request_headers: |_, _| RequestHeaders::StopIteration,
        request_body: |envoy, end| {
            if end {
                envoy.continue_decoding();
            }
            RequestBody::StopIterationAndBuffer
        },
        ..Script::default()
    };
    let ended_by_a_chunk = script();
    let mut exchange = Exchange::new(&ended_by_a_chunk, FakeEnvoy::default());
    exchange
        .request_headers(&get(), false)
        .request_body("one ", false)
        .request_body("two", true);
    assert_eq!(exchange.upstream().text(), "one two");
    assert!(exchange.upstream().is_complete());
    assert!(!exchange.is_held(HttpMessage::Request));
}

#[test]
fn an_answer_that_comes_inline_is_delivered_after_the_hook_and_resumes_it() {
    let script = Script {
        request_headers: |envoy, _| {
            envoy.send_http_callout("auth", CALL, None, 50);
            RequestHeaders::StopIteration
        },
        callout_done: |envoy, _| envoy.continue_decoding(),
        ..Script::default()
    };
    let envoy = FakeEnvoy::default().with_answer("auth", FakeMessage::response(200).chunk("in"));
    let mut exchange = Exchange::new(&script, envoy);
    exchange.request(&get());
    assert!(exchange.upstream().is_complete());
}

#[test]
fn a_failed_callout_brings_neither_headers_nor_body() {
    let script = Script {
        request_headers: |envoy, _| {
            envoy.send_http_callout("auth", CALL, None, 50);
            RequestHeaders::StopIteration
        },
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default().with_cluster("auth"));
    exchange.request(&get());
    let id = exchange.envoy().callouts()[0].id;
    assert!(exchange.fail_callout(id, CalloutResult::Reset));
    assert_eq!(script.seen()[1], "callout_done Reset None");
}

#[test]
fn callouts_are_answered_in_turn_and_show_what_was_asked() {
    let script = Script {
        request_headers: |envoy, _| {
            envoy.send_http_callout("auth", CALL, Some(b"one"), 50);
            envoy.send_http_callout("auth", CALL, Some(b"two"), 50);
            RequestHeaders::StopIteration
        },
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default().with_cluster("auth"));
    exchange.request(&get());
    let asked = exchange.answer_next_callout(&FakeMessage::response(200));
    assert_eq!(asked.map(|it| it.body).as_deref(), Some(&b"one"[..]));
    let asked = exchange.fail_next_callout(CalloutResult::Reset);
    assert_eq!(asked.map(|it| it.body).as_deref(), Some(&b"two"[..]));
    let none = exchange.answer_next_callout(&FakeMessage::response(200));
    assert!(none.is_none());
    assert!(exchange.fail_next_callout(CalloutResult::Reset).is_none());
    assert_eq!(
        script.seen()[1..],
        ["callout_done Success Some(\"\")", "callout_done Reset None"]
    );
}

#[test]
fn what_another_thread_commits_is_waited_for() {
    let script = Script {
        request_headers: |envoy, _| {
            let scheduler = envoy.new_scheduler();
            std::thread::spawn(move || scheduler.commit(7));
            RequestHeaders::StopIteration
        },
        scheduled: |envoy, _| envoy.continue_decoding(),
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange.request(&get());
    assert!(exchange.wait_scheduled(Duration::from_secs(30)));
    assert!(exchange.upstream().is_complete());
    assert!(!exchange.wait_scheduled(Duration::ZERO));
    exchange.downstream_closed();
    assert!(!exchange.wait_scheduled(Duration::from_secs(30)));
}

#[test]
fn an_http_stream_brings_its_events_and_is_dead_after_its_end() {
    let script = Script {
        request_headers: |envoy, _| {
            assert_eq!(
                envoy.start_http_stream("up", CALL, None, true, 0).0,
                InitResult::Success
            );
            RequestHeaders::Continue
        },
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default().with_cluster("up"));
    exchange.request(&get());
    let id = exchange.envoy().http_streams()[0].id;
    assert!(exchange.http_stream_headers(id, &FakeMessage::response(200), false));
    assert!(exchange.http_stream_data(id, b"d", true));
    assert!(exchange.reset_http_stream(id, StreamResetReason::RemoteReset));
    assert!(!exchange.http_stream_data(id, b"late", true));
    let expected = [
        "stream_headers 1 end=false",
        "stream_data d end=true",
        "stream_reset RemoteReset",
    ];
    assert_eq!(script.seen()[1..], expected);
}

#[test]
fn http_streams_do_not_exist_on_the_oldest_host() {
    let script = Script {
        request_headers: |envoy, _| {
            let (result, _) = envoy.start_http_stream("up", CALL, None, true, 0);
            assert_eq!(result, InitResult::CannotCreateRequest);
            RequestHeaders::Continue
        },
        ..Script::default()
    };
    let envoy = FakeEnvoy::new(EnvoyVersion::V1_36).with_cluster("up");
    Exchange::new(&script, envoy).request(&get());
    assert_eq!(script.seen(), ["request_headers end=true", "drop"]);
}

#[test]
fn a_continue_that_comes_before_its_stop_takes_the_stop_back() {
    let script = Script {
        request_body: |envoy, _| {
            envoy.continue_decoding();
            RequestBody::StopIterationAndBuffer
        },
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default());
    exchange.request(&get().chunk("x"));
    assert_eq!(exchange.upstream().text(), "x");
    assert!(exchange.upstream().is_complete());
}

#[test]
fn a_client_that_leaves_ends_the_stream_and_cancels_its_callouts() {
    let script = Script {
        request_headers: |envoy, _| {
            envoy.send_http_callout("auth", CALL, None, 50);
            RequestHeaders::StopIteration
        },
        ..Script::default()
    };
    let mut exchange = Exchange::new(&script, FakeEnvoy::default().with_cluster("auth"));
    exchange.request(&get());
    let id = exchange.envoy().callouts()[0].id;
    exchange.downstream_closed();
    assert!(!exchange.answer_callout(id, &FakeMessage::response(200)));
    assert_eq!(
        script.seen(),
        ["request_headers end=true", "stream_complete", "drop"]
    );
}

#[test]
fn a_stream_without_hooks_never_makes_a_filter() {
    let script = Script::default();
    Exchange::new(&script, FakeEnvoy::default()).downstream_closed();
    assert!(script.seen().is_empty());
}
