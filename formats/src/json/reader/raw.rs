//! What a reader gives: values and keys as they stand in the text, decoded when somebody asks.
//!
//! Copies of a few words, used on the worker thread that reads. Refuses nothing: the reader has checked
//! the text.

use std::borrow::Cow;
use std::ops::Range;

use crate::json::node::Kind;
use crate::json::{number, string};

/// A value or a key as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'t> {
    text: &'t str,
    start: usize,
}

impl<'t> Raw<'t> {
    /// What stands at `start` of a text, and was read there.
    #[inline]
    pub(super) fn at(start: usize, text: &'t str) -> Raw<'t> {
        Raw { text, start }
    }

    /// A value that stands alone: `text` is all of it, and was read before.
    pub fn of_value(text: &'t str) -> Raw<'t> {
        Raw { text, start: 0 }
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        kind(self.text)
    }

    /// The bytes as they stand, the quotes of a string included.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// Where in the text it stands.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// The contents of a string, see [`Node::as_str`](crate::json::Node::as_str).
    #[inline]
    pub fn as_str(&self) -> Option<Cow<'t, str>> {
        let inner = self.text.strip_prefix('"')?;
        // Keys are short, and a call costs more than a look at each of their bytes.
        match inner.get(..inner.len().saturating_sub(1)) {
            Some(inner) if inner.len() < 24 && inner.bytes().all(|byte| byte != b'\\') => {
                Some(Cow::Borrowed(inner))
            }
            _ => Some(string::decode(self.text)),
        }
    }

    /// Where parts of a string's contents are spelled in the text it was read from. The parts are
    /// ranges of [`as_str`](Self::as_str) on character boundaries, in order.
    ///
    /// # Cost
    ///
    /// One pass over the string for all of them.
    pub fn spelled(
        self,
        parts: impl IntoIterator<Item = Range<usize>>,
    ) -> impl Iterator<Item = Range<usize>> {
        let mut spelling = string::Spelling::new(self.text);
        parts.into_iter().map(move |part| {
            let mut place = |offset| self.start + spelling.move_to(offset).0;
            place(part.start)..place(part.end)
        })
    }

    /// How many bytes the contents of a string have; 0 for other values. Nothing is decoded: where there
    /// are no escapes, that is how long it is.
    pub fn contents_len(&self) -> usize {
        match self.kind() {
            Kind::String => string::contents_len(self.text),
            _ => 0,
        }
    }

    /// Whether it is a string with these contents, however it is spelled.
    pub fn is(&self, contents: &str) -> bool {
        self.kind() == Kind::String && string::spells(self.text, contents)
    }

    /// An integer spelled as one that fits, see [`Node::as_u64`](crate::json::Node::as_u64).
    pub fn as_u64(&self) -> Option<u64> {
        match self.kind() {
            Kind::Number => number::to_integer(self.text),
            _ => None,
        }
    }
}

/// What a checked value is, by its first byte.
#[inline]
pub(super) fn kind(text: &str) -> Kind {
    match text.as_bytes().first() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b't') => Kind::Bool(true),
        Some(b'f') => Kind::Bool(false),
        Some(b'n') => Kind::Null,
        _ => Kind::Number,
    }
}
