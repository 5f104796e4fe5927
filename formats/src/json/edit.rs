//! A session of edits on a document, for code.
//!
//! Used on the worker thread that holds a message. Where a patch follows paths through a document that
//! changes with each of its operations, a session speaks of the document as it was parsed: nodes and
//! places are those of [`Document`], whatever was edited before, and the order of edits at different
//! places does not matter.
//!
//! - Of several edits that give one value another text or remove it, the last one counts.
//! - What is replaced or removed takes along every edit inside it, also one that comes later.
//! - What is inserted at one place stands in the order in which it was inserted.
//! - An object that is edited, or that lies on the way to an edit, holds each of its keys once
//!   afterwards, with the value that [`Node::get`] finds: readers differ in which one they take.
//!
//! Refused, as errors that leave the session as it was: texts that are not JSON, and places that are
//! not there. So the result is one document.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::document::Document;
use super::node::{Kind, Node};
use super::scan;
use super::splice::{Change, Closed, Edited, Layout, Piece, Slice, Tree, close, open};

mod contents;
mod entries;

use contents::Contents;
use entries::Entries;

/// Edits of one document. Everything but what they name stays as it is, byte for byte.
///
/// ```
/// use formats::json::{Document, Edits};
///
/// let document = Document::parse(r#"{"model": "fast", "messages": [{"content": "I am Ann"}]}"#)?;
/// let root = document.root();
/// let mut edits = Edits::new(&document);
/// edits.replace(&root.get("model").ok_or("no model")?, "\"small\"")?;
/// let messages = root.get("messages").ok_or("no messages")?;
/// edits.push(&messages, r#"{"content": "Be brief."}"#)?;
/// let content = messages.index(0).and_then(|message| message.get("content"));
/// edits.rewrite(&content.ok_or("no content")?, 5..8, "[NAME_1]")?;
/// let edited = edits.finish().to_vec();
/// let expected =
///     r#"{"model": "small", "messages": [{"content": "I am [NAME_1]"},{"content": "Be brief."}]}"#;
/// assert_eq!(edited, expected.as_bytes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Edits<'a> {
    document: &'a Document,
    /// What is to become of a value, by where it starts.
    plans: BTreeMap<usize, Plan<'a>>,
}

/// Why an edit cannot be made. Carries nothing of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EditError {
    /// The node is from another document.
    OtherDocument,
    /// The text that was given is not JSON.
    InvalidValue,
    /// The node is of another kind: entries go into objects, items into arrays, and only strings have
    /// contents.
    WrongKind,
    /// The container nests too deeply to be looked into.
    TooDeep,
    /// The place is behind the end of the array or string, or inside of a character.
    OutOfRange,
    /// Another edit rewrites some of the same contents.
    Overlap,
    /// A document without a value is none.
    RootRemoved,
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherDocument => "the node is from another document",
            Self::InvalidValue => "the text for the place is not JSON",
            Self::WrongKind => "the value is of another kind than the edit is for",
            Self::TooDeep => "the container nests too deeply to be looked into",
            Self::OutOfRange => "the place is behind the end, or inside of a character",
            Self::Overlap => "another edit rewrites some of the same contents",
            Self::RootRemoved => "the outermost value can only be replaced",
        })
    }
}

impl std::error::Error for EditError {}

/// What is to become of a value.
#[derive(Default)]
struct Plan<'a> {
    /// What stands in its place; with it, what is planned for its inside means nothing.
    outcome: Option<Outcome<'a>>,
    inside: Inside<'a>,
}

enum Outcome<'a> {
    Removed,
    Replaced(Tree<'a>),
}

/// What is to become of what is in a value.
#[derive(Default)]
enum Inside<'a> {
    #[default]
    Kept,
    Contents(Contents<'a>),
    Entries(Entries<'a>),
    /// New items, each before the one at a place.
    Items(Vec<(usize, Tree<'a>)>),
}

impl<'a> Edits<'a> {
    /// A session without edits.
    pub fn new(document: &'a Document) -> Self {
        Self {
            document,
            plans: BTreeMap::new(),
        }
    }

    /// Whether nothing was edited.
    pub fn is_empty(&self) -> bool {
        self.plans.is_empty()
    }

    /// Puts another value in the place of one.
    ///
    /// # Errors
    /// [`InvalidValue`](EditError::InvalidValue), [`OtherDocument`](EditError::OtherDocument).
    ///
    /// # Cost
    /// One pass over `json`.
    pub fn replace(&mut self, node: &Node, json: impl Into<Cow<'a, str>>) -> Result<(), EditError> {
        let value = value(json.into())?;
        self.plan(node)?.outcome = Some(Outcome::Replaced(value));
        Ok(())
    }

    /// Takes an entry or an item out, with its comma.
    ///
    /// # Errors
    /// [`RootRemoved`](EditError::RootRemoved), [`OtherDocument`](EditError::OtherDocument).
    pub fn remove(&mut self, node: &Node) -> Result<(), EditError> {
        if node.span() == self.document.source().root {
            return Err(EditError::RootRemoved);
        }
        self.plan(node)?.outcome = Some(Outcome::Removed);
        Ok(())
    }

    /// Gives the entry of an object with this key a value: where it stands if there is one, else at the
    /// end, in the style of the entry before it.
    ///
    /// # Errors
    /// [`WrongKind`](EditError::WrongKind), [`TooDeep`](EditError::TooDeep), and as
    /// [`replace`](Self::replace).
    ///
    /// # Cost
    /// As [`Node::get`], and one pass over `json`.
    pub fn set(
        &mut self,
        object: &Node,
        key: impl Into<Cow<'a, str>>,
        json: impl Into<Cow<'a, str>>,
    ) -> Result<(), EditError> {
        self.put(object, key.into(), json.into(), Entries::put_last)
    }

    /// As [`set`](Self::set), but a new entry comes before those of the document.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn set_first(
        &mut self,
        object: &Node,
        key: impl Into<Cow<'a, str>>,
        json: impl Into<Cow<'a, str>>,
    ) -> Result<(), EditError> {
        self.put(object, key.into(), json.into(), Entries::put_first)
    }

    /// Inserts an item before the one that the document has at `index`, or behind the last one if the
    /// array has so many items.
    ///
    /// # Errors
    /// [`OutOfRange`](EditError::OutOfRange) above that, [`WrongKind`](EditError::WrongKind),
    /// [`TooDeep`](EditError::TooDeep), and as [`replace`](Self::replace).
    ///
    /// # Cost
    /// One pass over `json`.
    pub fn insert(
        &mut self,
        array: &Node,
        index: usize,
        json: impl Into<Cow<'a, str>>,
    ) -> Result<(), EditError> {
        let value = value(json.into())?;
        let plan = self.plan_inside(array, Kind::Array)?;
        if index > array.members() {
            return Err(EditError::OutOfRange);
        }
        if let Inside::Kept = plan.inside {
            plan.inside = Inside::Items(Vec::new());
        }
        if let Inside::Items(items) = &mut plan.inside {
            items.push((index, value));
        }
        Ok(())
    }

    /// Adds an item behind the last one.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn push(&mut self, array: &Node, json: impl Into<Cow<'a, str>>) -> Result<(), EditError> {
        self.insert(array, array.members(), json)
    }

    /// Puts `text` in the place of some of a string's contents; an empty range is a place to insert at.
    /// What is around it keeps its spelling. `range` counts bytes of [`Node::contents`], as they are
    /// in the document.
    ///
    /// # Errors
    /// [`OutOfRange`](EditError::OutOfRange), [`Overlap`](EditError::Overlap),
    /// [`WrongKind`](EditError::WrongKind), [`OtherDocument`](EditError::OtherDocument).
    ///
    /// # Cost
    /// That of [`Node::contents`]; the finished session makes one pass over the string.
    pub fn rewrite(
        &mut self,
        string: &Node,
        range: Range<usize>,
        text: impl Into<Cow<'a, str>>,
    ) -> Result<(), EditError> {
        let contents = string.contents().ok_or(EditError::WrongKind)?;
        if contents.get(range.clone()).is_none() {
            return Err(EditError::OutOfRange);
        }
        let plan = self.plan_inside(string, Kind::String)?;
        if let Inside::Kept = plan.inside {
            plan.inside = Inside::Contents(Contents::default());
        }
        match &mut plan.inside {
            Inside::Contents(contents) => contents.rewrite(range, text.into()),
            _ => Ok(()),
        }
    }

    /// The document with all edits made.
    ///
    /// # Cost
    /// A search for each edit in each container on the way to it, which was looked into before;
    /// strings of which some contents are rewritten are read once.
    pub fn finish(mut self) -> Edited<'a> {
        let root = self.edited(&self.document.root());
        close(self.document, &root.unwrap_or(open(self.document)))
    }

    fn put(
        &mut self,
        object: &Node,
        key: Cow<'a, str>,
        json: Cow<'a, str>,
        put: fn(&mut Entries<'a>, Cow<'a, str>, Tree<'a>),
    ) -> Result<(), EditError> {
        let value = value(json)?;
        self.plan_inside(object, Kind::Object)?;
        if let Some(present) = object.get(&key) {
            self.plan(&present)?.outcome = Some(Outcome::Replaced(value));
            return Ok(());
        }
        let plan = self.plan(object)?;
        if let Inside::Kept = plan.inside {
            plan.inside = Inside::Entries(Entries::default());
        }
        if let Inside::Entries(entries) = &mut plan.inside {
            put(entries, key, value);
        }
        Ok(())
    }

    fn plan(&mut self, node: &Node) -> Result<&mut Plan<'a>, EditError> {
        if !node.is_of(self.document) {
            return Err(EditError::OtherDocument);
        }
        Ok(self.plans.entry(node.span().start()).or_default())
    }

    /// The plan of a value whose inside is to be edited.
    fn plan_inside(&mut self, node: &Node, kind: Kind) -> Result<&mut Plan<'a>, EditError> {
        if node.kind() != kind {
            return Err(EditError::WrongKind);
        }
        if node.is_too_deep() {
            return Err(EditError::TooDeep);
        }
        self.plan(node)
    }

    /// A value with everything that is planned for it and in it; none if that is nothing, or to be
    /// removed.
    fn edited(&mut self, node: &Node) -> Option<Tree<'a>> {
        let span = node.span();
        let slice = Slice::whole(self.document.text()).cut(span.start(), span.end());
        let plan = self.plans.remove(&span.start()).unwrap_or_default();
        let (entries, items) = match (plan.outcome, plan.inside) {
            (Some(Outcome::Replaced(value)), _) => return Some(value),
            (Some(Outcome::Removed), _) => return None,
            (None, Inside::Contents(contents)) => return Some(Tree::Made(contents.pieces(slice))),
            (None, Inside::Entries(entries)) => (Some(entries), Vec::new()),
            (None, Inside::Items(items)) => (None, items),
            (None, Inside::Kept) => (None, Vec::new()),
        };
        let container = node.container()?;
        let mut changes = Vec::new();
        let mut from = span.start() + 1;
        while let Some((&at, plan)) = self.plans.range(from..span.end()).next() {
            let is_removed = matches!(plan.outcome, Some(Outcome::Removed));
            let index = container.at(at)?;
            let member = node.member(container, index)?;
            if is_removed && member.span().start() == at {
                changes.push((index, Change::Remove));
            } else {
                let value = self.edited(&member);
                changes.extend(value.map(|value| (index, Change::Put(value))));
            }
            from = member.span().end();
        }
        let inserted = items.into_iter();
        changes.extend(inserted.map(|(index, value)| (index, Change::Insert(value))));
        if changes.is_empty() && entries.is_none() {
            return None;
        }
        // Sorting keeps the order of what is inserted at one place.
        changes.sort_by_key(|(index, change)| (*index, !matches!(change, Change::Insert(_))));
        let mut layout = Layout::changed(slice, container.clone(), changes);
        if let (Layout::Object(members), Some(entries)) = (&mut layout, entries) {
            entries.put_into(members);
        }
        Some(Tree::Open(Box::new(layout)))
    }
}

/// Says how many values are edited, never how: bodies do not belong in logs.
impl fmt::Debug for Edits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edits")
            .field("len", &self.plans.len())
            .finish_non_exhaustive()
    }
}

/// The value of a JSON text, without white space around it.
fn value(json: Cow<'_, str>) -> Result<Tree<'_>, EditError> {
    let (span, _) = scan::document(&json).map_err(|_| EditError::InvalidValue)?;
    Ok(match json {
        Cow::Borrowed(text) => Closed::value(Slice::whole(text).cut(span.start(), span.end())),
        Cow::Owned(mut text) => {
            text.truncate(span.end());
            text.drain(..span.start());
            Tree::Made(vec![Piece::Owned(text)])
        }
    })
}

#[cfg(test)]
mod tests;
