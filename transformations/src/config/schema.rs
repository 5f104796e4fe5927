//! The JSON Schemas of configurations, made of the [table of fields](super::fields).
//!
//! For editors, and for whoever checks configurations before they reach an Envoy. It knows fields and
//! shapes, not the template language: what it accepts may still be refused, and nothing that loads
//! without a warning about its fields is refused by it. Asked by tools and tests, never by a filter.

use serde_json::{Map, Value, json};

use super::fields::shape::{Forms, Names, Text, View, Whole};
use super::fields::{AnyField, Object, Policy, access, profiles, provider, top};

/// What there is a schema of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// A configuration of the transformation filter.
    Configuration,
    /// A file of profiles.
    Profiles,
    /// A configuration of the filter `llm-provider`.
    Provider,
    /// A configuration of the filter `http-acl`.
    AccessList,
}

impl Schema {
    /// Each of them.
    pub const ALL: [Schema; 4] = [
        Schema::Configuration,
        Schema::Profiles,
        Schema::Provider,
        Schema::AccessList,
    ];

    /// What it is called: by what is configured.
    pub fn name(self) -> &'static str {
        match self {
            Schema::Configuration => "configuration",
            Schema::Profiles => "profiles",
            Schema::Provider => "llm-provider",
            Schema::AccessList => "http-acl",
        }
    }

    /// The schema itself (draft 2020-12).
    pub fn to_json(self) -> Value {
        let mut definitions = Definitions(Map::new());
        let (title, schema) = match self {
            Schema::Configuration => (
                "A configuration of rustformations",
                definitions.object(&top::CONFIGURATION),
            ),
            Schema::Profiles => (
                "A file of profiles of rustformations",
                definitions.object(&profiles::FILE),
            ),
            Schema::AccessList => (
                "An access list of rustformations, for the filter http-acl",
                definitions.object(&access::ACCESS_LIST),
            ),
            Schema::Provider => (
                "A provider, or several, for the filter llm-provider of rustformations",
                json!({
                    "if": {"required": [provider::PROVIDERS.name]},
                    "then": definitions.reference(&provider::SEVERAL),
                    "else": definitions.reference(&provider::ONE),
                }),
            ),
        };
        let mut whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": title,
        });
        if let (Value::Object(whole), Value::Object(schema)) = (&mut whole, schema) {
            whole.extend(schema);
            whole.insert("$defs".to_owned(), Value::Object(definitions.0));
        }
        whole
    }
}

/// The objects described so far, by name.
struct Definitions(Map<String, Value>);

impl Definitions {
    fn object(&mut self, object: &Object) -> Value {
        let needed: Vec<_> = object.fields().filter(|field| field.is_needed).collect();
        let needed: Vec<_> = needed.iter().map(|field| field.name).collect();
        let properties: Map<String, Value> = object
            .fields()
            .map(|field| (field.name.to_owned(), self.field(field)))
            .collect();
        let mut schema = json!({
            "type": "object",
            "description": object.text,
            "properties": properties,
            "additionalProperties": false,
        });
        if !needed.is_empty() {
            schema["required"] = json!(needed);
        }
        schema
    }

    fn field(&mut self, field: &AnyField) -> Value {
        let mut schema = self.shape(&field.shape.view());
        // A field that is null counts as absent.
        if !field.is_needed {
            schema = or_null(schema);
        }
        schema["description"] = Value::from(description(field));
        schema
    }

    fn shape(&mut self, view: &View) -> Value {
        match view {
            View::Text(text) => of_text(*text),
            View::Whole(whole) => of_whole(*whole),
            View::Number => json!({"type": "number"}),
            View::Flag(flag) => match flag.default {
                Some(default) => json!({"type": "boolean", "default": default}),
                None => json!({"type": "boolean"}),
            },
            View::Words(words, default) => {
                let mut schema = json!({"type": "string", "enum": words});
                if let Some(default) = default {
                    schema["default"] = json!(default);
                }
                schema
            }
            View::Object(object) => self.reference(object),
            View::OneOf(object) => {
                let mut schema = self.reference(object);
                let only = |name: &str| json!({"required": [name], "properties": {name: {"not": {"type": "null"}}}});
                let each = object.fields().map(|field| only(field.name));
                schema["oneOf"] = each.collect();
                schema
            }
            View::List(list) => {
                let items = self.shape(&list.of.view());
                json!({"type": "array", "items": items})
            }
            View::Names(names) => self.names(*names),
            View::Forms(forms) => self.forms(*forms),
            View::Json => json!({}),
        }
    }

    fn names(&mut self, names: Names) -> Value {
        let mut values = self.shape(&names.of.view());
        if names.has_nulls {
            values = or_null(values);
        }
        let mut schema = json!({"type": "object", "additionalProperties": values});
        if let Some(pattern) = pattern(names.names) {
            schema["propertyNames"] = json!({"pattern": pattern});
        }
        if !names.may_be_empty {
            schema["minProperties"] = json!(1);
        }
        schema
    }

    fn forms(&mut self, forms: Forms) -> Value {
        let all = forms.all.iter().map(|form| {
            let mut schema = self.shape(&form.shape.view());
            if let Some(text) = form.stands_in {
                schema["deprecated"] = json!(true);
                schema["description"] = json!(text);
            }
            schema
        });
        json!({"anyOf": all.collect::<Vec<_>>()})
    }

    fn reference(&mut self, object: &Object) -> Value {
        if !self.0.contains_key(object.name) {
            // Known before it is described, so that an object may hold others of its kind.
            self.0.insert(object.name.to_owned(), Value::Null);
            let schema = self.object(object);
            self.0.insert(object.name.to_owned(), schema);
        }
        json!({"$ref": format!("#/$defs/{}", object.name)})
    }
}

/// The schema that takes `null`, too.
fn or_null(mut schema: Value) -> Value {
    if let Some(forms) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        forms.push(json!({"type": "null"}));
        return schema;
    }
    let Some(kind) = schema.get("type").cloned() else {
        return match schema.get("$ref") {
            Some(_) => json!({"anyOf": [schema, {"type": "null"}]}),
            None => schema,
        };
    };
    schema["type"] = json!([kind, "null"]);
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
    schema
}

fn of_text(text: Text) -> Value {
    match pattern(text) {
        Some(pattern) => json!({"type": "string", "pattern": pattern}),
        None => json!({"type": "string"}),
    }
}

/// What all texts of this kind are like.
fn pattern(text: Text) -> Option<&'static str> {
    match text {
        Text::HeaderName | Text::NamePattern => Some("^:?[!#$%&'*+.^_`|~0-9A-Za-z-]+$"),
        Text::RegularHeaderName => Some("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"),
        Text::Name => Some("^[A-Za-z_][A-Za-z0-9_]*$"),
        Text::Pointer => Some("^($|/)"),
        Text::ProfileName => Some("^[A-Za-z0-9._-]{1,64}$"),
        Text::Filled => Some("[\\s\\S]"),
        Text::Word => Some("^[A-Za-z0-9._:-]*$"),
        Text::Host => Some("^[A-Za-z0-9._:\\[\\]-]*$"),
        Text::PathPrefix => Some("^($|/[!\"$->@-~]*$)"),
        Text::Plain | Text::Template | Text::HeaderValue | Text::Expression | Text::Pattern => None,
    }
}

fn of_whole(whole: Whole) -> Value {
    let mut schema = json!({"type": "integer", "minimum": whole.least});
    if whole.most < u64::MAX {
        schema["maximum"] = json!(whole.most);
    }
    if let Some(default) = whole.default {
        schema["default"] = json!(default);
    }
    schema
}

/// The text of the table without its links, and what is known beside it.
fn description(field: &AnyField) -> String {
    let mut text = without_links(field.text);
    if !field.absent.is_empty() {
        text.push_str(&format!(". Absent: {}", field.absent));
    }
    if let Some((major, minor)) = field.envoy {
        text.push_str(&format!(". Needs Envoy {major}.{minor}"));
    }
    match field.policy {
        Policy::AsHolder => {}
        since @ (Policy::Since(_) | Policy::SinceBut(..)) => {
            text.push_str(&format!(". In a TrafficPolicy since kgateway {since}"));
        }
        Policy::Never => text.push_str(". Not in a TrafficPolicy"),
    }
    text
}

/// `[text](target)` is its text.
fn without_links(markdown: &str) -> String {
    let mut text = String::new();
    let mut rest = markdown;
    while let Some((before, link)) = rest.split_once('[') {
        let parts = link
            .split_once("](")
            .and_then(|(shown, after)| Some((shown, after.split_once(')')?.1)));
        text.push_str(before);
        match parts {
            Some((shown, after)) => {
                text.push_str(shown);
                rest = after;
            }
            None => {
                text.push('[');
                rest = link;
            }
        }
    }
    text + rest
}
