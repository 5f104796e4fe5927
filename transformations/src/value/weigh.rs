//! How much there is to walk in a value, paid before anything walks it.
//!
//! The engine compares, sorts, searches and prints values of any size in one instruction. A few
//! lists that hold each other twice at each level are a tree of any size, so that a walk must be
//! paid while it goes, not after it. Used by operators, filters, tests and functions on workers.
//!
//! Refused are values that nest deeper than any JSON body may: the engine walks them on its stack.

use std::collections::BTreeMap;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use super::Fault;
use super::NodeValue;
use super::budget;
use formats::json::{Kind, Node};

const MAX_DEPTH: usize = 200;

/// Pays for a walk over everything in `value`.
pub(crate) fn deep(value: &Value) -> Result<(), Error> {
    walk(value, 0, &|found| node(found))
}

/// Pays for turning `value` into text. JSON of the message already is text.
pub(crate) fn as_text(value: &Value) -> Result<(), Error> {
    walk(value, 0, &|found| budget::charge_reading(found.raw().len()))
}

/// Pays for a walk over the items of `value` but not what is in them.
pub(crate) fn shallow(value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::String => budget::charge_reading(value.as_str().map_or(0, str::len)),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {
            budget::charge_node()?;
            match value.len() {
                Some(length) => budget::charge_nodes(length),
                None => value.try_iter()?.try_for_each(|_| budget::charge_node()),
            }
        }
        _ => Ok(()),
    }
}

/// Does `pay`, and tells how much that was.
pub(crate) fn spent(pay: impl FnOnce() -> Result<(), Error>) -> Result<usize, Error> {
    let before = budget::left();
    pay()?;
    Ok(before - budget::left())
}

type PayNode<'a> = &'a dyn Fn(&Node) -> Result<(), Error>;

fn walk(value: &Value, depth: usize, pay: PayNode<'_>) -> Result<(), Error> {
    match value.kind() {
        ValueKind::String => {
            return budget::charge_reading(value.as_str().map_or(0, str::len));
        }
        ValueKind::Undefined | ValueKind::None | ValueKind::Bool | ValueKind::Number => {
            return Ok(());
        }
        ValueKind::Invalid => return Err(reason(value)),
        _ => {}
    }
    budget::charge_node()?;
    if depth > MAX_DEPTH {
        return Err(budget::overdrawn());
    }
    let step = |item: &Value| {
        budget::charge_node()?;
        walk(item, depth + 1, pay)
    };
    if let Some(found) = value.downcast_object_ref::<NodeValue>() {
        return pay(found.node());
    }
    if let Some(items) = value.downcast_object_ref::<Vec<Value>>() {
        return items.iter().try_for_each(step);
    }
    if let Some(members) = value.downcast_object_ref::<BTreeMap<Value, Value>>() {
        return members.iter().try_for_each(|(key, member)| {
            step(key)?;
            step(member)
        });
    }
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => value.try_iter()?.try_for_each(|item| step(&item)),
        ValueKind::Map => value.try_iter().into_iter().flatten().try_for_each(|key| {
            step(&key)?;
            step(&value.get_item(&key)?)
        }),
        _ => Ok(()),
    }
}

/// Why reading gave no value. The engine keeps the error to itself, and panics if two such values are
/// put in order.
fn reason(invalid: &Value) -> Error {
    if budget::is_overdrawn() {
        return budget::overdrawn();
    }
    if invalid
        .to_string()
        .contains(&Fault::JsonTooDeep.to_string())
    {
        return Fault::JsonTooDeep.into();
    }
    Error::new(ErrorKind::InvalidOperation, "the value could not be read")
}

/// Looking into a container of a message scans it, and makes values of what is in it. Recurses as
/// deep as a document can be looked into.
fn node(found: &Node) -> Result<(), Error> {
    if found.is_too_deep() {
        return Err(Fault::JsonTooDeep.into());
    }
    budget::charge_node()?;
    if matches!(found.kind(), Kind::Array | Kind::Object) {
        budget::charge_nodes(6)?;
        budget::charge_reading(found.raw().len())?;
    }
    match found.kind() {
        Kind::Array => found.items().try_for_each(|item| node(&item)),
        Kind::Object => {
            let keys = found.len();
            found.entries().try_for_each(|(key, member)| {
                budget::charge_reading(key.len())?;
                // The engine looks each member up by its key.
                budget::charge_lookup(keys.min(found.width()), key.len())?;
                node(&member)
            })
        }
        _ => budget::charge_reading(found.raw().len()),
    }
}

/// Makes a list or map of a value that only promises to be one. Values that wait for others to be
/// read can hold each other in long chains, and every link costs stack.
pub(crate) fn settled(value: Value) -> Result<Value, Error> {
    let is_settled = value.downcast_object_ref::<Vec<Value>>().is_some()
        || value
            .downcast_object_ref::<BTreeMap<Value, Value>>()
            .is_some()
        || value.downcast_object_ref::<NodeValue>().is_some();
    if is_settled {
        return Ok(value);
    }
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            let mut items = Vec::new();
            for item in value.try_iter()? {
                budget::charge(size_of::<Value>())?;
                items.push(item);
            }
            Ok(Value::from(items))
        }
        ValueKind::Map => {
            let mut members = BTreeMap::new();
            for key in value.try_iter()? {
                budget::charge(4 * size_of::<Value>())?;
                let member = value.get_item(&key)?;
                members.insert(key, member);
            }
            Ok(Value::from_object(members))
        }
        _ => Ok(value),
    }
}
