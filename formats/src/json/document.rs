//! A JSON text that was checked once.
//!
//! Made by whoever holds a complete body or stream event, on a worker thread.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::container::Container;
use super::error::{ParseError, ParseErrorKind};
use super::scan;
use super::span::Span;

/// A checked JSON text. Cheap to clone; all clones and their nodes share the text and what was found
/// in it so far.
#[derive(Clone)]
pub struct Document {
    source: Arc<Source>,
}

/// What all nodes of a document share.
pub(super) struct Source {
    pub(super) text: String,
    pub(super) root: Span,
    /// The root's members, which parsing came by anyway; empty if the root is a scalar.
    pub(super) container: Arc<Container>,
    /// The root's contents, if it is a string that was read.
    pub(super) contents: OnceLock<Arc<str>>,
}

impl Document {
    /// Checks that `bytes` are one JSON document and keeps them.
    ///
    /// A `Vec<u8>` or `String` is taken over without a copy; a slice is copied once.
    ///
    /// # Errors
    ///
    /// Anything but one JSON value in UTF-8, see the [module](super). An empty text is an error,
    /// `null` is not.
    ///
    /// # Cost
    ///
    /// Two passes over the bytes (UTF-8, then JSON), and 16 bytes of memory for each member of the root
    /// and of the large containers directly below it.
    pub fn parse(bytes: impl Into<Vec<u8>>) -> Result<Self, ParseError> {
        let text = String::from_utf8(bytes.into()).map_err(|error| {
            let offset = error.utf8_error().valid_up_to();
            ParseError::at(ParseErrorKind::InvalidUtf8, error.as_bytes(), offset)
        })?;
        let (root, outline) = scan::document(&text)?;
        let container = Container::root(outline);
        Ok(Self {
            source: Arc::new(Source {
                text,
                root,
                container,
                contents: OnceLock::new(),
            }),
        })
    }

    /// The text exactly as it came, whitespace around the root value included.
    pub fn text(&self) -> &str {
        &self.source.text
    }

    pub(super) fn source(&self) -> &Arc<Source> {
        &self.source
    }
}

/// Says how long the text is, never what it says: bodies do not belong in logs.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("len", &self.source.text.len())
            .finish_non_exhaustive()
    }
}
