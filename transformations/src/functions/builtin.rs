//! The engine's own functions, under names that JSON keys cannot take.
//!
//! Its `debug` is left out: it prints every value it can reach.

use minijinja::{Environment, Value};

use super::{Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "range",
        "range(start?, end, step?)",
        "The whole numbers from start (or 0) up to, not including, end.",
        ("{{ range(3)|list }}", "[0, 1, 2]"),
        (1, 3),
        None,
        |environment, private| rename(environment, "range", private),
    ),
    function!(
        "dict",
        "dict(map?, name=value, ...)",
        "A map of the given names and values.",
        ("{{ dict(a=1) }}", "{\"a\": 1}"),
        (0, usize::MAX),
        None,
        |environment, private| rename(environment, "dict", private),
    ),
    function!(
        "namespace",
        "namespace(map?, name=value, ...)",
        "A map whose fields {% set %} can change, also from inside a loop.",
        (
            "{% set n = namespace(a=1) %}{% set n.a = 2 %}{{ n.a }}",
            "2"
        ),
        (0, usize::MAX),
        None,
        |environment, private| rename(environment, "namespace", private),
    ),
];

fn rename(environment: &mut Environment<'_>, name: &str, private: &'static str) {
    let found: Option<Value> = environment
        .globals()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value);
    if let Some(function) = found {
        environment.add_global(private, function);
    }
}
