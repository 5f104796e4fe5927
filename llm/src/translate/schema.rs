//! Schemas that an answer must fit, by what providers insist on: objects without members that
//! nobody named, and at OpenAI with all those that somebody did; at Anthropic, wherever it runs, no
//! limits of numbers, strings and lists.
//!
//! On the worker thread of the exchange. What is no schema is carried over as it is spelled, for the
//! provider to refuse.

use std::collections::HashSet;

use super::json::{Json, Value};
use super::loss::Losses;
use crate::refusal::Refusal;

/// How deep schemas are looked into.
const DEEPEST: usize = 32;

/// Limits that models of Anthropic's do not keep to.
const LIMITS: [&str; 9] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
];

/// Writes the schema for a model of Anthropic's: every object closed, and without limits, which are
/// lost. What fits a closed object fits the open one too, so that the client still gets what it
/// asked for.
pub(super) fn write_closed(
    schema: Value<'_>,
    losses: &mut Losses,
    json: &mut Json,
) -> Result<(), Refusal> {
    if has_limits(schema) {
        losses.lose("response_format.json_schema.(limits)")?;
    }
    write(schema, DEEPEST, json);
    Ok(())
}

fn write(schema: Value<'_>, depth: usize, json: &mut Json) {
    if depth == 0 || !schema.is_object() {
        return json.raw(schema.text());
    }
    let depth = depth - 1;
    json.open_object();
    schema.each(
        |key, value| match inside(&key.as_str().unwrap_or_default()) {
            Inside::Named if value.is_object() => {
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
            Inside::List if value.is_array() => {
                json.raw(key.text());
                json.colon();
                json.open_array();
                for inner in value.items() {
                    write(inner, depth, json);
                }
                json.close_array();
            }
            Inside::One => {
                json.raw(key.text());
                json.colon();
                write(value, depth, json);
            }
            Inside::Nothing if is_limit(&key.as_str().unwrap_or_default(), value) => {}
            _ => json.entry(key, value),
        },
    );
    if is_open(schema) {
        json.member("additionalProperties", "false");
    }
    json.close_object();
}

/// What stands behind a word of schemas.
enum Inside {
    /// Schemas by names.
    Named,
    /// Schemas in a list.
    List,
    /// A schema.
    One,
    /// None, or none that is looked into: each of `allOf` would refuse what the others name.
    Nothing,
}

fn inside(word: &str) -> Inside {
    match word {
        "properties" | "$defs" | "definitions" => Inside::Named,
        "anyOf" | "oneOf" | "prefixItems" => Inside::List,
        "items" => Inside::One,
        _ => Inside::Nothing,
    }
}

/// Calls for each schema in this one.
fn each_inside<'t>(schema: Value<'t>, mut call: impl FnMut(Value<'t>)) {
    schema.each(
        |key, value| match inside(&key.as_str().unwrap_or_default()) {
            Inside::Named => value.each(|_, inner| call(inner)),
            Inside::List => value.items().into_iter().for_each(&mut call),
            Inside::One => call(value),
            Inside::Nothing => {}
        },
    );
}

fn is_limit(word: &str, value: Value<'_>) -> bool {
    // That there is something is understood.
    let is_understood = word == "minItems" && value.count().is_some_and(|it| it <= 1);
    LIMITS.contains(&word) && !is_understood
}

/// Whether there is a limit in the schema that models of Anthropic's refuse.
pub(super) fn has_limits(schema: Value<'_>) -> bool {
    has_limits_within(schema, DEEPEST)
}

fn has_limits_within(schema: Value<'_>, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    let mut has_limits = false;
    schema.each(|key, value| has_limits |= is_limit(&key.as_str().unwrap_or_default(), value));
    each_inside(schema, |inner| {
        has_limits |= has_limits_within(inner, depth - 1)
    });
    has_limits
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
    let required: HashSet<_> = (required.map(Value::items).unwrap_or_default().into_iter())
        .filter_map(Value::string)
        .collect();
    let mut is_strict = true;
    if let Some(properties) = properties {
        properties.each(|name, _| {
            is_strict &= required.contains(&name.as_str().unwrap_or_default());
        });
    }
    if is_of_objects(schema) {
        is_strict &= more.and_then(Value::bool) == Some(false);
    }
    each_inside(schema, |inner| {
        is_strict &= is_strict_within(inner, depth - 1)
    });
    is_strict
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(schema: &str) -> String {
        let mut json = Json::default();
        write(Value::parse(schema).unwrap(), DEEPEST, &mut json);
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
                r#"{"type":"array","minItems":1,"maxItems":3,"items":{"type":"integer","minimum":1}}"#,
                r#"{"type":"array","minItems":1,"items":{"type":"integer"}}"#,
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
    fn limits_are_found_where_they_are_and_names_are_none() {
        let table = [
            (r#"{"type":"integer","minimum":1}"#, true),
            (r#"{"items":{"properties":{"a":{"maxLength":9}}}}"#, true),
            (r#"{"minItems":2}"#, true),
            (r#"{"minItems":1}"#, false),
            (r#"{"properties":{"minimum":{"type":"integer"}}}"#, false),
        ];
        for (schema, expected) in table {
            assert_eq!(
                has_limits(Value::parse(schema).unwrap()),
                expected,
                "{schema}"
            );
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

    /// Looking for each property in all that is required would take hours.
    #[test]
    fn large_schemas_are_looked_through_once() {
        let names: Vec<_> = (0..100_000).map(|it| format!("\"a{it}\"")).collect();
        let properties: Vec<_> = names.iter().map(|it| format!("{it}:{{}}")).collect();
        let (names, properties) = (names.join(","), properties.join(","));
        let schema = format!(
            r#"{{"type":"object","properties":{{{properties}}},"required":[{names}],"additionalProperties":false}}"#
        );
        assert!(is_strict(Value::parse(&schema).unwrap()));
    }
}
