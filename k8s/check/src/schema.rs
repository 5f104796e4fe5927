//! Resource definitions, and whether an object obeys them as an API server would have it: structure,
//! fields that no definition knows, keys of lists, and CEL rules.
//!
//! Called by tests on their own thread. Defaults are filled in before CEL rules run, as in a server.
//! Transition rules (`oldSelf`) have no old object here and are not evaluated.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result};
use jsonschema::Draft;
use serde_json::Value;

use crate::tree::read_documents;

/// Kinds that every cluster has, and that therefore no folder of definitions holds.
const BUILT_IN: &[&str] = &["v1/ConfigMap", "v1/Service", "apps/v1/Deployment"];

/// A set of resource definitions.
#[derive(Debug, Default)]
pub struct Definitions {
    schemas: BTreeMap<String, Value>,
}

impl Definitions {
    /// Reads every `*.yaml` in the named folders below `folder`.
    ///
    /// # Errors
    /// When a folder cannot be read or a file is not a resource definition.
    pub fn read(folder: &Path, sets: &[&str]) -> Result<Self> {
        let mut definitions = Self::default();
        for set in sets {
            let path = folder.join(set);
            let entries = std::fs::read_dir(&path).with_context(|| path.display().to_string())?;
            for entry in entries {
                let file = entry?.path();
                if file
                    .extension()
                    .is_some_and(|extension| extension == "yaml")
                {
                    let text = std::fs::read_to_string(&file)?;
                    for document in
                        read_documents(&text).with_context(|| file.display().to_string())?
                    {
                        definitions.add(&document);
                    }
                }
            }
        }
        Ok(definitions)
    }

    fn add(&mut self, definition: &Value) {
        let text = |pointer| {
            definition
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (group, kind) = (text("/spec/group"), text("/spec/names/kind"));
        let versions = definition
            .pointer("/spec/versions")
            .and_then(Value::as_array);
        for version in versions.into_iter().flatten() {
            if version["served"] == true {
                let name = version["name"].as_str().unwrap_or_default();
                let mut schema = version["schema"]["openAPIV3Schema"].clone();
                drop_inline_flags(&mut schema);
                self.schemas
                    .insert(format!("{group}/{name}/{kind}"), schema);
            }
        }
    }

    /// The schema at `pointer` inside that of `kind` (`group/version/Kind`).
    pub fn part(&self, kind: &str, pointer: &str) -> Option<&Value> {
        self.schemas.get(kind)?.pointer(pointer)
    }

    /// What is wrong with `object`, one sentence each; nothing for kinds that every cluster has.
    pub fn problems(&self, object: &Value) -> Vec<String> {
        let text = |field: &str| object[field].as_str().unwrap_or_default();
        let kind = format!("{}/{}", text("apiVersion"), text("kind"));
        match self.schemas.get(&kind) {
            Some(schema) => problems(schema, object),
            None if BUILT_IN.contains(&kind.as_str()) => Vec::new(),
            None => vec![format!("no definition of {kind}")],
        }
    }
}

/// Patterns are Go's, and JSON schema's may not begin with `(?i)`. Without it they are stricter, never
/// laxer.
fn drop_inline_flags(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(pattern) if name == "pattern" => {
                        *pattern = pattern.replace("(?i)", "")
                    }
                    _ => drop_inline_flags(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(drop_inline_flags),
        _ => {}
    }
}

/// What is wrong with `object` by `schema`.
pub fn problems(schema: &Value, object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    match jsonschema::options()
        .with_draft(Draft::Draft4)
        .build(schema)
    {
        Ok(validator) => {
            for error in validator.iter_errors(object) {
                found.push(format!("{}: {error}", error.instance_path()));
            }
        }
        Err(error) => found.push(format!("the definition itself: {error}")),
    }
    walk(schema, object, "", true, &mut found);
    if let Err(errors) = kube_cel::Validator::new().validate_with_defaults(schema, object, None) {
        found.extend(errors.iter().map(|error| format!("CEL: {error}")));
    }
    found
}

/// What JSON schema does not say: fields that the server would drop, and lists that are maps or sets.
fn walk(schema: &Value, object: &Value, path: &str, root: bool, found: &mut Vec<String>) {
    if schema["x-kubernetes-preserve-unknown-fields"] == true {
        return;
    }
    match object {
        Value::Object(fields) => {
            for (name, value) in fields {
                // Known to every object without being in its definition.
                if root && matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
                    continue;
                }
                let here = format!("{path}.{name}");
                let known = schema["properties"].get(name);
                let any = Some(&schema["additionalProperties"]).filter(|any| !any.is_null());
                match known.or(any) {
                    Some(schema) => walk(schema, value, &here, false, found),
                    None => found.push(format!("{here}: unknown field")),
                }
            }
        }
        Value::Array(items) => {
            let mut seen = BTreeSet::new();
            for (index, item) in items.iter().enumerate() {
                if let Some(key) = key_of(schema, item)
                    && !seen.insert(key)
                {
                    found.push(format!("{path}[{index}]: its key is there twice"));
                }
                walk(
                    &schema["items"],
                    item,
                    &format!("{path}[{index}]"),
                    false,
                    found,
                );
            }
        }
        _ => {}
    }
}

/// What makes an item of this list unique, for lists where something does.
fn key_of(list: &Value, item: &Value) -> Option<String> {
    match list["x-kubernetes-list-type"].as_str()? {
        "set" => Some(item.to_string()),
        "map" => {
            let keys = list["x-kubernetes-list-map-keys"].as_array()?;
            let properties = &list["items"]["properties"];
            let value = |key: &Value| {
                let key = key.as_str().unwrap_or_default();
                let value = item.get(key).unwrap_or(&properties[key]["default"]);
                value.to_string()
            };
            Some(keys.iter().map(value).collect::<Vec<_>>().join("|"))
        }
        _ => None,
    }
}
