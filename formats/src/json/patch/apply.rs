//! The operations of a patch, one after the other, on one document.
//!
//! Called on worker threads, once per message. Refuses what RFC 6902 calls an error; the document is
//! then as it was, since only a list of pieces was being made.

use std::fmt;

use super::{Patch, Step, ValueSlot};
use crate::json::document::Document;
use crate::json::pointer::Pointer;
use crate::json::scan;
use crate::json::splice::{Closed, Edited, Layout, Misplaced, Slice, Tree, close, open};

/// Why a patch does not apply to a document. Carries nothing of either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatchError {
    /// The operation that failed, counted from 0.
    pub operation: usize,
    /// Why.
    pub kind: PatchErrorKind,
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "patch operation {}: {}", self.operation, self.kind)
    }
}

impl std::error::Error for PatchError {}

/// The ways in which an operation can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatchErrorKind {
    /// The place it names, or the container of that place, does not exist.
    NotFound,
    /// Its path goes through a string, number, boolean or null.
    NotAContainer,
    /// Its path names a place in an array by something other than a number.
    InvalidIndex,
    /// A `test` found another value.
    TestFailed,
    /// The caller gave no value for its slot.
    MissingValue,
    /// The text given for its slot is not JSON.
    InvalidValue,
    /// The document and what was put into it are larger than allowed.
    TooLarge,
}

impl fmt::Display for PatchErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "there is no such place in the document",
            Self::NotAContainer => "its path goes through a value that has no members",
            Self::InvalidIndex => "its path names an array item by something other than a number",
            Self::TestFailed => "the tested value is another one",
            Self::MissingValue => "no value was given for it",
            Self::InvalidValue => "the value given for it is not JSON",
            Self::TooLarge => "the result is larger than allowed",
        })
    }
}

impl From<Misplaced> for PatchErrorKind {
    fn from(misplaced: Misplaced) -> Self {
        match misplaced {
            Misplaced::NotFound => Self::NotFound,
            Misplaced::NotAContainer => Self::NotAContainer,
            Misplaced::InvalidIndex => Self::InvalidIndex,
        }
    }
}

impl Patch {
    /// Applies all operations in order. `values[n]` is the JSON text for [`ValueSlot::Slot`]`(n)`.
    ///
    /// `max_bytes` bounds the document and everything put into it together, whether or not it is
    /// removed again: a patch that copies its own copies doubles the document with each operation.
    ///
    /// # Errors
    ///
    /// The first operation that fails, and why.
    ///
    /// # Cost
    ///
    /// Each container on the way to an edit is scanned once a document, the values are checked; bytes
    /// are copied only when the result is written.
    pub fn apply<'a>(
        &'a self,
        document: &'a Document,
        values: &'a [String],
        max_bytes: usize,
    ) -> Result<Edited<'a>, PatchError> {
        self.apply_those(document, values, max_bytes, |_| true)
    }

    /// As [`apply`](Self::apply), for those operations, counted from 0, that are `wanted`. The values of
    /// others may be anything.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply).
    pub fn apply_those<'a>(
        &'a self,
        document: &'a Document,
        values: &'a [String],
        max_bytes: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Edited<'a>, PatchError> {
        let room = max_bytes.checked_sub(document.text().len());
        let mut edit = Edit {
            root: open(document),
            values,
            room: room.unwrap_or_default(),
        };
        let steps = self.steps.iter().enumerate();
        for (operation, step) in steps.filter(|(operation, _)| wanted(*operation)) {
            let outcome = if room.is_some() {
                edit.step(step)
            } else {
                Err(PatchErrorKind::TooLarge)
            };
            outcome.map_err(|kind| PatchError { operation, kind })?;
        }
        Ok(close(document, &edit.root))
    }
}

/// For a way to something that is written: whoever reads the document next must find it there, even if
/// it takes another one of repeated keys than we do.
fn settle(layout: &mut Layout<'_>, _: &str) -> Result<(), PatchErrorKind> {
    layout.settle();
    Ok(())
}

/// For a way to something that is tested: what one reader finds there, all must.
fn refuse_repeats(layout: &mut Layout<'_>, token: &str) -> Result<(), PatchErrorKind> {
    if layout.is_ambiguous(token) {
        return Err(PatchErrorKind::TestFailed);
    }
    Ok(())
}

/// A document while the operations go over it.
struct Edit<'a> {
    root: Tree<'a>,
    values: &'a [String],
    /// How many bytes may still be put in.
    room: usize,
}

impl<'a> Edit<'a> {
    fn step(&mut self, step: &'a Step) -> Result<(), PatchErrorKind> {
        match step {
            Step::Add(path, value) => {
                let value = self.value(value)?;
                self.make_room(path, &value)?;
                self.add(path, value)
            }
            Step::Remove(path) => self.remove(path).map(drop),
            Step::Replace(path, value) => {
                let value = self.value(value)?;
                self.make_room(path, &value)?;
                *self.descend(path.tokens(), settle)? = value;
                Ok(())
            }
            Step::Move { from, path } if from == path => {
                self.descend(from.tokens(), settle).map(drop)
            }
            Step::Move { from, path } => {
                let value = self.remove(from)?;
                self.add(path, value)
            }
            Step::Copy { from, path } => {
                let value = self.descend(from.tokens(), |_, _| Ok(()))?.clone();
                self.make_room(path, &value)?;
                self.add(path, value)
            }
            Step::Test(path, value) => {
                let expected = self.value(value)?.to_text();
                let found = self.descend(path.tokens(), refuse_repeats)?.to_text();
                let parse =
                    |text: Vec<u8>| Document::parse(text).map_err(|_| PatchErrorKind::InvalidValue);
                let equal = parse(found)?.root().equals(&parse(expected)?.root());
                if equal {
                    Ok(())
                } else {
                    Err(PatchErrorKind::TestFailed)
                }
            }
        }
    }

    fn value(&self, slot: &'a ValueSlot) -> Result<Tree<'a>, PatchErrorKind> {
        let slice = match slot {
            // Checked and trimmed when the patch was compiled.
            ValueSlot::Const(text) => Slice::whole(text),
            ValueSlot::Slot(slot) => {
                let text = self.values.get(*slot).ok_or(PatchErrorKind::MissingValue)?;
                let (span, _) = scan::document(text).map_err(|_| PatchErrorKind::InvalidValue)?;
                Slice::whole(text).cut(span.start(), span.end())
            }
        };
        Ok(Closed::value(slice))
    }

    /// The value a way leads to. `enter` is told of each container on it, and where it goes on.
    fn descend(
        &mut self,
        tokens: &[String],
        enter: fn(&mut Layout<'a>, &str) -> Result<(), PatchErrorKind>,
    ) -> Result<&mut Tree<'a>, PatchErrorKind> {
        tokens.iter().try_fold(&mut self.root, |tree, token| {
            let layout = tree.open()?;
            enter(layout, token)?;
            Ok(layout.child(token)?)
        })
    }

    /// The container in which something is to be written.
    fn container(&mut self, tokens: &[String]) -> Result<&mut Layout<'a>, PatchErrorKind> {
        let layout = self.descend(tokens, settle)?.open()?;
        layout.settle();
        Ok(layout)
    }

    fn add(&mut self, path: &'a Pointer, value: Tree<'a>) -> Result<(), PatchErrorKind> {
        let Some((key, parents)) = path.tokens().split_last() else {
            self.root = value;
            return Ok(());
        };
        Ok(self.container(parents)?.add(key, value)?)
    }

    fn remove(&mut self, path: &Pointer) -> Result<Tree<'a>, PatchErrorKind> {
        // Compiling refuses to remove the whole document.
        let (key, parents) = path.tokens().split_last().ok_or(PatchErrorKind::NotFound)?;
        Ok(self.container(parents)?.remove(key)?)
    }

    /// Accounts for a value, and for the key that may come with it.
    fn make_room(&mut self, path: &Pointer, value: &Tree<'a>) -> Result<(), PatchErrorKind> {
        let key = path.tokens().last().map_or(0, String::len);
        let bytes = value.len().saturating_add(key);
        self.room = self
            .room
            .checked_sub(bytes)
            .ok_or(PatchErrorKind::TooLarge)?;
        Ok(())
    }
}
