//! A place in a text.
//!
//! Made by the scanner, kept by all that was found in a text.

/// A half-open range of bytes in a text. 32 bits are enough: longer texts are refused at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Both ends are positions in a text that [`document`](super::scan::document) accepted, so the casts keep their value.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "texts of 4 GiB and more are refused"
    )]
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    pub(super) fn start(self) -> usize {
        self.start as usize
    }

    pub(super) fn end(self) -> usize {
        self.end as usize
    }

    pub(super) fn len(self) -> usize {
        self.end() - self.start()
    }

    /// The text under the span. Spans are made by scanning the text they are used with, so the range
    /// is inside it and on character boundaries.
    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.start()..self.end()).unwrap_or_default()
    }
}
