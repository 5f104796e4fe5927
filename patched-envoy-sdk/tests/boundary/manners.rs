//! Odd but legal arguments, and some that are neither: nulls, unknown enum values, missing filters.

use crate::host::{Host, LINES};
use crate::panics::EVERYTHING;

const BUSY: &str = "config:request_headers=survey+survey_138+callout+stream \
                    request_body=survey_body response_headers=read";

#[test]
fn null_views_of_length_zero_are_empty_wherever_they_come_from() {
    for line in LINES {
        let run = Host::of(line).run(&[&[BUSY, "route:", "null_views"], EVERYTHING].concat());
        run.expect_end();
        assert!(run.has(r#"log 2 one Some("")"#), "{line}: {run}");
        assert!(run.has(r#"log 2 string Some("")"#), "{line}: {run}");
        assert!(run.has(r#"log 2 state Some("")"#), "{line}: {run}");
        assert!(run.has("log 2 hook request_body returns"), "{line}: {run}");
    }
}

#[test]
fn null_names_configurations_and_details_are_empty_too() {
    for line in LINES {
        let run = Host::of(line).run(&[
            "config_null_views",
            "new",
            "request_headers",
            "callout_done_empty:0",
            "stream_events_empty:3",
            "local_reply_null:503",
            "stream_complete",
            "destroy",
            "config_destroy",
        ]);
        run.expect_end();
        assert!(run.has(r#"log 2 config name="" bytes=0"#), "{line}: {run}");
        assert!(
            run.has(r#"log 2 stream_data id=0x100000002 "" end=false"#),
            "{line}: {run}"
        );
        if line >= 138 {
            assert!(
                run.has(r#"log 2 local_reply 503 "" imminent=false"#),
                "{line}: {run}"
            );
        }
    }
}

#[test]
fn enum_values_that_nobody_knows_neither_crash_nor_pass_for_success() {
    for line in LINES {
        let commands = [
            &[BUSY, "route:", "odd_enums"],
            &[
                "new",
                "request_headers",
                "callout_done:9",
                "callout_done_empty:-3",
            ][..],
            &[
                "stream_events_empty:99",
                "stream_complete",
                "destroy",
                "config_destroy",
            ],
        ]
        .concat();
        let run = Host::of(line).run(&commands);
        run.expect_end();
        assert_eq!(run.count("log 2 callout Success"), 0, "{line}: {run}");
        assert_eq!(run.count("log 2 counter Ok"), 0, "{line}: {run}");
        let results = run
            .lines
            .iter()
            .filter(|line| line.starts_with("log 2 callout_done id="));
        for result in results {
            assert!(
                !result.contains("Success"),
                "an unknown result is no success: {result}"
            );
        }
        assert!(run.count("log 2 callout_done id=") == 2, "{line}: {run}");
    }
}

#[test]
fn a_null_filter_passes_everything_and_runs_nothing() {
    for line in LINES {
        let run = Host::of(line).run(&[
            "config:",
            "new",
            "null_filter",
            "request_headers",
            "request_body:x:eos",
            "request_trailers",
            "callout_done:0",
            "stream_events",
            "scheduled:1",
            "above_watermark",
            "below_watermark",
            "local_reply:503",
            "response_headers",
            "response_body:x:eos",
            "response_trailers",
            "stream_complete",
        ]);
        run.expect_end();
        assert_eq!(run.count("log 2 hook"), 0, "{line}: {run}");
        for hook in ["request_headers", "request_body", "request_trailers"] {
            assert!(
                run.has(&format!("http_filter_{hook} -> 0")),
                "{line}: {run}"
            );
        }
        for hook in ["response_headers", "response_body", "response_trailers"] {
            assert!(
                run.has(&format!("http_filter_{hook} -> 0")),
                "{line}: {run}"
            );
        }
    }
}

#[test]
fn a_stream_without_hooks_makes_no_filter_and_asks_the_host_nothing() {
    for line in LINES {
        let run = Host::of(line).run(&[
            "config:",
            "new",
            "stream_complete",
            "destroy",
            "config_destroy",
        ]);
        run.expect_end()
            .expect_in_order(&["http_filter_new -> filter", "destroyed"]);
        assert_eq!(run.count("log 2 filter"), 0, "{line}: {run}");
    }
}

#[test]
fn a_filter_may_outlive_its_config() {
    for line in LINES {
        let run = Host::of(line).run(&[
            "config:request_headers=survey",
            "new",
            "config_destroy",
            "request_headers",
            "request_body:x:eos",
            "stream_complete",
            "destroy",
        ]);
        run.expect_end();
        let kept =
            run.at("log 2 hook stream_complete returns") < run.at("log 2 config hook config_drop");
        assert!(kept, "the config lives as long as its last stream: {run}");
    }
}

#[test]
fn streams_of_several_workers_share_one_config() {
    let plan = "config:request_headers=survey+survey_138+callout request_body=survey_body+buffer";
    for line in LINES {
        let run = Host::of(line).run(&[
            plan,
            "route:r",
            "workers:4",
            "config_destroy",
            "route_destroy",
        ]);
        run.expect_end();
        assert_eq!(run.count("destroyed"), 100, "{line}: {run}");
        assert_eq!(run.count("log 2 filter dropped"), 100, "{line}: {run}");
        assert!(
            run.count("log 3 add_custom_flag") <= 1,
            "one warning per process: {run}"
        );
        run.expect_in_order(&["log 2 config hook config_drop", "config_destroy done"]);
    }
}
