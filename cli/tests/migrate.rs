//! What `migrate` makes of other engines' configurations is valid, and does what those engines are described to do.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rustformations"));
    command
        .args(arguments)
        .env_remove("RUSTFORMATIONS_PROFILES");
    command.output().unwrap()
}

/// Moves a configuration, and sends a message through what came of it: with `response` an answer, else a request.
/// Answers the message as it goes on, or its metadata.
fn moved(folder: &Path, given: &Value, headers: &[&str], body: &str, response: bool) -> Value {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let given = write("given.json", &given.to_string());
    let output = run(&["migrate", &given]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let config = write("config.json", str::from_utf8(&output.stdout).unwrap());
    let valid = run(&["validate", &config]);
    assert!(
        valid.status.success(),
        "{}",
        String::from_utf8_lossy(&valid.stdout)
    );
    let head = headers.join("\n");
    let head = if head.is_empty() {
        head
    } else {
        format!("{head}\n")
    };
    let mut arguments = vec!["render", "-c", &config, "--format", "json"];
    let (request, answer);
    if response {
        answer = write("answer.http", &format!("HTTP/1.1 200 OK\n{head}\n{body}\n"));
        arguments.extend(["/v1/chat", "--response", &answer]);
    } else {
        request = write(
            "request.http",
            &format!("POST /v1/chat HTTP/1.1\n{head}\n{body}\n"),
        );
        arguments.extend(["--request", &request]);
    }
    let output = run(&arguments);
    serde_json::from_slice(&output.stdout).unwrap()
}

fn header<'v>(message: &'v Value, name: &str) -> Vec<&'v str> {
    let headers = message["headers"].as_array().unwrap().iter();
    let named = headers.filter(|it| it[0] == name);
    named.map(|it| it[1].as_str().unwrap()).collect()
}

/// A classic template that sets a header.
fn sets(text: &str) -> Value {
    json!({"requestTransformation": {"transformationTemplate": {"headers": {"x-out": {"text": text}}}}})
}

const BODY: &str = r#"{"model":"m","user-id":7,"list":[{"name":"a"},{"name":"b"}],"map":{"k":"v","l":2},"empty":"","n":1.6,"text":"two words"}"#;

#[test]
fn templates_of_inja_come_to_what_inja_makes_of_them() {
    let folder = tempfile::tempdir().unwrap();
    for (template, expected) in [
        (
            "{{ header(\":path\") }} {{ request_header(\"x-in\") }}",
            "/v1/chat in",
        ),
        ("{{ model }}", "m"),
        ("{{ list.1.name }}", "b"),
        ("{{ user-id }}", "7"),
        ("{{ upper(model) }}{{ lower(\"A\") }}", "Ma"),
        ("{{ length(list) }}", "2"),
        ("{{ default(missing, \"none\") }}", "none"),
        (
            "{% if exists(\"map.k\") %}yes{% endif %}{% if exists(\"map.z\") %}no{% endif %}",
            "yes",
        ),
        ("{% if existsIn(map, \"k\") %}yes{% endif %}", "yes"),
        ("{{ first(list).name }}{{ last(list).name }}", "ab"),
        ("{{ at(list, 1).name }}", "b"),
        ("{{ round(n, 0) }}", "2"),
        (
            "{% if isString(model) and not isNumber(model) %}text{% endif %}",
            "text",
        ),
        (
            "{% if odd(3) and even(2) and divisibleBy(6, 3) %}yes{% endif %}",
            "yes",
        ),
        (
            "{% if header(\"x-in\") == \"out\" %}1{% else if header(\"x-in\") == \"in\" %}2{% endif %}",
            "2",
        ),
        (
            "{% for x in list %}{{ loop.index }}{{ loop.index1 }}{{ x.name }}{% if not loop.is_last %}, {% endif %}{% endfor %}",
            "01a, 12b",
        ),
        (
            "{% for k, v in map %}{{ k }}={{ v }};{% endfor %}",
            "k=v;l=2;",
        ),
        ("{% set x = header(\"x-in\") %}{{ x }}", "in"),
        ("{{ word_count(text) }}", "2"),
        (
            "{{ substring(model, 0, 1) }}{{ substring(text, 4) }}{{ substring(text, 4, 0) }}",
            "mwordswords",
        ),
        ("{{ base64_encode(header(\"x-in\")) }}", "aW4="),
        ("{{ 2 ^ 3 }}", "8"),
        ("{{ join([\"a\", \"b\"], \"-\") }}", "a-b"),
    ] {
        let shown = moved(folder.path(), &sets(template), &["x-in: in"], BODY, false);
        assert_eq!(header(&shown["request"], "x-out"), [expected], "{template}");
    }
}

#[test]
fn bodies_are_written_by_lines_that_are_statements() {
    let folder = tempfile::tempdir().unwrap();
    let text = "names:\n## for x in list\n- {{ x.name }}\n## endfor\nend";
    let given =
        json!({"response_transformation": {"transformation_template": {"body": {"text": text}}}});
    let shown = moved(
        folder.path(),
        &given,
        &["content-type: application/json"],
        BODY,
        true,
    );
    assert_eq!(shown["response"]["body"], "names:\n- a\n- b\nend");
}

#[test]
fn all_parts_of_a_classic_transformation_are_moved() {
    let folder = tempfile::tempdir().unwrap();
    let given = json!({"requestTransformation": {"transformationTemplate": {
        "extractors": {
            "version": {"header": ":path", "regex": "/(v[0-9]+)/.*", "subgroup": 1},
            "id": {"body": {}, "regex": ".*id=([0-9]+).*", "subgroup": 1},
        },
        "headers": {"x-version": {"text": "{{ extraction(\"version\") }}"}, "x-empty": {"text": ""}},
        "headersToAppend": [{"key": "x-id", "value": {"text": "{{ extraction(\"id\") }}"}}],
        "headersToRemove": ["x-debug"],
        "dynamicMetadataValues": [
            {"key": "version", "value": {"text": "{{ extraction(\"version\") }}"}},
            {"metadataNamespace": "team", "key": "id", "value": {"text": "{{ extraction(\"id\") }}"}},
        ],
        "passthrough": {},
    }}});
    let headers = ["x-debug: 1", "x-empty: 1", "x-id: 1"];
    let shown = moved(folder.path(), &given, &headers, "a id=42 b", false);
    let request = &shown["request"];
    assert_eq!(header(request, "x-version"), ["v1"]);
    assert_eq!(header(request, "x-id"), ["1", "42"]);
    assert!(header(request, "x-debug").is_empty() && header(request, "x-empty").is_empty());
    assert_eq!(request["body"], "a id=42 b");
    assert_eq!(
        shown["metadata"],
        json!([
            {"namespace": "io.solo.transformation", "key": "version", "value": "v1"},
            {"namespace": "team", "key": "id", "value": "42"},
        ])
    );
    // There an expression has to match all of a body.
    let shown = moved(folder.path(), &given, &headers, "a id=42\nb", false);
    assert_eq!(header(&shown["request"], "x-id"), ["1"]);
}

#[test]
fn what_extractors_find_is_merged_into_the_body() {
    let folder = tempfile::tempdir().unwrap();
    let given = json!({"requestTransformation": {"transformationTemplate": {
        "extractors": {"version": {"header": ":path", "regex": "/(v[0-9]+)/.*", "subgroup": 1}},
        "mergeExtractorsToBody": {},
    }}});
    let shown = moved(folder.path(), &given, &[], r#"{"a":1}"#, false);
    let body: Value = serde_json::from_str(shown["request"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, json!({"a": 1, "version": "v1"}));
}

#[test]
fn what_cannot_be_parsed_passes_if_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut given = sets("{{ model }}");
    given["requestTransformation"]["transformationTemplate"]["ignoreErrorOnParse"] = json!(true);
    let shown = moved(folder.path(), &given, &[], "no json", false);
    assert_eq!(shown["request"]["goesOn"], true);
    let shown = moved(folder.path(), &sets("{{ model }}"), &[], "no json", false);
    assert_eq!(shown["request"]["answered"], 400);
}

#[test]
fn the_shapes_of_the_first_engine_are_moved() {
    let folder = tempfile::tempdir().unwrap();
    let given = json!({
        "request_headers_setter": [["x-out", "{{ substring(\"ENVOY\", 1, 3) }}{{ substring(header(\"x-in\"), 1) }}"]],
    });
    let shown = moved(folder.path(), &given, &["x-in: in"], "", false);
    assert_eq!(header(&shown["request"], "x-out"), ["NVn"]);
}

#[test]
fn maps_of_headers_become_lists() {
    let folder = tempfile::tempdir().unwrap();
    let given = json!({"request": {"set": {"x-out": "{{ header(\"x-in\") }}"}, "add": {"x-in": "more"}, "remove": ["x-no"]}});
    let shown = moved(folder.path(), &given, &["x-in: in", "x-no: 1"], "", false);
    assert_eq!(header(&shown["request"], "x-out"), ["in"]);
    assert_eq!(header(&shown["request"], "x-in"), ["in", "more"]);
    assert!(header(&shown["request"], "x-no").is_empty());
    let made = std::fs::read(folder.path().join("config.json")).unwrap();
    let made: Value = serde_json::from_slice(&made).unwrap();
    let list = json!([{"name": "x-in", "value": "more"}]);
    assert_eq!(made["request"]["add"], list);
}

#[test]
fn a_policy_stays_a_policy() {
    let folder = tempfile::tempdir().unwrap();
    let given = json!({
        "apiVersion": "gateway.kgateway.dev/v1alpha1", "kind": "TrafficPolicy", "metadata": {"name": "p"},
        "spec": {"targetRefs": [{"name": "r"}], "transformation": {"request": {
            "set": [{"name": "x-out", "value": "{{ upper(model) }}"}]}}},
    });
    let shown = moved(folder.path(), &given, &[], BODY, false);
    assert_eq!(header(&shown["request"], "x-out"), ["M"]);
    let made = std::fs::read(folder.path().join("config.json")).unwrap();
    let made: Value = serde_json::from_slice(&made).unwrap();
    assert_eq!(made["spec"]["targetRefs"], json!([{"name": "r"}]));
    assert_eq!(made["metadata"], given["metadata"]);
}

#[test]
fn what_is_explained_of_it_is_said() {
    let explained = transformations::Code::find("RF2006").and_then(|it| it.explained());
    let transformations::codes::Example::File(text) = explained.unwrap().example else {
        panic!("RF2006 has no file");
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.yaml");
    std::fs::write(&file, text).unwrap();
    let output = run(&["migrate", file.to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("error[RF2006]") && said.contains("file.yaml:1:"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(1));
}
