//! Operators and filters of the engine that this project replaces.
//!
//! `+`, `*`, `~`, list and map literals can make more memory out of one instruction than any
//! budget of instructions notices, so they are compiled to calls of these functions, which pay
//! first. `~`, `join` and `string` also print values the way JSON spells them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters};

use super::absence;
use super::fmt_error;
use crate::functions;
use crate::message::Message;
use crate::value::Fault;
use crate::value::budget::{self, PaidText};
use crate::value::{found, numbers, print, weigh};

mod access;
pub(super) mod order;
mod spelling;

pub(super) const ADD: &str = "fn +";
pub(super) const MULTIPLY: &str = "fn *";
pub(super) const CONCATENATE: &str = "fn ~";
pub(super) const LIST: &str = "fn []";
pub(super) const MAP: &str = "fn {}";
pub(super) const EQUAL: &str = "fn ==";
pub(super) const UNEQUAL: &str = "fn !=";
pub(super) const IN: &str = "fn in";
pub(super) const ITEM: &str = "fn [x]";
pub(super) const SLICE: &str = "fn [:]";
/// Calls a method of a loop, macro or map.
pub(super) const METHOD: &str = "fn .x()";
/// Pays for a walk over a value, and gives it back.
pub(super) const WEIGH: &str = "fn weigh";
/// Pays for the items of a value, and gives it back.
pub(super) const ITEMS: &str = "fn items";
/// Pays for so many items, and gives their number back.
pub(super) const COUNT: &str = "fn count";
/// What a namespace may hold of a value.
pub(super) const STORE: &str = "fn store";
/// Envoy's command operators, which the compiler numbers.
pub(super) const COMMAND: &str = "fn %";
/// A variable of the message whose absence the template deals with, by its name.
pub(super) const OPTIONAL: &str = "fn optional";
/// The parsed body where the template does not deal with its absence.
pub(super) const CONTEXT: &str = "fn context!";

/// A variable of the message that is printed as it is, with its name.
pub(super) const SPELLED: &str = "fn spelled";
/// An item that is printed as it is: what holds it, what the engine found there, and its key.
pub(super) const SPELLED_ITEM: &str = "fn spelled .x";
/// The same, where the engine is not to look itself: what holds it, and its key.
pub(super) const SPELLED_PLACE: &str = "fn spelled [x]";

/// The pairs of a map whose values are printed as they are: the map, and what the engine made of it.
pub(super) const SPELLED_PAIRS: &str = "fn spelled ..";

/// The largest width, count or fill that a filter takes.
const MAX_COUNT: usize = 10_000;

/// Registers the operators' functions, and the filters that replace the engine's.
pub(super) fn register(environment: &mut Environment<'_>) {
    environment.add_function(ADD, add);
    environment.add_function(MULTIPLY, multiply);
    environment.add_function(CONCATENATE, concatenate);
    environment.add_function(LIST, list);
    environment.add_function(MAP, map);
    environment.add_function(COMMAND, command);
    environment.add_function(OPTIONAL, absence::optional);
    environment.add_function(CONTEXT, |state: &State<'_, '_>| {
        Message::with(state, Message::expected_document)
    });
    environment.add_function(EQUAL, |left: &Value, right: &Value| {
        compare(left, right, |l, r| l == r)
    });
    environment.add_function(UNEQUAL, |left: &Value, right: &Value| {
        compare(left, right, |l, r| l != r)
    });
    order::register(environment);
    environment.add_function(IN, contains);
    environment.add_function(ITEM, access::item);
    environment.add_function(SLICE, access::slice);
    environment.add_function(SPELLED, spelling::variable);
    environment.add_function(SPELLED_ITEM, spelling::item);
    environment.add_function(SPELLED_PLACE, spelling::place);
    environment.add_function(SPELLED_PAIRS, spelling::pairs);
    environment.add_function(METHOD, access::method);
    environment.add_function(STORE, access::store);
    environment.add_function(WEIGH, |value: Value| weigh::deep(&value).map(|()| value));
    environment.add_function(ITEMS, |value: Value| weigh::shallow(&value).map(|()| value));
    environment.add_function(COUNT, |count: usize| {
        budget::charge(count.saturating_mul(size_of::<Value>())).map(|()| count)
    });
    environment.add_filter("replace", functions::replace);
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    environment.add_filter("join", join);
    environment.add_filter("string", string);
    environment.add_filter("indent", indent);
    environment.add_filter("batch", batch);
    environment.add_filter("slice", slice_filter);
    environment.remove_filter("format");
}

fn invalid(message: &'static str) -> Error {
    Fault::Operator(message).into()
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
    let mut text = PaidText::default();
    for value in [left, right] {
        weigh::as_text(value)?;
        print::value(&mut text, value).map_err(fmt_error)?;
    }
    Ok(text.into_string())
}

/// Two values that the engine can tell apart without looking into them cost nothing.
fn compare(left: &Value, right: &Value, test: fn(&Value, &Value) -> bool) -> Result<bool, Error> {
    match (left.as_str(), right.as_str()) {
        (Some(left), Some(right)) => budget::charge_reading(left.len().min(right.len()))?,
        (None, None) if left.kind() == right.kind() || is_list(left) && is_list(right) => {
            weigh::deep(left)?;
            weigh::deep(right)?;
        }
        _ => {}
    }
    Ok(test(left, right))
}

/// Whether `container` holds `value`. What this answers for values that hold nothing, and for
/// containers without a value, is what the engine answers.
fn contains(state: &State<'_, '_>, value: Value, container: Value) -> Result<bool, Error> {
    // The engine would look for the empty text, which is in every other.
    if value.is_undefined() || container.is_undefined() {
        return Ok(false);
    }
    weigh::deep(&value)?;
    match container.kind() {
        ValueKind::Seq | ValueKind::Iterable if value.as_object().is_some() => {
            weigh::deep(&container)?;
        }
        ValueKind::Seq | ValueKind::Iterable => {
            weigh::shallow(&container)?;
            if let Some(text) = value.as_str() {
                budget::charge(text.len().saturating_mul(container.len().unwrap_or(1)) / 64)?;
            }
        }
        ValueKind::String => weigh::shallow(&container)?,
        _ => {}
    }
    state.perform_test("in", &[value, container])
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
        // Keys are compared with each other.
        weigh::deep(&key)?;
        map.insert(key, value);
    }
    Ok(Value::from(map))
}

fn command(state: &State<'_, '_>, number: usize) -> Value {
    Message::with(state, |message| message.command(number))
}

/// The other value for what is not there: undefined, null, or a text that was not found. With a third
/// argument that is true, for everything that counts as false.
fn default(value: Value, others: Rest<Value>) -> Result<Value, Error> {
    let lax = match others.get(1..).unwrap_or_default() {
        [] => false,
        [lax] => lax.is_true(),
        _ => return Err(Error::from(ErrorKind::TooManyArguments)),
    };
    if found::is_nothing(&value) || lax && !value.is_true() {
        return Ok(others.first().cloned().unwrap_or_else(|| Value::from("")));
    }
    Ok(value)
}

fn join(value: &Value, separator: Option<Cow<'_, str>>) -> Result<String, Error> {
    if value.is_undefined() || value.is_none() {
        return Ok(String::new());
    }
    let separator = separator.unwrap_or_default();
    let mut text = PaidText::default();
    for (index, item) in value.try_iter()?.enumerate() {
        if index > 0 {
            text.write_str(&separator).map_err(fmt_error)?;
        }
        print::value(&mut text, &item).map_err(fmt_error)?;
    }
    Ok(text.into_string())
}

fn string(value: &Value) -> Result<Value, Error> {
    if value.as_str().is_some() {
        return Ok(value.clone());
    }
    let mut text = PaidText::default();
    print::value(&mut text, value).map_err(fmt_error)?;
    Ok(Value::from(text.into_string()))
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

fn slice_filter(
    state: &State<'_, '_>,
    value: Value,
    count: usize,
    fill: Option<Value>,
) -> Result<Value, Error> {
    check_count(count)?;
    budget::charge_container()?;
    filters::slice(state, value, count, fill)
}
