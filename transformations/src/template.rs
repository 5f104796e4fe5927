//! One template value of a configuration, in the cheapest form that can render it.
//!
//! Made by the compiler on the main thread, rendered on workers. Text without markers is a
//! constant. Text and plain reads (a header, a JSON field) become a list of segments that append
//! straight to the output. Only what is left enters the template engine.

pub(crate) mod analysis;
pub(crate) mod commands;
mod condition;
mod context;
pub(crate) mod engine;
mod guard;
pub(crate) mod render;
pub(crate) mod segments;

pub(crate) use condition::Test;
pub(crate) use context::FieldContext;
pub(crate) use segments::Segment;

/// A compiled template.
#[derive(Debug)]
pub(crate) enum Template {
    /// Always the same text.
    Constant(Box<str>),
    /// Literal text and plain reads, in order.
    Segments(Box<[Segment]>),
    /// The template of this number in the program's engine.
    Engine(usize),
    /// JSON text in which some strings are templates.
    Json(Box<[JsonPart]>),
}

impl Template {
    /// The text of a template that is always the same.
    pub(crate) fn constant(&self) -> Option<&str> {
        match self {
            Template::Constant(text) => Some(text),
            _ => None,
        }
    }
}

/// A piece of JSON text.
#[derive(Debug)]
pub(crate) enum JsonPart {
    /// JSON as it is.
    Text(Box<str>),
    /// What this renders to becomes a JSON string.
    String(Template),
}
