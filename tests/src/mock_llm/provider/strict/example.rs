//! A document that fits a schema.
//!
//! Made for whoever asks for structured answers and for arguments of calls; pure. Reads what schemas
//! of tools and answers are made of, and checks the document in the end.

use serde_json::{Map, Value, json};

use super::door::Refused;

/// How deep a document may go: schemas may contain themselves.
const DEEPEST: usize = 12;

/// A document that fits.
pub(super) fn example(schema: &Value) -> Result<Value, Refused> {
    let document = of(schema, schema, 0);
    match jsonschema::validator_for(schema) {
        Ok(validator) if validator.is_valid(&document) => Ok(document),
        Ok(_) => Err(Refused::bad(format!(
            "{document} is all that comes to mind for {schema}"
        ))),
        Err(error) => Err(Refused::bad(format!("{schema} is no schema: {error}"))),
    }
}

fn of(schema: &Value, root: &Value, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Null;
    }
    if let Some(place) = schema["$ref"].as_str() {
        let found = root.pointer(place.trim_start_matches('#'));
        return found.map_or(Value::Null, |found| of(found, root, depth + 1));
    }
    if !schema["const"].is_null() {
        return schema["const"].clone();
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = schema[key].get(0) {
            return of(first, root, depth + 1);
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    let within = |usual: f64| {
        let limit = |name: &str, none: f64| schema[name].as_f64().unwrap_or(none);
        usual
            .max(limit("minimum", f64::MIN))
            .min(limit("maximum", f64::MAX))
    };
    match kind {
        Some("string") => json!("Köln"),
        Some("integer") => json!(within(7.0) as i64),
        Some("number") => json!(within(0.5)),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        Some("array") => {
            let least = schema["minItems"].as_u64().unwrap_or(1).max(1);
            (0..least)
                .map(|_| of(&schema["items"], root, depth + 1))
                .collect()
        }
        Some("object") => {
            let mut document = Map::new();
            for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                document.insert(name.clone(), of(schema, root, depth + 1));
            }
            Value::Object(document)
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_fit() {
        let schema = json!({
            "type": "object",
            "properties": {
                "city": {"$ref": "#/$defs/city"}, "unit": {"enum": ["C", "F"]},
                "days": {"type": "array", "items": {"type": "integer", "minimum": 9}},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            },
            "required": ["city", "days"],
            "$defs": {"city": {"type": "string"}},
        });
        let expected = json!({"city": "Köln", "unit": "C", "days": [9], "note": "Köln"});
        assert_eq!(example(&schema), Ok(expected));
        assert_eq!(
            example(&json!({"type": "object", "properties": {}})),
            Ok(json!({}))
        );
        assert!(example(&json!({"type": "string", "pattern": "^[0-9]$"})).is_err());
    }
}
