//! The template language on real Envoys: a row for each function and each rule of printing, as headers
//! of one request. What these functions do with odd arguments is in the library's own tables.

use rustformations_tests::config::{NEWER_FILTER_NAME, module_filter};
use rustformations_tests::{Envoy, EnvoyConfig, Lab, Reply, Route, Settings, on_every_envoy};
use serde_json::{Value, json};

/// A template and what it renders, for [`asked`].
type Row = (&'static str, &'static str);

/// kgateway's functions, and what the older engines had beyond them.
const FUNCTIONS: &[Row] = &[
    ("{{ header('X-In') }}", "a b"),
    ("{{ header('x-none') }}", ""),
    ("{{ request_header(':method') }}", "POST"),
    (
        "{{ body() }}",
        r#"{"model":"gpt-4","n":3,"list":[3,2,1],"o":{"a-b":"x"},"yes":true,"nothing":null,"é":1.50}"#,
    ),
    ("{{ context().model }}", "gpt-4"),
    ("{{ env('LAB_SAYS') }}", "hello"),
    ("{{ env('LAB_NEVER_SET') }}", ""),
    ("{{ substring('hello', 1) }}", "ello"),
    ("{{ substring('hello', 1, 2) }}", "el"),
    ("{{ substring('hello', 1, 0) }}", "ello"),
    ("{{ substring('hello', 3, 99) }}", "lo"),
    ("{{ substring('hello', 5) }}", ""),
    ("[{{ substring('hello', 9) }}]", "[]"),
    ("{{ substring('日本語', 1, 1) }}", "本"),
    ("{{ base64_encode('a?b>') }}", "YT9iPg=="),
    ("{{ base64_decode('YT9iPg==') }}", "a?b>"),
    ("{{ base64_decode('not base64!') }}", ""),
    ("[{{ base64_decode('/w==') }}]", "[]"),
    ("{{ base64url_encode('a?b>') }}", "YT9iPg=="),
    ("{{ base64url_decode('YT9iPg==') }}", "a?b>"),
    ("{{ replace_with_string('a.b.c', '.', '-') }}", "a-b-c"),
    ("{{ replace_with_random('a.b', '.')|length }}", "24"),
    (
        "{% set r = replace_with_random('a.a', 'a') %}{{ r[:22] == r[23:] }}",
        "true",
    ),
    ("{{ raw_string('say \"hi\"\\n') }}", "say \\\"hi\\\"\\n"),
    ("{{ get_cookie('sid') }}", "s1"),
    ("{{ get_cookie_i('SID') }}", "s1"),
    ("{{ word_count('one two  three') }}", "3"),
    ("{{ word_count(list) }}", "3"),
    ("{{ word_count(o) }} {{ word_count(n) }}", "2 1"),
    ("{{ extraction('version') }}", "v1"),
    ("{{ extraction('digits') }}", "3"),
];

/// What this project adds.
const EXTRAS: &[Row] = &[
    ("{{ urlencode('a b/é') }}", "a%20b%2F%C3%A9"),
    ("{{ urldecode('a%20b') }}", "a b"),
    ("{{ query_param('user') }}", "ann lee"),
    (
        "{{ set_query_param('user', 'bob') }}",
        "/v1/chat?user=bob&page=2",
    ),
    ("{{ remove_query_param('user') }}", "/v1/chat?page=2"),
    (
        "{{ sha256('abc') }}",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
    (
        "{{ hmac_sha256('key', 'message') }}",
        "6e9ef29b75fffc5b7abae527d58fdadb2fe42e7219011976917343065f58ed4a",
    ),
    ("{{ uuid()|length }}", "36"),
    ("{{ split('a,b,c', ',')[1] }}", "b"),
    ("{{ regex_match(request.path, '^/v[0-9]+/') }}", "true"),
    (
        "{{ regex_replace('2026-11-21', '(\\\\d+)-(\\\\d+)-(\\\\d+)', '$3.$2.$1') }}",
        "21.11.2026",
    ),
    ("{{ o|tojson }}", r#"{"a-b":"x"}"#),
    ("{{ fromjson('{\"a\":[1,2]}').a[1] }}", "2"),
    (
        "{{ json_set(body(), '/n', 4) == body()|replace('\"n\":3', '\"n\":4') }}",
        "true",
    ),
    (
        "{{ json_remove('{\"a\":1.0,\"b\":2}', '/b') }}",
        r#"{"a":1.0}"#,
    ),
    ("{{ 0|date('%Y-%m-%d') }}", "1970-01-01"),
    (
        "{{ request.method }} {{ request.path }} {{ request.query }} {{ request.host }}",
        "POST /v1/chat?user=ann+lee&page=2 user=ann+lee&page=2 lab.test",
    ),
    ("{{ request.headers['x-in'] }}", "a b"),
    ("{{ request.json.model }}", "gpt-4"),
    ("{{ now() > 1700000000 }}", "true"),
    (
        "{{ attribute('source.address') is startingwith('127.0.0.1:') }}",
        "true",
    ),
    ("{{ attribute('request.protocol') }}", "HTTP/1.1"),
];

/// How values print, and what of the language people rely on.
const LANGUAGE: &[Row] = &[
    ("plain", "plain"),
    ("{{ model }}", "gpt-4"),
    ("{{ missing }}", ""),
    ("{{ missing|default('d') }}", "d"),
    (
        "{{ yes }} {{ nothing }} {{ n }} {{ 1.0 }}",
        "true null 3 1.0",
    ),
    ("{{ list }} {{ o }}", r#"[3, 2, 1] {"a-b": "x"}"#),
    ("{{ list[0] }}{{ list[-1] }}{{ o['a-b'] }}", "31x"),
    ("{{ list.0 }}{{ context().o[\"a-b\"] }}", "3x"),
    ("[{{ missing.deep }}]{{ missing == '' }}", "[]false"),
    ("{{ 1 / 0 }}", "inf"),
    ("## for x in list", "## for x in list"),
    ("end\n", "end"),
    ("{{ n + 1 }} {{ n * 2 }} {{ 7 // 2 }}", "4 6 3"),
    (
        "{% if header('x-in') == 'a b' %}yes{% else %}no{% endif %}",
        "yes",
    ),
    (
        "{% for i in list %}{{ i }}{% if not loop.last %},{% endif %}{% endfor %}",
        "3,2,1",
    ),
    ("{% set x = 'v' %}{{ x ~ n }}", "v3"),
    (
        "{{ model|upper }} {{ model|replace('gpt', 'x') }} {{ '  t '|trim }}",
        "GPT-4 x-4 t",
    ),
    ("{{ 'é'|length }}", "1"),
    (
        "{% raw %}{{ model }}{% endraw %}{# note #}{{ '{{' }}",
        "{{ model }}{{",
    ),
    ("{{ 18446744073709551616 }}", "18446744073709551616"),
    ("<{{ '<b>&\"' }}>.html", "<<b>&\">.html"),
];

const BODY: &str =
    r#"{"model":"gpt-4","n":3,"list":[3,2,1],"o":{"a-b":"x"},"yes":true,"nothing":null,"é":1.50}"#;

/// Asks with one header for each row and returns those whose value is wrong.
fn wrong_rows(envoy: &Envoy, rows: &[Row]) -> Vec<(Row, String)> {
    let named = rows.iter().enumerate();
    let set: Vec<Value> = named
        .map(|(index, (template, _))| json!({"name": format!("x-{index}"), "value": template}))
        .collect();
    let transform = json!({"request": {
        "set": set,
        "body": {"parseAs": "AsJson"},
        "extractors": {
            "version": {"header": ":path", "regex": "/(v[0-9])/.*", "subgroup": 1},
            "digits": {"body": {}, "regex": ".*\"n\":([0-9]+).*", "subgroup": 1},
        },
    }});
    let settings = Settings {
        environment: vec![("LAB_SAYS".to_owned(), "hello".to_owned())],
        ..Settings::default()
    };
    let config = EnvoyConfig::new().route(Route::at("/").transform(transform));
    let lab = Lab::start_with(envoy, &config, settings);
    let request = lab
        .post("/v1/chat?user=ann+lee&page=2")
        .header("x-in", "a b");
    let answer = request.header("cookie", "sid=s1").body(BODY).send();
    assert_eq!(answer.status, 200);
    let received = lab.origin().last();
    let got = rows
        .iter()
        .enumerate()
        .map(|(index, row)| (*row, received.header(&format!("x-{index}"))));
    got.filter(|((_, expected), got)| expected != got).collect()
}

on_every_envoy! {
    fn kgateways_functions_and_those_of_older_engines_give_what_they_say(envoy) {
        assert_eq!(wrong_rows(envoy, FUNCTIONS), []);
    }

    fn functions_of_this_project_give_what_they_say(envoy) {
        assert_eq!(wrong_rows(envoy, EXTRAS), []);
    }

    fn values_print_as_json_spells_them_and_the_language_is_all_there(envoy) {
        assert_eq!(wrong_rows(envoy, LANGUAGE), []);
    }

    fn a_random_value_is_fresh_for_every_call(envoy) {
        let template = "{{ replace_with_random('?', '?') }} {{ replace_with_random('?', '?') }}";
        let route = Route::at("/")
            .transform(json!({"request": {"set": [{"name": "x-a", "value": template}]}}));
        let lab = Lab::start(envoy, &EnvoyConfig::new().route(route));
        let mut seen: Vec<String> = (0..3)
            .flat_map(|_| {
                lab.get("/").send();
                lab.origin()
                    .last()
                    .header("x-a")
                    .split(' ')
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 6, "{seen:?}");
    }

    fn metadata_of_other_filters_is_read(envoy) {
        // Written by another instance of the filter, as a filter of any other kind would.
        let writing = json!({"request": {"dynamicMetadata": [
            {"namespace": "lab.test", "key": "tier", "value": {"stringValue": "gold"}},
            {"namespace": "lab.test", "key": "left", "value": {"numberValue": 7}},
            {"namespace": "io.solo.transformation", "key": "old", "value": {"stringValue": "default"}},
        ]}});
        let reading = json!({
            "request": {"set": [
                {"name": "x-tier", "value": "{{ metadata('lab.test', 'tier') }}"},
                {"name": "x-left", "value": "{{ dynamic_metadata('left', 'lab.test') }}"},
                {"name": "x-old", "value": "{{ dynamic_metadata('old') }}"},
                {"name": "x-none", "value": "[{{ metadata('lab.test', 'none') }}]"},
            ]},
            "response": {"set": [
                {"name": "x-tier", "value": "{{ metadata('lab.test', 'tier') }}"},
                {"name": "x-region", "value": "{{ cluster_metadata('region', 'my.company') }}"},
                {"name": "x-older", "value": "{{ clusterMetadata('region', 'my.company') }}"},
                {"name": "x-zone", "value": "{{ host_metadata('zone', 'envoy.lb') }}"},
            ]},
        });
        let config = EnvoyConfig::new()
            .filter_before(module_filter(
                "writing",
                NEWER_FILTER_NAME,
                &writing.into(),
                false,
            ))
            .route(
                Route::at("/")
                    .action("cluster", json!("described"))
                    .transform(reading),
            );
        let origin = rustformations_tests::Origin::start().unwrap();
        origin.answer("/", Reply::new(200).body("described"));
        let config = config.cluster(json!({
            "name": "described",
            "type": "STATIC",
            "metadata": {"filter_metadata": {"my.company": {"region": "eu-1"}}},
            "load_assignment": {"cluster_name": "described", "endpoints": [{"lb_endpoints": [{
                "endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": origin.address().port()}}},
                "metadata": {"filter_metadata": {"envoy.lb": {"zone": "b"}}},
            }]}]},
        }));
        let lab = Lab::start(envoy, &config);
        let answer = lab.get("/").send();
        let received = origin.last();
        assert_eq!(received.header("x-tier"), "gold");
        assert_eq!(received.header("x-left"), "7");
        assert_eq!(received.header("x-old"), "default");
        assert_eq!(received.header("x-none"), "[]");
        assert_eq!(answer.header("x-tier"), "gold");
        assert_eq!(answer.header("x-region"), "eu-1");
        assert_eq!(answer.header("x-older"), "eu-1");
        assert_eq!(answer.header("x-zone"), "b");
    }
}
