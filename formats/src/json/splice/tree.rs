//! A document while it is being edited: text where nobody looked, opened containers on the way to the
//! edits.
//!
//! Lives for one application of a patch, or one session of edits, on one worker thread.

use std::sync::Arc;

use super::Misplaced;
use super::edited::{Edited, Piece, Slice};
use super::layout::{Layout, Members};
use crate::json::container::Container;
use crate::json::span::Span;

/// One value of the document being edited.
#[derive(Clone)]
pub(in crate::json) enum Tree<'a> {
    Closed(Closed<'a>),
    /// Boxed, since most values of a document stay closed.
    Open(Box<Layout<'a>>),
    /// A text that was made for this place, in pieces.
    Made(Vec<Piece<'a>>),
}

/// A value nobody has looked into: the slice is exactly its text.
#[derive(Clone)]
pub(in crate::json) struct Closed<'a> {
    pub(in crate::json) slice: Slice<'a>,
    /// What was already found inside it, or where to find it, if it is from the document.
    pub(in crate::json) found: Found,
}

/// How to come by the members of a closed value with the least scanning.
#[derive(Clone)]
pub(in crate::json) enum Found {
    /// Nobody knows: scan it.
    Nothing,
    /// These are the members.
    Members(Arc<Container>),
    /// It is this member of this container, which remembers what was found inside.
    MemberOf(Arc<Container>, usize),
}

impl<'a> Tree<'a> {
    /// The container this value is, opened for editing.
    pub(in crate::json) fn open(&mut self) -> Result<&mut Layout<'a>, Misplaced> {
        if let Self::Closed(closed) = self {
            *self = Self::Open(Box::new(closed.open()?));
        }
        match self {
            Self::Open(layout) => Ok(layout),
            // Closed ones were opened above; made ones are not edited.
            Self::Closed(_) | Self::Made(_) => Err(Misplaced::NotAContainer),
        }
    }

    /// The object this value is, opened for editing; none if it is something else.
    pub(in crate::json) fn open_object(&mut self) -> Option<&mut Members<'a>> {
        match self.open().ok()? {
            Layout::Object(members) => Some(members),
            Layout::Array(_) => None,
        }
    }

    pub(in crate::json) fn write(&self, out: &mut Edited<'a>) {
        match self {
            Self::Closed(closed) => out.push(closed.slice),
            Self::Open(layout) => layout.write(out),
            Self::Made(pieces) => pieces.iter().for_each(|piece| out.push_piece(piece)),
        }
    }

    /// The value's text as it would be written.
    pub(in crate::json) fn to_text(&self) -> Vec<u8> {
        match self {
            Self::Closed(closed) => closed.slice.text().as_bytes().to_vec(),
            Self::Open(_) | Self::Made(_) => self.written().to_vec(),
        }
    }

    /// How long the text would be.
    pub(in crate::json) fn len(&self) -> usize {
        match self {
            Self::Closed(closed) => closed.slice.len(),
            Self::Open(_) | Self::Made(_) => self.written().len(),
        }
    }

    fn written(&self) -> Edited<'a> {
        let mut edited = Edited::new("");
        self.write(&mut edited);
        edited
    }
}

impl<'a> Closed<'a> {
    /// A value that comes from outside of the document.
    pub(in crate::json) fn value(slice: Slice<'a>) -> Tree<'a> {
        Tree::Closed(Self {
            slice,
            found: Found::Nothing,
        })
    }

    fn open(&self) -> Result<Layout<'a>, Misplaced> {
        let slice = self.slice;
        if !slice.text().starts_with(['{', '[']) {
            return Err(Misplaced::NotAContainer);
        }
        let container = match &self.found {
            Found::Members(container) => Some(Arc::clone(container)),
            Found::MemberOf(parent, index) => parent.below(slice.source, *index).cloned(),
            Found::Nothing => None,
        };
        let container = container
            .unwrap_or_else(|| Container::scan(slice.source, Span::new(slice.start, slice.end)));
        Ok(Layout::new(slice, container))
    }
}
