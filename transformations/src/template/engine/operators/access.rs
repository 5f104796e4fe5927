//! Reading parts of a value, calling what it holds, and storing it in a namespace.
//!
//! Called on workers in the place of the engine's own instructions, which take any amount of work
//! for one unit of fuel: a character in the middle of a text, a slice of a long list.

use std::collections::BTreeMap;

use minijinja::value::{Rest, ValueKind};
use minijinja::{Error, State, Value};

use super::{budget, invalid, weigh};
use crate::value::NodeValue;

/// `value[key]`; what is not there is undefined.
pub(super) fn item(value: &Value, key: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => return Ok(Value::UNDEFINED),
        ValueKind::String | ValueKind::Iterable => weigh::shallow(value)?,
        _ => {}
    }
    if key.as_str().is_none() {
        weigh::deep(key)?;
    }
    value.get_item(key)
}

/// `value[start:stop:step]` with the meaning that Python gives it.
pub(super) fn slice(
    value: &Value,
    start: Option<i64>,
    stop: Option<i64>,
    step: Option<i64>,
) -> Result<Value, Error> {
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(invalid("cannot slice by step size of 0"));
    }
    weigh::shallow(value)?;
    if let Some(text) = value.as_str() {
        // Only the other order needs all characters at once.
        let cut: String = if step > 0 {
            let length = || text.chars().count();
            let (first, count, step) = forward(start, stop, step, length);
            text.chars().skip(first).take(count).step_by(step).collect()
        } else {
            let characters: Vec<char> = text.chars().collect();
            budget::charge_reading(text.len().saturating_mul(size_of::<char>()))?;
            backward(start, stop, step, characters.len())
                .filter_map(|index| characters.get(index))
                .collect()
        };
        budget::charge(cut.len())?;
        return Ok(Value::from(cut));
    }
    budget::charge_container()?;
    let items: Vec<Value> = match value.kind() {
        ValueKind::Undefined | ValueKind::None => Vec::new(),
        ValueKind::Seq | ValueKind::Iterable => value.try_iter()?.collect(),
        _ => return Err(invalid("only texts and lists can be sliced")),
    };
    let cut: Vec<Value> = if step > 0 {
        let (first, count, step) = forward(start, stop, step, || items.len());
        items
            .into_iter()
            .skip(first)
            .take(count)
            .step_by(step)
            .collect()
    } else {
        backward(start, stop, step, items.len())
            .filter_map(|index| items.get(index).cloned())
            .collect()
    };
    budget::charge(cut.len() * size_of::<Value>())?;
    Ok(Value::from(cut))
}

/// Where a slice starts, how many places it spans, and every how many of these are taken.
fn forward(
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
    length: impl Fn() -> usize,
) -> (usize, usize, usize) {
    let place = |bound: i64| match usize::try_from(bound) {
        Ok(place) => place,
        Err(_) => {
            length().saturating_sub(usize::try_from(bound.unsigned_abs()).unwrap_or(usize::MAX))
        }
    };
    let first = place(start.unwrap_or(0));
    let end = stop.map_or(usize::MAX, place);
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    (first, end.saturating_sub(first), step)
}

/// The places of a slice that goes backwards.
fn backward(
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
    length: usize,
) -> impl Iterator<Item = usize> {
    // Texts and lists are far shorter than i64 can count.
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let place = |bound: i64| {
        let place = if bound < 0 {
            bound.saturating_add(length)
        } else {
            bound
        };
        place.clamp(-1, length - 1)
    };
    let end = stop.map_or(-1, place);
    std::iter::successors(Some(start.map_or(length - 1, place)), move |at| {
        at.checked_add(step)
    })
    .take_while(move |at| *at > end)
    .filter_map(|at| usize::try_from(at).ok())
}

/// Calls a method. The last argument is its name, the first the value that it belongs to.
pub(super) fn method(state: &State<'_, '_>, arguments: Rest<Value>) -> Result<Value, Error> {
    let Some((name, [value, arguments @ ..])) = arguments.split_last() else {
        return Err(invalid("a method needs a value"));
    };
    arguments.iter().try_for_each(weigh::deep)?;
    value.call_method(state, name.as_str().unwrap_or_default(), arguments)
}

/// What a namespace may hold of `value`: texts, numbers, and lists and maps of these. A namespace,
/// a macro, or a list that still reads one while it is walked could end up inside itself, and would
/// then never be freed.
pub(super) fn store(value: Value) -> Result<Value, Error> {
    stored(value, 0)
}

const MAX_DEPTH: usize = 200;

fn stored(value: Value, depth: usize) -> Result<Value, Error> {
    if value.as_object().is_none() || value.downcast_object_ref::<NodeValue>().is_some() {
        return Ok(value);
    }
    if is_plain(&value, depth)? {
        return Ok(value);
    }
    budget::charge_container()?;
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            let mut items = Vec::new();
            for item in value.try_iter()? {
                budget::charge_node()?;
                items.push(stored(item, depth + 1)?);
            }
            Ok(Value::from(items))
        }
        ValueKind::Map if !is_alive(&value) => {
            let mut members = BTreeMap::new();
            for key in value.try_iter()? {
                budget::charge_node()?;
                let member = stored(value.get_item(&key)?, depth + 1)?;
                members.insert(stored(key, depth + 1)?, member);
            }
            Ok(Value::from_object(members))
        }
        _ => Err(invalid(
            "a namespace can hold texts, numbers, lists and maps only",
        )),
    }
}

/// Whether the value can be stored as it is. Copies would not share what the value shares, and take
/// memory for each place where it stands.
fn is_plain(value: &Value, depth: usize) -> Result<bool, Error> {
    budget::charge_node()?;
    if depth > MAX_DEPTH {
        return Err(budget::overdrawn());
    }
    let all = |before: bool, item: &Value| Ok(before && is_plain(item, depth + 1)?);
    if let Some(items) = value.downcast_object_ref::<Vec<Value>>() {
        return items.iter().try_fold(true, all);
    }
    if let Some(members) = value.downcast_object_ref::<BTreeMap<Value, Value>>() {
        return members
            .iter()
            .flat_map(|(key, member)| [key, member])
            .try_fold(true, all);
    }
    Ok(value.as_object().is_none() || value.downcast_object_ref::<NodeValue>().is_some())
}

/// Whether the value is a namespace or a macro. The engine keeps these types to itself, but not
/// their names.
fn is_alive(value: &Value) -> bool {
    let name = value.as_object().map_or("", |object| object.type_name());
    name.ends_with("::Namespace") || name.ends_with("::Macro")
}
