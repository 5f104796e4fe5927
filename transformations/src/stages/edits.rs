//! What one stage makes of a message, before anything of the message changes.
//!
//! Names and constants are the program's own; what was rendered stands in one text for all values. The
//! memory of a stage's edits is used again by the next message of the worker: it lies in a thread-local,
//! taken out while in use, so that a host which transforms another message from within a call finds an
//! empty place and makes new ones.

use std::cell::Cell;
use std::ops::Range;

use crate::direction::Direction;
use crate::http::{self, NamePattern};
use crate::metadata::MetadataType;

/// Larger buffers go back to the allocator.
const KEEP_BYTES: usize = 64 << 10;

thread_local! {
    static IDLE: Cell<Edits<'static>> = const { Cell::new(Edits::new()) };
}

/// The edits of one stage, in the order in which they apply: the body, headers, metadata.
#[derive(Debug, Default)]
pub(super) struct Edits<'p> {
    /// Rendered values, one after the other.
    pub(super) text: String,
    /// What the body becomes, if a template writes it. Patches are applied where the document is.
    pub(super) body: Option<Text<'p>>,
    pub(super) headers: Vec<HeaderEdit<'p>>,
    pub(super) metadata: Vec<MetadataEdit<'p>>,
    /// There is a rule for the body, whether it applies or not.
    pub(super) has_body_rule: bool,
    /// The route is chosen again whatever changes.
    pub(super) reroutes: bool,
}

/// A value of an edit.
#[derive(Clone, Debug)]
pub(super) enum Text<'p> {
    Constant(&'p str),
    /// The range of [`Edits::text`].
    Rendered(Range<usize>),
}

/// What happens to the lines of a header.
#[derive(Clone, Debug)]
pub(super) enum Change<'p> {
    /// They become this one; none if the value is empty.
    Set,
    /// There is one more, unless the value is empty.
    Add,
    Remove,
    /// All headers of a pattern go, as far as a message can be without them.
    RemoveAll {
        names: &'p NamePattern,
        /// Those among them that routes match on.
        routing: &'p [Box<str>],
    },
    /// They become these, of which the empty ones go.
    Lines(Vec<Line>),
}

/// What becomes of one line of a header.
#[derive(Clone, Debug)]
pub(super) enum Line {
    /// It stays as it came.
    Kept(Vec<u8>),
    /// The range of its new text.
    Made(Range<usize>),
}

#[derive(Clone, Debug)]
pub(super) struct HeaderEdit<'p> {
    pub(super) change: Change<'p>,
    /// In lower case; empty if a pattern has many.
    pub(super) name: &'p str,
    pub(super) value: Text<'p>,
    /// The route is chosen again if this changes the message.
    pub(super) reroutes: bool,
}

#[derive(Clone, Debug)]
pub(super) struct MetadataEdit<'p> {
    pub(super) namespace: &'p str,
    pub(super) key: &'p str,
    pub(super) of: MetadataType,
    pub(super) value: Text<'p>,
}

impl<'p> Edits<'p> {
    const fn new() -> Edits<'p> {
        Edits {
            text: String::new(),
            body: None,
            headers: Vec::new(),
            metadata: Vec::new(),
            has_body_rule: false,
            reroutes: false,
        }
    }

    /// Edits without any, in memory that was used before.
    pub(super) fn take() -> Edits<'p> {
        IDLE.take()
    }

    /// Lets the next message of this worker have the memory.
    pub(super) fn give_back(self) {
        let Edits {
            mut text,
            headers,
            metadata,
            ..
        } = self;
        text.clear();
        if text.capacity() <= KEEP_BYTES {
            IDLE.set(Edits {
                text,
                headers: emptied(headers),
                metadata: emptied(metadata),
                ..Edits::new()
            });
        }
    }

    /// The body, if a template writes it.
    pub(super) fn body(&self) -> Option<&str> {
        Some(self.value(self.body.as_ref()?))
    }

    /// The bytes of a line.
    pub(super) fn line<'a>(&'a self, line: &'a Line) -> &'a [u8] {
        match line {
            Line::Kept(bytes) => bytes,
            Line::Made(range) => {
                let text = self.text.get(range.clone());
                text.unwrap_or_default().as_bytes()
            }
        }
    }

    pub(super) fn value<'a>(&'a self, value: &'a Text<'p>) -> &'a str {
        match value {
            Text::Constant(text) => text,
            Text::Rendered(range) => self.text.get(range.clone()).unwrap_or_default(),
        }
    }
}

impl HeaderEdit<'_> {
    /// Whether this is about the header of a name. A request's host has two names.
    pub(super) fn is_about(&self, direction: Direction, name: &str) -> bool {
        let is_host = |name: &str| matches!(name, "host" | ":authority");
        match &self.change {
            Change::RemoveAll { names, .. } => {
                names.matches(name) && !http::is_vital(name, direction)
            }
            _ if direction == Direction::Request && is_host(name) => is_host(self.name),
            _ => self.name == name,
        }
    }
}

/// An empty list in the memory of another, whose items differ only in how long they may live. The
/// collector works in place where it can; where it cannot, the list is a new one.
fn emptied<T, U>(mut list: Vec<T>) -> Vec<U> {
    list.clear();
    list.into_iter().filter_map(|_| None).collect()
}
