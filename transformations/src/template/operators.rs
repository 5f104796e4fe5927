//! Operators and filters of the engine that this project replaces.
//!
//! `+`, `*`, `~`, list and map literals can make more memory out of one instruction than any
//! budget of instructions notices, so they are compiled to calls of these functions, which pay
//! first. `~`, `join` and `string` also print values the way JSON spells them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters};

use super::print::{self, Layout};
use super::{budget, engine::fmt_error};
use crate::functions;

pub(super) const ADD: &str = "fn +";
pub(super) const MULTIPLY: &str = "fn *";
pub(super) const CONCATENATE: &str = "fn ~";
pub(super) const LIST: &str = "fn []";
pub(super) const MAP: &str = "fn {}";

/// The largest width, count or fill that a filter takes.
const MAX_COUNT: usize = 10_000;

/// Registers the operators' functions, and the filters that replace the engine's.
pub(super) fn register(environment: &mut Environment<'_>) {
    environment.add_function(ADD, add);
    environment.add_function(MULTIPLY, multiply);
    environment.add_function(CONCATENATE, concatenate);
    environment.add_function(LIST, list);
    environment.add_function(MAP, map);
    environment.add_filter("replace", functions::replace);
    environment.add_filter("join", join);
    environment.add_filter("string", string);
    environment.add_filter("tojson", to_json);
    environment.add_filter("indent", indent);
    environment.add_filter("batch", batch);
    environment.add_filter("slice", slice);
    environment.remove_filter("format");
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// A number as the operators see it.
enum Number {
    Integer(i128),
    Float(f64),
}

fn to_number(value: &Value) -> Option<Number> {
    match value.kind() {
        ValueKind::Bool => Some(Number::Integer(i128::from(value.is_true()))),
        ValueKind::Number if value.is_integer() => {
            i128::try_from(value.clone()).ok().map(Number::Integer)
        }
        ValueKind::Number => f64::try_from(value.clone()).ok().map(Number::Float),
        _ => None,
    }
}

/// Applies an operator to two numbers; floats are contagious.
fn compute(
    left: &Value,
    right: &Value,
    integers: fn(i128, i128) -> Option<i128>,
    floats: fn(f64, f64) -> f64,
) -> Result<Value, Error> {
    let numbers = to_number(left).zip(to_number(right));
    Ok(
        match numbers.ok_or_else(|| invalid("the operator does not apply to these values"))? {
            (Number::Integer(left), Number::Integer(right)) => {
                let result =
                    integers(left, right).ok_or_else(|| invalid("the number is too large"))?;
                i64::try_from(result).map_or_else(|_| Value::from(result), Value::from)
            }
            (Number::Integer(left), Number::Float(right)) => {
                Value::from(floats(left as f64, right))
            }
            (Number::Float(left), Number::Integer(right)) => {
                Value::from(floats(left, right as f64))
            }
            (Number::Float(left), Number::Float(right)) => Value::from(floats(left, right)),
        },
    )
}

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

fn add(left: &Value, right: &Value) -> Result<Value, Error> {
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        budget::charge(left.len() + right.len())?;
        return Ok(Value::from(format!("{left}{right}")));
    }
    if is_list(left) && is_list(right) {
        budget::charge_container()?;
        let mut items = Vec::new();
        for item in left.try_iter()?.chain(right.try_iter()?) {
            budget::charge(size_of::<Value>())?;
            items.push(item);
        }
        return Ok(Value::from(items));
    }
    compute(left, right, i128::checked_add, |left, right| left + right)
}

fn multiply(left: &Value, right: &Value) -> Result<Value, Error> {
    let (repeated, times) = if is_list(right) || right.as_str().is_some() {
        (right, left)
    } else {
        (left, right)
    };
    if let Some(text) = repeated.as_str() {
        let times = times
            .as_usize()
            .ok_or_else(|| invalid("text is repeated by an integer"))?;
        budget::charge(text.len().saturating_mul(times))?;
        return Ok(Value::from(text.repeat(times)));
    }
    if is_list(repeated) {
        let times = times
            .as_usize()
            .ok_or_else(|| invalid("lists are repeated by an integer"))?;
        let items: Vec<Value> = repeated.try_iter()?.collect();
        budget::charge_container()?;
        budget::charge(
            items
                .len()
                .saturating_mul(times)
                .saturating_mul(size_of::<Value>()),
        )?;
        let length = items.len() * times;
        return Ok(items.iter().cycle().take(length).cloned().collect());
    }
    compute(left, right, i128::checked_mul, |left, right| left * right)
}

fn concatenate(left: &Value, right: &Value) -> Result<String, Error> {
    let mut text = String::new();
    print::value(&mut text, left).map_err(fmt_error)?;
    print::value(&mut text, right).map_err(fmt_error)?;
    budget::charge(text.len())?;
    Ok(text)
}

fn list(items: Rest<Value>) -> Result<Value, Error> {
    budget::charge_container()?;
    Ok(Value::from(items.0))
}

/// Keys and values alternate.
fn map(parts: Rest<Value>) -> Result<Value, Error> {
    budget::charge_container()?;
    let mut parts = parts.0.into_iter();
    let mut map = BTreeMap::new();
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        map.insert(key, value);
    }
    Ok(Value::from(map))
}

fn join(value: &Value, separator: Option<Cow<'_, str>>) -> Result<String, Error> {
    if value.is_undefined() || value.is_none() {
        return Ok(String::new());
    }
    let separator = separator.unwrap_or_default();
    let mut text = String::new();
    for (index, item) in value.try_iter()?.enumerate() {
        let before = text.len();
        if index > 0 {
            text.push_str(&separator);
        }
        print::value(&mut text, &item).map_err(fmt_error)?;
        budget::charge(text.len() - before)?;
    }
    Ok(text)
}

fn string(value: &Value) -> Result<Value, Error> {
    if value.as_str().is_some() {
        return Ok(value.clone());
    }
    let mut text = String::new();
    print::value(&mut text, value).map_err(fmt_error)?;
    budget::charge(text.len())?;
    Ok(Value::from(text))
}

fn to_json(value: &Value) -> Result<String, Error> {
    let mut text = String::new();
    print::json(&mut text, value, Layout::Compact, 0).map_err(fmt_error)?;
    budget::charge(text.len())?;
    Ok(text)
}

fn check_count(count: usize) -> Result<(), Error> {
    if count > MAX_COUNT {
        Err(invalid("the width or count is too large"))
    } else {
        Ok(())
    }
}

fn indent(
    text: String,
    width: Option<usize>,
    first: Option<bool>,
    blank: Option<bool>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let named: Option<usize> = kwargs.peek("width").unwrap_or_default();
    let columns = width.or(named).unwrap_or(4);
    check_count(columns)?;
    let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1;
    budget::charge(text.len().saturating_add(lines.saturating_mul(columns)))?;
    filters::indent(text, width, first, blank, kwargs)
}

fn batch(
    state: &State<'_, '_>,
    value: Value,
    count: usize,
    fill: Option<Value>,
) -> Result<Value, Error> {
    check_count(count)?;
    budget::charge_container()?;
    filters::batch(state, value, count, fill)
}

fn slice(
    state: &State<'_, '_>,
    value: Value,
    count: usize,
    fill: Option<Value>,
) -> Result<Value, Error> {
    check_count(count)?;
    budget::charge_container()?;
    filters::slice(state, value, count, fill)
}
