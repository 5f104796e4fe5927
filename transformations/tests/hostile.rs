//! Templates and messages that try to hold a worker or its memory: each must be refused, stopped or
//! done within [`MAX_TIME`] (in a debug build on a busy machine, many times slower than Envoy's), and
//! the whole table within [`MAX_GROWTH`] of memory.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]
#![allow(clippy::print_stdout, reason = "shown when a test fails")]

use std::fmt::Write;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::json;
use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, Direction, Program};

/// How long one render may take.
const MAX_TIME: Duration = Duration::from_secs(10);
/// What a render may spend: a quarter of the default, so that the table is done in time.
const BUDGET: usize = 8 << 20;
/// How much the resident memory may ever grow, in KiB: eight times the default of `outputBytes`.
const MAX_GROWTH: u64 = 256 << 10;

/// What became of a template.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// The configuration was refused, with these codes.
    Refused(String),
    /// The render was stopped; the details of the local reply.
    Stopped(&'static str),
    Done(usize),
}

fn render(template: &str, body: &str) -> Outcome {
    let config = json!({"onError": "fail", "limits": {"outputBytes": BUDGET}, "request": {
        "set": [{"name": "x-out", "value": template}],
        "body": {"parseAs": "AsJson"},
    }});
    let program = match Program::compile(config.to_string().as_bytes(), &CompileOptions::default())
    {
        Ok(program) => Arc::new(program),
        Err(problems) => return Outcome::Refused(problems.to_string()),
    };
    let request = Message::new(&[(":path", "/p?a=1"), ("cookie", "a=b; c=d")], body);
    let mut host = MemoryHost {
        request,
        ..MemoryHost::default()
    };
    match host.send(&mut program.open(), Direction::Request) {
        Ok(_) => Outcome::Done(host.request.values("x-out").concat().len()),
        Err(failure) => Outcome::Stopped(failure.error().details()),
    }
}

/// One measurement at a time: they would slow each other.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Renders in a thread that is left behind if it takes too long.
fn watched(template: &str, body: &str) -> Result<(Outcome, Duration), String> {
    let (sender, receiver) = channel();
    let (template, body) = (template.to_owned(), body.to_owned());
    let start = Instant::now();
    std::thread::spawn(move || sender.send(render(&template, &body)));
    match receiver.recv_timeout(MAX_TIME) {
        Ok(outcome) => Ok((outcome, start.elapsed())),
        Err(RecvTimeoutError::Timeout) => Err("took too long".to_owned()),
        Err(RecvTimeoutError::Disconnected) => Err("panicked".to_owned()),
    }
}

/// The most memory that was ever resident, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// Runs a table; the values of a row are a template and the body that it meets.
fn check(rows: &[(String, &str)], is_fine: impl Fn(&Outcome) -> bool) {
    let _alone = alone();
    let before = peak();
    let mut failures = String::new();
    for (template, body) in rows {
        let skipped = template.chars().count().saturating_sub(100);
        let short: String = template.chars().skip(skipped).collect();
        match watched(template, body) {
            Ok((outcome, took)) => {
                println!("{took:>10.1?} {outcome:?} {short}");
                if !is_fine(&outcome) {
                    let _ = writeln!(failures, "{outcome:?} {short}");
                }
            }
            Err(problem) => {
                println!("{problem} {short}");
                let _ = writeln!(failures, "{problem}: {short}");
            }
        }
        let growth = peak().saturating_sub(before);
        if growth > MAX_GROWTH {
            panic!("{growth} KiB more memory: {short}\n{failures}");
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

fn is_stopped(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Stopped("rustformation_too_much_output" | "rustformation_out_of_fuel")
    )
}

/// `a` and `b` are each a tree of 2^40 leaves in 80 lists, without any loop.
fn trees(node: &str) -> String {
    let mut text = "{% set a = [1] %}{% set b = [1] %}".to_owned();
    for _ in 0..40 {
        for name in ["a", "b"] {
            let _ = write!(text, "{{% set {name} = {} %}}", node.replace('x', name));
        }
    }
    text
}

#[test]
fn walks_over_a_value_that_holds_itself_twice_at_each_level_are_stopped() {
    let mut rows = Vec::new();
    let uses = [
        "{{ a }}",
        "{{ a ~ '' }}",
        "{{ a|tojson }}",
        "{{ tojson(a) }}",
        "{{ word_count(a) }}",
        "{{ a|string|length }}",
        "{{ a|join }}",
        "{{ [a]|join|length }}",
        "{{ raw_string(a)|length }}",
        "{{ a == b }}",
        "{{ a != b }}",
        "{{ a < b }}",
        "{{ a >= b }}",
        "{{ a <= a < b }}",
        "{{ a == b == 1 }}",
        "{{ a in [b] }}",
        "{{ a not in [b] }}",
        "{{ a is eq(b) }}",
        "{{ a is in([b]) }}",
        "{{ a is lt(b) }}",
        "{{ [a]|select('eq', b)|list }}",
        "{{ [a]|reject('in', [b])|list }}",
        "{{ [{'x': a}]|selectattr('x', 'eq', b)|list }}",
        "{{ [a, b]|sort|length }}",
        "{{ [a, b]|unique|length }}",
        "{{ [a, b]|min|length }}",
        "{{ [a, b]|max|length }}",
        "{{ [{'x': a}, {'x': b}]|groupby('x')|length }}",
        "{{ {'x': a, 'y': b}|dictsort(by='value')|length }}",
        "{{ [a]|map('upper')|list }}",
        "{{ [a]|map('string')|list }}",
        "{{ a|upper }}",
        "{{ a|title }}",
        "{{ a|e }}",
        "{{ a|safe }}",
        "{{ a|pprint|length }}",
        "{{ a|replace('x', 'y') }}",
        "{{ a|trim }}",
        "{{ a|indent }}",
        "{{ sha256(a) }}",
        "{{ hmac_sha256(a, 'x') }}",
        "{{ base64_encode(a) }}",
        "{{ substring(a, 0, 1) }}",
        "{{ split(a, ',')|length }}",
        "{{ urlencode(a) }}",
        "{{ a|urldecode }}",
        "{{ query_param('x') ~ query_param(a, 'x') }}",
        "{{ header(a) }}",
        "{{ get_cookie(a) }}",
        "{{ regex_match(a, 'x') }}",
        "{{ a|regex_replace('x', 'y') }}",
        "{{ fromjson(a) }}",
        "{{ json_merge({}, a)|length }}",
        "{{ json_set({}, '/x', a)|length }}",
        "{{ json_remove(a, '/0')|length }}",
        "{{ replace_with_string(a, 'x', 'y') }}",
        "{{ env(a) }}",
        "{{ date(0, a) }}",
        "{{ {a: 1, b: 2} }}",
        "{% set m = {a: 1} %}{{ m[b] }}",
        "{{ {1: 1}|attr(a) }}",
        "{% for i in [1, 2] %}{{ loop.changed([a, b][loop.index0]) }}{% endfor %}",
        "{% autoescape true %}{{ a }}{% endautoescape %}",
        "{% set ns = namespace(x=1) %}{% set ns.x = a %}{{ ns.x|length }}",
        "{{ a is startingwith('x') }}",
        "{{ a|lines|length }}",
    ];
    for node in [
        "[x, x]",
        "{'l': x, 'r': x}",
        "[x]|chain([x])|list",
        "[x, x][0:]",
        "[x, x]|reverse",
    ] {
        let picked: Vec<&str> = match node {
            "[x, x]" => uses.to_vec(),
            _ => vec![
                "{{ a }}",
                "{{ a|tojson }}",
                "{{ a == b }}",
                "{{ word_count(a) }}",
                "{{ a|upper }}",
            ],
        };
        rows.extend(picked.iter().map(|tail| (trees(node) + tail, "{}")));
    }
    let looped = "{% set ns = namespace(a=[1]) %}{% for i in range(30) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a|tojson }}";
    let looped_maps = "{% set ns = namespace(a={}) %}{% for i in range(30) %}{% set ns.a = {'a': ns.a, 'b': ns.a} %}{% endfor %}{{ ns.a|string|length }}";
    rows.extend([looped, looped_maps].map(|template| (template.to_owned(), "{}")));
    check(&rows, is_stopped);
}

/// A body of about a mebibyte.
fn large_body() -> String {
    let text = "lorem ipsum ".repeat(40_000);
    let wide: Vec<String> = (0..25_000)
        .map(|key| format!("\"k{key:05}\": {key}"))
        .collect();
    let list: Vec<String> = (0..10_000).map(|item| format!("[{item}]")).collect();
    format!(
        "{{\"text\": \"{text}\", \"wide\": {{{}}}, \"list\": [{}]}}",
        wide.join(","),
        list.join(",")
    )
}

#[test]
fn work_on_large_values_in_loops_is_bounded() {
    let body = large_body();
    let mut rows = Vec::new();
    for (setup, work) in [
        ("{% set t = body() %}{% set u = t ~ '' %}", "t == u"),
        ("{% set t = body() %}{% set u = t ~ '' %}", "t < u"),
        ("{% set t = body() %}", "'nowhere' in t"),
        ("", "'nowhere' in text"),
        ("", "text is endingwith('x')"),
        ("", "text is lower"),
        ("", "text|length"),
        ("", "text|upper|first"),
        ("", "text|title|first"),
        ("", "text|trim('x')|first"),
        ("", "text|reverse|first"),
        ("", "text|list|first"),
        ("", "text|lines|first"),
        ("", "text|replace('zz', 'y')|first"),
        ("", "text|e|first"),
        ("", "text|int(0)"),
        ("", "text[400000]"),
        ("{% set n = 400000 %}", "text[n]"),
        ("", "text[-2]"),
        ("", "text[5:]|first"),
        ("", "text[::-1]|first"),
        ("", "list[5:]|first"),
        ("", "list|list|first"),
        ("", "list|reverse|first"),
        ("", "list|sort|first"),
        ("", "list|unique|first"),
        ("", "list|min"),
        ("", "list|map('first')|first"),
        ("", "list|map('in', list)|first"),
        ("", "list|select('in', list)|first"),
        ("", "list|map(attribute='0')|sum"),
        ("", "list|batch(2)|first"),
        ("", "list|zip(list)|first"),
        ("", "list|chain(list)|last"),
        ("", "list|groupby('0')|first"),
        ("", "[9999] in list"),
        ("", "list == list|list"),
        ("", "wide == wide"),
        ("", "wide.nothing"),
        ("", "wide['nothing']"),
        ("", "'nothing' in wide"),
        ("", "wide|attr('nothing')"),
        ("", "wide|first"),
        ("", "wide|items|first"),
        ("", "wide|dictsort|first"),
        ("", "dict(wide)|length"),
        ("", "dict(**wide)|length"),
        ("", "dict(*list)|length"),
        ("", "namespace(wide)|length"),
        ("", "substring(text, 5)|first"),
        ("", "sha256(text)"),
        ("", "base64_encode(text)|first"),
        ("", "base64url_decode(text)|first"),
        ("", "split(text)|first"),
        ("", "split(text, 'x')|first"),
        ("", "word_count(text)"),
        ("", "word_count(wide)"),
        ("", "regex_match(text, '[a-z]+ nowhere')"),
        ("", "regex_match(text, '(\\\\w+ \\\\w+ )+x')"),
        ("", "regex_replace(text, 'i', '')|first"),
        ("", "urlencode(text)|first"),
        ("", "query_param(text, 'x')"),
        ("", "get_cookie(text)"),
        ("", "header(text)"),
        ("", "fromjson(body()).nothing"),
        ("", "json_set(body(), '/x', 1)|first"),
        ("", "json_merge(wide, wide)|first"),
        ("", "tojson(list)|first"),
        ("", "date(0, text)"),
        ("", "range(100000)|last"),
        ("", "range(100000)|sum"),
        ("", "[1]|batch(10000, 1)|last"),
        ("", "[1]|slice(10000, 1)|last"),
        ("", "5 in range(100000)"),
        ("", "loop.changed(text ~ i)"),
    ] {
        let template = format!(
            "{setup}{{% for i in range(100000) %}}{{% if ({work}) is none %}}x{{% endif %}}{{% endfor %}}"
        );
        rows.push((template, body.as_str()));
    }
    let constant = (0..1_500)
        .map(|item| item.to_string())
        .collect::<Vec<_>>()
        .join(",");
    let template =
        format!("{{% for i in range(100000) %}}{{{{ 'x' if -1 in [{constant}] }}}}{{% endfor %}}");
    rows.push((template, "{}"));
    check(&rows, |outcome| !matches!(outcome, Outcome::Refused(_)));
}

#[test]
fn work_that_makes_nothing_is_paid_for() {
    let rounds = "0,".repeat(2_000) + "0";
    let digits = "7".repeat(50_000);
    let repeated = "\"k\":1,".repeat(40_000);
    let text = "lorem ".repeat(20_000);
    let body = format!(
        "{{\"rounds\": [{rounds}], \"integer\": {digits}, \"fraction\": 0.{digits}, \"repeated\": {{{repeated}\"a\":1}}, \"text\": \"{text}\"}}"
    );
    let rows = [
        "integer is none",
        "fraction is none",
        "not integer",
        "fraction == 1",
        "integer > 1",
        "integer | default(1)",
        "text is iterable",
        "repeated is iterable",
        "dict(repeated)",
    ]
    .map(|work| {
        (
            format!("{{% for i in rounds %}}{{% if {work} %}}x{{% endif %}}{{% endfor %}}"),
            body.as_str(),
        )
    });
    check(&rows, is_stopped);
    let kept = ["not n", "n > 1", "n and true"].map(|work| {
        (
            format!("{{% set n = integer %}}{{% for i in rounds %}}{{% if {work} %}}x{{% endif %}}{{% endfor %}}"),
            body.as_str(),
        )
    });
    check(&kept, is_stopped);
}

#[test]
fn deep_and_endless_templates_are_stopped() {
    let deep = |node: &str, last: &str| {
        let steps = format!("{{% set a = {node} %}}").repeat(30_000);
        format!("{{% set a = [1, 2] %}}{steps}{{{{ {last} }}}}")
    };
    let many_arguments =
        |tail: &str| format!("{{% macro m(x) %}}{tail}{{% endmacro %}}{{{{ m([1]) }}}}");
    let rows = [
        deep("[a]", "a|length"),
        deep("a[0:]", "a|length"),
        deep("a|reverse", "a|length"),
        deep("a|zip(a)", "a|length"),
        deep("a|chain(a)", "a|first"),
        deep("a|list", "a|length"),
        deep("{'a': a}|items", "a|length"),
        deep("{'a': a}|chain({'b': 1})", "a|length"),
        deep("dict(a=a)", "a|length"),
        deep("namespace(a=a)", "a|length"),
        deep("[a]|batch(1)", "a|length"),
        deep("[a]|map('list')", "a|length"),
        many_arguments("{{ m([x, x]) }}"),
        "{% macro m(x=m()) %}{{ x }}{% endmacro %}{{ m() }}".to_owned(),
        "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}".to_owned(),
        "{% for a in range(10000) %}{% for b in range(10000) %}{% for c in range(10000) %}{% endfor %}{% endfor %}{% endfor %}".to_owned(),
        format!("{{% for a in range(100000) %}}{}{{% endfor %}}", "x".repeat(1 << 20)),
        format!("{{% for a in range(100000) %}}{}{{% endfor %}}", "x".repeat(1_000)),
        format!("{{% for a in range(100000) %}}{{% set t %}}{}{{% endset %}}{{% endfor %}}", "x".repeat(10_000)),
        "{% set ns = namespace(t='xxxxxxxx') %}{% for a in range(100) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}".to_owned(),
        "{{ ('x' * 1000000)|replace('', 'y' * 1000000)|length }}".to_owned(),
        "{{ ('\n' * 1000000)|indent(10000, true, true)|length }}".to_owned(),
    ]
    .map(|template| (template, "{}"));
    check(&rows, |outcome| !matches!(outcome, Outcome::Done(_)));
}

#[test]
fn a_namespace_cannot_hold_a_namespace_that_it_could_be_part_of() {
    let setup = "{% set ns = namespace(a=1) %}{% set o = namespace(a=1) %}{% macro m() %}{{ ns.a }}{% endmacro %}";
    let rows = [
        "ns",
        "o",
        "[ns]",
        "[[ns]]",
        "{'a': ns}",
        "[ns]|list",
        "[ns][0:]",
        "dict(a=ns)",
        "[1]|chain([ns])",
        "m",
        "[m]",
        "namespace(a=ns)",
        "ns|items|chain([ns])",
        "[ns]|map('list')|chain([ns])",
    ]
    .map(|value| (format!("{setup}{{% set ns.a = {value} %}}done"), "{}"));
    check(&rows, |outcome| {
        matches!(outcome, Outcome::Stopped("rustformation_render_error"))
    });
    // What only reads a namespace is copied out of it.
    let rows = [
        "ns|items",
        "ns|items|list",
        "ns|list",
        "(ns|items)[0:]",
        "ns|dictsort",
        "dict(ns)",
        "[1, 2][0:]",
        "range(3)",
    ]
    .map(|value| {
        (
            format!("{setup}{{% set ns.a = {value} %}}{{{{ ns.a|length }}}}"),
            "{}",
        )
    });
    check(&rows, |outcome| matches!(outcome, Outcome::Done(1)));
}

#[test]
fn rendering_again_and_again_keeps_no_memory() {
    let _alone = alone();
    let template = "{% set ns = namespace(a='') %}{% set ns.a = body() ~ '' %}{% macro m() %}{{ ns.a|length }}{% endmacro %}{{ m() }}";
    let body = large_body();
    render(template, &body);
    let before = peak();
    for _ in 0..40 {
        assert!(matches!(render(template, &body), Outcome::Done(_)));
    }
    let growth = peak() - before;
    assert!(growth < 32 << 10, "{growth} KiB more memory");
}

#[test]
fn messages_of_odd_shape_are_bounded() {
    let nested = format!(
        "{{\"a\": {}{}{}}}",
        "[".repeat(100),
        "1,".repeat(50_000) + "1",
        "]".repeat(100)
    );
    let repeated = format!("{{{}\"b\": 1}}", "\"a\": 1,".repeat(120_000));
    let keys: Vec<String> = (0..10)
        .map(|key| format!("\"{}{key}\": 1", "k".repeat(100_000)))
        .collect();
    let long_keys = format!("{{{}}}", keys.join(","));
    let mut rows = Vec::new();
    for body in [&nested, &repeated, &long_keys] {
        for template in [
            "{{ context()|tojson|length }}",
            "{{ context()|string|length }}",
            "{{ context()|length }}",
            "{{ word_count(context()) }}",
            "{{ context() == fromjson(body()) }}",
            "{% for i in range(100000) %}{{ word_count(fromjson(body())) }}{% endfor %}",
            "{% for i in range(100000) %}{{ a == 5 }}{% endfor %}",
            "{{ json_merge(context(), context())|length }}",
            "{% for key, value in context()|items %}{{ key|length }}{{ context()[key]|length if value is string }}{% endfor %}",
        ] {
            rows.push((template.to_owned(), body.as_str()));
        }
    }
    check(&rows, |outcome| !matches!(outcome, Outcome::Refused(_)));
}
