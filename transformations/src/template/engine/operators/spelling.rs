//! Numbers of a message that are printed as they are: they keep the spelling they have there.
//!
//! Called on workers after the engine's own reading, where the compiler sees that what is read is only
//! printed. The engine has floats for all numbers with a fraction or an exponent: `1.50` would come out
//! as `1.5`, and a long fraction rounded.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::{access, budget};
use crate::message::Message;
use crate::value::NodeValue;
use formats::json::Node;

/// What the engine found under `name` among the variables.
pub(super) fn variable(state: &State<'_, '_>, found: Value, name: &str) -> Result<Value, Error> {
    keep_spelling(found, || member(&root(state)?, &Value::from(name)))
}

/// What the engine found as `holder.key` or `holder[key]`.
pub(super) fn item(
    state: &State<'_, '_>,
    holder: &Value,
    found: Value,
    key: &Value,
) -> Result<Value, Error> {
    keep_spelling(found, || {
        match holder.downcast_object_ref::<NodeValue>() {
            Some(holder) => member(holder.node(), key),
            // The whole body, which may be a number.
            None if key.as_str() == Some("json") => root(state).map(Ok),
            None => None,
        }
    })
}

/// `holder[key]` for a key that the template computes.
pub(super) fn place(state: &State<'_, '_>, holder: &Value, key: &Value) -> Result<Value, Error> {
    let found = access::item(holder, key)?;
    item(state, holder, found, key)
}

/// What the engine found as the pairs of a map, with the numbers of a message as it spells them.
pub(super) fn pairs(holder: &Value, found: Value) -> Result<Value, Error> {
    let Some(holder) = holder.downcast_object_ref::<NodeValue>() else {
        return Ok(found);
    };
    budget::charge_container()?;
    let mut pairs = Vec::new();
    for (pair, (_, member)) in found.try_iter()?.zip(holder.node().entries()) {
        budget::charge_node()?;
        let key = pair.get_item_by_index(0)?;
        let value = pair.get_item_by_index(1)?;
        let value = keep_spelling(value, || Some(Ok(member.clone())))?;
        pairs.push(Value::from(vec![key, value]));
    }
    Ok(Value::from(pairs))
}

fn root(state: &State<'_, '_>) -> Option<Node> {
    Message::with(state, Message::root)
}

/// Looks a member up once more, and pays once more.
fn member(container: &Node, key: &Value) -> Option<Result<Node, Error>> {
    match key.as_str() {
        Some(name) => match budget::charge_lookup(container.width(), name.len()) {
            Ok(()) => container.get(name).map(Ok),
            Err(overdrawn) => Some(Err(overdrawn)),
        },
        None => container
            .index(index(key.as_i64()?, container.len())?)
            .map(Ok),
    }
}

/// A place in a list, where negative numbers count from the end.
fn index(place: i64, length: usize) -> Option<usize> {
    match usize::try_from(place) {
        Ok(place) => Some(place),
        Err(_) => length.checked_sub(usize::try_from(place.unsigned_abs()).ok()?),
    }
}

/// The number in the message that the engine made a float of; anything else as it was found.
fn keep_spelling(
    found: Value,
    look: impl FnOnce() -> Option<Result<Node, Error>>,
) -> Result<Value, Error> {
    if found.kind() != ValueKind::Number || found.is_integer() {
        return Ok(found);
    }
    let number = f64::try_from(found.clone()).ok();
    match look().transpose()? {
        Some(node) if node.as_f64() == number => Ok(Value::from_object(NodeValue::new(node))),
        _ => Ok(found),
    }
}
