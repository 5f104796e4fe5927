//! What the engine's own instructions and functions find at the root of a message, under private names:
//! they hold a space, which no name in a template can.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use minijinja::Value;

/// Functions by their private names, which are the same for every program. The engine would look for them
/// in a tree of all its globals, at each call again; most of a small template's time would go there.
pub(crate) type PrivateFunctions = HashMap<Box<str>, Value, FixedState>;

/// What a message answers to private names beside what it is itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Private {
    /// What the configuration says to functions: only they look into it.
    pub(crate) configured: Value,
    /// None where nothing enters the engine.
    pub(crate) functions: Option<&'static PrivateFunctions>,
}

impl Private {
    pub(super) fn function(&self, name: &str) -> Option<Value> {
        self.functions?.get(name).cloned()
    }
}
