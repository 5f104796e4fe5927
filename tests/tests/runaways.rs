//! Templates written to bring Envoy down, to hold a worker or to fill its memory: each is refused or
//! stopped, soon, and counted by its kind.

use std::time::{Duration, Instant};

use rustformations_tests::{EnvoyConfig, Lab, Route, on_every_envoy};
use serde_json::{Value, json};

fn both_ways(transform: &Value) -> Value {
    json!({"request": transform, "response": transform})
}

fn set(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

/// Asserts that Envoy serves and that nothing panicked.
fn assert_sane(lab: &Lab) {
    assert_eq!(lab.stat("rustformations_panics"), 0);
    assert!(!lab.logs().contains("panic"), "{}", lab.logs());
    assert_eq!(lab.get("/still-there").send().status, 200);
}

/// Templates that loop, recurse, grow or overflow; each fails or gives something small, and soon.
const HOSTILE: &[&str] = &[
    // Numbers at their ends.
    "{{ 9223372036854775807 + 1 }}{{ -9223372036854775807 - 2 }}{{ 9223372036854775807 * 9223372036854775807 }}",
    "{{ 1 / 0 }}{{ 1.0 / 0 }}",
    "{{ 1 // 0 }}",
    "{{ 1 % 0 }}",
    "{{ (-9223372036854775807 - 1) // -1 }}",
    "{{ (-9223372036854775807 - 1) % -1 }}",
    "{{ (-9223372036854775807 - 1)|abs }}",
    "{{ 2 ** 100000 }}",
    "{{ 10 ** -99999999999 }}",
    "{{ 170141183460469231731687303715884105727 + 1 }}",
    "{{ substring('é', 1) }}{{ substring('日本', 1, 1) }}{{ substring('abc', 9223372036854775807, 9223372036854775807) }}",
    "{{ substring('abc', 170141183460469231731687303715884105727) }}",
    "{{ substring('abc', -9223372036854775808) }}",
    "{{ 1.5|round(4000000000) }}{{ 1|round(-400) }}",
    "{{ 1e308 * 10 }}{{ (1e308 * 10)|int }}",
    "{{ 'abc'[9223372036854775807:] }}{{ 'abc'[::-9223372036854775807] }}",
    "{{ 'abc'[::0] }}",
    "{{ 9223372036854775807|date }}{{ -1e300|date }}{{ 0|date('%999999999Y') }}",
    "{{ 0|date('%') }}{{ 0|date('%Q%!%é') }}",
    // Loops.
    "{% for a in range(9223372036854775807) %}{% endfor %}",
    "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "{% for a in range(0, 10, 0) %}{% endfor %}",
    "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}",
    // Recursion.
    "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(1) }}",
    "{% macro a(n) %}{{ b(n) }}{% endmacro %}{% macro b(n) %}{{ a(n) }}{% endmacro %}{{ a(1) }}",
    "{% for a in [[[[]]]] recursive %}{{ loop([a]) }}{% endfor %}",
    // Growth.
    "{% for a in range(100000) %}{{ 'x' * 1000 }}{% endfor %}",
    "{{ ('x' * 10000) * 10000 }}",
    "{% set ns = namespace(a='x') %}{% for i in range(64) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}{{ ns.a|length }}",
    "{% set ns = namespace(a=[1]) %}{% for i in range(64) %}{% set ns.a = ns.a + ns.a %}{% endfor %}{{ ns.a|length }}",
    "{% set ns = namespace(a=[1]) %}{% for i in range(100000) %}{% set ns.a = [ns.a] %}{% endfor %}{{ ns.a }}",
    "{% set ns = namespace(a={}) %}{% for i in range(100000) %}{% set ns.a = {'a': ns.a} %}{% endfor %}{{ ns.a == ns.a }}",
    "{% set ns = namespace(a=[1]) %}{% for i in range(30) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a|tojson }}",
    "{% set ns = namespace(a=[1]) %}{% for i in range(30) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ word_count(ns.a) }}",
    "{% set ns = namespace(a=[1]) %}{% for i in range(30) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a == [1] }}{{ ns.a < [ns.a] }}",
    "{% set ns = namespace(a={}) %}{% for i in range(30) %}{% set ns.a = {'a': ns.a, 'b': ns.a} %}{% endfor %}{{ ns.a|string|length }}",
    "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(30) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ns.a == ns.b }}",
    "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(30) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ [ns.a, ns.b]|sort|length }}",
    "{{ replace_with_string('x' * 10000, '', 'y' * 10000)|length }}",
    "{{ ('x' * 10000)|replace('', 'y' * 10000)|length }}",
    "{{ replace_with_random('x' * 10000, 'x')|length }}{{ replace_with_random('abc', '') }}",
    "{{ ('x\\n' * 5000)|indent(999999999) }}",
    "{{ [1]|batch(999999999, 0) }}",
    "{{ [1]|slice(999999999, 0) }}",
    "{{ [1]|batch(0) }}{{ [1]|slice(0) }}",
    "{{ ['x' * 10000] * 10000 }}",
    "{{ range(10000)|map('string')|list|join('x' * 10000)|length }}",
    "{{ ('x' * 10000)|list|join('y' * 10000)|length }}",
    "{{ split('x' * 10000, '')|length }}{{ split('x', '', 9223372036854775807) }}",
    "{{ ('x' * 10000)|urlencode|base64_encode }}",
    // Regular expressions.
    "{{ regex_match('a' * 10000, '(a+)+$b') }}",
    "{{ regex_match('a', '((a{100}){100}){100}') }}",
    "{{ regex_match('a', '(' * 10000) }}",
    "{{ regex_replace('a' * 10000, '', 'b' * 10000)|length }}",
    "{{ regex_replace('abc', '(a)(b)', '${999999999}$1$$$é') }}",
    // JSON made in the template.
    "{{ fromjson('[' * 10000) }}",
    "{{ fromjson('[' * 10000 ~ ']' * 10000) }}",
    "{{ fromjson('1e999999999') }}{{ fromjson('-1e-999999999') }}",
    "{{ json_set({}, '/a/b/c', 1) }}{{ json_set([], '/99999999999999999999', 1) }}",
    "{{ json_merge({}, {'a': {'b': none}}) }}{{ json_remove([1], '/-') }}",
    "{{ urldecode('%') }}{{ urldecode('%ff%zz%00') }}{{ base64_decode('====') }}{{ base64url_decode('é') }}",
    "{{ query_param('::::?a=%', 'a') }}{{ set_query_param('', '', '') }}{{ remove_query_param('?&&=&', '') }}",
    "{{ metadata('', '') }}{{ attribute('no.such') }}{{ dynamic_metadata('') }}{{ cluster_metadata('a') }}{{ host_metadata('a') }}",
    "{{ header('') }}{{ header(':') }}{{ header('\\r\\n') }}{{ request_header('x' * 10000) }}",
    "{{ env('') }}{{ env('=') }}{{ env('A=B') }}{{ env('x' * 10000) }}",
];

/// Each answer takes a fraction of a second where the machine is idle; without a budget it would take
/// minutes. The room between is for busy machines.
const PROMPT: Duration = Duration::from_secs(5);

on_every_envoy! {
    fn a_hostile_template_is_refused_or_stopped(envoy) {
        let safe = Route::at("/still-there");
        let config = EnvoyConfig::new().routes_from_file().route(safe.clone());
        let mut lab = Lab::start(envoy, &config);
        let mut ran = 0;
        // Each on a route of its own, as a header and as a body; what is refused comes no further.
        for template in HOSTILE {
            let transform =
                json!({"request": {"set": [set("x-a", template)], "body": {"value": template}}});
            if !lab.replace_routes(&[safe.clone(), Route::at("/").transform(transform)]) {
                continue;
            }
            ran += 1;
            let began = Instant::now();
            let Ok(answer) = lab.post("/").body("b").try_send() else {
                panic!("no answer for {template}")
            };
            let took = began.elapsed();
            assert!(
                [200, 500].contains(&answer.status),
                "{} for {template}",
                answer.status
            );
            assert!(took < PROMPT, "{took:?} for {template}");
        }
        assert!(
            ran > HOSTILE.len() / 2,
            "only {ran} templates came as far as running"
        );
        assert_sane(&lab);
    }

    fn work_on_a_big_body_is_budgeted_too(envoy) {
        let costly = [
            "body()|upper",
            "body()|length",
            "body()[::-1]",
            "body() == body()",
            "'zz' in body()",
            "sha256(body())",
            "substring(body(), 500000, 1)",
            "context() == context()",
            "context()|sort",
            "context()|list",
            "10 in context()",
            "word_count(context())",
        ];
        let config =
            costly
                .iter()
                .enumerate()
                .fold(EnvoyConfig::new(), |config, (index, expression)| {
                    let template = format!(
                        "{{% for i in range(99999) %}}{{% set x = {expression} %}}{{% endfor %}}"
                    );
                    config.route(
                        Route::at(&format!("/{index}/")).transform(json!({"request": {
                            "set": [set("x-a", &template)], "body": {"parseAs": "AsJson"},
                        }})),
                    )
                });
        let lab = Lab::start(envoy, &config.route(Route::at("/")));
        let body = format!("[{}1]", "1,".repeat(400_000));
        for (index, expression) in costly.iter().enumerate() {
            let began = Instant::now();
            let Ok(answer) = lab
                .post(&format!("/{index}/"))
                .body(body.as_str())
                .try_send()
            else {
                panic!("no answer for {expression}")
            };
            assert!(
                [200, 500].contains(&answer.status),
                "{} for {expression}",
                answer.status
            );
            assert!(
                began.elapsed() < PROMPT,
                "{:?} for {expression}",
                began.elapsed()
            );
        }
        assert_sane(&lab);
    }

    fn each_kind_of_runaway_template_has_its_counter(envoy) {
        let runaways = [
            (
                "out_of_fuel",
                "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
            ),
            (
                "too_deep",
                "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(1) }}",
            ),
            (
                "too_much_output",
                "{% for a in range(100000) %}{{ 'x' * 1000 }}{% endfor %}",
            ),
        ];
        let config = runaways
            .iter()
            .fold(EnvoyConfig::new(), |config, (kind, template)| {
                let transform = both_ways(&json!({"set": [set("x-a", template)]}));
                config.route(Route::at(&format!("/{kind}")).transform(transform))
            });
        let lab = Lab::start(envoy, &config.route(Route::at("/")));
        for (kind, _) in runaways {
            let began = Instant::now();
            assert_eq!(lab.get(&format!("/{kind}")).send().status, 500, "{kind}");
            assert!(
                began.elapsed() < PROMPT,
                "{kind}: {:?}",
                began.elapsed()
            );
            // Once: our own answer does not go through our response rules, which would fail alike.
            assert_eq!(
                lab.stat(&format!("rustformations_errors.kind.{kind}")),
                1,
                "{kind}"
            );
        }
        assert!(lab.origin().received().is_empty());
        assert_sane(&lab);
    }

    fn limits_of_the_configuration_stop_a_template_earlier(envoy) {
        let with = |limits: Value, template: &str| json!({"limits": limits, "request": {"set": [set("x-a", template)]}});
        let small = "{% for a in range(200) %}x{% endfor %}";
        let config = EnvoyConfig::new()
            .route(Route::at("/fuel").transform(with(json!({"fuel": 100}), small)))
            .route(Route::at("/output").transform(with(json!({"outputBytes": 100}), small)))
            .route(Route::at("/none").transform(with(json!({}), small)));
        let lab = Lab::start(envoy, &config);
        assert_eq!(lab.get("/fuel").send().status, 500);
        assert_eq!(lab.stat("rustformations_errors.kind.out_of_fuel"), 1);
        assert_eq!(lab.get("/output").send().status, 500);
        assert_eq!(lab.stat("rustformations_errors.kind.too_much_output"), 1);
        assert_eq!(lab.get("/none").send().status, 200);
    }
}
