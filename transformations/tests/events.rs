//! `response.stream` through the public API: what comes out for a body, however it is cut.
//!
//! Every example is run whole, byte by byte and in small pieces; all must give the same bytes.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use serde_json::{Value, json};
use transformations::testing::{MemoryHost, Message};
use transformations::{BodyNeed, CompileOptions, Direction, Exchange, Program};

const SSE: &str = "text/event-stream; charset=utf-8";
const NDJSON: &str = "application/x-ndjson";

/// What came of a stream: its bytes, how many events changed, and the details of its failures.
#[derive(Debug, PartialEq)]
struct Outcome {
    body: String,
    changed: u32,
    failed: u32,
    error: Option<&'static str>,
    stopped: Option<&'static str>,
}

fn open(config: &Value, headers: &[(&str, &str)]) -> (Exchange, MemoryHost) {
    let bytes = config.to_string();
    let program = Program::compile(bytes.as_bytes(), &CompileOptions::default());
    let program = Arc::new(program.unwrap_or_else(|found| panic!("{found}")));
    let mut host = MemoryHost {
        request: Message::new(&[("x-who", "me")], ""),
        response: Message::new(headers, ""),
        ..MemoryHost::default()
    };
    let mut exchange = program.open();
    let _ = exchange.on_request_headers(&mut host, true);
    (exchange, host)
}

fn in_chunks<'a>(config: &Value, kind: &str, chunks: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let headers = [
        ("content-type", kind),
        ("x-reply", "r"),
        ("content-length", "0"),
    ];
    let (mut exchange, mut host) = open(config, &headers);
    let answer = exchange.on_response_headers(&mut host, false);
    answer.into_result().unwrap();
    let is_transformed = host.response.values("content-length").is_empty();
    assert!(is_transformed, "{kind} is no stream of events");
    let mut out = Vec::new();
    let (mut changed, mut failed, mut error, mut stopped) = (0, 0, None, None);
    for chunk in chunks.map(Some).chain([None]) {
        host.response.body = chunk.map(<[u8]>::to_vec).into_iter().collect();
        let answer = exchange.on_response_body(&mut host, chunk.is_none());
        match answer.into_result() {
            Ok(applied) => {
                out.extend(host.response.body_bytes());
                changed += applied.events;
                failed += u32::try_from(applied.failures.len()).unwrap() + applied.more_failures;
                let first = applied.failures.first();
                error = error.or(first.map(|failure| failure.error().details()));
            }
            Err(failure) => {
                stopped = Some(failure.error().details());
                break;
            }
        }
    }
    if stopped.is_some() {
        // How much of the last chunk went well is not told.
        changed = 0;
    }
    Outcome {
        body: String::from_utf8(out).unwrap(),
        changed,
        failed,
        error,
        stopped,
    }
}

fn outcome(rules: Value, kind: &str, body: &str) -> Outcome {
    let config = json!({"response": rules});
    let mut whole = in_chunks(&config, kind, std::iter::once(body.as_bytes()));
    let bytes = in_chunks(&config, kind, body.as_bytes().chunks(1));
    if whole.stopped.is_some() {
        // What was good in the chunk that ends a stream is lost with it.
        assert!(bytes.body.starts_with(&whole.body));
        whole.body = bytes.body.clone();
    }
    assert_eq!(bytes, whole, "byte by byte");
    for size in [3, 17] {
        let mut pieces = in_chunks(&config, kind, body.as_bytes().chunks(size));
        if pieces.stopped.is_some() {
            assert!(whole.body.starts_with(&pieces.body));
            pieces.body = whole.body.clone();
        }
        assert_eq!(pieces, whole, "in chunks of {size}");
    }
    whole
}

/// The body that comes out when nothing fails.
fn run(stream: Value, kind: &str, body: &str) -> String {
    let outcome = outcome(json!({"stream": stream}), kind, body);
    assert_eq!((outcome.failed, outcome.stopped), (0, None));
    outcome.body
}

const CHAT: &str = "data: {\"model\":\"m-1\",\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n\
                    : keep-alive\n\n\
                    data: {\"model\":\"m-1\",\"choices\":[],\"usage\":{\"total_tokens\":12}}\n\n\
                    data: [DONE]\n\n";

#[test]
fn events_that_no_rule_selects_keep_their_bytes() {
    let odd =
        "\u{feff}id: 1\r\ndata:no space\r\n\r\ndata: a\rdata: b\r\r:c\n\nevent\ndata\n\ndata: tail";
    let rules = json!({"rules": [{"event": "other", "drop": true}]});
    assert_eq!(run(rules.clone(), SSE, odd), odd);
    assert_eq!(run(rules, SSE, CHAT), CHAT);
}

#[test]
fn events_are_dropped_by_name() {
    let rules = json!({"rules": [{"event": "ping", "drop": true}]});
    let body = "event: ping\ndata: {}\n\nevent: delta\ndata: {}\n\nevent: ping\ndata: {}";
    assert_eq!(run(rules, SSE, body), "event: delta\ndata: {}\n\n");
}

#[test]
fn an_event_without_name_is_a_message() {
    let rules = json!({"rules": [{"event": "message", "drop": true}]});
    assert_eq!(
        run(rules, SSE, "data: 1\n\nevent: x\ndata: 2\n\n"),
        "event: x\ndata: 2\n\n"
    );
}

#[test]
fn a_condition_selects_by_field_value_absence_or_text() {
    let kept = |when: Value| {
        let out = run(json!({"rules": [{"when": when, "drop": true}]}), SSE, CHAT);
        ["Hi", "usage", "DONE"].map(|word| out.contains(word))
    };
    assert_eq!(kept(json!({"pointer": "/usage"})), [true, false, true]);
    assert_eq!(
        kept(json!({"pointer": "/usage", "exists": false})),
        [false, true, true]
    );
    assert_eq!(
        kept(json!({"pointer": "/usage/total_tokens", "equals": 12.0})),
        [true, false, true]
    );
    assert_eq!(
        kept(json!({"pointer": "/choices", "equals": []})),
        [true, false, true]
    );
    assert_eq!(kept(json!({"data": "[DONE]"})), [true, true, false]);
}

#[test]
fn the_first_rule_that_selects_an_event_is_the_only_one() {
    let rules = json!({"rules": [
        {"when": {"pointer": "/usage"}, "data": "usage"},
        {"data": "other"},
    ]});
    assert_eq!(
        run(rules, SSE, "data: {\"usage\":1}\n\ndata: 2\n\n"),
        "data: usage\n\ndata: other\n\n"
    );
}

#[test]
fn a_template_sees_the_event_its_fields_and_the_headers() {
    let template = "{{ event.name }}/{{ event.id }}/{{ event.data }}/{{ delta.text|upper }}/\
                    {{ event.json.delta.text }}/{{ header('x-reply') }}/{{ request_header('x-who') }}";
    let rules = json!({"rules": [{"data": template}]});
    let body = "event: delta\nid: 7\nretry: 1\ndata: {\"delta\":{\"text\":\"hi\"}}\n\n";
    let expected = "event: delta\nid: 7\nretry: 1\n\
                    data: delta/7/{\"delta\":{\"text\":\"hi\"}}/HI/hi/r/me\n\n";
    assert_eq!(run(rules, SSE, body), expected);
}

#[test]
fn a_json_key_never_shadows_the_event_or_a_function() {
    let rules = json!({"rules": [{"data": "{{ event.name }} {{ x }} {{ header('x-reply') }}"}]});
    let body = "data: {\"event\":{\"name\":\"evil\"},\"header\":1,\"x\":\"own\"}\n\n";
    assert_eq!(run(rules, SSE, body), "data: message own r\n\n");
}

#[test]
fn a_rule_that_reads_json_leaves_other_events_alone() {
    let rules = json!({"rules": [{"data": "{{ model }}"}]});
    let body = "data: {\"model\":\"m\"}\n\ndata: [DONE]\n\n";
    assert_eq!(run(rules, SSE, body), "data: m\n\ndata: [DONE]\n\n");
}

#[test]
fn data_of_several_lines_becomes_as_many_fields() {
    let rules = json!({"rules": [{"data": "a\nb"}]});
    assert_eq!(
        run(rules, SSE, "data: x\ndata: y\n\n"),
        "data: a\ndata: b\n\n"
    );
}

#[test]
fn data_that_renders_empty_drops_the_event() {
    let rules = json!({"rules": [{"data": "{{ x }}", "after": [{"data": "{{ y }}"}]}]});
    assert_eq!(
        run(rules, SSE, "data: {\"y\":1}\n\ndata: {\"x\":2}\n\n"),
        "data: 1\n\ndata: 2\n\n"
    );
}

#[test]
fn events_are_added_before_after_and_at_the_end() {
    let rules = json!({
        "rules": [{"when": {"data": "[DONE]"},
                   "before": [{"event": "note", "data": "almost {{ event.data }}"}],
                   "after": [{"data": "past"}]}],
        "atEnd": [{"data": "bye {{ request_header('x-who') }}"}],
    });
    let expected = "data: 1\n\nevent: note\ndata: almost [DONE]\n\ndata: [DONE]\n\ndata: past\n\n\
                    data: bye me\n\n";
    assert_eq!(run(rules, SSE, "data: 1\n\ndata: [DONE]\n\n"), expected);
}

#[test]
fn an_event_that_was_not_ended_is_transformed_and_ended_before_another() {
    let rules = json!({"rules": [{"when": {"data": "x"}, "data": "y"}], "atEnd": [{"data": "z"}]});
    for tail in ["data: x", "data: x\n"] {
        assert_eq!(run(rules.clone(), SSE, tail), "data: y\n\ndata: z\n\n");
    }
    assert_eq!(run(rules.clone(), SSE, "data: u"), "data: u\n\ndata: z\n\n");
    assert_eq!(run(rules, SSE, ""), "data: z\n\n");
    let dropped = json!({"rules": [{"drop": true, "after": [{"data": "a"}]}]});
    assert_eq!(run(dropped, SSE, "data: x"), "data: a\n\n");
}

#[test]
fn a_byte_order_mark_stays_in_front() {
    let rules = json!({"rules": [{"data": "y", "before": [{"data": "b"}]}]});
    let expected = "\u{feff}data: b\n\ndata: y\n\ndata: b\n\ndata: y\n\n";
    assert_eq!(run(rules, SSE, "\u{feff}data: x\n\ndata: x\n\n"), expected);
}

#[test]
fn lines_of_json_are_edited_and_stay_single_lines() {
    let rules = json!({
        "rules": [{"when": {"pointer": "/done", "equals": true}, "data": "{\"total\":\n{{ n }}}",
                   "after": [{"data": "{\"more\": 1}"}]}],
        "atEnd": [{"data": "{\"end\": 1}"}],
    });
    let body = "{\"n\": 1}\r\n\n{\"done\":true,\"n\":2}\r\nnot json\n{\"n\":3}";
    let expected =
        "{\"n\": 1}\r\n\n{\"total\": 2}\r\n{\"more\": 1}\nnot json\n{\"n\":3}\n{\"end\": 1}\n";
    assert_eq!(run(rules, NDJSON, body), expected);
}

#[test]
fn a_patch_edits_json_and_keeps_the_bytes_around_it() {
    let rules = json!({"rules": [
        {"when": {"pointer": "/model"}, "patch": [
            {"op": "replace", "path": "/model", "value": "{{ model }}-{{ header('x-reply') }}\"!"},
            {"op": "add", "path": "/size", "valueJson": "{{ choices|length }}"},
            {"op": "add", "path": "/tags", "value": ["{{ event.name }}", 1.50, "plain"]},
        ]},
    ]});
    let body = "id: 1\ndata: {\"n\":1.0e2, \"model\":\"m\" ,\"choices\":[0]}\n\ndata: [DONE]\n\n";
    let expected = "id: 1\ndata: {\"n\":1.0e2, \"model\":\"m-r\\\"!\" ,\"choices\":[0],\"size\":1,\
                    \"tags\":[\"message\",1.5,\"plain\"]}\n\ndata: [DONE]\n\n";
    assert_eq!(run(rules.clone(), SSE, body), expected);
    let line = |text: &str| {
        text.replace("id: 1\n", "")
            .replace("data: ", "")
            .replace("\n\n", "\n")
    };
    assert_eq!(
        run(rules, NDJSON, &line(body)),
        line(expected).replace("\"message\"", "\"\"")
    );
}

#[test]
fn a_patch_that_does_not_fit_is_a_failure() {
    let rules = json!({"rules": [{"patch": [{"op": "remove", "path": "/a"}]}]});
    let body = "data: {\"a\":1,\"b\":2}\n\ndata: {\"b\":3}\n\n";
    let stopped = outcome(json!({"onError": "fail", "stream": rules}), SSE, body);
    assert_eq!(stopped.stopped, Some("rustformation_patch_failed"));
    assert_eq!(stopped.body, "data: {\"b\":2}\n\n");
    for passing in ["auto", "skip", "continue"] {
        let passed = outcome(json!({"onError": passing, "stream": rules}), SSE, body);
        assert_eq!(passed.body, "data: {\"b\":2}\n\ndata: {\"b\":3}\n\n");
        assert_eq!(passed.failed, 1);
    }
}

#[test]
fn the_templates_of_one_event_share_a_budget_and_those_of_the_next_have_their_own() {
    // Plain reads, and what enters the engine.
    for (read, bytes) in [("{{ event.data }}", 30), ("{{ event.data|trim }}", 70)] {
        let stream = |before: &str| {
            let config = json!({
                "limits": {"outputBytes": bytes},
                "response": {"onError": "fail", "stream": {
                    "rules": [{"data": read, "before": [{"data": before}]}],
                }},
            });
            in_chunks(
                &config,
                SSE,
                [b"data: 20 bytes of an event\n\n".repeat(3).as_slice()].into_iter(),
            )
        };
        assert_eq!(
            stream("a constant is the configuration's own").stopped,
            None
        );
        let outcome = stream(read);
        assert_eq!(
            outcome.stopped,
            Some("rustformation_too_much_output"),
            "{read}"
        );
        assert_eq!(outcome.body, "", "{read}");
    }
}

#[test]
fn to_templates_null_is_no_json_of_an_event_either() {
    let rules = json!({"stream": {"rules": [{"data": "[{{ model }}]"}]}});
    let outcome = outcome(rules, SSE, "data: null\n\ndata: {\"model\":\"m\"}\n\n");
    assert_eq!(outcome.body, "data: null\n\ndata: [m]\n\n");
    assert_eq!(outcome.error, Some("rustformation_undeclared_variable"));
}

#[test]
fn plain_reads_of_an_event_give_what_the_engine_gives() {
    let body =
        "event: delta\nid: 7\ndata: {\"a\":{\"b\":[1.50,\"x\"]},\"event\":\"own\",\"n\":null}\n\n";
    for read in [
        "event.name",
        "event.id",
        "event.data",
        "event.json",
        "event.json.a.b",
        "event.json.a.b[1]",
        "event['name']",
        "a.b[0]",
        "n",
        "event.json.event",
        "response.json.a",
        "request.headers['x-who']",
        "header('x-reply')",
        "request_header('x-who')",
    ] {
        let plain =
            json!({"rules": [{"data": format!("<{{{{ {read} }}}}>"), "when": {"pointer": ""}}]});
        let engine = json!({"rules": [{
            "data": format!("<{{% if true %}}{{{{ {read} }}}}{{% endif %}}>"),
            "when": {"pointer": ""},
        }]});
        assert_eq!(run(plain, SSE, body), run(engine, SSE, body), "{read}");
    }
}

/// A template that fails on the value 0 only.
const FRAGILE: &str = "{{ 6 // n }}";
const NUMBERS: &str = "data: {\"n\":2}\n\ndata: {\"n\":0}\n\ndata: {\"n\":3}\n\n";

#[test]
fn a_failure_stops_the_stream_after_what_was_good() {
    let rules = json!({"stream": {"rules": [{"data": FRAGILE, "before": [{"data": "b"}]}]}});
    let outcome = outcome(rules, SSE, NUMBERS);
    assert_eq!(outcome.body, "data: b\n\ndata: 3\n\n");
    assert_eq!(outcome.stopped, Some("rustformation_render_error"));
}

#[test]
fn a_failure_that_is_skipped_leaves_the_event_as_it_came() {
    let rules = json!({
        "onError": "skip",
        "stream": {"rules": [{"data": FRAGILE, "before": [{"data": "b"}]}]},
    });
    let outcome = outcome(rules, SSE, NUMBERS);
    let expected = "data: b\n\ndata: 3\n\ndata: {\"n\":0}\n\ndata: b\n\ndata: 2\n\n";
    assert_eq!(outcome.body, expected);
    assert_eq!((outcome.changed, outcome.failed), (2, 1));
    assert_eq!(outcome.error, Some("rustformation_render_error"));
}

#[test]
fn a_failure_that_is_gone_over_leaves_only_the_failed_part_out() {
    let rules = json!({
        "onError": "continue",
        "stream": {"rules": [{"data": FRAGILE, "before": [{"data": "b"}], "after": [{"data": FRAGILE}]}]},
    });
    let outcome = outcome(rules, SSE, "data: {\"n\":0}\n\n");
    assert_eq!(outcome.body, "data: b\n\ndata: {\"n\":0}\n\n");
    assert_eq!((outcome.changed, outcome.failed), (1, 2));
}

#[test]
fn an_event_above_the_limit_fails_or_passes_unread() {
    let stream = json!({"maxEventBytes": 12, "rules": [{"data": "y"}], "atEnd": [{"data": "z"}]});
    let body = "data: x\n\ndata: much too long\n\ndata: x\n\ndata: far too long";
    let failing = outcome(json!({"onError": "fail", "stream": stream}), SSE, body);
    assert_eq!(failing.body, "data: y\n\n");
    assert_eq!(failing.stopped, Some("rustformation_event_too_large"));
    let passing = outcome(json!({"stream": stream}), SSE, body);
    let expected = "data: y\n\ndata: much too long\n\ndata: y\n\ndata: far too long\n\ndata: z\n\n";
    assert_eq!(passing.body, expected);
    assert_eq!(
        (passing.failed, passing.error),
        (2, Some("rustformation_event_too_large"))
    );
}

#[test]
fn the_format_decides_which_responses_are_streams() {
    let is_stream = |format: &str, kind: &str| {
        let rules = json!({"format": format, "rules": [{"drop": true}]});
        let headers = [("content-type", kind), ("content-length", "0")];
        let (mut exchange, mut host) = open(&json!({"response": {"stream": rules}}), &headers);
        let _ = exchange.on_response_headers(&mut host, false);
        host.response.values("content-length").is_empty()
    };
    for kind in ["text/event-stream", "Text/Event-Stream;charset=utf-8"] {
        assert!(is_stream("auto", kind) && is_stream("sse", kind) && !is_stream("ndjson", kind));
    }
    for kind in [
        "application/x-ndjson",
        "application/jsonl",
        "application/ndjson; x=1",
    ] {
        assert!(is_stream("auto", kind) && is_stream("ndjson", kind) && !is_stream("sse", kind));
    }
    assert!(!is_stream("auto", "application/json") && !is_stream("auto", "text/event-streams"));
}

#[test]
fn a_compressed_stream_is_refused_or_passes_unread() {
    let opened = |on_error: &str, encoding: &str| {
        let rules = json!({"onError": on_error, "stream": {"rules": [{"drop": true}]}});
        let headers = [("content-type", SSE), ("content-encoding", encoding)];
        let (mut exchange, mut host) = open(&json!({"response": rules}), &headers);
        host.response.body = vec![b"data: x\n\n".to_vec()];
        host.send(&mut exchange, Direction::Response)
            .map(|applied| (applied, host.response.body_bytes()))
    };
    let error = opened("fail", "gzip").unwrap_err().error();
    assert_eq!(
        (error.status(), error.details()),
        (502, "rustformation_compressed_stream")
    );
    for passing in ["auto", "skip", "continue"] {
        let (applied, body) = opened(passing, "br").unwrap();
        let kinds: Vec<_> = applied
            .failures
            .iter()
            .map(|it| it.error().details())
            .collect();
        assert_eq!(kinds, ["rustformation_compressed_stream"]);
        assert_eq!(body, b"data: x\n\n");
    }
    let (applied, body) = opened("fail", "identity").unwrap();
    assert_eq!((applied.failures, body), (vec![], vec![]));
}

#[test]
fn beside_a_stream_what_needs_the_whole_body_is_left_out() {
    let config = json!({"response": {
        "set": [{"name": "x-model", "value": "{{ model }}"}, {"name": "x-a", "value": "1"},
                {"name": "x-old", "value": "{{ body() }}"}],
        "body": {"parseAs": "AsJson", "value": "{{ model }}"},
        "stream": {"rules": [{"drop": true}]},
    }});
    let (mut exchange, mut host) = open(&config, &[("content-type", SSE), ("x-old", "1")]);
    let needs = &exchange.program().needs().response;
    assert_eq!(needs.body, BodyNeed::WholeUnlessEvents);
    let answer = exchange.on_response_headers(&mut host, false);
    let applied = answer.into_result().unwrap();
    assert_eq!(applied.failures, []);
    assert_eq!(host.response.values("x-a"), ["1"]);
    assert!(host.response.values("x-old").is_empty());
    assert!(host.response.values("x-model").is_empty());
}

#[test]
fn rules_alone_do_not_buffer() {
    let config = json!({"response": {"stream": {"rules": [{"drop": true}]}}});
    let (exchange, _) = open(&config, &[]);
    assert_eq!(exchange.program().needs().response.body, BodyNeed::Events);
}

#[test]
fn operations_of_a_patch_apply_to_the_events_that_their_conditions_are_for() {
    let stream = json!({"rules": [{"patch": [
        {"op": "remove", "path": "/secret", "when": "secret is defined"},
        {"op": "add", "path": "/for", "value": "{{ request_header(\"x-who\") }}", "when": "n > 1"},
    ]}]});
    let body = "data: {\"n\":1,\"secret\":0}\n\ndata: {\"n\":2}\n\n";
    let expected = "data: {\"n\":1}\n\ndata: {\"n\":2,\"for\":\"me\"}\n\n";
    assert_eq!(run(stream, SSE, body), expected);
}

#[test]
fn the_rules_are_those_of_the_transform_that_was_chosen() {
    let rule = |data: &str| json!({"stream": {"rules": [{"data": data}]}});
    let (mut one, mut other) = (rule("{{ who }}:{{ event.data }}"), rule("other"));
    one["when"] = json!("response.status == 200 and who == \"me\"");
    other["when"] = json!("response.status != 200");
    let config = json!({"vars": {"who": "{{ header(\"x-who\") }}"}, "response": [one, other]});
    for (status, expected) in [("200", "data: me:1\n\n"), ("203", "data: other\n\n")] {
        let headers = [(":status", status), ("content-type", SSE)];
        let (mut exchange, mut host) = open(&config, &headers);
        host.response.body = vec![b"data: 1\n\n".to_vec()];
        host.send(&mut exchange, Direction::Response).unwrap();
        assert_eq!(exchange.needs(Direction::Response).body, BodyNeed::Events);
        let out = host.response.body_bytes();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
