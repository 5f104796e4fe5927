//! `body.patch` as its author wrote it: operations on a JSON document, with templates in their
//! values.
//!
//! Read on the main thread with the rest of the configuration. Paths are constants, so that what a
//! patch touches is known when it is loaded and cannot be chosen by a client.

use super::Expression;

/// One operation of RFC 6902, not yet checked.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchOperation {
    /// `add`, `remove`, `replace`, `move`, `copy` or `test`.
    pub op: String,
    /// Where it acts: a JSON Pointer.
    pub pointer: String,
    /// Where `move` and `copy` take the value.
    pub from: Option<String>,
    /// The value of `add`, `replace` and `test`.
    pub value: Option<ValueTemplate>,
    /// When it applies; always without a condition.
    pub when: Option<Expression>,
    /// Where the operation stands in the configuration.
    pub path: String,
}

/// A value that is a template, or JSON that holds templates.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueTemplate {
    /// JSON as written, in which strings may be templates.
    Json {
        /// JSON text and templates, in order.
        pieces: Vec<JsonPiece>,
        /// Where the value stands in the configuration.
        path: String,
    },
    /// A template whose result is the text of the value.
    Template {
        /// The template.
        value: String,
        /// Where it stands in the configuration.
        path: String,
    },
}

/// A piece of a JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonPiece {
    /// JSON text, as it is.
    Text(String),
    /// A template whose result becomes a JSON string.
    String {
        /// The template.
        value: String,
        /// Where it stands in the configuration.
        path: String,
    },
}

impl ValueTemplate {
    /// Where the value stands in the configuration.
    pub fn path(&self) -> &str {
        match self {
            ValueTemplate::Json { path, .. } | ValueTemplate::Template { path, .. } => path,
        }
    }

    /// Whether this is a JSON object, whatever its templates render to.
    pub(crate) fn is_object(&self) -> bool {
        match self {
            ValueTemplate::Json { pieces, .. } => {
                matches!(pieces.first(), Some(JsonPiece::Text(text)) if text.starts_with('{'))
            }
            ValueTemplate::Template { .. } => false,
        }
    }
}
