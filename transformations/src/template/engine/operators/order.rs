//! Comparisons that ask for an order.
//!
//! Called on workers in the place of the engine's own, which puts every text behind every number. A
//! text that spells a number is that number beside one, since headers and query parameters are texts;
//! what is no number is neither less nor more than one.

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, Value};

use super::{compare, numbers};

pub(in crate::template) const LESS: &str = "fn <";
pub(in crate::template) const LESS_OR_EQUAL: &str = "fn <=";
pub(in crate::template) const GREATER: &str = "fn >";
pub(in crate::template) const GREATER_OR_EQUAL: &str = "fn >=";
/// The same inside of a chain such as `1 < x < 5`: the answer, and the right operand, with which the
/// chain goes on.
pub(in crate::template) const CHAINED_LESS: &str = "fn < ..";
pub(in crate::template) const CHAINED_LESS_OR_EQUAL: &str = "fn <= ..";
pub(in crate::template) const CHAINED_GREATER: &str = "fn > ..";
pub(in crate::template) const CHAINED_GREATER_OR_EQUAL: &str = "fn >= ..";

type Test = fn(&Value, &Value) -> bool;

/// Each order, as an operator, in a chain, and the tests that ask for it.
const ORDERS: [(Test, &str, &str, &[&str]); 4] = [
    (|l, r| l < r, LESS, CHAINED_LESS, &["lt", "lessthan", "<"]),
    (
        |l, r| l <= r,
        LESS_OR_EQUAL,
        CHAINED_LESS_OR_EQUAL,
        &["le", "<="],
    ),
    (
        |l, r| l > r,
        GREATER,
        CHAINED_GREATER,
        &["gt", "greaterthan", ">"],
    ),
    (
        |l, r| l >= r,
        GREATER_OR_EQUAL,
        CHAINED_GREATER_OR_EQUAL,
        &["ge", ">="],
    ),
];

pub(super) fn register(environment: &mut Environment<'_>) {
    for (test, operator, chained, tests) in ORDERS {
        environment.add_function(operator, move |left: &Value, right: &Value| {
            ordered(left, right, test)
        });
        environment.add_function(chained, move |left: &Value, right: Value| {
            let answer = Value::from(ordered(left, &right, test)?);
            Ok::<_, Error>(vec![answer, right])
        });
        for name in tests {
            environment.add_test(*name, move |left: &Value, right: &Value| {
                ordered(left, right, test)
            });
        }
    }
}

fn ordered(left: &Value, right: &Value, test: Test) -> Result<bool, Error> {
    let (left_number, right_number) = (numbers::own(left), numbers::own(right));
    let is_bool = |value: &Value| value.kind() == ValueKind::Bool;
    if left_number.is_none() && right_number.is_none() || is_bool(left) || is_bool(right) {
        return compare(left, right, test);
    }
    let left = left_number.or_else(|| numbers::of_value(left));
    let right = right_number.or_else(|| numbers::of_value(right));
    Ok(left
        .zip(right)
        .is_some_and(|(left, right)| test(&left, &right)))
}
