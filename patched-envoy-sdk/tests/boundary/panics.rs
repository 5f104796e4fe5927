//! A filter that panics, in every hook: the host lives, the stream fails closed, the rest is inert.

use crate::host::{Host, LINES, Transcript};

/// A whole life of configuration, route and stream, with every hook there is.
pub(crate) const EVERYTHING: &[&str] = &[
    "new",
    "request_headers",
    "request_body:a",
    "request_body::eos",
    "request_trailers",
    "callout_done:0",
    "stream_events",
    "stream_events_empty:3",
    "scheduled:5",
    "above_watermark",
    "below_watermark",
    "local_reply:503",
    "response_headers",
    "response_body:b:eos",
    "response_trailers",
    "stream_complete",
    "destroy",
    "config_scheduled:7",
    "config_callout_done:0",
    "config_destroy",
    "route_destroy",
];

/// The stream hooks of the author, in the order of [`EVERYTHING`].
pub(crate) const STREAM_HOOKS: &[&str] = &[
    "new",
    "request_headers",
    "request_body",
    "request_trailers",
    "callout_done",
    "stream_headers",
    "stream_data",
    "stream_trailers",
    "stream_end",
    "stream_reset",
    "scheduled",
    "above_watermark",
    "below_watermark",
    "local_reply",
    "response_headers",
    "response_body",
    "response_trailers",
    "stream_complete",
];

fn panicking_in(line: u32, hook: &str) -> Transcript {
    let config = format!("config:{hook}=panic");
    let commands = [&[config.as_str(), "route:r"], EVERYTHING].concat();
    let run = Host::of(line).run(&commands);
    run.expect_end();
    run
}

fn panics_reported(run: &Transcript) -> usize {
    run.lines
        .iter()
        .filter(|line| line.contains("panic in "))
        .count()
}

#[test]
fn a_panic_in_a_stream_hook_is_reported_once_counted_once_and_ends_the_filter() {
    for line in LINES {
        for hook in STREAM_HOOKS {
            if *hook == "local_reply" && line < 138 {
                continue;
            }
            let run = panicking_in(line, hook);
            assert_eq!(panics_reported(&run), 1, "{hook} on {line}: {run}");
            assert_eq!(run.count("measure counter+"), 1, "{hook} on {line}: {run}");
            assert_eq!(
                run.count("log 2 filter dropped"),
                usize::from(*hook != "new"),
                "{run}"
            );
            let panicked = run.lines.iter().position(|line| line.contains("panic in "));
            let after = run.lines.iter().skip(panicked.expect("reported"));
            let later = after.filter(|line| line.starts_with("log 2 hook ")).count();
            assert_eq!(
                later, 0,
                "hooks of a dropped filter, {hook} on {line}: {run}"
            );
            assert!(run.has("config_destroy done") && run.has("log 2 route config dropped r"));
        }
    }
}

#[test]
fn a_panic_on_the_request_path_is_a_500_with_details_and_holds_the_message() {
    for line in LINES {
        for (hook, stop) in [
            ("new", "http_filter_request_headers -> 1"),
            ("request_headers", "http_filter_request_headers -> 1"),
            ("request_body", "http_filter_request_body -> 3"),
            ("request_trailers", "http_filter_request_trailers -> 1"),
        ] {
            let run = panicking_in(line, hook);
            let details = if line == 136 {
                ""
            } else {
                "dynamic_module_panic"
            };
            let reply = format!(
                "send_response status=500 body=internal server error details={details} end=1"
            );
            run.expect_in_order(&[&reply, stop]);
            assert_eq!(
                run.count("send_response status"),
                1,
                "{hook} on {line}: {run}"
            );
        }
    }
}

#[test]
fn a_panic_after_the_response_began_resets_the_stream_where_the_host_can() {
    for line in LINES {
        for hook in ["response_body", "response_trailers"] {
            let run = panicking_in(line, hook);
            let (reset, replied) = if line >= 138 { (1, 0) } else { (0, 1) };
            assert_eq!(
                run.count("reset_stream 0 dynamic_module_panic"),
                reset,
                "{line}: {run}"
            );
            assert_eq!(
                run.count("send_response status=500"),
                replied,
                "{line}: {run}"
            );
        }
    }
}

#[test]
fn a_panic_in_the_response_headers_lets_no_header_of_the_upstream_out() {
    for line in LINES {
        let run = panicking_in(line, "response_headers");
        assert!(
            run.has("http_filter_response_headers -> 1"),
            "{line}: {run}"
        );
        let ends = run.count("send_response status=500") + run.count("reset_stream");
        assert_eq!(ends, 1, "{line}: {run}");
    }
}

#[test]
fn a_panic_when_the_stream_is_complete_answers_nobody() {
    for line in LINES {
        let run = panicking_in(line, "stream_complete");
        assert_eq!(
            run.count("send_response status") + run.count("reset_stream"),
            0,
            "{run}"
        );
    }
}

#[test]
fn a_panic_while_the_filter_is_dropped_ends_there() {
    for line in LINES {
        let run = panicking_in(line, "drop");
        assert_eq!(panics_reported(&run), 1, "{line}: {run}");
        run.expect_in_order(&["log 2 filter dropped", "destroyed", "config_destroy done"]);
    }
}

#[test]
fn a_panic_that_drops_a_filter_that_panics_is_still_only_a_500() {
    let run = Host::of(140).run(&[
        "config:request_headers=panic drop=panic",
        "new",
        "request_headers",
        "stream_complete",
        "destroy",
        "config_destroy",
    ]);
    run.expect_end();
    assert_eq!(run.count("send_response status=500"), 1, "{run}");
    assert!(run.has("config_destroy done"), "{run}");
}

#[test]
fn a_panic_in_a_config_hook_touches_no_stream() {
    for line in LINES {
        for hook in ["config_scheduled", "config_callout_done", "config_drop"] {
            let run = panicking_in(line, hook);
            assert_eq!(panics_reported(&run), 1, "{hook} on {line}: {run}");
            assert_eq!(run.count("log 2 hook request_headers returns"), 1, "{run}");
            assert!(run.has("config_destroy done"), "{hook} on {line}: {run}");
        }
    }
}

#[test]
fn a_panic_while_a_config_is_made_refuses_it() {
    for line in LINES {
        let run = Host::of(line).run(&["config:config=panic", "route:panic"]);
        run.expect_end()
            .expect_in_order(&["config_new -> NULL", "per_route_config_new -> NULL"]);
        assert_eq!(panics_reported(&run), 2, "{line}: {run}");
    }
}
