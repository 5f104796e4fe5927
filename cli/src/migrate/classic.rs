//! Transformations of the classic filter of Envoy-Gloo: `transformationTemplate`, in the spelling of protobuf's
//! fields or of its JSON, for a request, a response, or both.

use serde_json::{Map, Value, json};

use super::inja::{self, Template};
use super::notes::Notes;
use crate::find::path::Path;

/// The namespace of metadata that the classic filter takes where none is named.
const NAMESPACE: &str = "io.solo.transformation";

const DIRECTIONS: [(&str, &str); 2] = [
    ("requestTransformation", "request"),
    ("responseTransformation", "response"),
];

/// What stands beside a transformation and has no counterpart, and what to do about it.
const BESIDE: [(&str, &str); 5] = [
    (
        "match",
        "say it with \"when\", or attach the configuration to the route that matches",
    ),
    (
        "matcher",
        "say it with \"when\", or attach the configuration to the route that matches",
    ),
    (
        "matchers",
        "say it with \"when\", or attach the configuration to the route that matches",
    ),
    (
        "responseCodeDetails",
        "say it with \"when\": attribute(\"response.code_details\") reads them",
    ),
    (
        "onStreamCompletionTransformation",
        "use dynamicMetadata, which access logs read",
    ),
];

/// What a template may hold that has no counterpart, and what to do about it.
const LOST: [(&str, &str); 3] = [
    (
        "escapeCharacters",
        "write raw_string(value) where text goes into JSON",
    ),
    ("stringDelimiter", ""),
    ("spanTransformer", ""),
];

/// A member in either spelling.
fn member<'v>(fields: &'v Map<String, Value>, name: &str) -> Option<(&'v str, &'v Value)> {
    let found = fields.iter().find(|(key, _)| camel(key) == name);
    let (key, value) = found?;
    (!value.is_null()).then_some((key.as_str(), value))
}

/// A name as protobuf's JSON spells it.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|it| it.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

/// Whether an object holds transformations of the classic filter.
pub(super) fn is_one(fields: &Map<String, Value>) -> bool {
    let holds = |it: &Value| {
        let inside = it.as_object();
        inside.is_some_and(|it| {
            member(it, "transformationTemplate").is_some()
                || member(it, "headerBodyTransform").is_some()
        })
    };
    let mut directions = DIRECTIONS.iter();
    directions.any(|(name, _)| member(fields, name).is_some_and(|(_, it)| holds(it)))
        || member(fields, "transformationTemplate").is_some()
}

/// The configuration that it comes to. A template alone is one for requests.
pub(super) fn moved(fields: &Map<String, Value>, path: &Path, notes: &mut Notes) -> Value {
    for (name, help) in BESIDE {
        if let Some((key, _)) = member(fields, name) {
            notes.lost(&path.name(key), format!("{key} is not moved"), help);
        }
    }
    let mut config = Map::new();
    if member(fields, "transformationTemplate").is_some() {
        config.insert("request".to_owned(), transform(fields, path, notes));
    }
    for (name, direction) in DIRECTIONS {
        if let Some((key, Value::Object(fields))) = member(fields, name) {
            let transform = transform(fields, &path.name(key), notes);
            config.insert(direction.to_owned(), transform);
        }
    }
    let clears = member(fields, "clearRouteCache").is_some_and(|(_, it)| *it == json!(true));
    if clears && let Some(Value::Object(request)) = config.get_mut("request") {
        request.insert("clearRouteCache".to_owned(), json!("always"));
    }
    Value::Object(config)
}

/// What is made of one template.
struct Move<'n> {
    notes: &'n mut Notes,
    pointers: bool,
    reads_json: bool,
}

impl Move<'_> {
    /// The template that is the `text` of an object.
    fn text(&mut self, value: &Value, path: &Path) -> Option<String> {
        let (text, path) = match value {
            Value::String(text) => (text.as_str(), path.clone()),
            value => {
                let text = value.get("text").and_then(Value::as_str);
                (text.unwrap_or_default(), path.name("text"))
            }
        };
        let Template { text, reads_json } = inja::moved(text, self.pointers, &path, self.notes)?;
        self.reads_json |= reads_json;
        Some(text)
    }
}

fn transform(fields: &Map<String, Value>, path: &Path, notes: &mut Notes) -> Value {
    if let Some((key, _)) = member(fields, "headerBodyTransform") {
        let help = "write a body template over request.headers, request.path and body()";
        notes.lost(&path.name(key), format!("{key} is not moved"), help);
    }
    let Some((key, Value::Object(template))) = member(fields, "transformationTemplate") else {
        return json!({});
    };
    let path = path.name(key);
    let pointers = member(template, "advancedTemplates").is_some_and(|(_, it)| *it == json!(true));
    let mut moving = Move {
        notes,
        pointers,
        reads_json: false,
    };
    let mut transform = Map::new();
    let lists = [
        headers(template, &path, &mut moving),
        others(template, &path, &mut moving),
    ];
    transform.extend(lists.into_iter().flatten());
    let mut body = Map::new();
    if let Some((key, value)) = member(template, "body")
        && let Some(text) = moving.text(value, &path.name(key))
    {
        body.insert("value".to_owned(), json!(text));
    }
    if let Some((key, _)) = member(template, "mergeExtractorsToBody") {
        let names = member(template, "extractors").and_then(|(_, it)| it.as_object());
        let names = names.into_iter().flatten().map(|(name, _)| name);
        let patch = names.map(|name| merged(name, &path.name(key), moving.notes));
        let patch: Vec<_> = patch.flatten().collect();
        body.insert("patch".to_owned(), json!(patch));
        moving.reads_json = true;
    }
    let unparsed = member(template, "parseBodyBehavior").is_some_and(|(_, it)| *it == "DontParse");
    if moving.reads_json && !unparsed {
        body.insert("parseAs".to_owned(), json!("AsJson"));
    }
    if !body.is_empty() {
        transform.insert("body".to_owned(), Value::Object(body));
    }
    if member(template, "ignoreErrorOnParse").is_some_and(|(_, it)| *it == json!(true)) {
        transform.insert("onError".to_owned(), json!("continue"));
    }
    for (name, help) in LOST {
        let there = member(template, name).filter(|(_, it)| **it != json!(false));
        if let Some((key, _)) = there {
            notes.lost(&path.name(key), format!("{key} is not moved"), help);
        }
    }
    Value::Object(transform)
}

/// What becomes of headers.
fn headers(
    template: &Map<String, Value>,
    path: &Path,
    moving: &mut Move<'_>,
) -> Map<String, Value> {
    let mut lists = Map::new();
    if let Some((key, Value::Object(headers))) = member(template, "headers") {
        let path = path.name(key);
        let set = headers.iter().map(
            |(name, value)| json!({"name": name, "value": moving.text(value, &path.name(name))}),
        );
        lists.insert("set".to_owned(), set.collect());
    }
    if let Some((key, Value::Array(headers))) = member(template, "headersToAppend") {
        let path = path.name(key);
        let add = headers.iter().enumerate().filter_map(|(number, header)| {
            let path = path.number(number).name("value");
            let value = header.get("value").unwrap_or(&Value::Null);
            let text = moving.text(value, &path)?;
            Some(json!({"name": header["key"], "value": text}))
        });
        lists.insert("add".to_owned(), add.collect());
    }
    if let Some((_, headers)) = member(template, "headersToRemove") {
        lists.insert("remove".to_owned(), headers.clone());
    }
    lists
}

/// Extractors and metadata.
fn others(template: &Map<String, Value>, path: &Path, moving: &mut Move<'_>) -> Map<String, Value> {
    let mut others = Map::new();
    if let Some((key, Value::Object(extractors))) = member(template, "extractors") {
        let path = path.name(key);
        let mut all = Map::new();
        for (name, extractor) in extractors {
            if let Some(fields) = extractor.as_object() {
                let extractor = self::extractor(fields, &path.name(name), moving.notes);
                all.insert(name.clone(), extractor);
            }
        }
        others.insert("extractors".to_owned(), Value::Object(all));
    }
    if let Some((key, Value::Array(entries))) = member(template, "dynamicMetadataValues") {
        let path = path.name(key);
        let all = entries.iter().enumerate().filter_map(|(number, entry)| {
            let entry = entry.as_object()?;
            let path = path.number(number);
            let (_, name) = member(entry, "key")?;
            let namespace = member(entry, "metadataNamespace").and_then(|(_, it)| it.as_str());
            let (spelt, value) = member(entry, "value")?;
            let text = moving.text(value, &path.name(spelt))?;
            let is_json = member(entry, "jsonToProto").is_some_and(|(_, it)| *it == json!(true));
            let kind = if is_json { "jsonValue" } else { "stringValue" };
            Some(json!({
                "namespace": namespace.unwrap_or(NAMESPACE),
                "key": name,
                "value": {kind: text},
            }))
        });
        others.insert("dynamicMetadata".to_owned(), all.collect());
    }
    others
}

/// An extractor. Here the expression of a body is looked for, and there it has to match all of it.
fn extractor(fields: &Map<String, Value>, path: &Path, notes: &mut Notes) -> Value {
    let mut moved = Map::new();
    let is_of_body = member(fields, "body").is_some();
    for (key, value) in fields {
        match camel(key).as_str() {
            "header" | "subgroup" => drop(moved.insert(key.clone(), value.clone())),
            "body" => drop(moved.insert("body".to_owned(), json!({}))),
            "regex" => {
                let regex = value.as_str().unwrap_or_default();
                let regex = match is_of_body {
                    true => format!("^(?:{regex})$"),
                    false => regex.to_owned(),
                };
                moved.insert("regex".to_owned(), json!(regex));
            }
            "mode" if matches!(value.as_str(), None | Some("EXTRACT")) => {}
            "mode" | "replacementText" => notes.lost(
                &path.name(key),
                format!("{key} is not moved: extractors replace nothing here"),
                "write regex_replace(text, pattern, replacement) in the template",
            ),
            _ => notes.lost(&path.name(key), format!("{key} is not moved"), ""),
        }
    }
    Value::Object(moved)
}

/// The operation that puts what an extractor finds into the body.
fn merged(name: &str, path: &Path, notes: &mut Notes) -> Option<Value> {
    if name.contains(['.', '/', '~']) {
        let message = format!("the extractor {name:?} is not merged into the body");
        notes.lost(path, message, "write an operation of body.patch for it");
        return None;
    }
    let value = format!("{{{{ extraction(\"{name}\") }}}}");
    Some(json!({"op": "add", "path": format!("/{name}"), "value": value}))
}
