//! Functions, filters and tests with a price: the arguments are weighed before they are used.
//!
//! Registered once for the process, under names that templates cannot write; the compiler makes
//! templates call these instead of what the engine has. A filter or test that another one calls by
//! its name, as `map` does, was paid for by that one.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr};
use minijinja::{Environment, Error, State, Value};
use once_cell::sync::Lazy;

use crate::functions::{self, filters};
use crate::value::{budget, weigh};

/// What walking the arguments costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Price {
    /// Nothing worth counting.
    Free,
    /// A look at each item of each argument.
    Items,
    /// A walk over everything in each argument.
    Everything,
    /// What `Everything` costs, for each of the comparisons that sorting takes.
    Sorting,
    /// A walk over the first argument, and over all others for each of its items.
    Each,
    /// The arguments become text; the function itself pays for what it makes of them.
    Text,
}

fn of_filter(name: &str) -> Price {
    match name {
        "default" | "d" | "abs" | "bool" | "round" => Price::Free,
        "length" | "count" | "first" | "last" | "list" | "items" | "reverse" | "batch"
        | "slice" | "sum" | "zip" | "chain" => Price::Items,
        "sort" | "unique" | "groupby" | "dictsort" => Price::Sorting,
        "map" | "select" | "selectattr" | "reject" | "rejectattr" => Price::Each,
        "attr" => Price::Text,
        _ if filters::own(name).is_some() => Price::Text,
        _ => Price::Everything,
    }
}

/// Whether the filter answers with a list or map that was not there before.
fn makes_container(name: &str) -> bool {
    matches!(
        name,
        "batch"
            | "chain"
            | "dictsort"
            | "groupby"
            | "items"
            | "lines"
            | "list"
            | "map"
            | "reject"
            | "rejectattr"
            | "reverse"
            | "select"
            | "selectattr"
            | "slice"
            | "sort"
            | "unique"
            | "zip"
    )
}

fn of_test(name: &str) -> Price {
    match name {
        "boolean" | "defined" | "divisibleby" | "escaped" | "even" | "false" | "float" | "int"
        | "integer" | "mapping" | "none" | "number" | "odd" | "safe" | "sequence" | "string"
        | "true" | "undefined" => Price::Free,
        _ => Price::Everything,
    }
}

/// The names under which priced filters and tests are called, by their own.
#[derive(Debug)]
struct Names {
    filters: BTreeMap<&'static str, String>,
    tests: BTreeMap<&'static str, String>,
}

static NAMES: Lazy<Names> = Lazy::new(|| Names {
    filters: filters::filter_names()
        .filter(|name| of_filter(name) != Price::Free)
        .map(|name| (name, format!("fn |{name}")))
        .collect(),
    tests: filters::test_names()
        .filter(|name| of_test(name) != Price::Free)
        .map(|name| (name, format!("fn is {name}")))
        .collect(),
});

/// The name of the filter that pays first, if this one has a price.
pub(super) fn filter(name: &str) -> Option<&'static str> {
    NAMES.filters.get(name).map(String::as_str)
}

/// The name of the test that pays first, if this one has a price.
pub(super) fn test(name: &str) -> Option<&'static str> {
    NAMES.tests.get(name).map(String::as_str)
}

/// Registers everything that has a price, over the functions that are registered already.
pub(super) fn register(environment: &mut Environment<'static>) {
    for (name, private) in &NAMES.filters {
        let (price, callee) = (of_filter(name), Callee::Filter(name));
        environment.add_global(
            private.as_str(),
            Value::from_object(Priced { price, callee }),
        );
    }
    for (name, private) in &NAMES.tests {
        let (price, callee) = (of_test(name), Callee::Test(name));
        environment.add_global(
            private.as_str(),
            Value::from_object(Priced { price, callee }),
        );
    }
    let own: BTreeMap<String, Value> = environment
        .globals()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    for function in functions::all().filter(|function| function.arguments().1 > 0) {
        let Some(value) = own.get(function.private()) else {
            continue;
        };
        let price = match function.name() {
            "dict" | "namespace" => Price::Items,
            _ => Price::Text,
        };
        let callee = Callee::Function(value.clone(), function.name());
        environment.add_global(
            function.private(),
            Value::from_object(Priced { price, callee }),
        );
    }
}

#[derive(Debug)]
enum Callee {
    Filter(&'static str),
    Test(&'static str),
    Function(Value, &'static str),
}

#[derive(Debug)]
struct Priced {
    price: Price,
    callee: Callee,
}

impl Price {
    fn pay(self, arguments: &[Value]) -> Result<(), Error> {
        let Some((first, others)) = arguments.split_first() else {
            return Ok(());
        };
        match self {
            Price::Free => Ok(()),
            Price::Items => arguments.iter().try_for_each(weigh::shallow),
            Price::Everything => arguments.iter().try_for_each(weigh::deep),
            Price::Text => arguments.iter().try_for_each(weigh::as_text),
            Price::Sorting => {
                let once = weigh::spent(|| arguments.iter().try_for_each(weigh::deep))?;
                let items = first.len().unwrap_or(once);
                budget::charge(once.saturating_mul(items.max(1).ilog2() as usize))
            }
            Price::Each => {
                let walk = weigh::spent(|| weigh::deep(first))?;
                let items = first.len().unwrap_or(walk);
                let once = weigh::spent(|| others.iter().try_for_each(weigh::deep))?;
                budget::charge(once.saturating_mul(items.saturating_sub(1)))
            }
        }
    }
}

impl Object for Priced {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
        self.price.pay(arguments)?;
        match &self.callee {
            Callee::Test(name) => state.perform_test(name, arguments).map(Value::from),
            Callee::Function(function, name) => {
                if matches!(*name, "dict" | "namespace") {
                    budget::charge_container()?;
                }
                function.call(state, arguments)
            }
            Callee::Filter(name) => {
                let made = state.apply_filter(name, arguments)?;
                if self.price == Price::Text {
                    return Ok(made);
                }
                if let Some(text) = made.as_str() {
                    budget::charge(text.len())?;
                    return Ok(made);
                }
                if !makes_container(name) {
                    return Ok(made);
                }
                budget::charge_container()?;
                let made = weigh::settled(made)?;
                budget::charge(size_of::<Value>() * made.len().unwrap_or(0))?;
                Ok(made)
            }
        }
    }
}
