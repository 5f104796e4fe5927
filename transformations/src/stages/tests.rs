//! What stages promise beyond the cases: forms of templates, limits.

use std::sync::Arc;

use crate::program::{BodyRule, Program};
use crate::template::{Template, Test};
use crate::testing::{MemoryHost, Message};
use crate::{CompileOptions, Direction};

fn compile(config: &serde_json::Value) -> Arc<Program> {
    let program = Program::compile(config.to_string().as_bytes(), &CompileOptions::default());
    Arc::new(program.unwrap_or_else(|found| panic!("{found}")))
}

fn form(template: &str) -> &'static str {
    let config = serde_json::json!({
        "request": {"body": {"parseAs": "AsJson", "value": template}},
    });
    let program = compile(&config);
    let compiled = program.request.all[0].templates().next();
    match compiled.and_then(|compiled| compiled.body.as_ref()) {
        Some(BodyRule::Template(value)) => match value.template {
            Template::Constant(_) => "constant",
            Template::Segments(_) => "segments",
            Template::Engine(_) => "engine",
            Template::Json(_) => "json",
        },
        other => panic!("{other:?}"),
    }
}

fn test_of(when: &str) -> &'static str {
    let config = serde_json::json!({"response": {"when": when, "remove": ["x"]}});
    let program = compile(&config);
    fn name(test: &Test) -> &'static str {
        match test {
            Test::Always(_) => "constant",
            Test::Header { .. } => "header",
            Test::Status(..) => "status",
            Test::Not(test) => name(test),
            Test::Both(left, right) | Test::Either(left, right) if name(left) == name(right) => {
                name(left)
            }
            Test::Both(..) | Test::Either(..) => "mixed",
            Test::Template(_) => "engine",
        }
    }
    let when = program.response.all[0].when.as_ref();
    name(&when.expect("a condition").test)
}

#[test]
fn conditions_that_are_asked_most_do_not_enter_the_engine() {
    for (when, form) in [
        ("true", "constant"),
        ("not false", "constant"),
        ("response.status >= 500", "status"),
        (
            "500 <= response.status and response.status != 503",
            "status",
        ),
        ("\"json\" in header(\"content-type\")", "header"),
        (
            "\"json\" not in response.headers[\"content-type\"]",
            "header",
        ),
        (
            "request.method == \"GET\" or 'GET' == request_header(':method')",
            "header",
        ),
        ("request.query", "header"),
        ("response.status == 200 and header(\"x\")", "mixed"),
        ("header(\"x\") == \"\"", "engine"),
        ("header(\"x\") | lower == \"a\"", "engine"),
        ("response.status in [502, 503]", "engine"),
    ] {
        assert_eq!(test_of(when), form, "{when}");
    }
}

#[test]
fn each_template_takes_the_cheapest_form() {
    for template in [
        "text",
        "{# none #}",
        "a{{ 'b' }}{{ 1 }}",
        "{{ env('HOME') }}",
    ] {
        assert_eq!(form(template), "constant", "{template}");
    }
    let simple = [
        "{{ header('x') }}",
        "a{{ request.headers.x }}",
        "{{ request.query }}",
        "{{ a.b[0]['c'] }}",
        "{{ usage.total_tokens }}/{{ request.json.usage.total_tokens }}",
    ];
    for template in simple {
        assert_eq!(form(template), "segments", "{template}");
    }
    for template in [
        "{{ header(x) }}",
        "{{ a|upper }}",
        "{{ a[-1] }}",
        "{% if a %}{% endif %}",
    ] {
        assert_eq!(form(template), "engine", "{template}");
    }
}

#[test]
fn plain_reads_of_events_never_enter_the_engine() {
    for (template, plain) in [
        ("{{ event.name }}: {{ event.id }} {{ event.data }}", true),
        (
            "{{ event.json.a[0] }}{{ a.b }}{{ header('x') }}{{ request.path }}",
            true,
        ),
        ("{{ event }}", false),
        ("{{ event.name|upper }}", false),
    ] {
        let config = serde_json::json!({"response": {"stream": {"rules": [{"data": template}]}}});
        let program = compile(&config);
        assert_eq!(program.engine.is_none(), plain, "{template}");
    }
}

#[test]
fn all_templates_of_a_direction_pay_from_one_budget() {
    // Literal text in a loop is not paid for as it is made.
    let long = "{% for i in range(3) %}ten bytes.{% endfor %}";
    for (second, fits) in [("{{ header('x-20') }}", true), (long, false)] {
        let config = serde_json::json!({"limits": {"outputBytes": 50}, "request": {"set": [
            {"name": "x-a", "value": long}, {"name": "x-b", "value": second},
        ]}});
        let mut host = MemoryHost {
            request: Message::new(&[("x-20", "12345678901234567890")], ""),
            ..MemoryHost::default()
        };
        let outcome = host.send(&mut compile(&config).open(), Direction::Request);
        assert_eq!(outcome.is_ok(), fits, "{second}");
    }
}

#[test]
fn header_values_that_are_not_utf8_are_left_out() {
    let config = serde_json::json!({"request": {"set": [
        {"name": "x-joined", "value": "[{{ header('x-a') }}]"},
    ]}});
    let mut request = Message::new(&[("x-a", "one")], "");
    request.headers.push((b"x-a".to_vec(), vec![0xff]));
    request.headers.push((b"x-a".to_vec(), b"two".to_vec()));
    let mut host = MemoryHost {
        request,
        ..MemoryHost::default()
    };
    host.send(&mut compile(&config).open(), Direction::Request)
        .unwrap();
    assert_eq!(host.request.values("x-joined"), ["[one, two]"]);
}

#[test]
fn endless_templates_stop_within_the_default_budget_in_time() {
    let template =
        "{% for i in range(99999) %}{% for j in range(99999) %}text{% endfor %}{% endfor %}";
    let config = serde_json::json!({"request": {"body": {"value": template}}});
    let started = std::time::Instant::now();
    let mut host = MemoryHost::default();
    let error = host.send(&mut compile(&config).open(), Direction::Request);
    assert_eq!(
        error.unwrap_err().error().details(),
        "rustformation_out_of_fuel"
    );
    assert!(
        started.elapsed() < std::time::Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_long_body_earns_the_fuel_that_walking_it_takes() {
    let template = "{% for n in context() %}{% if n %}{% endif %}{% endfor %}";
    let config = serde_json::json!({"limits": {"fuel": 1000}, "request": {
        "body": {"parseAs": "AsJson"},
        "set": [{"name": "x-a", "value": template}],
    }});
    let walk = |items: usize| {
        let body = format!("[{}0]", "1234567890, ".repeat(items));
        let mut host = MemoryHost {
            request: Message::new(&[], body),
            ..MemoryHost::default()
        };
        host.send(&mut compile(&config).open(), Direction::Request)
    };
    assert!(walk(50_000).is_ok());
    // As many instructions without as many bytes are still refused.
    let failure = walk(5_000).unwrap_err();
    assert_eq!(failure.error().details(), "rustformation_out_of_fuel");
}

#[test]
fn programs_are_shared_between_workers() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Program>();
}

#[test]
fn huge_chains_are_refused_and_not_walked() {
    for part in ["a + ", "a ~ ", "a|upper + ", "not ", "a.a."] {
        let template = format!("{{{{ {}a }}}}", part.repeat(100_000));
        let config =
            serde_json::json!({"request": {"body": {"parseAs": "AsJson", "value": template}}});
        let refused = Program::compile(config.to_string().as_bytes(), &CompileOptions::default());
        assert!(refused.is_err(), "{part}");
    }
    let branches = "{% elif a %}".repeat(100_000);
    let template = format!("{{% if a %}}{branches}{{% endif %}}");
    let config = serde_json::json!({"request": {"body": {"parseAs": "AsJson", "value": template}}});
    let refused = Program::compile(config.to_string().as_bytes(), &CompileOptions::default());
    assert!(refused.is_err());
}

#[test]
fn deep_values_can_be_built_and_dropped() {
    let template =
        "{% set n = namespace(x=[]) %}{% for i in range(99999) %}{% set n.x = [n.x] %}{% endfor %}";
    let config = serde_json::json!({"request": {"body": {"value": template}}});
    let error = MemoryHost::default().send(&mut compile(&config).open(), Direction::Request);
    assert_eq!(
        error.unwrap_err().error().details(),
        "rustformation_too_much_output"
    );
}

/// One program in which the stages of several apply one after the other.
fn chain(configs: &[serde_json::Value]) -> Arc<Program> {
    let mut programs = configs.iter().map(|config| {
        let program = Program::compile(config.to_string().as_bytes(), &CompileOptions::default());
        program.unwrap_or_else(|found| panic!("{found}"))
    });
    let mut all = programs.next().unwrap();
    for next in programs {
        // Each has an engine of its own; these need none.
        assert!(all.engine.is_none() && next.engine.is_none());
        let [stages] = &mut *all.request.all else {
            panic!("one transform in each")
        };
        let more = next.request.all.into_iter().flat_map(|stages| stages.all);
        let before = std::mem::take(&mut stages.all);
        stages.all = before.into_iter().chain(more).collect();
    }
    Arc::new(all)
}

#[test]
fn a_stage_sees_the_message_as_the_one_before_has_left_it() {
    let patch = |name: &str, value: &str| {
        serde_json::json!({"request": {
            "set": [{"name": name, "value": "{{ header('x-a') }}|{{ header('host') }}|{{ a }}"},
                    {"name": "x-a", "value": value}, {"name": "host", "value": value}],
            "add": [{"name": "x-a", "value": "more"}],
            "remove": ["x-gone"],
            "body": {"patch": [{"op": "add", "path": "/a", "value": value}]},
        }})
    };
    let see = serde_json::json!({"request": {
        "body": {"parseAs": "AsJson"},
        "set": [{"name": "x-third", "value": "{{ a }}{{ header('x-a') }}{{ header('x-gone') }}"}],
    }});
    let program = chain(&[patch("x-first", "one"), patch("x-second", "two"), see]);
    let headers = [
        (":authority", "zero"),
        ("x-a", "zero"),
        ("x-gone", "!"),
        ("content-length", "7"),
    ];
    for ends_alone in [false, true] {
        let mut host = MemoryHost {
            request: Message::new(&headers, "{\"a\":0}"),
            ends_alone,
            ..MemoryHost::default()
        };
        let applied = host.send(&mut program.open(), Direction::Request).unwrap();
        assert_eq!(applied.body, crate::BodyChange::Replaced);
        let request = &host.request;
        assert_eq!(request.body_bytes(), b"{\"a\":\"two\"}");
        assert_eq!(request.values("content-length"), ["11"]);
        assert_eq!(request.values("x-first"), ["zero||0"]);
        assert_eq!(request.values("x-second"), ["one, more|one|one"]);
        assert_eq!(request.values("x-third"), ["twotwo, more"]);
        assert_eq!(request.values("x-a"), ["two", "more"]);
        assert!(request.values("x-gone").is_empty());
    }
}

#[test]
fn nothing_is_applied_of_any_stage_if_a_later_one_fails() {
    // The needs of all are those of the first here.
    let first = serde_json::json!({"request": {
        "body": {"parseAs": "AsJson"}, "set": [{"name": "x-a", "value": "1{{ b }}"}],
    }});
    let failing = |on_error: &str| {
        serde_json::json!({"request": {
            "onError": on_error,
            "body": {"patch": [{"op": "remove", "path": "/missing"}]},
            "set": [{"name": "x-b", "value": "2"}],
        }})
    };
    let last = serde_json::json!({"request": {"set": [{"name": "x-c", "value": "{{ header('x-a') }}{{ header('x-b') }}"}]}});
    let send = |on_error: &str| {
        let program = chain(&[first.clone(), failing(on_error), last.clone()]);
        let mut host = MemoryHost {
            request: Message::new(&[], "{\"a\":0}"),
            ..MemoryHost::default()
        };
        let result = host.send(&mut program.open(), Direction::Request);
        let seen = ["x-a", "x-b", "x-c"].map(|name| host.request.values(name).concat());
        (result.map(|applied| applied.failures.len()), seen)
    };
    let (result, seen) = send("fail");
    assert!(result.is_err());
    assert_eq!(seen, ["", "", ""]);
    // What is skipped has made nothing, and the others have.
    assert_eq!(send("skip"), (Ok(1), ["1", "", "1"].map(str::to_owned)));
    assert_eq!(
        send("continue"),
        (Ok(1), ["1", "2", "12"].map(str::to_owned))
    );
}

#[test]
fn a_body_that_was_written_over_a_compressed_one_is_not_taken_for_that() {
    let write = serde_json::json!({"request": {
        "body": {"parseAs": "AsString", "value": "{\"a\":1}"},
    }});
    for decode in [false, true] {
        let see = serde_json::json!({"request": {
            "body": {"parseAs": "AsJson", "decode": decode},
            "set": [{"name": "x-a", "value": "{{ a }}{{ header('content-encoding') }}"}],
        }});
        let program = chain(&[write.clone(), see]);
        let mut host = MemoryHost {
            request: Message::new(&[("content-encoding", "gzip")], "no text"),
            ..MemoryHost::default()
        };
        let applied = host.send(&mut program.open(), Direction::Request).unwrap();
        assert!(applied.failures.is_empty(), "{:?}", applied.failures);
        assert_eq!(host.request.body_bytes(), b"{\"a\":1}");
        assert_eq!(host.request.values("x-a"), ["1"]);
        assert!(host.request.values("content-encoding").is_empty());
    }
}

#[test]
fn a_body_that_no_stage_changed_is_not_written_again() {
    let read = serde_json::json!({"request": {
        "body": {"parseAs": "AsJson"}, "set": [{"name": "x-a", "value": "{{ a }}"}],
    }});
    let program = chain(&[read.clone(), read]);
    let mut host = MemoryHost {
        request: Message::new(&[], "{\"a\":0}"),
        ..MemoryHost::default()
    };
    host.request.body = vec![b"{\"a\"".to_vec(), b":0}".to_vec()];
    let before = host.request.body.clone();
    let applied = host.send(&mut program.open(), Direction::Request).unwrap();
    assert_eq!(applied.body, crate::BodyChange::Unchanged);
    assert_eq!(host.request.body, before);
    assert_eq!(host.request.values("x-a"), ["0"]);
}

#[test]
fn a_failure_names_its_field_however_many_there_are() {
    let count = 70_000;
    let mut rules = vec![serde_json::json!({"name": "x-a", "value": "a"}); count];
    rules.push(serde_json::json!({"name": "x-b", "value": "{{ model }}"}));
    let program = compile(&serde_json::json!({
        "onError": "fail",
        "request": {"body": {"parseAs": "AsJson"}, "add": rules},
    }));
    let mut host = MemoryHost {
        request: Message::new(&[(":path", "/")], ""),
        ..MemoryHost::default()
    };
    let failure = host.send(&mut program.open(), Direction::Request);
    let field = failure.expect_err("there is no model").error().field();
    assert_eq!(
        program.field_path(field),
        format!("request.add[{count}].value")
    );
}
