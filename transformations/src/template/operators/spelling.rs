//! Numbers of a message that are printed as they are: they keep the spelling they have there.
//!
//! Called on workers in the place of the engine's own reading, where the compiler sees that nothing is
//! computed with what is read. The engine has floats for all numbers with a fraction or an exponent:
//! `1.50` would come out as `1.5`, and a long fraction rounded.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::access;
use crate::json::Node;
use crate::message::{Message, NodeValue};

/// What the engine found under `name` among the variables.
pub(super) fn variable(state: &State<'_, '_>, found: Value, name: &str) -> Value {
    keep_spelling(found, || {
        Message::with(state, Message::root).and_then(|root| root.get(name))
    })
}

/// `value[key]` or `value.key`; what is not there is undefined.
pub(super) fn item(value: &Value, key: &Value) -> Result<Value, Error> {
    let found = access::item(value, key)?;
    Ok(keep_spelling(found, || {
        let container = value.downcast_object_ref::<NodeValue>()?.node();
        match key.as_str() {
            Some(name) => container.get(name),
            None => container.index(place(key, container.len())?),
        }
    }))
}

/// A place in a list, where negative numbers count from the end.
fn place(key: &Value, length: usize) -> Option<usize> {
    let place = key.as_i64()?;
    match usize::try_from(place) {
        Ok(place) => Some(place),
        Err(_) => length.checked_sub(usize::try_from(place.unsigned_abs()).ok()?),
    }
}

/// The number in the message that the engine made a float of; anything else as it was found.
fn keep_spelling(found: Value, node: impl FnOnce() -> Option<Node>) -> Value {
    if found.kind() != ValueKind::Number || found.is_integer() {
        return found;
    }
    let number = f64::try_from(found.clone()).ok();
    match node().filter(|node| node.as_f64() == number) {
        Some(node) => Value::from_object(NodeValue::new(node)),
        None => found,
    }
}
