//! Bodies across the boundary: both views, no byte twice, on every line.

use crate::host::{Host, LINES};

#[test]
fn buffered_then_received_is_the_whole_body() {
    for line in LINES {
        let run = Host::of(line).run(&[
            "config:request_body=survey_body+buffer",
            "new",
            "request_headers",
            "request_body:hello",
            "request_body:world:eos",
            "stream_complete",
            "destroy",
            "config_destroy",
        ]);
        run.expect_end().expect_in_order(&[
            "log 2 sizes (0, 5)",
            r#"log 2 whole "hello""#,
            r#"log 2 whole "replaced""#,
            "http_filter_request_body -> 1",
            "log 2 sizes (8, 5)",
            r#"log 2 whole "replacedworld""#,
            "drain body=1 8",
            "drain body=0 5",
            r#"log 2 whole "replaced""#,
        ]);
    }
}

#[test]
fn a_body_that_is_received_and_buffered_at_once_is_shown_and_drained_once() {
    for line in LINES {
        let run = Host::of(line).run(&[
            "config:request_body=survey_body",
            "new",
            "request_headers",
            "alias_bodies",
            "request_body:hello:eos",
            "stream_complete",
            "destroy",
            "config_destroy",
        ]);
        run.expect_end().expect_in_order(&[
            "log 2 sizes (0, 5)",
            "log 2 received chunks Some(2)",
            "log 2 buffered chunks None",
            r#"log 2 whole "hello""#,
            "log 2 replaced true",
            r#"log 2 whole "replaced""#,
        ]);
        assert_eq!(run.count("drain"), 1, "{line}: {run}");
    }
}

#[test]
fn the_empty_last_chunk_shows_nothing_and_can_be_written_to() {
    for line in LINES {
        let run = Host::of(line).run(&[
            "config:request_body=survey_body",
            "new",
            "request_headers",
            "request_body::eos",
            "stream_complete",
            "destroy",
            "config_destroy",
        ]);
        run.expect_end().expect_in_order(&[
            "log 2 sizes (0, 0)",
            "log 2 received chunks None",
            "log 2 buffered chunks None",
            r#"log 2 whole "replaced""#,
        ]);
    }
}
