//! Every callback, with values that a wrong signature would garble, compared across the lines.

use crate::host::{Host, LINES};

fn survey(line: u32, plan: &str) -> Vec<String> {
    let config = format!("config:request_headers={plan}");
    let commands = [
        &config,
        "route:the route",
        "new",
        "request_headers",
        "stream_complete",
        "destroy",
    ];
    let run = Host::of(line).run(&commands);
    run.expect_end();
    let from = run.at("log 2 hook request_headers");
    let to = run.at("log 2 hook request_headers returns");
    run.lines[from..to].to_vec()
}

/// The lines that only one of the two has.
fn difference(one: &[String], other: &[String]) -> (Vec<String>, Vec<String>) {
    let only = |these: &[String], those: &[String]| {
        these
            .iter()
            .filter(|line| !those.contains(line))
            .cloned()
            .collect()
    };
    (only(one, other), only(other, one))
}

#[test]
fn every_callback_arrives_with_the_values_it_was_given() {
    let expected: Vec<&str> = include_str!("survey.txt").lines().collect();
    assert_eq!(survey(140, "survey+survey_138"), expected);
}

#[test]
fn what_all_envoys_have_is_the_same_from_137_on() {
    let newest = survey(140, "survey");
    for line in &LINES[1..] {
        assert_eq!(survey(*line, "survey"), newest, "host {line}");
    }
}

#[test]
fn the_oldest_envoy_differs_in_adding_headers_and_the_custom_flag_only() {
    let (oldest, newest) = difference(&survey(136, "survey"), &survey(140, "survey"));
    assert_eq!(
        newest,
        [
            "add map=0 x-many=three",
            r#"log 2 many ["one", "two", "three"]"#,
            "custom_flag PROBE",
        ]
    );
    assert_eq!(oldest[0], "set map=0 x-many=one, two, three");
    assert_eq!(oldest[1], r#"log 2 many ["one, two, three"]"#);
    assert!(
        oldest[2].contains("add_custom_flag") && oldest[2].contains("1.37"),
        "{oldest:?}"
    );
    assert_eq!(oldest.len(), 3);
}

#[test]
fn what_came_with_138_is_the_same_from_138_on() {
    let newest = survey(140, "survey_138");
    assert_eq!(survey(139, "survey_138"), newest);
    let (older, newer) = difference(&survey(138, "survey_138"), &newest);
    // 1.38 has the callback for boolean attributes, but no attribute behind it yet.
    assert_eq!(
        older,
        ["log 2 health None", "log 2 upstream connection None"]
    );
    let health = ["attribute_bool 67", "log 2 health Some(true)"];
    assert_eq!(
        newer,
        [&health[..], &["log 2 upstream connection Some(31)"]].concat()
    );
}

#[test]
fn what_came_with_138_has_its_fallback_before() {
    for line in [136, 137] {
        let run = survey(line, "survey_138");
        for expected in [
            "log 2 bool None",
            "log 2 keys None",
            "log 2 list false",
            "log 2 size None",
            "log 2 typed false",
            "log 2 health None",
            "log 2 cluster None",
            "log 2 override false",
            "clear_route_cache",
            "log 2 limit 0",
            "log 2 socket false",
            "log 2 not traced",
        ] {
            assert!(
                run.iter().any(|line| line == expected),
                "{line} lacks {expected:?}: {run:?}"
            );
        }
        let warnings = run.iter().filter(|line| line.starts_with("log 3 ")).count();
        assert!(warnings >= 3, "calls that do nothing say so: {run:?}");
    }
}

#[test]
fn a_batch_of_strings_is_one_call_from_139_on_and_one_for_each_entry_before() {
    for line in LINES {
        let run = survey(line, "survey_139");
        let batch = [
            "metadata_batch my.namespace",
            "metadata_batch line one=1",
            "metadata_batch line two=",
            "metadata_batch my.namespace",
            "span_disable_local_decision",
        ];
        let entries = [
            "set_metadata my.namespace one=1",
            "set_metadata my.namespace two=",
        ];
        let calls: Vec<&str> = run
            .iter()
            .map(String::as_str)
            .filter(|said| !said.starts_with("log ") && !said.starts_with("metadata_struct"))
            .collect();
        let expected = if line >= 139 { &batch[..] } else { &entries };
        assert_eq!(calls, expected, "{line}: {run:?}");
    }
}

#[test]
fn metadata_that_nests_is_handed_over_from_140_on_and_missed_before() {
    for line in LINES {
        let run = survey(line, "survey_139");
        let count = |wanted: &str| run.iter().filter(|said| said.contains(wanted)).count();
        let handed = count("metadata_struct my.namespace of 12 bytes ending serialised");
        let missed = count("set_dynamic_metadata_struct: ");
        let expected = if line >= 140 { (1, 0) } else { (0, 1) };
        assert_eq!((handed, missed), expected, "{line}: {run:?}");
    }
}

#[test]
fn a_sampling_decision_that_cannot_be_kept_is_said() {
    let said = |line| {
        let run = survey(line, "survey_139");
        run.iter()
            .any(|text| text.contains("disable_local_decision: ") && text.contains("1.39"))
    };
    assert!(said(138), "1.38 has spans, but not this");
    assert!(!said(139) && !said(140));
}

#[test]
fn a_warning_about_a_missing_callback_is_given_once_per_process() {
    let run = Host::of(136).run(&[
        "config:request_headers=survey",
        "new",
        "request_headers",
        "destroy",
        "new",
        "request_headers",
        "destroy",
    ]);
    run.expect_end();
    let warnings = run
        .lines
        .iter()
        .filter(|line| line.contains("add_custom_flag"))
        .count();
    assert_eq!(warnings, 1, "{run}");
}

#[test]
fn ids_of_callouts_and_streams_keep_all_their_bits() {
    for line in &LINES[1..] {
        let run = Host::of(*line).run(&["config:", "new", "request_headers", "callout_done:0"]);
        run.expect_end();
        let done = "log 2 callout_done id=0x100000001 Success";
        assert_eq!(run.count(done), 1, "{line}: {run}");
    }
    let run = Host::of(136).run(&["config:", "new", "request_headers", "callout_done:0"]);
    assert_eq!(
        run.count("log 2 callout_done id=0x1 Success"),
        1,
        "32 bits on 1.36: {run}"
    );
}

#[test]
fn a_config_schedules_and_calls_out_where_the_host_can() {
    for line in LINES {
        let run = Host::of(line).run(&[
            "config:config=callout+schedule",
            "config_scheduled:77",
            "config_callout_done:0",
            "config_destroy",
        ]);
        run.expect_end();
        let commits = run.count("config_scheduler_commit 1 77");
        assert_eq!(commits, usize::from(line >= 137), "{line}: {run}");
        assert_eq!(
            run.count("config_scheduler_delete"),
            commits,
            "{line}: {run}"
        );
        let called = run.has("config_callout cluster=cfg body=b timeout=9");
        assert_eq!(called, line >= 138, "{line}: {run}");
        let result = if called {
            "Success id=true"
        } else {
            "CannotCreateRequest id=false"
        };
        assert!(
            run.has(&format!("log 2 config callout {result}")),
            "{line}: {run}"
        );
        assert!(run.has("log 2 config event 77"), "{line}: {run}");
    }
}
