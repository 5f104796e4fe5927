//! JSON Patch (RFC 6902) as edits of bytes.
//!
//! A [`Patch`] is compiled once, on the main thread, with all its faults reported together. Applying it
//! on a worker thread opens only the containers on the way to each edit; everything else of the
//! document is carried over as it stands, byte for byte, so that key order, unknown fields, number
//! spellings and whitespace survive. The result is a list of [segments](Edited::segments), most of
//! them borrowed, for a writer that copies once.
//!
//! Values may be constants or slots: a slot's text is rendered by the caller for each message.
//!
//! Where RFC 6902 leaves a choice: a repeated key counts as one member, which is where it stands last. An
//! object that is written to, or that lies on the way to a place that is, holds each of its keys once
//! afterwards, since readers differ in which one they take; for the same reason a `test` of a value with
//! a repeated key in it or on the way to it fails. The whole document cannot be removed. An added key
//! goes to the end of its object, in the style of the entry before it.

mod apply;
mod compile;
mod merge;

pub use apply::{PatchError, PatchErrorKind};
pub use compile::{Operation, PatchDiagnostic, PatchReason, ValueSlot};
pub use merge::merge;

pub use super::splice::Edited;

use super::pointer::Pointer;

/// A checked list of operations.
#[derive(Clone, Debug)]
pub struct Patch {
    steps: Vec<Step>,
}

impl Patch {
    /// Whether there is no operation at all.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// One operation with everything about it that can be known before there is a document.
#[derive(Clone, Debug)]
enum Step {
    Add(Pointer, ValueSlot),
    Remove(Pointer),
    Replace(Pointer, ValueSlot),
    Move { from: Pointer, path: Pointer },
    Copy { from: Pointer, path: Pointer },
    Test(Pointer, ValueSlot),
}

#[cfg(test)]
mod tests;
