//! The functions that templates can call: one file for each family.
//!
//! Each function carries its signature, one line of documentation and an example, so that the
//! reference cannot drift from the code. Registered once for the process, on the main thread; called by
//! the engine on workers. Functions never panic, and whatever produces text pays for it (see the
//! budget). What one configuration says and another does not (see `Configured`) they find beside the
//! message.

use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr};
use minijinja::{Environment, State};

mod body;
mod builtin;
mod cookies;
pub(crate) mod dates;
pub(crate) mod digest;
mod encoding;
pub(crate) mod environment;
mod extraction;
pub(crate) mod filters;
mod fixed;
mod form;
mod headers;
pub(crate) mod host;
mod json;
mod json_edit;
mod jwt;
mod random;
pub(crate) mod regex;
mod repeated;
mod strings;
mod url;
mod variables;
mod words;
mod xml;

use crate::host::MetadataSource;
use crate::message::CONFIGURED;
use environment::EnvAccess;

pub(crate) use extraction::Extractors;
pub use filters::{Builtin, FILTERS, TESTS};
pub(crate) use regex::Patterns;
pub use variables::{VARIABLES, Variable};

/// What functions know of the configuration that the template is of. A value of the engine, which the
/// message holds for them.
#[derive(Debug)]
pub(crate) struct Configured {
    pub(crate) env: EnvAccess,
    pub(crate) patterns: Patterns,
    pub(crate) extractors: Extractors,
}

impl Configured {
    /// Runs `read` on what is configured; `None` where nothing is that functions could read.
    fn with<T>(state: &State<'_, '_>, read: impl FnOnce(&Configured) -> T) -> Option<T> {
        let found = state.lookup(CONFIGURED)?;
        found.downcast_object_ref::<Configured>().map(read)
    }

    /// Whether no function could read anything here.
    pub(crate) fn is_empty(&self) -> bool {
        !self.env.is_read() && self.patterns.is_empty() && self.extractors.is_empty()
    }
}

impl Object for Configured {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// Registers a function or filter under a name.
type Register = fn(&mut Environment<'_>, &'static str);

/// What calling a function reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    /// The header of the current message named by the first argument.
    Header,
    /// The lines of the header of the current message named by the first argument.
    HeaderLines,
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
    /// The request's path, unless there are this many arguments.
    Path(usize),
    /// The second argument is a regular expression.
    Pattern,
    /// The second argument is a regular expression, the third a replacement.
    Replacement,
    /// The second argument is a JSON Pointer.
    Pointer,
    /// The second argument is a date format.
    DateFormat,
    /// The argument in this place is the name of an encoding.
    Encoding(usize),
    /// The time.
    Clock,
    /// Dynamic metadata: a namespace and a key.
    Metadata,
    /// Metadata: a key and perhaps a namespace.
    KeyedMetadata(MetadataSource),
    /// The attribute named by the first argument.
    Attribute,
    /// The extractor named by the first argument.
    Extraction,
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
    register: Register,
    /// How to use it as a filter, if it is one too.
    filter: Option<(&'static str, Register)>,
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

    /// How to use it as a filter, such as `text | urlencode`, if it is one too.
    pub fn filter(&self) -> Option<&'static str> {
        self.filter.map(|(usage, _)| usage)
    }

    /// A template and what it renders to, for the example message of the reference.
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
        $arguments:expr, $effect:ident $(($reads:expr))?, $register:expr
        $(, filter $usage:literal, $register_filter:expr)? $(,)?
    ) => {
        $crate::functions::Function {
            name: $name,
            private: concat!("fn ", $name),
            signature: $signature,
            summary: $summary,
            example: $example,
            arguments: $arguments,
            effect: $crate::functions::Effect::$effect $(($reads))?,
            register: $register,
            filter: $crate::functions::function!(@filter $($usage, $register_filter)?),
        }
    };
    (@filter) => { None };
    (@filter $usage:literal, $register:expr) => { Some(($usage, $register)) };
}
use function;

pub(crate) use strings::replace;

/// All functions by family, each with its title: the order of the reference.
pub const FAMILIES: &[(&str, &[Function])] = &[
    ("Headers", headers::FUNCTIONS),
    ("Cookies", cookies::FUNCTIONS),
    ("Body", body::FUNCTIONS),
    ("Extractors", extraction::FUNCTIONS),
    ("Metadata, attributes, clock", host::FUNCTIONS),
    ("Text", strings::FUNCTIONS),
    ("Words and parts", words::FUNCTIONS),
    ("Regular expressions", regex::FUNCTIONS),
    ("URLs", url::FUNCTIONS),
    ("Base64", encoding::FUNCTIONS),
    ("Tokens", jwt::FUNCTIONS),
    ("Numbers", fixed::FUNCTIONS),
    ("Digests and identifiers", digest::FUNCTIONS),
    ("JSON", json::FUNCTIONS),
    ("XML", xml::FUNCTIONS),
    ("Forms", form::FUNCTIONS),
    ("Dates", dates::FUNCTIONS),
    ("Random values", random::FUNCTIONS),
    ("Environment", environment::FUNCTIONS),
    ("Lists and maps", builtin::FUNCTIONS),
];

/// All functions, family by family.
pub fn all() -> impl Iterator<Item = &'static Function> {
    FAMILIES.iter().flat_map(|(_, functions)| *functions)
}

/// The function of this name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name)
}

/// Makes all functions known to an engine: functions under their private names, filters under their
/// own, which nothing in a message can shadow.
pub(crate) fn register(environment: &mut Environment<'_>) {
    for function in all() {
        (function.register)(environment, function.private);
        if let Some((_, register)) = function.filter {
            register(environment, function.name);
        }
    }
}
