//! JSON from a message as template values, read when asked for.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, Value};

use super::Fault;
use super::budget;
use super::print::{self, Layout};
use formats::json::{Kind, Node};

/// A container, or a number that no machine number can hold or that is about to be printed.
#[derive(Debug)]
pub(crate) struct NodeValue(Node);

impl NodeValue {
    pub(crate) fn new(node: Node) -> NodeValue {
        NodeValue(node)
    }

    pub(crate) fn node(&self) -> &Node {
        &self.0
    }

    /// The nearest float, if this is a number that has one. Paid for: what cannot pay has none.
    pub(crate) fn as_f64(&self) -> Option<f64> {
        pay_for_digits(&self.0).ok()?;
        self.0.as_f64()
    }
}

/// Strings whose text is shorter are decoded and copied each time they are read.
const SHORT: usize = 64;

/// What passing by a member of an object costs, beside its key: a list is made of what is found.
const MEMBER: usize = 8;

/// A JSON value as a template value. Scalars are copied, long strings once for all who read them;
/// containers stay where they are, and what nests too deeply is an error for whoever uses it. Long
/// numbers are paid for, since they are read digit by digit each time.
pub(crate) fn to_value(node: Node) -> Value {
    match node.kind() {
        Kind::Null => Value::from(()),
        Kind::Bool(value) => Value::from(value),
        Kind::String if node.raw().len() < SHORT => Value::from(node.as_str().unwrap_or_default()),
        Kind::String => node.contents().map(Value::from).unwrap_or_default(),
        Kind::Number => match pay_for_digits(&node) {
            Ok(()) => to_number(node),
            Err(overdrawn) => Value::from(overdrawn),
        },
        _ if node.is_too_deep() => Value::from(Error::from(Fault::JsonTooDeep)),
        Kind::Array | Kind::Object => Value::from_object(NodeValue(node)),
    }
}

/// Pays for making a machine number of a long one.
fn pay_for_digits(node: &Node) -> Result<(), Error> {
    match node.raw().len() {
        ..SHORT => Ok(()),
        digits => budget::charge(digits),
    }
}

fn to_number(node: Node) -> Value {
    if let Some(number) = node.as_i64() {
        return Value::from(number);
    }
    if let Some(number) = node.as_u64() {
        return Value::from(number);
    }
    if let Some(number) = node.as_i128() {
        return Value::from(number);
    }
    // Integers beyond 128 bits would lose digits as floats, so they keep their text and cannot be
    // computed with.
    let is_integer = node
        .raw()
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-');
    let float = if is_integer && node.raw() != "-0" {
        None
    } else {
        node.as_f64()
    };
    match float {
        Some(number) => Value::from(number),
        None => Value::from_object(NodeValue(node)),
    }
}

/// The member of this name. Paid for by the number of keys and their length, so that a loop cannot
/// search a wide object without end. When nothing is left to pay with, the render fails, and nothing is
/// found: the engine, which asks for members while it compares, could not compare errors.
pub(crate) fn lookup(node: &Node, name: &str) -> Option<Value> {
    budget::charge_lookup(node.width(), name.len()).ok()?;
    node.get(name).map(to_value)
}

impl Object for NodeValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.0.kind() {
            Kind::Object => ObjectRepr::Map,
            Kind::Array => ObjectRepr::Seq,
            _ => ObjectRepr::Plain,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str() {
            Some(name) => lookup(&self.0, name),
            None => self.0.index(key.as_usize()?).map(to_value),
        }
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        lookup(&self.0, key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.0.kind() {
            Kind::Object => {
                // Keys are made anew each time, and those that repeat are passed over. If nothing is left
                // to pay for them, the render fails.
                if budget::charge(self.0.members().saturating_mul(MEMBER)).is_err() {
                    return Enumerator::Empty;
                }
                let paid = |key: &Cow<'_, str>| budget::charge_reading(key.len()).is_ok();
                let keys = self.0.entries().map(|(key, _)| key).take_while(paid);
                Enumerator::Values(keys.map(Value::from).collect())
            }
            Kind::Array => Enumerator::Seq(self.0.len()),
            _ => Enumerator::NonEnumerable,
        }
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        match self.0.kind() {
            Kind::Object | Kind::Array => Some(self.0.len()),
            _ => None,
        }
    }

    fn is_true(self: &Arc<Self>) -> bool {
        match self.0.kind() {
            Kind::Object | Kind::Array => !self.0.is_empty(),
            // What no float can hold is not 0.
            _ => self.as_f64().is_none_or(|number| number != 0.0),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::node(f, &self.0, Layout::Spaced)
    }
}
