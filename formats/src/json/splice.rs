//! How a text is edited and put together again: the containers on the way to the edits are opened,
//! all else is carried over as it stands.
//!
//! Used by patches, which follow paths, and by [`Edits`](super::Edits), which start from nodes, on
//! worker threads.

mod edited;
mod layout;
mod tree;

pub use edited::Edited;
pub(super) use edited::{Piece, Slice};
pub(super) use layout::{Change, Layout, Members};
pub(super) use tree::{Closed, Found, Tree};

use std::sync::Arc;

use super::document::Document;

/// Why a way through a document ends before it is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misplaced {
    /// There is no such member.
    NotFound,
    /// A value on it has no members.
    NotAContainer,
    /// It names an item of an array by something other than a number.
    InvalidIndex,
}

/// The value of a document, to be edited.
pub(super) fn open(document: &Document) -> Tree<'_> {
    let source = document.source();
    Tree::Closed(Closed {
        slice: Slice::whole(&source.text).cut(source.root.start(), source.root.end()),
        found: Found::Members(Arc::clone(&source.container)),
    })
}

/// The document with another value.
pub(super) fn close<'a>(document: &'a Document, root: &Tree<'a>) -> Edited<'a> {
    let source = document.source();
    let whole = Slice::whole(&source.text);
    let mut edited = Edited::new(whole.source);
    edited.push(whole.cut(0, source.root.start()));
    root.write(&mut edited);
    edited.push(whole.cut(source.root.end(), whole.end));
    edited
}
