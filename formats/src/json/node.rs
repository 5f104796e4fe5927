//! A place in a document.
//!
//! Template contexts hold nodes as values and extraction walks them, on the worker thread that parsed
//! the document; nothing prevents another thread.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::container::Container;
use super::document::{Document, Source};
use super::number;
use super::pointer::{self, Pointer};
use super::span::Span;
use super::string;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number of any size and spelling.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// One value of a [`Document`](super::Document). Keeps the document alive; a clone costs two reference
/// counts.
///
/// Looking into a container scans that container once, for all nodes of the document together; a way
/// down through many of them scans each byte a handful of times.
#[derive(Clone)]
pub struct Node {
    source: Arc<Source>,
    span: Span,
    /// The container this is a member of, and which; none for the root.
    parent: Option<(Arc<Container>, usize)>,
}

impl Document {
    /// The outermost value.
    pub fn root(&self) -> Node {
        let source = Arc::clone(self.source());
        let span = source.root;
        Node {
            source,
            span,
            parent: None,
        }
    }
}

impl Node {
    /// What this value is. Cost: a look at its first byte.
    pub fn kind(&self) -> Kind {
        match self.raw().as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't') => Kind::Bool(true),
            Some(b'f') => Kind::Bool(false),
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// The text of this value exactly as it stands in the document.
    pub fn raw(&self) -> &str {
        self.span.of(&self.source.text)
    }

    /// The member of an object with this key, the last one if the key repeats. None if there is none
    /// or this is not an object.
    ///
    /// Cost: a comparison for each key; in the long run, of up to [`width`](Self::width) keys.
    pub fn get(&self, key: &str) -> Option<Self> {
        if self.kind() != Kind::Object {
            return None;
        }
        let container = self.container()?;
        self.member(container, container.position(&self.source.text, key)?)
    }

    /// The item of an array at this place, counted from 0. None if there is none or this is not an
    /// array.
    pub fn index(&self, index: usize) -> Option<Self> {
        if self.kind() != Kind::Array {
            return None;
        }
        self.member(self.container()?, index)
    }

    /// The value a JSON Pointer leads to from here. `-` leads nowhere.
    pub fn pointer(&self, path: &Pointer) -> Option<Self> {
        path.tokens()
            .iter()
            .try_fold(self.clone(), |node, token| match node.kind() {
                Kind::Array => node.index(pointer::array_index(token)?),
                _ => node.get(token),
            })
    }

    /// How many items an array, or how many distinct keys an object has; 0 for everything else.
    pub fn len(&self) -> usize {
        self.container().map_or(0, |container| {
            container.members().len() - container.shadowed(&self.source.text).len()
        })
    }

    /// How many keys a search by key looks at, in the long run. Cost: none once the container was
    /// looked into.
    pub fn width(&self) -> usize {
        self.container()
            .map_or(0, |container| container.search_width())
    }

    /// How many members stand in the text, those that repeat a key included. Cost: none once the
    /// container was looked into.
    pub fn members(&self) -> usize {
        self.container()
            .map_or(0, |container| container.members().len())
    }

    /// Whether [`len`](Self::len) is 0.
    pub fn is_empty(&self) -> bool {
        self.container()
            .is_none_or(|container| container.members().is_empty())
    }

    /// The entries of an object in the order of the text; nothing for other kinds.
    ///
    /// A key that repeats comes once, with its last value, where that value stands.
    pub fn entries(&self) -> impl Iterator<Item = (Cow<'_, str>, Self)> + '_ {
        let container = self.container().filter(|_| self.kind() == Kind::Object);
        container.into_iter().flat_map(move |container| {
            // Both ascend: what is shadowed is met in its order.
            let mut shadowed = container.shadowed(&self.source.text).iter().peekable();
            let visible = move |index: &usize| shadowed.next_if_eq(&index).is_none();
            (0..container.members().len())
                .filter(visible)
                .filter_map(move |index| {
                    let key = container.members().get(index)?.key.of(&self.source.text);
                    Some((string::decode(key), self.member(container, index)?))
                })
        })
    }

    /// The items of an array; nothing for other kinds.
    pub fn items(&self) -> impl Iterator<Item = Self> + '_ {
        let container = self.container().filter(|_| self.kind() == Kind::Array);
        container.into_iter().flat_map(move |container| {
            (0..container.members().len()).filter_map(move |index| self.member(container, index))
        })
    }

    /// The contents of a string. Borrows from the document if the string has no escapes. An escape that
    /// is half a surrogate pair gives U+FFFD.
    pub fn as_str(&self) -> Option<Cow<'_, str>> {
        (self.kind() == Kind::String).then(|| string::decode(self.raw()))
    }

    /// The contents of a string, decoded at most once for all nodes of the document, whatever its length.
    pub fn contents(&self) -> Option<Arc<str>> {
        if self.kind() != Kind::String {
            return None;
        }
        let text = &self.source.text;
        let contents = match &self.parent {
            None => (self.source.contents).get_or_init(|| string::decode(self.raw()).into()),
            Some((parent, index)) => parent.contents(text, *index)?,
        };
        Some(Arc::clone(contents))
    }

    /// Whether this is a container that nests too deeply to be looked into, see
    /// [`MAX_DEPTH`](super::MAX_DEPTH). It has no members then; its text is there.
    pub fn is_too_deep(&self) -> bool {
        matches!(self.kind(), Kind::Object | Kind::Array)
            && (self.parent.as_ref()).is_some_and(|(parent, _)| parent.is_lowest())
    }

    /// Whether a key of this object repeats; the values of its members may have repeated keys all the
    /// same.
    pub(super) fn has_repeats(&self) -> bool {
        (self.container())
            .is_some_and(|container| !container.shadowed(&self.source.text).is_empty())
    }

    /// The value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind() {
            Kind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        self.kind() == Kind::Null
    }

    /// A number exactly as it is spelled.
    pub fn number_text(&self) -> Option<&str> {
        (self.kind() == Kind::Number).then(|| self.raw())
    }

    /// A number spelled as an integer that fits. `1.0`, `1e3` and `-0` are not integers, as in
    /// serde_json.
    pub fn as_i64(&self) -> Option<i64> {
        number::to_integer(self.number_text()?)
    }

    /// Like [`as_i64`](Self::as_i64).
    pub fn as_u64(&self) -> Option<u64> {
        number::to_integer(self.number_text()?)
    }

    /// Like [`as_i64`](Self::as_i64).
    pub fn as_i128(&self) -> Option<i128> {
        number::to_integer(self.number_text()?)
    }

    /// The nearest float to a number. None for numbers beyond every float, such as `1e400`.
    pub fn as_f64(&self) -> Option<f64> {
        number::to_float(self.number_text()?)
    }

    /// Where in the document's text this stands.
    pub(super) fn span(&self) -> Span {
        self.span
    }

    /// Whether this is a value of that document, or of a clone of it.
    pub(super) fn is_of(&self, document: &Document) -> bool {
        Arc::ptr_eq(&self.source, document.source())
    }

    /// What is inside, if this is a container.
    pub(super) fn container(&self) -> Option<&Arc<Container>> {
        if !matches!(self.kind(), Kind::Object | Kind::Array) {
            return None;
        }
        match &self.parent {
            None => Some(&self.source.container),
            Some((parent, index)) => parent.below(&self.source.text, *index),
        }
    }

    pub(super) fn member(&self, container: &Arc<Container>, index: usize) -> Option<Self> {
        let span = container.members().get(index)?.value;
        let parent = Some((Arc::clone(container), index));
        Some(Self {
            source: Arc::clone(&self.source),
            span,
            parent,
        })
    }
}

/// Says what the node is, never what it holds: bodies do not belong in logs.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("kind", &self.kind())
            .field("span", &self.span)
            .finish_non_exhaustive()
    }
}
