//! Keeps `docs/templates.md` in step with the code, and its examples true.
//!
//! The part after the marker is generated from the tables of the library. With `UPDATE_DOCS=1` the
//! test rewrites it.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use transformations::functions::{self, Builtin, FILTERS, TESTS, VARIABLES};
use transformations::testing::{MemoryHost, Message, MetadataValue};
use transformations::{Attribute, CompileOptions, Direction, HostValue, MetadataSource, Program};

const MARKER: &str = "<!-- Everything below is generated from the code: UPDATE_DOCS=1 cargo test -p transformations --test template_reference -->\n";

const ATTRIBUTES: &str = "
## Attributes

What `attribute(name)` can be asked for. It is empty in an Envoy older than the one that is named, for `connection`
where there is no TLS or no certificate to tell of, and for `upstream` in a request, whose upstream is not chosen yet
(`upstream.request_attempt_count` is 0). `connection.mtls` is false for a client that showed no certificate, and empty
without TLS. `request.size` and `request.total_size` count what has come so far. A configuration that reads what this
Envoy does not tell is loaded with a warning. Envoy 1.39 gives the name of the virtual cluster, if there is one, as
`xds.virtual_host_name`.

";

const REQUEST_BODY: &str = r#"{"model":"gpt-4o","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello there"}],"n": 1}"#;
const RESPONSE_BODY: &str = r#"{"id":"r-1","usage":{"total_tokens":12}}"#;

/// The message that the document describes.
fn host() -> MemoryHost {
    let text = |text: &str| text.to_owned();
    MemoryHost {
        request: Message::new(
            &[
                (":method", "POST"),
                (":scheme", "https"),
                (":authority", "api.example.com"),
                (":path", "/v1/chat?user=ann+lee&page=2"),
                ("x-tenant", "acme"),
                ("cookie", "session=abc; theme=dark"),
            ],
            REQUEST_BODY,
        ),
        response: Message::new(
            &[(":status", "200"), ("content-type", "application/json")],
            RESPONSE_BODY,
        ),
        metadata: vec![
            (
                text("my.company"),
                text("user"),
                MetadataValue::String(text("user-7")),
            ),
            (
                text("io.solo.transformation"),
                text("tier"),
                MetadataValue::String(text("gold")),
            ),
        ],
        upstream_metadata: vec![
            (
                MetadataSource::Cluster,
                text("my.company"),
                text("region"),
                HostValue::Text(text("eu-1")),
            ),
            (
                MetadataSource::Host,
                text("envoy.lb"),
                text("zone"),
                HostValue::Text(text("b")),
            ),
        ],
        attributes: vec![(
            text("source.address"),
            HostValue::Text(text("192.0.2.7:51234")),
        )],
        seconds: 1_767_225_600,
        ..MemoryHost::default()
    }
}

/// Renders a template into the body, so that line ends survive.
fn render(template: &str, of_response: bool) -> Result<String, String> {
    let half = json!({
        "body": {"parseAs": "AsJson", "value": template},
        "extractors": {"version": {"header": ":path", "regex": "/(v[0-9]+)/.*", "subgroup": 1}},
    });
    let direction = if of_response { "response" } else { "request" };
    let config = json!({ direction: half }).to_string();
    let program = Program::compile(config.as_bytes(), &CompileOptions::default())
        .map_err(|problems| problems.to_string())?;
    let mut host = host();
    let mut exchange = Arc::new(program).open();
    let (result, message) = if of_response {
        let _ = exchange.on_request_headers(&mut host, true);
        (
            host.send(&mut exchange, Direction::Response),
            &host.response,
        )
    } else {
        (host.send(&mut exchange, Direction::Request), &host.request)
    };
    result.map_err(|error| error.to_string())?;
    String::from_utf8(message.body_bytes()).map_err(|error| error.to_string())
}

fn examples() -> impl Iterator<Item = ((&'static str, &'static str), bool)> {
    let variables = VARIABLES
        .iter()
        .map(|variable| (variable.example, variable.of_response));
    let functions = functions::all().map(|function| (function.example(), false));
    let builtins = FILTERS
        .iter()
        .chain(TESTS)
        .map(|builtin| (builtin.example, false));
    variables.chain(functions).chain(builtins)
}

#[test]
fn every_example_gives_what_the_reference_says() {
    let wrong: Vec<_> = examples()
        .filter_map(|((template, expected), of_response)| {
            let found = render(template, of_response);
            (found.as_deref() != Ok(expected)).then(|| format!("{template}: {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_entry_is_about_the_function_it_names() {
    for function in functions::all() {
        assert!(
            function.signature().starts_with(function.name()),
            "{}",
            function.name()
        );
        assert!(
            function.example().0.contains(function.name()),
            "{}",
            function.name()
        );
        assert!(!function.summary().is_empty(), "{}", function.name());
    }
}

/// `urlencode(text)` and `text | urlencode` are one function.
#[test]
fn every_filter_of_our_own_gives_the_same_as_its_function() {
    for (function, filter) in [
        ("split(\"a b\", \" \")", "\"a b\" | split(\" \")"),
        ("word_count(\"a b\")", "\"a b\" | word_count"),
        ("urlencode(\"a b\")", "\"a b\" | urlencode"),
        ("urldecode(\"a%20b\")", "\"a%20b\" | urldecode"),
        (
            "query_param(\"/?a=1\", \"a\")",
            "\"/?a=1\" | query_param(\"a\")",
        ),
        (
            "set_query_param(\"/\", \"a\", 1)",
            "\"/\" | set_query_param(\"a\", 1)",
        ),
        (
            "remove_query_param(\"/?a\", \"a\")",
            "\"/?a\" | remove_query_param(\"a\")",
        ),
        ("jwt_payload(\"a.e30.b\")", "\"a.e30.b\" | jwt_payload"),
        ("fixed(1.5, 2)", "1.5 | fixed(2)"),
        ("sha1(\"a\")", "\"a\" | sha1"),
        ("sha256(\"a\")", "\"a\" | sha256"),
        ("sha512(\"a\", \"base64\")", "\"a\" | sha512(\"base64\")"),
        (
            "hmac_sha1(\"key\", \"text\")",
            "\"text\" | hmac_sha1(\"key\")",
        ),
        (
            "hmac_sha256(\"key\", \"text\")",
            "\"text\" | hmac_sha256(\"key\")",
        ),
        (
            "hmac_sha512(\"key\", \"text\", \"hex\")",
            "\"text\" | hmac_sha512(\"key\", \"hex\")",
        ),
        (
            "regex_match(\"ab\", \"b$\")",
            "\"ab\" | regex_match(\"b$\")",
        ),
        (
            "regex_replace(\"ab\", \"b\", \"c\")",
            "\"ab\" | regex_replace(\"b\", \"c\")",
        ),
        ("date(0, \"%Y\")", "0 | date(\"%Y\")"),
        ("tojson(messages)", "messages | tojson"),
        ("fromjson(\"[1]\")", "\"[1]\" | fromjson"),
        ("fromxml(\"<a/>\")", "\"<a/>\" | fromxml"),
        ("toxml({\"a\": 1})", "{\"a\": 1} | toxml"),
        ("form(\"a=1\")", "\"a=1\" | form"),
        ("toform({\"a\": 1})", "{\"a\": 1} | toform"),
        (
            "json_set(context(), \"/n\", 2)",
            "context() | json_set(\"/n\", 2)",
        ),
        (
            "json_remove(context(), \"/n\")",
            "context() | json_remove(\"/n\")",
        ),
        (
            "json_merge(context(), {\"n\": 2})",
            "context() | json_merge({\"n\": 2})",
        ),
    ] {
        let by_function = render(&format!("{{{{ {function} }}}}"), false).unwrap();
        let by_filter = render(&format!("{{{{ {filter} }}}}"), false).unwrap();
        assert_eq!(by_function, by_filter, "{function}");
        let name = function.split_once('(').map(|(name, _)| name);
        let known = functions::all().find(|known| Some(known.name()) == name);
        assert!(
            known.is_some_and(|known| known.filter().is_some()),
            "{function}"
        );
    }
    assert_eq!(
        functions::all()
            .filter(|known| known.filter().is_some())
            .count(),
        27
    );
}

#[test]
fn names_are_unique() {
    let mut functions: Vec<_> = functions::all().map(|function| function.name()).collect();
    let own = functions::all().filter(|function| function.filter().is_some());
    let mut filters: Vec<_> = FILTERS.iter().map(|filter| filter.name).collect();
    filters.extend(own.map(|function| function.name()));
    let mut tests: Vec<_> = TESTS.iter().map(|test| test.name).collect();
    for names in [&mut functions, &mut filters, &mut tests] {
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

#[test]
fn the_reference_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/templates.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (prose, found) = text.split_once(MARKER).unwrap();
    let generated = generate();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{prose}{MARKER}{generated}")).unwrap();
    } else {
        assert!(
            found == generated,
            "docs/templates.md is stale: run with UPDATE_DOCS=1"
        );
    }
}

fn generate() -> String {
    let mut out = String::new();
    out.push_str("\n## The example message\n\nAll examples below are run against this message by a test.\n\n```http\n");
    let host = host();
    for (title, message) in [("", &host.request), ("\n", &host.response)] {
        out.push_str(title);
        for (name, value) in &message.headers {
            let (name, value) = (
                String::from_utf8_lossy(name),
                String::from_utf8_lossy(value),
            );
            writeln!(out, "{name}: {value}").unwrap();
        }
        writeln!(out, "\n{}", String::from_utf8_lossy(&message.body_bytes())).unwrap();
    }
    out.push_str("```\n\n## Variables\n\n");
    for variable in VARIABLES {
        let classic = match variable.classic {
            "" => String::new(),
            classic => format!(" (kgateway: `{classic}`)"),
        };
        write!(out, "- `{}`{classic}: {}", variable.name, variable.summary).unwrap();
        example(&mut out, variable.example);
    }
    out.push_str("\n## Functions\n");
    for (title, family) in functions::FAMILIES {
        write!(out, "\n### {title}\n\n").unwrap();
        for function in *family {
            let filter = function.filter().map(|usage| format!(" or `{usage}`"));
            let filter = filter.unwrap_or_default();
            write!(
                out,
                "- `{}`{filter}: {}",
                function.signature(),
                function.summary()
            )
            .unwrap();
            example(&mut out, function.example());
        }
    }
    out.push_str("\n## Filters of the engine\n\n");
    FILTERS.iter().for_each(|filter| builtin(&mut out, filter));
    out.push_str("\n## Tests\n\n");
    TESTS.iter().for_each(|test| builtin(&mut out, test));
    out.push_str(ATTRIBUTES);
    for attribute in Attribute::ALL {
        write!(out, "- `{}`: {:?}", attribute.name(), attribute.kind()).unwrap();
        let (major, minor) = attribute.since();
        if (major, minor) > (1, 36) {
            write!(out, ", from Envoy {major}.{minor}").unwrap();
        }
        out.push('\n');
    }
    out
}

fn builtin(out: &mut String, builtin: &Builtin) {
    write!(out, "- `{}`: {}", builtin.signature, builtin.summary).unwrap();
    example(out, builtin.example);
}

fn example(out: &mut String, (template, result): (&str, &str)) {
    let result = match result {
        "" => "nothing".to_owned(),
        // A code span loses line ends.
        result => format!("`{}`", result.replace('\n', "⏎")),
    };
    writeln!(out, " `{template}` gives {result}.").unwrap();
}
