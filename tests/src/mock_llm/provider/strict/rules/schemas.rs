//! What schemas of answers and of strict tools must be like.
//!
//! Called for each schema that is to be kept to; pure.

use serde_json::Value;

use crate::mock_llm::provider::strict::door::Refused;

/// OpenAI: every object is closed, and requires everything.
pub(super) fn check_openai(schema: &Value, place: &str) -> Result<(), Refused> {
    each_object(schema, &mut |object| {
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

/// Anthropic, wherever it runs: every object is closed.
pub(super) fn check_anthropic(schema: &Value, place: &str) -> Result<(), Refused> {
    each_object(schema, &mut |object| check_closed(object, place))
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

fn each_object(
    schema: &Value,
    check: &mut impl FnMut(&Value) -> Result<(), Refused>,
) -> Result<(), Refused> {
    match schema {
        Value::Object(members) => {
            let is_object = schema["type"] == "object"
                || super::items(&schema["type"])
                    .iter()
                    .any(|kind| kind == "object");
            if is_object {
                check(schema)?;
            }
            for (key, inner) in members {
                match key.as_str() {
                    // Names here, and schemas behind them.
                    "properties" | "$defs" | "definitions" => {
                        for (_, inner) in inner.as_object().into_iter().flatten() {
                            each_object(inner, check)?;
                        }
                    }
                    "enum" | "const" | "default" | "examples" => {}
                    _ => each_object(inner, check)?,
                }
            }
            Ok(())
        }
        Value::Array(schemas) => schemas
            .iter()
            .try_for_each(|inner| each_object(inner, check)),
        _ => Ok(()),
    }
}
