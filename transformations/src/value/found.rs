//! Texts that functions look for in a message, and may not find.
//!
//! What is not found is an empty text wherever it is printed, compared or searched, as it is in
//! kgateway's templates; only `default` can tell it from an empty text that is there. The engine marks
//! texts that need no escaping, and an empty one never needs any: that mark is what tells them apart.

use minijinja::Value;

use super::budget;

/// The text, or the empty one that `default` replaces. Pays for the copy, since a loop could ask for a
/// long header again and again.
pub(crate) fn to_value(text: Option<impl AsRef<str> + Into<String>>) -> Value {
    match text {
        Some(text) => match budget::charge(text.as_ref().len()) {
            Ok(()) => Value::from(text.into()),
            Err(overdrawn) => Value::from(overdrawn),
        },
        None => Value::from_safe_string(String::new()),
    }
}

/// Whether `default` gives its other value for this one: it is undefined, null, or a text that was
/// looked for and not found.
pub(crate) fn is_nothing(value: &Value) -> bool {
    value.is_undefined() || value.is_none() || value.is_safe() && value.as_str() == Some("")
}
