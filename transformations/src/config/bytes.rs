//! From the bytes that Envoy hands over to a JSON object, with help for the usual mishaps.
//!
//! The usual mishaps are a `filter_config` that is not a `StringValue`, and JSON that was encoded
//! twice. Serde's bare "EOF while parsing a value" has cost many an evening.

use serde_json::Value;

use super::names_once::NamesOnce;
use crate::codes::Code;
use crate::diagnostics::Diagnostic;

const STRING_VALUE_HELP: &str = "give filter_config as google.protobuf.StringValue whose value is \
     the configuration as JSON text, for example {\"@type\": \
     \"type.googleapis.com/google.protobuf.StringValue\", \"value\": \"{}\"}";

/// Parses the configuration text. The answer is a JSON object.
pub(crate) fn to_json(bytes: &[u8]) -> Result<Value, Box<Diagnostic>> {
    let text =
        str::from_utf8(bytes).map_err(|error| Box::new(not_utf8(bytes, error.valid_up_to())))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => return Err(Box::new(not_json(text, &error))),
    };
    match shape_problem(&value) {
        Some(problem) => Err(Box::new(problem)),
        None => Ok(value),
    }
}

/// As [`to_json`], where a name that stands twice in an object is an error: the first could have been the guard.
pub(crate) fn to_strict_json(bytes: &[u8]) -> Result<Value, Box<Diagnostic>> {
    let value = to_json(bytes)?;
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match serde_json::from_str::<NamesOnce>(text) {
        Err(error) if error.is_data() => Err(Box::new(not_json(text, &error))),
        _ => Ok(value),
    }
}

/// What is wrong with the outermost value, if anything.
fn shape_problem(value: &Value) -> Option<Diagnostic> {
    let (code, message, help) = match value {
        Value::Object(fields) if is_wrapped(fields) => (
            Code::PROTOBUF_STRUCT,
            "the configuration is the JSON form of a protobuf message, not the transformation itself"
                .to_owned(),
            STRING_VALUE_HELP,
        ),
        Value::Object(_) => return None,
        Value::String(inner) if serde_json::from_str::<Value>(inner).is_ok_and(|v| v.is_object()) => (
            Code::DOUBLE_ENCODED,
            "the configuration is a JSON string that holds JSON: it was encoded twice".to_owned(),
            "remove one level of quoting: the text must begin with {",
        ),
        other => (
            Code::NOT_AN_OBJECT,
            format!("the configuration is {}, expected a JSON object", type_name(other)),
            "write {} for a configuration that does nothing",
        ),
    };
    Some(Diagnostic::error(code, "", message).with_help(help))
}

/// An `Any`, or a `Struct` in its message form, left unwrapped.
fn is_wrapped(fields: &serde_json::Map<String, Value>) -> bool {
    fields.contains_key("@type")
        || fields.contains_key("type_url")
        || (fields.len() == 1 && fields.get("fields").is_some_and(Value::is_object))
}

fn not_utf8(bytes: &[u8], valid: usize) -> Diagnostic {
    let problem = Diagnostic::error(
        Code::NOT_UTF8,
        "",
        format!(
            "the configuration is not UTF-8 text (byte {valid} of {})",
            bytes.len()
        ),
    );
    problem.with_help(STRING_VALUE_HELP)
}

fn not_json(text: &str, error: &serde_json::Error) -> Diagnostic {
    // A serialised protobuf message with a length-delimited first field starts with one of these
    // bytes, then a length: as text that is never how JSON begins.
    let mut bytes = text.bytes();
    let tagged = matches!(bytes.next(), Some(0x0a | 0x12));
    if tagged
        && bytes
            .next()
            .is_some_and(|b| !b.is_ascii_whitespace() && b != b'{')
    {
        return Diagnostic::error(
            Code::PROTOBUF_STRUCT,
            "",
            "the configuration looks like a serialised protobuf message, expected JSON text",
        )
        .with_help(STRING_VALUE_HELP);
    }
    let what = match error.classify() {
        serde_json::error::Category::Eof => "the JSON text ends too early",
        serde_json::error::Category::Data | serde_json::error::Category::Io => {
            "the JSON text cannot be read"
        }
        serde_json::error::Category::Syntax => "the JSON text has a syntax error",
    };
    // Serde's own sentence says what it expected; it names characters and keywords, never values.
    let expected = error.to_string();
    let expected = expected.split(" at line ").next().unwrap_or_default();
    Diagnostic::error(
        Code::NOT_JSON,
        "",
        format!(
            "{what} at line {}, column {}: {expected}",
            error.line(),
            error.column()
        ),
    )
    .with_help("the configuration must be one JSON object; an empty text means {}")
}

/// How a person would call a JSON value's type.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
