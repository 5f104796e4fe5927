//! The functions that templates can call: one file for each family.
//!
//! Each function carries its signature, one line of documentation and an example, so that the
//! reference cannot drift from the code. Registered on the main thread; called by the engine on
//! workers. Functions never panic, and whatever produces text pays for it (see the budget).

use minijinja::Environment;

mod body;
mod builtin;
mod cookies;
mod encoding;
pub(crate) mod environment;
mod headers;
pub(crate) mod names;
mod random;
mod strings;

use environment::EnvAccess;

/// What calling a function reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    /// The header of the current message named by the first argument.
    Header,
    /// The request header named by the first argument.
    RequestHeader,
    /// The request's cookies.
    Cookie,
    /// The body as text.
    Body,
    /// The parsed body.
    Document,
    /// The environment variable named by the first argument.
    Environment,
}

/// A template function.
#[derive(Debug)]
pub struct Function {
    name: &'static str,
    /// The name under which the engine knows it. It holds a space, so that no JSON key, variable
    /// or macro can ever take its place.
    private: &'static str,
    signature: &'static str,
    summary: &'static str,
    example: (&'static str, &'static str),
    arguments: (usize, usize),
    effect: Effect,
    register: fn(&mut Environment<'_>, &'static str, &EnvAccess),
}

impl Function {
    /// The name as templates write it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How to call it, such as `substring(text, start, length?)`.
    pub fn signature(&self) -> &'static str {
        self.signature
    }

    /// One line of documentation.
    pub fn summary(&self) -> &'static str {
        self.summary
    }

    /// A template and what it renders to (for a message without headers or body).
    pub fn example(&self) -> (&'static str, &'static str) {
        self.example
    }

    pub(crate) fn arguments(&self) -> (usize, usize) {
        self.arguments
    }

    pub(crate) fn effect(&self) -> Effect {
        self.effect
    }

    pub(crate) fn private(&self) -> &'static str {
        self.private
    }
}

/// Declares one entry of a family's table.
macro_rules! function {
    (
        $name:literal, $signature:literal, $summary:literal, $example:expr,
        $arguments:expr, $effect:ident, $register:expr $(,)?
    ) => {
        $crate::functions::Function {
            name: $name,
            private: concat!("fn ", $name),
            signature: $signature,
            summary: $summary,
            example: $example,
            arguments: $arguments,
            effect: $crate::functions::Effect::$effect,
            register: $register,
        }
    };
}
use function;

pub(crate) use strings::replace;

const FAMILIES: [&[Function]; 8] = [
    headers::FUNCTIONS,
    body::FUNCTIONS,
    cookies::FUNCTIONS,
    strings::FUNCTIONS,
    encoding::FUNCTIONS,
    random::FUNCTIONS,
    environment::FUNCTIONS,
    builtin::FUNCTIONS,
];

/// All functions, family by family.
pub fn all() -> impl Iterator<Item = &'static Function> {
    FAMILIES.into_iter().flatten()
}

/// The function of this name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name)
}

/// Makes all functions known to an engine, under their private names.
pub(crate) fn register(environment: &mut Environment<'_>, env: &EnvAccess) {
    for function in all() {
        (function.register)(environment, function.private, env);
    }
}
