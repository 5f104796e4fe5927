//! The JSON Schemas agree with the readers: what loads is valid, and what is wrong with fields, types,
//! words and bounds is not. Where fields hang together (a provider that needs a project), a schema says nothing.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::{Value, json};
use transformations::access::AccessPolicy;
use transformations::config::Schema;
use transformations::live::{Fixed, Live};
use transformations::profiles::Profiles;
use transformations::provider::{Key, Keys, Providers};
use transformations::{Code, CompileOptions, Diagnostic, Diagnostics, Program, Severity};

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
    let schema = validator(Schema::Configuration);
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
    let schema = validator(Schema::Configuration);
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
    for schema in Schema::ALL.map(Schema::to_json) {
        assert!(!schema.to_string().contains("]("));
        let definitions = schema["$defs"].as_object().unwrap().values();
        let objects = definitions.chain([&schema]);
        let fields = objects.filter_map(|object| object["properties"].as_object());
        let mut described = 0;
        for (name, field) in fields.flatten() {
            let text = field["description"].as_str();
            assert!(text.is_some_and(|text| text.len() > 5), "{name}");
            described += 1;
        }
        assert!(described > 8, "{described}");
    }
}

/// Whatever is asked for is there.
struct AnyKey;

impl Keys for AnyKey {
    fn file(&self, _: &str) -> Result<Arc<dyn Live<Key>>, String> {
        Ok(Arc::new(Fixed::new(Key::read(b"k").unwrap())))
    }

    fn variable(&self, _: &str) -> Option<Vec<u8>> {
        Some(b"k".to_vec())
    }
}

#[test]
fn the_schema_of_providers_says_what_their_reader_says() {
    let one = json!({
        "provider": "anthropic", "model": "claude-sonnet-4-5", "models": {"gpt-4o*": "claude-sonnet-4-5"},
        "auth": {"apiKey": {"file": "/k"}}, "defaults": {"max_tokens": 4096, "stop": null},
        "set": {"metadata": {"user_id": "a"}}, "remove": ["seed"], "unsupported": "drop", "authority": "[::1]:80",
        "region": "eu-west_1", "project": "p.q:r", "apiVersion": "2023-06-01", "pathPrefix": "/a/~b",
    });
    let key = |key: Value| json!({"provider": "openai", "auth": {"apiKey": key}});
    let places = [
        key(json!({"env": "K", "file": null})),
        key(json!({"metadata": {"namespace": "a", "key": "b"}})),
        key(json!({"env": "K", "file": "/k"})),
        json!({"provider": "openai", "auth": "none"}),
        json!({"provider": "vertex-gemini", "project": "p", "region": "eu", "auth": {"gcp": {"tokenFile": "/k"}}}),
        json!({"provider": "openai", "auth": {"gcp": null, "apiKey": {"env": "K"}}}),
        json!({"providers": {"a": one, "b": key(json!({"env": "K"}))}}),
        json!({"providers": {}}),
        json!({"provider": "openai", "providers": {"a": {"provider": "openai"}}}),
        one,
    ];
    let hangs_together = |problem: &Diagnostic| {
        problem.code() == Code::BAD_PROVIDER && problem.message().contains("Vertex")
    };
    let compile = |text: &[u8]| Providers::compile(text, (1, 40), &AnyKey).map(drop);
    agree(Schema::Provider, &places, compile, hangs_together);
}

#[test]
fn the_schema_of_access_lists_says_what_their_reader_says() {
    let list = json!({
        "defaultAction": "allow",
        "rules": [
            {"name": "a", "cidrs": ["10.0.0.0/8", "::1"], "action": "deny"},
            {"cidr": "10.0.0.1", "action": "allow"},
        ],
        "denyResponse": {"statusCode": 451, "headers": [{"name": "x-a", "value": "b"}], "blockedByHeaderName": "x-by"},
    });
    let other = json!({"defaultAction": "deny", "denyResponse": {"addBlockedByHeader": "x-by", "statusCode": 599}});
    // Of networks it knows no more than that there may be some.
    let hangs_together = |problem: &Diagnostic| {
        let is_missing = problem.code() == Code::MISSING_VALUE;
        problem.code() == Code::BAD_NETWORK || (is_missing && problem.path().ends_with(".cidrs"))
    };
    let compile = |text: &[u8]| AccessPolicy::compile(text).map(drop);
    agree(Schema::AccessList, &[list, other], compile, hangs_together);
}

#[test]
fn the_schema_of_profiles_is_that_of_configurations_with_names() {
    let schema = validator(Schema::Profiles);
    let page = std::fs::read_to_string(root().join("docs/profiles.md")).unwrap();
    let example = page.split("```yaml\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let example: Value = serde_saphyr::from_str(example).unwrap();
    let longest = "a".repeat(64);
    for good in [
        example,
        json!({"profiles": {}}),
        json!({"profiles": {(longest): {"request": {"remove": ["x-a"]}}}}),
    ] {
        Profiles::parse("p.json", good.to_string().as_bytes()).unwrap();
        assert_eq!(problems(&schema, &good), [""; 0], "{good}");
    }
    for bad in [
        json!({}),
        json!([]),
        json!({"profiles": null}),
        json!({"profiles": {}, "more": {}}),
        json!({"profiles": {"a b": {}}}),
        json!({"profiles": {("a".repeat(65)): {}}}),
        json!({"profiles": {"a": null}}),
        json!({"profiles": {"a": []}}),
    ] {
        assert!(
            Profiles::parse("p.json", bad.to_string().as_bytes()).is_err(),
            "{bad}"
        );
        assert_ne!(problems(&schema, &bad), [""; 0], "{bad}");
    }
    let wrong = json!({"profiles": {"a": {"onError": "automatic"}}});
    assert_ne!(problems(&schema, &wrong), [""; 0]);
}

/// Has each place of each configuration hold something else, and asks the reader and the schema of all of that.
fn agree(
    schema: Schema,
    configs: &[Value],
    compile: impl Fn(&[u8]) -> Result<(), Diagnostics>,
    hangs_together: impl Fn(&Diagnostic) -> bool,
) {
    let schema = validator(schema);
    let (mut valid, mut refused) = (0, 0);
    for config in configs
        .iter()
        .flat_map(|it| [vec![it.clone()], mutants(it)].concat())
    {
        let problems = problems(&schema, &config);
        match compile(config.to_string().as_bytes()) {
            Ok(()) => {
                valid += 1;
                assert_eq!(problems, [""; 0], "{config}");
            }
            Err(found) if found.iter().all(&hangs_together) => {
                assert_eq!(problems, [""; 0], "{config}\n{found}");
            }
            Err(found) => {
                refused += 1;
                assert!(!problems.is_empty(), "{config}\n{found}");
            }
        }
    }
    assert!(
        valid > 20 && refused > 100,
        "{valid} valid, {refused} refused"
    );
}

fn mutants(config: &Value) -> Vec<Value> {
    let others = [
        json!(null),
        json!(true),
        json!(1),
        json!(""),
        json!("a b"),
        json!("?"),
        json!([]),
        json!([null]),
        json!({}),
        json!({"nobody": null}),
    ];
    let mut mutants = Vec::new();
    for pointer in pointers(config, "") {
        let mut mutant = config.clone();
        for other in &others {
            *mutant.pointer_mut(&pointer).unwrap() = other.clone();
            mutants.push(mutant.clone());
        }
        let mut mutant = config.clone();
        if let Value::Object(fields) = mutant.pointer_mut(&pointer).unwrap() {
            fields.insert("nobody".to_owned(), json!(1));
            mutants.push(mutant);
        }
    }
    mutants
}

/// Where there is something in a value.
fn pointers(value: &Value, at: &str) -> Vec<String> {
    let inside: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
            let fields = fields.iter();
            fields.map(|(name, value)| (escaped(name), value)).collect()
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items
                .map(|(index, value)| (index.to_string(), value))
                .collect()
        }
        _ => Vec::new(),
    };
    let below = inside
        .iter()
        .flat_map(|(name, value)| pointers(value, &format!("{at}/{name}")));
    [vec![at.to_owned()], below.collect()].concat()
}

fn validator(schema: Schema) -> Validator {
    let schema = schema.to_json();
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
