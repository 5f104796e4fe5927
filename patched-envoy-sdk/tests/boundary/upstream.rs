//! A filter in the chain of a cluster, where Envoys crash of some calls.

use crate::host::{Host, LINES, Transcript};

fn run(line: u32, manners: &[&'static str], plan: &'static str) -> Transcript {
    let stream = [
        "new",
        "request_headers",
        "response_headers",
        "stream_complete",
        "destroy",
    ];
    let run = Host::of(line).run(&[&[plan, "route:"], manners, &stream].concat());
    run.expect_end();
    run
}

fn asked(run: &Transcript, call: &str) -> bool {
    run.lines.iter().any(|line| line.starts_with(call))
}

#[test]
fn calls_that_crash_envoy_in_an_upstream_filter_are_not_made() {
    for (plan, calls, told) in [
        (
            "config:request_headers=survey+survey_138",
            &[
                "clear_route_cache",
                "clear_route_cluster_cache",
                "override_host",
            ][..],
            "log 2 override false",
        ),
        (
            "config:request_headers=recreate",
            &["recreate_stream"],
            "log 2 recreate false",
        ),
        (
            "config:request_headers=go_away",
            &["go_away"],
            "log 3 send_go_away_and_close",
        ),
        // Answered with a 500 instead: the client must not wait for ever.
        (
            "config:response_headers=reset",
            &["reset_stream"],
            "send_response status=500",
        ),
        (
            "config:request_headers=stream_reply",
            &[
                "send_response_headers",
                "send_response_data",
                "send_response_trailers",
            ],
            "send_response status=500",
        ),
    ] {
        for line in LINES {
            let there = run(line, &["upstream"], plan);
            for call in calls {
                assert!(!asked(&there, call), "{line} {call}: {there}");
            }
            assert!(asked(&there, told), "{line} {told}: {there}");
            let warnings = there
                .lines
                .iter()
                .filter(|line| line.contains("upstream HTTP filter"));
            assert_eq!(warnings.count(), 1, "{line}: {there}");
        }
        let elsewhere = run(140, &[], plan);
        for call in calls {
            assert!(asked(&elsewhere, call), "{call}: {elsewhere}");
        }
    }
}

#[test]
fn a_panic_in_an_upstream_filter_is_never_answered_with_a_reset() {
    for line in LINES {
        let run = run(line, &["upstream"], "config:response_headers=panic");
        assert!(
            asked(&run, "send_response status=500") && !asked(&run, "reset_stream"),
            "{line}: {run}"
        );
    }
}
