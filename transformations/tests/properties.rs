//! Properties that hold for every configuration, template and message.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use transformations::profiles::Profiles;
use transformations::testing::{MemoryFiles, MemoryHost, Message};
use transformations::{CompileOptions, Direction, Program};

/// JSON of any shape, with this project's field names mixed in.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "request",
        "response",
        "set",
        "add",
        "remove",
        "body",
        "parseAs",
        "value",
        "name",
        "dynamicMetadata",
        "namespace",
        "key",
        "stringValue",
        "limits",
        "fuel",
        "envAllow",
        "onError",
        "patch",
        "op",
        "path",
        "from",
        "valueJson",
        "jsonValue",
        "clearRouteCache",
        "other",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec!["AsJson", "None", ":path", "x-a", "{{ x }}", "{% if"])
            .prop_map(Value::from),
        any_template().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
            }),
        ]
    })
}

/// Text made of pieces that mean something to the template language.
fn any_template() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "header('x-a')",
        "request.method",
        "request",
        "x",
        "[",
        "]",
        "(",
        ")",
        ".",
        "|",
        "upper",
        "tojson",
        "is",
        "defined",
        "+",
        "*",
        "~",
        "9",
        "'é'",
        "-",
        " ",
        "if",
        "endif",
        "for i in range(3)",
        "endfor",
        "set x = ",
        "macro m()",
        "endmacro",
        "\n",
        "text",
        "body()",
        "context()",
        "elif",
        "else",
        "loop.index",
        "//",
        "0",
        ":",
        ",",
        "{",
        "}",
        "raw",
        "endraw",
        "substring('é', 1)",
        "|batch(2)",
        "|join(',')",
        "not",
        "none",
        "true",
        "==",
        "%",
        "%REQ(x-a)%",
        "%START_TIME(%s.%3f)%",
        "%TRAILER(é",
    ]);
    prop::collection::vec(pieces, 0..14).prop_map(|pieces| pieces.concat())
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-c]", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Compiles and runs a configuration on a message; what matters is that it returns.
fn exercise(config: &[u8]) {
    let Ok(program) = Program::compile(config, &CompileOptions::default()) else {
        return;
    };
    let program = Arc::new(program);
    let mut host = MemoryHost {
        request: Message::new(
            &[(":path", "/a?b"), (":method", "GET"), ("x-a", "é")],
            "{\"x\": [1]}",
        ),
        response: Message::new(&[(":status", "200")], "[1]"),
        ..MemoryHost::default()
    };
    let mut exchange = program.open();
    let _ = host.send(&mut exchange, Direction::Request);
    let _ = host.send(&mut exchange, Direction::Response);
}

fn body_of(template: &str, headers: &[(&str, &str)], body: &str) -> Result<String, String> {
    let config = json!({
        "limits": {"fuel": 20_000, "outputBytes": 100_000},
        "request": {"body": {"parseAs": "AsJson", "value": template}},
    });
    let options = CompileOptions::default();
    let program = Program::compile(config.to_string().as_bytes(), &options)
        .map_err(|found| found.to_string())?;
    let mut host = MemoryHost {
        request: Message::new(headers, body),
        ..MemoryHost::default()
    };
    host.send(&mut Arc::new(program).open(), Direction::Request)
        .map_err(|error| error.to_string())?;
    Ok(String::from_utf8(host.request.body_bytes()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn compiling_any_bytes_returns(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        exercise(&bytes);
    }

    #[test]
    fn compiling_any_json_returns(value in any_json()) {
        exercise(value.to_string().as_bytes());
    }

    #[test]
    fn any_text_is_a_file_of_profiles_or_is_refused(text in "[a-z&*!?|>{}\\[\\]:,\"'# \n-]{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for file in ["profiles.yaml", "profiles.json"] {
            let _ = Profiles::parse(file, text.as_bytes());
            let _ = Profiles::parse(file, format!("profiles: {text}").as_bytes());
            let _ = Profiles::parse(file, &bytes);
        }
    }

    #[test]
    fn any_policy_and_any_profile_join_or_are_refused(mut policy in any_json(), profile in any_json()) {
        let rule = json!({"name": "x-rustformations-profile", "value": "chat"});
        if let Some(fields) = policy.as_object_mut() {
            let request = fields.entry("request").or_insert_with(|| json!({}));
            if let Some(request) = request.as_object_mut() {
                match request.get_mut("set").and_then(Value::as_array_mut) {
                    Some(rules) => rules.push(rule),
                    None => drop(request.insert("set".to_owned(), json!([rule]))),
                }
            }
        }
        let profiles = json!({"profiles": {"chat": profile}}).to_string();
        let files = MemoryFiles {
            profiles: Some(("profiles.json".to_owned(), profiles)),
            ..MemoryFiles::default()
        };
        let options = CompileOptions::default();
        let joined = Program::compile_with(policy.to_string().as_bytes(), &options, &files);
        if let Ok(program) = joined {
            let name = program.profile();
            prop_assert!(name.is_none() || name == Some("chat"));
        }
    }

    #[test]
    fn any_template_compiles_or_is_refused_and_renders_or_fails(template in any_template()) {
        for parse_as in ["AsString", "AsJson", "None"] {
            let config = json!({
                "limits": {"fuel": 20_000, "outputBytes": 100_000},
                "request": {
                    "set": [{"name": "x-b", "value": template}],
                    "body": {"parseAs": parse_as, "value": template},
                },
                "response": {"add": [{"name": "x-b", "value": template}]},
            });
            exercise(config.to_string().as_bytes());
        }
    }

    #[test]
    fn a_configuration_without_effects_changes_nothing(
        headers in prop::collection::vec(("[a-z:-]{1,8}", prop::collection::vec(any::<u8>(), 0..8)), 0..6),
        body in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..16), 0..4),
    ) {
        let headers = headers.into_iter().map(|(name, value)| (name.into_bytes(), value)).collect();
        let message = Message { headers, body };
        let before =
            MemoryHost { request: message.clone(), response: message, ..MemoryHost::default() };
        let config = br#"{"request": {"set": [], "body": {"parseAs": "AsJson"}},
                          "response": {"body": {"parseAs": "AsString", "value": ""}}}"#;
        let program = Arc::new(Program::compile(config, &CompileOptions::default()).unwrap());
        let mut host = before.clone();
        let mut exchange = program.open();
        host.send(&mut exchange, Direction::Request).unwrap();
        host.send(&mut exchange, Direction::Response).unwrap();
        for (is, was) in [(&host.request, &before.request), (&host.response, &before.response)] {
            prop_assert_eq!(&is.headers, &was.headers);
            prop_assert_eq!(is.body_bytes(), was.body_bytes());
        }
        prop_assert_eq!(&host.metadata, &before.metadata);
    }

    #[test]
    fn the_fast_path_and_the_engine_agree(
        value in any_value(),
        reads in prop::collection::vec(
            prop::sample::select(vec![
                "header('x-a')", "request_header('X-A')", "request.headers['x-a']", "request.path",
                "request.url_path", "request.query", "request.method", "v", "v.a", "v['b']", "v[0]",
                "v[1].c", "v[0][0]", "request.json", "request.json.v.a", "request.json['v'][0]", "v[0].a", "v.a[0]", "missing", "missing.a.b", "'text'", "12", "true", "none",
            ]),
            1..5,
        ),
        literal in "[ -z]{0,5}",
        path in "/[a-z?]{0,6}",
        number in prop::sample::select(vec!["1.50", "1E2", "-0", "1e400", "0.1234567890123456789"]),
        shape in 0_usize..6,
    ) {
        // Literal braces and hashes would be markers.
        let literal = literal.replace(['{', '#', '%'], "");
        let mut template = String::new();
        for read in &reads {
            template.push_str(&format!("{literal}{{{{ {read} }}}}"));
        }
        let headers = [("x-a", "one"), ("x-a", "two"), (":path", path.as_str()), (":method", "PUT")];
        let body = match shape {
            0 => format!(r#"{{"v": {number}}}"#),
            1 => format!(r#"{{"v": {{"a": {number}}}}}"#),
            2 => format!(r#"{{"v": [{number}, {{"c": {number}}}]}}"#),
            3 => number.to_owned(),
            4 => value.to_string(),
            _ => json!({"v": value}).to_string(),
        };
        let fast = body_of(&template, &headers, &body);
        // A condition sends the same template through the engine.
        let engine = body_of(&format!("{{% if true %}}{template}{{% endif %}}"), &headers, &body);
        prop_assert_eq!(fast, engine);
    }
}
