//! Hosts that re-enter and destroy while a callback runs, as Envoy does.

use crate::host::{Host, LINES, Transcript};

/// A request that the filter answers or ends in this hook; every deciding call destroys the stream
/// before it returns.
fn destroyed_inside(line: u32, plan: &str, hook: &[&str]) -> Transcript {
    let config = format!("config:{plan}");
    let start = [config.as_str(), "destroy_inline", "new", "request_headers"];
    let run = Host::of(line).run(&[&start, hook, &["config_destroy"]].concat());
    run.expect_end();
    run
}

#[test]
fn a_stream_destroyed_inside_a_reply_is_freed_after_the_hook_and_not_touched_again() {
    for line in LINES {
        for action in ["reply", "bare_reply", "stream_reply"] {
            let plan = format!("response_headers={action}+read");
            let run = destroyed_inside(line, &plan, &["response_headers"]);
            run.expect_in_order(&[
                "log 2 hook response_headers",
                "log 2 read path Some(6)",
                "log 2 hook response_headers returns",
                "log 2 hook stream_complete",
                "log 2 hook stream_complete returns",
                "destroyed",
                "log 2 filter dropped",
                "http_filter_response_headers -> 1",
                "config_destroy done",
            ]);
            assert_eq!(
                run.count("log 2 filter dropped"),
                1,
                "{action} on {line}: {run}"
            );
        }
    }
}

#[test]
fn a_callout_in_every_inline_completion_is_refused_before_the_stack_is_used_up() {
    for line in LINES {
        let run = Host::of(line).run(&[
            "config:request_headers=callout callout_done=callout",
            "callout_inline",
            "new",
            "request_headers",
            "stream_complete",
            "destroy",
            "config_destroy",
        ]);
        run.expect_end();
        assert_eq!(run.count("log 2 callout Success"), 16, "{line}: {run}");
        assert_eq!(
            run.count("log 2 callout CannotCreateRequest"),
            1,
            "{line}: {run}"
        );
        assert_eq!(run.count("log 4 a filter's hook"), 1, "{line}: {run}");
    }
}

#[test]
fn a_streamed_reply_that_causes_itself_is_refused_before_the_stack_is_used_up() {
    for line in LINES {
        let run = Host::of(line).run(&[
            "config:request_headers=stream_reply+stop response_headers=stream_reply",
            "reenter",
            "new",
            "request_headers",
            "stream_complete",
            "destroy",
            "config_destroy",
        ]);
        run.expect_end();
        assert_eq!(run.count("log 4 a filter's hook"), 1, "{line}: {run}");
    }
}

#[test]
fn what_follows_the_call_that_destroyed_the_stream_is_not_made() {
    for line in LINES {
        let plan = "response_headers=reply+continue_encoding+reply";
        let run = destroyed_inside(line, plan, &["response_headers"]);
        assert_eq!(run.count("send_response status"), 1, "{line}: {run}");
        assert_eq!(run.count("continue_encoding"), 0, "{line}: {run}");
    }
}

#[test]
fn a_stream_destroyed_inside_a_continue_or_a_reset_is_freed_once() {
    for line in LINES {
        let plan = "request_headers=stop scheduled=continue_decoding";
        let run = destroyed_inside(line, plan, &["scheduled:1"]);
        run.expect_in_order(&["continue_decoding", "destroyed", "log 2 filter dropped"]);
        let plan = "response_body=reset";
        let run = destroyed_inside(line, plan, &["response_headers", "response_body:x"]);
        assert_eq!(run.count("log 2 filter dropped"), 1, "{line}: {run}");
    }
}

#[test]
fn a_stream_that_ends_inside_an_immediate_call_leaves_an_inert_handle() {
    for line in [138, 139, 140] {
        let run = destroyed_inside(line, "request_body=recreate+read", &["request_body:x"]);
        run.expect_in_order(&[
            "recreate_stream lines=1",
            "log 2 recreate true",
            "log 2 read path None",
            "log 2 hook request_body returns",
            "log 2 filter dropped",
            "http_filter_request_body -> 3",
        ]);
        assert_eq!(run.count("log 2 filter dropped"), 1, "{line}: {run}");
    }
}

#[test]
fn a_panic_whose_500_destroys_the_stream_leaves_nothing_behind() {
    for line in LINES {
        for hook in ["request_body", "response_body"] {
            let plan = format!("{hook}=panic");
            let run = destroyed_inside(
                line,
                &plan,
                &[
                    "response_headers",
                    if hook == "request_body" {
                        "request_body:x"
                    } else {
                        "response_body:x"
                    },
                ],
            );
            assert_eq!(
                run.count("log 2 filter dropped"),
                1,
                "{hook} on {line}: {run}"
            );
            assert!(run.has("destroyed"), "{hook} on {line}: {run}");
        }
    }
}

#[test]
fn a_continue_runs_later_hooks_only_after_the_hook_that_asked_for_it() {
    for line in LINES {
        let run = Host::of(line).run(&[
            "config:request_headers=buffer scheduled=continue_decoding",
            "reenter",
            "new",
            "request_headers",
            "scheduled:3",
            "stream_complete",
            "destroy",
            "config_destroy",
        ]);
        run.expect_end().expect_in_order(&[
            "http_filter_request_headers -> 3",
            "log 2 hook scheduled",
            "log 2 hook scheduled returns",
            "continue_decoding",
            "log 2 hook request_body",
            "log 2 hook request_body returns",
            "http_filter_request_body -> 0",
            "scheduled done",
        ]);
    }
}

#[test]
fn a_streamed_reply_may_run_the_response_hooks_of_the_same_filter() {
    for line in LINES {
        let run = Host::of(line).run(&[
            "config:request_headers=stream_reply+stop",
            "reenter",
            "new",
            "request_headers",
            "stream_complete",
            "destroy",
            "config_destroy",
        ]);
        run.expect_end();
        let hook = run.at("log 2 hook request_headers returns");
        let reply = run
            .lines
            .iter()
            .position(|line| line.starts_with("send_response_headers"));
        let nested = run.at("log 2 hook response_headers");
        let end = run.at("send_response_trailers line x-end=1");
        assert!(
            hook < reply.expect("replied") && nested < end,
            "{line}: {run}"
        );
        assert!(
            reply < Some(nested) && run.has("http_filter_request_headers -> 1"),
            "{run}"
        );
    }
}

#[test]
fn a_continue_that_comes_before_its_stop_takes_the_stop_back() {
    for line in LINES {
        let run = Host::of(line).run(&[
            "config:request_headers=continue_decoding+stop",
            "new",
            "request_headers",
            "stream_complete",
            "destroy",
            "config_destroy",
        ]);
        run.expect_end();
        assert!(run.has("http_filter_request_headers -> 0"), "{line}: {run}");
    }
}

#[test]
fn a_continue_in_the_last_hook_of_a_held_message_takes_its_stop_back() {
    for line in LINES {
        for (plan, last, passed) in [
            (
                "request_body=continue_decoding+buffer",
                "request_body:world:eos",
                "http_filter_request_body -> 0",
            ),
            (
                "request_trailers=continue_decoding+stop",
                "request_trailers",
                "http_filter_request_trailers -> 0",
            ),
        ] {
            let plan = format!("config:request_headers=stop {plan}");
            let run = Host::of(line).run(&[
                &plan,
                "new",
                "request_headers",
                last,
                "stream_complete",
                "destroy",
                "config_destroy",
            ]);
            run.expect_end();
            assert!(run.has(passed), "{line}: {run}");
            assert_eq!(run.count("continue_decoding"), 0, "{line}: {run}");
        }
    }
}

#[test]
fn a_callout_that_completes_before_it_has_started_is_delivered_after_the_hook() {
    for line in LINES {
        let run = Host::of(line).run(&[
            "config:request_headers=callout+stop",
            "callout_inline",
            "new",
            "request_headers",
            "stream_complete",
            "destroy",
            "config_destroy",
        ]);
        run.expect_end();
        let returned = run.at("log 2 hook request_headers returns");
        let done = run.at("log 2 hook callout_done");
        assert!(returned < done, "{line}: {run}");
        assert!(run.has("log 2 callout Success id=true"), "{line}: {run}");
        let body = r#"Success lines=Some(2) body=Some("first second")"#;
        assert!(
            run.lines.iter().any(|line| line.ends_with(body)),
            "the answer is copied: {run}"
        );
    }
}

#[test]
fn an_http_stream_that_ends_before_it_has_started_is_delivered_after_the_hook() {
    for line in &LINES[1..] {
        let run = Host::of(*line).run(&[
            "config:request_headers=stream+stop",
            "callout_inline",
            "new",
            "request_headers",
            "stream_complete",
            "destroy",
            "config_destroy",
        ]);
        run.expect_end().expect_in_order(&[
            "log 2 hook request_headers returns",
            "log 2 hook stream_headers",
            "log 2 hook stream_data",
            "log 2 hook stream_trailers",
            "log 2 hook stream_end",
            "http_filter_request_headers -> 1",
        ]);
    }
}
