//! What functions read, what is refused when a configuration is loaded, and what fails at run time.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use serde_json::{Value, json};
use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, Direction, Program, TransformErrorKind};

fn compile(config: &Value) -> Result<Arc<Program>, String> {
    Program::compile(config.to_string().as_bytes(), &CompileOptions::default())
        .map(Arc::new)
        .map_err(|problems| problems.to_string())
}

fn header_rule(template: &str) -> Value {
    json!({"set": [{"name": "x-out", "value": template}]})
}

/// The header that a template of the request makes of this body.
fn render(template: &str, body: &str) -> Result<String, TransformErrorKind> {
    let mut half = header_rule(template);
    half["body"] = json!({"parseAs": "AsJson"});
    let config = json!({"onError": "fail", "request": half, "limits": {"outputBytes": 8 << 20}});
    let program = compile(&config).unwrap();
    let request = Message::new(&[(":path", "/p?a=1"), ("x-list", "a,b")], body);
    let mut host = MemoryHost {
        request,
        ..MemoryHost::default()
    };
    let result = host.send(&mut program.open(), Direction::Request);
    result.map_err(|failure| failure.error().kind())?;
    Ok(host.request.values("x-out").concat())
}

#[test]
fn what_is_wrong_with_arguments_is_said_when_the_configuration_is_loaded() {
    for (template, code, sentence) in [
        (
            "{{ regex_match('a', '(') }}",
            "RF1216",
            "not valid: unclosed group",
        ),
        (
            "{{ 'a' | regex_replace('[', '') }}",
            "RF1216",
            "not valid: unclosed character class",
        ),
        (
            "{{ regex_match('a', header('p')) }}",
            "RF1217",
            "must be a constant",
        ),
        (
            "{{ 'a' | regex_match(header('p')) }}",
            "RF1217",
            "must be a constant",
        ),
        (
            "{{ regex_match(*['a', 'b']) }}",
            "RF1217",
            "must be a constant",
        ),
        (
            "{{ regex_replace('a', 'a', '$1') }}",
            "RF1218",
            "names a group",
        ),
        (
            "{{ 'a' | regex_replace('(a)', '$x') }}",
            "RF1218",
            "must be written `$$`",
        ),
        (
            "{{ date(0, '%!') }}",
            "RF1218",
            "directive that does not exist",
        ),
        (
            "{{ metadata('ns', header('k')) }}",
            "RF1217",
            "each name of metadata must be a constant",
        ),
        (
            "{{ dynamic_metadata(header('k')) }}",
            "RF1217",
            "must be a constant",
        ),
        (
            "{{ attribute(header('k')) }}",
            "RF1217",
            "must be a constant",
        ),
        (
            "{{ attribute('source.adress') }}",
            "RF1219",
            "did you mean \"source.address\"?",
        ),
        (
            "{{ extraction('versio') }}",
            "RF1219",
            "did you mean \"version\"?",
        ),
        (
            "{{ extraction(header('k')) }}",
            "RF1217",
            "must be a constant",
        ),
        (
            "{{ 'a' | jwt_payload('b') }}",
            "RF1211",
            "jwt_payload takes no arguments, found 1",
        ),
        (
            "{{ 'a' | sha256('b') }}",
            "RF1218",
            "must be \"hex\", \"base64\" or \"base64url\"",
        ),
        (
            "{{ hmac_sha512('key', 'a', 'base32') }}",
            "RF1218",
            "must be \"hex\", \"base64\" or \"base64url\"",
        ),
        (
            "{{ 'a' | hmac_sha1('key', 'base32') }}",
            "RF1218",
            "must be \"hex\", \"base64\" or \"base64url\"",
        ),
        (
            "{{ 'a' | json_set('/b') }}",
            "RF1211",
            "write document | json_set(pointer, value)",
        ),
        ("{{ sha256() }}", "RF1211", "write sha256(text, encoding?)"),
        (
            "{{ 'a' | urlencod }}",
            "RF1204",
            "did you mean \"urlencode\"?",
        ),
        ("{{ 'a' | uuid }}", "RF1204", "uuid is a function"),
    ] {
        let mut half = header_rule(template);
        half["extractors"] = json!({"version": {"header": "x", "regex": "(.*)", "subgroup": 1}});
        let text = compile(&json!({"request": half})).unwrap_err();
        assert!(
            text.contains(code) && text.contains(sentence),
            "{template}: {text}"
        );
        assert_eq!(text.matches("error[").count(), 1, "{template}: {text}");
    }
}

#[test]
fn what_is_wrong_with_an_extractor_is_said_when_the_configuration_is_loaded() {
    for (extractor, code, path) in [
        (json!({"regex": "a"}), "RF1011", "request.extractors.e"),
        (
            json!({"header": "x", "body": {}, "regex": "a"}),
            "RF1011",
            "request.extractors.e",
        ),
        (
            json!({"header": "", "regex": "a"}),
            "RF1011",
            "request.extractors.e",
        ),
        (json!({"body": {}}), "RF1011", "request.extractors.e"),
        (
            json!({"body": {}, "regex": "("}),
            "RF1216",
            "request.extractors.e.regex",
        ),
        (
            json!({"body": {}, "regex": "a", "subgroup": 1}),
            "RF1011",
            "extractors.e.subgroup",
        ),
        (
            json!({"body": {}, "regex": "a", "subgroup": -1}),
            "RF1001",
            "extractors.e.subgroup",
        ),
        (json!("a"), "RF1001", "request.extractors.e"),
    ] {
        let text = compile(&json!({"request": {"extractors": {"e": extractor}}})).unwrap_err();
        assert!(
            text.contains(code) && text.contains(path),
            "{extractor}: {text}"
        );
    }
}

#[test]
fn an_attribute_that_the_host_does_not_tell_is_warned_about() {
    let warnings = |envoy: (u16, u16), name: &str| {
        let mut options = CompileOptions::default();
        options.capabilities.attributes_of_envoy = envoy;
        let half = header_rule(&format!("{{{{ attribute('{name}') }}}}"));
        let config = json!({"request": half}).to_string();
        let program = Program::compile(config.as_bytes(), &options).unwrap();
        let warnings: Vec<_> = program.warnings().iter().map(ToString::to_string).collect();
        warnings.concat()
    };
    assert_eq!(warnings((1, 36), "source.address"), "");
    assert_eq!(warnings((1, 38), "connection.mtls"), "");
    let warning = warnings((1, 37), "connection.mtls");
    assert!(
        warning.starts_with("warning[RF1010]") && warning.contains("from 1.38 on"),
        "{warning}"
    );
}

#[test]
fn only_extractors_of_the_body_buffer_it() {
    for (source, buffers) in [(json!({"header": "x"}), false), (json!({"body": {}}), true)] {
        let mut half = header_rule("{{ extraction('e') }}");
        half["extractors"] = json!({"e": source});
        half["extractors"]["e"]["regex"] = json!(".*");
        let program = compile(&json!({"response": half})).unwrap();
        assert_eq!(program.needs().response.buffers(), buffers, "{source}");
    }
}

#[test]
fn an_extractor_reads_the_body_of_its_direction() {
    let mut half = header_rule("{{ extraction('e') }}");
    half["extractors"] = json!({"e": {"body": {}, "regex": ".*id=([0-9]+).*", "subgroup": 1}});
    let program = compile(&json!({"response": half})).unwrap();
    let response = Message::new(&[], "a=1;id=42;b=2");
    let mut host = MemoryHost {
        response,
        ..MemoryHost::default()
    };
    host.send(&mut program.open(), Direction::Response).unwrap();
    assert_eq!(host.response.values("x-out"), ["42"]);
}

#[test]
fn a_response_reads_the_query_that_the_client_sent() {
    let program = compile(&json!({"response": header_rule("{{ query_param('a') }}")})).unwrap();
    assert!(program.needs().captures_request_headers);
    let request = Message::new(&[(":path", "/p?a=sent")], "");
    let mut host = MemoryHost {
        request,
        ..MemoryHost::default()
    };
    let mut exchange = program.open();
    let _ = exchange.on_request_headers(&mut host, true);
    host.request = Message::new(&[(":path", "/rewritten")], "");
    host.send(&mut exchange, Direction::Response).unwrap();
    assert_eq!(host.response.values("x-out"), ["sent"]);

    let given = "{{ query_param('/q?a=1', 'a') }}";
    let program = compile(&json!({"response": header_rule(given)})).unwrap();
    assert!(!program.needs().captures_request_headers);
}

#[test]
fn json_that_is_not_touched_keeps_its_bytes() {
    let body = r#"{ "big": 123456789012345678901234567890, "f": 1.50,  "k": [1, 2] }"#;
    for (template, result) in [
        (
            "{{ tojson(big) }} {{ f|tojson }}",
            "123456789012345678901234567890 1.50",
        ),
        ("{{ context()|tojson }}", body),
        (
            "{{ context()|json_set('/f', 2)|json_remove('/k/0') }}",
            r#"{ "big": 123456789012345678901234567890, "f": 2,  "k": [ 2] }"#,
        ),
        (
            "{{ json_set(context(), '/f', k) }}",
            r#"{ "big": 123456789012345678901234567890, "f": [1, 2],  "k": [1, 2] }"#,
        ),
        ("{{ json_merge(k, big) }}", "123456789012345678901234567890"),
        ("{{ fromjson('{\"n\": 1e400}')|tojson }}", "{\"n\": 1e400}"),
        ("{{ fromjson(body()).k[1] }}", "2"),
        ("{{ json_set('{}', '/a', 'text') }}", r#"{"a":"text"}"#),
        ("{{ json_set({}, '/a', none) }}", r#"{"a":null}"#),
    ] {
        assert_eq!(render(template, body).as_deref(), Ok(result), "{template}");
    }
}

#[test]
fn numbers_that_are_only_printed_keep_their_spelling() {
    let body = r#"{"a": 1.50, "b": 1E2, "c": -0, "d": 0.1234567890123456789012, "e": 1e400,
        "o": {"x": 2.50, "list": [3.50, {"y": 4.50}]}, "a-b": 5.50, "i": 7, "n": null, "zero": 0.0}"#;
    for (template, result) in [
        // Without the engine.
        (
            "{{ a }} {{ b }} {{ c }} {{ d }} {{ e }} {{ i }}",
            "1.50 1E2 -0 0.1234567890123456789012 1e400 7",
        ),
        ("{{ o.x }} {{ o.list[1].y }}", "2.50 4.50"),
        // In the engine.
        (
            "{% if true %}{{ a }} {{ b }} {{ c }} {{ d }} {{ e }} {{ i }}{% endif %}",
            "1.50 1E2 -0 0.1234567890123456789012 1e400 7",
        ),
        (
            "{% if true %}{{ o.x }} {{ o['x'] }} {{ o.list[0] }} {{ o.list[-2] }} {{ o.list[-1].y }}{% endif %}",
            "2.50 2.50 3.50 3.50 4.50",
        ),
        (
            "{% if true %}{{ context()['a-b'] }} {{ request.json.a }}{% endif %}",
            "5.50 1.50",
        ),
        (
            "{{ a|tojson }} {{ o.x|tojson }} {{ tojson(o.list[0]) }} {{ n|tojson }}",
            "1.50 2.50 3.50 null",
        ),
        (
            "{% for m in [o] %}{{ m.x }}{% endfor %} {% macro p(v) %}{{ v.x }}{% endmacro %}{{ p(o) }}",
            "2.50 2.50",
        ),
        ("{% autoescape 'html' %}{{ a }}{% endautoescape %}", "1.50"),
        (
            "{{ a|default(0.7) }} {{ a|default(0.7)|tojson }} {{ z|default(0.7)|tojson }} {{ o.x|d }} {{ a|string }}",
            "1.50 1.50 0.7 2.50 1.50",
        ),
        (
            "{{ a if i else b }} {{ a if not i else b }} {{ a or b }} {{ z or a }} {{ b and a }}",
            "1.50 1E2 1.50 1.50 1.50",
        ),
        ("{{ zero or 'none' }} {{ zero and 'some' }}", "none 0.0"),
        (
            "{% set k = 'x' %}{{ o[k] }} {% set k = -2 %}{{ o.list[k] }}",
            "2.50 3.50",
        ),
        (
            "{% macro tojson(v) %}{{ v * 2 }}{% endmacro %}{{ tojson(a) }}",
            "3.0",
        ),
        // What a template assigns is its own.
        ("{% set a = 2.5 %}{{ a }}", "2.5"),
        (
            "{% macro p(a) %}{{ a }}{% endmacro %}{{ p(0.25) }} {% for b in [0.5] %}{{ b }}{% endfor %}",
            "0.25 0.5",
        ),
        (
            "{% set o = {'x': 0.5} %}{{ o.x }} {{ [0.5][0] }}",
            "0.5 0.5",
        ),
        // What is computed is a float, and so is what gets another name.
        ("{{ a * 1 }} {{ a + b }} {{ a == 1.5 }}", "1.5 101.5 true"),
        ("{% set x = a %}{{ x }} {{ a ~ '' }}", "1.5 1.5"),
        (
            "{% for x in o.list %}{% if x is number %}{{ x }}{% endif %}{% endfor %}",
            "3.5",
        ),
        // What is not there.
        (
            "{% if true %}{{ z }}{{ z.z }}{{ n.z }}{{ a.z }}{{ o.list[9] }}{{ o.list[-9] }}{{ i[0] }}{% endif %}.",
            ".",
        ),
    ] {
        assert_eq!(render(template, body).as_deref(), Ok(result), "{template}");
    }
}

#[test]
fn a_number_that_is_the_whole_body_keeps_its_spelling() {
    for template in [
        "{{ request.json }}",
        "{% if true %}{{ request.json }}{% endif %}",
    ] {
        assert_eq!(
            render(template, "1.50").as_deref(),
            Ok("1.50"),
            "{template}"
        );
    }
}

#[test]
fn long_chains_in_front_of_a_value_are_compiled() {
    let defaults = format!("{{{{ a{} }}}}", "|default(0.5)".repeat(60));
    let branches = format!("{{{{ z{} or a }}}}", " or z".repeat(60));
    for template in [defaults, branches] {
        assert!(render(&template, r#"{"a": 1.50}"#).is_ok(), "{template}");
    }
}

#[test]
fn printing_an_item_costs_no_more_than_reading_it() {
    for template in [
        "{% set s = range(10000) %}{% for i in range(300) %}{{ s[0] }}{{ s.x }}{% endfor %}",
        "{% set t = 'x' * 600000 %}{% for i in range(100) %}{{ t[0] }}{{ t.x }}{% endfor %}",
    ] {
        assert!(render(template, "{}").is_ok(), "{template}");
    }
}

#[test]
fn functions_take_values_of_any_kind() {
    let body = r#"{"n": 12, "list": ["a b", {"c": null}], "t": "2026-01-02T03:04:05Z"}"#;
    for (template, result) in [
        (
            "{{ word_count(list) }} {{ word_count([n, 'a b']) }} {{ word_count(missing) }}",
            "3 3 0",
        ),
        ("{{ sha256(n) == sha256('12') }}", "true"),
        (
            "{{ urlencode(list) }}",
            "%5B%22a%20b%22%2C%20%7B%22c%22%3A%20null%7D%5D",
        ),
        ("{{ set_query_param('/x', 'n', n) }}", "/x?n=12"),
        (
            "{{ t|date('%d.%m.%Y') }} {{ 1.5|date }}",
            "02.01.2026 1970-01-01T00:00:01Z",
        ),
        ("{{ split(header('x-list'), ',')[1] }}", "b"),
        (
            "{{ split('a,b,c', ',', 1) }} {{ split(' a  b c ', none, 1) }}",
            r#"["a", "b,c"] ["a", "b c"]"#,
        ),
        ("{{ header('x-list')|split(',')|length }}", "2"),
        (
            "{% for part in split('a  b') %}<{{ part }}>{% endfor %}",
            "<a><b>",
        ),
        (
            "{% filter regex_replace('a', 'b') %}aa{% endfilter %}",
            "bb",
        ),
        (
            "{{ metadata('a', 'b')|default('-') }}{{ attribute('source.address') }}",
            "-",
        ),
    ] {
        assert_eq!(render(template, body).as_deref(), Ok(result), "{template}");
    }
}

#[test]
fn arguments_that_make_no_sense_fail_the_template() {
    for template in [
        "{{ urldecode('100%') }}",
        "{{ fromjson('{') }}",
        "{{ json_set('{', '/a', 1) }}",
        "{{ json_set('{}', 'a' ~ 'b', 1) }}",
        "{{ json_set('{}', '/a/b', 1) }}",
        "{{ json_remove('{}', '') }}",
        "{{ date('soon') }}",
        "{{ date([]) }}",
        "{{ date(340282366920938463463374607431768211455) }}",
        "{{ ['a']|map('regex_match', 'a')|list }}",
    ] {
        assert_eq!(
            render(template, "{}"),
            Err(TransformErrorKind::Render),
            "{template}"
        );
    }
}

#[test]
fn functions_pay_for_their_output_and_their_work() {
    let long = format!("{{\"t\": \"{}\"}}", "a".repeat(1 << 20));
    for template in [
        "{% for i in range(1000) %}{{ sha256(t) }}{% endfor %}",
        "{% for i in range(1000) %}{{ regex_match(t, 'b$') }}{% endfor %}",
        "{% for i in range(1000) %}{{ word_count(t) }}{% endfor %}",
        "{% for i in range(1000) %}{{ urlencode(t)|length }}{% endfor %}",
        "{% for i in range(1000) %}{{ sha1(t, 'base64') }}{% endfor %}",
        "{% for i in range(1000) %}{{ form(t)|length }}{% endfor %}",
        "{% for i in range(1000) %}{{ toform({'t': t})|length }}{% endfor %}",
        "{% for i in range(1000) %}{{ toxml({'t': t})|length }}{% endfor %}",
        "{% for i in range(1000) %}{{ fromxml('<a>' ~ t ~ '</a>').a|length }}{% endfor %}",
        "{% for i in range(1000) %}{{ json_set(context(), '/t', i)|length }}{% endfor %}",
        "{{ regex_replace(t, '^.*$', '$0$0$0$0$0$0$0$0$0') }}",
    ] {
        assert_eq!(
            render(template, &long),
            Err(TransformErrorKind::TooMuchOutput),
            "{template}"
        );
    }
}

#[test]
fn json_keys_never_take_the_place_of_a_function() {
    let body = r#"{"sha256": 1, "now": 2, "regex_match": 3, "urlencode": 4, "metadata": 5}"#;
    let template = "{{ regex_match('a', 'a') }} {{ urlencode(' ') }} {{ 'x'|urlencode }} {{ now }}";
    assert_eq!(render(template, body).as_deref(), Ok("true %20 x 2"));
}

/// The configuration of a section of the documentation.
fn documented(section: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/templates.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, text) = text.split_once(section).unwrap();
    let (_, text) = text.split_once("```json\n").unwrap();
    let (config, _) = text.split_once("```").unwrap();
    serde_json::from_str(config).unwrap()
}

#[test]
fn the_documented_soap_example_translates_both_ways() {
    let program = compile(&documented("## XML\n")).unwrap();
    let answer = "<?xml version='1.0' encoding='UTF-8'?>\n\
        <soap:Envelope xmlns:soap='http://schemas.xmlsoap.org/soap/envelope/'>\n <soap:Body>\n  \
        <GetPriceResponse><price currency='EUR'>1.90</price><price currency='EUR'>2</price>\
        </GetPriceResponse>\n </soap:Body>\n</soap:Envelope>";
    let mut host = MemoryHost {
        request: Message::new(
            &[(":path", "/price")],
            r#"{"items": ["tea", "milk & more"]}"#,
        ),
        response: Message::new(&[(":status", "200"), ("content-type", "text/xml")], answer),
        ..MemoryHost::default()
    };
    let mut exchange = program.open();
    host.send(&mut exchange, Direction::Request).unwrap();
    assert_eq!(
        String::from_utf8(host.request.body_bytes()).unwrap(),
        "<?xml version=\"1.0\"?>\
         <soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>\
         <GetPrice xmlns=\"urn:shop\"><item>tea</item><item>milk &amp; more</item></GetPrice>\
         </soap:Body></soap:Envelope>"
    );
    host.send(&mut exchange, Direction::Response).unwrap();
    assert_eq!(
        String::from_utf8(host.response.body_bytes()).unwrap(),
        r##"{"price":[{"@currency":"EUR","#text":"1.90"},{"@currency":"EUR","#text":"2"}]}"##
    );
}

#[test]
fn forms_and_xml_are_read_and_written() {
    let body = r#"{"x": "<o><i>1</i></o>", "f": "a=1&b=%zz&a=+2&c&=3", "n": 1.50, "bad": "<a>"}"#;
    for (template, result) in [
        (
            "{{ form(f) }}",
            r#"{"a": ["1", " 2"], "b": "%zz", "c": "", "": "3"}"#,
        ),
        ("{{ form('') }}", "{}"),
        ("a{{ form(f).a[1] }}|{{ form(request.query).a }}", "a 2|1"),
        ("{{ toform(form(f)) }}", "a=1&a=+2&b=%25zz&c=&=3"),
        (
            "{{ toform({'n': n, 'l': [1, none, true], 'none': none, 'm': missing}) }}",
            "l=1&l=true&n=1.5",
        ),
        ("{{ toform('{\"b\": 1, \"a\": \"é\"}') }}", "b=1&a=%C3%A9"),
        (
            "{{ fromxml(x).o.i }}|{{ fromxml(x).o.j is undefined }}",
            "1|true",
        ),
        ("{{ toxml(fromxml(x)) }}", "<o><i>1</i></o>"),
        (
            "{{ toxml({'o': {'n': n, 'm': missing}}) }}",
            "<o><m/><n>1.5</n></o>",
        ),
        (
            "{{ toxml('{\"o\": {\"b\": 1, \"a\": 2}}') }}",
            "<o><b>1</b><a>2</a></o>",
        ),
        (
            "{{ fromxml(x) | json_set('/o/i', 2) | toxml }}",
            "<o><i>2</i></o>",
        ),
        (
            "{% set o = fromxml(x).o %}{% set all = o.i if o.i is sequence else [o.i] %}{{ all }}",
            "[\"1\"]",
        ),
    ] {
        assert_eq!(render(template, body).as_deref(), Ok(result), "{template}");
    }
    for template in [
        "{{ fromxml(bad) }}",
        "{{ toxml({'a': 1, 'b': 2}) }}",
        "{{ toxml('text') }}",
        "{{ toform([1]) }}",
        "{{ toform({'a': {}}) }}",
        "{{ toform({'a': [[1]]}) }}",
    ] {
        let result = render(template, body);
        assert_eq!(result, Err(TransformErrorKind::Render), "{template}");
    }
}

#[test]
fn the_lines_of_a_header_are_read_one_by_one() {
    let lines = [
        ("set-cookie", "a=1; expires=Thu, 05 Mar 2026 07:08:09 GMT"),
        ("x-none", "other"),
        ("set-cookie", ""),
        ("set-cookie", "b=2"),
        ("x-one", "a, b"),
    ];
    let quoted = r#"["a=1; expires=Thu, 05 Mar 2026 07:08:09 GMT", "", "b=2"]"#;
    for (template, result) in [
        ("{{ headers('Set-Cookie') }}", quoted),
        ("{{ headers('set-' ~ 'cookie') }}", quoted),
        (
            "{{ headers('x-one') }}{{ headers('x-two') }}",
            "[\"a, b\"][]",
        ),
        (
            "{{ headers('x-one')[0] }}|{{ header('x-one') }}",
            "a, b|a, b",
        ),
        (
            "{{ header('set-cookie') }}|{{ headers('set-cookie') | length }}",
            "a=1; expires=Thu, 05 Mar 2026 07:08:09 GMT, , b=2|3",
        ),
        (
            "{% for line in headers('set-cookie') if line %}{{ split(line, '=')[0] }};{% endfor %}",
            "a;b;",
        ),
        ("{{ headers('cookie') }}", "[]"),
    ] {
        let rules = json!({"set": [{"name": "x-out", "value": template}]});
        let program = compile(&json!({"onError": "fail", "response": rules})).unwrap();
        let mut host = MemoryHost {
            request: Message::new(&[("cookie", "a=1"), ("cookie", "b=2")], ""),
            response: Message::new(&lines, ""),
            ..MemoryHost::default()
        };
        let mut stream = program.open();
        let _ = stream.on_request_headers(&mut host, true);
        host.send(&mut stream, Direction::Response).unwrap();
        assert_eq!(host.response.values("x-out"), [result], "{template}");
    }
}

#[test]
fn the_lines_of_a_request_are_those_of_the_request() {
    let template = "{{ headers('cookie') }}|{{ header('cookie') }}|%REQ(cookie)%";
    let program = compile(&json!({"request": header_rule(template)})).unwrap();
    let mut host = MemoryHost {
        request: Message::new(&[("cookie", "a=1; x=y"), ("cookie", "b=2")], ""),
        ..MemoryHost::default()
    };
    host.send(&mut program.open(), Direction::Request).unwrap();
    let expected = "[\"a=1; x=y\", \"b=2\"]|a=1; x=y; b=2|a=1; x=y";
    assert_eq!(host.request.values("x-out"), [expected]);
}
