//! Schemas that an answer must fit, by what providers insist on: objects without members that
//! nobody named, and at OpenAI with all those that somebody did.
//!
//! On the worker thread of the exchange. What is no schema is carried over as it is spelled, for the
//! provider to refuse.

use super::json::{Json, Value};

/// How deep schemas are looked into.
const DEEPEST: usize = 32;

/// Writes the schema with every object closed. What fits a closed object fits the open one too, so
/// that the client still gets what it asked for.
pub(super) fn write_closed(schema: Value<'_>, json: &mut Json) {
    write(schema, DEEPEST, json);
}

fn write(schema: Value<'_>, depth: usize, json: &mut Json) {
    if depth == 0 || !schema.is_object() {
        return json.raw(schema.text());
    }
    let depth = depth - 1;
    json.open_object();
    schema.each(|key, value| match &*key.as_str().unwrap_or_default() {
        "properties" | "$defs" | "definitions" if value.is_object() => {
            json.raw(key.text());
            json.colon();
            json.open_object();
            value.each(|name, inner| {
                json.raw(name.text());
                json.colon();
                write(inner, depth, json);
            });
            json.close_object();
        }
        // Each of `allOf` would refuse what the others name.
        "anyOf" | "oneOf" | "prefixItems" if value.is_array() => {
            json.raw(key.text());
            json.colon();
            json.open_array();
            for inner in value.items() {
                write(inner, depth, json);
            }
            json.close_array();
        }
        "items" => {
            json.raw(key.text());
            json.colon();
            write(value, depth, json);
        }
        _ => json.entry(key, value),
    });
    if is_open(schema) {
        json.member("additionalProperties", "false");
    }
    json.close_object();
}

/// Whether it is an object about whose further members nothing is said.
fn is_open(schema: Value<'_>) -> bool {
    let [more, all] = schema.members(["additionalProperties", "allOf"]);
    is_of_objects(schema) && more.is_none() && all.is_none()
}

fn is_of_objects(schema: Value<'_>) -> bool {
    let of = schema.get("type");
    of.is_some_and(|of| of.is("object") || of.items().iter().any(|it| it.is("object")))
}

/// Whether OpenAI takes the schema as a strict one: every object is closed, and requires all that it
/// names.
pub(super) fn is_strict(schema: Value<'_>) -> bool {
    is_strict_within(schema, DEEPEST)
}

fn is_strict_within(schema: Value<'_>, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    let [more, required, properties] =
        schema.members(["additionalProperties", "required", "properties"]);
    let required = required.map(Value::items).unwrap_or_default();
    let mut is_strict = true;
    if let Some(properties) = properties {
        properties.each(|name, _| {
            let name = name.as_str().unwrap_or_default();
            is_strict &= required.iter().any(|it| it.is(&name));
        });
    }
    if is_of_objects(schema) {
        is_strict &= more.and_then(Value::bool) == Some(false);
    }
    schema.each(|key, value| match &*key.as_str().unwrap_or_default() {
        "properties" | "$defs" | "definitions" => {
            value.each(|_, inner| is_strict &= is_strict_within(inner, depth - 1));
        }
        "anyOf" | "oneOf" | "allOf" | "prefixItems" => {
            is_strict &= (value.items().iter()).all(|it| is_strict_within(*it, depth - 1));
        }
        "items" => is_strict &= is_strict_within(value, depth - 1),
        _ => {}
    });
    is_strict
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(schema: &str) -> String {
        let mut json = Json::default();
        write_closed(Value::parse(schema).unwrap(), &mut json);
        json.into_text()
    }

    #[test]
    fn objects_are_closed_wherever_they_stand() {
        let table = [
            (r#"{"type":"string"}"#, r#"{"type":"string"}"#),
            (
                r#"{"type":"object","properties":{"type":{"type":["object","null"]}}}"#,
                r#"{"type":"object","properties":{"type":{"type":["object","null"],"additionalProperties":false}},"additionalProperties":false}"#,
            ),
            (
                r##"{"anyOf":[{"type":"array","items":{"type":"object"}},{"$ref":"#/$defs/a"}],"$defs":{"a":{"type":"object"}}}"##,
                r##"{"anyOf":[{"type":"array","items":{"type":"object","additionalProperties":false}},{"$ref":"#/$defs/a"}],"$defs":{"a":{"type":"object","additionalProperties":false}}}"##,
            ),
            (
                r#"{"type":"object","additionalProperties":true}"#,
                r#"{"type":"object","additionalProperties":true}"#,
            ),
            (
                r#"{"type":"object","allOf":[{"type":"object"}]}"#,
                r#"{"type":"object","allOf":[{"type":"object"}]}"#,
            ),
            (
                r#"{"enum":[{"type":"object"}]}"#,
                r#"{"enum":[{"type":"object"}]}"#,
            ),
        ];
        for (schema, expected) in table {
            assert_eq!(closed(schema), expected);
        }
    }

    #[test]
    fn strict_schemas_are_closed_and_require_all() {
        let table = [
            (r#"{"type":"object","additionalProperties":false}"#, true),
            (r#"{"type":"object"}"#, false),
            (
                r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}"#,
                true,
            ),
            (
                r#"{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}"#,
                false,
            ),
            (r#"{"type":"array","items":{"type":"object"}}"#, false),
            (r#"{"anyOf":[{"type":"null"},{"type":"object"}]}"#, false),
            (r#"{"$defs":{"a":{"type":"object"}}}"#, false),
        ];
        for (schema, expected) in table {
            assert_eq!(
                is_strict(Value::parse(schema).unwrap()),
                expected,
                "{schema}"
            );
        }
    }
}
