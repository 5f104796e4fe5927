//! The JSON Schema agrees with the reader: what loads is valid, and what is wrong with fields, types,
//! words and bounds is not.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::{Value, json};
use transformations::{Code, CompileOptions, Diagnostic, Program, Severity, config};

/// Problems of fields and shapes, which a schema can see.
const OF_SHAPE: [Code; 9] = [
    Code::WRONG_TYPE,
    Code::MISSING_NAME,
    Code::UNKNOWN_CHOICE,
    Code::BAD_LIMIT,
    Code::INCOMPLETE_METADATA,
    Code::UNKNOWN_FIELD,
    Code::TEMPLATE_IN_POINTER,
    Code::UNKNOWN_AI_FIELD,
    // A schema knows our spellings alone.
    Code::OTHER_SPELLING,
];

#[test]
fn whatever_loads_is_valid_and_what_is_misshapen_is_not() {
    let schema = validator();
    let (mut valid, mut refused) = (0, 0);
    for (place, config) in configurations() {
        let found =
            match Program::compile(config.to_string().as_bytes(), &CompileOptions::default()) {
                Ok(program) => program.warnings().to_vec(),
                Err(found) => found.iter().cloned().collect(),
            };
        // That a second value of an entry is ignored is no fault of its shape.
        let of_shape = |problem: &&Diagnostic| {
            OF_SHAPE.contains(&problem.code()) && !problem.message().starts_with("this is ignored")
        };
        let misshapen = found.iter().find(of_shape);
        let loads = !found
            .iter()
            .any(|problem| problem.severity() == Severity::Error);
        let problems = problems(&schema, &config);
        if let Some(misshapen) = misshapen {
            if misshapen.code() != Code::TEMPLATE_IN_POINTER {
                refused += 1;
                assert!(!problems.is_empty(), "{place}: {misshapen}\n{config}");
            }
        } else if loads {
            valid += 1;
            assert_eq!(problems, [""; 0], "{place}: {config}");
        }
    }
    assert!(
        valid > 200 && refused > 10,
        "{valid} valid, {refused} refused"
    );
}

#[test]
fn each_bound_of_each_field_is_one_of_the_schema() {
    let schema = validator();
    for (good, bad) in [
        (
            json!({"limits": {"fuel": 100_000_000}}),
            json!({"limits": {"fuel": 100_000_001}}),
        ),
        (
            json!({"limits": {"recursion": 1}}),
            json!({"limits": {"recursion": 0}}),
        ),
        (
            json!({"limits": {"recursion": null}}),
            json!({"limits": {"recursion": "1"}}),
        ),
        (json!({"onError": "auto"}), json!({"onError": "automatic"})),
        (json!({"onError": null}), json!({"onError": ""})),
        (
            json!({"request": {"set": {"x-a": "1"}}}),
            json!({"request": {"set": {"x a": "1"}}}),
        ),
        (
            json!({"request": {"remove": [":x", "X-A"]}}),
            json!({"request": {"remove": [""]}}),
        ),
        (
            json!({"response": {"stream": {}}}),
            json!({"request": {"stream": {}}}),
        ),
        (
            json!({"request": {"clearRouteCache": "auto"}}),
            json!({"response": {"clearRouteCache": "auto"}}),
        ),
    ] {
        assert_eq!(problems(&schema, &good), [""; 0]);
        assert_ne!(problems(&schema, &bad), [""; 0], "{bad}");
    }
}

#[test]
fn every_field_is_described_without_markdown_links() {
    let text = config::schema().to_string();
    assert!(!text.contains("]("));
    let schema = config::schema();
    let objects = schema["$defs"]
        .as_object()
        .unwrap()
        .values()
        .chain([&schema]);
    for object in objects {
        for (name, field) in object["properties"].as_object().unwrap() {
            assert!(
                field["description"]
                    .as_str()
                    .is_some_and(|text| text.len() > 5),
                "{name}"
            );
        }
    }
}

fn validator() -> Validator {
    let schema = config::schema();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn problems(schema: &Validator, config: &Value) -> Vec<String> {
    schema
        .iter_errors(config)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Every configuration of the cases, of the documentation and of the samples.
fn configurations() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for file in files(&root().join("transformations/tests/cases"), "json") {
        let cases: Vec<Value> =
            serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        for case in cases.into_iter().filter(|case| case["config"].is_object()) {
            found.push((case["name"].to_string(), case["config"].clone()));
        }
    }
    let before = found.len();
    for (folder, kind) in [
        ("docs", "md"),
        ("", "md"),
        ("", "yaml"),
        ("k8s", "md"),
        ("k8s", "yaml"),
    ] {
        for file in files(&root().join(folder), kind) {
            let text = std::fs::read_to_string(&file).unwrap();
            found.extend(samples(&text).map(|sample| (file.display().to_string(), sample)));
        }
    }
    assert!(found.len() > before + 10, "samples of the pages are found");
    found
}

/// The configurations in a text: JSON objects that begin a line or a value, and have one of the fields
/// that configurations have.
fn samples(text: &str) -> impl Iterator<Item = Value> {
    let starts = text.match_indices('{').filter(|(at, _)| {
        let before = text[..*at].trim_end_matches(' ');
        before.ends_with(['\n', ':', '\''])
    });
    starts.filter_map(|(at, _)| {
        let value: Value = serde_json::Deserializer::from_str(&text[at..])
            .into_iter()
            .next()?
            .ok()?;
        let fields = value.as_object()?;
        let is_transform = |name| fields.get(name).is_some_and(Value::is_object);
        (is_transform("request") || is_transform("response")).then_some(value)
    })
}

fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let is_top = folder == root();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !is_top {
            found.extend(files(&path, kind));
        } else if path.extension().is_some_and(|extension| extension == kind) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
