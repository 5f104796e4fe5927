//! What a stream promises beyond the cases: forms of templates, limits.

use std::sync::Arc;

use crate::program::{BodyRule, Program};
use crate::template::{Template, Test};
use crate::testing::{MemoryHost, Message};
use crate::{BodyAccess, CompileOptions};

fn compile(config: &serde_json::Value) -> Arc<Program> {
    let program = Program::compile(config.to_string().as_bytes(), &CompileOptions::default());
    Arc::new(program.unwrap_or_else(|found| panic!("{found}")))
}

fn form(template: &str) -> &'static str {
    let config = serde_json::json!({
        "request": {"body": {"parseAs": "AsJson", "value": template}},
    });
    match &compile(&config).request.all[0].body {
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
        let outcome = compile(&config)
            .open()
            .transform_request(&mut host, BodyAccess::Whole);
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
    compile(&config)
        .open()
        .transform_request(&mut host, BodyAccess::Whole)
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
    let error = compile(&config)
        .open()
        .transform_request(&mut host, BodyAccess::Whole);
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
        compile(&config)
            .open()
            .transform_request(&mut host, BodyAccess::Whole)
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
    let error = compile(&config)
        .open()
        .transform_request(&mut MemoryHost::default(), BodyAccess::Whole);
    assert_eq!(
        error.unwrap_err().error().details(),
        "rustformation_too_much_output"
    );
}
