//! What schemas of answers and of strict tools must be like.
//!
//! Called for each schema that is to be kept to; pure.

use serde_json::Value;

use crate::mock_llm::provider::strict::door::Refused;

/// OpenAI: every object is closed, and requires everything.
pub(super) fn check_openai(schema: &Value, place: &str) -> Result<(), Refused> {
    each_schema(schema, &mut |object| {
        if !is_object(object) {
            return Ok(());
        }
        let required = super::items(&object["required"]);
        let properties = object["properties"].as_object();
        let names = properties.into_iter().flatten().map(|(name, _)| name);
        let is_missing = |name: &&String| !required.iter().any(|it| it == name.as_str());
        let missing = names.into_iter().find(is_missing);
        if let Some(missing) = missing {
            let message = format!("Invalid schema for {place}: 'required' is missing '{missing}'.");
            return Err(Refused::bad(message));
        }
        check_closed(object, place)
    })
}

/// What Anthropic knows nothing of.
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

/// Anthropic, wherever it runs: every object is closed, and nothing has limits.
pub(super) fn check_anthropic(schema: &Value, place: &str) -> Result<(), Refused> {
    each_schema(schema, &mut |schema| {
        let limit = LIMITS.iter().find(|limit| !schema[**limit].is_null());
        let limit =
            limit.filter(|limit| **limit != "minItems" || schema["minItems"].as_u64() > Some(1));
        match limit {
            Some(limit) => {
                let message =
                    format!("Invalid schema for {place}: property '{limit}' is not supported.");
                Err(Refused::bad(message))
            }
            None if is_object(schema) => check_closed(schema, place),
            None => Ok(()),
        }
    })
}

fn is_object(schema: &Value) -> bool {
    let kinds = super::items(&schema["type"]);
    schema["type"] == "object" || kinds.iter().any(|kind| kind == "object")
}

fn check_closed(object: &Value, place: &str) -> Result<(), Refused> {
    match object["additionalProperties"] == false {
        true => Ok(()),
        false => {
            let message = format!(
                "Invalid schema for {place}: 'additionalProperties' must be false for 'object'."
            );
            Err(Refused::bad(message))
        }
    }
}

fn each_schema(
    schema: &Value,
    check: &mut impl FnMut(&Value) -> Result<(), Refused>,
) -> Result<(), Refused> {
    match schema {
        Value::Object(members) => {
            check(schema)?;
            for (key, inner) in members {
                match key.as_str() {
                    // Names here, and schemas behind them.
                    "properties" | "$defs" | "definitions" => {
                        for (_, inner) in inner.as_object().into_iter().flatten() {
                            each_schema(inner, check)?;
                        }
                    }
                    "enum" | "const" | "default" | "examples" => {}
                    _ => each_schema(inner, check)?,
                }
            }
            Ok(())
        }
        Value::Array(schemas) => schemas
            .iter()
            .try_for_each(|inner| each_schema(inner, check)),
        _ => Ok(()),
    }
}
